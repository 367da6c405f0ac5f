//! What an update changes: the difference between the draft and what was last sent, without the fields that a
//! person has changed. Pure: the activity was read before.

use chrono::{DateTime, Utc};
use serde_json::Value;

use crate::{
    activity,
    journal::{DESCRIPTION, Sent, paragraphs, same},
    records::{Activity, Fields},
};

/// Fields that an update never sends. `TaskSubtype` can only be set at creation. `WhoId`: Salesforce and
/// people move activities, for example from a converted Lead to its Contact, and an update must not move them
/// back. `Status`: the Task was created closed, so any other status was set on purpose.
const NEVER_UPDATED: [&str; 3] = ["Status", "TaskSubtype", "WhoId"];
/// An appointment's time. If a person moved its start or its end, all of it is theirs.
const TIME: [&str; 2] = ["StartDateTime", "EndDateTime"];
/// A reminder follows the time: it is sent with it, and not alone just because the time has passed.
const REMINDER: [&str; 2] = ["IsReminderSet", "ReminderDateTime"];

/// The fields of a draft that an update may change.
pub fn updatable(mut draft: Fields) -> Fields {
    draft.retain(|field, _| !NEVER_UPDATED.contains(&field.as_str()));
    draft
}

/// How to bring an existing activity up to date.
#[derive(Debug, PartialEq)]
pub struct Changes {
    /// What to send; empty: nothing needs to change.
    pub send: Fields,
    /// The fields that somebody changed after Ringlog wrote them. They stay as they are, except that
    /// paragraphs may be added to a Description.
    pub kept: Vec<String>,
    /// The fields that the connected user cannot see, and so cannot write, and that were never sent.
    pub hidden: Vec<String>,
    /// The fields that already have the wanted value.
    up_to_date: Fields,
    /// The wanted Description, if its paragraphs are being added to somebody else's or are there already.
    pub added: Option<String>,
}

impl Changes {
    /// Compares the `wanted` fields with the `current` activity. What was `sent` tells whose the current
    /// values are. `now`: Unix seconds.
    pub fn between(
        wanted: &Fields,
        current: &Activity,
        sent: Option<&Sent>,
        last_line: &str,
        now: i64,
    ) -> Self {
        // A field that was never sent has the org's default until somebody changes it.
        let is_default = |value: &Value| is_empty(value) || current.is_untouched;
        let by_us = |field: &str, value: &Value| match sent {
            None => current.is_untouched,
            Some(sent) => sent.is_ours(field, value) || !sent.has(field) && is_default(value),
        };
        let mut changes = Self {
            send: Fields::new(),
            kept: Vec::new(),
            hidden: Vec::new(),
            up_to_date: Fields::new(),
            added: None,
        };
        let is_somebodys = |group: &[&str]| {
            group.iter().any(|field| {
                let value = current.fields.get(*field);
                value.is_some_and(|value| !by_us(field, value) && !is_wanted(wanted, field, value))
            })
        };
        let moved = is_somebodys(&TIME);
        let reminder_changed = is_somebodys(&REMINDER) && !has_fired(current, sent, now);
        for (field, value) in wanted {
            let Some(stored) = current.fields.get(field) else {
                if !sent.is_some_and(|sent| sent.has(field)) {
                    changes.hidden.push(field.clone());
                }
                continue;
            };
            if same(field, stored, value) {
                changes.up_to_date.insert(field.clone(), value.clone());
            } else if field == DESCRIPTION && !by_us(field, stored) {
                changes.add_to(stored.as_str().unwrap_or_default(), value, sent, last_line);
            } else if REMINDER.contains(&field.as_str()) {
                if moved || reminder_changed {
                    changes.kept.push(field.clone());
                } else {
                    changes.send.insert(field.clone(), value.clone());
                }
            } else if !by_us(field, stored) || moved && TIME.contains(&field.as_str()) {
                changes.kept.push(field.clone());
            } else {
                changes.send.insert(field.clone(), value.clone());
            }
        }
        changes.keep_times_together(wanted, sent);
        changes
    }

    /// Start and end are sent together, or Salesforce would calculate one of them. A reminder that was sent
    /// before is sent only with them.
    fn keep_times_together(&mut self, wanted: &Fields, sent: Option<&Sent>) {
        if TIME.iter().any(|field| self.send.contains_key(*field)) {
            for field in TIME {
                self.send.extend(wanted.get(field).map(|value| (field.to_owned(), value.clone())));
                self.up_to_date.remove(field);
            }
        } else if REMINDER.iter().any(|field| sent.is_some_and(|sent| sent.has(field))) {
            self.send.retain(|field, _| !REMINDER.contains(&field.as_str()));
        }
    }

    /// Adds the new paragraphs to a Description that somebody else has edited.
    fn add_to(&mut self, stored: &str, wanted: &Value, sent: Option<&Sent>, last_line: &str) {
        let wanted = wanted.as_str().unwrap_or_default();
        let there = stored.replace("\r\n", "\n");
        let is_new = |paragraph: &&str| {
            *paragraph != last_line
                && !paragraphs(&there).any(|there| there == *paragraph)
                && !sent.is_some_and(|sent| sent.has_paragraph(paragraph))
        };
        let new: Vec<&str> = paragraphs(wanted).filter(is_new).collect();
        let added = activity::add(&there, &new, last_line).filter(|_| !new.is_empty());
        // Paragraphs that did not fit are not noted as added: they may fit later.
        if new.is_empty() || added.is_some() {
            self.added = Some(wanted.to_owned());
        }
        self.send.extend(added.map(|description| (DESCRIPTION.to_owned(), description.into())));
        self.kept.push(DESCRIPTION.to_owned());
    }

    /// What Salesforce has once the update is accepted, as far as it is Ringlog's.
    pub fn confirmed(&self) -> Fields {
        [self.up_to_date.clone(), self.ours()].into_iter().flatten().collect()
    }

    /// What is sent, without a Description that holds somebody else's words: Ringlog must never replace it.
    pub fn ours(&self) -> Fields {
        let mut fields = self.send.clone();
        if self.added.is_some() {
            fields.remove(DESCRIPTION);
        }
        fields
    }
}

fn is_wanted(wanted: &Fields, field: &str, stored: &Value) -> bool {
    wanted.get(field).is_some_and(|value| same(field, stored, value))
}

/// Whether our own reminder has fired: Salesforce then clears `IsReminderSet` and leaves the time.
fn has_fired(current: &Activity, sent: Option<&Sent>, now: i64) -> bool {
    let [is_set, at] = REMINDER.map(|field| current.fields.get(field));
    let is_past = at.and_then(Value::as_str).and_then(|at| at.parse::<DateTime<Utc>>().ok());
    let is_past = is_past.is_some_and(|at| at.timestamp() <= now);
    let is_ours = at.zip(sent).is_some_and(|(at, sent)| sent.is_ours(REMINDER[1], at));
    is_set == Some(&Value::Bool(false)) && is_past && is_ours
}

/// Whether a field has no value; a flag that is not set counts as none.
fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::String(text) => text.is_empty(),
        _ => false,
    }
}
