//! Salesforce's ports: records and activities.

use std::collections::BTreeMap;

use calls::ids::{CallId, SalesforceId};
use chrono::{DateTime, Utc};
use crm::{
    Activities, Answer, CrmError, Draft, Duplicates, FaultClass, Fields, Found, FoundRecord, Omitted,
    PhoneQuery, RecordType, Written, WrittenObject,
    activity::{EventDraft, TaskDraft},
    lead::LeadDraft,
    workspace::Connection,
};
use secrecy::ExposeSecret;
use serde_json::Value;
use worker::ports::{Crm, Look};

use crate::{
    invariants,
    plan::DuplicateRule,
    salesforce::Activity,
    samples::{namesake, number, workspace_of},
    world::{Broken, Failed, State, World},
};

use super::crm_error;

impl World {
    /// A request with an access token. `writes`: whether a lost response is ambiguous.
    async fn request<T: Send + 'static>(
        &self,
        name: &str,
        connection: &Connection,
        writes: bool,
        effect: impl FnOnce(&mut State, &SalesforceId) -> Result<T, CrmError> + Send + 'static,
    ) -> Result<Answer<T>, CrmError> {
        let session = connection.access_token.expose_secret().to_owned();
        {
            let mut state = self.state();
            invariants::not_paused(&mut state, &connection.org_id);
            invariants::org_not_left_alone(&mut state, &connection.org_id);
            let now = state.now;
            state.salesforce.requests.push((connection.org_id.clone(), now));
        }
        let hangs = {
            let state = self.state();
            state.salesforce.hangs_until.get(&connection.org_id).is_some_and(|until| state.now < *until)
        };
        if hangs {
            self.hang().await;
            let class = if writes { FaultClass::Ambiguous } else { FaultClass::Passing };
            return Err(crm_error(class, "timeout"));
        }
        let response = self
            .call(name, move |state| {
                let Some((org_id, _)) = state.salesforce.sessions.get(&session).cloned() else {
                    return Err(crm_error(FaultClass::Session, "INVALID_SESSION_ID"));
                };
                if state.now < state.salesforce.down_until {
                    return Err(crm_error(FaultClass::Passing, "SERVER_UNAVAILABLE"));
                }
                if let Some(class) = state.salesforce.limited.get(&org_id) {
                    return Err(crm_error(*class, "REQUEST_LIMIT_EXCEEDED"));
                }
                effect(state, &org_id)
            })
            .await;
        match response {
            Ok(result) => result.map(|value| Answer { value, api_usage: None }),
            Err(Failed::NoResponse) if writes => Err(crm_error(FaultClass::Ambiguous, "timeout")),
            Err(_) => Err(crm_error(FaultClass::Passing, "connection")),
        }
    }
}

/// The call id in a description's last line.
fn call_of(description: &str) -> CallId {
    CallId::parse(description.rsplit("Call ").next().unwrap()).unwrap()
}

/// Whether a description contains the call's line, as the Salesforce client checks it.
fn has_call_line(activity: &Activity) -> bool {
    let line = format!("Call {}", activity.call_id);
    activity.text("Description").lines().any(|text| text == line)
}

fn new_activity(state: &mut State, prefix: &str, org_id: &SalesforceId, mut fields: Fields) -> Activity {
    let who_id = fields.remove("WhoId").and_then(|id| SalesforceId::parse(id.as_str()?).ok()).unwrap();
    let call_id = call_of(fields["Description"].as_str().unwrap());
    Activity {
        id: state.salesforce.id(prefix),
        org_id: org_id.clone(),
        who_id,
        call_id,
        fields,
        at: state.now,
        modified_at: state.now,
        is_untouched: true,
        edited: BTreeMap::new(),
        is_moved: false,
        is_deleted: false,
    }
}

