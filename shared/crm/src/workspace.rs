//! A workspace: its settings (docs/contract.md#settings), its connection to Salesforce, and its webhook secret's
//! versions.

use std::collections::BTreeMap;

use calls::{
    call::Direction,
    ids::{SalesforceId, WorkspaceId},
    time_zone::TimeZone,
    timings::REMEMBERED_FOR,
};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use crate::{
    breaker::Breaker,
    lease::Lease,
    places::Places,
    records::{CrmError, FaultClass, Omitted, RecordType},
};

/// How to choose among several records of one type with the caller's number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum MultipleMatches {
    /// The most recently modified one.
    #[default]
    MostRecent,
    /// The one created first.
    FirstCreated,
    /// None: the call is `skipped`, and the candidates are listed.
    Skip,
}

/// What happens to a call whose caller has no record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum NoMatch {
    /// The call stays `not_found`.
    #[default]
    Skip,
    /// A Lead is created. Leads are searched too, after the objects of `matchOrder`.
    CreateLead,
}

/// A workspace's settings. Each has its default until somebody sets it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(deny_unknown_fields))]
#[serde(rename_all = "camelCase", default)]
pub struct Settings {
    /// The IANA time zone of dates and times without one. The first connect takes it from the Salesforce user.
    #[cfg_attr(feature = "openapi", schemars(with = "String", example = &"America/New_York"))]
    pub time_zone: TimeZone,
    /// The ISO 3166 country of numbers without a country code. The first connect takes it from the organization.
    #[cfg_attr(feature = "openapi", schemars(extend("pattern" = "^[A-Z]{2}$"), example = &"US"))]
    pub default_country: String,
    /// The Salesforce host where this workspace's users log in; null: the deployment's. The address of any page in
    /// Lightning or Setup, `https://acme.lightning.force.com/lightning/page/home`, is stored as the org's My Domain,
    /// `https://acme.my.salesforce.com`.
    #[cfg_attr(feature = "openapi", schemars(example = &"https://acme.my.salesforce.com"))]
    pub login_url: Option<String>,
    /// The objects to search, in order of preference.
    // See `Self::searched`.
    #[cfg_attr(feature = "openapi", schemars(length(min = 1), extend("uniqueItems" = true)))]
    pub match_order: Vec<RecordType>,
    /// How to choose among several records of one type.
    pub multiple_matches: MultipleMatches,
    /// What happens if there is no match.
    pub no_match: NoMatch,
    /// Whether to search by a number that the caller gave during the call, if the call itself has none or a
    /// withheld one. The given number is unverified. Sent only if true; a PUT without it leaves it unchanged.
    // Omitted when false, so that older settings keep their form and entity tag.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub use_given_number: bool,
    /// The length of an appointment for which the call does not say one, in minutes.
    #[cfg_attr(
        feature = "openapi",
        schemars(range(min = *calls::limits::APPOINTMENT_MINUTES.start(), max = *calls::limits::APPOINTMENT_MINUTES.end()))
    )]
    pub appointment_duration_minutes: u32,
    /// Whether the transcript is written to Salesforce.
    pub include_transcript: bool,
    /// Which calls are logged.
    #[cfg_attr(feature = "openapi", schemars(length(min = 1), extend("uniqueItems" = true)))]
    pub call_types: Vec<Direction>,
    /// How many days a call is kept after it has reached a final status.
    #[cfg_attr(
        feature = "openapi",
        schemars(range(min = *calls::limits::RETENTION_DAYS.start(), max = *calls::limits::RETENTION_DAYS.end()))
    )]
    pub retention_days: u32,
}

