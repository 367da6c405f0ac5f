//! The client: what it is configured with.

use std::time::Duration;

use calls::{
    ports::ClientSecretSource,
    timings::{SALESFORCE_CONNECT, SALESFORCE_REQUEST},
};
use secrecy::SecretString;

use crate::{hosts::Hosts, transport};

/// What a client needs to know.
#[derive(Debug, Clone)]
pub struct Config<S = SecretString> {
    /// The consumer key of the Connected App or External Client App.
    pub client_id: String,
    /// Its consumer secret, asked for with each token request: a rotated one is used without a restart.
    pub client_secret: S,
    /// Where credentials may go in this deployment.
    pub hosts: Hosts,
    /// How long to wait.
    pub timeouts: Timeouts,
}

/// How long to wait for Salesforce.
#[derive(Debug, Clone, Copy)]
pub struct Timeouts {
    /// For a connection.
    pub connect: Duration,
    /// For a whole request, the connection included.
    pub request: Duration,
}

impl Default for Timeouts {
    /// Those of docs/contract.md#times.
    fn default() -> Self {
        Self { connect: SALESFORCE_CONNECT, request: SALESFORCE_REQUEST }
    }
}

/// The HTTP client cannot be built. It depends on nothing that could change while the program runs: a fault of the build.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the HTTP client for Salesforce cannot be built: {0}")]
pub struct BuildError(pub(crate) String);

/// Salesforce. Cheap to clone; clones share their connections.
#[derive(Debug, Clone)]
pub struct Client<S = SecretString> {
    pub(crate) http: reqwest::Client,
    pub(crate) config: Config<S>,
}

impl<S: ClientSecretSource> Client<S> {
    /// Builds a client: no disk, no network, no environment.
    pub fn new(config: Config<S>) -> Result<Self, BuildError> {
        Ok(Self { http: transport::http_client(&config.timeouts)?, config })
    }

    /// Where credentials may go.
    pub fn hosts(&self) -> &Hosts {
        &self.config.hosts
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
