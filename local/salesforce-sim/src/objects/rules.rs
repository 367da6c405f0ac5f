//! What Salesforce validates and derives when a Task, an Event, a Lead or a Contact is saved
//! (docs/salesforce-api.md#task, docs/salesforce-api.md#event).

use chrono::{DateTime, NaiveTime, TimeDelta, Utc};
use serde_json::{Value, json};

use super::{
    store::{Fields, Org},
    tables::TASK,
    value::{instant_text, restricted, stored_date, stored_instant},
};
use crate::{error::ApiError, ids::Id, settings::Settings};

/// Maximum length of an Event.
const MAX_EVENT: TimeDelta = TimeDelta::days(14);

/// A record about to be saved.
pub(crate) struct Save<'a> {
    pub(crate) org: &'a Org,
    pub(crate) settings: &'a Settings,
    pub(crate) now: DateTime<Utc>,
    pub(crate) zone: chrono_tz::Tz,
    /// The fields that the request sets.
    pub(crate) given: &'a Fields,
    /// The record to be stored: at first its old fields and the given ones, to which the rules add.
    pub(crate) saved: Fields,
}

impl Save<'_> {
    fn value(&self, field: &str) -> Option<&Value> {
        self.saved.get(field).filter(|value| !value.is_null())
    }

    fn given(&self, field: &str) -> Option<&Value> {
        self.given.get(field).filter(|value| !value.is_null())
    }

    fn is(&self, field: &str) -> bool {
        self.value(field) == Some(&Value::Bool(true))
    }

    fn default(&mut self, field: &'static str, value: Value) {
        if self.value(field).is_none() {
            self.saved.insert(field, value);
        }
    }

    /// A Task: its status must be one of the org's, and determines whether it is closed.
    pub(crate) fn task(&mut self) -> Result<(), ApiError> {
        let default = self.settings.task_statuses.iter().find(|status| status.is_default);
        if let Some(default) = default.or(self.settings.task_statuses.first()) {
            self.default("Status", json!(default.name));
        }
        self.default("Priority", json!("Normal"));
        self.default("TaskSubtype", json!("Task"));
        self.check_status()?;
        self.relations()?;
        self.reminder()?;
        let name = self.value("Status").cloned();
        let closed = self.settings.task_statuses.iter().any(|s| s.is_closed && name == Some(json!(s.name)));
        let was_closed = self.is("IsClosed");
        if closed != was_closed || !closed {
            let at = if closed { json!(instant_text(self.now)) } else { Value::Null };
            self.saved.insert("CompletedDateTime", at);
        }
        self.saved.insert("IsClosed", json!(closed));
        self.saved.insert("IsHighPriority", json!(self.value("Priority") == Some(&json!("High"))));
        Ok(())
    }

    fn check_status(&self) -> Result<(), ApiError> {
        let names: Vec<&str> =
            self.settings.task_statuses.iter().map(|status| status.name.as_str()).collect();
        if let (Some(field), Some(Value::String(status))) =
            (TASK.standard_field("Status"), self.given("Status"))
        {
            restricted(field, status, &names)?;
        }
        Ok(())
    }

    /// An Event: start, end and duration must agree.
    pub(crate) fn event(&mut self) -> Result<(), ApiError> {
        self.default("ShowAs", json!("Busy"));
        self.default("EventSubtype", json!("Event"));
        self.relations()?;
        if self.is("IsPrivate") && (self.value("WhoId").is_some() || self.value("WhatId").is_some()) {
            let message = "A private event cannot have a name or be related to a record";
            return Err(ApiError::of_record("FIELD_INTEGRITY_EXCEPTION", message, &["IsPrivate"]));
        }
        self.reminder()?;
        let start = self.start()?;
        let length = if self.is("IsAllDayEvent") { self.days(start)? } else { self.length(start)? };
        self.set_times(start, length);
        Ok(())
    }

    /// When the Event starts: `StartDateTime` or `ActivityDateTime`, or, for an all-day Event, `ActivityDate`.
    fn start(&self) -> Result<DateTime<Utc>, ApiError> {
        let (start, activity) = (self.given("StartDateTime"), self.given("ActivityDateTime"));
        if let (Some(start), Some(activity)) = (start, activity)
            && start != activity
        {
            let message = "Start Date Time and Due Date Time must be equal";
            return Err(ApiError::of_record("FIELD_INTEGRITY_EXCEPTION", message, &["ActivityDateTime"]));
        }
        if self.is("IsAllDayEvent")
            && let Some(day) = self.given("ActivityDate").and_then(stored_date)
        {
            return Ok(day.and_time(NaiveTime::MIN).and_utc());
        }
        let cleared = self.given.get("StartDateTime") == Some(&Value::Null) && activity.is_none();
        let kept = self.value("StartDateTime").filter(|_| !cleared);
        start.or(activity).or(kept).and_then(stored_instant).ok_or_else(|| {
            let missing = match self.given("EndDateTime") {
                Some(_) => &["ActivityDateTime"][..],
                None => &["DurationInMinutes", "ActivityDateTime"],
            };
            missing_fields(missing)
        })
    }

    /// How long a timed Event lasts: given by its end or its duration, or, if it is only moved, as long as before.
    fn length(&self, start: DateTime<Utc>) -> Result<TimeDelta, ApiError> {
        let end = self.given("EndDateTime").and_then(stored_instant);
        let minutes = self.given("DurationInMinutes").and_then(Value::as_i64);
        let kept = self.value("DurationInMinutes").and_then(Value::as_i64);
        let cleared = ["EndDateTime", "DurationInMinutes"].iter().any(|f| self.given.contains_key(f));
        let length = match (end, minutes, kept) {
            (Some(end), Some(minutes), _) if end - start != TimeDelta::minutes(minutes) => {
                let message = "Duration must be consistent with Start Date Time and End Date Time";
                return Err(ApiError::of_record(
                    "FIELD_INTEGRITY_EXCEPTION",
                    message,
                    &["DurationInMinutes"],
                ));
            }
            (Some(end), _, _) => end - start,
            (None, Some(minutes), _) => TimeDelta::minutes(minutes),
            (None, None, Some(kept)) if !cleared => TimeDelta::minutes(kept),
            (None, None, _) => return Err(missing_fields(&["DurationInMinutes"])),
        };
        // Salesforce blames the field that was given.
        let blamed = if minutes.is_some() { "DurationInMinutes" } else { "EndDateTime" };
        let refused = |message| Err(ApiError::of_record("FIELD_INTEGRITY_EXCEPTION", message, &[blamed]));
        if length < TimeDelta::zero() {
            return refused("End Date Time cannot be before Start Date Time");
        }
        if length > MAX_EVENT {
            return refused("An event cannot last longer than 14 days");
        }
        Ok(length)
    }

    /// How long an all-day Event lasts: whole days from midnight UTC.
    fn days(&self, start: DateTime<Utc>) -> Result<TimeDelta, ApiError> {
        let midnight = |at: DateTime<Utc>| at.time() == NaiveTime::MIN;
        let end = self.given("EndDateTime").and_then(stored_instant);
        let minutes = self.given("DurationInMinutes").and_then(Value::as_i64);
        let length = match (end, minutes) {
            (Some(end), _) => end - start + TimeDelta::days(1),
            (None, Some(minutes)) => TimeDelta::minutes(minutes),
            (None, None) => TimeDelta::days(1),
        };
        let whole = length.num_minutes() % 1440 == 0 && length > TimeDelta::zero() && length <= MAX_EVENT;
        if midnight(start) && end.is_none_or(midnight) && whole {
            return Ok(length);
        }
        let message = "An all-day event starts at midnight UTC and lasts 1 to 14 whole days";
        Err(ApiError::of_record("FIELD_INTEGRITY_EXCEPTION", message, &["IsAllDayEvent"]))
    }

    fn set_times(&mut self, start: DateTime<Utc>, length: TimeDelta) {
        let all_day = self.is("IsAllDayEvent");
        let end = if all_day { start + length - TimeDelta::days(1) } else { start + length };
        let zone = if all_day { chrono_tz::UTC } else { self.zone };
        let day = |at: DateTime<Utc>| json!(at.with_timezone(&zone).date_naive().to_string());
        self.saved.extend([
            ("StartDateTime", json!(instant_text(start))),
            ("ActivityDateTime", if all_day { Value::Null } else { json!(instant_text(start)) }),
            ("EndDateTime", json!(instant_text(end))),
            ("DurationInMinutes", json!(length.num_minutes())),
            ("ActivityDate", day(start)),
            ("EndDate", day(end)),
        ]);
    }

    /// A Lead excludes `WhatId`. A Contact sets `AccountId`.
    fn relations(&mut self) -> Result<(), ApiError> {
        let who = self.value("WhoId").and_then(Value::as_str).and_then(Id::parse);
        let what = self.value("WhatId").cloned();
        if what.is_some() && who.as_ref().is_some_and(|id| id.prefix() == "00Q") {
            let message = "If the Name ID is a Lead, the Related To ID must be empty";
            return Err(ApiError::of_record("FIELD_INTEGRITY_EXCEPTION", message, &["WhatId"]));
        }
        let contact = who.and_then(|id| self.org.records.get(&id));
        let account = what.or_else(|| contact.map(|record| record.get("AccountId").clone()));
        self.saved.insert("AccountId", account.unwrap_or_default());
        Ok(())
    }

    fn reminder(&self) -> Result<(), ApiError> {
        if self.is("IsReminderSet") && self.value("ReminderDateTime").is_none() {
            return Err(missing_fields(&["ReminderDateTime"]));
        }
        Ok(())
    }

    /// A Lead: it has a status.
    pub(crate) fn lead(&mut self) {
        self.default("Status", json!("Open - Not Contacted"));
        self.person();
    }

    /// A Lead or Contact: its name is derived from two fields.
    pub(crate) fn person(&mut self) {
        let parts = ["FirstName", "LastName"].map(|field| self.value(field).and_then(Value::as_str));
        let name = parts.into_iter().flatten().collect::<Vec<_>>().join(" ");
        self.saved.insert("Name", json!(name));
    }
}

