//! The settings table's ports, and the token endpoint.

use calls::ids::{SalesforceId, WorkspaceId};
use crm::{
    CrmError, FaultClass,
    breaker::Breaker,
    lease::Lease,
    places,
    workspace::{Connection, ConnectionState, FailedRefresh, Learned, Lessons, Workspace},
};
use secrecy::{ExposeSecret, SecretString};
use worker::ports::{
    BreakerOf, Breakers, ConnectionStore, IdleConnections, OrgMemory, Places, StoreError, TokenEndpoint,
    Tokens, Workspaces,
};

use crate::{
    invariants,
    world::{Broken, Failed, State, TIMEOUT, World},
};

use super::{crm_error, store_error};

impl Workspaces for World {
    async fn load(&self, id: &WorkspaceId) -> Result<Workspace, StoreError> {
        let id = id.clone();
        self.call("load workspace", move |state| {
            let pauses = state.broken != Some(Broken::Pause);
            let mut workspace = state.workspace(&id).clone();
            workspace.paused_until = workspace.paused_until.filter(|_| pauses);
            workspace
        })
        .await
        .map_err(store_error)
    }
}

impl ConnectionStore for World {
    async fn acquire_refresh_lease(
        &self,
        id: &WorkspaceId,
        version: u64,
        owner: &str,
        now: i64,
        until: i64,
    ) -> Result<bool, StoreError> {
        let (id, owner) = (id.clone(), owner.to_owned());
        self.call("acquire refresh lease", move |state| {
            let broken = state.broken == Some(Broken::TokenStore);
            let workspace = state.workspace(&id);
            let free = workspace
                .refresh_lease
                .as_ref()
                .is_none_or(|lease| lease.until <= now || lease.owner == owner);
            let ours = workspace.state == ConnectionState::Connected
                && (broken || free && workspace.connection_version == version);
            if ours && !broken {
                workspace.refresh_lease = Some(Lease { owner, until });
            }
            ours
        })
        .await
        .map_err(store_error)
    }

    async fn store_refreshed(
        &self,
        id: &WorkspaceId,
        version: u64,
        owner: &str,
        tokens: &Tokens,
    ) -> Result<bool, StoreError> {
        let (id, owner, tokens) = (id.clone(), owner.to_owned(), tokens.clone());
        let process = self.state().running;
        self.call("store tokens", move |state| {
            let broken = state.broken == Some(Broken::TokenStore);
            if state.refreshed_by.get(&id) == Some(&owner) {
                return true;
            }
            let workspace = state.workspace(&id);
            let holds = workspace.refresh_lease.as_ref().is_some_and(|lease| lease.owner == owner);
            let ours = broken || holds && workspace.connection_version == version;
            let Some(connection) = workspace.connection.as_mut().filter(|_| ours) else {
                if let Some(token) = &tokens.refresh_token {
                    state.owes(token.expose_secret(), process);
                }
                return false;
            };
            connection.version += 1;
            connection.access_token = tokens.access_token.clone();
            if let Some(token) = tokens.refresh_token.clone() {
                connection.refresh_token = token;
            }
            workspace.connection_version += 1;
            workspace.refresh_lease = None;
            workspace.address_gone_since = None;
            workspace.failed_refresh = None;
            state.issued.insert(id.clone(), tokens.issued_at);
            state.refreshed_by.insert(id, owner);
            true
        })
        .await
        .map_err(store_error)
    }

    async fn release_refresh_lease(
        &self,
        id: &WorkspaceId,
        version: u64,
        owner: &str,
        address_gone_since: Option<i64>,
        failed: Option<&str>,
    ) -> Result<(), StoreError> {
        let (id, owner) = (id.clone(), owner.to_owned());
        let failed = failed.map(|code| FailedRefresh { owner: owner.clone(), code: code.to_owned() });
        self.call("release refresh lease", move |state| {
            let workspace = state.workspace(&id);
            let holds = workspace.refresh_lease.as_ref().is_some_and(|lease| lease.owner == owner);
            if holds && workspace.connection_version == version {
                workspace.refresh_lease = None;
                workspace.address_gone_since = address_gone_since;
                workspace.failed_refresh = failed.or(workspace.failed_refresh.take());
            }
        })
        .await
        .map_err(store_error)
    }

