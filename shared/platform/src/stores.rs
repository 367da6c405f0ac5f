//! What the functions need from the tables beyond the domain's ports: small traits, so that what a handler takes says
//! what it may do. Implemented by the tables ([`crate::dynamo`]) and in memory (`testing`).

use std::future::Future;

use calls::{
    ids::{CallId, ErrorCode, SalesforceId, WorkspaceId},
    status::SyncStatus,
    time_zone::TimeZone,
};
use crm::{
    ApiUsage,
    workspace::{ConnectionState, Settings, WebhookSecretVersions},
};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use worker::ports::StoreError;

use crate::hashed::Hashed;

/// The result of a connect flow.
#[derive(Debug, Clone)]
pub struct NewConnection {
    /// The URL of the org.
    pub instance_url: String,
    /// The login host that issued the tokens.
    pub login_url: String,
    /// The org.
    pub org_id: SalesforceId,
    /// The user as whom Ringlog will write.
    pub user_id: SalesforceId,
    /// The user's name, for people.
    pub user_name: Option<String>,
    /// The access token.
    pub access_token: SecretString,
    /// The refresh token.
    pub refresh_token: SecretString,
    /// When Salesforce issued the tokens, Unix seconds.
    pub issued_at: i64,
    /// The user's time zone, which becomes the workspace's if none is set.
    pub time_zone: Option<TimeZone>,
    /// The org's country (ISO 3166), which becomes the workspace's default if none is set.
    pub country: Option<String>,
}

/// A grant that is no longer used and has to be revoked.
#[derive(Debug, Clone)]
pub struct OldGrant {
    /// The login host to revoke it at.
    pub login_url: String,
    /// Revoking it also ends its access tokens.
    pub refresh_token: SecretString,
}

/// A disconnect that may or may not have taken effect.
#[derive(Debug)]
pub struct Unanswered {
    /// What failed.
    pub error: StoreError,
    /// The grant that may have been deleted: the caller is the last to know it. `None` if nothing was changed.
    pub grant: Option<OldGrant>,
}

impl From<StoreError> for Unanswered {
    fn from(error: StoreError) -> Self {
        Self { error, grant: None }
    }
}

/// Connects and disconnects workspaces. Returns the replaced or deleted grant, which has to be revoked; `None` if
/// there was none, or it can no longer be opened.
pub trait Connections: Send + Sync {
    /// Stores a new connection and increments its version.
    fn connect(
        &self,
        id: &WorkspaceId,
        connection: &NewConnection,
        now: i64,
    ) -> impl Future<Output = Result<Option<OldGrant>, StoreError>> + Send;

    /// Deletes the connection and increments its version. Writes nothing if there is none.
    fn disconnect(
        &self,
        id: &WorkspaceId,
    ) -> impl Future<Output = Result<Option<OldGrant>, Unanswered>> + Send;
}

/// The versions of webhook secrets.
pub trait WebhookSecrets: Send + Sync {
    /// Returns the versions; creates version 1 if there is none.
    fn ensure(
        &self,
        id: &WorkspaceId,
    ) -> impl Future<Output = Result<WebhookSecretVersions, StoreError>> + Send;

    /// Increments the version. The previous one stays valid, unless `revoke_previous`.
    fn rotate(
        &self,
        id: &WorkspaceId,
        revoke_previous: bool,
    ) -> impl Future<Output = Result<WebhookSecretVersions, StoreError>> + Send;
}

/// A workspace's settings, without its connection.
pub trait SettingsView: Send + Sync {
    /// Reads the settings; unset ones have their defaults.
    fn settings(&self, id: &WorkspaceId) -> impl Future<Output = Result<Settings, StoreError>> + Send;
}

/// The outcome of a change of settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Replaced {
    /// The settings were replaced.
    Done,
    /// The settings did not meet the condition; here they are.
    Refused(Box<Settings>),
}

