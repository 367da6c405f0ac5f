//! What the domain asks of Salesforce, in its own words, and how it fails.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::ids::SalesforceId;

/// What a failure of Salesforce means for the work at hand (docs/salesforce-api.md#errors).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultClass {
    /// It will pass, and nothing was written: trying again is safe.
    Passing,
    /// A write may or may not have been committed: look before writing again.
    Ambiguous,
    /// It stays until somebody changes something in Salesforce.
    Permanent,
    /// The access token is no longer good; a refreshed one may be.
    Session,
    /// The refresh token is no longer good: only a user can connect again.
    GrantEnded,
    /// Salesforce refuses our client id or secret: the owner's configuration, not the workspace's.
    OwnConfiguration,
    /// Too many requests at once in this org: minutes.
    ConcurrentLimit,
    /// The org's requests of the day are used up: hours.
    DailyLimit,
    /// The record is gone, converted or out of reach: search again.
    RecordGone,
    /// A field or its value is refused; the fields are named.
    FieldRefused,
    /// Somebody has changed the record since it was read: read it again.
    Stale,
    /// The refresh token was refused in words that a passing trouble has too: ask once more before the grant is ended.
    GrantDoubtful,
    /// Nothing answers at the address of the token endpoint any more: the org's My Domain may have another name.
    AddressGone,
}

/// A failure of Salesforce, with everything that it said.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct CrmError {
    /// What it means for us.
    pub class: FaultClass,
    /// Salesforce's `errorCode` (or OAuth's `error`); for failures of the network `timeout`, `connection`.
    pub code: String,
    /// Salesforce's text, shortened; never a token, a number or a body of ours.
    pub message: String,
    /// The fields that Salesforce names.
    pub fields: Vec<String>,
    /// The HTTP status, where there was an answer.
    pub status: Option<u16>,
    /// The object that was being written, if the request wrote one.
    pub object: Option<WrittenObject>,
    /// The records that Salesforce says are there already, where it refuses a duplicate.
    pub records: Vec<SalesforceId>,
}

impl CrmError {
    /// Whether Salesforce did not answer in the time that a request has.
    #[must_use]
    pub fn timed_out(&self) -> bool {
        self.status.is_none() && self.code == "timeout"
    }
}

/// The objects that a call can be logged on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum RecordType {
    /// A Lead that is not converted.
    Lead,
    /// A Contact.
    Contact,
}

impl RecordType {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Lead, Self::Contact];

    /// The object of a record, by its id's key prefix (Salesforce Help 000385203); `None`: neither.
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
    /// The activity for the call.
    Task,
    /// The activity for the appointment.
    Event,
    /// The record of a caller whom nobody knew.
    Lead,
}

/// An org's use of its daily requests, from `Sforce-Limit-Info`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiUsage {
    /// Requests in the last 24 hours.
    pub used: u64,
    /// How many are allowed.
    pub limit: u64,
}

/// An answer of Salesforce, with what its headers said in passing.
#[derive(Debug, Clone)]
pub struct Answer<T> {
    /// The answer.
    pub value: T,
    /// The org's use of requests, where Salesforce told it.
    pub api_usage: Option<ApiUsage>,
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
    /// Its phone fields that are filled: API name and text.
    pub phones: Vec<(String, String)>,
    /// The record's country, as it is written there (`US`, `United States`), where it has one.
    pub country: Option<String>,
    /// `CreatedDate`.
    pub created_at: DateTime<Utc>,
    /// `LastModifiedDate`.
    pub modified_at: DateTime<Utc>,
}

/// What a search found. `full` where one object's page was full, so that records may be missing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Found {
    /// The records, as Salesforce ordered them.
    pub records: Vec<FoundRecord>,
    /// An object whose page (200) was full.
    pub full: Option<RecordType>,
    /// What was not asked for, or not asked by: what was known before, and what Salesforce refused now.
    pub omitted: Omitted,
}

/// What a search or a query leaves out because Salesforce refused it to the connected user: an object (`Lead`) or a field
/// (`Contact.HomePhone`).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Omitted {
    /// May not be read.
    pub unreadable: BTreeSet<String>,
    /// May be read, but not filtered by: encrypted fields, and an object of which such a query asks too much.
    pub unfilterable: BTreeSet<String>,
}

/// A record's fields by their API names, as they are sent.
pub type Fields = Map<String, Value>;

/// A Task or an Event as it stands in Salesforce.
#[derive(Debug, Clone, PartialEq)]
pub struct Activity {
    /// Its id.
    pub id: SalesforceId,
    /// The Lead or Contact that it is on; `None`: a person has taken it off.
    pub who_id: Option<SalesforceId>,
    /// The fields that may be read, instants as they are sent (`2027-01-20T14:00:00Z`).
    pub fields: Fields,
    /// `LastModifiedDate`.
    pub modified_at: DateTime<Utc>,
    /// Whether it is as it was created: nobody has changed it since.
    pub is_untouched: bool,
}

/// What stands in Salesforce for a call.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Activities {
    /// The Task.
    pub task: Option<Activity>,
    /// The Event.
    pub event: Option<Activity>,
}

/// Whether a Lead is made though a duplicate rule of the org warns of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Duplicates {
    /// The rule decides, and names the records.
    Refuse,
    /// A rule that only warns is passed over (`Sforce-Duplicate-Rule-Header: allowSave=true`); one that blocks still does.
    Allow,
}

/// The terms of a phone search: digits only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PhoneQuery {
    /// The national number: `2345678900`.
    pub national: String,
    /// The number with its country code: `12345678900`.
    pub international: String,
    /// What else people store for it: `02079460123`, `4402079460123`, `00442079460123`.
    pub others: Vec<String>,
}

/// The ids of what was written for a call.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Written {
    /// The Task.
    pub task_id: Option<SalesforceId>,
    /// The Event.
    pub event_id: Option<SalesforceId>,
}
