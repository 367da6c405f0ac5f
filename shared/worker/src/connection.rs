//! Access tokens, refreshed by one worker at a time (docs/contract.md#refresh).
//!
//! A refresh token can be used only once: with rotation on, Salesforce returns a new one with each response and
//! invalidates the old one, and a second use may end the whole grant. So all workers of all functions share one lease
//! on the workspace's settings row. Whoever holds it refreshes; the others wait for the row to change.

use std::time::Duration;

use calls::{
    codes::reasons,
    ids::WorkspaceId,
    reason::Reason,
    timings::{ADDRESS_MAY_BE_GONE_FOR, CONFIRM_AFTER, REFRESH_LEASE, REFRESH_TAKES, REVOKE_TAKES},
};
use chrono::{DateTime, TimeDelta, Utc};
use crm::{
    CrmError, FaultClass,
    breaker::{Access, Breaker},
    lease::Lease,
    workspace::{Connection, ConnectionState, Workspace},
};
use secrecy::SecretString;

use crate::{
    breakers::{self, Heard},
    measure,
    ports::{BreakerOf, Breakers, Clock, ConnectionStore, Random, StoreError, TokenEndpoint, Tokens},
};

/// How often waiting workers read the row.
const POLL: Duration = Duration::from_millis(200);
/// The delay before storing new tokens is retried, and how much of the process's time must remain for a retry.
/// Giving up costs the connection, so it is retried for as long as possible.
const STORE_RETRY_DELAY: Duration = Duration::from_millis(500);
const STORE_RETRY_MARGIN: TimeDelta = TimeDelta::seconds(2);
/// The reason that the admin sees if the address is gone.
const ADDRESS_GONE: &str = "your org's My Domain has changed; connect again with the new one";
/// Attempts at revoking a grant. Nothing retries it later.
const REVOKE_ATTEMPTS: u32 = 3;

/// Why an attempt gets no valid tokens: for want of a connection, or because Salesforce, a store or the time failed it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SessionError {
    /// The workspace is not connected, or has to reconnect: its calls wait.
    #[error("not connected: {}", .0.code)]
    NotConnected(Reason),
    /// Salesforce failed to issue tokens.
    #[error("refresh failed: {0}")]
    Salesforce(CrmError),
    /// Another worker's refresh failed while this one waited for it.
    #[error("another worker's refresh failed: {0}")]
    FailedElsewhere(CrmError),
    /// Another worker's refresh takes longer than this one waits for it.
    #[error("another worker's refresh takes long")]
    Waiting,
    /// The login host does not answer in time: it is left alone.
    #[error("the login host is left alone")]
    LeftAlone {
        /// Until when, Unix seconds.
        until: i64,
    },
    /// Our own store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Too little time is left, or another worker's refresh took too long.
    #[error("no time left for a refresh")]
    OutOfTime,
}

/// The workspace's connection, or why its calls have to wait.
pub fn connected(workspace: &Workspace) -> Result<&Connection, Reason> {
    match (workspace.state, &workspace.connection) {
        (ConnectionState::Connected, Some(connection)) => Ok(connection),
        (ConnectionState::ReconnectRequired, _) => {
            let why = workspace.state_reason.as_deref().map(|why| format!(" ({why})")).unwrap_or_default();
            Err(Reason::filled(reasons::RECONNECT_REQUIRED, &[("why", &why)]))
        }
        _ => Err(Reason::of(reasons::NOT_CONNECTED)),
    }
}

/// Refreshes access tokens.
#[derive(Debug)]
pub struct Sessions<'a, S, T, K, R> {
    /// The settings table.
    pub store: &'a S,
    /// Salesforce's token endpoint.
    pub tokens: &'a T,
    /// The time.
    pub clock: &'a K,
    /// Randomness.
    pub random: &'a R,
}

