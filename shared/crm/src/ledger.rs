//! The ledger: the single source of truth about calls (docs/contract.md#the-ledger). Its rows and what they may say.

use calls::{
    call::Call,
    codes::reasons,
    ids::{CallId, SalesforceId, WorkspaceId},
    reason::Reason,
    status::SyncStatus,
};
use serde::{Deserialize, Serialize};

use crate::{
    journal::Journal,
    lease::Lease,
    matching::Decision,
    records::{ApiUsage, Record},
};

/// The id of one write of a row. Every write has its own, so that a write can name the state it follows, and
/// a worker recognizes its own write if the response was lost.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WriteId(pub String);

/// A series of faults that are assumed to pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Failing {
    /// When the first one happened, Unix seconds.
    pub since: i64,
    /// How many there were.
    pub times: u32,
}

impl Failing {
    /// Adds a fault at `now`.
    #[must_use]
    pub fn again(failing: Option<Self>, now: i64) -> Self {
        let before = failing.unwrap_or(Self { since: now, times: 0 });
        Self { times: before.times.saturating_add(1), ..before }
    }
}

/// The org and the user that a call was tried with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TriedWith {
    /// The org.
    pub org_id: SalesforceId,
    /// The user.
    pub user_id: SalesforceId,
}

/// A row of the ledger.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Whose call.
    pub workspace_id: WorkspaceId,
    /// Which call.
    pub call_id: CallId,
    /// The last write of this row; `None` if it was never written.
    pub write_id: Option<WriteId>,
    /// Where the call stands.
    pub status: SyncStatus,
    /// Why, if the status alone does not say it.
    pub reason: Option<Reason>,
    /// What the reports said.
    pub call: Call,
    /// Incremented by every report that brings something new.
    pub revision: u64,
    /// The revision that Salesforce has; 0: none.
    pub logged_revision: u64,
    /// How often a worker has claimed the row.
    pub attempts: u32,
    /// The faults since the last attempt that ended otherwise; on `retrying` rows only.
    pub failing: Option<Failing>,
    /// The caller's number, in E.164 if it could be parsed.
    pub phone_number: Option<String>,
    /// The record that the call is logged on.
    pub record: Option<Record>,
    /// The Task.
    pub task_id: Option<SalesforceId>,
    /// The Event.
    pub event_id: Option<SalesforceId>,
    /// How the record was found and chosen.
    pub decision: Option<Decision>,
    /// What was last sent to the Task and the Event.
    pub journal: Journal,
    /// The org and user of the first attempt that wrote or may have written: no other org gets the call.
    pub tried_with: Option<TriedWith>,
    /// The lease of the worker that holds the row now.
    pub lease: Option<Lease>,
    /// An earlier attempt's write may commit until then (Unix seconds): look before writing, and write only
    /// afterwards. `None`: every earlier attempt had a definite response.
    pub unsettled_until: Option<i64>,
    /// The org's use of its API requests at the last attempt.
    pub api_usage: Option<ApiUsage>,
    /// When the first report arrived, Unix seconds.
    pub created_at: i64,
    /// When the row was last written, Unix seconds.
    pub updated_at: i64,
    /// When the sweep wakes the row; on every row that is not final.
    pub due_at: Option<i64>,
    /// When the row is deleted (TTL); on final rows only.
    pub expires_at: Option<i64>,
}

impl Row {
    /// The row of a call that was accepted at `received_at` and is due since then.
    pub fn accepted(workspace_id: WorkspaceId, call: Call, received_at: i64) -> Self {
        Self {
            workspace_id,
            call_id: call.id.clone(),
            write_id: None,
            status: SyncStatus::Queued,
            reason: None,
            call,
            revision: 1,
            logged_revision: 0,
            attempts: 0,
            failing: None,
            phone_number: None,
            record: None,
            task_id: None,
            event_id: None,
            decision: None,
            journal: Journal::default(),
            tried_with: None,
            lease: None,
            unsettled_until: None,
            api_usage: None,
            created_at: received_at,
            updated_at: received_at,
            due_at: Some(received_at),
            expires_at: None,
        }
    }

    /// Merges a report that arrived at `received_at`; `true` if it brought something new. A row that a report
    /// under a revoked webhook secret created is replaced (docs/contract.md#the-webhook-secret).
    pub fn take_report(&mut self, call: &Call, received_at: i64) -> bool {
        if self.is_refused() {
            let revision = self.revision + 1;
            let replaced = Self::accepted(self.workspace_id.clone(), call.clone(), received_at);
            *self = Self { revision, write_id: self.write_id.take(), lease: self.lease.take(), ..replaced };
            return true;
        }
        let news = self.call.merge(call);
        if news {
            self.revision += 1;
        }
        news
    }

    /// Whether the row was created by a report under a webhook secret that is no longer valid.
    pub fn is_refused(&self) -> bool {
        self.status == SyncStatus::Skipped
            && self.reason.as_ref().is_some_and(|reason| reason.code == reasons::WEBHOOK_SECRET_REVOKED.code)
    }

    /// Whether the row waits for nothing. The status does not decide this: a worker that claimed a logged
    /// call for a second report and died leaves behind `success` and a due time.
    pub fn is_settled(&self) -> bool {
        self.due_at.is_none()
    }

    /// Whether the claimed row was claimed before, and was queued when it was claimed now. That is so if a person
    /// queued the call again; but also if a report did, during an attempt or while the message queue was down, and if
    /// the worker that first claimed the row died.
    pub fn was_queued_again(&self) -> bool {
        self.status == SyncStatus::Queued && self.attempts > 1
    }

    /// Whether the call has a Task although no revision counts as logged. That is so if a person queued a call with a
    /// Task again; but also after any attempt that created or found the Task and did not log the call, and in an
    /// attempt, from then on.
    pub fn has_unlogged_task(&self) -> bool {
        self.task_id.is_some() && self.logged_revision == 0
    }

    /// Queues the row again, due now.
    pub fn queue(&mut self, now: i64) {
        self.status = SyncStatus::Queued;
        self.reason = None;
        self.due_at = Some(now);
        self.expires_at = None;
    }

    /// Sets the row's status. Without `due_at` the row is final, and is kept for `retention_days`.
    pub fn finish(
        &mut self,
        status: SyncStatus,
        reason: Option<Reason>,
        due_at: Option<i64>,
        retention_days: u32,
        now: i64,
    ) {
        self.status = status;
        self.reason = reason;
        self.due_at = due_at;
        self.failing = self.failing.filter(|_| status == SyncStatus::Retrying);
        self.expires_at = due_at.is_none().then(|| now + i64::from(retention_days) * 24 * 60 * 60);
    }
}

/// What the ledger has for a call.
#[derive(Debug, Clone, PartialEq)]
pub enum Stored {
    /// A row.
    Row(Box<Row>),
    /// A row that this version does not fully understand.
    Foreign(Foreign),
}

impl From<Row> for Stored {
    fn from(row: Row) -> Self {
        Self::Row(Box::new(row))
    }
}

/// A row that this version does not fully understand, because a newer version wrote it and was rolled back.
/// It is shown as it is and never written, not even in part, because only the newer version knows what
/// depends on the part that is not understood. The newer version finds the row unchanged
/// (docs/contract.md#rows-and-messages-of-a-newer-version).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a newer version wrote the call's row: {cause}")]
pub struct Foreign {
    /// What is not understood: `column status cannot be read`. Never contains content.
    pub cause: String,
}

/// The key of a row: all that is read from the ledger's index of due rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowKey {
    /// Whose call.
    pub workspace_id: WorkspaceId,
    /// Which call.
    pub call_id: CallId,
}
