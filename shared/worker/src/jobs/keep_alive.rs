//! Keeps idle connections alive: Salesforce ends a refresh token that has been idle for as long as the app's policy
//! says, 30 days by the partner rules (docs/salesforce-api.md#partner-rules).

use calls::{
    ids::WorkspaceId,
    timings::{REFRESH_TAKES, TOKENS_IDLE},
};
use chrono::{DateTime, TimeDelta, Utc};

use crate::{
    connection::{SessionError, Sessions},
    ports::{Breakers, Clock, ConnectionStore, IdleConnections, Random, StoreError, TokenEndpoint},
};

/// The time between attempts at the same connection.
const RETRY_AFTER: TimeDelta = TimeDelta::hours(1);
/// Workspaces per page.
const PAGE: u32 = 25;

/// Refreshes idle connections.
#[derive(Debug, Clone, Copy)]
pub struct KeepAlive {
    /// When it must have finished.
    pub until: DateTime<Utc>,
}

/// The result of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct KeptAlive {
    /// Connections with new tokens.
    pub refreshed: usize,
    /// Connections that Salesforce had ended: somebody has to reconnect.
    pub ended: usize,
    /// Connections that could not be refreshed this time.
    pub failed: usize,
}

impl KeepAlive {
    /// Refreshes the connections whose tokens are two weeks old, one after another; the rest waits for the next run.
    /// Each is claimed, so that nobody else tries it for an hour. A connection that fails does not stop the others;
    /// the first failure of our own store is returned at the end.
    pub async fn run<S, T, K, R>(&self, sessions: &Sessions<'_, S, T, K, R>) -> Result<KeptAlive, StoreError>
    where
        S: ConnectionStore + Breakers + IdleConnections,
        T: TokenEndpoint,
        K: Clock,
        R: Random,
    {
        let mut done = KeptAlive::default();
        let mut failed = None;
        let mut after = None;
        loop {
            let now = sessions.clock.now();
            let (ids, next) =
                sessions.store.idle((now - TOKENS_IDLE).timestamp(), now.timestamp(), PAGE, after).await?;
            for id in ids {
                if self.until - sessions.clock.now() < REFRESH_TAKES {
                    return failed.map_or(Ok(done), Err);
                }
                match refresh(sessions, &id, self.until).await {
                    Ok(refreshed) => done.refreshed += usize::from(refreshed),
                    Err(SessionError::NotConnected(reason)) => {
                        tracing::warn!(workspace.id = %id, error.code = %reason.code, "an idle connection has ended");
                        done.ended += 1;
                    }
                    Err(error) => {
                        tracing::warn!(workspace.id = %id, error = %error, "an idle connection could not be kept alive");
                        done.failed += 1;
                        if let SessionError::Store(error) = error {
                            failed.get_or_insert(error);
                        }
                    }
                }
            }
            match next {
                Some(_) => after = next,
                None => return failed.map_or(Ok(done), Err),
            }
        }
    }
}

/// Claims a connection and refreshes it; `false` if somebody else has claimed it.
async fn refresh<S, T, K, R>(
    sessions: &Sessions<'_, S, T, K, R>,
    id: &WorkspaceId,
    deadline: DateTime<Utc>,
) -> Result<bool, SessionError>
where
    S: ConnectionStore + Breakers + IdleConnections,
    T: TokenEndpoint,
    K: Clock,
    R: Random,
{
    let now = sessions.clock.now();
    // Read the version first: if somebody else refreshes after this, there is nothing left to do.
    let stale = sessions.store.load(id).await?.connection_version;
    let claimed =
        sessions.store.claim_keep_alive(id, now.timestamp(), (now + RETRY_AFTER).timestamp()).await?;
    if claimed {
        sessions.renew(id, stale, deadline).await?;
    }
    Ok(claimed)
}
