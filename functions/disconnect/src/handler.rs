//! A workspace leaves Salesforce: its tokens are forgotten, then the grant is revoked.

use calls::ports::TokenEndpoint;
use lambda_http::{Body, Request, Response};
use platform::{
    http::{CallerRules, Problem, json},
    stores::Connections,
};
use serde::Serialize;

/// What a disconnect works with.
pub struct Disconnect<C, T> {
    /// Who may disconnect.
    pub callers: CallerRules,
    /// The settings table.
    pub connections: C,
    /// Salesforce.
    pub tokens: T,
}

#[derive(Serialize)]
struct Answer {
    success: bool,
    message: &'static str,
}

impl<C: Connections, T: TokenEndpoint> Disconnect<C, T> {
    /// Answers a request. Again is the same as once.
    pub async fn handle(&self, request: Request) -> Response<Body> {
        self.disconnect(&request).await.unwrap_or_else(Problem::into_response)
    }

    async fn disconnect(&self, request: &Request) -> Result<Response<Body>, Problem> {
        let caller = self.callers.admin(request)?;
        let id = &caller.workspace_id;
        // Forgotten first: also while Salesforce is down, nothing is written from here on.
        if let Some(grant) = self.connections.disconnect(id).await? {
            match self.tokens.revoke(&grant.login_url, &grant.refresh_token).await {
                Ok(()) => tracing::info!(workspace.id = %id, "disconnected, and the grant revoked"),
                Err(error) => tracing::warn!(
                    workspace.id = %id, error.code = %error.code,
                    "disconnected, but Salesforce did not revoke the grant; it ends when it is not used"
                ),
            }
        }
        Ok(json(200, &Answer { success: true, message: "Salesforce disconnected" }))
    }
}
