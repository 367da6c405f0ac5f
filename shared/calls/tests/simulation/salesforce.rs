//! The simulated orgs: records, activities, and grants with rotation and reuse cascade.

use std::collections::BTreeMap;

use calls::{
    crm::{FaultClass, Fields, FoundRecord},
    ids::{CallId, SalesforceId},
    ledger::SyncStatus,
};
use serde_json::Value;

use crate::{
    plan::{Doing, DuplicateRule},
    samples::{call_of, contact_of, org_id, twin_id, who_id},
    world::{Later, State},
};

/// A Task or an Event, and for which call.
#[derive(Debug, Clone)]
pub struct Activity {
    pub id: SalesforceId,
    pub org_id: SalesforceId,
    pub who_id: SalesforceId,
    pub call_id: CallId,
    pub fields: Fields,
    /// When it was written, milliseconds.
    pub at: i64,
    pub modified_at: i64,
    /// Nobody has changed it since.
    pub is_untouched: bool,
    /// The fields that a person changed, and what Ringlog had written there.
    pub theirs: BTreeMap<String, Value>,
    /// A person moved it to the record that it is on.
    pub is_moved: bool,
    pub is_deleted: bool,
}

impl Activity {
    /// Whether it says in `CallObject` for which call it is.
    pub fn has_call_object(&self) -> bool {
        self.fields.contains_key("CallObject")
    }

    pub fn text(&self, field: &str) -> &str {
        self.fields.get(field).and_then(Value::as_str).unwrap_or_default()
    }

    /// Somebody changes a field.
    fn edit(&mut self, field: &str, value: impl Into<Value>) {
        let before = self.fields.insert(field.to_owned(), value.into()).unwrap_or(Value::Null);
        self.theirs.entry(field.to_owned()).or_insert(before);
    }

    /// Stamps a change. Salesforce counts in seconds; within one it shows none.
    fn touch(&mut self, now: i64) {
        self.modified_at = now.max(self.modified_at + 1000);
        self.is_untouched = false;
    }
}

/// A refresh token.
#[derive(Debug, Clone)]
pub struct Grant {
    /// Tokens that came from one another by rotation.
    pub family: u64,
    pub org_id: SalesforceId,
    pub alive: bool,
    /// It was exchanged for a newer one; using it again ends the family.
    pub rotated: bool,
    /// Somebody is asking for a new session with it.
    pub in_use: bool,
    /// When it was issued, milliseconds. A token that is not used for 30 days dies.
    pub issued_at: i64,
}

/// How long an unused refresh token lives, milliseconds.
const IDLE: i64 = 30 * 86_400_000;

#[derive(Default)]
pub struct Salesforce {
    pub records: BTreeMap<SalesforceId, Vec<(FoundRecord, i64)>>,
    pub tasks: Vec<Activity>,
    pub events: Vec<Activity>,
    /// Sessions, and the family of the grant that they come from.
    pub sessions: BTreeMap<String, (SalesforceId, u64)>,
    pub grants: BTreeMap<String, Grant>,
    /// Outages and limits: no request is answered before this time, milliseconds.
    pub down_until: i64,
    pub limited: BTreeMap<SalesforceId, FaultClass>,
    /// A refresh gives no new refresh token.
    pub keeps_tokens: bool,
    /// The users may not write `CallObject`.
    pub hides_call_object: bool,
    /// The users may not read a phone field of Contacts.
    pub hides_phone: bool,
    pub duplicate_rule: Option<DuplicateRule>,
    /// With which code a query for new records is refused.
    pub refuses_recent: Option<&'static str>,
    /// Leads that were converted, and to which Contact.
    pub converted: BTreeMap<SalesforceId, SalesforceId>,
    pub made: u64,
    /// Leads that were made: in which org, for which number.
    pub leads: Vec<(SalesforceId, SalesforceId, String)>,
    /// Answered requests for a new session.
    pub refreshes: u64,
    /// Requests with a session, and when, milliseconds.
    pub requests: Vec<(SalesforceId, i64)>,
}

impl Salesforce {
    pub fn id(&mut self, prefix: &str) -> SalesforceId {
        self.made += 1;
        // Apart from those of the people who are there from the beginning.
        SalesforceId::parse(format!("{prefix}9{:011}", self.made)).unwrap()
    }

    /// A user allows access: a session and a refresh token.
    pub fn grant(&mut self, org_id: &SalesforceId, family: Option<u64>, now: i64) -> (String, String) {
        self.made += 1;
        let n = self.made;
        let (session, token) = (format!("session-{n}"), format!("refresh-{n}"));
        let family = family.unwrap_or(n);
        self.sessions.insert(session.clone(), (org_id.clone(), family));
        let grant = Grant {
            family,
            org_id: org_id.clone(),
            alive: true,
            rotated: false,
            in_use: false,
            issued_at: now,
        };
        self.grants.insert(token.clone(), grant);
        (session, token)
    }

    /// Ends a grant, at its owner's wish. A token that is no longer good ends nothing.
    pub fn revoke(&mut self, token: &str) {
        if self.grants.get(token).is_some_and(|grant| grant.alive) {
            self.end_family(token);
        }
    }

