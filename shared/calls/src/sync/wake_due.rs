//! The sweep: waking every row that is due (docs/contract.md#the-way-of-a-call), each claimed so that two sweeps do not
//! wake it twice.

use chrono::{DateTime, Utc};
use futures_util::future::join_all;

use crate::{
    ledger::RowKey,
    message::Work,
    ports::{Clock, DueRows, Ledger, Queue, Random, StoreError},
    timings::WAKE_TAKES,
};

use super::claim;

/// Rows a page.
const PAGE: u32 = 100;

/// What a sweep did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Woken {
    /// Rows whose wake message is in the queue.
    pub woken: usize,
    /// Whether time ran out before the end; the next sweep goes on.
    pub unfinished: bool,
}

/// Wakes all rows that are due, all shards at once, until `deadline`. A row or a shard that fails is left for the next
/// sweep, and keeps no other from being woken; the first such failure is told at the end.
pub async fn wake_due<L, Q, K, R>(
    ledger: &L,
    queue: &Q,
    clock: &K,
    random: &R,
    deadline: DateTime<Utc>,
) -> Result<Woken, StoreError>
where
    L: Ledger + DueRows,
    Q: Queue,
    K: Clock,
    R: Random,
{
    let shards = (0..ledger.shards()).map(|shard| wake_shard(ledger, queue, clock, random, shard, deadline));
    let mut done = Woken::default();
    let mut failed = None;
    for (woken, error) in join_all(shards).await {
        done.woken += woken.woken;
        done.unfinished |= woken.unfinished;
        failed = failed.or(error);
    }
    failed.map_or(Ok(done), Err)
}

/// Wakes the due rows of one shard, one after another. Gives what was done, and the first failure.
async fn wake_shard<L, Q, K, R>(
    ledger: &L,
    queue: &Q,
    clock: &K,
    random: &R,
    shard: u8,
    deadline: DateTime<Utc>,
) -> (Woken, Option<StoreError>)
where
    L: Ledger + DueRows,
    Q: Queue,
    K: Clock,
    R: Random,
{
    let mut done = Woken::default();
    let mut failed = None;
    let mut after = None;
    loop {
        let (keys, next) = match ledger.due(shard, clock.now().timestamp(), PAGE, after).await {
            Ok(page) => page,
            Err(error) => return (done, failed.or(Some(error))),
        };
        for key in keys {
            let now = clock.now();
            if now >= deadline {
                done.unfinished = true;
                return (done, failed);
            }
            match wake(ledger, queue, random, &key, now.timestamp()).await {
                Ok(woken) => done.woken += usize::from(woken),
                Err(error) => {
                    tracing::error!(
                        workspace.id = %key.workspace_id, call.id = %key.call_id, error = %error,
                        "a due call could not be woken"
                    );
                    failed.get_or_insert(error);
                }
            }
        }
        match next {
            Some(_) => after = next,
            None => return (done, failed),
        }
    }
}

/// Moves the row's `due_at` on and sends its message. If the message is lost after that, the row is due again later.
async fn wake<L: Ledger, Q: Queue, R: Random>(
    ledger: &L,
    queue: &Q,
    random: &R,
    key: &RowKey,
    now: i64,
) -> Result<bool, StoreError> {
    if !claim::postpone(ledger, random, key, now, now + WAKE_TAKES.num_seconds()).await? {
        return Ok(false);
    }
    let work = Work::Wake { workspace_id: key.workspace_id.clone(), call_id: key.call_id.clone() };
    queue.send(&work).await?;
    Ok(true)
}
