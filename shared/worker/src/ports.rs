//! What the domain needs from outside. `shared/platform` (AWS) and `shared/salesforce` implement these traits; tests
//! implement them in memory, and can make each operation fail before or after its effect.

use std::{fmt, future::Future, pin::pin, time::Duration};

use calls::ids::{CallId, ErrorCode, SalesforceId, WorkspaceId};
use chrono::{DateTime, Utc};
use crm::{
    Activities, Answer, CrmError, Duplicates, Fields, Found, Omitted, PhoneQuery, RecordType, Written,
    WrittenObject,
    activity::{EventDraft, TaskDraft},
    breaker::Breaker,
    lead::{LeadDraft, NumberClaim},
    ledger::{Row, RowKey, Stored, WriteId},
    places,
    workspace::{Connection, Learned, Lessons, Workspace},
};
use futures_util::future::{Either, select};
use secrecy::SecretString;

use crate::message::Message;

/// One of our own stores, queues or connections failed. Retrying is safe, because every write here is conditional.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{operation} failed: {cause}")]
pub struct StoreError {
    /// The operation that failed: `DynamoDB UpdateItem`.
    pub operation: &'static str,
    /// The service's error code or the network error; never content.
    pub cause: String,
}

/// A clock.
pub trait Clock: Send + Sync {
    /// Now.
    fn now(&self) -> DateTime<Utc>;
    /// Waits.
    fn sleep(&self, duration: Duration) -> impl Future<Output = ()> + Send;

    /// The result of a future, if it has one within this time; if not, the future goes on later.
    fn within<F: Future + Unpin + Send>(
        &self,
        duration: Duration,
        future: F,
    ) -> impl Future<Output = Option<F::Output>> + Send
    where
        F::Output: Send,
    {
        async move {
            match select(future, pin!(self.sleep(duration))).await {
                Either::Left((result, _)) => Some(result),
                Either::Right(_) => None,
            }
        }
    }
}

/// Randomness.
pub trait Random: Send + Sync {
    /// A unique id: at least 128 random bits, as text.
    fn id(&self) -> String;
    /// A number in `0.0..1.0`.
    fn fraction(&self) -> f64;
}

/// The outcome of a conditional write.
#[derive(Debug, Clone, PartialEq)]
pub enum Swap {
    /// The row was written.
    Done,
    /// The stored row is a different one: this one, or none.
    Conflict(Option<Stored>),
}

/// The ledger's rows.
pub trait Ledger: Send + Sync {
    /// Reads a row with a consistent read.
    fn load(
        &self,
        workspace_id: &WorkspaceId,
        call_id: &CallId,
    ) -> impl Future<Output = Result<Option<Stored>, StoreError>> + Send;

    /// Writes `row`, which has a new `write_id`, if the last write of the stored row is `expected`; `None`: if there
    /// is no row. If the response to our own write was lost and the retry finds it stored, that is [`Swap::Done`].
    fn swap(
        &self,
        expected: Option<&WriteId>,
        row: &Row,
    ) -> impl Future<Output = Result<Swap, StoreError>> + Send;
}

/// The claims on numbers: who creates a Lead for which number.
pub trait NumberClaims: Send + Sync {
    /// Reads a claim with a consistent read.
    fn load_claim(
        &self,
        workspace_id: &WorkspaceId,
        number: &str,
    ) -> impl Future<Output = Result<Option<NumberClaim>, StoreError>> + Send;

    /// Writes `claim`, which has a new `write_id`, if the last write of the stored claim is `expected`; `None`: if
    /// there is no claim. `false` if the stored claim is another one. If the response to our own write was lost and
    /// the retry finds it stored, that is `true`.
    fn swap_claim(
        &self,
        expected: Option<&WriteId>,
        claim: &NumberClaim,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;
}

/// The rows of one workspace that wait for its connection to Salesforce.
pub trait WaitingRows: Send + Sync {
    /// One page of up to `limit` rows, oldest first, and the cursor of the next page.
    fn waiting(
        &self,
        workspace_id: &WorkspaceId,
        limit: u32,
        after: Option<String>,
    ) -> impl Future<Output = Result<(Vec<CallId>, Option<String>), StoreError>> + Send;
}

/// The rows that are due.
pub trait DueRows: Send + Sync {
    /// The number of shards of the index of due rows.
    fn shards(&self) -> u8;