impl<S, T, K, R> Sessions<'_, S, T, K, R>
where
    S: ConnectionStore + Breakers,
    T: TokenEndpoint,
    K: Clock,
    R: Random,
{
    /// A connection with newer tokens than version `stale`: another worker's, if it was faster, or else refreshed here.
    pub async fn renew(
        &self,
        id: &WorkspaceId,
        stale: u64,
        deadline: DateTime<Utc>,
    ) -> Result<Connection, SessionError> {
        self.renew_within(id, stale, deadline, deadline).await
    }

    /// The same, but waits for another worker's refresh only until `waits_until` ([`SessionError::Waiting`]).
    pub(crate) async fn renew_within(
        &self,
        id: &WorkspaceId,
        stale: u64,
        deadline: DateTime<Utc>,
        waits_until: DateTime<Utc>,
    ) -> Result<Connection, SessionError> {
        let mut earlier = None;
        loop {
            let workspace = self.store.load(id).await?;
            let connection = connected(&workspace).map_err(SessionError::NotConnected)?;
            if connection.version > stale {
                return Ok(connection.clone());
            }
            let failed = workspace.failed_refresh.clone();
            match (failed, &earlier) {
                // Another worker's refresh failed while this one waited: its own would fail likewise.
                (Some(failed), Some(earlier)) if earlier != &Some(failed.clone()) => {
                    return Err(SessionError::FailedElsewhere(failed.error()));
                }
                (failed, _) => earlier = Some(failed),
            }
            let now = self.clock.now();
            if deadline - now < REFRESH_TAKES {
                return Err(SessionError::OutOfTime);
            }
            if held(workspace.refresh_lease.as_ref(), now) {
                if waits_until < deadline && now >= waits_until {
                    return Err(SessionError::Waiting);
                }
                self.clock.sleep(POLL).await;
                continue;
            }
            // Both are read before taking the lease, which does not last long enough for slow reads.
            let host = BreakerOf::LoginHost(&connection.login_url);
            let breaker = self.store.load_breaker(host).await?;
            if let Access::LeftAlone(until) = Breaker::access(breaker, now.timestamp()) {
                return Err(SessionError::LeftAlone { until });
            }
            let secret = self.tokens.client_secret().await.map_err(SessionError::Salesforce)?;
            let now = self.clock.now();
            let owner = self.random.id();
            let until = (now + REFRESH_LEASE).timestamp();
            if self.store.acquire_refresh_lease(id, stale, &owner, now.timestamp(), until).await? {
                let since = workspace.address_gone_since;
                let asking = match breakers::ask(self.store, host, breaker, now.timestamp()).await? {
                    Ok(asking) => asking,
                    Err(until) => {
                        self.store.release_refresh_lease(id, stale, &owner, since, None).await?;
                        return Err(SessionError::LeftAlone { until });
                    }
                };
                let deadline = (now + REFRESH_LEASE).min(deadline);
                let refreshed = self.refresh(id, connection, &secret, &owner, since, deadline).await;
                let heard = match &refreshed {
                    Err(SessionError::Salesforce(error)) if error.timed_out() => Heard::NoAnswer,
                    Ok(()) | Err(SessionError::Salesforce(_)) => Heard::Answers,
                    Err(_) => Heard::Nothing,
                };
                let now = self.clock.now().timestamp();
                match breakers::tell(self.store, host, asking, heard, now).await {
                    Some(until) => return Err(SessionError::LeftAlone { until }),
                    None => refreshed?,
                }
            }
        }
    }

    /// Refreshes while holding the lease, until `deadline`. Returns once the row has the result.
    async fn refresh(
        &self,
        id: &WorkspaceId,
        connection: &Connection,
        secret: &SecretString,
        owner: &str,
        address_gone_since: Option<i64>,
        deadline: DateTime<Utc>,
    ) -> Result<(), SessionError> {
        // Taking the lease may have taken long.
        if deadline - self.clock.now() < REFRESH_TAKES {
            self.store.release_refresh_lease(id, connection.version, owner, address_gone_since, None).await?;
            return Err(SessionError::OutOfTime);
        }
        let mut response = self.tokens.refresh(connection, secret).await;
        let retry_after = match response.as_ref().map_err(|error| error.class) {
            Err(FaultClass::Ambiguous) => Some(Duration::ZERO),
            Err(FaultClass::GrantDoubtful) => Some(CONFIRM_AFTER),
            _ => None,
        };
        let confirming = retry_after == Some(CONFIRM_AFTER);
        if let Some(wait) = retry_after.filter(|wait| self.has_time_to_retry(*wait, deadline)) {
            self.clock.sleep(wait).await;
            response = self.tokens.refresh(connection, secret).await;
            // The same error twice, with a pause in between, is final.
            if let Err(error) = &mut response
                && confirming
                && error.class == FaultClass::GrantDoubtful
            {
                error.class = FaultClass::GrantEnded;
            }
        }
        match response {
            Ok(tokens) => self.store_or_revoke(id, connection, owner, &tokens, deadline).await,
            Err(error) if error.class == FaultClass::AddressGone => {
                self.address_is_gone(id, connection, owner, address_gone_since, error).await
            }
            Err(error) if error.class == FaultClass::GrantEnded => {
                // `false` if the row has newer tokens or none: the caller reads it next.
                if self.store.require_reconnect(id, connection.version, &error.message).await? {
                    measure::connection_ended();
                    // If the user is only frozen, the grant still exists, and its token has just been deleted.
                    let Connection { login_url, refresh_token, .. } = connection;
                    end_grant(self.tokens, self.clock, id, login_url, refresh_token, deadline).await;
                }
                Ok(())
            }
            Err(error) => {
                // An error in Salesforce's format shows that the address is still valid.
                let no_response_from_salesforce =
                    error.status.is_none_or(|status| status >= 500) || error.code.starts_with("http_");
                let since = address_gone_since.filter(|_| no_response_from_salesforce);
                self.store
                    .release_refresh_lease(id, connection.version, owner, since, Some(&error.code))
                    .await?;
                Err(SessionError::Salesforce(error))
            }
        }
    }

    fn has_time_to_retry(&self, wait: Duration, deadline: DateTime<Utc>) -> bool {
        let wait = TimeDelta::from_std(wait).unwrap_or(TimeDelta::MAX);
        deadline - self.clock.now() >= REFRESH_TAKES.checked_add(&wait).unwrap_or(TimeDelta::MAX)
    }

    /// Records that nothing responds at the token endpoint's address; ends the connection if that has lasted long
    /// enough.
    async fn address_is_gone(
        &self,
        id: &WorkspaceId,
        connection: &Connection,
        owner: &str,
        since: Option<i64>,
        error: CrmError,
    ) -> Result<(), SessionError> {
        let now = self.clock.now().timestamp();
        let since = since.unwrap_or(now);
        if now - since < ADDRESS_MAY_BE_GONE_FOR.num_seconds() {
            self.store
                .release_refresh_lease(id, connection.version, owner, Some(since), Some(&error.code))
                .await?;
            return Err(SessionError::Salesforce(error));
        }
        if self.store.require_reconnect(id, connection.version, ADDRESS_GONE).await? {
            measure::connection_ended();
        }
        Ok(())
    }

    /// Stores the new tokens before anybody uses them, or revokes them if the connection has changed in the meantime.
    async fn store_or_revoke(
        &self,
        id: &WorkspaceId,
        connection: &Connection,
        owner: &str,
        tokens: &Tokens,
        deadline: DateTime<Utc>,
    ) -> Result<(), SessionError> {
        // Store both even if only one is new: that seals them with the current key.
        let refresh_token = tokens.refresh_token.as_ref().unwrap_or(&connection.refresh_token);
        let both = Tokens { refresh_token: Some(refresh_token.clone()), ..tokens.clone() };
        let stored = loop {
            match self.store.store_refreshed(id, connection.version, owner, &both).await {
                Ok(stored) => break stored,
                Err(error) if deadline - self.clock.now() < STORE_RETRY_MARGIN => return Err(error.into()),
                Err(_) => self.clock.sleep(STORE_RETRY_DELAY).await,
            }
        };
        if stored {
            measure::refreshed();
        } else {
            let token = tokens.refresh_token.as_ref().unwrap_or(&tokens.access_token);
            end_grant(self.tokens, self.clock, id, &connection.login_url, token, deadline).await;
        }
        Ok(())
    }
}

/// Revokes a grant that is no longer used. Salesforce allows a user only a few per app, and an open one is a risk.
/// But nothing depends on it: if Salesforce cannot be reached until `deadline`, it is logged, and the grant ends when
/// it has been idle for as long as the app's policy allows. `true` if it was revoked.
pub async fn end_grant<T: TokenEndpoint, K: Clock>(
    tokens: &T,
    clock: &K,
    id: &WorkspaceId,
    login_url: &str,
    token: &SecretString,
    deadline: DateTime<Utc>,
) -> bool {
    for attempt in 1.. {
        let Err(error) = tokens.revoke(login_url, token).await else { return true };
        if attempt == REVOKE_ATTEMPTS || deadline - clock.now() < REVOKE_TAKES {
            tracing::warn!(
                workspace.id = %id, error.code = %error.code,
                "a grant could not be revoked; it ends when it has been idle long enough"
            );
            return false;
        }
        clock.sleep(POLL).await;
    }
    false
}

fn held(lease: Option<&Lease>, now: DateTime<Utc>) -> bool {
    lease.is_some_and(|lease| lease.until > now.timestamp())
}