    async fn require_reconnect(
        &self,
        id: &WorkspaceId,
        version: u64,
        reason: &str,
    ) -> Result<bool, StoreError> {
        let (id, reason) = (id.clone(), reason.to_owned());
        self.call("require reconnect", move |state| {
            let workspace = state.workspace(&id);
            let ours =
                workspace.connection_version == version && workspace.state == ConnectionState::Connected;
            if ours {
                workspace.state = ConnectionState::ReconnectRequired;
                workspace.state_reason = Some(reason);
                workspace.connection = None;
                workspace.refresh_lease = None;
            }
            ours
        })
        .await
        .map_err(store_error)
    }
}

impl OrgMemory for World {
    async fn pause(&self, id: &WorkspaceId, org_id: &SalesforceId, until: i64) -> Result<(), StoreError> {
        let (id, org_id) = (id.clone(), org_id.clone());
        self.call("pause", move |state| {
            let now = state.now;
            let workspace = state.workspace(&id);
            if workspace.connection.as_ref().is_some_and(|connection| connection.org_id == org_id) {
                workspace.paused_until = workspace.paused_until.max(Some(until));
                state.paused.insert(id, now);
            }
        })
        .await
        .map_err(store_error)
    }

    async fn remember(
        &self,
        id: &WorkspaceId,
        org_id: &SalesforceId,
        learned: &Learned,
        lessons: &Lessons,
    ) -> Result<(), StoreError> {
        let (id, org_id, learned, lessons) = (id.clone(), org_id.clone(), learned.clone(), lessons.clone());
        self.call("remember what was learned", move |state| {
            let workspace = state.workspace(&id);
            if workspace.connection.as_ref().is_some_and(|connection| connection.org_id == org_id) {
                workspace.learned.take(&learned, &lessons);
            }
        })
        .await
        .map_err(store_error)
    }
}

impl Breakers for World {
    async fn load_breaker(&self, of: BreakerOf<'_>) -> Result<Option<Breaker>, StoreError> {
        let of = Owned::from(of);
        self.call("load breaker", move |state| state.breaker(&of).and_then(|breaker| *breaker))
            .await
            .map_err(store_error)
    }

    async fn swap_breaker(
        &self,
        of: BreakerOf<'_>,
        before: Option<&Breaker>,
        after: Option<&Breaker>,
    ) -> Result<bool, StoreError> {
        let (of, before, after) = (Owned::from(of), before.copied(), after.copied());
        self.call("swap breaker", move |state| {
            let (now, is_test) = (state.now, before.is_some_and(|before| before.until.is_some()));
            if state.broken == Some(Broken::Breaker) && is_test && after.is_some() {
                return true;
            }
            let Some(stored) = state.breaker(&of).filter(|stored| **stored == before) else { return false };
            *stored = after;
            state.breakers_at.insert(of.name(), now);
            true
        })
        .await
        .map_err(store_error)
    }
}

impl Places for World {
    async fn load_places(&self, id: &WorkspaceId) -> Result<places::Places, StoreError> {
        let id = id.clone();
        self.call("load places", move |state| state.workspace(&id).places.clone()).await.map_err(store_error)
    }

    async fn swap_places(
        &self,
        id: &WorkspaceId,
        before: &places::Places,
        after: &places::Places,
    ) -> Result<bool, StoreError> {
        let (id, before, after) = (id.clone(), before.clone(), after.clone());
        self.call("swap places", move |state| {
            let stored = &mut state.workspace(&id).places;
            let may = *stored == before;
            if may {
                *stored = after;
            }
            may
        })
        .await
        .map_err(store_error)
    }
}

