//! What the functions need of the tables beyond the domain's ports: small traits, so that what a handler takes says
//! what it may do. The tables ([`crate::dynamo`]) and those in memory (`testing`) implement them.

use std::future::Future;

use calls::{
    crm::{ApiUsage, RecordType},
    ids::{CallId, ErrorCode, SalesforceId, WorkspaceId},
    ledger::SyncStatus,
    matching::{Candidate, Chosen, Decision, Rule, TurnedDown},
    ports::StoreError,
    time_zone::TimeZone,
    workspace::{ConnectionState, Settings, WebhookSecretVersions},
};
use secrecy::SecretString;
use serde::Serialize;

use crate::hashed::Hashed;

/// What a finished connect flow brings.
#[derive(Debug, Clone)]
pub struct NewConnection {
    /// Where the session is good.
    pub instance_url: String,
    /// The login host that issued the tokens.
    pub login_url: String,
    /// The org.
    pub org_id: SalesforceId,
    /// The user in whose name Ringlog will write.
    pub user_id: SalesforceId,
    /// The user's name, for people.
    pub user_name: Option<String>,
    /// The session.
    pub access_token: SecretString,
    /// What buys new sessions.
    pub refresh_token: SecretString,
    /// When Salesforce issued the session, Unix seconds.
    pub issued_at: i64,
    /// The user's time zone; it becomes the workspace's, if that has none.
    pub time_zone: Option<TimeZone>,
    /// The org's country, an ISO 3166 code; it becomes the workspace's default, if that has none.
    pub country: Option<String>,
}

/// A grant that is no longer used, to be revoked.
#[derive(Debug, Clone)]
pub struct OldGrant {
    /// The login host to revoke it at.
    pub login_url: String,
    /// Revoking it ends its sessions too.
    pub refresh_token: SecretString,
}

/// A disconnect of which nobody knows whether it took effect.
#[derive(Debug)]
pub struct Unanswered {
    /// What failed.
    pub error: StoreError,
    /// The grant that may be forgotten by now: whoever asked is the last to know it. `None`: nothing was changed.
    pub grant: Option<OldGrant>,
}

impl From<StoreError> for Unanswered {
    fn from(error: StoreError) -> Self {
        Self { error, grant: None }
    }
}

/// Connects and disconnects workspaces. Whatever is replaced or forgotten comes back, to be revoked; `None`: there was
/// nothing, or it can no longer be opened.
pub trait Connections: Send + Sync {
    /// Stores a new connection, and raises its version.
    fn connect(
        &self,
        id: &WorkspaceId,
        connection: &NewConnection,
        now: i64,
    ) -> impl Future<Output = Result<Option<OldGrant>, StoreError>> + Send;

    /// Forgets the connection, and raises its version. Nothing is written where there is none.
    fn disconnect(
        &self,
        id: &WorkspaceId,
    ) -> impl Future<Output = Result<Option<OldGrant>, Unanswered>> + Send;
}

/// The versions of webhook secrets.
pub trait WebhookSecrets: Send + Sync {
    /// The versions; version 1 where there was none.
    fn ensure(
        &self,
        id: &WorkspaceId,
    ) -> impl Future<Output = Result<WebhookSecretVersions, StoreError>> + Send;

    /// Raises the version. The one before stays valid, unless `revoke_previous`.
    fn rotate(
        &self,
        id: &WorkspaceId,
        revoke_previous: bool,
    ) -> impl Future<Output = Result<WebhookSecretVersions, StoreError>> + Send;
}

/// A workspace's settings, without its connection.
pub trait SettingsView: Send + Sync {
    /// Reads them; what is not set has its default.
    fn settings(&self, id: &WorkspaceId) -> impl Future<Output = Result<Settings, StoreError>> + Send;
}

/// What became of a change of settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Replaced {
    /// They are the new ones.
    Done,
    /// They stay as they are, which is this: it was not what they might be replaced from.
    Refused(Box<Settings>),
}

