//! The settings table without its sealed tokens: no keys are needed.

use aws_sdk_dynamodb::Client;
use calls::ids::WorkspaceId;
use crm::workspace::{Settings, WebhookSecretVersions};
use worker::ports::{Random as _, StoreError};

use crate::{
    aws::{Aws, LazyClient},
    config::{ConfigError, Env, WorkspaceSettingsTable},
    random::SystemRandom,
    stores::{ConnectionStatus, Replaced, SettingsStore, SettingsView, StatusView, WebhookSecrets},
};

use super::{
    item::optional,
    rows::{Change, Changed, Rows},
    settings_item as item,
};

const READ: &str = "reading a workspace";

/// How often a change is tried if the row changes between its read and its write.
pub(super) const TRIES: u32 = 5;

/// The error if somebody else was always faster.
pub(super) fn contended(operation: &'static str) -> StoreError {
    StoreError { operation, cause: "the row kept changing, and all tries failed".to_owned() }
}

/// The settings table, without sealed columns.
#[derive(Debug, Clone)]
pub struct SettingsTable(Rows);

impl SettingsTable {
    /// Uses this table and client.
    pub fn new(client: LazyClient<Client>, table: impl Into<String>) -> Self {
        Self(Rows::new(client, table))
    }

    /// The table that `WORKSPACE_SETTINGS_TABLE` names.
    pub fn from_env(env: &impl Env, aws: &Aws) -> Result<Self, ConfigError> {
        let WorkspaceSettingsTable(table) = WorkspaceSettingsTable::from_env(env)?;
        Ok(Self::new(aws.dynamodb(), table))
    }

    /// Changes the versions to `next`, if they are still the ones it was given; returns the stored versions.
    async fn raise(
        &self,
        id: &WorkspaceId,
        operation: &'static str,
        next: impl Fn(WebhookSecretVersions) -> Option<WebhookSecretVersions>,
    ) -> Result<WebhookSecretVersions, StoreError> {
        let write_id = SystemRandom.id();
        for _ in 0..TRIES {
            let read = self.0.read(id, &item::WEBHOOK_SECRET).await?;
            let now = item::webhook_secret(&read).map_err(|error| error.during(READ))?;
            let Some(next) = next(now) else { return Ok(now) };
            let change = Change::default()
                .set("webhook_secret_version", next.current)
                .set("webhook_secret_oldest_valid", next.oldest_valid)
                .set("webhook_secret_write_id", &write_id)
                .only_at_version("webhook_secret_version", now.current);
            match self.0.change(id, change).await? {
                Changed::Done => return Ok(next),
                Changed::Refused(found)
                    if optional(&found, "webhook_secret_write_id") == Ok(Some(write_id.clone())) =>
                {
                    return Ok(next);
                }
                Changed::Refused(_) => {}
            }
        }
        Err(contended(operation))
    }
}

impl SettingsView for SettingsTable {
    async fn settings(&self, id: &WorkspaceId) -> Result<Settings, StoreError> {
        Ok(item::settings(&self.0.read(id, &item::SETTINGS).await?))
    }
}

impl SettingsStore for SettingsTable {
    async fn replace(
        &self,
        id: &WorkspaceId,
        new: &Settings,
        may: impl Fn(&Settings) -> bool + Send + Sync,
    ) -> Result<Replaced, StoreError> {
        let write_id = SystemRandom.id();
        let columns = [item::SETTINGS.as_slice(), &[item::SETTINGS_WRITE_ID]].concat();
        for _ in 0..TRIES {
            let read = self.0.read(id, &columns).await?;
            let now = item::settings(&read);
            if !may(&now) {
                return Ok(Replaced::Refused(Box::new(now)));
            }
            if now == *new {
                return Ok(Replaced::Done);
            }
            // The write's id reveals settings that were changed and changed back since they were read.
            let change = item::changed_settings(&now, new)
                .set(item::SETTINGS_WRITE_ID, &write_id)
                .only_as_read(&columns, &read);
            match self.0.change(id, change).await? {
                Changed::Done => return Ok(Replaced::Done),
                Changed::Refused(found)
                    if optional(&found, item::SETTINGS_WRITE_ID) == Ok(Some(write_id.clone())) =>
                {
                    return Ok(Replaced::Done);
                }
                Changed::Refused(_) => {}
            }
        }
        Err(contended("changing the settings"))
    }
}

impl StatusView for SettingsTable {
    async fn status(&self, id: &WorkspaceId) -> Result<ConnectionStatus, StoreError> {
        item::status(&self.0.read(id, &item::STATUS).await?).map_err(|error| error.during(READ))
    }
}

impl WebhookSecrets for SettingsTable {
    async fn ensure(&self, id: &WorkspaceId) -> Result<WebhookSecretVersions, StoreError> {
        let first = |now: WebhookSecretVersions| {
            (now.current == 0).then_some(WebhookSecretVersions { current: 1, oldest_valid: 1 })
        };
        self.raise(id, "issuing a webhook secret", first).await
    }

    async fn rotate(
        &self,
        id: &WorkspaceId,
        revoke_previous: bool,
    ) -> Result<WebhookSecretVersions, StoreError> {
        self.raise(id, "rotating a webhook secret", |now| Some(next_versions(now, revoke_previous))).await
    }
}

/// The next versions: the previous one stays valid unless it is revoked; all older ones end.
pub(crate) fn next_versions(now: WebhookSecretVersions, revoke_previous: bool) -> WebhookSecretVersions {
    let current = now.current + 1;
    let oldest_valid = if revoke_previous { current } else { now.current.max(1) };
    WebhookSecretVersions { current, oldest_valid }
}
