//! What an update changes: the difference between what is wanted and what was sent last, without what a person changed
//! meanwhile. Pure: what stands in Salesforce was read before.

use chrono::{DateTime, Utc};
use serde_json::Value;

use crate::{
    activity,
    journal::{DESCRIPTION, Journal, Sent, paragraphs, same},
    records::{Activity, Fields, WrittenObject},
};

/// What an update leaves alone. `TaskSubtype` can be set at creation only. `WhoId` stays because Salesforce and people
/// move activities, from a converted Lead to its Contact for one; an update must not move them back. `Status` stays
/// because the Task was written closed, and whatever it is now is somebody's wish.
const KEPT_ON_UPDATE: [&str; 3] = ["Status", "TaskSubtype", "WhoId"];
/// An appointment's time: who moved its start or its end has set all of it.
const TIME: [&str; 2] = ["StartDateTime", "EndDateTime"];
/// They follow the time: written with it, and not by themselves when it has merely passed.
const REMINDER: [&str; 2] = ["IsReminderSet", "ReminderDateTime"];

/// The fields of a draft that an update may change.
pub fn updatable(mut draft: Fields) -> Fields {
    draft.retain(|field, _| !KEPT_ON_UPDATE.contains(&field.as_str()));
    draft
}

/// How a record that stands in Salesforce is brought up to date.
#[derive(Debug, PartialEq)]
pub struct Changes {
    /// What is sent; empty: nothing is to be changed.
    pub send: Fields,
    /// The fields that somebody changed since Ringlog wrote them. They stay as they are, but for paragraphs that are added
    /// to a Description.
    pub kept: Vec<String>,
    /// The fields that the connected user cannot see, and so not write, and that were never sent.
    pub hidden: Vec<String>,
    /// What stands there as it is wanted.
    standing: Fields,
    /// The Description whose paragraphs stand, or are added.
    added: Option<String>,
}

impl Changes {
    /// Compares what is `wanted` with what is `standing`, and tells by what was `sent` who wrote that. `now` in Unix seconds.
    pub fn between(
        wanted: &Fields,
        standing: &Activity,
        sent: Option<&Sent>,
        last_line: &str,
        now: i64,
    ) -> Self {
        // What was never sent has the value that the org gives, until somebody gives another.
        let is_default = |value: &Value| is_empty(value) || standing.is_untouched;
        let by_us = |field: &str, value: &Value| match sent {
            None => standing.is_untouched,
            Some(sent) => sent.is_ours(field, value) || !sent.has(field) && is_default(value),
        };
        let mut changes = Self {
            send: Fields::new(),
            kept: Vec::new(),
            hidden: Vec::new(),
            standing: Fields::new(),
            added: None,
        };
        let is_somebodys = |group: &[&str]| {
            group.iter().any(|field| {
                let standing = standing.fields.get(*field);
                standing.is_some_and(|value| !by_us(field, value) && !is_wanted(wanted, field, value))
            })
        };
        let moved = is_somebodys(&TIME);
        let reminds_otherwise = is_somebodys(&REMINDER) && !has_fired(standing, sent, now);
        for (field, value) in wanted {
            let Some(standing) = standing.fields.get(field) else {
                if !sent.is_some_and(|sent| sent.has(field)) {
                    changes.hidden.push(field.clone());
                }
                continue;
            };
            if same(field, standing, value) {
                changes.standing.insert(field.clone(), value.clone());
            } else if field == DESCRIPTION && !by_us(field, standing) {
                changes.add_to(standing.as_str().unwrap_or_default(), value, sent, last_line);
            } else if REMINDER.contains(&field.as_str()) {
                if moved || reminds_otherwise {
                    changes.kept.push(field.clone());
                } else {
                    changes.send.insert(field.clone(), value.clone());
                }
            } else if !by_us(field, standing) || moved && TIME.contains(&field.as_str()) {
                changes.kept.push(field.clone());
            } else {
                changes.send.insert(field.clone(), value.clone());
            }
        }
        changes.keep_times_together(wanted, sent);
        changes
    }

    /// Start and end go together, or Salesforce would work out one of them; a reminder goes with them only.
    fn keep_times_together(&mut self, wanted: &Fields, sent: Option<&Sent>) {
        if TIME.iter().any(|field| self.send.contains_key(*field)) {
            for field in TIME {
                self.send.extend(wanted.get(field).map(|value| (field.to_owned(), value.clone())));
                self.standing.remove(field);
            }
        } else if REMINDER.iter().any(|field| sent.is_some_and(|sent| sent.has(field))) {
            self.send.retain(|field, _| !REMINDER.contains(&field.as_str()));
        }
    }

    /// Adds what is new to a Description that somebody else has written too.
    fn add_to(&mut self, standing: &str, wanted: &Value, sent: Option<&Sent>, last_line: &str) {
        let wanted = wanted.as_str().unwrap_or_default();
        let there = standing.replace("\r\n", "\n");
        let is_new = |paragraph: &&str| {
            *paragraph != last_line
                && !paragraphs(&there).any(|there| there == *paragraph)
                && !sent.is_some_and(|sent| sent.has_paragraph(paragraph))
        };
        let new: Vec<&str> = paragraphs(wanted).filter(is_new).collect();
        let added = activity::add(&there, &new, last_line).filter(|_| !new.is_empty());
        // What did not fit was not added: it may fit later.
        if new.is_empty() || added.is_some() {
            self.added = Some(wanted.to_owned());
        }
        self.send.extend(added.map(|description| (DESCRIPTION.to_owned(), description.into())));
        self.kept.push(DESCRIPTION.to_owned());
    }

    /// Tells the journal that Salesforce has it so.
    pub fn record(&self, journal: &mut Journal, object: WrittenObject) {
        journal.confirmed(object, &[self.standing.clone(), self.of_ours()].into_iter().flatten().collect());
        if let Some(description) = &self.added {
            journal.added(object, description);
        }
    }

    /// Tells the journal that it was sent, and that no answer came.
    pub fn record_unanswered(&self, journal: &mut Journal, object: WrittenObject) {
        journal.unanswered(object, &self.of_ours());
    }

    /// What is sent, without a Description that holds another's words: it never is ours to replace.
    fn of_ours(&self) -> Fields {
        let mut fields = self.send.clone();
        if self.added.is_some() {
            fields.remove(DESCRIPTION);
        }
        fields
    }
}

fn is_wanted(wanted: &Fields, field: &str, standing: &Value) -> bool {
    wanted.get(field).is_some_and(|value| same(field, standing, value))
}

/// Whether our own reminder has gone off: Salesforce then has it no longer set, and leaves its time.
fn has_fired(standing: &Activity, sent: Option<&Sent>, now: i64) -> bool {
    let [is_set, at] = REMINDER.map(|field| standing.fields.get(field));
    let is_past = at.and_then(Value::as_str).and_then(|at| at.parse::<DateTime<Utc>>().ok());
    let is_past = is_past.is_some_and(|at| at.timestamp() <= now);
    let is_ours = at.zip(sent).is_some_and(|(at, sent)| sent.is_ours(REMINDER[1], at));
    is_set == Some(&Value::Bool(false)) && is_past && is_ours
}

/// Whether a field says nothing: a flag that is not set neither.
fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::String(text) => text.is_empty(),
        _ => false,
    }
}