    /// Ends everything that came from one grant.
    fn end_family(&mut self, token: &str) {
        let Some(family) = self.grants.get(token).map(|grant| grant.family) else { return };
        for grant in self.grants.values_mut().filter(|grant| grant.family == family) {
            grant.alive = false;
        }
        self.sessions.retain(|_, (_, other)| *other != family);
    }

    /// Answers a refresh: with a new session and token, or not at all.
    pub fn refresh(&mut self, token: &str, now: i64) -> Option<(String, Option<String>)> {
        self.refreshes += 1;
        let grant = self.grants.get_mut(token)?;
        if !grant.alive {
            if grant.rotated {
                self.end_family(token);
            }
            return None;
        }
        if now - grant.issued_at > IDLE {
            grant.alive = false;
            return None;
        }
        let (org_id, family) = (grant.org_id.clone(), grant.family);
        if self.keeps_tokens {
            grant.issued_at = now;
            self.made += 1;
            let session = format!("session-{}", self.made);
            self.sessions.insert(session.clone(), (org_id, family));
            return Some((session, None));
        }
        grant.alive = false;
        grant.rotated = true;
        let (session, token) = self.grant(&org_id, Some(family), now);
        Some((session, Some(token)))
    }
}

impl State {
    /// Somebody works on what was written for a call, if something was.
    pub fn person(&mut self, workspace: usize, call: usize, does: Doing) {
        let now = self.now;
        let settled = self.is_settled(workspace, call);
        let place = self.rng.u32(0..3);
        let is_of = |activity: &&mut Activity| {
            call_of(&activity.call_id) == (workspace, call) && !activity.is_deleted
        };
        let is_task = matches!(does, Doing::EditTask | Doing::NoteTask | Doing::MoveTask | Doing::DeleteTask);
        let activities = if is_task { &mut self.salesforce.tasks } else { &mut self.salesforce.events };
        let Some(activity) = activities.iter_mut().find(is_of) else { return };
        match does {
            Doing::EditTask => {
                activity.edit("Subject", "Quote for the caller");
                activity.edit("Priority", "High");
            }
            Doing::NoteTask => {
                let standing = activity.text("Description").to_owned();
                // Without `CallObject` the last line is all that finds it again.
                let finds = activity.has_call_object();
                let note = match place {
                    0 if finds => "All done.".to_owned(),
                    1 if finds => format!("{standing}\n\nA note."),
                    _ => format!("A note.\n\n{standing}"),
                };
                activity.edit("Description", note);
            }
            Doing::RescheduleEvent => {
                activity.edit("StartDateTime", "2027-06-03T09:00:00Z");
                activity.edit("EndDateTime", "2027-06-03T10:00:00Z");
            }
            Doing::EditEvent => {
                activity.edit("Subject", "Visit");
                let standing = activity.text("Description").to_owned();
                activity.edit("Description", format!("A note.\n\n{standing}"));
            }
            // An Event without an answer is looked for on the record that it was written on.
            Doing::MoveTask if !settled => return,
            Doing::MoveTask => {
                activity.who_id = twin_id(workspace, call);
                activity.is_moved = true;
            }
            Doing::DeleteTask | Doing::DeleteEvent => activity.is_deleted = true,
        }
        activity.touch(now);
    }

    /// Now and then somebody edits what has just been read, before it is updated.
    pub fn meddle(&mut self, task_id: Option<&SalesforceId>) {
        const EDITS: [Doing; 4] =
            [Doing::EditTask, Doing::NoteTask, Doing::RescheduleEvent, Doing::EditEvent];
        let mut tasks = self.salesforce.tasks.iter();
        let Some(task) = tasks.find(|task| Some(&task.id) == task_id) else { return };
        let (workspace, call) = call_of(&task.call_id);
        if self.rng.u32(0..5) == 0 {
            let does = EDITS[self.rng.usize(0..EDITS.len())];
            let at = self.now + self.rng.i64(0..300);
            self.later.push(Later { at, effect: Box::new(move |state| state.person(workspace, call, does)) });
        }
    }

    /// Whether nobody works on a call, and nothing of it waits for an answer.
    fn is_settled(&self, workspace: usize, call: usize) -> bool {
        let mut rows = self.rows.values().filter(|row| call_of(&row.call_id) == (workspace, call));
        rows.all(|row| row.status == SyncStatus::Success && row.lease.is_none() && row.due_at.is_none())
    }

    /// Somebody converts the Lead of a call: it becomes a Contact, and its activities move there.
    pub fn convert(&mut self, workspace: usize, call: usize) {
        let (lead_id, now) = (who_id(workspace, call), self.now);
        let indexed_at = now + self.rng.i64(0..120_000);
        for org in 0..=1 {
            let records = self.salesforce.records.entry(org_id(workspace, org)).or_default();
            let Some((record, indexed)) = records.iter_mut().find(|(record, _)| record.id == lead_id) else {
                continue;
            };
            *record = contact_of(record);
            record.created_at = chrono::DateTime::from_timestamp_millis(now).unwrap();
            *indexed = indexed_at;
            let contact_id = record.id.clone();
            self.salesforce.converted.insert(lead_id.clone(), contact_id.clone());
            let org = &mut self.salesforce;
            for activity in org.tasks.iter_mut().chain(&mut org.events) {
                if activity.who_id == lead_id {
                    activity.who_id = contact_id.clone();
                    activity.touch(now);
                }
            }
        }
    }
}
