//! The webhook token: names its workspace and proves it, so that a report is authenticated without a lookup
//! (docs/contract.md#the-webhook-secret).
//!
//! `rlw1.<workspace>.<secret version>.<key id>.<base64url(HMAC-SHA256(everything before))>`

use std::future::Future;

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use calls::ids::WorkspaceId;
use ring::hmac;
use secrecy::SecretString;
use worker::ports::StoreError;

use crate::{
    keys::{Key, KeyRing},
    secrets::KeySource,
};

const VERSION: &str = "rlw1";

/// The content of a valid token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedToken {
    /// The workspace.
    pub workspace_id: WorkspaceId,
    /// The version of the workspace's webhook secret; it may have been revoked.
    pub secret_version: u64,
    /// The key it was made with.
    pub key_id: String,
}

/// Why a request is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// No token, or an invalid one. The sender does not learn what is wrong with it.
    #[error("no valid webhook token")]
    Refused,
    /// The keys could not be read.
    #[error(transparent)]
    Keys(#[from] StoreError),
}

/// Checks webhook tokens.
pub trait WebhookTokens: Send + Sync {
    /// Verifies a request's token; `None`: it has none.
    fn verify(&self, token: Option<&str>) -> impl Future<Output = Result<VerifiedToken, TokenError>> + Send;
}

/// Issues webhook tokens.
pub trait WebhookTokenIssuer: Send + Sync {
    /// The token of a workspace for a version of its secret. It stays the same as long as the current key does.
    fn issue(
        &self,
        workspace_id: &WorkspaceId,
        secret_version: u64,
    ) -> impl Future<Output = Result<SecretString, StoreError>> + Send;
}

/// Issues and verifies tokens with a source's keys. If a token names an unknown key, the keys are read again.
#[derive(Debug, Clone)]
pub struct TokenSigner<K> {
    keys: K,
}

impl<K: KeySource> TokenSigner<K> {
    /// Uses these keys.
    pub fn new(keys: K) -> Self {
        Self { keys }
    }
}

impl<K: KeySource> WebhookTokens for TokenSigner<K> {
    async fn verify(&self, token: Option<&str>) -> Result<VerifiedToken, TokenError> {
        let token = token.ok_or(TokenError::Refused)?;
        let checked = match check(&self.keys.keys().await?.webhook, token) {
            Checked::UnknownKey => check(&self.keys.reread().await?.webhook, token),
            checked => checked,
        };
        match checked {
            Checked::Valid(token) => Ok(token),
            Checked::Invalid | Checked::UnknownKey => Err(TokenError::Refused),
        }
    }
}

impl<K: KeySource> WebhookTokenIssuer for TokenSigner<K> {
    async fn issue(
        &self,
        workspace_id: &WorkspaceId,
        secret_version: u64,
    ) -> Result<SecretString, StoreError> {
        let keys = self.keys.keys().await?;
        let key = keys.webhook.current();
        let claim = format!("{VERSION}.{workspace_id}.{secret_version}.{}", key.id());
        let tag = hmac::sign(&signing_key(key), claim.as_bytes());
        Ok(format!("{claim}.{}", BASE64_URL_SAFE_NO_PAD.encode(tag)).into())
    }
}

enum Checked {
    Valid(VerifiedToken),
    Invalid,
    UnknownKey,
}

fn check(keys: &KeyRing, token: &str) -> Checked {
    let Some((claim, tag, content)) = parse(token) else { return Checked::Invalid };
    let Some(key) = keys.find(&content.key_id) else { return Checked::UnknownKey };
    match hmac::verify(&signing_key(key), claim.as_bytes(), &tag) {
        Ok(()) => Checked::Valid(content),
        Err(_) => Checked::Invalid,
    }
}

/// The token's signed part, its tag, and its content.
fn parse(token: &str) -> Option<(&str, Vec<u8>, VerifiedToken)> {
    let (claim, tag) = token.rsplit_once('.')?;
    let mut parts = claim.split('.');
    if parts.next()? != VERSION {
        return None;
    }
    let content = VerifiedToken {
        workspace_id: WorkspaceId::parse(parts.next()?).ok()?,
        secret_version: parts.next()?.parse().ok()?,
        key_id: parts.next()?.to_owned(),
    };
    let tag = BASE64_URL_SAFE_NO_PAD.decode(tag).ok()?;
    parts.next().is_none().then_some((claim, tag, content))
}

fn signing_key(key: &Key) -> hmac::Key {
    hmac::Key::new(hmac::HMAC_SHA256, key.bytes())
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::*;
    use crate::testing::keys;

    fn acme() -> WorkspaceId {
        WorkspaceId::parse("acme").unwrap()
    }

    fn signer(ids: &[&str]) -> TokenSigner<keys::Fixed> {
        TokenSigner::new(keys::Fixed::with_ids(ids))
    }

    async fn token() -> String {
        signer(&["1"]).issue(&acme(), 3).await.unwrap().expose_secret().to_owned()
    }

    #[tokio::test]
    async fn an_issued_token_is_accepted_and_names_its_workspace() {
        let token = token().await;
        assert!(token.starts_with("rlw1.acme.3.1."), "{token}");
        let expected = VerifiedToken { workspace_id: acme(), secret_version: 3, key_id: "1".into() };
        assert_eq!(signer(&["1"]).verify(Some(&token)).await, Ok(expected));
    }

    #[tokio::test]
    async fn anything_else_is_refused_without_saying_why() {
        let token = token().await;
        let tampered = [
            token.replace("acme", "other"),
            token.replace(".3.", ".4."),
            token.replace(".3.", ".+3."),
            token.replace(".3.", ".03."),
            token.replace("rlw1", "rlw2"),
            token.replace(".1.", ".9."),
            token[..token.len() - 2].to_owned(),
            format!("{token}.x"),
            format!("{token}A"),
            token.rsplit_once('.').unwrap().0.to_owned(),
            "rlw1....".to_owned(),
            String::new(),
        ];
        for bad in tampered {
            let verified = signer(&["1"]).verify(Some(&bad)).await;
            assert_eq!(verified, Err(TokenError::Refused), "{bad}");
        }
        assert_eq!(signer(&["1"]).verify(None).await, Err(TokenError::Refused));
    }

    #[tokio::test]
    async fn a_token_of_another_deployments_key_with_the_same_id_is_refused() {
        let elsewhere = TokenSigner::new(keys::Fixed::from_initial(&"x".repeat(64)));
        let verified = elsewhere.verify(Some(&token().await)).await;
        assert_eq!(verified, Err(TokenError::Refused));
    }

    #[tokio::test]
    async fn tokens_of_an_older_key_stay_valid_and_new_ones_name_the_new_key() {
        let rotated = signer(&["2", "1"]);
        assert!(rotated.verify(Some(&token().await)).await.is_ok());
        let new = rotated.issue(&acme(), 3).await.unwrap();
        assert!(new.expose_secret().starts_with("rlw1.acme.3.2."));
    }

    #[tokio::test]
    async fn a_token_of_an_unknown_key_makes_us_read_the_keys_again() {
        let new = signer(&["2"]).issue(&acme(), 1).await.unwrap();
        let source = keys::Rotating::new(keys::with_ids(&["1"]), keys::with_ids(&["2", "1"]));
        let verified = TokenSigner::new(source).verify(Some(new.expose_secret())).await;
        assert_eq!(verified.unwrap().key_id, "2");
    }
}
