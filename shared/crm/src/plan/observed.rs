//! What an attempt has observed.

use std::collections::BTreeMap;

use calls::{ids::SalesforceId, reason::Reason};

use crate::{
    ledger::{Row, WriteId},
    matching::TurnedDown,
    records::{Activity, CrmError, Found, FoundRecord, Record, WrittenObject},
    workspace::Lessons,
};

use super::choice::Choice;

/// What Salesforce says of a record that is in the recycle bin or purged, and neither hidden nor converted.
const DELETED: &str = "ENTITY_IS_DELETED";
/// How many records may turn out to be gone, one after another, before that is an error.
const RECORDS_GONE: usize = 3;

/// What an attempt has observed, and what Salesforce refused.
#[derive(Debug, Default)]
pub struct Observed {
    /// The choice when something was last written or refused; at first the row's.
    pub choice: Choice,
    /// The record that earlier attempts chose.
    pub earlier: Option<Record>,
    /// Whether the call may have been worked on without the row telling of it.
    pub look_first: bool,
    /// Whose call it may be.
    pub search: Option<Search>,
    /// What earlier attempts wrote.
    pub look: Option<Looked>,
    /// How the caller's number stands.
    pub lead: Option<Lead>,
    /// The records that a duplicate rule named.
    pub duplicates: Option<Duplicates>,
    /// Whether a Lead was made in this attempt.
    pub made_lead: bool,
    /// The records that Salesforce refused because they are gone, in this order.
    pub gone: Vec<Gone>,
    /// The Contacts that Leads have become; `None`: not converted.
    pub conversions: BTreeMap<SalesforceId, Option<SalesforceId>>,
    /// The Task.
    pub task: Standing,
    /// The Event.
    pub event: Standing,
    /// The fields that were refused: `Task.Type`.
    pub refused_fields: Vec<String>,
    /// The status that was refused for a closed Task.
    pub refused_status: Option<(String, CrmError)>,
    /// The status that the org gives closed Tasks, once it was asked for.
    pub closed_status: Asked<String>,
    /// Why the Event was refused for good.
    pub refused_event: Option<Reason>,
}

/// The answer to a question that was perhaps not asked yet.
#[derive(Debug, Default)]
pub enum Asked<T> {
    /// It was not asked.
    #[default]
    NotYet,
    /// There is no such thing.
    Nothing,
    /// There is this.
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

    /// Whether it was not asked.
    pub fn is_open(&self) -> bool {
        matches!(self, Self::NotYet)
    }
}

impl<T> From<Option<T>> for Asked<T> {
    fn from(answer: Option<T>) -> Self {
        answer.map_or(Self::Nothing, Self::Found)
    }
}

/// What was found of whose call it is.
#[derive(Debug)]
pub enum Search {
    /// By the caller's number.
    ByNumber {
        /// What search found.
        found: Found,
        /// Whether something was left out unasked.
        left_out: bool,
        /// When it was asked, Unix seconds.
        asked_at: i64,
        /// What search does not know yet, once that was asked for.
        recent: Option<Recent>,
    },
    /// By the id in the call's metadata; `None`: no such record.
    Named(Option<FoundRecord>),
}

/// The records that a duplicate rule names.
#[derive(Debug)]
pub enum Duplicates {
    /// Their ids.
    Named(Vec<SalesforceId>),
    /// Those of them that are there.
    Read(Vec<FoundRecord>),
}

/// Records that search may not know yet. They only complete what it says.
#[derive(Debug)]
pub struct Recent {
    /// The records; none where Salesforce cannot be asked for them.
    pub found: Found,
    /// Whether new records are found only once search knows them.
    pub late: bool,
}

/// What a look found.
#[derive(Debug)]
pub struct Looked {
    /// Where it looked.
    pub places: Vec<SalesforceId>,
    /// When it was asked, Unix seconds.
    pub asked_at: i64,
    /// The Task, and the record that it is on.
    pub task: Option<(SalesforceId, Option<SalesforceId>)>,
    /// The Event.
    pub event_id: Option<SalesforceId>,
    /// Whether the row has taken it over.
    pub adopted: bool,
}

/// How a number stands that no other worker is making a Lead for.
#[derive(Debug, Clone, PartialEq)]
pub enum Lead {
    /// Its Lead has been made.
    Known(SalesforceId),
    /// It has none. With the last write of its claim, if there is one.
    Free(Option<WriteId>),
}

/// How an activity stands in Salesforce.
#[derive(Debug, Default)]
pub struct Standing {
    /// Whether this attempt has made it: it is up to date.
    pub created: bool,
    /// What was read; nothing: it is deleted or hidden.
    pub read: Asked<Activity>,
    /// How often somebody changed it between a read and its update.
    pub stale: u32,
    /// Why Salesforce does not let it be changed.
    pub unchangeable: Option<Reason>,
}

/// A record that Salesforce refused because it is gone.
#[derive(Debug)]
pub struct Gone {
    /// Which one, and why.
    pub record: TurnedDown,
    /// What Salesforce said.
    pub error: CrmError,
    /// Whether no other record is looked for.
    pub give_up: bool,
}

impl Gone {
    /// Salesforce says that it was deleted; it is not only out of reach.
    pub fn is_deleted(&self) -> bool {
        self.error.code == DELETED
    }
}

impl Observed {
    /// What is known at the start of an attempt.
    pub fn at_start(row: &Row, look_first: bool) -> Self {
        let choice = Choice { record: row.record.clone(), decision: row.decision.clone() };
        Self { earlier: row.record.clone(), choice, look_first, ..Self::default() }
    }

    /// An activity.
    pub fn activity(&mut self, object: WrittenObject) -> &mut Standing {
        if object == WrittenObject::Event { &mut self.event } else { &mut self.task }
    }

    /// The record of the choice is gone: whose call it is, is open again.
    pub fn record_gone(&mut self, record: &Record, error: CrmError) {
        let candidates = self.choice.decision.iter().flat_map(|decision| &decision.candidates);
        let name = candidates.filter(|candidate| candidate.id == record.id).find_map(|one| one.name.clone());
        // A Lead of this attempt that is gone at once is no reason to make another.
        let give_up = self.made_lead || self.is_gone(&record.id) || self.gone.len() == RECORDS_GONE;
        let (id, record_type) = (record.id.clone(), record.record_type);
        let record = TurnedDown { id, record_type, name, why: error.code.clone() };
        self.gone.push(Gone { record, error, give_up });
        (self.search, self.lead, self.duplicates) = (None, None, None);
    }

    /// Whether Salesforce refused this record because it is gone.
    pub fn is_gone(&self, id: &SalesforceId) -> bool {
        self.gone.iter().any(|gone| gone.record.id == *id)
    }

    /// Whether the org's new records are found only once search knows them.
    pub fn finds_new_records_late(&self) -> bool {
        match &self.search {
            Some(Search::ByNumber { recent: Some(recent), .. }) => recent.late,
            _ => false,
        }
    }

    /// What this attempt learned of the org's writes.
    pub fn lessons(&self) -> Lessons {
        let refused = self.refused_status.as_ref().map(|(status, _)| status);
        let closed_status = self.closed_status.found().filter(|status| refused != Some(*status)).cloned();
        Lessons { unwritable: self.refused_fields.clone(), closed_status, ..Lessons::default() }
    }
}
