//! The client: its configuration, and what a connect and the token endpoint need. `crm.rs` has the rest.

use calls::codes::faults;
use crm::{CrmError, FaultClass, workspace::Connection};
use secrecy::SecretString;
use worker::ports::{ClientSecretSource, TokenEndpoint, Tokens};

use crate::{
    errors,
    hosts::{Hosts, LoginUrl},
    identity::{self, Identity},
    oauth::{self, App},
    organization,
    pkce::Verifier,
    token_response::Grant,
    transport::{BuildError, Timeouts, Transport, refused},
};

/// How to reach Salesforce, and as which app.
#[derive(Debug, Clone)]
pub struct Config<S = SecretString> {
    /// The consumer key of the Connected App or External Client App.
    pub client_id: String,
    /// Its consumer secret, read for each token request, so that a rotated one is used without a restart.
    pub client_secret: S,
    /// The hosts that credentials may go to in this deployment.
    pub hosts: Hosts,
    /// The timeouts of each request.
    pub timeouts: Timeouts,
}

/// A client for Salesforce. Cheap to clone; clones share their connections.
#[derive(Debug, Clone)]
pub struct Client<S = SecretString> {
    pub(crate) transport: Transport,
    consumer_key: String,
    consumer_secret: S,
}

impl<S: ClientSecretSource> Client<S> {
    /// Builds a client. Reads no file or environment variable, and sends nothing.
    pub fn new(config: Config<S>) -> Result<Self, BuildError> {
        let Config { client_id, client_secret, hosts, timeouts } = config;
        Ok(Self {
            transport: Transport::new(hosts, &timeouts)?,
            consumer_key: client_id,
            consumer_secret: client_secret,
        })
    }

    /// The hosts that credentials may go to.
    pub fn hosts(&self) -> &Hosts {
        &self.transport.hosts
    }

    /// Exchanges a callback's code for tokens. `redirect_uri` is the one in the authorize URL.
    pub async fn exchange(
        &self,
        login: &LoginUrl,
        code: &str,
        redirect_uri: &str,
        verifier: &Verifier,
    ) -> Result<Grant, CrmError> {
        let secret = self.client_secret().await?;
        oauth::exchange(&self.transport, &self.app(&secret), login, code, redirect_uri, verifier).await
    }

    /// Fetches the user that a grant belongs to.
    pub async fn identity(&self, grant: &Grant) -> Result<Identity, CrmError> {
        identity::fetch(&self.transport, grant).await
    }

    /// Fetches the country in the org's address: its ISO code, or the name that the org's people entered.
    pub async fn country(&self, grant: &Grant) -> Result<Option<String>, CrmError> {
        organization::country(&self.transport, grant).await
    }

    fn app<'a>(&'a self, secret: &'a SecretString) -> App<'a> {
        App { client_id: &self.consumer_key, client_secret: secret }
    }
}

impl<S: ClientSecretSource> TokenEndpoint for Client<S> {
    async fn client_secret(&self) -> Result<SecretString, CrmError> {
        self.consumer_secret.client_secret().await.map_err(|error| {
            tracing::error!(error = %error, "the client secret could not be read");
            let code = faults::CLIENT_SECRET_UNAVAILABLE.code;
            errors::without_answer(FaultClass::Passing, code, &error.to_string())
        })
    }

    async fn refresh(
        &self,
        connection: &Connection,
        client_secret: &SecretString,
    ) -> Result<Tokens, CrmError> {
        let login = self.hosts().login(&connection.login_url).map_err(refused)?;
        let app = self.app(client_secret);
        Ok(oauth::refresh(&self.transport, &app, &login, &connection.refresh_token).await?.tokens)
    }

    async fn revoke(&self, login_url: &str, token: &SecretString) -> Result<(), CrmError> {
        let login = self.hosts().login(login_url).map_err(refused)?;
        oauth::revoke(&self.transport, &login, token).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_output_hides_the_client_secret() {
        let hosts = Hosts::of_deployment("https://login.salesforce.com").unwrap();
        let client = Client::new(Config {
            client_id: "client-id".to_owned(),
            client_secret: SecretString::from("very-secret"),
            hosts,
            timeouts: Timeouts::default(),
        });
        let text = format!("{:?}", client.unwrap());
        assert!(text.contains("client-id") && !text.contains("very-secret"));
    }
}
