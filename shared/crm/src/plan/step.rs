//! A plan as data: what it is made from, what it needs to know, and what is to be done.

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

/// What a plan is made from.
#[derive(Clone, Copy)]
pub struct Known<'a> {
    /// The row. Its ids and its journal count; the record and the decision in it are those of the plan before.
    pub row: &'a Row,
    /// The settings, and what was learned of the org.
    pub workspace: &'a Workspace,
    /// Whom the call is with.
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

/// A plan, as far as what is known goes.
#[derive(Debug)]
pub struct Step {
    /// Whose call it is, as far as that is known.
    pub choice: Choice,
    /// What comes next.
    pub next: Next,
}

/// What comes next.
#[derive(Debug)]
pub enum Next {
    /// Observe this, then plan again.
    Observe(Question),
    /// Take over what an earlier attempt wrote, then plan again.
    Adopt(Adoption),
    /// Carry these operations out.
    Write(Box<Plan>),
    /// There is nothing to write.
    End(Ending),
}

/// What an attempt may have to know.
#[derive(Debug, Clone, PartialEq)]
pub enum Question {
    /// Which records does search find by the caller's number? `everything`: ask also for what is left out unasked.
    Search {
        /// Whether a known refusal may have passed.
        everything: bool,
    },
    /// Which records has search not indexed yet?
    Recent,
    /// Is the record there that the call's metadata names?
    Named(SalesforceId),
    /// Which Contact has this Lead become?
    Conversion(SalesforceId),
    /// What did earlier attempts write?
    Look {
        /// On which records, the likeliest first.
        places: Vec<SalesforceId>,
        /// Whether the Task may be older than the call's first report.
        may_be_older: bool,
    },
    /// Was a Lead made for the caller's number, or may one be made? `gone`: a Lead not to be used any more.
    Lead {
        /// The record that Salesforce refused last.
        gone: Option<SalesforceId>,
    },
    /// Which of the records that a duplicate rule names has the caller's number?
    Duplicates(Vec<SalesforceId>),
    /// How do the Task and the Event stand in Salesforce?
    Activities {
        /// The Task, if it is to be read.
        task_id: Option<SalesforceId>,
        /// The Event, if it is to be read.
        event_id: Option<SalesforceId>,
    },
    /// Which status do the org's closed Tasks have?
    ClosedStatus,
}

/// What a look found of earlier attempts.
#[derive(Debug, Clone, PartialEq)]
pub struct Adoption {
    /// The Task.
    pub task_id: Option<SalesforceId>,
    /// The Event.
    pub event_id: Option<SalesforceId>,
    /// Whether nothing that an earlier attempt sent can still appear.
    pub settled: bool,
}

/// The record that an activity is about; `None` while its Lead is still to be made.
pub(super) type Who = Option<SalesforceId>;

/// The operations that log a call, in this order.
#[derive(Debug, Default)]
pub struct Plan {
    /// The Lead that is made first. The activities are then planned again, about it.
    pub lead: Option<NewLead>,
    /// What is done with the Task, if anything.
    pub task: Option<Operation<TaskDraft<Who>>>,
    /// What is done with the Event, if anything.
    pub event: Option<Operation<EventDraft<Who>>>,
    /// What the row says once all of it is done.
    pub note: Option<Reason>,
}

/// A Lead that is made for the caller.
#[derive(Debug)]
pub struct NewLead {
    /// What is sent.
    pub draft: LeadDraft,
    /// Whether a duplicate rule that only warns is passed over.
    pub duplicates: Duplicates,
    /// The last write of the number's claim, which nobody else may have followed.
    pub claim: Option<WriteId>,
}

/// What is done with one activity.
#[derive(Debug)]
pub enum Operation<D> {
    /// It is made.
    Create(D),
    /// Some of its fields are changed.
    Change(Change<D>),
    /// It stays as it is, for this reason.
    Leave(Reason),
}

/// A change of an activity that stands in Salesforce.
#[derive(Debug)]
pub struct Change<D> {
    /// Which one.
    pub id: SalesforceId,
    /// All that is wanted of it.
    pub draft: D,
    /// When somebody changed it last: it is left alone if it was changed since.
    pub modified_at: DateTime<Utc>,
    /// What Ringlog gave it at its creation, where the journal does not know.
    pub given: Option<Fields>,
    /// The difference.
    pub changes: Changes,
}
