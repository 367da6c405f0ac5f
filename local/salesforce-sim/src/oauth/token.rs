//! The token endpoint: exchanges codes and refresh tokens for access tokens (docs/salesforce-api.md#tokens,
//! docs/salesforce-api.md#refresh).

use std::collections::BTreeMap;

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use ring::{digest, hmac};
use serde_json::{Value, json};

use super::grants::{Issued, RefreshRefused};
use crate::world::World;

/// The fields of a form or query. If a field is repeated, the first one counts.
pub(crate) type Form = BTreeMap<String, String>;

/// Parses a URL-encoded form or query.
pub(crate) fn parse_form(text: &[u8]) -> Form {
    let mut form = Form::new();
    for (key, value) in url::form_urlencoded::parse(text) {
        form.entry(key.into_owned()).or_insert_with(|| value.into_owned());
    }
    form
}

/// An error of the OAuth endpoints.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OAuthError {
    pub(crate) error: &'static str,
    pub(crate) description: &'static str,
}

impl OAuthError {
    pub(crate) fn new(error: &'static str, description: &'static str) -> Self {
        Self { error, description }
    }

    pub(crate) fn body(&self) -> Value {
        json!({"error": self.error, "error_description": self.description})
    }
}

/// The client id and secret in `Authorization: Basic`.
pub(crate) fn basic_credentials(header: Option<&str>) -> Option<(String, String)> {
    let decoded = STANDARD.decode(header?.strip_prefix("Basic ")?).ok()?;
    let text = String::from_utf8(decoded).ok()?;
    text.split_once(':').map(|(id, secret)| (id.to_owned(), secret.to_owned()))
}

/// Handles a token request.
pub(crate) fn token(
    world: &mut World,
    form: &Form,
    basic: Option<(String, String)>,
) -> Result<Value, OAuthError> {
    let grant_type = form.get("grant_type").map(String::as_str);
    if !matches!(grant_type, Some("authorization_code" | "refresh_token")) {
        return Err(OAuthError::new("unsupported_grant_type", "grant type not supported"));
    }
    authenticate(world, form, basic)?;
    if form.get("format").is_some_and(|format| format != "json") {
        return Err(OAuthError::new("invalid_request", "the simulator sends only JSON"));
    }
    let issued =
        if grant_type == Some("refresh_token") { refresh(world, form) } else { exchange(world, form) }?;
    Ok(response(world, &issued))
}

/// Authenticates the client by its id and secret, in the form or by HTTP Basic.
fn authenticate(world: &World, form: &Form, basic: Option<(String, String)>) -> Result<(), OAuthError> {
    let (id, secret) = match basic {
        Some((id, secret)) => (Some(id), Some(secret)),
        None => (form.get("client_id").cloned(), form.get("client_secret").cloned()),
    };
    if id.as_ref() != Some(&world.config.client_id) {
        return Err(OAuthError::new("invalid_client_id", "client identifier invalid"));
    }
    if secret.as_ref() != Some(&world.config.client_secret) {
        return Err(OAuthError::new("invalid_client", "invalid client credentials"));
    }
    Ok(())
}

fn exchange(world: &mut World, form: &Form) -> Result<Issued, OAuthError> {
    let now = world.clock.now();
    let code =
        form.get("code").ok_or(OAuthError::new("invalid_request", "missing required parameter: code"))?;
    let approval = world
        .grants
        .take_code(code, now, &world.settings)
        .ok_or(OAuthError::new("invalid_grant", "expired authorization code"))?;
    match form.get("redirect_uri") {
        None => return Err(OAuthError::new("redirect_uri_missing", "redirect_uri not provided")),
        Some(uri) if *uri != approval.redirect_uri => {
            return Err(OAuthError::new("redirect_uri_mismatch", "redirect_uri must match configuration"));
        }
        Some(_) => {}
    }
    check_verifier(approval.challenge.as_deref(), form.get("code_verifier").map(String::as_str))?;
    let org_id = world.orgs[approval.org].id.clone();
    Ok(world.grants.open(&approval, &org_id, now, &world.settings))
}

/// PKCE (RFC 7636): the challenge is the SHA-256 of the verifier, which has 43 to 128 characters.
fn check_verifier(challenge: Option<&str>, verifier: Option<&str>) -> Result<(), OAuthError> {
    let (challenge, verifier) = match (challenge, verifier) {
        (None, None) => return Ok(()),
        (Some(_), None) => return Err(OAuthError::new("invalid_grant", "missing required code verifier")),
        (None, Some(_)) => return Err(OAuthError::new("invalid_request", "missing required code challenge")),
        (Some(challenge), Some(verifier)) => (challenge, verifier),
    };
    let is_well_formed = (43..=128).contains(&verifier.len())
        && verifier.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~".contains(&b));
    let hash = digest::digest(&digest::SHA256, verifier.as_bytes());
    if !is_well_formed || URL_SAFE_NO_PAD.encode(hash) != challenge {
        return Err(OAuthError::new("invalid_request", "invalid code verifier"));
    }
    Ok(())
}

fn refresh(world: &mut World, form: &Form) -> Result<Issued, OAuthError> {
    let missing = OAuthError::new("invalid_request", "missing required parameter: refresh_token");
    let token = form.get("refresh_token").ok_or(missing)?;
    let now = world.clock.now();
    world.grants.refresh(token, now, &world.settings).map_err(|refused| {
        if refused == RefreshRefused::Reused {
            world.requests.tokens.reused_refresh_tokens += 1;
        }
        OAuthError::new("invalid_grant", "expired access/refresh token")
    })
}

/// The token response. It has no `expires_in`, and `issued_at` is a string.
pub(crate) fn response(world: &World, issued: &Issued) -> Value {
    let id = format!("{}/id/{}/{}", world.url, world.orgs[issued.org].id, issued.user);
    let issued_at = world.clock.now().timestamp_millis().to_string();
    let mut response = json!({
        "access_token": issued.access,
        "signature": signature(&world.config.client_secret, &id, &issued_at),
        "scope": issued.scopes.join(" "),
        "instance_url": world.settings.instance_url.as_ref().unwrap_or(&world.url),
        "id": id,
        "token_type": "Bearer",
        "issued_at": issued_at,
    });
    if let Some(refresh) = &issued.refresh {
        response["refresh_token"] = json!(refresh);
    }
    response
}

/// `base64(HMAC-SHA256(id + issued_at))`, keyed with the client secret.
fn signature(secret: &str, id: &str, issued_at: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    STANDARD.encode(hmac::sign(&key, format!("{id}{issued_at}").as_bytes()))
}
