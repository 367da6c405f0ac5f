//! Queues all calls with one error code again, for a person who has fixed the cause: as many as time allows at once,
//! the rest through messages.

use calls::ids::{CallId, ErrorCode, WorkspaceId};
use chrono::{DateTime, Utc};
use crm::ledger::Row;
use futures_util::{StreamExt, stream};
use serde::{Deserialize, Serialize, de::IgnoredAny};

use crate::{
    claim,
    claim::QueuedAgain,
    message::Queued,
    ports::{Clock, FailedRows, Ledger, Queue, Random, StoreError},
};

use super::{Resume, Wake};

/// Rows examined per page.
const PAGE: u32 = 250;
/// How many rows are written concurrently.
const CONCURRENCY: usize = 16;
/// Attempts at writing a row.
const ATTEMPTS: u32 = 2;

/// Queues all rows with this error code again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Retry {
    /// The workspace.
    pub workspace_id: WorkspaceId,
    /// Where the previous page ended; absent: the first page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// The rows' error code.
    pub error_code: ErrorCode,
}

/// The kind that this job should have. It can already be read.
pub(super) const OWN_KIND: &str = "retry";

impl Queued for Retry {
    /// A resume with an error code. The previous version reads only this: a `retry` would be unreadable to it, and
    /// after a rollback would end up in the dead-letter queue. `retry` may be written once every version that can
    /// still be rolled back to reads it, which is one release after this one.
    const KIND: &'static str = Resume::KIND;

    fn workspace_id(&self) -> &WorkspaceId {
        &self.workspace_id
    }
}

/// Whether a `resume` message asks for this job.
pub(super) fn is_retry(body: &str) -> bool {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Asked {
        error_code: Option<IgnoredAny>,
    }
    serde_json::from_str::<Asked>(body).is_ok_and(|asked| asked.error_code.is_some())
}

/// The result of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retried {
    /// How many calls were queued again.
    pub queued: u64,
    /// How many could not be written. They keep their error code.
    pub failed: u64,
    /// Where the rest begins; a message in the queue covers it.
    pub rest: Option<String>,
}

impl Retry {
    /// Starts with the first page.
    pub fn all(workspace_id: WorkspaceId, error_code: ErrorCode) -> Self {
        Self { workspace_id, after: None, error_code }
    }

    /// Queues calls again and wakes them, page by page until `until`, but at least one page. A message covers the
    /// rest. A row that cannot be written keeps its error code and does not stop the others. Starting over is safe: a
    /// queued row no longer has its error code.
    pub async fn run<L, Q, K, R>(
        &self,
        ledger: &L,
        queue: &Q,
        clock: &K,
        random: &R,
        until: DateTime<Utc>,
    ) -> Result<Retried, StoreError>
    where
        L: Ledger + FailedRows,
        Q: Queue,
        K: Clock,
        R: Random,
    {
        let Self { workspace_id, error_code, after } = self;
        let mut done = Retried { queued: 0, failed: 0, rest: after.clone() };
        loop {
            let now = clock.now().timestamp();
            let (call_ids, next) =
                ledger.with_error(workspace_id, error_code, PAGE, done.rest.take()).await?;
            let (queued, failed) = self.page(ledger, queue, random, call_ids, now).await;
            done.queued += queued;
            done.failed += failed;
            done.rest = next;
            if done.rest.is_none() {
                return Ok(done);
            }
            if clock.now() >= until {
                queue.send(&Self { after: done.rest.clone(), ..self.clone() }.message()).await?;
                return Ok(done);
            }
        }
    }

    /// Queues these calls. Returns how many were queued, and how many could not be written.
    async fn page<L: Ledger, Q: Queue, R: Random>(
        &self,
        ledger: &L,
        queue: &Q,
        random: &R,
        call_ids: Vec<CallId>,
        now: i64,
    ) -> (u64, u64) {
        let mut queued = 0;
        let mut left = call_ids;
        for _ in 0..ATTEMPTS {
            let mut rows = stream::iter(std::mem::take(&mut left))
                .map(|call_id| async move {
                    (self.queue_and_wake(ledger, queue, random, &call_id, now).await, call_id)
                })
                .buffer_unordered(CONCURRENCY);
            while let Some((row, call_id)) = rows.next().await {
                match row {
                    Ok(is_queued) => queued += u64::from(is_queued),
                    Err(error) => {
                        tracing::error!(
                            workspace.id = %self.workspace_id, call.id = %call_id, error = %error,
                            "a call could not be queued again"
                        );
                        left.push(call_id);
                    }
                }
            }
        }
        (queued, left.len() as u64)
    }

    /// Queues a row if it still has the error code: the index may be stale.
    async fn queue_and_wake<L: Ledger, Q: Queue, R: Random>(
        &self,
        ledger: &L,
        queue: &Q,
        random: &R,
        call_id: &CallId,
        now: i64,
    ) -> Result<bool, StoreError> {
        let Self { workspace_id, error_code, .. } = self;
        let has_code =
            |row: &Row| row.reason.as_ref().is_some_and(|reason| reason.code == error_code.as_str());
        let queued = claim::queue_again(ledger, random, workspace_id, call_id, has_code, now).await?;
        let queued = queued == QueuedAgain::Queued;
        if queued {
            let wake = Wake { workspace_id: workspace_id.clone(), call_id: call_id.clone() };
            wake.send_for_queued(queue).await;
        }
        Ok(queued)
    }
}