/// An activity as it is read; empty fields are null.
fn as_read(activity: &Activity, hides_call_object: bool, broken: Option<Broken>) -> crm::Activity {
    const OPTIONAL: [&str; 9] = [
        "Type",
        "Priority",
        "ActivityDate",
        "CallDurationInSeconds",
        "CallDisposition",
        "ShowAs",
        "Location",
        "CallObject",
        "ReminderDateTime",
    ];
    let mut fields: Fields = OPTIONAL
        .iter()
        .filter(|field| **field != "CallObject" || !hides_call_object)
        .map(|field| ((*field).to_owned(), Value::Null))
        .collect();
    fields.extend(activity.fields.clone());
    if broken == Some(Broken::Read) {
        fields.extend(activity.edited.clone());
    }
    crm::Activity {
        id: activity.id.clone(),
        who_id: Some(activity.who_id.clone()),
        fields,
        modified_at: DateTime::from_timestamp_millis(activity.modified_at).unwrap(),
        is_untouched: activity.is_untouched,
    }
}

impl Crm for World {
    async fn search(
        &self,
        connection: &Connection,
        objects: &[RecordType],
        query: &PhoneQuery,
        omitted: &Omitted,
    ) -> Result<Answer<Found>, CrmError> {
        let (objects, query, mut omitted) = (objects.to_vec(), query.clone(), omitted.clone());
        self.request("search", connection, false, move |state, org_id| {
            let now = state.now;
            let has_number = |phone: &str| {
                let digits: String = phone.chars().filter(char::is_ascii_digit).collect();
                digits == query.national || digits == query.international
            };
            let records = state.salesforce.records.get(org_id).into_iter().flatten();
            let found = records
                .filter(|(record, indexed_at)| {
                    *indexed_at <= now && record.phones.iter().any(|(_, phone)| has_number(phone))
                })
                .filter(|(record, _)| objects.contains(&record.record_type))
                .map(|(record, _)| record.clone());
            if state.salesforce.hides_phone {
                omitted.unreadable.insert("Contact.HomePhone".to_owned());
            }
            Ok(Found { records: found.collect(), full: None, omitted })
        })
        .await
    }

    async fn create(
        &self,
        connection: &Connection,
        task: Option<&TaskDraft>,
        event: Option<&EventDraft>,
    ) -> Result<Answer<Written>, CrmError> {
        let (task, event) = (task.cloned(), event.cloned());
        let name = match (&task, &event) {
            (Some(_), Some(_)) => "create task and event",
            (Some(_), None) => "create task",
            _ => "create event",
        };
        self.request(name, connection, true, move |state, org_id| {
            let who_ids = [task.as_ref().map(|task| &task.who_id), event.as_ref().map(|event| &event.who_id)];
            let records = state.salesforce.records.get(org_id);
            let is_known =
                |id: &SalesforceId| records.into_iter().flatten().any(|(record, _)| record.id == *id);
            let is_converted = |id: &SalesforceId| state.salesforce.converted.contains_key(id);
            if who_ids.iter().flatten().any(|who_id| !is_known(who_id) && !is_converted(who_id)) {
                return Err(crm_error(FaultClass::RecordGone, "INVALID_CROSS_REFERENCE_KEY"));
            }
            if who_ids.iter().flatten().any(|who_id| is_converted(who_id)) {
                return Err(crm_error(FaultClass::RecordGone, "CANNOT_UPDATE_CONVERTED_LEAD"));
            }
            let writes_call_object = task.as_ref().is_some_and(|task| task.call_object.is_some());
            if state.salesforce.hides_call_object && writes_call_object {
                let mut refusal = crm_error(FaultClass::FieldRefused, "INVALID_FIELD_FOR_INSERT_UPDATE");
                refusal.fields = vec!["CallObject".to_owned()];
                refusal.object = Some(WrittenObject::Task);
                return Err(refusal);
            }
            let mut written = Written::default();
            if let Some(task) = task {
                let task = new_activity(state, "00T", org_id, task.fields());
                written.task_id = Some(task.id.clone());
                state.salesforce.tasks.push(task);
            }
            if let Some(event) = event {
                let event = new_activity(state, "00U", org_id, event.fields());
                written.event_id = Some(event.id.clone());
                state.salesforce.events.push(event);
            }
            Ok(written)
        })
        .await
    }

