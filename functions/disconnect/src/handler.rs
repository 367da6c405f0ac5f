//! Disconnects a workspace: deletes its tokens, then revokes the grant.

use api::disconnect::Disconnected;
use calls::ids::WorkspaceId;
use chrono::{DateTime, Utc};
use lambda_http::{Body, Request, Response};
use platform::{
    http::{CallerRules, Problem, json},
    lambda::request_deadline,
    stores::{Connections, OldGrant, Unanswered},
};
use worker::{
    connection::end_grant,
    ports::{Clock, TokenEndpoint},
};

/// The handler's dependencies.
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

impl<C: Connections, T: TokenEndpoint, K: Clock> Disconnect<C, T, K> {
    /// Handles a request. Idempotent.
    pub async fn handle(&self, request: Request) -> Response<Body> {
        self.disconnect(&request).await.unwrap_or_else(Problem::into_response)
    }

    async fn disconnect(&self, request: &Request) -> Result<Response<Body>, Problem> {
        let caller = self.callers.admin(request)?;
        let id = &caller.workspace_id;
        // Deleted first, so that nothing is written from here on, even if Salesforce is down.
        let deadline = request_deadline(request, self.clock.now());
        match self.connections.disconnect(id).await {
            Ok(grant) => {
                tracing::info!(workspace.id = %id, had_grant = grant.is_some(), "disconnected");
                self.revoke(id, grant, deadline).await;
            }
            Err(Unanswered { error, grant }) => {
                // It may have been deleted, so that the next request would not find it.
                self.revoke(id, grant, deadline).await;
                return Err(error.into());
            }
        }
        Ok(json(200, &Disconnected::ANSWER))
    }

    async fn revoke(&self, id: &WorkspaceId, grant: Option<OldGrant>, deadline: DateTime<Utc>) {
        let Some(OldGrant { login_url, refresh_token }) = grant else { return };
        end_grant(&self.tokens, &self.clock, id, &login_url, &refresh_token, deadline).await;
    }
}
