//! What people do in an org between two of Ringlog's requests.

use chrono::{DateTime, SubsecRound as _, TimeDelta, Utc};

use crate::{
    control::{ControlError, PersonAction},
    error::ApiError,
    faults::RecordFaults,
    ids::Id,
    objects::{
        store::{Org, Record},
        tables::object,
        value::stored_instant,
        write::Context,
    },
    settings::Settings,
    world::World,
};

/// The prefix of an object's name that stands for the id of its newest record.
const NEWEST: &str = "newest:";

impl World {
    /// Lets a person act. With `org`, only that org is searched for the newest record.
    pub(crate) fn person_acts(
        &mut self,
        action: &PersonAction,
        org: Option<usize>,
    ) -> Result<(), ControlError> {
        let deleted = matches!(action, PersonAction::Restore(_));
        let unknown = || ControlError::Record(action.id().to_owned());
        let (index, id) = self.find_target(action.id(), org, deleted).ok_or_else(unknown)?;
        let record = self.orgs[index].records.get(&id).ok_or_else(unknown)?;
        let (object, user) = (record.object, self.other_user(&self.orgs[index], record));
        let mut context = Context {
            now: next_second(record, self.clock.now()),
            org: &mut self.orgs[index],
            settings: &unrestricted(&self.settings),
            record_faults: &mut RecordFaults::default(),
            user,
        };
        let result = match action {
            PersonAction::Edit(edit) => context.update(object, &id, &edit.fields, None),
            PersonAction::Move(to) => {
                let relations = [("WhoId", &to.who_id), ("WhatId", &to.what_id)].into_iter();
                let given = relations.filter_map(|(name, value)| Some((name.to_owned(), value.clone()?)));
                context.update(object, &id, &given.collect(), None)
            }
            PersonAction::Delete(_) => context.delete(object, &id),
            PersonAction::Restore(_) => context.restore(&id),
        };
        result.map_err(|ApiError { code, message, .. }| ControlError::Refused { code, message })
    }

    /// The index of the org and the id of a record, or of the newest record of an object.
    fn find_target(&self, id: &str, org: Option<usize>, deleted: bool) -> Option<(usize, Id)> {
        let orgs = || self.orgs.iter().enumerate();
        let Some(name) = id.strip_prefix(NEWEST) else {
            let id = Id::parse(id)?;
            return orgs().find(|(_, org)| org.records.contains_key(&id)).map(|(index, _)| (index, id));
        };
        let object = object(name)?;
        let searched = orgs().filter(|(index, _)| org.is_none_or(|number| index + 1 == number));
        let all = searched.flat_map(|(index, org)| org.of(object).map(move |record| (index, record)));
        let newest = all
            .filter(|(_, record)| record.is("IsDeleted") == deleted)
            .max_by_key(|(_, record)| (record.text("CreatedDate"), &record.id));
        newest.map(|(index, record)| (index, record.id.clone()))
    }

    /// A user of the org, preferably one who has not connected and did not modify the record last.
    fn other_user(&self, org: &Org, record: &Record) -> Id {
        let connected = self.grants.active_by_user();
        let rank = |id: &Id| {
            (connected.contains_key(id.as_str()), record.text("LastModifiedById") == Some(id.as_str()))
        };
        let users = org.users.iter().map(|user| &user.id);
        users.min_by_key(|id| rank(id)).unwrap_or(&org.id).clone()
    }
}

/// Now, but in a later second than the last change, so that a comparison of whole seconds notices this one.
fn next_second(record: &Record, now: DateTime<Utc>) -> DateTime<Utc> {
    let last = stored_instant(record.get("LastModifiedDate"));
    match last.filter(|last| now.trunc_subsecs(0) <= last.trunc_subsecs(0)) {
        Some(last) => last + TimeDelta::seconds(1),
        None => now,
    }
}

