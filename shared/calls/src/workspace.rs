//! A workspace: its settings (docs/contract.md#settings), its connection to Salesforce, and the versions of its webhook
//! secret.

use std::collections::BTreeMap;

use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use crate::{
    crm::{Omitted, RecordType},
    ids::{SalesforceId, WorkspaceId},
    lease::Lease,
    time_zone::TimeZone,
};

/// What decides between several records of one type with the caller's number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MultipleMatches {
    /// The one modified last.
    #[default]
    MostRecent,
    /// The one created first.
    FirstCreated,
    /// None: the call is `skipped`, with the candidates.
    Skip,
}

/// What happens when no record has the caller's number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoMatch {
    /// The call stays `not_found`.
    #[default]
    Skip,
    /// A Lead is created.
    CreateLead,
}

/// The direction of a logged call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// To the agent.
    Inbound,
    /// By the agent.
    Outbound,
}

/// A workspace's settings. What is missing in the table takes its default.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Settings {
    /// Where local times and dates are meant. Taken from the Salesforce user at connect.
    pub time_zone: TimeZone,
    /// ISO 3166 country of numbers that are written without a country code.
    pub default_country: String,
    /// The Salesforce host where this workspace's users log in; absent: the deployment's.
    pub login_url: Option<String>,
    /// Which object wins, first to last; see [`Self::searched`].
    pub match_order: Vec<RecordType>,
    /// What decides among records of one type.
    pub multiple_matches: MultipleMatches,
    /// What happens without a match.
    pub no_match: NoMatch,
    /// Whether a caller whose call has no number is looked for by one that they gave in it. Shown only where it is so: the
    /// settings that were there before it keep their form and their entity tag.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub use_given_number: bool,
    /// An appointment's length where the call does not say it.
    pub appointment_duration_minutes: u32,
    /// Whether the transcript is written to Salesforce.
    pub include_transcript: bool,
    /// Which calls are logged.
    pub call_types: Vec<Direction>,
    /// How long a final ledger row is kept.
    pub retention_days: u32,
}

impl Settings {
    /// The objects whose records may be the caller, first to last: those of `matchOrder`, and where a Lead would be made
    /// otherwise, Leads after them. A caller who has one gets no other.
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

/// Where a workspace stands with Salesforce.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConnectionState {
    /// There are tokens, and nothing is known against them.
    Connected,
    /// Salesforce refused the refresh token; a user must connect again.
    ReconnectRequired,
    /// Never connected, or disconnected by a user.
    Disconnected,
}

/// The tokens of one grant, and where they are good.
#[derive(Debug, Clone)]
pub struct Connection {
    /// Rises with every change of tokens, across disconnects too, and so names these tokens.
    pub version: u64,
    /// `https://….my.salesforce.com`, checked against the allowed hosts.
    pub instance_url: String,
    /// The login host that issued the tokens, where they are refreshed and revoked.
    pub login_url: String,
    /// The org.
    pub org_id: SalesforceId,
    /// The user in whose name Ringlog writes.
    pub user_id: SalesforceId,
    /// The session.
    pub access_token: SecretString,
    /// What buys a new session.
    pub refresh_token: SecretString,
}

/// The versions of the webhook secret that are in use (docs/contract.md#the-webhook-secret). Version 0: none was ever
/// issued.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct WebhookSecretVersions {
    /// The newest.
    pub current: u64,
    /// The oldest that still counts.
    pub oldest_valid: u64,
}

/// What the ledger's worker needs to know of a workspace: one item of the settings table.
#[derive(Debug, Clone)]
pub struct Workspace {
    /// Who it is.
    pub id: WorkspaceId,
    /// Its rules.
    pub settings: Settings,
    /// Where it stands with Salesforce.
    pub state: ConnectionState,
    /// Why a reconnect is required, for people.
    pub state_reason: Option<String>,
    /// The tokens; present exactly when the state is `connected`.
    pub connection: Option<Connection>,
    /// `connection_version`, also while disconnected.
    pub connection_version: u64,
    /// Who refreshes the tokens just now, and until when (Unix seconds) nobody else may.
    pub refresh_lease: Option<Lease>,
    /// The webhook secret's versions.
    pub webhook_secret: WebhookSecretVersions,
    /// The org's request limit is reached: no call is worked on until then (Unix seconds).
    pub paused_until: Option<i64>,
    /// What the org taught lately.
    pub learned: Learned,
    /// Since when nothing answers at the token endpoint's address, Unix seconds.
    pub address_gone_since: Option<i64>,
}

