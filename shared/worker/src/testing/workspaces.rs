//! The settings table in memory.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use calls::ids::{SalesforceId, WorkspaceId};
use crm::{
    breaker::Breaker,
    lease::Lease,
    places,
    workspace::{Connection, ConnectionState, FailedRefresh, Learned, Lessons, Settings, Workspace},
};

use crate::ports::{
    BreakerOf, Breakers, ConnectionStore, IdleConnections, OrgMemory, Places, StoreError, Tokens, Workspaces,
};

use super::{faults::Faults, lock::lock};

/// A workspace that is connected to an org: version 1, with the tokens `access-1` and `refresh-1`.
///
/// # Panics
///
/// If `id` is not a valid workspace id.
#[expect(clippy::expect_used, reason = "a test with an invalid workspace id should fail here")]
pub fn connected(id: &str) -> Workspace {
    let sf = |id: &str| SalesforceId::parse(id).expect("an id of 15 characters");
    let mut workspace = Workspace::unknown(WorkspaceId::parse(id).expect("a workspace's id"));
    workspace.state = ConnectionState::Connected;
    workspace.connection_version = 1;
    workspace.connection = Some(Connection {
        version: 1,
        instance_url: "https://acme.my.salesforce.com".to_owned(),
        login_url: "https://login.salesforce.com".to_owned(),
        org_id: sf("00D000000000001"),
        user_id: sf("005000000000001"),
        access_token: "access-1".into(),
        refresh_token: "refresh-1".into(),
    });
    workspace
}

/// Workspaces in memory. Operations are named like the methods of the traits. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct MemoryWorkspaces {
    rows: Arc<Mutex<HashMap<WorkspaceId, WorkspaceItem>>>,
    login_hosts: Arc<Mutex<HashMap<String, Breaker>>>,
    /// What fails.
    pub faults: Faults,
}

/// What is known of the org and the user, even without tokens.
#[derive(Debug, Clone, Default)]
pub struct Account {
    /// The org's URL.
    pub instance_url: Option<String>,
    /// The org.
    pub org_id: Option<String>,
    /// The user as whom Ringlog writes.
    pub user_name: Option<String>,
    /// Since when it has been connected, Unix seconds.
    pub connected_at: Option<i64>,
}

/// A workspace's item.
#[derive(Debug, Clone)]
pub struct WorkspaceItem {
    /// The workspace.
    pub workspace: Workspace,
    /// The org and the user.
    pub account: Account,
    /// Whether somebody has set the time zone.
    pub time_zone_is_set: bool,
    /// Whether somebody has set the default country.
    pub country_is_set: bool,
    /// The owner of the refresh that stored the current tokens, if it was one.
    pub refreshed_by: Option<String>,
    /// When Salesforce issued the tokens, if it is known.
    pub issued_at: Option<i64>,
    kept_alive_until: Option<i64>,
}

impl WorkspaceItem {
    fn unknown(id: &WorkspaceId) -> Self {
        Self {
            workspace: Workspace::unknown(id.clone()),
            account: Account::default(),
            time_zone_is_set: false,
            country_is_set: false,
            refreshed_by: None,
            issued_at: None,
            kept_alive_until: None,
        }
    }

    fn is_connected_to(&self, org_id: &SalesforceId) -> bool {
        self.workspace.connection.as_ref().is_some_and(|connection| connection.org_id == *org_id)
    }

    /// Deletes what was learned about the org, with the connection to it.
    pub fn forget_org(&mut self) {
        self.workspace.paused_until = None;
        self.workspace.breaker = None;
        self.workspace.failed_refresh = None;
        self.workspace.learned = Learned::default();
        self.workspace.address_gone_since = None;
        self.kept_alive_until = None;
    }

    /// Whether the tokens still have this version.
    fn is_at(&self, version: u64) -> bool {
        self.workspace.state == ConnectionState::Connected && self.workspace.connection_version == version
    }

    fn is_leased_to(&self, owner: &str) -> bool {
        self.workspace.refresh_lease.as_ref().is_some_and(|lease| lease.owner == owner)
    }
}