impl Settings {
    /// The objects to search, first to last: those in `matchOrder`, then Leads if a Lead would be created otherwise,
    /// so that a caller with a Lead gets no second one.
    pub fn searched(&self) -> Vec<RecordType> {
        let mut objects = self.match_order.clone();
        if self.no_match == NoMatch::CreateLead && !objects.contains(&RecordType::Lead) {
            objects.push(RecordType::Lead);
        }
        objects
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            time_zone: TimeZone::UTC,
            default_country: "US".to_owned(),
            login_url: None,
            match_order: vec![RecordType::Lead, RecordType::Contact],
            multiple_matches: MultipleMatches::default(),
            no_match: NoMatch::default(),
            use_given_number: false,
            appointment_duration_minutes: 60,
            include_transcript: false,
            call_types: vec![Direction::Inbound, Direction::Outbound],
            retention_days: 90,
        }
    }
}

/// The state of a workspace's connection to Salesforce.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum ConnectionState {
    /// There are tokens, and none is known to be invalid.
    Connected,
    /// Salesforce rejected the refresh token; a user has to reconnect.
    ReconnectRequired,
    /// Never connected, or disconnected by a user.
    Disconnected,
}

/// The tokens of one grant, and the org that they belong to.
#[derive(Debug, Clone)]
pub struct Connection {
    /// Identifies these tokens: incremented whenever the tokens change, across disconnects.
    pub version: u64,
    /// `https://….my.salesforce.com`, checked against the allowed hosts.
    pub instance_url: String,
    /// The login host that issued the tokens, and that refreshes and revokes them.
    pub login_url: String,
    /// The org.
    pub org_id: SalesforceId,
    /// The user that Ringlog writes as.
    pub user_id: SalesforceId,
    /// The access token.
    pub access_token: SecretString,
    /// The refresh token.
    pub refresh_token: SecretString,
}

/// The valid versions of the webhook secret (docs/contract.md#the-webhook-secret). Version 0: none was ever issued.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct WebhookSecretVersions {
    /// The newest.
    pub current: u64,
    /// The oldest that is still valid.
    pub oldest_valid: u64,
}

/// What a worker needs to know about a workspace: one item of the settings table.
#[derive(Debug, Clone)]
pub struct Workspace {
    /// Its id.
    pub id: WorkspaceId,
    /// Its settings.
    pub settings: Settings,
    /// The state of its connection.
    pub state: ConnectionState,
    /// Why a reconnect is required, for people.
    pub state_reason: Option<String>,
    /// The tokens; present exactly when the state is `connected`.
    pub connection: Option<Connection>,
    /// `connection_version`, also while disconnected.
    pub connection_version: u64,
    /// The lease on refreshing the tokens.
    pub refresh_lease: Option<Lease>,
    /// The webhook secret's versions.
    pub webhook_secret: WebhookSecretVersions,
    /// The org's request limit is reached: calls are paused until then (Unix seconds).
    pub paused_until: Option<i64>,
    /// What is known about the org's requests without an answer.
    pub breaker: Option<Breaker>,
    /// The last refresh that failed since the tokens were issued.
    pub failed_refresh: Option<FailedRefresh>,
    /// Which of its places are taken.
    pub places: Places,
    /// What was recently learned about the org.
    pub learned: Learned,
    /// Since when nothing has responded at the token endpoint's address, Unix seconds.
    pub address_gone_since: Option<i64>,
}

/// A refresh that failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailedRefresh {
    /// The owner of its lease, which is different for each refresh.
    pub owner: String,
    /// The error's code.
    pub code: String,
}

impl FailedRefresh {
    /// What it means for a worker that waited for it: nothing was written, and it may pass.
    pub fn error(&self) -> CrmError {
        CrmError {
            class: FaultClass::Passing,
            code: self.code.clone(),
            message: "another worker could not refresh the session".to_owned(),
            fields: Vec::new(),
            status: None,
            object: None,
            records: Vec::new(),
        }
    }
}

impl Workspace {
    /// A workspace that is not in the table yet.
    pub fn unknown(id: WorkspaceId) -> Self {
        Self {
            id,
            settings: Settings::default(),
            state: ConnectionState::Disconnected,
            state_reason: None,
            connection: None,
            connection_version: 0,
            refresh_lease: None,
            webhook_secret: WebhookSecretVersions::default(),
            paused_until: None,
            breaker: None,
            failed_refresh: None,
            places: Places::default(),
            learned: Learned::default(),
            address_gone_since: None,
        }
    }
}