    async fn recent(
        &self,
        connection: &Connection,
        objects: &[RecordType],
        _: &PhoneQuery,
        since: DateTime<Utc>,
        omitted: &Omitted,
    ) -> Result<Answer<Found>, CrmError> {
        let (objects, since) = (objects.to_vec(), since.timestamp_millis());
        let omitted = omitted.clone();
        self.request("recent", connection, false, move |state, org_id| {
            if objects.iter().any(|object| omitted.unfilterable.contains(&format!("{object:?}"))) {
                return Ok(Found { omitted, ..Found::default() });
            }
            if let Some(code) = state.salesforce.refuses_recent {
                let class = if code == "QUERY_TIMEOUT" { FaultClass::Passing } else { FaultClass::Permanent };
                return Err(crm_error(class, code));
            }
            let records = state.salesforce.records.get(org_id).into_iter().flatten();
            let found = records
                .filter(|(record, _)| record.created_at.timestamp_millis() >= since)
                .filter(|(record, _)| objects.contains(&record.record_type));
            Ok(Found { records: found.map(|(record, _)| record.clone()).collect(), full: None, omitted })
        })
        .await
    }

    async fn records(
        &self,
        connection: &Connection,
        ids: &[SalesforceId],
        omitted: &Omitted,
    ) -> Result<Answer<Found>, CrmError> {
        let (ids, omitted) = (ids.to_vec(), omitted.clone());
        self.request("read records", connection, false, move |state, org_id| {
            let records = state.salesforce.records.get(org_id).into_iter().flatten();
            let found =
                records.filter(|(record, _)| ids.contains(&record.id)).map(|(record, _)| record.clone());
            let mut records: Vec<_> = found.collect();
            if state.broken == Some(Broken::Comparison) {
                for record in &mut records {
                    record.phones = vec![("Phone".to_owned(), number(workspace_of(org_id), 0))];
                }
            }
            Ok(Found { records, full: None, omitted })
        })
        .await
    }

    async fn converted_to(
        &self,
        connection: &Connection,
        lead_id: &SalesforceId,
    ) -> Result<Answer<Option<SalesforceId>>, CrmError> {
        let lead_id = lead_id.clone();
        self.request("converted to", connection, false, move |state, _| {
            Ok(state.salesforce.converted.get(&lead_id).cloned())
        })
        .await
    }

    async fn create_lead(
        &self,
        connection: &Connection,
        lead: &LeadDraft,
        duplicates: Duplicates,
    ) -> Result<Answer<SalesforceId>, CrmError> {
        let lead = lead.clone();
        self.request("create lead", connection, true, move |state, org_id| {
            let refuses = match state.salesforce.duplicate_rule {
                None => false,
                Some(DuplicateRule::Alerts) => duplicates == Duplicates::Refuse,
                Some(DuplicateRule::Blocks) => true,
            };
            if refuses {
                let records = vec![namesake(workspace_of(org_id)).id];
                return Err(CrmError { records, ..crm_error(FaultClass::Permanent, "DUPLICATES_DETECTED") });
            }
            let id = state.salesforce.id("00Q");
            let created_at = DateTime::from_timestamp_millis(state.now).unwrap();
            let record = FoundRecord {
                id: id.clone(),
                record_type: RecordType::Lead,
                name: Some(lead.last_name),
                phones: vec![("Phone".to_owned(), lead.phone.clone())],
                country: None,
                created_at,
                modified_at: created_at,
            };
            let indexed_at = state.now + state.rng.i64(0..600_000);
            state.salesforce.leads.push((id.clone(), org_id.clone(), lead.phone));
            state.salesforce.records.entry(org_id.clone()).or_default().push((record, indexed_at));
            Ok(id)
        })
        .await
    }

