//! One sweep.

use calls::timings::SWEEP_STOPS_BEFORE;
use chrono::{DateTime, Utc};
use worker::{
    connection::Sessions,
    jobs::{KeepAlive, KeptAlive, WakeDue, Woken},
    measure,
    ports::{
        Breakers, Clock, ConnectionStore, DueRows, IdleConnections, Ledger, Queue, Random, StoreError,
        TokenEndpoint,
    },
};

/// The sweep's dependencies.
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
    W: ConnectionStore + Breakers + IdleConnections,
    T: TokenEndpoint,
    K: Clock,
    R: Random,
{
    /// Wakes due calls, then keeps idle connections alive. A failure of one does not prevent the other. `deadline`:
    /// when Lambda stops this process.
    pub async fn run(&self, deadline: DateTime<Utc>) -> Result<(Woken, KeptAlive), StoreError> {
        let deadline = deadline - SWEEP_STOPS_BEFORE;
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
