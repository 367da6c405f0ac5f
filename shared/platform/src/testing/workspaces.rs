//! What people see and change of the workspaces in memory.

use calls::ids::WorkspaceId;
use crm::workspace::{Connection, ConnectionState, Settings, WebhookSecretVersions};
use worker::{
    ports::StoreError,
    testing::{Account, MemoryWorkspaces, WorkspaceItem},
};

use crate::{
    dynamo::next_versions,
    stores::{
        ConnectionStatus, Connections, NewConnection, OldGrant, Replaced, SettingsStore, SettingsView,
        StatusView, Unanswered, WebhookSecrets,
    },
};

fn take_grant(item: &mut WorkspaceItem) -> Option<OldGrant> {
    let Connection { login_url, refresh_token, .. } = item.workspace.connection.take()?;
    Some(OldGrant { login_url, refresh_token })
}

impl SettingsView for MemoryWorkspaces {
    async fn settings(&self, id: &WorkspaceId) -> Result<Settings, StoreError> {
        self.faults.run("settings", || self.workspace(id).settings)
    }
}

impl SettingsStore for MemoryWorkspaces {
    async fn replace(
        &self,
        id: &WorkspaceId,
        new: &Settings,
        may: impl Fn(&Settings) -> bool + Send + Sync,
    ) -> Result<Replaced, StoreError> {
        self.change("replace", id, |row| {
            let now = &mut row.workspace.settings;
            if !may(now) {
                return Replaced::Refused(Box::new(now.clone()));
            }
            row.time_zone_is_set |= now.time_zone != new.time_zone;
            row.country_is_set |= now.default_country != new.default_country;
            now.clone_from(new);
            Replaced::Done
        })
    }
}

impl StatusView for MemoryWorkspaces {
    async fn status(&self, id: &WorkspaceId) -> Result<ConnectionStatus, StoreError> {
        self.faults.run("status", || {
            let WorkspaceItem { workspace, account, .. } = self.item(id);
            ConnectionStatus {
                state: workspace.state,
                reason: workspace.state_reason,
                instance_url: account.instance_url,
                org_id: account.org_id,
                user_name: account.user_name,
                connected_at: account.connected_at,
            }
        })
    }
}

impl WebhookSecrets for MemoryWorkspaces {
    async fn ensure(&self, id: &WorkspaceId) -> Result<WebhookSecretVersions, StoreError> {
        self.change("ensure", id, |row| {
            let versions = &mut row.workspace.webhook_secret;
            if versions.current == 0 {
                *versions = WebhookSecretVersions { current: 1, oldest_valid: 1 };
            }
            *versions
        })
    }

    async fn rotate(
        &self,
        id: &WorkspaceId,
        revoke_previous: bool,
    ) -> Result<WebhookSecretVersions, StoreError> {
        self.change("rotate", id, |row| {
            row.workspace.webhook_secret = next_versions(row.workspace.webhook_secret, revoke_previous);
            row.workspace.webhook_secret
        })
    }
}

impl Connections for MemoryWorkspaces {
    async fn connect(
        &self,
        id: &WorkspaceId,
        new: &NewConnection,
        now: i64,
    ) -> Result<Option<OldGrant>, StoreError> {
        self.change("connect", id, |row| {
            let old = take_grant(row);
            row.forget_org();
            row.issued_at = Some(new.issued_at);
            let workspace = &mut row.workspace;
            workspace.connection_version += 1;
            workspace.state = ConnectionState::Connected;
            workspace.state_reason = None;
            workspace.refresh_lease = None;
            row.refreshed_by = None;
            workspace.connection = Some(Connection {
                version: workspace.connection_version,
                instance_url: new.instance_url.clone(),
                login_url: new.login_url.clone(),
                org_id: new.org_id.clone(),
                user_id: new.user_id.clone(),
                access_token: new.access_token.clone(),
                refresh_token: new.refresh_token.clone(),
            });
            if let Some(time_zone) = new.time_zone.filter(|_| !row.time_zone_is_set) {
                workspace.settings.time_zone = time_zone;
                row.time_zone_is_set = true;
            }
            if let Some(country) = new.country.clone().filter(|_| !row.country_is_set) {
                workspace.settings.default_country = country;
                row.country_is_set = true;
            }
            row.account = Account {
                instance_url: Some(new.instance_url.clone()),
                org_id: Some(new.org_id.to_string()),
                user_name: new.user_name.clone(),
                connected_at: Some(now),
            };
            old
        })
    }

    async fn disconnect(&self, id: &WorkspaceId) -> Result<Option<OldGrant>, Unanswered> {
        let known = take_grant(&mut self.item(id));
        let disconnected = self.change("disconnect", id, |row| {
            if row.workspace.state == ConnectionState::Disconnected {
                return None;
            }
            let old = take_grant(row);
            row.forget_org();
            row.workspace.connection_version += 1;
            row.workspace.state = ConnectionState::Disconnected;
            row.workspace.state_reason = None;
            row.workspace.refresh_lease = None;
            row.refreshed_by = None;
            row.account = Account::default();
            old
        });
        disconnected.map_err(|error| {
            let forgotten = self.workspace(id).connection.is_none();
            Unanswered { error, grant: known.filter(|_| forgotten) }
        })
    }
}
