//! What the domain needs from outside. Adapters implement these in `shared/platform` (AWS) and `shared/salesforce`;
//! tests implement them in memory, able to fail before or after any effect.

use std::{future::Future, time::Duration};

use chrono::{DateTime, Utc};
use secrecy::SecretString;

use crate::{
    activity::{EventDraft, TaskDraft},
    crm::{
        Activities, Answer, CrmError, Duplicates, Fields, Found, Omitted, PhoneQuery, RecordType, Written,
        WrittenObject,
    },
    ids::{CallId, ErrorCode, SalesforceId, WorkspaceId},
    lead::{LeadDraft, NumberClaim},
    ledger::{Row, RowKey, WriteId},
    message::Work,
    workspace::{Connection, Learned, Lessons, Workspace},
};

/// A store, a queue or the network of our own did not answer. Trying again is safe: every write here is conditional.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{operation} failed: {cause}")]
pub struct StoreError {
    /// What was tried: `DynamoDB UpdateItem`.
    pub operation: &'static str,
    /// The service's error code or the network's error; never content.
    pub cause: String,
}

/// The time.
pub trait Clock: Send + Sync {
    /// Now.
    fn now(&self) -> DateTime<Utc>;
    /// Comes back after a while.
    fn sleep(&self, duration: Duration) -> impl Future<Output = ()> + Send;
}

/// Randomness.
pub trait Random: Send + Sync {
    /// An id that nobody else draws: 128 random bits or more, as text.
    fn id(&self) -> String;
    /// A number in `0.0..1.0`.
    fn fraction(&self) -> f64;
}

/// The outcome of a conditional write.
#[derive(Debug, Clone, PartialEq)]
pub enum Swap {
    /// It is written.
    Done,
    /// Something else stands there; here is what (`None`: nothing).
    Conflict(Option<Box<Row>>),
}

/// The ledger's rows.
pub trait Ledger: Send + Sync {
    /// Reads a row, consistently.
    fn load(
        &self,
        workspace_id: &WorkspaceId,
        call_id: &CallId,
    ) -> impl Future<Output = Result<Option<Row>, StoreError>> + Send;

    /// Writes `row` (whose `write_id` is new) if the stored row's last write is `expected`; `None`: if there is no
    /// row. A write of ours whose answer was lost, found standing there when tried again, is [`Swap::Done`].
    fn swap(
        &self,
        expected: Option<&WriteId>,
        row: &Row,
    ) -> impl Future<Output = Result<Swap, StoreError>> + Send;
}

/// Who makes a Lead for which number.
pub trait NumberClaims: Send + Sync {
    /// Reads a claim, consistently.
    fn load_claim(
        &self,
        workspace_id: &WorkspaceId,
        number: &str,
    ) -> impl Future<Output = Result<Option<NumberClaim>, StoreError>> + Send;

    /// Writes `claim` (whose `write_id` is new) if the stored one's last write is `expected`; `None`: if there is none.
    /// `false`: something else stands there. A write of ours whose answer was lost, found standing there when tried
    /// again, is `true`.
    fn swap_claim(
        &self,
        expected: Option<&WriteId>,
        claim: &NumberClaim,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;
}

/// The rows of one workspace that wait for its connection.
pub trait WaitingRows: Send + Sync {
    /// Up to `limit` of them, oldest first, and where to go on.
    fn waiting(
        &self,
        workspace_id: &WorkspaceId,
        limit: u32,
        after: Option<String>,
    ) -> impl Future<Output = Result<(Vec<CallId>, Option<String>), StoreError>> + Send;
}

/// The rows that are due.
pub trait DueRows: Send + Sync {
    /// How many shards the index of due rows has.
    fn shards(&self) -> u8;