/// Changes a workspace's settings.
pub trait SettingsStore: SettingsView {
    /// Replaces the settings with `new`, if the current ones satisfy `may`. Check and write are one step: of two
    /// concurrent changes, one sees the other's. Settings with equal values are not written, so that those that
    /// nobody has set are still filled in by the next connect.
    fn replace(
        &self,
        id: &WorkspaceId,
        new: &Settings,
        may: impl Fn(&Settings) -> bool + Send + Sync,
    ) -> impl Future<Output = Result<Replaced, StoreError>> + Send;
}

/// What people see of a connection: everything except the tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectionStatus {
    /// The state.
    pub state: ConnectionState,
    /// Why a reconnect is required.
    pub reason: Option<String>,
    /// The URL of the org.
    pub instance_url: Option<String>,
    /// The org.
    pub org_id: Option<String>,
    /// The user as whom Ringlog writes.
    pub user_name: Option<String>,
    /// Since when it has been connected, Unix seconds.
    pub connected_at: Option<i64>,
}

impl ConnectionStatus {
    /// A workspace without a row.
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

/// Reads connection statuses.
pub trait StatusView: Send + Sync {
    /// Reads the status, without the tokens.
    fn status(&self, id: &WorkspaceId) -> impl Future<Output = Result<ConnectionStatus, StoreError>> + Send;
}

/// What an index contains about the newest row with a status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NewestRow {
    /// Its last write, Unix seconds.
    pub updated_at: i64,
    /// The org's use of requests at its last attempt.
    pub api_usage: Option<ApiUsage>,
}

/// Reads the newest rows.
pub trait NewestRows: Send + Sync {
    /// The workspace's newest row with this status.
    fn newest(
        &self,
        id: &WorkspaceId,
        status: SyncStatus,
    ) -> impl Future<Output = Result<Option<NewestRow>, StoreError>> + Send;
}

/// A call, as the ledger has it. Its words may also be those of a newer version of Ringlog.
// What the indexes hold of a row, named like its columns.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(rename = "SyncLog"))]
#[serde(rename_all = "camelCase")]
pub struct ListedRow {
    /// Which call.
    pub call_id: CallId,
    /// Where it stands.
    #[cfg_attr(feature = "openapi", schemars(with = "SyncStatus"))]
    pub status: String,
    /// The record that it is logged on.
    pub salesforce_record_id: Option<SalesforceId>,
    /// What that record is.
    #[cfg_attr(feature = "openapi", schemars(with = "Option<crm::RecordType>"))]
    pub salesforce_record_type: Option<String>,
    /// The Task.
    pub salesforce_task_id: Option<SalesforceId>,
    /// The Event.
    pub salesforce_event_id: Option<SalesforceId>,
    /// How the record was chosen; null while nobody has looked for the caller.
    pub decision: Option<ListedDecision>,
    /// Whether there is an Event.
    pub appointment_created: bool,
    /// Why it has its status, for programs.
    pub error_code: Option<String>,
    /// Why it has its status and what to do, for people.
    pub error_message: Option<String>,
    /// The caller's number, E.164 where it could be read.
    pub phone_number: Option<String>,
    /// How often it was tried.
    pub attempts: u32,
    /// The first report's arrival, Unix seconds.
    pub created_at: i64,
    /// The last change, Unix seconds.
    pub updated_at: i64,
    /// When it is tried again, Unix seconds.
    pub due_at: Option<i64>,
}

/// How many candidates a list shows per call: a page of calls with hundreds each would exceed a function's maximum
/// response.
const LISTED_CANDIDATES: usize = 10;

/// How the record was chosen.
// The parts of a `crm::matching::Decision` as stored in the row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(rename = "Decision"))]
#[serde(rename_all = "camelCase")]
pub struct ListedDecision {
    /// What decided.
    #[cfg_attr(feature = "openapi", schemars(with = "crm::matching::Rule"))]
    pub rule: String,
    /// The choice.
    #[cfg_attr(feature = "openapi", schemars(with = "Option<crm::Record>"))]
    pub chosen: Option<Value>,
    /// The best ten of the records that have the number.
    #[cfg_attr(feature = "openapi", schemars(with = "Vec<crm::matching::Candidate>"))]
    pub candidates: Vec<Value>,
    /// How many records have it.
    pub candidate_count: usize,
    /// Up to ten records that could be taken for the caller's, and why they are not. Left out where there are none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "openapi", schemars(with = "Vec<crm::matching::TurnedDown>"))]
    pub turned_down: Vec<Value>,
}

