//! A workspace leaves Salesforce: its tokens are forgotten, then the grant is revoked.

use calls::{
    connection::end_grant,
    ports::{Clock, TokenEndpoint},
};
use lambda_http::{Body, Request, Response};
use platform::{
    http::{CallerRules, Problem, json},
    lambda::request_deadline,
    stores::{Connections, OldGrant},
};
use serde::Serialize;

/// What a disconnect works with.
pub struct Disconnect<C, T, K> {
    /// Who may disconnect.
    pub callers: CallerRules,
    /// The settings table.
    pub connections: C,
    /// Salesforce.
    pub tokens: T,
    /// The time.
    pub clock: K,
}

#[derive(Serialize)]
struct Answer {
    success: bool,
    message: &'static str,
}

impl<C: Connections, T: TokenEndpoint, K: Clock> Disconnect<C, T, K> {
    /// Answers a request. Again is the same as once.
    pub async fn handle(&self, request: Request) -> Response<Body> {
        self.disconnect(&request).await.unwrap_or_else(Problem::into_response)
    }

    async fn disconnect(&self, request: &Request) -> Result<Response<Body>, Problem> {
        let caller = self.callers.admin(request)?;
        let id = &caller.workspace_id;
        // Forgotten first: also while Salesforce is down, nothing is written from here on.
        if let Some(OldGrant { login_url, refresh_token }) = self.connections.disconnect(id).await? {
            let deadline = request_deadline(request, self.clock.now());
            let revoked =
                end_grant(&self.tokens, &self.clock, id, &login_url, &refresh_token, deadline).await;
            tracing::info!(workspace.id = %id, revoked, "disconnected");
        }
        Ok(json(200, &Answer { success: true, message: "Salesforce disconnected" }))
    }
}
