//! Creating, updating and deleting records, with all of Salesforce's checks.

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use serde_json::{Map, Value, json};

use super::{
    duplicates,
    rules::{Save, missing_fields},
    schema::{Field, Kind, Object},
    store::{Fields, Org},
    value::{accept, instant_text, malformed_id, restricted, stored_instant},
};
use crate::{
    error::ApiError,
    faults::{Operation, RecordFaults},
    ids::Id,
    settings::Settings,
};

/// What a request of the REST API works on.
pub(crate) struct Context<'a> {
    pub(crate) org: &'a mut Org,
    pub(crate) settings: &'a Settings,
    pub(crate) record_faults: &'a mut RecordFaults,
    pub(crate) now: DateTime<Utc>,
    /// The user of the session.
    pub(crate) user: Id,
}

impl Context<'_> {
    /// The user's time zone.
    pub(crate) fn zone(&self) -> chrono_tz::Tz {
        let user = self.org.users.iter().find(|user| user.id == self.user);
        user.and_then(|user| user.timezone.parse().ok()).unwrap_or(chrono_tz::UTC)
    }

    /// Creates a record. `allow_duplicates` overrides duplicate rules that alert.
    pub(crate) fn create(
        &mut self,
        object: &'static Object,
        body: &Map<String, Value>,
        allow_duplicates: bool,
    ) -> Result<Id, ApiError> {
        self.check_permission(object, Operation::Create)?;
        let given = self.accept_fields(object, body, |field| field.create)?;
        self.record_faults.strike(object.name, Operation::Create)?;
        let is_missing = |name: &&str| given.get(*name).is_none_or(Value::is_null);
        let missing: Vec<&str> = object.required_fields(self.settings).filter(is_missing).collect();
        if !missing.is_empty() {
            return Err(missing_fields(&missing));
        }
        let mut before = Fields::new();
        if object.standard_field("OwnerId").is_some() {
            before.insert("OwnerId", json!(self.user.as_str()));
        }
        let saved = self.apply_rules(object, before, &given)?;
        duplicates::refuse(self.org, self.settings, object, &saved, allow_duplicates)?;
        let (user, now) = (self.user.clone(), self.now);
        let id = self.org.insert(object, saved, &user, now);
        self.index(&id);
        Ok(id)
    }

    /// Updates fields of a record, unless it was modified after the given second.
    pub(crate) fn update(
        &mut self,
        object: &'static Object,
        id: &Id,
        body: &Map<String, Value>,
        unmodified_since: Option<DateTime<Utc>>,
    ) -> Result<(), ApiError> {
        let before = self.existing(object, id)?;
        self.check_permission(object, Operation::Update)?;
        let modified = before.get("LastModifiedDate").and_then(stored_instant);
        if unmodified_since.zip(modified).is_some_and(|(since, modified)| modified.trunc_subsecs(0) > since) {
            let message = "The record was modified since the time of If-Unmodified-Since";
            return Err(ApiError::new(412, "PRECONDITION_FAILED", message));
        }
        let given = self.accept_fields(object, body, |field| field.update)?;
        self.record_faults.strike(object.name, Operation::Update)?;
        if before.get("IsConverted") == Some(&Value::Bool(true)) {
            return Err(converted_lead());
        }
        let is_cleared = |name: &&str| given.get(*name).is_some_and(Value::is_null);
        let missing: Vec<&str> = object.required_fields(self.settings).filter(is_cleared).collect();
        if !missing.is_empty() {
            return Err(missing_fields(&missing));
        }
        let mut saved = self.apply_rules(object, before, &given)?;
        self.stamp(&mut saved);
        self.put(id, saved);
        self.index(id);
        Ok(())
    }

    /// Moves a record to the recycle bin.
    pub(crate) fn delete(&mut self, object: &'static Object, id: &Id) -> Result<(), ApiError> {
        self.existing(object, id)?;
        self.check_permission(object, Operation::Delete)?;
        self.record_faults.strike(object.name, Operation::Delete)?;
        self.mark_deleted(id, true);
        Ok(())
    }

    /// Restores a record from the recycle bin. People can; the REST API cannot.
    pub(crate) fn restore(&mut self, id: &Id) -> Result<(), ApiError> {
        if !self.org.records.get(id).is_some_and(|record| record.is("IsDeleted")) {
            let message = "entity is not in the recycle bin";
            return Err(ApiError::of_record("UNDELETE_FAILED", message, &[]));
        }
        self.mark_deleted(id, false);
        Ok(())
    }

    fn mark_deleted(&mut self, id: &Id, deleted: bool) {
        if let Some(mut fields) = self.org.records.get(id).map(|record| record.fields.clone()) {
            fields.insert("IsDeleted", json!(deleted));
            self.stamp(&mut fields);
            self.put(id, fields);
        }
    }

    /// Sets who modified a record last, and when.
    fn stamp(&self, fields: &mut Fields) {
        let at = json!(instant_text(self.now));
        fields.insert("SystemModstamp", at.clone());
        fields.insert("LastModifiedDate", at);
        fields.insert("LastModifiedById", json!(self.user.as_str()));
    }

    fn put(&mut self, id: &Id, fields: Fields) {
        if let Some(record) = self.org.records.get_mut(id) {
            record.fields = fields;
        }
    }

    /// The fields of a record that exists and is not deleted.
    fn existing(&self, object: &'static Object, id: &Id) -> Result<Fields, ApiError> {
        match self.org.records.get(id).filter(|record| std::ptr::eq(record.object, object)) {
            Some(record) if record.is("IsDeleted") => {
                let gone = ApiError::of_record("ENTITY_IS_DELETED", "entity is deleted", &[]);
                Err(ApiError { status: 404, ..gone })
            }
            Some(record) => Ok(record.fields.clone()),
            None => Err(ApiError::new(
                404,
                "NOT_FOUND",
                "Provided external ID field does not exist or is not accessible: Id",
            )),
        }
    }

    fn check_permission(&self, object: &Object, operation: Operation) -> Result<(), ApiError> {
        if !object.writable {
            return Err(ApiError::not_simulated(&format!("writing a {}", object.name)));
        }
        if self.settings.denies(object.name, operation.name()) {
            let message = "insufficient access rights on object id";
            let denied = ApiError::of_record("INSUFFICIENT_ACCESS_OR_READONLY", message, &[]);
            return Err(ApiError { status: 403, ..denied });
        }
        Ok(())
    }

    /// Checks the fields of a body: each must be visible, writable, and accept its value.
    fn accept_fields(
        &self,
        object: &'static Object,
        body: &Map<String, Value>,
        writable: impl Fn(&Field) -> bool,
    ) -> Result<Fields, ApiError> {
        let mut given = Fields::new();
        let mut refused = vec![];
        for (name, value) in body.iter().filter(|(name, _)| *name != "attributes") {
            let Some(field) = object.visible_field(name, self.settings) else {
                let message = format!("No such column '{name}' on sobject of type {}", object.name);
                return Err(ApiError::new(400, "INVALID_FIELD", message));
            };
            if !writable(field) || self.settings.locks_field(object.name, field.name) {
                refused.push(field.name);
                continue;
            }
            let value = accept(field, value)?;
            if let (Some(values), Some(text)) =
                (self.settings.restricted_values(object.name, field.name), value.as_str())
            {
                restricted(field, text, values)?;
            }
            self.check_reference(field, &value)?;
            given.insert(field.name, value);
        }
        if refused.is_empty() {
            return Ok(given);
        }
        let message = format!(
            "Unable to create/update fields: {}. Please check the security settings of this field and verify that it is \
             read/write for your profile or permission set.",
            refused.join(", ")
        );
        Err(ApiError::of_record("INVALID_FIELD_FOR_INSERT_UPDATE", message, &refused))
    }

    fn check_reference(&self, field: &Field, value: &Value) -> Result<(), ApiError> {
        let (Kind::Reference(prefixes), Some(text)) = (field.kind, value.as_str()) else { return Ok(()) };
        let Some(id) = Id::parse(text).filter(|id| prefixes.contains(&id.prefix())) else {
            return Err(malformed_id(field, text));
        };
        if id.prefix() == "005" {
            let known = self.org.users.iter().any(|user| user.id == id);
            return if known { Ok(()) } else { Err(no_such_reference(field)) };
        }
        match self.org.records.get(&id) {
            None => Err(no_such_reference(field)),
            Some(record) if record.is("IsDeleted") => {
                Err(ApiError::of_record("ENTITY_IS_DELETED", "entity is deleted", &[]))
            }
            Some(record) if record.is("IsConverted") => Err(converted_lead()),
            Some(_) => Ok(()),
        }
    }

    fn apply_rules(&self, object: &Object, before: Fields, given: &Fields) -> Result<Fields, ApiError> {
        let mut saved = before;
        saved.extend(given.iter().map(|(name, value)| (*name, value.clone())));
        let (org, settings) = (&*self.org, self.settings);
        let mut save = Save { org, settings, now: self.now, zone: self.zone(), given, saved };
        match object.name {
            "Task" => save.task()?,
            "Event" => save.event()?,
            "Lead" => save.lead(),
            _ => save.person(),
        }
        Ok(save.saved)
    }

    fn index(&mut self, id: &Id) {
        let at = self.now + TimeDelta::seconds(self.settings.index_delay_seconds);
        if let Some(record) = self.org.records.get_mut(id) {
            record.index_from(at);
        }
    }
}