/// What workers learned about an org. The first call of a day makes a few extra requests for it, the others
/// none. Bounded by the fields that Ringlog writes and reads. Deleted with the connection to the org.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Learned {
    /// Optional fields that the user may not write, or whose value the org does not accept: `Task.CallDisposition`.
    pub unwritable: RefusedFields,
    /// Objects and fields that the user may not read: `Contact.HomePhone`.
    pub unreadable: RefusedFields,
    /// Objects and fields that Salesforce cannot filter by: `Contact.Phone`, if it is encrypted.
    pub unfilterable: RefusedFields,
    /// The status of closed Tasks, if the org has no `Completed`.
    pub closed_status: Option<ClosedStatus>,
}

/// A status of closed Tasks, and when to ask for it again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClosedStatus {
    /// Its API name.
    pub name: String,
    /// Unix seconds.
    pub until: i64,
}

/// What one attempt learned.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Lessons {
    /// Fields that Salesforce refused to write.
    pub unwritable: Vec<String>,
    /// What Salesforce refused to read or filter by.
    pub omitted: Omitted,
    /// The status that Salesforce accepted for a closed Task.
    pub closed_status: Option<String>,
}

impl Lessons {
    /// Whether nothing was learned.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl Learned {
    /// Takes over from `newer` each kind that has new `lessons`.
    pub fn take(&mut self, newer: &Self, lessons: &Lessons) {
        if !lessons.unwritable.is_empty() {
            self.unwritable.clone_from(&newer.unwritable);
        }
        if !lessons.omitted.unreadable.is_empty() {
            self.unreadable.clone_from(&newer.unreadable);
        }
        if !lessons.omitted.unfilterable.is_empty() {
            self.unfilterable.clone_from(&newer.unfilterable);
        }
        if lessons.closed_status.is_some() {
            self.closed_status.clone_from(&newer.closed_status);
        }
    }

    /// What searches and queries leave out at `now`.
    pub fn omitted(&self, now: i64) -> Omitted {
        let names = |fields: &RefusedFields| fields.at(now).map(str::to_owned).collect();
        Omitted { unreadable: names(&self.unreadable), unfilterable: names(&self.unfilterable) }
    }

    /// The remembered status of closed Tasks at `now`.
    pub fn closed_status(&self, now: i64) -> Option<&str> {
        self.closed_status.as_ref().filter(|status| status.until > now).map(|status| status.name.as_str())
    }

    /// Adds what was learned at `now`, and drops what has expired.
    #[must_use]
    pub fn with(&self, lessons: &Lessons, now: i64) -> Self {
        let Omitted { unreadable, unfilterable } = lessons.omitted.clone();
        let new = lessons.closed_status.clone();
        let new = new.map(|name| ClosedStatus { name, until: now + REMEMBERED_FOR.num_seconds() });
        Self {
            unwritable: self.unwritable.with(lessons.unwritable.iter().cloned(), now),
            unreadable: self.unreadable.with(unreadable, now),
            unfilterable: self.unfilterable.with(unfilterable, now),
            closed_status: new.or_else(|| self.closed_status.clone().filter(|status| status.until > now)),
        }
    }
}

/// Names, each with the time (Unix seconds) after which it is no longer left out.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RefusedFields(BTreeMap<String, i64>);

impl RefusedFields {
    /// The names that are left out at `now`.
    pub fn at(&self, now: i64) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |(_, until)| **until > now).map(|(field, _)| field.as_str())
    }

    /// Adds those that were refused at `now`, and drops expired ones.
    #[must_use]
    pub fn with(&self, fields: impl IntoIterator<Item = String>, now: i64) -> Self {
        let known = self.at(now).map(|field| (field.to_owned(), self.0[field]));
        let new = fields.into_iter().map(|field| (field, now + REMEMBERED_FOR.num_seconds()));
        Self(known.chain(new).collect())
    }
}
