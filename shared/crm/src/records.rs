//! What Ringlog needs from Salesforce, in the domain's terms, and how it fails.

use std::collections::BTreeSet;

pub use calls::codes::salesforce::FaultClass;
use calls::{
    codes::{faults, salesforce::QUERY_TIMEOUT},
    ids::SalesforceId,
};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// A Salesforce failure, with everything that Salesforce said about it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct CrmError {
    /// What it means for us.
    pub class: FaultClass,
    /// Salesforce's `errorCode` (or OAuth's `error`); for network failures `timeout` or `connection`.
    pub code: String,
    /// Salesforce's message, shortened; never contains a token, a phone number or request content.
    pub message: String,
    /// The fields that Salesforce names.
    pub fields: Vec<String>,
    /// The HTTP status, if there was a response.
    pub status: Option<u16>,
    /// The object that was being written, if the request wrote one.
    pub object: Option<WrittenObject>,
    /// The existing records that Salesforce names when it refuses a duplicate.
    pub records: Vec<SalesforceId>,
}

impl CrmError {
    /// Whether Salesforce did not respond within a request's timeout.
    #[must_use]
    pub fn timed_out(&self) -> bool {
        self.status.is_none() && self.code == faults::TIMEOUT.code
    }

    /// Whether a query takes Salesforce longer than it allows.
    #[must_use]
    pub fn query_timed_out(&self) -> bool {
        self.code == QUERY_TIMEOUT
    }
}

/// The types of record that a call can be logged on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub enum RecordType {
    /// An unconverted Lead.
    Lead,
    /// A Contact.
    Contact,
}

impl RecordType {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Lead, Self::Contact];

    /// The type of the record with this id, by the id's key prefix (Salesforce Help 000385203); `None` for other
    /// objects.
    pub fn of(id: &SalesforceId) -> Option<Self> {
        match id.key_prefix() {
            "00Q" => Some(Self::Lead),
            "003" => Some(Self::Contact),
            _ => None,
        }
    }
}

/// The objects that Ringlog writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WrittenObject {
    /// The activity that logs the call.
    Task,
    /// The activity that puts the appointment into the calendar.
    Event,
    /// The new record of a caller who had none.
    Lead,
}

/// An org's use of its API requests.
// From `Sforce-Limit-Info`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct ApiUsage {
    /// Requests in the last 24 hours.
    pub used: u64,
    /// The limit.
    pub limit: u64,
}

/// A Salesforce response, with the limit information from its headers.
#[derive(Debug, Clone)]
pub struct Answer<T> {
    /// The content.
    pub value: T,
    /// The org's use of requests, if the response had it.
    pub api_usage: Option<ApiUsage>,
}

/// A Lead or a Contact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Record {
    /// Its object.
    pub record_type: RecordType,
    /// Its id.
    pub id: SalesforceId,
}

impl Record {
    /// The record with this id; `None` if it is neither a Lead nor a Contact.
    pub fn of(id: &SalesforceId) -> Option<Self> {
        Some(Self { record_type: RecordType::of(id)?, id: id.clone() })
    }
}

/// A record with a phone number like the caller's, as Salesforce found it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FoundRecord {
    /// Its id.
    pub id: SalesforceId,
    /// Its object.
    pub record_type: RecordType,
    /// Its name, for people.
    pub name: Option<String>,
    /// Its non-empty phone fields: API name and text.
    pub phones: Vec<(String, String)>,
    /// The record's country as stored (`US`, `United States`), if there is one.
    pub country: Option<String>,
    /// `CreatedDate`.
    pub created_at: DateTime<Utc>,
    /// `LastModifiedDate`.
    pub modified_at: DateTime<Utc>,
}

/// What a search found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Found {
    /// The records, in Salesforce's order.
    pub records: Vec<FoundRecord>,
    /// An object whose page (200 records) was full, so that records may be missing.
    pub full: Option<RecordType>,
    /// What was left out: what was known before, and what Salesforce refused now.
    pub omitted: Omitted,
}

/// What a search or query leaves out because Salesforce refused it to the connected user: objects (`Lead`) and fields
/// (`Contact.HomePhone`).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Omitted {
    /// Cannot be read.
    pub unreadable: BTreeSet<String>,
    /// Can be read, but not used in a filter: encrypted fields, and objects for which such a query is too expensive.
    pub unfilterable: BTreeSet<String>,
}

/// An object's fields by API name, as they are sent.
pub type Fields = Map<String, Value>;

/// A Task or Event as it is in Salesforce.
#[derive(Debug, Clone, PartialEq)]
pub struct Activity {
    /// Its id.
    pub id: SalesforceId,
    /// The Lead or Contact that it is on; `None` if a person removed it.
    pub who_id: Option<SalesforceId>,
    /// The readable fields; instants in the form in which they are sent (`2027-01-20T14:00:00Z`).
    pub fields: Fields,
    /// `LastModifiedDate`.
    pub modified_at: DateTime<Utc>,
    /// Whether nobody has changed it since it was created.
    pub is_untouched: bool,
}

/// A call's activities in Salesforce.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Activities {
    /// The Task.
    pub task: Option<Activity>,
    /// The Event.
    pub event: Option<Activity>,
}

/// Whether a Lead is created although one of the org's duplicate rules reports a duplicate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Duplicates {
    /// The rule decides, and names the records.
    Refuse,
    /// Overrides a rule that only warns (`Sforce-Duplicate-Rule-Header: allowSave=true`); one that blocks still does.
    Allow,
}

/// The terms of a phone search: digits only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PhoneQuery {
    /// The national number: `2345678900`.
    pub national: String,
    /// The number with its country code: `12345678900`.
    pub international: String,
    /// Other ways to write it: `02079460123`, `4402079460123`, `00442079460123`.
    pub others: Vec<String>,
}

/// The ids of the activities that were written for a call.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Written {
    /// The Task.
    pub task_id: Option<SalesforceId>,
    /// The Event.
    pub event_id: Option<SalesforceId>,
}
