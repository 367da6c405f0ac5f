//! The status of a workspace's connection to Salesforce, without tokens.

use api::status::SalesforceStatus;
use calls::{ids::WorkspaceId, status::SyncStatus};
use crm::workspace::ConnectionState;
use lambda_http::{Body, Request, Response};
use platform::{
    http::{CallerRules, Problem, json},
    stores::{NewestRows, StatusView},
};
use worker::ports::StoreError;

/// The handler's dependencies.
pub struct Status<V, L> {
    /// Who may read the status.
    pub callers: CallerRules,
    /// The settings table.
    pub connections: V,
    /// The ledger.
    pub ledger: L,
}

impl<V: StatusView, L: NewestRows> Status<V, L> {
    /// Handles a request.
    pub async fn handle(&self, request: Request) -> Response<Body> {
        self.show(&request).await.unwrap_or_else(Problem::into_response)
    }

    async fn show(&self, request: &Request) -> Result<Response<Body>, Problem> {
        let caller = self.callers.caller(request)?;
        let body = self.read(&caller.workspace_id).await?;
        Ok(json(200, &body))
    }

    async fn read(&self, id: &WorkspaceId) -> Result<SalesforceStatus, StoreError> {
        let connection = self.connections.status(id).await?;
        let newest = self.ledger.newest(id, SyncStatus::Success).await?;
        Ok(SalesforceStatus {
            connected: connection.state == ConnectionState::Connected,
            state: connection.state,
            reason: connection.reason,
            instance_url: connection.instance_url,
            organization_id: connection.org_id,
            user_name: connection.user_name,
            connected_at: connection.connected_at,
            last_sync: newest.as_ref().map(|row| row.updated_at),
            api_usage: newest.and_then(|row| row.api_usage),
        })
    }
}
