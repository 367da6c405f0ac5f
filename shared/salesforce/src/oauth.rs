//! The OAuth 2.0 web-server flow with PKCE: authorize URL, code exchange, refresh, revoke (Salesforce Help,
//! "OAuth 2.0 Web Server Flow").

use crm::{CrmError, FaultClass};
use reqwest::StatusCode;
use secrecy::{ExposeSecret as _, SecretString};

use crate::{
    errors::{self, Effect},
    hosts::LoginUrl,
    pkce::{Challenge, Verifier},
    token_response::{self, Grant},
    transport::{Response, Transport},
};

/// The scopes that Ringlog requests: the REST API, and a refresh token.
pub const SCOPE: &str = "api refresh_token";

/// A connect flow's redirect URI, state and challenge. Not `Debug`: the state is a secret.
#[derive(Clone, Copy)]
pub struct Flow<'a> {
    /// Exactly as it is registered with the app.
    pub redirect_uri: &'a str,
    /// Returned with the callback.
    pub state: &'a str,
    /// The verifier's challenge.
    pub challenge: &'a Challenge,
}

/// The app that asks for tokens.
pub(crate) struct App<'a> {
    pub(crate) client_id: &'a str,
    pub(crate) client_secret: &'a SecretString,
}

/// The page where a user logs in and allows access. `prompt=login` keeps the popup from silently taking the user and org
/// that the browser is already logged in to.
pub fn authorize_url(client_id: &str, login: &LoginUrl, flow: &Flow<'_>) -> String {
    let parameters = [
        ("response_type", "code"),
        ("client_id", client_id),
        ("redirect_uri", flow.redirect_uri),
        ("scope", SCOPE),
        ("state", flow.state),
        ("code_challenge", flow.challenge.as_str()),
        ("code_challenge_method", "S256"),
        ("prompt", "login"),
    ];
    let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish();
    format!("{}/services/oauth2/authorize?{query}", login.as_str())
}

/// Exchanges a callback's code for tokens.
pub(crate) async fn exchange(
    transport: &Transport,
    app: &App<'_>,
    login: &LoginUrl,
    code: &str,
    redirect_uri: &str,
    verifier: &Verifier,
) -> Result<Grant, CrmError> {
    let form = [
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", redirect_uri),
        ("code_verifier", verifier.secret().expose_secret()),
    ];
    let grant = request_token(transport, "exchange", app, login, &form).await?;
    if grant.tokens.refresh_token.is_none() {
        return Err(errors::without_answer(
            FaultClass::OwnConfiguration,
            "no_refresh_token",
            "Salesforce sent no refresh token: allow the scope refresh_token in the app",
        ));
    }
    Ok(grant)
}

/// Exchanges the refresh token for an access token. Sends no `scope`: some grants are refused with one.
pub(crate) async fn refresh(
    transport: &Transport,
    app: &App<'_>,
    login: &LoginUrl,
    refresh_token: &SecretString,
) -> Result<Grant, CrmError> {
    let form = [("grant_type", "refresh_token"), ("refresh_token", refresh_token.expose_secret())];
    request_token(transport, "refresh", app, login, &form).await
}

/// Revokes a grant or a session. Succeeds if it has ended already.
pub(crate) async fn revoke(
    transport: &Transport,
    login: &LoginUrl,
    token: &SecretString,
) -> Result<(), CrmError> {
    let url = format!("{}/services/oauth2/revoke", login.as_str());
    let request = transport.http.post(url).form(&[("token", token.expose_secret())]);
    let Response { status, body, .. } = transport.send("revoke", Effect::Nothing, request).await?;
    let has_ended = || errors::parse_oauth(&body).is_some_and(|error| error.error == "invalid_token");
    if status.is_success() || (status == StatusCode::BAD_REQUEST && has_ended()) {
        return Ok(());
    }
    Err(errors::oauth(status, &body, Effect::Nothing))
}

async fn request_token(
    transport: &Transport,
    operation: &'static str,
    app: &App<'_>,
    login: &LoginUrl,
    form: &[(&str, &str)],
) -> Result<Grant, CrmError> {
    let url = format!("{}/services/oauth2/token", login.as_str());
    let credentials = [("client_id", app.client_id), ("client_secret", app.client_secret.expose_secret())];
    let request = transport.http.post(url).form(&[form, &credentials].concat());
    let Response { status, body, .. } = transport.send(operation, Effect::Creates, request).await?;
    if status.is_success() {
        return token_response::verify(&body, &transport.hosts, app.client_secret);
    }
    let error = errors::oauth(status, &body, Effect::Creates);
    // A login host that all orgs share does not move. If it fails for a while, that must not end every connection.
    let is_gone = errors::is_address_gone(status, &body) && !login.is_shared();
    let class = if is_gone { FaultClass::AddressGone } else { error.class };
    Err(CrmError { class, ..error })
}