/// [`BreakerOf`], for an effect that happens later.
enum Owned {
    Org(WorkspaceId, SalesforceId),
    LoginHost(String),
}

impl From<BreakerOf<'_>> for Owned {
    fn from(of: BreakerOf<'_>) -> Self {
        match of {
            BreakerOf::Org(id, org_id) => Self::Org(id.clone(), org_id.clone()),
            BreakerOf::LoginHost(url) => Self::LoginHost(url.to_owned()),
        }
    }
}

impl Owned {
    fn name(&self) -> String {
        match self {
            Self::Org(id, _) => id.to_string(),
            Self::LoginHost(url) => url.clone(),
        }
    }
}

impl State {
    /// Where a breaker is stored; `None`: the workspace is not connected to the org.
    fn breaker(&mut self, of: &Owned) -> Option<&mut Option<Breaker>> {
        match of {
            Owned::LoginHost(url) => Some(self.login_hosts.entry(url.clone()).or_default()),
            Owned::Org(id, org_id) => {
                let workspace = self.workspace(id);
                let is_connected =
                    workspace.connection.as_ref().is_some_and(|connection| connection.org_id == *org_id);
                is_connected.then_some(&mut workspace.breaker)
            }
        }
    }
}

impl IdleConnections for World {
    async fn idle(
        &self,
        issued_before: i64,
        now: i64,
        _: u32,
        _: Option<String>,
    ) -> Result<(Vec<WorkspaceId>, Option<String>), StoreError> {
        self.call("query idle connections", move |state| {
            let idle = state.workspaces.values().filter(|workspace| {
                workspace.state == ConnectionState::Connected
                    && state.issued.get(&workspace.id).is_some_and(|at| *at <= issued_before)
                    && state.kept_alive.get(&workspace.id).is_none_or(|until| *until <= now)
            });
            (idle.map(|workspace| workspace.id.clone()).collect(), None)
        })
        .await
        .map_err(store_error)
    }

    async fn claim_keep_alive(&self, id: &WorkspaceId, now: i64, until: i64) -> Result<bool, StoreError> {
        let id = id.clone();
        self.call("claim keep-alive", move |state| {
            let connected = state.workspace(&id).state == ConnectionState::Connected;
            let is_free = connected && state.kept_alive.get(&id).is_none_or(|until| *until <= now);
            if is_free {
                state.kept_alive.insert(id, until);
            }
            is_free
        })
        .await
        .map_err(store_error)
    }
}

/// What became of a new connection.
pub enum Stored {
    /// It is stored.
    Done {
        /// The refresh token that it replaced.
        replaced: Option<String>,
    },
    /// The version has changed.
    Conflict,
}

impl World {
    /// Deletes the connection, if its version has not changed. Returns its refresh token.
    pub async fn forget(&self, id: &WorkspaceId, version: u64) -> Result<Option<String>, StoreError> {
        let id = id.clone();
        let process = self.state().running;
        self.call("forget connection", move |state| {
            (state.workspace(&id).connection_version == version).then(|| state.forget(&id, process)).flatten()
        })
        .await
        .map_err(store_error)
    }

    /// Stores a new connection.
    pub async fn connect(
        &self,
        id: &WorkspaceId,
        version: u64,
        new: Connection,
    ) -> Result<Stored, StoreError> {
        let id = id.clone();
        let process = self.state().running;
        self.call("store connection", move |state| {
            if state.workspace(&id).connection_version != version {
                return Stored::Conflict;
            }
            let old = state.forget(&id, process);
            let now = state.clock() / 1000;
            state.issued.insert(id.clone(), now);
            let workspace = state.workspace(&id);
            workspace.state = ConnectionState::Connected;
            workspace.state_reason = None;
            let version = workspace.connection_version;
            workspace.connection = Some(Connection { version, ..new });
            Stored::Done { replaced: old }
        })
        .await
        .map_err(store_error)
    }
}

