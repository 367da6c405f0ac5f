//! What an attempt has observed.

use std::collections::BTreeMap;

use calls::{ids::SalesforceId, reason::Reason};

use crate::{
    lead::NumberClaim,
    ledger::Row,
    matching::TurnedDown,
    records::{Activity, CrmError, Found, FoundRecord, Record, WrittenObject},
    workspace::Lessons,
};

use super::choice::Choice;

/// Salesforce's error code for a record that is in the recycle bin or purged, rather than hidden or converted.
const DELETED: &str = "ENTITY_IS_DELETED";

/// What an attempt has observed, including what Salesforce refused.
#[derive(Debug, Default)]
pub struct Observed {
    /// The choice when something was last written or refused; initially the row's.
    pub choice: Choice,
    /// The record that earlier attempts chose.
    pub earlier: Option<Record>,
    /// Whether the call may have been worked on without a trace in the row.
    pub look_first: bool,
    /// The records that may be the caller's.
    pub search: Option<Search>,
    /// What earlier attempts wrote.
    pub look: Option<Looked>,
    /// The claim on the caller's number.
    pub claim: Option<ReadClaim>,
    /// What was read of the Lead that the claim names; `None`: it is deleted or hidden.
    pub claimed_lead: Option<(SalesforceId, Option<FoundRecord>)>,
    /// The records that a duplicate rule named.
    pub duplicates: Option<NamedDuplicates>,
    /// The Lead that this attempt created.
    pub made_lead: Option<SalesforceId>,
    /// The records that Salesforce refused because they are gone, in order.
    pub gone: Vec<Gone>,
    /// The Contacts that Leads were converted to; `None`: not converted.
    pub conversions: BTreeMap<SalesforceId, Option<SalesforceId>>,
    /// The Task.
    pub task: ActivityState,
    /// The Event.
    pub event: ActivityState,
    /// The fields that were refused: `Task.Type`.
    pub refused_fields: Vec<String>,
    /// The status that was refused for a closed Task.
    pub refused_status: Option<(String, CrmError)>,
    /// The org's status for closed Tasks.
    pub closed_status: Asked<String>,
    /// Why the Event was refused for good.
    pub refused_event: Option<Reason>,
}

/// The answer to a question that may not have been asked yet.
#[derive(Debug, Default)]
pub enum Asked<T> {
    /// Not asked yet.
    #[default]
    NotYet,
    /// It does not exist.
    Nothing,
    /// It exists.
    Found(T),
}

impl<T> Asked<T> {
    /// What was found.
    pub fn found(&self) -> Option<&T> {
        match self {
            Self::Found(found) => Some(found),
            Self::NotYet | Self::Nothing => None,
        }
    }

    /// Whether it has not been asked.
    pub fn is_open(&self) -> bool {
        matches!(self, Self::NotYet)
    }
}

impl<T> From<Option<T>> for Asked<T> {
    fn from(answer: Option<T>) -> Self {
        answer.map_or(Self::Nothing, Self::Found)
    }
}

/// What was found about whose call it is.
#[derive(Debug)]
pub enum Search {
    /// By the caller's number.
    ByNumber {
        /// What search found.
        found: Found,
        /// Whether objects or fields were left out because the org refused them before this attempt.
        left_out: bool,
        /// When the search was sent, Unix seconds.
        asked_at: i64,
        /// The records that search may not have indexed yet, once they were asked for.
        recent: Option<Recent>,
    },
    /// By the id in the call's metadata; `None`: there is no such record.
    Named(Option<FoundRecord>),
}

/// The records that a duplicate rule names.
#[derive(Debug)]
pub enum NamedDuplicates {
    /// Their ids.
    Named(Vec<SalesforceId>),
    /// Those of them that exist.
    Read(Vec<FoundRecord>),
}

/// The answer to the query for records that search may not have indexed yet.
pub type Recent = Result<Found, CrmError>;

/// What a look found.
#[derive(Debug)]
pub struct Looked {
    /// The records that it covered.
    pub places: Vec<SalesforceId>,
    /// When it was sent, Unix seconds.
    pub asked_at: i64,
    /// The Task, and the record it is on.
    pub task: Option<(SalesforceId, Option<SalesforceId>)>,
    /// The Event.
    pub event_id: Option<SalesforceId>,
    /// Whether the row has taken this over.
    pub adopted: bool,
}

/// The claim on a number, as it was read.
#[derive(Debug, Clone)]
pub struct ReadClaim(pub Option<NumberClaim>);

/// The state of an activity in Salesforce.
#[derive(Debug, Default)]
pub struct ActivityState {
    /// Whether this attempt created it, so that it is up to date.
    pub created: bool,
    /// What was read; `Nothing`: it is deleted or hidden.
    pub read: Asked<Activity>,
    /// How often somebody changed it between our read and our update.
    pub stale: u32,
    /// Why Salesforce does not allow it to be changed.
    pub unchangeable: Option<Reason>,
}

/// A record that Salesforce refused because it is gone.
#[derive(Debug)]
pub struct Gone {
    /// Which one, and why.
    pub record: TurnedDown,
    /// What Salesforce said.
    pub error: CrmError,
    /// Whether to stop searching for another record.
    pub give_up: bool,
}

impl Gone {
    /// Whether Salesforce says that it was deleted, and is not merely inaccessible.
    pub fn is_deleted(&self) -> bool {
        self.error.code == DELETED
    }
}

impl Observed {
    /// What is known when an attempt starts.
    pub fn at_start(row: &Row, look_first: bool) -> Self {
        let choice = Choice { record: row.record.clone(), decision: row.decision.clone() };
        Self { earlier: row.record.clone(), choice, look_first, ..Self::default() }
    }

    /// The state of the Task or the Event.
    pub fn activity(&mut self, object: WrittenObject) -> &mut ActivityState {
        if object == WrittenObject::Event { &mut self.event } else { &mut self.task }
    }

    /// Whether Salesforce refused this record because it is gone.
    pub fn is_gone(&self, id: &SalesforceId) -> bool {
        self.gone.iter().any(|gone| gone.record.id == *id)
    }

    /// Whether the org's new records are found only once search has indexed them.
    pub fn finds_new_records_late(&self) -> bool {
        match &self.search {
            Some(Search::ByNumber { recent: Some(recent), .. }) => {
                recent.as_ref().map_or(true, |found| !found.omitted.unfilterable.is_empty())
            }
            _ => false,
        }
    }

    /// What this attempt learned about writing to the org.
    pub fn lessons(&self) -> Lessons {
        let refused = self.refused_status.as_ref().map(|(status, _)| status);
        let closed_status = self.closed_status.found().filter(|status| refused != Some(*status)).cloned();
        Lessons { unwritable: self.refused_fields.clone(), closed_status, ..Lessons::default() }
    }
}