    async fn read(
        &self,
        connection: &Connection,
        task_id: Option<&SalesforceId>,
        event_id: Option<&SalesforceId>,
    ) -> Result<Answer<Activities>, CrmError> {
        let (task_id, event_id) = (task_id.cloned(), event_id.cloned());
        self.request("read activities", connection, false, move |state, _| {
            let (hides, broken) = (state.salesforce.hides_call_object, state.broken);
            let find = |activities: &[Activity], id: Option<&SalesforceId>| {
                let existing =
                    activities.iter().find(|activity| Some(&activity.id) == id && !activity.is_deleted);
                existing.map(|activity| as_read(activity, hides, broken))
            };
            let read = Activities {
                task: find(&state.salesforce.tasks, task_id.as_ref()),
                event: find(&state.salesforce.events, event_id.as_ref()),
            };
            state.edit_soon(task_id.as_ref());
            Ok(read)
        })
        .await
    }

    async fn update(
        &self,
        connection: &Connection,
        object: WrittenObject,
        id: &SalesforceId,
        fields: &Fields,
        unmodified_since: DateTime<Utc>,
    ) -> Result<Answer<()>, CrmError> {
        let (id, fields, since) = (id.clone(), fields.clone(), unmodified_since.timestamp());
        let name = format!("update {object:?} {:?}", fields.keys().collect::<Vec<_>>());
        self.request(&name, connection, true, move |state, _| {
            let is_task = object == WrittenObject::Task;
            let find = |state: &mut State| {
                let org = &mut state.salesforce;
                let activities = if is_task { &mut org.tasks } else { &mut org.events };
                activities.iter().position(|activity| activity.id == id && !activity.is_deleted)
            };
            let Some(index) = find(state) else {
                return Err(crm_error(FaultClass::RecordGone, "ENTITY_IS_DELETED"));
            };
            let org = &state.salesforce;
            let mut activity = if is_task { org.tasks[index].clone() } else { org.events[index].clone() };
            let is_guarded = state.broken != Some(Broken::Precondition);
            if is_guarded && activity.modified_at / 1000 > since {
                return Err(crm_error(FaultClass::Stale, "PRECONDITION_FAILED"));
            }
            invariants::kept_by_person(state, &activity, &fields);
            activity.fields.extend(fields);
            activity.modified_at = state.now.max(activity.modified_at + 1000);
            activity.is_untouched = false;
            let org = &mut state.salesforce;
            let activities = if is_task { &mut org.tasks } else { &mut org.events };
            activities[index] = activity;
            Ok(())
        })
        .await
    }

    async fn closed_task_status(&self, connection: &Connection) -> Result<Answer<Option<String>>, CrmError> {
        self.request("closed task status", connection, false, |_, _| Ok(Some("Completed".to_owned()))).await
    }

    async fn look(
        &self,
        connection: &Connection,
        call_id: &CallId,
        who_ids: &[SalesforceId],
        _: DateTime<Utc>,
        _: bool,
    ) -> Result<Answer<Look>, CrmError> {
        let (call_id, who_ids) = (call_id.clone(), who_ids.to_vec());
        self.request("look", connection, false, move |state, org_id| {
            if state.broken == Some(Broken::Look) {
                return Ok(Look::default());
            }
            let ours = |activity: &&Activity| activity.call_id == call_id && activity.org_id == *org_id;
            let is_on_record = |activity: &&Activity| {
                ours(activity) && has_call_line(activity) && who_ids.contains(&activity.who_id)
            };
            let mut tasks = state.salesforce.tasks.iter();
            let task = tasks.find(|task| is_on_record(task) || ours(task) && task.has_call_object());
            let event = state.salesforce.events.iter().find(is_on_record);
            Ok(Look {
                task: task.map(|task| (task.id.clone(), Some(task.who_id.clone()))),
                event_id: event.map(|event| event.id.clone()),
            })
        })
        .await
    }
}
