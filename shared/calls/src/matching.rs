//! Matching: which of the records that Salesforce found is the caller (design.md §7).

use serde::{Deserialize, Serialize};

use crate::{ids::SalesforceId, workspace::RecordType};

/// How exactly a stored number is the caller's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Exactness {
    /// The same number, country code and all.
    Exact,
    /// The same national number; the record has no country code.
    National,
}

/// A record that has the caller's number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Candidate {
    /// Its id.
    pub id: SalesforceId,
    /// Its object.
    pub record_type: RecordType,
    /// Its name, for people.
    pub name: Option<String>,
    /// The field that has the number.
    pub field: String,
    /// How exactly.
    pub exactness: Exactness,
}

/// The rule that chose, or that refused to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// There was one candidate.
    OnlyCandidate,
    /// Its object comes first in `matchOrder`, and it was the only one of it.
    MatchOrder,
    /// Of several, the one modified last.
    MostRecent,
    /// Of several, the one created first.
    FirstCreated,
    /// Of several, none: `multipleMatches` is `skip`.
    SkipMultiple,
    /// There was no candidate.
    NoCandidate,
    /// The record was chosen at an earlier attempt, and stays.
    Earlier,
}

/// How the record was chosen: kept in the row and shown to people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Decision {
    /// What decided.
    pub rule: Rule,
    /// The choice.
    pub chosen: Option<(RecordType, SalesforceId)>,
    /// All records that have the number, best first.
    pub candidates: Vec<Candidate>,
}
