//! One minute's sweep.

use calls::{
    connection::Sessions,
    jobs::{KeepAlive, KeptAlive, WakeDue, Woken},
    measure,
    ports::{
        Clock, ConnectionStore, DueRows, IdleConnections, Ledger, Queue, Random, StoreError, TokenEndpoint,
    },
};
use chrono::{DateTime, TimeDelta, Utc};

/// The sweep ends this much before its process does, so that no row is postponed without its message sent.
const STOP_BEFORE: TimeDelta = TimeDelta::seconds(5);

/// What a sweep works with.
pub struct Sweep<L, Q, W, T, K, R> {
    /// The ledger.
    pub ledger: L,
    /// The calls queue.
    pub queue: Q,
    /// The settings table.
    pub workspaces: W,
    /// Salesforce.
    pub tokens: T,
    /// The time.
    pub clock: K,
    /// Randomness.
    pub random: R,
}

impl<L, Q, W, T, K, R> Sweep<L, Q, W, T, K, R>
where
    L: Ledger + DueRows,
    Q: Queue,
    W: ConnectionStore + IdleConnections,
    T: TokenEndpoint,
    K: Clock,
    R: Random,
{
    /// Wakes the calls that are due, then keeps idle connections alive. Neither waits for the other's failure.
    /// `deadline`: when this process is stopped.
    pub async fn run(&self, deadline: DateTime<Utc>) -> Result<(Woken, KeptAlive), StoreError> {
        let deadline = deadline - STOP_BEFORE;
        let woken = self.wake(deadline).await;
        let kept_alive = self.keep_alive(deadline).await;
        Ok((woken?, kept_alive?))
    }

    async fn wake(&self, deadline: DateTime<Utc>) -> Result<Woken, StoreError> {
        let due = WakeDue { until: deadline };
        let woken = due.run(&self.ledger, &self.queue, &self.clock, &self.random).await?;
        measure::woken(woken.woken);
        if woken.foreign > 0 {
            tracing::warn!(calls.due = woken.foreign, "due calls of a newer version are left alone");
        }
        if woken.unfinished {
            tracing::warn!(calls.woken = woken.woken, "more calls are due than one sweep can wake");
        } else if woken.woken > 0 {
            tracing::info!(calls.woken = woken.woken, "calls woken");
        }
        Ok(woken)
    }

    async fn keep_alive(&self, deadline: DateTime<Utc>) -> Result<KeptAlive, StoreError> {
        let (store, tokens) = (&self.workspaces, &self.tokens);
        let sessions = Sessions { store, tokens, clock: &self.clock, random: &self.random };
        let done = KeepAlive { until: deadline }.run(&sessions).await?;
        if done != KeptAlive::default() {
            tracing::info!(
                connections.refreshed = done.refreshed,
                connections.ended = done.ended,
                connections.failed = done.failed,
                "idle connections kept alive"
            );
        }
        Ok(done)
    }
}