impl MemoryWorkspaces {
    /// Inserts or replaces a workspace.
    pub fn insert(&self, workspace: Workspace) {
        let connection = workspace.connection.as_ref();
        let account = Account {
            instance_url: connection.map(|connection| connection.instance_url.clone()),
            org_id: connection.map(|connection| connection.org_id.to_string()),
            user_name: None,
            connected_at: None,
        };
        let default = Settings::default();
        let time_zone_is_set = workspace.settings.time_zone != default.time_zone;
        let country_is_set = workspace.settings.default_country != default.default_country;
        let unknown = WorkspaceItem::unknown(&workspace.id);
        let row = WorkspaceItem { workspace, account, time_zone_is_set, country_is_set, ..unknown };
        lock(&self.rows).insert(row.workspace.id.clone(), row);
    }

    /// Sets when a workspace's tokens were issued, Unix seconds.
    pub fn issued_at(&self, id: &WorkspaceId, at: i64) {
        if let Some(row) = lock(&self.rows).get_mut(id) {
            row.issued_at = Some(at);
        }
    }

    /// The stored workspace.
    pub fn workspace(&self, id: &WorkspaceId) -> Workspace {
        self.item(id).workspace
    }

    /// The stored item; a new one if there is none.
    pub fn item(&self, id: &WorkspaceId) -> WorkspaceItem {
        lock(&self.rows).get(id).cloned().unwrap_or_else(|| WorkspaceItem::unknown(id))
    }

    /// Changes a workspace's item, under the name of the operation.
    pub fn change<T>(
        &self,
        operation: &'static str,
        id: &WorkspaceId,
        change: impl FnOnce(&mut WorkspaceItem) -> T,
    ) -> Result<T, StoreError> {
        self.faults.run(operation, || {
            change(lock(&self.rows).entry(id.clone()).or_insert_with(|| WorkspaceItem::unknown(id)))
        })
    }
}

impl Workspaces for MemoryWorkspaces {
    async fn load(&self, id: &WorkspaceId) -> Result<Workspace, StoreError> {
        self.faults.run("load", || self.workspace(id))
    }
}

impl ConnectionStore for MemoryWorkspaces {
    async fn acquire_refresh_lease(
        &self,
        id: &WorkspaceId,
        version: u64,
        owner: &str,
        now: i64,
        until: i64,
    ) -> Result<bool, StoreError> {
        self.change("acquire_refresh_lease", id, |row| {
            let held = row.workspace.refresh_lease.as_ref().is_some_and(|lease| lease.until > now);
            let may = row.is_at(version) && (!held || row.is_leased_to(owner));
            if may {
                row.workspace.refresh_lease = Some(Lease { owner: owner.to_owned(), until });
            }
            may
        })
    }

    async fn store_refreshed(
        &self,
        id: &WorkspaceId,
        version: u64,
        owner: &str,
        tokens: &Tokens,
    ) -> Result<bool, StoreError> {
        self.change("store_refreshed", id, |row| {
            let may = row.is_at(version) && row.is_leased_to(owner);
            if let Some(connection) = row.workspace.connection.as_mut().filter(|_| may) {
                connection.version = version + 1;
                connection.access_token = tokens.access_token.clone();
                connection.instance_url.clone_from(&tokens.instance_url);
                if let Some(token) = &tokens.refresh_token {
                    connection.refresh_token = token.clone();
                }
                row.account.instance_url = Some(tokens.instance_url.clone());
                row.workspace.connection_version = version + 1;
                row.workspace.refresh_lease = None;
                row.workspace.address_gone_since = None;
                row.workspace.failed_refresh = None;
                row.refreshed_by = Some(owner.to_owned());
                row.issued_at = Some(tokens.issued_at);
            }
            may || row.refreshed_by.as_deref() == Some(owner)
        })
    }

    async fn release_refresh_lease(
        &self,
        id: &WorkspaceId,
        version: u64,
        owner: &str,
        address_gone_since: Option<i64>,
        failed: Option<&str>,
    ) -> Result<(), StoreError> {
        self.change("release_refresh_lease", id, |row| {
            if row.workspace.connection_version == version && row.is_leased_to(owner) {
                row.workspace.refresh_lease = None;
                row.workspace.address_gone_since = address_gone_since;
                let failed =
                    failed.map(|code| FailedRefresh { owner: owner.to_owned(), code: code.to_owned() });
                row.workspace.failed_refresh = failed.or(row.workspace.failed_refresh.take());
            }
        })
    }

    async fn require_reconnect(
        &self,
        id: &WorkspaceId,
        version: u64,
        reason: &str,
    ) -> Result<bool, StoreError> {
        self.change("require_reconnect", id, |row| {
            let again = row.workspace.state == ConnectionState::ReconnectRequired
                && row.workspace.connection_version == version;
            let may = row.is_at(version);
            if may {
                row.workspace.state = ConnectionState::ReconnectRequired;
                row.workspace.state_reason = Some(reason.to_owned());
                row.workspace.connection = None;
                row.workspace.refresh_lease = None;
            }
            may || again
        })
    }
}