impl State {
    fn forget(&mut self, id: &WorkspaceId, process: u64) -> Option<String> {
        self.kept_alive.remove(id);
        self.refreshed_by.remove(id);
        self.paused.remove(id);
        let workspace = self.workspace(id);
        workspace.state = ConnectionState::Disconnected;
        workspace.connection_version += 1;
        workspace.refresh_lease = None;
        workspace.paused_until = None;
        workspace.breaker = None;
        workspace.failed_refresh = None;
        workspace.learned = Learned::default();
        workspace.address_gone_since = None;
        let old = workspace.connection.take()?.refresh_token.expose_secret().to_owned();
        self.owes(old.clone(), process);
        Some(old)
    }
}

impl TokenEndpoint for World {
    async fn client_secret(&self) -> Result<SecretString, CrmError> {
        // Secrets Manager is occasionally slow.
        let takes = {
            let mut state = self.state();
            if state.rng.u32(0..8) == 0 { state.rng.i64(0..9_500) } else { 0 }
        };
        self.park(takes).await;
        Ok("client-secret".into())
    }

    async fn refresh(&self, connection: &Connection, _: &SecretString) -> Result<Tokens, CrmError> {
        self.park(0).await;
        let token = connection.refresh_token.expose_secret().to_owned();
        {
            let mut state = self.state();
            if state.salesforce.grants.get(&token).is_some_and(|grant| grant.in_use) {
                state.violate("two concurrent requests with one refresh token");
            }
            set_in_use(&mut state, &token, true);
            // If the worker dies, its request is over by then.
            let (at, token) = (state.now + TIMEOUT, token.clone());
            let effect = Box::new(move |state: &mut State| set_in_use(state, &token, false));
            state.later.push(crate::world::Later { at, effect });
        }
        // Occasionally, a refresh takes almost until the timeout.
        let takes = {
            let mut state = self.state();
            if state.rng.u32(0..4) == 0 { state.rng.i64(0..9_500) } else { 0 }
        };
        self.park(takes).await;
        invariants::login_host_not_left_alone(&mut self.state(), &connection.login_url);
        let hangs = {
            let state = self.state();
            state.now < state.salesforce.login_hangs_until
        };
        if hangs {
            self.hang().await;
            set_in_use(&mut self.state(), &token, false);
            return Err(crm_error(FaultClass::Ambiguous, "timeout"));
        }
        let used = token.clone();
        let response = self
            .call("refresh", move |state| {
                let now = state.now;
                state.salesforce.refresh(&used, now)
            })
            .await;
        set_in_use(&mut self.state(), &token, false);
        match response {
            Ok(Some((session, token))) => Ok(Tokens {
                access_token: session.into(),
                refresh_token: token.map(Into::into),
                instance_url: connection.instance_url.clone(),
                issued_at: self.state().clock() / 1000,
            }),
            Ok(None) => Err(crm_error(FaultClass::GrantEnded, "invalid_grant")),
            Err(Failed::NotSent) => Err(crm_error(FaultClass::Passing, "connection")),
            Err(Failed::NoResponse) => Err(crm_error(FaultClass::Ambiguous, "timeout")),
        }
    }

    async fn revoke(&self, _: &str, token: &SecretString) -> Result<(), CrmError> {
        let token = token.expose_secret().to_owned();
        let ended = token.clone();
        let revoked = self
            .call("revoke", move |state| {
                if state.broken != Some(Broken::Revoke) {
                    state.salesforce.revoke(&ended);
                }
            })
            .await;
        revoked.map_err(|_| {
            // One try is enough here: there is not always time for another.
            self.state().owed.remove(&token);
            crm_error(FaultClass::Passing, "timeout")
        })
    }
}

fn set_in_use(state: &mut State, token: &str, in_use: bool) {
    if let Some(grant) = state.salesforce.grants.get_mut(token) {
        grant.in_use = in_use;
    }
}