/// Changes a workspace's settings.
pub trait SettingsStore: SettingsView {
    /// Puts `new` in the place of settings that `may` be replaced. They are judged and replaced in one step: of two who
    /// replace the same settings at once, one finds the other's. A setting that does not change is not written: one that
    /// nobody has set yet stays open for the org that is connected next.
    fn replace(
        &self,
        id: &WorkspaceId,
        new: &Settings,
        may: impl Fn(&Settings) -> bool + Send + Sync,
    ) -> impl Future<Output = Result<Replaced, StoreError>> + Send;
}

/// What people see of a connection: everything but the tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectionStatus {
    /// Where the workspace stands.
    pub state: ConnectionState,
    /// Why a reconnect is required.
    pub reason: Option<String>,
    /// Where its records are.
    pub instance_url: Option<String>,
    /// The org.
    pub org_id: Option<String>,
    /// The user in whose name Ringlog writes.
    pub user_name: Option<String>,
    /// Since when, Unix seconds.
    pub connected_at: Option<i64>,
}

impl ConnectionStatus {
    /// A workspace that the table does not know.
    pub fn unknown() -> Self {
        Self {
            state: ConnectionState::Disconnected,
            reason: None,
            instance_url: None,
            org_id: None,
            user_name: None,
            connected_at: None,
        }
    }
}

/// Shows connections.
pub trait StatusView: Send + Sync {
    /// Reads it. No token is read with it.
    fn status(&self, id: &WorkspaceId) -> impl Future<Output = Result<ConnectionStatus, StoreError>> + Send;
}

/// What an index of the ledger tells about the newest row of a status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NewestRow {
    /// Its last write, Unix seconds.
    pub updated_at: i64,
    /// The org's use of requests at its last attempt.
    pub api_usage: Option<ApiUsage>,
}

/// Shows how syncing goes.
pub trait NewestRows: Send + Sync {
    /// The workspace's newest row with this status.
    fn newest(
        &self,
        id: &WorkspaceId,
        status: SyncStatus,
    ) -> impl Future<Output = Result<Option<NewestRow>, StoreError>> + Send;
}

/// A row of the ledger as people see it in a list: what the indexes hold of it, named like its columns.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ListedRow {
    /// Which call.
    pub call_id: CallId,
    /// Where it stands.
    pub status: SyncStatus,
    /// The record that it is logged on.
    pub salesforce_record_id: Option<SalesforceId>,
    /// What that record is.
    pub salesforce_record_type: Option<RecordType>,
    /// The Task.
    pub salesforce_task_id: Option<SalesforceId>,
    /// The Event.
    pub salesforce_event_id: Option<SalesforceId>,
    /// How the record was chosen.
    pub decision: Option<ListedDecision>,
    /// Whether there is an Event.
    pub appointment_created: bool,
    /// Why it stands there, for programs.
    pub error_code: Option<String>,
    /// Why it stands there, for people.
    pub error_message: Option<String>,
    /// The caller's number, E.164 where it could be read.
    pub phone_number: Option<String>,
    /// How often it was tried.
    pub attempts: u32,
    /// The first report's arrival, Unix seconds.
    pub created_at: i64,
    /// The last write, Unix seconds.
    pub updated_at: i64,
    /// When it is tried again, Unix seconds.
    pub due_at: Option<i64>,
}

/// How many candidates of a call a list shows: a page of calls with hundreds each would be more than a function may
/// answer.
const LISTED_CANDIDATES: usize = 10;

/// A decision as people see it in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ListedDecision {
    /// What decided.
    pub rule: Rule,
    /// The choice.
    pub chosen: Option<Chosen>,
    /// The best ten of the records that have the number.
    pub candidates: Vec<Candidate>,
    /// How many records have it.
    pub candidate_count: usize,
    /// Up to ten records that may be taken for the caller's, and why they are not.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub turned_down: Vec<TurnedDown>,
}