/// A decision as it is stored in a row.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct StoredDecision {
    rule: String,
    chosen: Option<Value>,
    candidates: Vec<Value>,
    turned_down: Vec<Value>,
}

impl From<StoredDecision> for ListedDecision {
    fn from(StoredDecision { rule, chosen, mut candidates, mut turned_down }: StoredDecision) -> Self {
        let candidate_count = candidates.len();
        candidates.truncate(LISTED_CANDIDATES);
        turned_down.truncate(LISTED_CANDIDATES);
        Self { rule, chosen, candidates, candidate_count, turned_down }
    }
}

impl ListedRow {
    /// The row's position in a list.
    pub fn position(&self) -> Position {
        Position { created_at: self.created_at, call_id: self.call_id.clone() }
    }
}

/// A position in a list of calls. It does not name the list; the caller does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Position {
    /// Unix seconds.
    pub created_at: i64,
    /// Orders calls of the same second.
    pub call_id: CallId,
}

/// Lists calls.
pub trait ListedRows: Send + Sync {
    /// The workspace's rows, or those with this status, newest first: exactly `limit` rows, unless the list ends.
    /// Very recent writes may be missing.
    fn list(
        &self,
        id: &WorkspaceId,
        status: Option<SyncStatus>,
        limit: u32,
        after: Option<&Position>,
    ) -> impl Future<Output = Result<Vec<ListedRow>, StoreError>> + Send;
}

/// The outcome of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// Its status: a [`SyncStatus`], or a word of a newer version.
    pub status: String,
    /// The error code.
    pub error_code: Option<String>,
}

/// What counting needs. Very recent writes may be missing.
pub trait CountedRows: Send + Sync {
    /// A page of outcomes of the calls created at `since` or later (Unix seconds) or at any time, and the cursor of
    /// the next page.
    fn outcomes(
        &self,
        id: &WorkspaceId,
        since: Option<i64>,
        after: Option<String>,
    ) -> impl Future<Output = Result<(Vec<Outcome>, Option<String>), StoreError>> + Send;

    /// How many rows of a page have this error code, and the cursor of the next page. The cursors are those of
    /// [`worker::ports::FailedRows`].
    fn count_with_error(
        &self,
        id: &WorkspaceId,
        error_code: &ErrorCode,
        after: Option<String>,
    ) -> impl Future<Output = Result<(u64, Option<String>), StoreError>> + Send;
}

/// A connect flow in progress.
#[derive(Debug, Clone)]
pub struct NewState {
    /// The `state` parameter, hashed.
    pub state_hash: Hashed,
    /// The cookie that binds the flow to a browser, hashed.
    pub cookie_hash: Hashed,
    /// What the callback needs.
    pub flow: OAuthFlow,
    /// When the flow expires, Unix seconds.
    pub expires_at: i64,
}

/// What a callback needs to know about its flow.
#[derive(Debug, Clone)]
pub struct OAuthFlow {
    /// The workspace.
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
    /// Never started, already taken, or deleted after it expired.
    #[error("no connect flow has this state: it was never started, or has already finished")]
    Unknown,
    /// Started in another browser; it stays for that one.
    #[error("the connect flow was started in another browser, or its cookie was not sent")]
    WrongBrowser,
    /// Expired.
    #[error("the connect flow has expired")]
    Expired,
    /// The table failed, or the verifier does not open.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Connect flows, each of which can be taken exactly once.
pub trait OAuthStates: Send + Sync {
    /// Stores a flow for its callback.
    fn put(&self, state: &NewState) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Takes a flow, if it is this browser's and has not expired at `now`.
    fn take(
        &self,
        state_hash: &Hashed,
        cookie_hash: &Hashed,
        now: i64,
    ) -> impl Future<Output = Result<OAuthFlow, TakeError>> + Send;
}
