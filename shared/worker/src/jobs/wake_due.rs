//! The sweep: wakes every due row (docs/contract.md#how-a-call-is-logged). Each is postponed first, so that two sweeps
//! do not wake it twice.

use calls::timings::WAKE_TAKES;
use chrono::{DateTime, Utc};
use crm::ledger::RowKey;
use futures_util::future::join_all;

use crate::{
    claim::{self, Postponed},
    message::Queued,
    ports::{Clock, DueRows, Ledger, Queue, Random, StoreError},
};

use super::Wake;

/// Rows per page.
const PAGE: u32 = 100;

/// Wakes all due rows.
#[derive(Debug, Clone, Copy)]
pub struct WakeDue {
    /// When it must have finished.
    pub until: DateTime<Utc>,
}

/// The result of a sweep.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Woken {
    /// Rows whose wake message was sent.
    pub woken: usize,
    /// Due rows that a newer version wrote, which are not touched. Each costs every sweep one read. A shard can read
    /// about ten thousand per minute before they delay other rows.
    pub foreign: usize,
    /// Whether time ran out first; the next sweep continues.
    pub unfinished: bool,
}

impl WakeDue {
    /// Wakes all due rows, all shards concurrently. A row or a shard that fails is left for the next sweep and does not
    /// stop the others; the first failure is returned at the end.
    pub async fn run<L, Q, K, R>(
        &self,
        ledger: &L,
        queue: &Q,
        clock: &K,
        random: &R,
    ) -> Result<Woken, StoreError>
    where
        L: Ledger + DueRows,
        Q: Queue,
        K: Clock,
        R: Random,
    {
        let shards = (0..ledger.shards()).map(|shard| self.shard(ledger, queue, clock, random, shard));
        let mut done = Woken::default();
        let mut failed = None;
        for (woken, error) in join_all(shards).await {
            done.woken += woken.woken;
            done.foreign += woken.foreign;
            done.unfinished |= woken.unfinished;
            failed = failed.or(error);
        }
        failed.map_or(Ok(done), Err)
    }

    /// Wakes the due rows of one shard, one after another. Returns the result and the first failure.
    async fn shard<L, Q, K, R>(
        &self,
        ledger: &L,
        queue: &Q,
        clock: &K,
        random: &R,
        shard: u8,
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
                if now >= self.until {
                    done.unfinished = true;
                    return (done, failed);
                }
                match wake(ledger, queue, random, &key, now.timestamp()).await {
                    Ok(Postponed::Done) => done.woken += 1,
                    Ok(Postponed::NotDue) => {}
                    Ok(Postponed::Foreign) => done.foreign += 1,
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
}

/// Postpones the row's `due_at` and sends its wake message. If the message is lost, the row becomes due again.
async fn wake<L: Ledger, Q: Queue, R: Random>(
    ledger: &L,
    queue: &Q,
    random: &R,
    key: &RowKey,
    now: i64,
) -> Result<Postponed, StoreError> {
    let postponed = claim::postpone(ledger, random, key, now, now + WAKE_TAKES.num_seconds()).await?;
    if postponed == Postponed::Done {
        let wake = Wake { workspace_id: key.workspace_id.clone(), call_id: key.call_id.clone() };
        queue.send(&wake.message()).await?;
    }
    Ok(postponed)
}