impl From<Decision> for ListedDecision {
    fn from(Decision { rule, chosen, mut candidates, mut turned_down }: Decision) -> Self {
        let candidate_count = candidates.len();
        candidates.truncate(LISTED_CANDIDATES);
        turned_down.truncate(LISTED_CANDIDATES);
        Self { rule, chosen, candidates, candidate_count, turned_down }
    }
}

impl ListedRow {
    /// Where the row stands in its list.
    pub fn place(&self) -> Place {
        Place { created_at: self.created_at, call_id: self.call_id.clone() }
    }
}

/// A place in a list of calls. It names no list: whoever comes with it says which one he reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Unix seconds.
    pub created_at: i64,
    /// Among calls of the same second.
    pub call_id: CallId,
}

/// Lists calls.
pub trait ListedRows: Send + Sync {
    /// The workspace's rows, or those with this status, newest first: up to `limit`, fewer only at the list's end. What
    /// was written just now may not show yet.
    fn list(
        &self,
        id: &WorkspaceId,
        status: Option<SyncStatus>,
        limit: u32,
        after: Option<&Place>,
    ) -> impl Future<Output = Result<Vec<ListedRow>, StoreError>> + Send;
}

/// What came of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// Where it stands.
    pub status: SyncStatus,
    /// Why.
    pub error_code: Option<String>,
}

/// What counting needs. What was written just now may not show yet.
pub trait CountedRows: Send + Sync {
    /// A page of outcomes, of the calls that were created `since` then (Unix seconds) or at any time, and where to go
    /// on.
    fn outcomes(
        &self,
        id: &WorkspaceId,
        since: Option<i64>,
        after: Option<String>,
    ) -> impl Future<Output = Result<(Vec<Outcome>, Option<String>), StoreError>> + Send;

    /// How many rows of a page have this error code, and where to go on. Its places are those of
    /// [`calls::ports::FailedRows`].
    fn count_with_error(
        &self,
        id: &WorkspaceId,
        error_code: &ErrorCode,
        after: Option<String>,
    ) -> impl Future<Output = Result<(u64, Option<String>), StoreError>> + Send;
}

/// A connect flow under way.
#[derive(Debug, Clone)]
pub struct NewState {
    /// The `state` parameter, hashed.
    pub state_hash: Hashed,
    /// The cookie that binds the flow to a browser, hashed.
    pub cookie_hash: Hashed,
    /// What the callback needs.
    pub flow: OAuthFlow,
    /// Until when the callback may come, Unix seconds.
    pub expires_at: i64,
}

/// What a callback needs to know of its flow.
#[derive(Debug, Clone)]
pub struct OAuthFlow {
    /// Who connects.
    pub workspace_id: WorkspaceId,
    /// The PKCE verifier.
    pub code_verifier: SecretString,
    /// The redirect URI of the authorize URL.
    pub redirect_uri: String,
    /// The login host of the authorize URL.
    pub login_url: String,
}

/// Why a flow cannot be taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TakeError {
    /// Never begun, already taken, or gone with its time.
    #[error("no connect flow has this state: it was never begun, or is finished already")]
    Unknown,
    /// Begun in another browser; it stays for that one.
    #[error("the connect flow was begun in another browser, or its cookie did not come with the request")]
    WrongBrowser,
    /// Too late.
    #[error("the connect flow has expired")]
    Expired,
    /// The table failed, or the verifier does not open.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Connect flows, each taken exactly once.
pub trait OAuthStates: Send + Sync {
    /// Keeps a flow until its callback comes.
    fn put(&self, state: &NewState) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Takes a flow out, if it is this browser's and not expired at `now`.
    fn take(
        &self,
        state_hash: &Hashed,
        cookie_hash: &Hashed,
        now: i64,
    ) -> impl Future<Output = Result<OAuthFlow, TakeError>> + Send;
}
