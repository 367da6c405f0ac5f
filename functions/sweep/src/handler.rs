//! One minute's sweep.

use calls::{
    ports::{Clock, DueRows, Ledger, Queue, Random, StoreError},
    sync::{Woken, wake_due},
};
use chrono::{DateTime, TimeDelta, Utc};

/// The sweep ends this much before its process does, so that no row is postponed without its message sent.
const STOP_BEFORE: TimeDelta = TimeDelta::seconds(5);

/// What a sweep works with.
pub struct Sweep<L, Q, K, R> {
    /// The ledger.
    pub ledger: L,
    /// The calls queue.
    pub queue: Q,
    /// The time.
    pub clock: K,
    /// Randomness.
    pub random: R,
}

impl<L, Q, K, R> Sweep<L, Q, K, R>
where
    L: Ledger + DueRows,
    Q: Queue,
    K: Clock,
    R: Random,
{
    /// Wakes what is due. `deadline`: when this process is stopped.
    pub async fn run(&self, deadline: DateTime<Utc>) -> Result<Woken, StoreError> {
        let woken =
            wake_due(&self.ledger, &self.queue, &self.clock, &self.random, deadline - STOP_BEFORE).await?;
        if woken.unfinished {
            tracing::warn!(calls.woken = woken.woken, "more calls are due than one sweep can wake");
        } else if woken.woken > 0 {
            tracing::info!(calls.woken = woken.woken, "calls woken");
        }
        Ok(woken)
    }
}