impl OrgMemory for MemoryWorkspaces {
    async fn pause(&self, id: &WorkspaceId, org_id: &SalesforceId, until: i64) -> Result<(), StoreError> {
        self.change("pause", id, |row| {
            if row.is_connected_to(org_id) {
                row.workspace.paused_until = row.workspace.paused_until.max(Some(until));
            }
        })
    }

    async fn remember(
        &self,
        id: &WorkspaceId,
        org_id: &SalesforceId,
        learned: &Learned,
        lessons: &Lessons,
    ) -> Result<(), StoreError> {
        self.change("remember", id, |row| {
            if row.is_connected_to(org_id) {
                row.workspace.learned.take(learned, lessons);
            }
        })
    }
}

impl Breakers for MemoryWorkspaces {
    async fn load_breaker(&self, of: BreakerOf<'_>) -> Result<Option<Breaker>, StoreError> {
        self.faults.run("load_breaker", || match of {
            BreakerOf::LoginHost(url) => lock(&self.login_hosts).get(url).copied(),
            BreakerOf::Org(id, org_id) => {
                let item = self.item(id);
                item.workspace.breaker.filter(|_| item.is_connected_to(org_id))
            }
        })
    }

    async fn swap_breaker(
        &self,
        of: BreakerOf<'_>,
        before: Option<&Breaker>,
        after: Option<&Breaker>,
    ) -> Result<bool, StoreError> {
        let swap = |stored: &mut Option<Breaker>| {
            let may = stored.as_ref() == before;
            if may {
                *stored = after.copied();
            }
            may
        };
        match of {
            BreakerOf::LoginHost(url) => self.faults.run("swap_breaker", || {
                let mut hosts = lock(&self.login_hosts);
                let mut stored = hosts.remove(url);
                let swapped = swap(&mut stored);
                hosts.extend(stored.map(|breaker| (url.to_owned(), breaker)));
                swapped
            }),
            BreakerOf::Org(id, org_id) => self.change("swap_breaker", id, |row| {
                row.is_connected_to(org_id) && swap(&mut row.workspace.breaker)
            }),
        }
    }
}

impl Places for MemoryWorkspaces {
    async fn load_places(&self, id: &WorkspaceId) -> Result<places::Places, StoreError> {
        self.faults.run("load_places", || self.workspace(id).places)
    }

    async fn swap_places(
        &self,
        id: &WorkspaceId,
        before: &places::Places,
        after: &places::Places,
    ) -> Result<bool, StoreError> {
        self.change("swap_places", id, |row| {
            let may = row.workspace.places == *before;
            if may {
                row.workspace.places = after.clone();
            }
            may
        })
    }
}

impl IdleConnections for MemoryWorkspaces {
    async fn idle(
        &self,
        issued_before: i64,
        now: i64,
        limit: u32,
        after: Option<String>,
    ) -> Result<(Vec<WorkspaceId>, Option<String>), StoreError> {
        self.faults.run("idle", || {
            let rows = lock(&self.rows);
            let idle = rows.values().filter(|row| {
                row.workspace.state == ConnectionState::Connected
                    && row.issued_at.is_some_and(|issued_at| issued_at <= issued_before)
                    && row.kept_alive_until.is_none_or(|until| until <= now)
            });
            let mut keys: Vec<_> = idle
                .map(|row| format!("{:020}/{}", row.issued_at.unwrap_or_default(), row.workspace.id))
                .filter(|key| after.as_ref().is_none_or(|after| key > after))
                .collect();
            keys.sort();
            let next = (keys.len() > limit as usize).then(|| keys[limit as usize - 1].clone());
            keys.truncate(limit as usize);
            let id = |key: &String| key.split_once('/').and_then(|(_, id)| WorkspaceId::parse(id).ok());
            (keys.iter().filter_map(id).collect(), next)
        })
    }

    async fn claim_keep_alive(&self, id: &WorkspaceId, now: i64, until: i64) -> Result<bool, StoreError> {
        self.change("claim_keep_alive", id, |row| {
            let may = row.workspace.state == ConnectionState::Connected
                && row.kept_alive_until.is_none_or(|until| until <= now);
            if may {
                row.kept_alive_until = Some(until);
            }
            may
        })
    }
}
