//! A workspace that is connected, as the tables and the secrets hold it.

use std::{net::SocketAddr, sync::Arc};

use calls::{ids::WorkspaceId, ports::StoreError};
use platform::{
    keys::Keys,
    sealing::{Field, Sealer},
    secrets::{CachedSecret, SecretReader},
    webhook_token::{TokenSigner, WebhookTokenIssuer as _},
};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};

use crate::Failure;

/// Its id.
pub(crate) const ID: &str = "acme";
/// The name of the secret with the keys.
pub(crate) const KEYS: &str = "arn:aws:secretsmanager:us-east-1:123456789012:secret:keys";
/// The name of the secret with the client secret.
pub(crate) const CLIENT_SECRET: &str = "arn:aws:secretsmanager:us-east-1:123456789012:secret:client";

const KEYS_TEXT: &str = r#"{"sealing":[{"id":"1"}],"webhook":[{"id":"1"}],"initial":"a-benchmark-has-no-secrets-and-needs-64-characters-of-key-material"}"#;

/// What the stubs tell of it.
#[derive(Clone)]
pub(crate) struct Workspace {
    sealed_access: String,
    sealed_refresh: String,
    /// What Vapi sends.
    webhook_token: Arc<SecretString>,
}

/// A secret's text.
pub(crate) fn secret(arn: &str) -> &'static str {
    if arn == KEYS { KEYS_TEXT } else { "bench-client-secret" }
}

struct Written;

impl SecretReader for Written {
    async fn read(&self, _: &str) -> Result<SecretString, StoreError> {
        Ok(KEYS_TEXT.into())
    }
}

impl Workspace {
    /// Seals its tokens and signs its webhook token, as the functions do.
    pub(crate) async fn new() -> Result<Self, Failure> {
        let id = WorkspaceId::parse(ID)?;
        let keys = CachedSecret::<Keys, _>::new(Written, KEYS);
        let sealer = Sealer::new(keys.clone());
        let access_token = sealer.seal(&id, Field::AccessToken, &"00Dbench!access".into()).await?;
        let refresh_token = sealer.seal(&id, Field::RefreshToken, &"5Aepbench".into()).await?;
        let webhook_token = TokenSigner::new(keys).issue(&id, 1).await?;
        Ok(Self {
            sealed_access: access_token.as_str().to_owned(),
            sealed_refresh: refresh_token.as_str().to_owned(),
            webhook_token: Arc::new(webhook_token),
        })
    }

    /// Its token for the header.
    pub(crate) fn token(&self) -> &str {
        self.webhook_token.expose_secret()
    }

    /// Its row, with Salesforce at this address.
    pub(crate) fn item(&self, salesforce: SocketAddr) -> Value {
        let now = chrono::Utc::now().timestamp();
        json!({
            "workspace_id": { "S": ID },
            "connection_state": { "S": "connected" },
            "connection_version": { "N": "1" },
            "connected_at": { "N": now.to_string() },
            "webhook_secret_version": { "N": "1" },
            "webhook_secret_oldest_valid": { "N": "1" },
            "salesforce_instance_url": { "S": format!("http://{salesforce}") },
            "salesforce_login_url": { "S": format!("http://{salesforce}") },
            "salesforce_access_token": { "S": self.sealed_access },
            "salesforce_refresh_token": { "S": self.sealed_refresh },
            "salesforce_token_expires_at": { "N": (now + 7200).to_string() },
            "salesforce_org_id": { "S": "00D000000000001AAA" },
            "salesforce_user_id": { "S": "005000000000001AAA" },
            "salesforce_user_name": { "S": "integration@example.com" },
            "time_zone": { "S": "America/New_York" },
            "default_country": { "S": "US" },
        })
    }
}
