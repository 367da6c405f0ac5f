//! What people do in the org between two requests of ours.

use chrono::{DateTime, SubsecRound as _, TimeDelta, Utc};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

use crate::{
    error::ApiError,
    faults::RecordFaults,
    ids::Id,
    objects::{
        schema::object,
        store::{Org, Record},
        value::stored_instant,
        write::Context,
    },
    settings::Settings,
    world::{ControlError, World},
};

/// Stands before an object's name where an id is wanted: the newest record of it.
const NEWEST: &str = "newest:";

/// What a person does with a record, as in the user interface: under the rules for values, past the permissions and
/// the faults of the connected user.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum PersonAction {
    /// Changes fields.
    Edit(PersonEdit),
    /// Relates an activity to other records.
    Move(PersonMove),
    /// Puts a record into the recycle bin.
    Delete(PersonTarget),
    /// Takes a record out of the recycle bin, as the REST API cannot.
    Restore(PersonTarget),
}

/// An edit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PersonEdit {
    /// The record's id; `newest:Task`: the newest one.
    pub id: String,
    /// The fields by their API names.
    pub fields: Map<String, Value>,
}

/// A move. What is not given stays; null relates the activity to nothing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PersonMove {
    /// The activity's id; `newest:Task`: the newest one.
    pub id: String,
    /// The Lead or Contact.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub who_id: Option<Value>,
    /// The Account.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub what_id: Option<Value>,
}

/// A record to delete or restore.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PersonTarget {
    /// Its id; `newest:Task`: the newest one, of those to restore the newest deleted one.
    pub id: String,
}

/// Null is a value of its own, not a missing one.
fn given<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

impl PersonAction {
    fn id(&self) -> &str {
        match self {
            Self::Edit(edit) => &edit.id,
            Self::Move(to) => &to.id,
            Self::Delete(target) | Self::Restore(target) => &target.id,
        }
    }
}

impl World {
    /// Lets a person act; `org`: where the newest record is looked for, if not in all of them.
    pub(crate) fn person_acts(
        &mut self,
        action: &PersonAction,
        org: Option<usize>,
    ) -> Result<(), ControlError> {
        let deleted = matches!(action, PersonAction::Restore(_));
        let unknown = || ControlError::Record(action.id().to_owned());
        let (place, id) = self.person_target(action.id(), org, deleted).ok_or_else(unknown)?;
        let record = self.orgs[place].records.get(&id).ok_or_else(unknown)?;
        let (object, user) = (record.object, self.someone_else(&self.orgs[place], record));
        let mut context = Context {
            now: after(record, self.clock.now()),
            org: &mut self.orgs[place],
            settings: &of_a_person(&self.settings),
            record_faults: &mut RecordFaults::default(),
            user,
        };
        let done = match action {
            PersonAction::Edit(edit) => context.update(object, &id, &edit.fields, None),
            PersonAction::Move(to) => {
                let ends = [("WhoId", &to.who_id), ("WhatId", &to.what_id)].into_iter();
                let given = ends.filter_map(|(name, value)| Some((name.to_owned(), value.clone()?)));
                context.update(object, &id, &given.collect(), None)
            }
            PersonAction::Delete(_) => context.delete(object, &id),
            PersonAction::Restore(_) => context.restore(&id),
        };
        done.map_err(|ApiError { code, message, .. }| ControlError::Refused { code, message })
    }

    /// The record of an id, or the newest of an object, and the place of its org.
    fn person_target(&self, id: &str, org: Option<usize>, deleted: bool) -> Option<(usize, Id)> {
        let orgs = || self.orgs.iter().enumerate();
        let Some(name) = id.strip_prefix(NEWEST) else {
            let id = Id::parse(id)?;
            return orgs().find(|(_, org)| org.records.contains_key(&id)).map(|(place, _)| (place, id));
        };
        let object = object(name)?;
        let meant = orgs().filter(|(place, _)| org.is_none_or(|number| place + 1 == number));
        let all = meant.flat_map(|(place, org)| org.of(object).map(move |record| (place, record)));
        let newest = all
            .filter(|(_, record)| record.is("IsDeleted") == deleted)
            .max_by_key(|(_, record)| (record.text("CreatedDate"), &record.id));
        newest.map(|(place, record)| (place, record.id.clone()))
    }

    /// A user of the org who has not connected and has not changed the record last, as far as there is one.
    fn someone_else(&self, org: &Org, record: &Record) -> Id {
        let connected = self.grants.live_by_user();
        let rank = |id: &Id| {
            (connected.contains_key(id.as_str()), record.text("LastModifiedById") == Some(id.as_str()))
        };
        let users = org.users.iter().map(|user| &user.id);
        users.min_by_key(|id| rank(id)).unwrap_or(&org.id).clone()
    }
}

/// Now, or a second after the last change: whoever compares whole seconds must see that there was one.
fn after(record: &Record, now: DateTime<Utc>) -> DateTime<Utc> {
    let last = stored_instant(record.get("LastModifiedDate"));
    match last.filter(|last| now.trunc_subsecs(0) <= last.trunc_subsecs(0)) {
        Some(last) => last + TimeDelta::seconds(1),
        None => now,
    }
}

/// The org's rules without what only the connected user may not do.
fn of_a_person(settings: &Settings) -> Settings {
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
    use serde_json::json;

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
    fn an_edit_bears_another_users_name_and_a_later_second() {
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
    fn people_are_under_the_rules_for_values() {
        let mut bench = Bench::new();
        let id = bench.create("Task", json!({})).unwrap();
        let error =
            act(&mut bench, json!({"edit": {"id": id, "fields": {"Status": "Nonsense"}}})).unwrap_err();
        assert!(error.starts_with("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST: "), "{error}");
        assert!(act(&mut bench, json!({"edit": {"id": "newest:Event", "fields": {}}})).is_err());
        assert!(act(&mut bench, json!({"edit": {"id": id}})).is_err());
    }

    #[test]
    fn an_activity_moves_to_another_person() {
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
    fn a_record_goes_into_the_recycle_bin_and_comes_back() {
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
