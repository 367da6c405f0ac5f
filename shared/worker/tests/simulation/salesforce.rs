//! The simulated orgs: records, activities and grants. Reusing a rotated token ends its whole family.

use std::collections::BTreeMap;

use calls::{
    ids::{CallId, SalesforceId},
    status::SyncStatus,
};
use crm::{FaultClass, Fields, FoundRecord};
use serde_json::Value;

use crate::{
    plan::{DuplicateRule, PersonAction},
    samples::{call_of, contact_of, org_id, twin_id, who_id},
    world::{Later, State},
};

/// A Task or Event, and its call.
#[derive(Debug, Clone)]
pub struct Activity {
    pub id: SalesforceId,
    pub org_id: SalesforceId,
    pub who_id: SalesforceId,
    pub call_id: CallId,
    pub fields: Fields,
    /// When it was created, milliseconds.
    pub at: i64,
    pub modified_at: i64,
    /// Nobody has changed it since it was created.
    pub is_untouched: bool,
    /// The fields that a person changed, and what Ringlog had written to them.
    pub edited: BTreeMap<String, Value>,
    /// A person moved it to its current record.
    pub is_moved: bool,
    pub is_deleted: bool,
}

impl Activity {
    /// Whether `CallObject` names its call.
    pub fn has_call_object(&self) -> bool {
        self.fields.contains_key("CallObject")
    }

    pub fn text(&self, field: &str) -> &str {
        self.fields.get(field).and_then(Value::as_str).unwrap_or_default()
    }

    /// A person changes a field.
    fn edit(&mut self, field: &str, value: impl Into<Value>) {
        let before = self.fields.insert(field.to_owned(), value.into()).unwrap_or(Value::Null);
        self.edited.entry(field.to_owned()).or_insert(before);
    }

    /// Sets the modification time. Salesforce's has whole seconds and hides a second change within one, so each change
    /// is at least a second after the one before.
    fn touch(&mut self, now: i64) {
        self.modified_at = now.max(self.modified_at + 1000);
        self.is_untouched = false;
    }
}

/// A refresh token.
#[derive(Debug, Clone)]
pub struct Grant {
    /// Identifies tokens that were rotated from each other.
    pub family: u64,
    pub org_id: SalesforceId,
    pub alive: bool,
    /// It was exchanged for a newer one; reusing it ends the family.
    pub rotated: bool,
    /// A refresh with it is in progress.
    pub in_use: bool,
    /// When it was issued, milliseconds. It ends if it is unused for 30 days.
    pub issued_at: i64,
}

/// The lifetime of an unused refresh token, milliseconds.
const IDLE: i64 = 30 * 86_400_000;

#[derive(Default)]
pub struct Salesforce {
    pub records: BTreeMap<SalesforceId, Vec<(FoundRecord, i64)>>,
    pub tasks: Vec<Activity>,
    pub events: Vec<Activity>,
    /// Access tokens, with their org and the family of their grant.
    pub sessions: BTreeMap<String, (SalesforceId, u64)>,
    pub grants: BTreeMap<String, Grant>,
    /// Until when requests fail, milliseconds.
    pub down_until: i64,
    /// Until when orgs do not answer, milliseconds.
    pub hangs_until: BTreeMap<SalesforceId, i64>,
    /// Until when the login host does not answer, milliseconds.
    pub login_hangs_until: i64,
    pub limited: BTreeMap<SalesforceId, FaultClass>,
    /// A refresh returns no new refresh token.
    pub keeps_tokens: bool,
    /// The user may not write `CallObject`.
    pub hides_call_object: bool,
    /// The user may not read one of the Contacts' phone fields.
    pub hides_phone: bool,
    pub duplicate_rule: Option<DuplicateRule>,
    /// The code with which queries for recent records are refused.
    pub refuses_recent: Option<&'static str>,
    /// Converted Leads and their Contacts.
    pub converted: BTreeMap<SalesforceId, SalesforceId>,
    pub made: u64,
    /// Created Leads, with their org and number.
    pub leads: Vec<(SalesforceId, SalesforceId, String)>,
    /// The number of refreshes handled.
    pub refreshes: u64,
    /// The org and time of each request with an access token, milliseconds.
    pub requests: Vec<(SalesforceId, i64)>,
}

