//! Every request goes through here: one HTTP client, sending, and reading a response.

use std::time::Duration;

use calls::timings::{SALESFORCE_CONNECT, SALESFORCE_REQUEST};
use crm::{Answer, CrmError, FaultClass, workspace::Connection};
use reqwest::{Method, RequestBuilder, StatusCode, header::HeaderMap, redirect};
use rustls::{ClientConfig, RootCertStore, crypto::ring};
use secrecy::{ExposeSecret as _, SecretString};
use serde::de::DeserializeOwned;
use serde_json::Value;
use worker::measure;

use crate::{
    errors::{self, Effect},
    hosts::{Hosts, RefusedHost},
    limits,
};

/// The version of the REST API in every path (docs/salesforce-api.md#versions).
pub const API_VERSION: &str = "v60.0";

/// How long an idle connection is kept: long enough for a busy worker's next call, shorter than Salesforce keeps it.
const IDLE_TIMEOUT: Duration = Duration::from_mins(1);

/// How long to wait for Salesforce.
#[derive(Debug, Clone, Copy)]
pub struct Timeouts {
    /// For the connection.
    pub connect: Duration,
    /// For the whole request, including the connection.
    pub request: Duration,
}

impl Default for Timeouts {
    /// Those of docs/contract.md#times.
    fn default() -> Self {
        Self { connect: SALESFORCE_CONNECT, request: SALESFORCE_REQUEST }
    }
}

/// The HTTP client cannot be built. Nothing that it depends on changes at run time, so this is a faulty build.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the HTTP client for Salesforce cannot be built: {0}")]
pub struct BuildError(String);

/// The HTTP client, and the hosts that it may send credentials to. Clones share their connections.
#[derive(Debug, Clone)]
pub(crate) struct Transport {
    pub(crate) http: reqwest::Client,
    pub(crate) hosts: Hosts,
}

/// A response of any status.
pub(crate) struct Response {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

/// A request to the REST API.
pub(crate) struct RestRequest<'a> {
    /// Its name in logs.
    pub(crate) operation: &'static str,
    pub(crate) effect: Effect,
    pub(crate) method: Method,
    /// Absolute (`/services/data/…`), or relative to the API's version (`/sobjects/Lead`).
    pub(crate) path: &'a str,
    pub(crate) query: &'a [(&'a str, &'a str)],
    pub(crate) body: Option<Value>,
    pub(crate) headers: &'a [(&'a str, &'a str)],
}

impl<'a> RestRequest<'a> {
    /// A request that only reads.
    pub(crate) fn get(operation: &'static str, path: &'a str, query: &'a [(&'a str, &'a str)]) -> Self {
        Self {
            operation,
            effect: Effect::Nothing,
            method: Method::GET,
            path,
            query,
            body: None,
            headers: &[],
        }
    }
}

impl Transport {
    pub(crate) fn new(hosts: Hosts, timeouts: &Timeouts) -> Result<Self, BuildError> {
        Ok(Self { http: http_client(timeouts)?, hosts })
    }

    /// Sends a request and returns the response, whatever its status.
    ///
    /// A connection may have died while the function was frozen, which shows only when it is used. A request without
    /// an effect is therefore sent once more on a new connection. A write never is.
    pub(crate) async fn send(
        &self,
        operation: &'static str,
        effect: Effect,
        request: RequestBuilder,
    ) -> Result<Response, CrmError> {
        let again = if effect == Effect::Nothing { request.try_clone() } else { None };
        let mut sent = receive(request).await;
        if let (Err(error), Some(request)) = (&sent, again)
            && is_lost_connection(error)
        {
            sent = receive(request).await;
        }
        let response = sent.map_err(|error| errors::network(&error, effect));
        measure::requested(response.as_ref().ok().and_then(|response| limits::api_usage(&response.headers)));
        match &response {
            Ok(response) => tracing::debug!(
                salesforce.operation = operation,
                http.status = response.status.as_u16(),
                "Salesforce responded"
            ),
            Err(error) => tracing::debug!(
                salesforce.operation = operation,
                error.code = %error.code,
                "no response from Salesforce"
            ),
        }
        response
    }

    /// Sends a request to the REST API with the session of `connection`. Returns the body of a 2xx.
    pub(crate) async fn rest(
        &self,
        connection: &Connection,
        request: RestRequest<'_>,
    ) -> Result<Answer<Vec<u8>>, CrmError> {
        self.rest_at(&connection.instance_url, &connection.access_token, request).await
    }

    /// Like [`Self::rest`], with a session that belongs to no connection yet.
    pub(crate) async fn rest_at(
        &self,
        instance_url: &str,
        access_token: &SecretString,
        request: RestRequest<'_>,
    ) -> Result<Answer<Vec<u8>>, CrmError> {
        let instance = self.hosts.instance(instance_url).map_err(refused)?;
        let instance = instance.as_str();
        let url = if request.path.starts_with("/services/") {
            format!("{instance}{}", request.path)
        } else {
            format!("{instance}/services/data/{API_VERSION}{}", request.path)
        };
        let mut builder = self.http.request(request.method, url).bearer_auth(access_token.expose_secret());
        if !request.query.is_empty() {
            builder = builder.query(request.query);
        }
        for (name, value) in request.headers {
            builder = builder.header(*name, *value);
        }
        if let Some(body) = &request.body {
            builder = builder.json(body);
        }
        let response = self.send(request.operation, request.effect, builder).await?;
        if !response.status.is_success() {
            return Err(errors::rest(response.status, &response.body, request.effect));
        }
        Ok(Answer { api_usage: limits::api_usage(&response.headers), value: response.body })
    }
}

/// Builds the HTTP client. Reads no file or environment variable: the root certificates are compiled in, and proxy
/// settings are ignored.
fn http_client(timeouts: &Timeouts) -> Result<reqwest::Client, BuildError> {
    let roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    let mut tls = ClientConfig::builder_with_provider(ring::default_provider().into())
        .with_safe_default_protocol_versions()
        .map_err(|error| BuildError(error.to_string()))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    tls.alpn_protocols = vec![b"http/1.1".to_vec()];
    reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .http1_only()
        .no_proxy()
        // A redirect would take the token to a host that nothing has checked.
        .redirect(redirect::Policy::none())
        .retry(reqwest::retry::never())
        .connect_timeout(timeouts.connect)
        .timeout(timeouts.request)
        .pool_idle_timeout(IDLE_TIMEOUT)
        .user_agent(concat!("Ringlog/", env!("CARGO_PKG_VERSION")))
        .build()
        .map_err(|error| BuildError(error.to_string()))
}

fn is_lost_connection(error: &reqwest::Error) -> bool {
    error.is_request() && !error.is_timeout() && !error.is_connect()
}

async fn receive(request: RequestBuilder) -> Result<Response, reqwest::Error> {
    let response = request.send().await?;
    let (status, headers) = (response.status(), response.headers().clone());
    Ok(Response { status, headers, body: response.bytes().await?.into() })
}

/// Parses the body of a 2xx.
pub(crate) fn parse<T: DeserializeOwned>(body: &[u8], effect: Effect) -> Result<T, CrmError> {
    serde_json::from_slice(body).map_err(|_| errors::unexpected(effect))
}

/// The error for a host that credentials may not go to. Nothing was sent.
pub(crate) fn refused(host: RefusedHost) -> CrmError {
    errors::without_answer(FaultClass::Permanent, host.code(), &host.to_string())
}