/// The settings without the connected user's restrictions.
fn unrestricted(settings: &Settings) -> Settings {
    Settings {
        hidden_objects: vec![],
        hidden_fields: vec![],
        read_only_fields: vec![],
        denied: vec![],
        ..settings.clone()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::testing::Bench;

    fn act(bench: &mut Bench, action: Value) -> Result<(), String> {
        let action: PersonAction = serde_json::from_value(action).map_err(|error| error.to_string())?;
        bench.world.person_acts(&action, None).map_err(|error| error.to_string())
    }

    fn modified(bench: &Bench, id: &str) -> DateTime<Utc> {
        stored_instant(bench.record(id).get("LastModifiedDate")).unwrap()
    }

    #[test]
    fn an_edit_is_by_another_user_and_in_a_later_second() {
        let mut bench = Bench::new();
        let id = bench.create("Task", json!({"Subject": "ours"})).unwrap();
        let before = modified(&bench, &id);
        bench.world.settings.read_only_fields = vec!["Task.Subject".into()];
        act(&mut bench, json!({"edit": {"id": id, "fields": {"Subject": "theirs"}}})).unwrap();
        let task = bench.record(&id);
        assert_eq!(task.text("Subject"), Some("theirs"));
        assert_eq!(task.text("LastModifiedById"), Some(bench.world.orgs[0].users[1].id.as_str()));
        assert_eq!(task.text("CreatedById"), Some(bench.session.user.as_str()));
        assert_eq!(task.get("SystemModstamp"), task.get("LastModifiedDate"));
        assert!(modified(&bench, &id).trunc_subsecs(0) > before.trunc_subsecs(0));
    }

    #[test]
    fn the_rules_for_values_apply_to_people() {
        let mut bench = Bench::new();
        let id = bench.create("Task", json!({})).unwrap();
        let error =
            act(&mut bench, json!({"edit": {"id": id, "fields": {"Status": "Nonsense"}}})).unwrap_err();
        assert!(error.starts_with("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST: "), "{error}");
        assert!(act(&mut bench, json!({"edit": {"id": "newest:Event", "fields": {}}})).is_err());
        assert!(act(&mut bench, json!({"edit": {"id": id}})).is_err());
    }

    #[test]
    fn an_activity_can_be_moved_to_another_person() {
        let mut bench = Bench::new();
        let (ada, grace) = (bench.person("Ada Sample"), bench.person("Grace Example"));
        let account = bench.record(&grace).text("AccountId").unwrap().to_owned();
        let first = bench.create("Task", json!({"WhoId": ada})).unwrap();
        let id = bench.create("Task", json!({"WhoId": ada})).unwrap();
        act(&mut bench, json!({"move": {"id": "newest:Task", "whoId": grace, "whatId": account}})).unwrap();
        assert_eq!(bench.record(&id).text("WhoId"), Some(grace.as_str()));
        assert_eq!(bench.record(&id).text("WhatId"), Some(account.as_str()));
        assert_eq!(bench.record(&first).text("WhoId"), Some(ada.as_str()));
        act(&mut bench, json!({"move": {"id": id, "whoId": null}})).unwrap();
        assert_eq!(
            (bench.record(&id).text("WhoId"), bench.record(&id).text("WhatId")),
            (None, Some(account.as_str()))
        );
    }

    #[test]
    fn a_record_can_be_deleted_and_restored() {
        let mut bench = Bench::new();
        let id = bench
            .create("Event", json!({"StartDateTime": "2026-01-15T19:00:00Z", "DurationInMinutes": 60}))
            .unwrap();
        let path = format!("/sobjects/Event/{id}");
        act(&mut bench, json!({"delete": {"id": "newest:Event"}})).unwrap();
        assert_eq!(bench.request("GET", &path, None).status, 404);
        assert!(act(&mut bench, json!({"delete": {"id": id}})).is_err());
        act(&mut bench, json!({"restore": {"id": "newest:Event"}})).unwrap();
        assert_eq!(bench.request("GET", &path, None).status, 200);
        assert!(act(&mut bench, json!({"restore": {"id": id}})).is_err());
    }
}
