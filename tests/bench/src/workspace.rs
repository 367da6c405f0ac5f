//! A workspace that is connected, as the tables and the secrets hold it.

use std::{net::SocketAddr, sync::Arc};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use calls::{ids::WorkspaceId, ports::StoreError};
use platform::{
    keys::Keys,
    sealing::{Field, Sealer},
    secrets::{CachedSecret, SecretReader},
    webhook_token::{TokenSigner, WebhookTokenIssuer as _},
};
use ring::hmac;
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

const CLIENT_SECRET_TEXT: &str = "bench-client-secret";
const ORG: &str = "00D000000000001AAA";
const USER: &str = "005000000000001AAA";

/// What the stubs tell of it.
#[derive(Clone)]
pub(crate) struct Workspace {
    sealed_access: String,
    sealed_refresh: String,
    sealed_verifier: String,
    /// What Vapi sends.
    webhook_token: Arc<SecretString>,
}

/// A secret's text.
pub(crate) fn secret(arn: &str) -> &'static str {
    if arn == KEYS { KEYS_TEXT } else { CLIENT_SECRET_TEXT }
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
        // RFC 7636, appendix B.
        let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk".into();
        let verifier = sealer.seal(&id, Field::CodeVerifier, &verifier).await?;
        let webhook_token = TokenSigner::new(keys).issue(&id, 1).await?;
        Ok(Self {
            sealed_access: access_token.as_str().to_owned(),
            sealed_refresh: refresh_token.as_str().to_owned(),
            sealed_verifier: verifier.as_str().to_owned(),
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
            "salesforce_org_id": { "S": ORG },
            "salesforce_user_id": { "S": USER },
            "salesforce_user_name": { "S": "integration@example.com" },
            "time_zone": { "S": "America/New_York" },
            "default_country": { "S": "US" },
        })
    }

    /// Its connect flow under way, as the table of states holds it.
    pub(crate) fn flow(&self, salesforce: SocketAddr) -> Value {
        json!({
            "workspace_id": { "S": ID },
            "code_verifier": { "S": self.sealed_verifier },
            "redirect_uri": { "S": "https://api.example.com/api/salesforce/oauth/callback" },
            "login_url": { "S": format!("http://{salesforce}") },
        })
    }
}

/// What Salesforce answers when a code is exchanged for tokens, signed as it signs it.
pub(crate) fn tokens(salesforce: SocketAddr) -> Value {
    let id = format!("http://{salesforce}/id/{ORG}/{USER}");
    let issued_at = chrono::Utc::now().timestamp_millis().to_string();
    let key = hmac::Key::new(hmac::HMAC_SHA256, CLIENT_SECRET_TEXT.as_bytes());
    let signature = BASE64_STANDARD.encode(hmac::sign(&key, format!("{id}{issued_at}").as_bytes()));
    json!({
        "access_token": "00Dbench!access",
        "refresh_token": "5Aepbench",
        "signature": signature,
        "scope": "refresh_token api id",
        "instance_url": format!("http://{salesforce}"),
        "id": id,
        "token_type": "Bearer",
        "issued_at": issued_at,
    })
}

/// What its identity service answers.
pub(crate) fn identity() -> Value {
    json!({
        "user_id": USER,
        "organization_id": ORG,
        "username": "integration@example.com",
        "display_name": "Integration",
        "timezone": "America/New_York",
    })
}