    /// Up to `limit` rows of one shard whose `due_at` is `now` or earlier, the longest due first, and where to go on.
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
    /// Reads a workspace, consistently; one that the table does not know is [`Workspace::unknown`].
    fn load(&self, id: &WorkspaceId) -> impl Future<Output = Result<Workspace, StoreError>> + Send;
}

/// A token answer of Salesforce, checked (signature, hosts).
#[derive(Debug, Clone)]
pub struct Tokens {
    /// The new session.
    pub access_token: SecretString,
    /// The new refresh token, where the org rotates them.
    pub refresh_token: Option<SecretString>,
    /// Where the session is good; may differ from before.
    pub instance_url: String,
    /// When Salesforce issued them, Unix seconds.
    pub issued_at: i64,
}

/// The writes that a token refresh needs. Each is conditional on `version`, the `connection_version` that was read.
pub trait ConnectionStore: Workspaces {
    /// Takes the right to refresh alone until `until`, if nobody holds it at `now` and the tokens are still these.
    fn acquire_refresh_lease(
        &self,
        id: &WorkspaceId,
        version: u64,
        owner: &str,
        now: i64,
        until: i64,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// Stores the new tokens as version + 1 and ends the lease, if `owner` still holds it for these tokens. `false`:
    /// somebody disconnected or reconnected meanwhile, and the new tokens belong to nobody.
    fn store_refreshed(
        &self,
        id: &WorkspaceId,
        version: u64,
        owner: &str,
        tokens: &Tokens,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// Ends the lease without new tokens, and keeps since when nothing answers at the token endpoint's address (Unix
    /// seconds; `None`: something does). New tokens forget it.
    fn release_refresh_lease(
        &self,
        id: &WorkspaceId,
        version: u64,
        owner: &str,
        address_gone_since: Option<i64>,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Marks the connection `reconnect_required`, if its tokens are still these. Keeps nothing of them.
    fn require_reconnect(
        &self,
        id: &WorkspaceId,
        version: u64,
        reason: &str,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;
}

/// What workers tell one another about a workspace's org. It ends with the connection to that org.
pub trait OrgMemory: Workspaces {
    /// No call of the workspace is worked on until `until` (Unix seconds), if it is still connected to this org.
    fn pause(
        &self,
        id: &WorkspaceId,
        org_id: &SalesforceId,
        until: i64,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Remembers what the org refuses and takes, if the workspace is still connected to this org: of each kind that there
    /// are new `lessons` of, `learned` takes the place of what was remembered. Where two workers learn of one kind at once,
    /// one forgets, and learns again.
    fn remember(
        &self,
        id: &WorkspaceId,
        org_id: &SalesforceId,
        learned: &Learned,
        lessons: &Lessons,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;
}

/// Connections that nothing refreshes, because no call needs them.
pub trait IdleConnections: Send + Sync {
    /// Up to `limit` connected workspaces whose tokens were issued at `issued_before` or earlier (Unix seconds) and
    /// which nobody keeps alive at `now`; the oldest tokens first, and where to go on.
    fn idle(
        &self,
        issued_before: i64,
        now: i64,
        limit: u32,
        after: Option<String>,
    ) -> impl Future<Output = Result<(Vec<WorkspaceId>, Option<String>), StoreError>> + Send;

    /// Takes it upon itself to keep the connection alive; nobody else does until `until`. `false`: somebody else does.
    fn claim_keep_alive(
        &self,
        id: &WorkspaceId,
        now: i64,
        until: i64,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;
}

/// The consumer secret of the Salesforce app.
pub trait ClientSecretSource: Send + Sync {
    /// The secret that is in force.
    fn client_secret(&self) -> impl Future<Output = Result<SecretString, StoreError>> + Send;
}

impl ClientSecretSource for SecretString {
    async fn client_secret(&self) -> Result<SecretString, StoreError> {
        Ok(self.clone())
    }
}

/// Salesforce's token endpoints.
pub trait TokenEndpoint: Send + Sync {
    /// The secret that a refresh needs. It is read before the refresh lease is taken, as it may take a while.
    fn client_secret(&self) -> impl Future<Output = Result<SecretString, CrmError>> + Send;
    /// Exchanges the refresh token for an access token.
    fn refresh(
        &self,
        connection: &Connection,
        client_secret: &SecretString,
    ) -> impl Future<Output = Result<Tokens, CrmError>> + Send;
    /// Ends a grant. Ended already is success.
    fn revoke(
        &self,
        login_url: &str,
        token: &SecretString,
    ) -> impl Future<Output = Result<(), CrmError>> + Send;
}

/// Salesforce's records, with the session of `connection`.
pub trait Crm: Send + Sync {
    /// Looks for records of these objects by phone number: one request, and one more for each thing that may not be read and
    /// is not `omitted` yet.
    fn search(
        &self,
        connection: &Connection,
        objects: &[RecordType],
        query: &PhoneQuery,
        omitted: &Omitted,
    ) -> impl Future<Output = Result<Answer<Found>, CrmError>> + Send;

    /// Writes a Task, an Event or both: one request, all or nothing.
    fn create(
        &self,
        connection: &Connection,
        task: Option<&TaskDraft>,
        event: Option<&EventDraft>,
    ) -> impl Future<Output = Result<Answer<Written>, CrmError>> + Send;

    /// Looks for records of these objects with a number like this one that were created since then, which search may not
    /// know yet: requests as for a search. `full` where one object's page was full.
    fn recent(
        &self,
        connection: &Connection,
        objects: &[RecordType],
        query: &PhoneQuery,
        since: DateTime<Utc>,
        omitted: &Omitted,
    ) -> impl Future<Output = Result<Answer<Found>, CrmError>> + Send;

    /// Reads the Leads that are not converted and the Contacts among `ids`, with their numbers; those that are gone or out
    /// of reach are left out. Requests as for a search.
    fn records(
        &self,
        connection: &Connection,
        ids: &[SalesforceId],
        omitted: &Omitted,
    ) -> impl Future<Output = Result<Answer<Found>, CrmError>> + Send;

    /// The Contact that a Lead was converted to; `None`: it is not converted, or gone.
    fn converted_to(
        &self,
        connection: &Connection,
        lead_id: &SalesforceId,
    ) -> impl Future<Output = Result<Answer<Option<SalesforceId>>, CrmError>> + Send;

    /// Makes a Lead.
    fn create_lead(
        &self,
        connection: &Connection,
        lead: &LeadDraft,
        duplicates: Duplicates,
    ) -> impl Future<Output = Result<Answer<SalesforceId>, CrmError>> + Send;

    /// Reads a Task, an Event or both: one request. What is deleted or out of reach is left out.
    fn read(
        &self,
        connection: &Connection,
        task_id: Option<&SalesforceId>,
        event_id: Option<&SalesforceId>,
    ) -> impl Future<Output = Result<Answer<Activities>, CrmError>> + Send;

    /// Changes these fields of a Task or an Event that was last modified at `unmodified_since`. Has somebody changed it
    /// since, in another second, it is [`FaultClass::Stale`](crate::crm::FaultClass::Stale), and nothing is changed.
    fn update(
        &self,
        connection: &Connection,
        object: WrittenObject,
        id: &SalesforceId,
        fields: &Fields,
        unmodified_since: DateTime<Utc>,
    ) -> impl Future<Output = Result<Answer<()>, CrmError>> + Send;

    /// A status that the org gives closed Tasks, for one that has no `Completed`.
    fn closed_task_status(
        &self,
        connection: &Connection,
    ) -> impl Future<Output = Result<Answer<Option<String>>, CrmError>> + Send;

    /// Looks for what earlier attempts wrote for this call (docs/contract.md#the-look), created since `since`: the Task
    /// by `CallObject`, archived ones too; Task and Event of the records `who_ids` by the last line of their
    /// descriptions. `may_be_older`: the Task may have been created before `since`, and is looked for by `CallObject`
    /// without it as well. In an org with millions of Tasks that may take longer than a request may: it is asked last
    /// and by itself, and is left out where Salesforce does not get it done.
    fn look(
        &self,
        connection: &Connection,
        call_id: &CallId,
        who_ids: &[SalesforceId],
        since: DateTime<Utc>,
        may_be_older: bool,
    ) -> impl Future<Output = Result<Answer<Look>, CrmError>> + Send;
}

/// What a look finds in Salesforce for a call.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Look {
    /// The Task, and the record that it is on.
    pub task: Option<(SalesforceId, Option<SalesforceId>)>,
    /// The Event.
    pub event_id: Option<SalesforceId>,
}

/// The calls queue.
pub trait Queue: Send + Sync {
    /// Puts a message into the queue.
    fn send(&self, work: &Work) -> impl Future<Output = Result<(), StoreError>> + Send;
}

/// The rows of one workspace with an error code, whatever their status.
pub trait FailedRows: Send + Sync {
    /// Looks at up to `limit` rows of the workspace, oldest first; answers with those of them that have the code, none
    /// perhaps, and where to go on. What was written just now may not show yet.
    fn with_error(
        &self,
        workspace_id: &WorkspaceId,
        error_code: &ErrorCode,
        limit: u32,
        after: Option<String>,
    ) -> impl Future<Output = Result<(Vec<CallId>, Option<String>), StoreError>> + Send;
}