fn converted_lead() -> ApiError {
    ApiError::of_record("CANNOT_UPDATE_CONVERTED_LEAD", "cannot reference converted lead", &[])
}

fn no_such_reference(field: &Field) -> ApiError {
    ApiError::of_record("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", &[field.name])
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::{
        faults::RecordFault,
        settings::{RestrictedPicklist, TaskStatus},
        testing::Bench,
    };

    #[test]
    fn a_new_task_has_its_defaults() {
        let mut bench = Bench::new();
        let ada = bench.person("Ada Sample");
        let id = bench.create("Task", json!({"WhoId": ada, "Subject": "Call"})).unwrap();
        let task = bench.record(&id);
        for (field, value) in [
            ("Status", json!("Not Started")),
            ("Priority", json!("Normal")),
            ("TaskSubtype", json!("Task")),
            ("IsClosed", json!(false)),
            ("CompletedDateTime", json!(null)),
            ("OwnerId", json!(bench.session.user.as_str())),
        ] {
            assert_eq!(task.get(field), &value, "{field}");
        }
        assert!(id.starts_with("00T"));
    }

    #[test]
    fn a_completed_task_is_closed() {
        let mut bench = Bench::new();
        let id = bench.create("Task", json!({"Status": "Completed", "Priority": "High"})).unwrap();
        let task = bench.record(&id);
        assert!(task.is("IsClosed") && task.is("IsHighPriority"));
        assert!(task.text("CompletedDateTime").is_some());
    }

    #[test]
    fn a_task_on_a_contact_gets_its_account() {
        let mut bench = Bench::new();
        let grace = bench.person("Grace Example");
        let account = bench.record(&grace).get("AccountId").clone();
        let id = bench.create("Task", json!({"WhoId": grace})).unwrap();
        assert!(account.is_string());
        assert_eq!(bench.record(&id).get("AccountId"), &account);
    }

    #[test]
    fn an_unknown_field_is_refused_by_name() {
        assert_eq!(
            Bench::new().create("Task", json!({"Foo": 1})).unwrap_err(),
            "400 INVALID_FIELD: No such column 'Foo' on sobject of type Task []"
        );
    }

    #[test]
    fn a_hidden_field_is_unknown() {
        let mut bench = Bench::new();
        bench.world.settings.hidden_fields = vec!["Task.Type".into()];
        assert_eq!(
            bench.create("Task", json!({"Type": "Call"})).unwrap_err(),
            "400 INVALID_FIELD: No such column 'Type' on sobject of type Task []"
        );
    }

    #[test]
    fn fields_that_the_user_may_not_change_are_named_together() {
        let mut bench = Bench::new();
        bench.world.settings.read_only_fields = vec!["Task.Type".into()];
        let error =
            bench.create("Task", json!({"Type": "Call", "IsClosed": true, "Subject": "x"})).unwrap_err();
        assert!(
            error.starts_with(
                "400 INVALID_FIELD_FOR_INSERT_UPDATE: Unable to create/update fields: IsClosed, Type. Please"
            ),
            "{error}"
        );
        assert!(error.ends_with(r#"["IsClosed","Type"]"#), "{error}");
    }

    #[test]
    fn a_create_only_field_cannot_be_changed() {
        let mut bench = Bench::new();
        let id = bench.create("Task", json!({"TaskSubtype": "Call"})).unwrap();
        let error = bench.update("Task", &id, json!({"TaskSubtype": "Call"})).unwrap_err();
        assert!(error.starts_with("400 INVALID_FIELD_FOR_INSERT_UPDATE"), "{error}");
    }

    #[test]
    fn who_id_is_a_lead_or_a_contact() {
        let mut bench = Bench::new();
        for (who, code) in [
            ("001Sm0010000001AAA", "MALFORMED_ID"),
            ("nobody", "MALFORMED_ID"),
            ("00QSm0019999999", "INVALID_CROSS_REFERENCE_KEY"),
        ] {
            let error = bench.create("Task", json!({"WhoId": who})).unwrap_err();
            assert!(error.starts_with(&format!("400 {code}")) && error.ends_with(r#"["WhoId"]"#), "{error}");
        }
        let ada = bench.person("Ada Sample");
        assert!(bench.create("Task", json!({"WhoId": ada[..15]})).is_ok(), "15 characters are enough");
    }

    #[test]
    fn a_record_of_another_org_does_not_exist() {
        let mut bench = Bench::new();
        let other = bench.world.orgs[1].records.keys().next().unwrap().to_string();
        let error = bench.create("Task", json!({"WhoId": other})).unwrap_err();
        assert!(error.starts_with("400 INVALID_CROSS_REFERENCE_KEY"), "{error}");
    }

    #[test]
    fn nothing_is_logged_to_a_converted_lead() {
        let mut bench = Bench::new();
        let all = bench.world.orgs[0].of(&crate::objects::tables::LEAD);
        let lead = all.into_iter().find(|lead| lead.is("IsConverted")).unwrap().id.to_string();
        let expected = "400 CANNOT_UPDATE_CONVERTED_LEAD: cannot reference converted lead []";
        assert_eq!(bench.create("Task", json!({"WhoId": lead})).unwrap_err(), expected);
        assert_eq!(bench.update("Lead", &lead, json!({"Company": "x"})).unwrap_err(), expected);
    }

    #[test]
    fn converting_a_lead_moves_its_activities() {
        let mut bench = Bench::new();
        let ada = bench.person("Ada Sample");
        let task = bench.create("Task", json!({"WhoId": ada})).unwrap();
        let contact = bench.world.convert_lead(&ada).unwrap().to_string();
        assert_eq!(bench.record(&task).text("WhoId"), Some(contact.as_str()));
        assert_eq!(bench.record(&ada).text("ConvertedContactId"), Some(contact.as_str()));
        assert!(bench.create("Task", json!({"WhoId": ada})).is_err());
    }

    #[test]
    fn a_deleted_record_is_gone() {
        let mut bench = Bench::new();
        let ada = bench.person("Ada Sample");
        let path = format!("/sobjects/Lead/{ada}");
        assert_eq!(bench.request("DELETE", &path, None).status, 204);
        assert_eq!(bench.request("DELETE", &path, None).status, 404);
        let gone = "404 ENTITY_IS_DELETED: entity is deleted []";
        assert_eq!(bench.update("Lead", &ada, json!({"Company": "x"})).unwrap_err(), gone);
        let error = bench.create("Task", json!({"WhoId": ada})).unwrap_err();
        assert!(error.starts_with("400 ENTITY_IS_DELETED"), "{error}");
        assert_eq!(bench.update("Lead", "00QSm0019999999", json!({})).unwrap_err()[..13], *"404 NOT_FOUND");
    }

    #[test]
    fn a_lead_excludes_what_id() {
        let mut bench = Bench::new();
        let (ada, grace) = (bench.person("Ada Sample"), bench.person("Grace Example"));
        let account = bench.record(&grace).get("AccountId").clone();
        let error = bench.create("Task", json!({"WhoId": ada, "WhatId": account})).unwrap_err();
        assert!(error.starts_with("400 FIELD_INTEGRITY_EXCEPTION"), "{error}");
        assert!(bench.create("Task", json!({"WhoId": grace, "WhatId": account})).is_ok());
    }

    #[test]
    fn a_status_must_be_one_of_the_orgs() {
        let mut bench = Bench::new();
        bench.world.settings.task_statuses = vec![
            TaskStatus { name: "Offen".into(), is_closed: false, is_default: true },
            TaskStatus { name: "Erledigt".into(), is_closed: true, is_default: false },
        ];
        let error = bench.create("Task", json!({"Status": "Completed"})).unwrap_err();
        assert!(error.starts_with("400 INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"), "{error}");
        let id = bench.create("Task", json!({"Status": "Erledigt"})).unwrap();
        assert!(bench.record(&id).is("IsClosed"));
        let id = bench.create("Task", json!({})).unwrap();
        assert_eq!(bench.record(&id).text("Status"), Some("Offen"));
    }

    #[test]
    fn any_picklist_can_be_restricted() {
        let mut bench = Bench::new();
        bench.world.settings.restricted_picklists =
            vec![RestrictedPicklist { field: "Task.Type".into(), values: vec!["Other".into()] }];
        assert!(bench.create("Task", json!({"Type": "Other"})).is_ok());
        let error = bench.create("Task", json!({"Type": "Call"})).unwrap_err();
        assert!(error.starts_with("400 INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"), "{error}");
    }

    #[test]
    fn an_update_without_permission_is_refused() {
        let mut bench = Bench::new();
        bench.world.settings.denied = vec!["Task.update".into()];
        let id = bench.create("Task", json!({})).unwrap();
        assert_eq!(
            bench.update("Task", &id, json!({"Subject": "x"})).unwrap_err(),
            "403 INSUFFICIENT_ACCESS_OR_READONLY: insufficient access rights on object id []"
        );
    }

    #[test]
    fn a_record_fault_is_returned_as_the_records_error() {
        let mut bench = Bench::new();
        let fault = RecordFault {
            object: "Task".into(),
            operation: None,
            times: Some(1),
            status: 400,
            error_code: "FIELD_CUSTOM_VALIDATION_EXCEPTION".into(),
            message: "Subject is wrong".into(),
            fields: vec!["Subject".into()],
        };
        bench.world.record_faults.add(fault);
        let error = bench.create("Task", json!({})).unwrap_err();
        assert_eq!(error, r#"400 FIELD_CUSTOM_VALIDATION_EXCEPTION: Subject is wrong ["Subject"]"#);
        assert!(bench.create("Task", json!({})).is_ok());
    }

    #[test]
    fn an_update_changes_only_the_given_fields() {
        let mut bench = Bench::new();
        let id = bench.create("Task", json!({"Subject": "Call", "CallObject": "c1"})).unwrap();
        bench.update("Task", &id, json!({"Description": "Summary", "Status": "Completed"})).unwrap();
        let task = bench.record(&id);
        assert_eq!((task.text("Subject"), task.text("CallObject")), (Some("Call"), Some("c1")));
        assert!(task.is("IsClosed"));
        bench.update("Task", &id, json!({"CallObject": null})).unwrap();
        assert_eq!(bench.record(&id).text("CallObject"), None);
    }

    #[test]
    fn a_lead_needs_a_name_and_a_company() {
        let mut bench = Bench::new();
        assert_eq!(
            bench.create("Lead", json!({"FirstName": "No"})).unwrap_err(),
            r#"400 REQUIRED_FIELD_MISSING: Required fields are missing: [LastName, Company] ["LastName","Company"]"#
        );
        let id =
            bench.create("Lead", json!({"FirstName": "New", "LastName": "Lead", "Company": "X"})).unwrap();
        assert_eq!(bench.record(&id).text("Name"), Some("New Lead"));
        assert!(bench.update("Lead", &id, json!({"Company": ""})).is_err());
        assert!(bench.create("Lead", json!({"LastName": "L", "Company": "X", "Email": "no mail"})).is_err());
        assert!(bench.create("Contact", json!({"FirstName": "No"})).is_err());
    }

    #[test]
    fn a_reminder_needs_a_time() {
        let mut bench = Bench::new();
        assert!(bench.create("Task", json!({"IsReminderSet": true})).is_err());
        assert!(
            bench
                .create("Task", json!({"IsReminderSet": true, "ReminderDateTime": "2026-01-15T18:00:00Z"}))
                .is_ok()
        );
    }

    #[test]
    fn other_objects_cannot_be_written() {
        let error = Bench::new().create("Account", json!({"Name": "x"})).unwrap_err();
        assert!(error.starts_with("501 NOT_SIMULATED"), "{error}");
        assert!(Bench::new().create("Nothing", json!({})).unwrap_err().starts_with("404 NOT_FOUND"));
    }
}