    /// One page of up to `limit` rows of one shard with a `due_at` of `now` or earlier, the longest due first, and
    /// the cursor of the next page.
    fn due(
        &self,
        shard: u8,
        now: i64,
        limit: u32,
        after: Option<String>,
    ) -> impl Future<Output = Result<(Vec<RowKey>, Option<String>), StoreError>> + Send;
}

/// Workspaces and their settings.
pub trait Workspaces: Send + Sync {
    /// Reads a workspace with a consistent read; one without a row is [`Workspace::unknown`].
    fn load(&self, id: &WorkspaceId) -> impl Future<Output = Result<Workspace, StoreError>> + Send;
}

/// Salesforce's token response, after its signature and hosts have been verified.
#[derive(Debug, Clone)]
pub struct Tokens {
    /// The new access token.
    pub access_token: SecretString,
    /// The new refresh token, if the org rotates them.
    pub refresh_token: Option<SecretString>,
    /// The org's URL; it may differ from before.
    pub instance_url: String,
    /// When Salesforce issued them, Unix seconds.
    pub issued_at: i64,
}

/// The writes that a token refresh needs. Each is conditional on `version`, the `connection_version` that was read.
pub trait ConnectionStore: Workspaces {
    /// Takes the exclusive right to refresh until `until`, if nobody holds it at `now` and the version has not
    /// changed.
    fn acquire_refresh_lease(
        &self,
        id: &WorkspaceId,
        version: u64,
        owner: &str,
        now: i64,
        until: i64,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// Stores the new tokens as version + 1 and releases the lease, if `owner` still holds it for this version.
    /// `false`: somebody disconnected or reconnected in the meantime, so the new tokens are not stored anywhere.
    fn store_refreshed(
        &self,
        id: &WorkspaceId,
        version: u64,
        owner: &str,
        tokens: &Tokens,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// Releases the lease without new tokens, and stores since when nothing has responded at the token endpoint's
    /// address (Unix seconds; `None`: something does), and the code of the error if the refresh failed. New tokens
    /// clear both.
    fn release_refresh_lease(
        &self,
        id: &WorkspaceId,
        version: u64,
        owner: &str,
        address_gone_since: Option<i64>,
        failed: Option<&str>,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Marks the connection `reconnect_required` and deletes its tokens, if the version has not changed.
    fn require_reconnect(
        &self,
        id: &WorkspaceId,
        version: u64,
        reason: &str,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;
}

/// What workers share about a workspace's org. It is deleted with the connection to that org.
pub trait OrgMemory: Workspaces {
    /// Pauses the workspace's calls until `until` (Unix seconds), if it is still connected to this org.
    fn pause(
        &self,
        id: &WorkspaceId,
        org_id: &SalesforceId,
        until: i64,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Remembers what the org refuses and accepts, if the workspace is still connected to this org: for each kind
    /// with new `lessons`, `learned` replaces what was remembered. If two workers learn something of one kind at
    /// once, one lesson is lost and learned again.
    fn remember(
        &self,
        id: &WorkspaceId,
        org_id: &SalesforceId,
        learned: &Learned,
        lessons: &Lessons,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;
}

/// Whose breaker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BreakerOf<'a> {
    /// The org that a workspace is connected to. It is stored with the workspace, and ends with the connection.
    Org(&'a WorkspaceId, &'a SalesforceId),
    /// A login host, by its URL. Orgs share the hosts that are not a My Domain.
    LoginHost(&'a str),
}

impl fmt::Display for BreakerOf<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Org(workspace_id, org_id) => write!(f, "{workspace_id}'s org {org_id}"),
            Self::LoginHost(url) => f.write_str(url),
        }
    }
}

/// What all workers know about requests without an answer.
pub trait Breakers: Send + Sync {
    /// Reads a breaker with a consistent read; `None` for an org that the workspace is not connected to.
    fn load_breaker(
        &self,
        of: BreakerOf<'_>,
    ) -> impl Future<Output = Result<Option<Breaker>, StoreError>> + Send;

    /// Replaces a breaker, if it is still `before`; `after` is `None` once there is an answer. `false`: it is another
    /// one by now, or the workspace is not connected to the org. Also `false` if the response to our own write was lost
    /// and the retry finds it stored: nothing tells it from another worker's.
    fn swap_breaker(
        &self,
        of: BreakerOf<'_>,
        before: Option<&Breaker>,
        after: Option<&Breaker>,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;
}

/// The places that each workspace takes.
pub trait Places: Send + Sync {
    /// Reads a workspace's places with a consistent read.
    fn load_places(
        &self,
        id: &WorkspaceId,
    ) -> impl Future<Output = Result<places::Places, StoreError>> + Send;

    /// Replaces a workspace's places, if they are still `before`.
    fn swap_places(
        &self,
        id: &WorkspaceId,
        before: &places::Places,
        after: &places::Places,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;
}

/// Connections that nothing refreshes, because there are no calls.
pub trait IdleConnections: Send + Sync {
    /// One page of up to `limit` connected workspaces whose tokens were issued at `issued_before` or earlier (Unix
    /// seconds) and which nobody has claimed at `now`, the oldest tokens first, and the cursor of the next page.
    fn idle(
        &self,
        issued_before: i64,
        now: i64,
        limit: u32,
        after: Option<String>,
    ) -> impl Future<Output = Result<(Vec<WorkspaceId>, Option<String>), StoreError>> + Send;

    /// Claims the connection for a refresh until `until`. `false` if somebody else holds the claim.
    fn claim_keep_alive(
        &self,
        id: &WorkspaceId,
        now: i64,
        until: i64,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;
}

/// The consumer secret of the Salesforce app.
pub trait ClientSecretSource: Send + Sync {
    /// The current secret.
    fn client_secret(&self) -> impl Future<Output = Result<SecretString, StoreError>> + Send;
}

impl ClientSecretSource for SecretString {
    async fn client_secret(&self) -> Result<SecretString, StoreError> {
        Ok(self.clone())
    }
}

/// Salesforce's token endpoints.
pub trait TokenEndpoint: Send + Sync {
    /// The client secret, which a refresh needs. It is read before the refresh lease is taken, because reading may
    /// take a while.
    fn client_secret(&self) -> impl Future<Output = Result<SecretString, CrmError>> + Send;
    /// Exchanges the refresh token for an access token.
    fn refresh(
        &self,
        connection: &Connection,
        client_secret: &SecretString,
    ) -> impl Future<Output = Result<Tokens, CrmError>> + Send;
    /// Revokes a grant. Succeeds if the grant has already ended.
    fn revoke(
        &self,
        login_url: &str,
        token: &SecretString,
    ) -> impl Future<Output = Result<(), CrmError>> + Send;
}

/// Salesforce's records, accessed with the session of `connection`.
pub trait Crm: Send + Sync {
    /// Searches for records of these objects by phone number: one request, plus one for each unreadable field or
    /// object that is not in `omitted` yet.
    fn search(
        &self,
        connection: &Connection,
        objects: &[RecordType],
        query: &PhoneQuery,
        omitted: &Omitted,
    ) -> impl Future<Output = Result<Answer<Found>, CrmError>> + Send;

    /// Creates a Task, an Event or both: one request, all or nothing.
    fn create(
        &self,
        connection: &Connection,
        task: Option<&TaskDraft>,
        event: Option<&EventDraft>,
    ) -> impl Future<Output = Result<Answer<Written>, CrmError>> + Send;

    /// Queries records of these objects with a number like this one that were created since `since`, which search may
    /// not have indexed yet. Takes as many requests as a search. `full` is set if one object's page was full.
    fn recent(
        &self,
        connection: &Connection,
        objects: &[RecordType],
        query: &PhoneQuery,
        since: DateTime<Utc>,
        omitted: &Omitted,
    ) -> impl Future<Output = Result<Answer<Found>, CrmError>> + Send;

    /// Reads the unconverted Leads and the Contacts among `ids`, with their numbers; deleted and invisible ones are
    /// left out. Takes as many requests as a search.
    fn records(
        &self,
        connection: &Connection,
        ids: &[SalesforceId],
        omitted: &Omitted,
    ) -> impl Future<Output = Result<Answer<Found>, CrmError>> + Send;

    /// The Contact that a Lead was converted to; `None` if the Lead is unconverted or deleted.
    fn converted_to(
        &self,
        connection: &Connection,
        lead_id: &SalesforceId,
    ) -> impl Future<Output = Result<Answer<Option<SalesforceId>>, CrmError>> + Send;

    /// Creates a Lead.
    fn create_lead(
        &self,
        connection: &Connection,
        lead: &LeadDraft,
        duplicates: Duplicates,
    ) -> impl Future<Output = Result<Answer<SalesforceId>, CrmError>> + Send;

    /// Reads a Task, an Event or both: one request. Deleted and invisible ones are left out.
    fn read(
        &self,
        connection: &Connection,
        task_id: Option<&SalesforceId>,
        event_id: Option<&SalesforceId>,
    ) -> impl Future<Output = Result<Answer<Activities>, CrmError>> + Send;

    /// Changes these fields of a Task or Event that was last modified at `unmodified_since`. If somebody changed it
    /// after that second, it fails with [`FaultClass::Stale`](crm::FaultClass::Stale), and nothing is changed.
    fn update(
        &self,
        connection: &Connection,
        object: WrittenObject,
        id: &SalesforceId,
        fields: &Fields,
        unmodified_since: DateTime<Utc>,
    ) -> impl Future<Output = Result<Answer<()>, CrmError>> + Send;

    /// A status of closed Tasks, for an org without `Completed`.
    fn closed_task_status(
        &self,
        connection: &Connection,
    ) -> impl Future<Output = Result<Answer<Option<String>>, CrmError>> + Send;

    /// Looks for activities that earlier attempts wrote for this call, created since `since`
    /// (docs/contract.md#the-look): the Task by `CallObject`, including archived ones; Task and Event on the records
    /// `who_ids` by the last line of their descriptions. With `may_be_older`, the Task may have been created before
    /// `since`, and is also queried by `CallObject` without it. In an org with millions of Tasks that may exceed the
    /// time limit of a request, so it is a separate request, sent last, whose timeout is ignored.
    fn look(
        &self,
        connection: &Connection,
        call_id: &CallId,
        who_ids: &[SalesforceId],
        since: DateTime<Utc>,
        may_be_older: bool,
    ) -> impl Future<Output = Result<Answer<Look>, CrmError>> + Send;
}

/// What a look found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Look {
    /// The Task, and the record it is on.
    pub task: Option<(SalesforceId, Option<SalesforceId>)>,
    /// The Event.
    pub event_id: Option<SalesforceId>,
}

/// The calls queue.
pub trait Queue: Send + Sync {
    /// Sends a message.
    fn send(&self, message: &Message) -> impl Future<Output = Result<(), StoreError>> + Send;
}

/// What the calls queue knows about a message that it has delivered before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Earlier {
    /// When the message was first sent, Unix milliseconds.
    pub sent_at: Option<i64>,
    /// How often it was delivered.
    pub receives: u32,
}

/// A calls queue to which messages go back.
pub trait Requeue: Queue {
    /// Sends a message again that nobody has worked on. It is delivered after the delay, and keeps what is known about
    /// it, but this delivery does not count toward those after which it is a dead letter.
    fn send_back(
        &self,
        message: &Message,
        earlier: Earlier,
        delay: Duration,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;
}

/// The rows of one workspace with an error code, whatever their status.
pub trait FailedRows: Send + Sync {
    /// Examines one page of up to `limit` rows of the workspace, oldest first. Returns those with the code, possibly
    /// none, and the cursor of the next page. Very recent writes may be missing.
    fn with_error(
        &self,
        workspace_id: &WorkspaceId,
        error_code: &ErrorCode,
        limit: u32,
        after: Option<String>,
    ) -> impl Future<Output = Result<(Vec<CallId>, Option<String>), StoreError>> + Send;
}
