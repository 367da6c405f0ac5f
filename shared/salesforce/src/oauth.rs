//! OAuth 2.0 web-server flow with PKCE: authorize URL, code exchange, refresh, revoke (Salesforce Help,
//! "OAuth 2.0 Web Server Flow").

use calls::{
    codes::faults,
    crm::{CrmError, FaultClass},
    ports::ClientSecretSource,
};
use reqwest::StatusCode;
use secrecy::{ExposeSecret as _, SecretString};

use crate::{
    client::Client,
    errors::{self, Effect},
    hosts::LoginUrl,
    pkce::{Challenge, Verifier},
    token_answer::{self, Grant},
    transport::Response,
};

/// What Ringlog asks for: the REST API, and to stay connected.
pub const SCOPE: &str = "api refresh_token";

/// Where the user's answer goes, and what binds it to the flow. Not `Debug`: the state is a secret.
#[derive(Clone, Copy)]
pub struct Flow<'a> {
    /// A callback that is registered with the app, to the letter.
    pub redirect_uri: &'a str,
    /// Comes back with the answer.
    pub state: &'a str,
    /// The verifier's challenge.
    pub challenge: &'a Challenge,
}

/// The page where a user logs in and allows access. `prompt=login`, so that the popup does not silently take the user
/// and the org that the browser happens to be logged in to.
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

impl<S: ClientSecretSource> Client<S> {
    /// Exchanges the code of a callback for tokens. `redirect_uri` is that of the authorize URL.
    pub async fn exchange(
        &self,
        login: &LoginUrl,
        code: &str,
        redirect_uri: &str,
        verifier: &Verifier,
    ) -> Result<Grant, CrmError> {
        let secret = self.own_secret().await?;
        let grant = self
            .token(
                "exchange",
                login,
                &[
                    ("grant_type", "authorization_code"),
                    ("code", code),
                    ("redirect_uri", redirect_uri),
                    ("code_verifier", verifier.secret().expose_secret()),
                ],
                &secret,
            )
            .await?;
        if grant.tokens.refresh_token.is_none() {
            return Err(errors::without_answer(
                FaultClass::OwnConfiguration,
                "no_refresh_token",
                "Salesforce gave no refresh token: allow the scope refresh_token in the app",
            ));
        }
        Ok(grant)
    }

    /// Exchanges the refresh token for an access token. No `scope`: sending one makes Salesforce refuse some grants.
    pub(crate) async fn refreshed(
        &self,
        login: &LoginUrl,
        refresh_token: &SecretString,
        client_secret: &SecretString,
    ) -> Result<Grant, CrmError> {
        let form = [("grant_type", "refresh_token"), ("refresh_token", refresh_token.expose_secret())];
        self.token("refresh", login, &form, client_secret).await
    }

    /// The client secret, as it is now.
    pub(crate) async fn own_secret(&self) -> Result<SecretString, CrmError> {
        self.config.client_secret.client_secret().await.map_err(|error| {
            tracing::error!(error = %error, "the client secret could not be read");
            let code = faults::CLIENT_SECRET_UNAVAILABLE.code;
            errors::without_answer(FaultClass::Passing, code, &error.to_string())
        })
    }

    /// Ends a grant, or a session. What is no longer valid is ended already.
    pub(crate) async fn revoked(&self, login: &LoginUrl, token: &SecretString) -> Result<(), CrmError> {
        let url = format!("{}/services/oauth2/revoke", login.as_str());
        let request = self.http.post(url).form(&[("token", token.expose_secret())]);
        let Response { status, body, .. } = self.send("revoke", Effect::Nothing, request).await?;
        let ended_before = || errors::oauth_fault(&body).is_some_and(|fault| fault.error == "invalid_token");
        if status.is_success() || (status == StatusCode::BAD_REQUEST && ended_before()) {
            return Ok(());
        }
        Err(errors::oauth(status, &body, Effect::Nothing))
    }

    async fn token(
        &self,
        operation: &'static str,
        login: &LoginUrl,
        form: &[(&str, &str)],
        secret: &SecretString,
    ) -> Result<Grant, CrmError> {
        let url = format!("{}/services/oauth2/token", login.as_str());
        let own = [("client_id", self.config.client_id.as_str()), ("client_secret", secret.expose_secret())];
        let request = self.http.post(url).form(&[form, &own].concat());
        let Response { status, body, .. } = self.send(operation, Effect::Creates, request).await?;
        if status.is_success() {
            return token_answer::verified(&body, self.hosts(), secret);
        }
        let error = errors::oauth(status, &body, Effect::Creates);
        // A login host of all orgs does not move; one that fails for a while must not end everybody's connection.
        let is_gone = errors::leads_nowhere(status, &body) && !login.is_shared();
        let class = if is_gone { FaultClass::AddressGone } else { error.class };
        Err(CrmError { class, ..error })
    }
}
