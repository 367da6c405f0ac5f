//! Workspaces with their connections: tokens are sealed when stored and opened when loaded.

use std::{
    collections::HashMap,
    pin::{Pin, pin},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use aws_sdk_dynamodb::{Client, types::AttributeValue};
use calls::ids::{SalesforceId, WorkspaceId};
use crm::{
    breaker::Breaker,
    lease::Lease,
    places,
    workspace::{Connection, ConnectionState, FailedRefresh, Learned, Lessons, Workspace},
};
use futures_util::future::{Either, maybe_done, select};
use secrecy::SecretString;
use worker::{
    measure,
    ports::{
        BreakerOf, Breakers, ConnectionStore, IdleConnections, OrgMemory, Places, Random as _, StoreError,
        Tokens, Workspaces,
    },
};

use crate::{
    aws::{Aws, LazyClient},
    config::{ConfigError, Env, WorkspaceSettingsTable},
    random::SystemRandom,
    sealing::{Field, SealError, Sealed, Sealer},
    secrets::KeySource,
    stores::{Connections, NewConnection, OldGrant, Unanswered},
};

use super::{
    item::{ColumnError, Item, attribute, optional, required},
    rows::{Change, Changed, Rows},
    settings::{TRIES, contended},
    settings_item as stored,
};

const READ: &str = "reading a workspace";

/// How long an unused access token lasts (docs/salesforce-api.md#tokens). Only an estimate: Salesforce's 401 decides.
const TOKEN_LIFETIME: i64 = 2 * 60 * 60;

/// For how many workspaces a process caches opened tokens.
const CACHE_SIZE: usize = 256;

const LEASE: [&str; 2] = ["refresh_lease_owner", "refresh_lease_until"];

/// What workers learned about an org; deleted with the connection to it.
const LEARNED: [&str; 9] = [
    "paused_until",
    BREAKER,
    FAILED_REFRESH,
    "refused_fields",
    "unreadable_fields",
    "unfilterable_fields",
    "closed_task_status",
    "keep_alive_until",
    ADDRESS_GONE_SINCE,
];

/// Since when nothing has responded at the token endpoint's address.
const ADDRESS_GONE_SINCE: &str = "address_gone_since";

/// The breaker of the org, or of the login host that an item is about.
const BREAKER: &str = "breaker";

/// The workspace's places that are taken.
const PLACES: &str = "places";

/// The last refresh that failed.
const FAILED_REFRESH: &str = "failed_refresh";

/// What a disconnect deletes, besides the tokens and the lease.
const CONNECTION: [&str; 8] = [
    "salesforce_instance_url",
    "salesforce_token_expires_at",
    "salesforce_org_id",
    "salesforce_user_id",
    "salesforce_user_name",
    "salesforce_login_url",
    "connected_at",
    "connection_state_reason",
];

/// The settings table with its sealed tokens. Clones are cheap and share opened tokens.
#[derive(Debug, Clone)]
pub struct WorkspaceTable<K> {
    rows: Rows,
    sealer: Sealer<K>,
    /// Opened tokens by version. A version always has the same tokens, so the cache is never stale.
    opened: Arc<Mutex<HashMap<(WorkspaceId, u64), Connection>>>,
    /// Whether a row has been read before.
    is_warm: Arc<AtomicBool>,
}

impl<K: KeySource> WorkspaceTable<K> {
    /// Uses this table and client, and seals tokens with these keys.
    pub fn new(client: LazyClient<Client>, table: impl Into<String>, keys: K) -> Self {
        Self {
            rows: Rows::new(client, table),
            sealer: Sealer::new(keys),
            opened: Arc::default(),
            is_warm: Arc::default(),
        }
    }

    /// The table that `WORKSPACE_SETTINGS_TABLE` names.
    pub fn from_env(env: &impl Env, aws: &Aws, keys: K) -> Result<Self, ConfigError> {
        let WorkspaceSettingsTable(table) = WorkspaceSettingsTable::from_env(env)?;
        Ok(Self::new(aws.dynamodb(), table, keys))
    }

    /// The connection of a row in the state `connected`.
    async fn connection(&self, id: &WorkspaceId, item: &Item) -> Result<Connection, OpenError> {
        let version = stored::connection_version(item)?;
        let kept = (id.clone(), version);
        if let Some(connection) = self.opened.lock().unwrap_or_else(PoisonError::into_inner).get(&kept) {
            return Ok(connection.clone());
        }
        let connection = Connection {
            version,
            instance_url: required(item, "salesforce_instance_url")?,
            login_url: required(item, "salesforce_login_url")?,
            org_id: required(item, "salesforce_org_id")?,
            user_id: required(item, "salesforce_user_id")?,
            access_token: self.open(id, item, Field::AccessToken).await?,
            refresh_token: self.open(id, item, Field::RefreshToken).await?,
        };
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        if opened.len() >= CACHE_SIZE {
            opened.clear();
        }
        opened.retain(|(other, _), _| other != id);
        opened.insert(kept, connection.clone());
        Ok(connection)
    }

    /// Reads the keys in parallel with a process's first row. Later rows find them cached, or read them when needed;
    /// a row that is not connected cancels the read.
    async fn prepare(&self) -> Result<(), StoreError> {
        if self.is_warm.swap(true, Ordering::Relaxed) { Ok(()) } else { self.sealer.prepare().await }
    }

    async fn open(&self, id: &WorkspaceId, item: &Item, field: Field) -> Result<SecretString, OpenError> {
        let sealed: String = required(item, field.column())?;
        Ok(self.sealer.open(id, field, &Sealed::stored(sealed)).await?)
    }

    async fn seal(
        &self,
        id: &WorkspaceId,
        field: Field,
        secret: &SecretString,
    ) -> Result<Sealed, StoreError> {
        self.sealer.seal(id, field, secret).await.map_err(|error| match error {
            SealError::Keys(error) => error,
            error => StoreError { operation: "sealing a token", cause: error.code().to_owned() },
        })
    }

    /// The grant in a row; `None` if there is none, or it cannot be opened.
    async fn grant(&self, id: &WorkspaceId, item: &Item) -> Result<Option<OldGrant>, StoreError> {
        if !item.contains_key(Field::RefreshToken.column()) {
            return Ok(None);
        }
        match self.connection(id, item).await {
            Ok(Connection { login_url, refresh_token, .. }) => {
                Ok(Some(OldGrant { login_url, refresh_token }))
            }
            Err(OpenError::Seal(SealError::Keys(error))) => Err(error),
            Err(error) => {
                tracing::warn!(workspace.id = %id, error = %error, "an old grant cannot be revoked; it ends when it has been idle long enough");
                Ok(None)
            }
        }
    }

    /// Changes the connection, whatever it is. Returns the previous grant.
    async fn replace(
        &self,
        id: &WorkspaceId,
        operation: &'static str,
        change: impl Fn(&Item) -> Option<Change>,
    ) -> Result<Option<OldGrant>, Unanswered> {
        let write_id = SystemRandom.id();
        for _ in 0..TRIES {
            let before = self.rows.read(id, &[]).await?;
            let version = stored::connection_version(&before).map_err(|error| error.during(READ))?;
            let Some(change) = change(&before) else { return Ok(None) };
            // Opened before the write: if the keys cannot be read, nothing has changed yet.
            let grant = self.grant(id, &before).await?;
            let change = change
                .set("connection_version", version + 1)
                .set("connection_write_id", &write_id)
                .remove(&LEASE)
                .remove(&LEARNED)
                .only_at_version("connection_version", version);
            match self.rows.change(id, change).await {
                Ok(Changed::Done) => return Ok(grant),
                Ok(Changed::Refused(found)) if is_written_by(&found, &write_id) => return Ok(grant),
                Ok(Changed::Refused(_)) => {}
                Err(error) => return self.read_back(id, &write_id, grant, error).await,
            }
        }
        Err(contended(operation).into())
    }
}

impl<K: KeySource> WorkspaceTable<K> {
    /// Reads the row to see if a change without a response took effect.
    async fn read_back(
        &self,
        id: &WorkspaceId,
        write_id: &str,
        grant: Option<OldGrant>,
        error: StoreError,
    ) -> Result<Option<OldGrant>, Unanswered> {
        match self.rows.read(id, &["connection_write_id"]).await {
            Ok(found) if is_written_by(&found, write_id) => Ok(grant),
            Ok(_) => Err(error.into()),
            Err(_) => Err(Unanswered { error, grant }),
        }
    }
}

/// Why a connection cannot be read.
#[derive(Debug, thiserror::Error)]
enum OpenError {
    #[error(transparent)]
    Column(#[from] ColumnError),
    #[error(transparent)]
    Seal(#[from] SealError),
}

/// Whether the row's last change of tokens was this one: its response was lost, and it was retried.
fn is_written_by(found: &Item, write_id: &str) -> bool {
    optional::<String>(found, "connection_write_id").is_ok_and(|found| found.as_deref() == Some(write_id))
}

impl<K: KeySource> Workspaces for WorkspaceTable<K> {
    /// If tokens can never be opened again (a lost key), the workspace has to reconnect, so that its calls wait
    /// instead of failing.
    async fn load(&self, id: &WorkspaceId) -> Result<Workspace, StoreError> {
        // Read in parallel with the row, because each is a round trip. Only a connected row waits for the keys.
        let mut prepared = maybe_done(Box::pin(self.prepare()));
        let item = match select(pin!(self.rows.read(id, &[])), &mut prepared).await {
            Either::Left((item, _)) => item?,
            Either::Right(((), reading)) => reading.await?,
        };
        let mut workspace = without_connection(id, &item).map_err(|error| error.during(READ))?;
        if workspace.state == ConnectionState::Connected {
            (&mut prepared).await;
            Pin::new(&mut prepared).take_output().transpose()?;
            match self.connection(id, &item).await {
                Ok(connection) => workspace.connection = Some(connection),
                Err(OpenError::Column(error)) => return Err(error.during(READ)),
                Err(OpenError::Seal(SealError::Keys(error))) => return Err(error),
                Err(OpenError::Seal(error)) => {
                    tracing::error!(
                        workspace.id = %id, error.code = error.code(), error = %error,
                        "stored tokens cannot be opened; the workspace has to reconnect"
                    );
                    // Counted at every load, since nothing tells which is the first.
                    measure::connection_ended();
                    workspace.state = ConnectionState::ReconnectRequired;
                    workspace.state_reason = Some("the stored tokens cannot be opened any more".to_owned());
                }
            }
        }
        Ok(workspace)
    }
}

fn without_connection(id: &WorkspaceId, item: &Item) -> Result<Workspace, ColumnError> {
    let lease = match (optional(item, LEASE[0])?, optional(item, LEASE[1])?) {
        (Some(owner), Some(until)) => Some(Lease { owner, until }),
        _ => None,
    };
    let (state, state_reason) = stored::state(item)?;
    Ok(Workspace {
        id: id.clone(),
        settings: stored::settings(item),
        state,
        state_reason,
        connection: None,
        connection_version: stored::connection_version(item)?,
        refresh_lease: lease,
        webhook_secret: stored::webhook_secret(item)?,
        paused_until: optional(item, "paused_until")?,
        // What cannot be read is learned again.
        breaker: optional(item, BREAKER).unwrap_or_default(),
        failed_refresh: optional(item, FAILED_REFRESH).unwrap_or_default(),
        places: optional(item, PLACES).ok().flatten().unwrap_or_default(),
        learned: stored::learned(item),
        address_gone_since: optional(item, ADDRESS_GONE_SINCE)?,
    })
}

impl<K: KeySource> ConnectionStore for WorkspaceTable<K> {
    async fn acquire_refresh_lease(
        &self,
        id: &WorkspaceId,
        version: u64,
        owner: &str,
        now: i64,
        until: i64,
    ) -> Result<bool, StoreError> {
        // `<=`: a lease ends at its `until`. The owner may take its own lease again: the response to an earlier try
        // was lost.
        let condition = "connection_version = :version AND connection_state = :connected AND \
             (attribute_not_exists(refresh_lease_until) OR refresh_lease_until <= :now \
             OR refresh_lease_owner = :refresh_lease_owner)";
        let change = Change::default().set(LEASE[0], owner).set(LEASE[1], until).only_if(
            condition,
            [
                (":version", attribute(version)),
                (":connected", attribute(ConnectionState::Connected)),
                (":now", attribute(now)),
            ],
        );
        Ok(matches!(self.rows.change(id, change).await?, Changed::Done))
    }

    async fn store_refreshed(
        &self,
        id: &WorkspaceId,
        version: u64,
        owner: &str,
        tokens: &Tokens,
    ) -> Result<bool, StoreError> {
        let access_token = self.seal(id, Field::AccessToken, &tokens.access_token).await?;
        let refresh_token = match &tokens.refresh_token {
            Some(token) => Some(self.seal(id, Field::RefreshToken, token).await?),
            None => None,
        };
        let change = Change::default()
            .set(Field::AccessToken.column(), access_token.as_str())
            .set_some(Field::RefreshToken.column(), refresh_token.as_ref().map(Sealed::as_str))
            .set("salesforce_instance_url", &tokens.instance_url)
            .set("salesforce_token_expires_at", tokens.issued_at + TOKEN_LIFETIME)
            .set("connection_version", version + 1)
            .set("connection_write_id", owner)
            .remove(&LEASE)
            .remove(&[ADDRESS_GONE_SINCE, FAILED_REFRESH])
            .only_if(
                "connection_version = :version AND connection_state = :connected AND refresh_lease_owner = :owner",
                [
                    (":version", attribute(version)),
                    (":connected", attribute(ConnectionState::Connected)),
                    (":owner", attribute(owner)),
                ],
            );
        Ok(match self.rows.change(id, change).await? {
            Changed::Done => true,
            Changed::Refused(found) => is_written_by(&found, owner),
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
        let failed = failed.map(|code| FailedRefresh { owner: owner.to_owned(), code: code.to_owned() });
        let answers: &[&'static str] = if address_gone_since.is_none() { &[ADDRESS_GONE_SINCE] } else { &[] };
        let change = Change::default()
            .set_some(ADDRESS_GONE_SINCE, address_gone_since)
            .set_some(FAILED_REFRESH, failed)
            .remove(&LEASE)
            .remove(answers)
            .only_if(
                "connection_version = :version AND refresh_lease_owner = :owner",
                [(":version", attribute(version)), (":owner", attribute(owner))],
            );
        // Refused: somebody else holds the lease by now, or nobody.
        self.rows.change(id, change).await.map(drop)
    }

    async fn require_reconnect(
        &self,
        id: &WorkspaceId,
        version: u64,
        reason: &str,
    ) -> Result<bool, StoreError> {
        let change = Change::default()
            .set("connection_state", ConnectionState::ReconnectRequired)
            .set("connection_state_reason", reason)
            .remove(&stored::TOKENS)
            .remove(&["salesforce_token_expires_at"])
            .remove(&LEASE)
            .only_if(
                "connection_version = :version AND connection_state = :connected",
                [(":version", attribute(version)), (":connected", attribute(ConnectionState::Connected))],
            );
        Ok(match self.rows.change(id, change).await? {
            Changed::Done => true,
            // Our own write, if the response to an earlier try was lost: nothing else leads to this state with this
            // version.
            Changed::Refused(found) => {
                optional(&found, stored::STATE) == Ok(Some(ConnectionState::ReconnectRequired))
                    && stored::connection_version(&found) == Ok(version)
            }
        })
    }
}

/// The condition that the workspace is still connected to an org.
const CONNECTED_TO: &str = "salesforce_org_id = :org AND connection_state = :connected";

fn connected_to(org_id: &SalesforceId) -> [(&'static str, AttributeValue); 2] {
    [(":org", attribute(org_id)), (":connected", attribute(ConnectionState::Connected))]
}

impl<K: KeySource> WorkspaceTable<K> {
    /// Stores what was learned about an org, if the workspace is still connected to it.
    async fn learn(
        &self,
        id: &WorkspaceId,
        org_id: &SalesforceId,
        change: Change,
        condition: Option<&str>,
    ) -> Result<(), StoreError> {
        let change = change.only_if(
            condition.map_or(CONNECTED_TO.to_owned(), |condition| format!("{CONNECTED_TO} AND {condition}")),
            connected_to(org_id),
        );
        // Refused: the org has changed or is disconnected, or a later value is stored.
        self.rows.change(id, change).await.map(drop)
    }
}

impl<K: KeySource> OrgMemory for WorkspaceTable<K> {
    async fn pause(&self, id: &WorkspaceId, org_id: &SalesforceId, until: i64) -> Result<(), StoreError> {
        // The longer of two pauses counts.
        let longer = "(attribute_not_exists(paused_until) OR paused_until < :paused_until)";
        self.learn(id, org_id, Change::default().set("paused_until", until), Some(longer)).await
    }

    async fn remember(
        &self,
        id: &WorkspaceId,
        org_id: &SalesforceId,
        learned: &Learned,
        lessons: &Lessons,
    ) -> Result<(), StoreError> {
        self.learn(id, org_id, stored::set_learned(learned, lessons), None).await
    }
}

impl<K: KeySource> Breakers for WorkspaceTable<K> {
    async fn load_breaker(&self, of: BreakerOf<'_>) -> Result<Option<Breaker>, StoreError> {
        let item = match of {
            BreakerOf::Org(id, org_id) => {
                let item = self.rows.read(id, &[BREAKER, "salesforce_org_id"]).await?;
                let is_connected = optional(&item, "salesforce_org_id") == Ok(Some(org_id.clone()));
                if is_connected { item } else { Item::new() }
            }
            BreakerOf::LoginHost(url) => self.rows.read(&login_host(url), &[BREAKER]).await?,
        };
        Ok(optional(&item, BREAKER).unwrap_or_default())
    }

    async fn swap_breaker(
        &self,
        of: BreakerOf<'_>,
        before: Option<&Breaker>,
        after: Option<&Breaker>,
    ) -> Result<bool, StoreError> {
        let change = match after {
            Some(after) => Change::default().set(BREAKER, after),
            None => Change::default().remove(&[BREAKER]),
        };
        let same = if before.is_some() { "breaker = :before" } else { "attribute_not_exists(breaker)" };
        let before = before.map(|before| (":before", attribute(before)));
        let changed = match of {
            BreakerOf::Org(id, org_id) => {
                let condition = format!("{same} AND {CONNECTED_TO}");
                let values = before.into_iter().chain(connected_to(org_id));
                self.rows.change(id, change.only_if(condition, values)).await?
            }
            BreakerOf::LoginHost(url) => {
                self.rows.change(&login_host(url), change.only_if(same, before)).await?
            }
        };
        Ok(matches!(changed, Changed::Done))
    }
}

impl<K: KeySource> Places for WorkspaceTable<K> {
    async fn load_places(&self, id: &WorkspaceId) -> Result<places::Places, StoreError> {
        let item = self.rows.read(id, &[PLACES]).await?;
        optional(&item, PLACES).map(Option::unwrap_or_default).map_err(|error| error.during(READ))
    }

    async fn swap_places(
        &self,
        id: &WorkspaceId,
        before: &places::Places,
        after: &places::Places,
    ) -> Result<bool, StoreError> {
        let change = if after.is_empty() {
            Change::default().remove(&[PLACES])
        } else {
            Change::default().set(PLACES, after)
        };
        let same = if before.is_empty() { "attribute_not_exists(places)" } else { "places = :before" };
        let value = (!before.is_empty()).then(|| (":before", attribute(before)));
        Ok(matches!(self.rows.change(id, change.only_if(same, value)).await?, Changed::Done))
    }
}

/// The key of a login host's item. No workspace's id has a colon.
fn login_host(url: &str) -> String {
    format!("login:{url}")
}

impl<K: KeySource> IdleConnections for WorkspaceTable<K> {
    async fn idle(
        &self,
        issued_before: i64,
        now: i64,
        limit: u32,
        after: Option<String>,
    ) -> Result<(Vec<WorkspaceId>, Option<String>), StoreError> {
        let (items, next) =
            self.rows.with_expired_tokens(issued_before + TOKEN_LIFETIME, now, limit, after).await?;
        let ids: Result<Vec<WorkspaceId>, _> =
            items.iter().map(|item| required(item, "workspace_id")).collect();
        Ok((ids.map_err(|error| error.during(READ))?, next))
    }

    async fn claim_keep_alive(&self, id: &WorkspaceId, now: i64, until: i64) -> Result<bool, StoreError> {
        let change = Change::default().set("keep_alive_until", until).only_if(
            "connection_state = :connected AND \
             (attribute_not_exists(keep_alive_until) OR keep_alive_until <= :now)",
            [(":connected", attribute(ConnectionState::Connected)), (":now", attribute(now))],
        );
        Ok(matches!(self.rows.change(id, change).await?, Changed::Done))
    }
}

impl<K: KeySource> Connections for WorkspaceTable<K> {
    async fn connect(
        &self,
        id: &WorkspaceId,
        connection: &NewConnection,
        now: i64,
    ) -> Result<Option<OldGrant>, StoreError> {
        let access_token = self.seal(id, Field::AccessToken, &connection.access_token).await?;
        let refresh_token = self.seal(id, Field::RefreshToken, &connection.refresh_token).await?;
        let change = |_: &Item| {
            let no_name: &[&'static str] =
                if connection.user_name.is_none() { &["salesforce_user_name"] } else { &[] };
            Some(
                Change::default()
                    .set("connection_state", ConnectionState::Connected)
                    .set(Field::AccessToken.column(), access_token.as_str())
                    .set(Field::RefreshToken.column(), refresh_token.as_str())
                    .set("salesforce_token_expires_at", connection.issued_at + TOKEN_LIFETIME)
                    .set("salesforce_instance_url", &connection.instance_url)
                    .set("salesforce_login_url", &connection.login_url)
                    .set("salesforce_org_id", &connection.org_id)
                    .set("salesforce_user_id", &connection.user_id)
                    .set_some("salesforce_user_name", connection.user_name.as_ref())
                    .set("connected_at", now)
                    .set_if_absent("time_zone", connection.time_zone)
                    .set_if_absent("default_country", connection.country.as_ref())
                    .remove(&["connection_state_reason"])
                    .remove(no_name),
            )
        };
        self.replace(id, "storing a connection", change).await.map_err(|unanswered| unanswered.error)
    }

    async fn disconnect(&self, id: &WorkspaceId) -> Result<Option<OldGrant>, Unanswered> {
        let change = |before: &Item| {
            let connected = !matches!(stored::state(before), Ok((ConnectionState::Disconnected, _)));
            connected.then(|| {
                Change::default()
                    .set("connection_state", ConnectionState::Disconnected)
                    .remove(&stored::TOKENS)
                    .remove(&CONNECTION)
            })
        };
        self.replace(id, "forgetting a connection", change).await
    }
}

#[cfg(test)]
mod tests;
