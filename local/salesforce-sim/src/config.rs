//! The configuration of a simulator.

use std::net::{Ipv4Addr, SocketAddr};

use url::{Host, Url};

use crate::settings::Settings;

/// The configuration of a simulator. The default suits tests: a free port on the loopback interface, and an app whose
/// callback is on the local stack.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where to listen. Port 0 picks a free one.
    pub listen: SocketAddr,
    /// The URL that clients use, if it is not the listening address.
    pub public_url: Option<String>,
    /// The app's consumer key.
    pub client_id: String,
    /// The app's consumer secret.
    pub client_secret: String,
    /// The app's callbacks. A `redirect_uri` must match one exactly.
    pub redirect_uris: Vec<String>,
    /// The scopes that the app may request.
    pub scopes: Vec<String>,
    /// How the orgs behave at the start and after a reset.
    pub settings: Settings,
    /// Whether to print a line for each request.
    pub log: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            public_url: None,
            client_id: "3MVG9Simulated.RinglogLocal".to_owned(),
            client_secret: "simulated-consumer-secret".to_owned(),
            redirect_uris: vec!["http://localhost:8080/api/salesforce/oauth/callback".to_owned()],
            scopes: ["api", "id", "refresh_token", "offline_access"].map(ToOwned::to_owned).to_vec(),
            settings: Settings::default(),
            log: false,
        }
    }
}

/// Why a simulator cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The address is in use, or is not this machine's.
    #[error(
        "cannot listen on {address}: {cause}. Choose another port, or stop the program that uses this one"
    )]
    Listen {
        /// The configured address.
        address: SocketAddr,
        /// The operating system's error.
        cause: std::io::Error,
    },
    /// Salesforce does not accept this callback.
    #[error("{0:?} cannot be a callback: it must be https, or http on localhost")]
    RedirectUri(String),
}

impl Config {
    /// Validates the callbacks as Salesforce does when an app is saved.
    pub(crate) fn validate(&self) -> Result<(), StartError> {
        let refused = self.redirect_uris.iter().find(|uri| !callback_is_allowed(uri));
        refused.map_or(Ok(()), |uri| Err(StartError::RedirectUri(uri.clone())))
    }
}

fn callback_is_allowed(uri: &str) -> bool {
    let Ok(url) = Url::parse(uri) else { return false };
    let is_local = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    url.scheme() == "https" || (url.scheme() == "http" && is_local)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn callbacks_must_be_https_or_local() {
        for (uri, allowed) in [
            ("https://example.com/callback", true),
            ("http://localhost:8080/callback", true),
            ("http://127.0.0.1/callback", true),
            ("http://example.com/callback", false),
            ("callback", false),
        ] {
            assert_eq!(callback_is_allowed(uri), allowed, "{uri}");
        }
    }
}
