//! The status of a workspace's connection to Salesforce, without tokens.

use calls::{crm::ApiUsage, ledger::SyncStatus, ports::StoreError, workspace::ConnectionState};
use lambda_http::{Body, Request, Response};
use platform::{
    http::{CallerRules, Problem, json},
    stores::{NewestRows, StatusView},
};
use serde::Serialize;

/// The handler's dependencies.
pub struct Status<V, L> {
    /// Who may read the status.
    pub callers: CallerRules,
    /// The settings table.
    pub connections: V,
    /// The ledger.
    pub ledger: L,
}

/// The response (docs/contract.md#routes): null if unknown.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ResponseBody {
    connected: bool,
    state: ConnectionState,
    reason: Option<String>,
    instance_url: Option<String>,
    organization_id: Option<String>,
    user_name: Option<String>,
    connected_at: Option<i64>,
    /// When the newest logged call was written.
    last_sync: Option<i64>,
    api_usage: Option<ApiUsage>,
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

    async fn read(&self, id: &calls::ids::WorkspaceId) -> Result<ResponseBody, StoreError> {
        let connection = self.connections.status(id).await?;
        let newest = self.ledger.newest(id, SyncStatus::Success).await?;
        Ok(ResponseBody {
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