impl Salesforce {
    pub fn id(&mut self, prefix: &str) -> SalesforceId {
        self.made += 1;
        // Different from the ids in `samples`.
        SalesforceId::parse(format!("{prefix}9{:011}", self.made)).unwrap()
    }

    /// A user allows access: creates an access token and a refresh token.
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

    /// Revokes a grant. Revoking a token that is no longer valid does nothing.
    pub fn revoke(&mut self, token: &str) {
        if self.grants.get(token).is_some_and(|grant| grant.alive) {
            self.end_family(token);
        }
    }

    /// Ends a token's whole family.
    fn end_family(&mut self, token: &str) {
        let Some(family) = self.grants.get(token).map(|grant| grant.family) else { return };
        for grant in self.grants.values_mut().filter(|grant| grant.family == family) {
            grant.alive = false;
        }
        self.sessions.retain(|_, (_, other)| *other != family);
    }

    /// Handles a refresh: new tokens, or `None` if the grant has ended.
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
    /// A person changes what was written for a call, if there is anything.
    pub fn person(&mut self, workspace: usize, call: usize, action: PersonAction) {
        let now = self.now;
        let settled = self.is_settled(workspace, call);
        let place = self.rng.u32(0..3);
        let is_of = |activity: &&mut Activity| {
            call_of(&activity.call_id) == (workspace, call) && !activity.is_deleted
        };
        let is_task = matches!(
            action,
            PersonAction::EditTask
                | PersonAction::NoteTask
                | PersonAction::MoveTask
                | PersonAction::DeleteTask
        );
        let activities = if is_task { &mut self.salesforce.tasks } else { &mut self.salesforce.events };
        let Some(activity) = activities.iter_mut().find(is_of) else { return };
        match action {
            PersonAction::EditTask => {
                activity.edit("Subject", "Quote for the caller");
                activity.edit("Priority", "High");
            }
            PersonAction::NoteTask => {
                let current = activity.text("Description").to_owned();
                // Without `CallObject`, only its description's last line identifies it.
                let has_call_object = activity.has_call_object();
                let note = match place {
                    0 if has_call_object => "All done.".to_owned(),
                    1 if has_call_object => format!("{current}\n\nA note."),
                    _ => format!("A note.\n\n{current}"),
                };
                activity.edit("Description", note);
            }
            PersonAction::RescheduleEvent => {
                activity.edit("StartDateTime", "2027-06-03T09:00:00Z");
                activity.edit("EndDateTime", "2027-06-03T10:00:00Z");
            }
            PersonAction::EditEvent => {
                activity.edit("Subject", "Visit");
                let current = activity.text("Description").to_owned();
                activity.edit("Description", format!("A note.\n\n{current}"));
            }
            // An Event whose write got no response is looked for on its original record.
            PersonAction::MoveTask if !settled => return,
            PersonAction::MoveTask => {
                activity.who_id = twin_id(workspace, call);
                activity.is_moved = true;
            }
            PersonAction::DeleteTask | PersonAction::DeleteEvent => activity.is_deleted = true,
        }
        activity.touch(now);
    }

    /// Occasionally, a person edits what was just read, before it is updated.
    pub fn edit_soon(&mut self, task_id: Option<&SalesforceId>) {
        const EDITS: [PersonAction; 4] = [
            PersonAction::EditTask,
            PersonAction::NoteTask,
            PersonAction::RescheduleEvent,
            PersonAction::EditEvent,
        ];
        let mut tasks = self.salesforce.tasks.iter();
        let Some(task) = tasks.find(|task| Some(&task.id) == task_id) else { return };
        let (workspace, call) = call_of(&task.call_id);
        if self.rng.u32(0..5) == 0 {
            let action = EDITS[self.rng.usize(0..EDITS.len())];
            let at = self.now + self.rng.i64(0..300);
            self.later
                .push(Later { at, effect: Box::new(move |state| state.person(workspace, call, action)) });
        }
    }

    /// Whether no attempt for a call is running or due.
    fn is_settled(&self, workspace: usize, call: usize) -> bool {
        let mut rows = self.rows.values().filter(|row| call_of(&row.call_id) == (workspace, call));
        rows.all(|row| row.status == SyncStatus::Success && row.lease.is_none() && row.due_at.is_none())
    }

    /// A person converts a call's Lead: it becomes a Contact, and its activities move there.
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
