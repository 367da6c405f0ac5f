//! A plan as data: its inputs, its questions and its operations.

use calls::{appointment::Resolution, ids::SalesforceId, reason::Reason};
use chrono::{DateTime, Utc};

use crate::{
    activity::{EventDraft, TaskDraft},
    caller::Caller,
    lead::LeadDraft,
    ledger::{Row, WriteId},
    outcome::Ending,
    records::{Duplicates, Fields},
    workspace::{Settings, Workspace},
};

use super::{changes::Changes, choice::Choice, observed::Observed};

/// The inputs of a plan.
#[derive(Clone, Copy)]
pub struct Known<'a> {
    /// The row. The plan uses its ids and its journal; its record and decision are the previous plan's.
    pub row: &'a Row,
    /// The settings, and what was learned about the org.
    pub workspace: &'a Workspace,
    /// The caller.
    pub caller: &'a Caller,
    /// What this attempt has observed.
    pub seen: &'a Observed,
    /// Unix seconds.
    pub now: i64,
}

impl<'a> Known<'a> {
    pub(super) fn settings(&self) -> &'a Settings {
        &self.workspace.settings
    }

    /// The appointment, as the settings read it.
    pub(super) fn resolution(&self) -> Resolution {
        let Settings { time_zone, appointment_duration_minutes, .. } = *self.settings();
        self.row.call.resolve_appointment(time_zone, appointment_duration_minutes, self.row.created_at)
    }
}

/// The plan, as far as what is known allows.
#[derive(Debug)]
pub struct Step {
    /// Whose call it is, as far as it is known.
    pub choice: Choice,
    /// What comes next.
    pub next: Next,
}

/// What comes next.
#[derive(Debug)]
pub enum Next {
    /// Observe this, then plan again.
    Observe(Question),
    /// Take over what earlier attempts wrote, then plan again.
    Adopt(Adoption),
    /// Carry these operations out.
    Write(Box<Plan>),
    /// There is nothing to write.
    End(Ending),
}

/// What an attempt may need to know.
#[derive(Debug, Clone, PartialEq)]
pub enum Question {
    /// Which records does search find by the caller's number? `everything`: including the objects and fields
    /// that are left out because the org refused them before.
    Search {
        /// Whether to include what the org refused before.
        everything: bool,
    },
    /// Which records has search not indexed yet?
    Recent,
    /// Does the record that the call's metadata names exist?
    Named(SalesforceId),
    /// Which Contact was this Lead converted to?
    Conversion(SalesforceId),
    /// What did earlier attempts write?
    Look {
        /// The records to look at, the most likely first.
        places: Vec<SalesforceId>,
        /// Since when they may have been written.
        since: DateTime<Utc>,
        /// Whether the Task may be older than the call's first report.
        may_be_older: bool,
    },
    /// Who claims the caller's number?
    Claim {
        /// Whether to wait before reading it again, because another worker is creating a Lead.
        again: bool,
    },
    /// Does the Lead that the claim names exist, and which numbers does it have?
    ClaimedLead(SalesforceId),
    /// Which of the records that a duplicate rule names has the caller's number?
    Duplicates(Vec<SalesforceId>),
    /// What do the Task and the Event look like in Salesforce?
    Activities {
        /// The Task, if it must be read.
        task_id: Option<SalesforceId>,
        /// The Event, if it must be read.
        event_id: Option<SalesforceId>,
    },
    /// Which status does the org use for closed Tasks?
    ClosedStatus,
}

/// What a look found of earlier attempts' writes.
#[derive(Debug, Clone, PartialEq)]
pub struct Adoption {
    /// The Task.
    pub task_id: Option<SalesforceId>,
    /// The Event.
    pub event_id: Option<SalesforceId>,
    /// Whether no earlier attempt's write can still commit.
    pub settled: bool,
}

/// What logs a call.
#[derive(Debug)]
pub struct Plan {
    /// What is written.
    pub operations: Operations,
    /// The row's reason once everything is done.
    pub note: Option<Reason>,
}

/// What is written for a call.
#[derive(Debug)]
pub enum Operations {
    /// Create the caller's Lead. The activities are then planned again, on it.
    CreateLead {
        /// The Lead.
        lead: NewLead,
        /// What the activities would be, for a preview.
        then: ActivityPlan<Option<SalesforceId>>,
    },
    /// Write the activities.
    Write(ActivityPlan<SalesforceId>),
}

/// What to do with the activities of a call. `Who`: the record that they are on.
#[derive(Debug)]
pub struct ActivityPlan<Who> {
    /// What to do with the Task, if anything.
    pub task: Option<Operation<TaskDraft<Who>>>,
    /// What to do with the Event, if anything.
    pub event: Option<Operation<EventDraft<Who>>>,
}

/// A Lead to create for the caller.
#[derive(Debug)]
pub struct NewLead {
    /// What is sent.
    pub draft: LeadDraft,
    /// Whether to override a duplicate rule that only warns.
    pub duplicates: Duplicates,
    /// The last write of the number's claim; creating the Lead requires that nobody has written the claim since.
    pub claim: Option<WriteId>,
}

/// What to do with one activity.
#[derive(Debug)]
pub enum Operation<D> {
    /// Create it.
    Create(D),
    /// Change some of its fields.
    Change(Change<D>),
    /// Leave it as it is, for this reason.
    Leave(Reason),
}

/// A change to an existing activity.
#[derive(Debug)]
pub struct Change<D> {
    /// The activity.
    pub id: SalesforceId,
    /// Everything it should say.
    pub draft: D,
    /// When it was last changed: the update is not applied if somebody has changed it since.
    pub modified_at: DateTime<Utc>,
    /// The fields that Ringlog created it with, if the journal has none.
    pub given: Option<Fields>,
    /// What differs.
    pub changes: Changes,
}
