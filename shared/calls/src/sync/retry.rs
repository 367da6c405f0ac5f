//! Putting all calls with one error code in line again, for a person who has mended what they failed for: as many as
//! the time allows at once, the rest by messages.

use chrono::{DateTime, Utc};
use futures_util::{StreamExt, stream};

use crate::{
    ids::{CallId, ErrorCode, WorkspaceId},
    ledger::Row,
    message::Work,
    ports::{Clock, FailedRows, Ledger, Queue, Random, StoreError},
};

use super::claim::{self, QueuedAgain};

/// Rows looked at a page.
const PAGE: u32 = 250;
/// How many rows are written at once.
const AT_ONCE: usize = 16;
/// How often a row is tried that cannot be written.
const TRIES: u32 = 2;

/// Which calls are to be tried again.
#[derive(Debug, Clone, Copy)]
pub struct Retry<'a> {
    /// Whose calls.
    pub workspace_id: &'a WorkspaceId,
    /// What they failed for.
    pub error_code: &'a ErrorCode,
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

/// Puts calls in line again, from `after` on, and wakes them; page after page until `until`, one at least. A message
/// takes care of the rest. A row that fails keeps its error code, and no other from being queued. To begin again is safe: what is in line has its error code no more.
pub async fn retry<L, Q, K, R>(
    ledger: &L,
    queue: &Q,
    clock: &K,
    random: &R,
    asked: Retry<'_>,
    after: Option<String>,
    until: DateTime<Utc>,
) -> Result<Retried, StoreError>
where
    L: Ledger + FailedRows,
    Q: Queue,
    K: Clock,
    R: Random,
{
    let mut done = Retried { queued: 0, failed: 0, rest: after };
    loop {
        let now = clock.now().timestamp();
        let (call_ids, next) =
            ledger.with_error(asked.workspace_id, asked.error_code, PAGE, done.rest.take()).await?;
        let (queued, failed) = page(ledger, queue, random, asked, call_ids, now).await;
        done.queued += queued;
        done.failed += failed;
        done.rest = next;
        if done.rest.is_none() {
            return Ok(done);
        }
        if clock.now() >= until {
            queue.send(&rest(asked, &done)).await?;
            return Ok(done);
        }
    }
}

fn rest(asked: Retry<'_>, done: &Retried) -> Work {
    Work::Resume {
        workspace_id: asked.workspace_id.clone(),
        after: done.rest.clone(),
        error_code: Some(asked.error_code.clone()),
    }
}

/// How many of these calls are in line again, and how many could not be written, each tried twice.
async fn page<L: Ledger, Q: Queue, R: Random>(
    ledger: &L,
    queue: &Q,
    random: &R,
    asked: Retry<'_>,
    call_ids: Vec<CallId>,
    now: i64,
) -> (u64, u64) {
    let mut queued = 0;
    let mut left = call_ids;
    for _ in 0..TRIES {
        let mut rows = stream::iter(std::mem::take(&mut left))
            .map(|call_id| async move {
                (queue_and_wake(ledger, queue, random, asked, &call_id, now).await, call_id)
            })
            .buffer_unordered(AT_ONCE);
        while let Some((row, call_id)) = rows.next().await {
            match row {
                Ok(is_queued) => queued += u64::from(is_queued),
                Err(error) => {
                    tracing::error!(
                        workspace.id = %asked.workspace_id, call.id = %call_id, error = %error,
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
    ledger: &L,
    queue: &Q,
    random: &R,
    asked: Retry<'_>,
    call_id: &CallId,
    now: i64,
) -> Result<bool, StoreError> {
    let has_code =
        |row: &Row| row.reason.as_ref().is_some_and(|reason| reason.code == asked.error_code.as_str());
    let queued = claim::queue_again(ledger, random, asked.workspace_id, call_id, has_code, now).await?;
    let queued = queued == QueuedAgain::Queued;
    if queued {
        wake_queued(queue, asked.workspace_id, call_id).await;
    }
    Ok(queued)
}

/// Wakes a row that was put in line. If its message does not get into the queue, the sweep wakes it: it is due.
pub async fn wake_queued<Q: Queue>(queue: &Q, workspace_id: &WorkspaceId, call_id: &CallId) {
    let work = Work::Wake { workspace_id: workspace_id.clone(), call_id: call_id.clone() };
    if let Err(error) = queue.send(&work).await {
        tracing::warn!(
            workspace.id = %workspace_id, call.id = %call_id, error = %error,
            "a queued call is not woken now; the sweep will"
        );
    }
}