impl Workspace {
    /// A workspace that the table does not know yet.
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
            learned: Learned::default(),
            address_gone_since: None,
        }
    }
}

/// How long what an org refused is left out unasked, seconds (docs/contract.md#refusals).
const REMEMBERED_FOR: i64 = 24 * 60 * 60;

/// What workers learned of an org: it costs the first call some requests more, and the others of the day none. Bounded by
/// the fields that Ringlog writes and reads. Ends with the connection to the org.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Learned {
    /// Optional fields that may not be written, or whose value the org does not know: `Task.CallDisposition`.
    pub unwritable: RefusedFields,
    /// Objects and fields that may not be read: `Contact.HomePhone`.
    pub unreadable: RefusedFields,
    /// Objects and fields that Salesforce does not filter by: `Contact.Phone`, where it is encrypted.
    pub unfilterable: RefusedFields,
    /// The status that closed Tasks have, where the org has no `Completed`.
    pub closed_status: Option<ClosedStatus>,
}

/// A status of closed Tasks, and until when it is taken unasked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClosedStatus {
    /// Its API name.
    pub name: String,
    /// Unix seconds.
    pub until: i64,
}

/// What one attempt has learned.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Lessons {
    /// Fields that Salesforce did not write.
    pub unwritable: Vec<String>,
    /// What it did not read or filter by.
    pub omitted: Omitted,
    /// The status that it took for a closed Task.
    pub closed_status: Option<String>,
}

impl Lessons {
    /// Whether nothing was learned.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl Learned {
    /// Takes over what there are new `lessons` of.
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

    /// What reads leave out unasked at `now`.
    pub fn omitted(&self, now: i64) -> Omitted {
        let names = |fields: &RefusedFields| fields.at(now).map(str::to_owned).collect();
        Omitted { unreadable: names(&self.unreadable), unfilterable: names(&self.unfilterable) }
    }

    /// The status of closed Tasks that is known at `now`.
    pub fn closed_status(&self, now: i64) -> Option<&str> {
        self.closed_status.as_ref().filter(|status| status.until > now).map(|status| status.name.as_str())
    }

    /// With what was learned at `now`, and without what may be tried again.
    #[must_use]
    pub fn with(&self, lessons: &Lessons, now: i64) -> Self {
        let Omitted { unreadable, unfilterable } = lessons.omitted.clone();
        let new = lessons.closed_status.clone();
        let new = new.map(|name| ClosedStatus { name, until: now + REMEMBERED_FOR });
        Self {
            unwritable: self.unwritable.with(lessons.unwritable.iter().cloned(), now),
            unreadable: self.unreadable.with(unreadable, now),
            unfilterable: self.unfilterable.with(unfilterable, now),
            closed_status: new.or_else(|| self.closed_status.clone().filter(|status| status.until > now)),
        }
    }
}

/// Names, and until when (Unix seconds) they are left out unasked. After that they are tried again.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RefusedFields(BTreeMap<String, i64>);

impl RefusedFields {
    /// Those that are left out unasked at `now`.
    pub fn at(&self, now: i64) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |(_, until)| **until > now).map(|(field, _)| field.as_str())
    }

    /// With those that were refused at `now`, and without those that may be tried again.
    #[must_use]
    pub fn with(&self, fields: impl IntoIterator<Item = String>, now: i64) -> Self {
        let known = self.at(now).map(|field| (field.to_owned(), self.0[field]));
        let new = fields.into_iter().map(|field| (field, now + REMEMBERED_FOR));
        Self(known.chain(new).collect())
    }
}
