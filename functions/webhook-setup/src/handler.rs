//! What a workspace pastes into Vapi: URL, header and secret; and a new secret if the old one has leaked.

use api::webhook_setup::{RotateRequest, Webhook};
use calls::ids::WorkspaceId;
use crm::workspace::WebhookSecretVersions;
use lambda_http::{Body, Request, Response};
use platform::{
    http::{CallerRules, Problem, PublicAddress, json, json_body_or_default},
    routes,
    stores::WebhookSecrets,
    webhook_token::WebhookTokenIssuer,
};
use secrecy::ExposeSecret;
use worker::ports::StoreError;

/// The handler's dependencies.
pub struct WebhookSetup<S, T> {
    /// Who may see the secret.
    pub callers: CallerRules,
    /// The address that Vapi posts to.
    pub address: PublicAddress,
    /// The settings table.
    pub secrets: S,
    /// Issues the token.
    pub tokens: T,
}

impl<S: WebhookSecrets, T: WebhookTokenIssuer> WebhookSetup<S, T> {
    /// Handles a request.
    pub async fn handle(&self, request: Request) -> Response<Body> {
        self.set_up(&request).await.unwrap_or_else(Problem::into_response)
    }

    async fn set_up(&self, request: &Request) -> Result<Response<Body>, Problem> {
        let id = self.callers.admin(request)?.workspace_id;
        let versions = if routes::WEBHOOK_ROTATE.is(request) {
            self.rotate(&id, &json_body_or_default(request)?).await?
        } else {
            self.secrets.ensure(&id).await?
        };
        let secret = self.tokens.issue(&id, versions.current).await?;
        let url = routes::WEBHOOK.on(&self.address.of(request)?);
        Ok(json(200, &Webhook::new(url, secret.expose_secret().to_owned())))
    }

    async fn rotate(
        &self,
        id: &WorkspaceId,
        body: &RotateRequest,
    ) -> Result<WebhookSecretVersions, StoreError> {
        let versions = self.secrets.rotate(id, body.revoke_previous).await?;
        tracing::info!(
            workspace.id = %id, secret.version = versions.current, secret.oldest_valid = versions.oldest_valid,
            "webhook secret rotated"
        );
        Ok(versions)
    }
}
