//! Putting all calls with one error code in line again, for a person who has mended what they failed for: as many as
//! the time allows at once, the rest by messages.

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

/// Rows looked at a page.
const PAGE: u32 = 250;
/// How many rows are written at once.
const AT_ONCE: usize = 16;
/// How often a row is tried that cannot be written.
const TRIES: u32 = 2;

/// All rows with this error code are to be worked on again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Retry {
    /// Whose calls.
    pub workspace_id: WorkspaceId,
    /// Where the page before ended; absent: the first page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// What they failed for.
    pub error_code: ErrorCode,
}

/// What the kind should be called. It is read already.
pub(super) const OWN_KIND: &str = "retry";

impl Queued for Retry {
    /// A resume with an error code. The version before reads nothing else: to it a `retry` would be unreadable, and a
    /// rollback would leave it in the dead-letter queue. `retry` may be written as soon as every version that can
    /// still be rolled back to reads it, which is one release after this one.
    const KIND: &'static str = Resume::KIND;

    fn workspace_id(&self) -> &WorkspaceId {
        &self.workspace_id
    }
}

/// Whether a message of the kind that is written asks for this job.
pub(super) fn is_asked_for(body: &str) -> bool {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Asked {
        error_code: Option<IgnoredAny>,
    }
    serde_json::from_str::<Asked>(body).is_ok_and(|asked| asked.error_code.is_some())
}

/// What has been done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retried {
    /// So many calls are in line again.
    pub queued: u64,
    /// So many could not be written. They keep their error code.
    pub failed: u64,
    /// Where the rest begins, which a message in the queue will bring up again.
    pub rest: Option<String>,
}

impl Retry {
    /// From the first page on.
    pub fn all(workspace_id: WorkspaceId, error_code: ErrorCode) -> Self {
        Self { workspace_id, after: None, error_code }
    }

    /// Puts calls in line again and wakes them; page after page until `until`, one at least. A message takes care of
    /// the rest. A row that fails keeps its error code, and no other from being queued. To begin again is safe: what is
    /// in line has its error code no more.
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

    /// How many of these calls are in line again, and how many could not be written, each tried twice.
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
        for _ in 0..TRIES {
            let mut rows = stream::iter(std::mem::take(&mut left))
                .map(|call_id| async move {
                    (self.queue_and_wake(ledger, queue, random, &call_id, now).await, call_id)
                })
                .buffer_unordered(AT_ONCE);
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

    /// Queues a row that still has the error code: the index may lag behind it.
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