/// The error for required fields that are missing.
pub(crate) fn missing_fields(fields: &[&str]) -> ApiError {
    let message = format!("Required fields are missing: [{}]", fields.join(", "));
    ApiError::of_record("REQUIRED_FIELD_MISSING", message, fields)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::testing::Bench;

    fn event(given: Value) -> Result<Value, String> {
        let mut bench = Bench::new();
        let id = bench.create("Event", given)?;
        let event = bench.record(&id);
        Ok(json!([event.get("StartDateTime"), event.get("EndDateTime"), event.get("DurationInMinutes")]))
    }

    #[test]
    fn an_event_lasts_until_its_end_or_for_its_duration() {
        let expected = json!(["2026-01-15T19:00:00.000+0000", "2026-01-15T20:00:00.000+0000", 60]);
        for given in [
            json!({"StartDateTime": "2026-01-15T19:00:00Z", "EndDateTime": "2026-01-15T20:00:00Z"}),
            json!({"StartDateTime": "2026-01-15T14:00:00-05:00", "DurationInMinutes": 60}),
            json!({"ActivityDateTime": "2026-01-15T19:00:00Z", "DurationInMinutes": 60,
                "EndDateTime": "2026-01-15T20:00:00Z"}),
        ] {
            assert_eq!(event(given.clone()), Ok(expected.clone()), "{given}");
        }
    }

    #[test]
    fn an_event_needs_a_start_and_an_end() {
        for (given, missing) in [
            (json!({}), "[DurationInMinutes, ActivityDateTime]"),
            (json!({"EndDateTime": "2026-01-15T20:00:00Z"}), "[ActivityDateTime]"),
            (json!({"StartDateTime": "2026-01-15T20:00:00Z"}), "[DurationInMinutes]"),
        ] {
            let error = event(given).unwrap_err();
            assert!(
                error.starts_with(&format!(
                    "400 REQUIRED_FIELD_MISSING: Required fields are missing: {missing}"
                )),
                "{error}"
            );
        }
    }

    #[test]
    fn the_times_of_an_event_must_agree() {
        let start = "2026-01-15T19:00:00Z";
        for (given, field) in [
            (json!({"StartDateTime": start, "EndDateTime": "2026-01-15T18:00:00Z"}), "EndDateTime"),
            (json!({"StartDateTime": start, "DurationInMinutes": -5}), "DurationInMinutes"),
            (json!({"StartDateTime": start, "DurationInMinutes": 20161}), "DurationInMinutes"),
            (json!({"StartDateTime": start, "EndDateTime": "2026-02-15T18:00:00Z"}), "EndDateTime"),
            (
                json!({"StartDateTime": start, "EndDateTime": "2026-01-15T20:00:00Z", "DurationInMinutes": 30}),
                "DurationInMinutes",
            ),
            (
                json!({"StartDateTime": start, "ActivityDateTime": "2026-01-15T20:00:00Z", "DurationInMinutes": 30}),
                "ActivityDateTime",
            ),
        ] {
            let error = event(given).unwrap_err();
            assert!(
                error.starts_with("400 FIELD_INTEGRITY_EXCEPTION")
                    && error.contains(&format!("[\"{field}\"]")),
                "{error}"
            );
        }
    }

    #[test]
    fn an_all_day_event_starts_at_midnight() {
        assert_eq!(
            event(json!({"IsAllDayEvent": true, "ActivityDate": "2026-01-15", "DurationInMinutes": 1440})),
            Ok(json!(["2026-01-15T00:00:00.000+0000", "2026-01-15T00:00:00.000+0000", 1440]))
        );
        let two_days = json!({"IsAllDayEvent": true, "StartDateTime": "2026-01-15T00:00:00Z",
            "EndDateTime": "2026-01-16T00:00:00Z"});
        assert_eq!(event(two_days).unwrap()[2], json!(2880));
        assert!(event(json!({"IsAllDayEvent": true, "StartDateTime": "2026-01-15T05:00:00Z"})).is_err());
        assert!(
            event(json!({"IsAllDayEvent": true, "ActivityDate": "2026-01-15", "DurationInMinutes": 90}))
                .is_err()
        );
    }

    #[test]
    fn an_event_keeps_its_length_when_it_is_moved() {
        let mut bench = Bench::new();
        let given = json!({"StartDateTime": "2026-01-15T19:00:00Z", "DurationInMinutes": 45});
        let id = bench.create("Event", given).unwrap();
        bench.update("Event", &id, json!({"StartDateTime": "2026-01-16T19:00:00Z"})).unwrap();
        assert_eq!(bench.record(&id).text("EndDateTime"), Some("2026-01-16T19:45:00.000+0000"));
        bench.update("Event", &id, json!({"EndDateTime": "2026-01-16T20:00:00Z"})).unwrap();
        assert_eq!(bench.record(&id).get("DurationInMinutes"), &json!(60));
        assert!(bench.update("Event", &id, json!({"StartDateTime": null})).is_err());
        assert!(bench.update("Event", &id, json!({"EndDateTime": null})).is_err());
    }

    #[test]
    fn the_date_of_an_event_is_in_its_owners_time_zone() {
        let mut bench = Bench::new();
        let given = json!({"StartDateTime": "2026-01-16T03:00:00Z", "DurationInMinutes": 30});
        let id = bench.create("Event", given).unwrap();
        assert_eq!(bench.record(&id).text("ActivityDate"), Some("2026-01-15"));
    }

    #[test]
    fn a_private_event_has_no_who_id() {
        let mut bench = Bench::new();
        let ada = bench.person("Ada Sample");
        let given = json!({"StartDateTime": "2026-01-16T03:00:00Z", "DurationInMinutes": 30, "IsPrivate": true, "WhoId": ada});
        assert!(bench.create("Event", given).unwrap_err().starts_with("400 FIELD_INTEGRITY_EXCEPTION"));
    }
}
