//! The way of every request: one HTTP client, one place where requests are sent.

use std::time::Duration;

use calls::ports::ClientSecretSource;
use calls::{
    crm::{Answer, CrmError, FaultClass},
    measure,
    workspace::Connection,
};
use reqwest::{Method, RequestBuilder, StatusCode, header::HeaderMap, redirect};
use rustls::{ClientConfig, RootCertStore, crypto::ring};
use secrecy::{ExposeSecret as _, SecretString};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::{
    API_VERSION,
    client::{BuildError, Client, Timeouts},
    errors::{self, Effect},
    limits,
};

/// How long an unused connection is kept: a busy worker's next call finds it, and Salesforce does not yet close it.
const KEPT_ALIVE: Duration = Duration::from_mins(1);

/// The HTTP client. Nothing is read from disk or environment: the roots are compiled in, proxies are not looked for.
pub(crate) fn http_client(timeouts: &Timeouts) -> Result<reqwest::Client, BuildError> {
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
        // A redirect would carry the token to a host that nobody checked.
        .redirect(redirect::Policy::none())
        .retry(reqwest::retry::never())
        .connect_timeout(timeouts.connect)
        .timeout(timeouts.request)
        .pool_idle_timeout(KEPT_ALIVE)
        .user_agent(concat!("Ringlog/", env!("CARGO_PKG_VERSION")))
        .build()
        .map_err(|error| BuildError(error.to_string()))
}

/// An answer, whatever its status.
pub(crate) struct Response {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

/// A request to the REST API: its name in logs, method, path below the version or from the root, query and body.
pub(crate) struct Rest<'a> {
    pub(crate) operation: &'static str,
    pub(crate) effect: Effect,
    pub(crate) method: Method,
    pub(crate) path: &'a str,
    pub(crate) query: &'a [(&'a str, &'a str)],
    pub(crate) body: Option<Value>,
    pub(crate) headers: &'a [(&'a str, &'a str)],
}

impl<'a> Rest<'a> {
    /// A request that reads.
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

impl<S: ClientSecretSource> Client<S> {
    /// Sends a request, and says what came of it.
    ///
    /// A connection that was kept while the function was frozen may be dead, which shows only when it is used. What
    /// has no effect is therefore asked once more on a new one. A write never is.
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
        measure::requested(response.as_ref().ok().and_then(|answer| limits::api_usage(&answer.headers)));
        match &response {
            Ok(response) => tracing::debug!(
                salesforce.operation = operation,
                http.status = response.status.as_u16(),
                "Salesforce answered"
            ),
            Err(error) => tracing::debug!(
                salesforce.operation = operation,
                error.code = %error.code,
                "Salesforce did not answer"
            ),
        }
        response
    }

    /// Sends a request to the REST API with the session of `connection`. The answer is the body of a 2xx.
    pub(crate) async fn rest(
        &self,
        connection: &Connection,
        request: Rest<'_>,
    ) -> Result<Answer<Vec<u8>>, CrmError> {
        self.rest_at(&connection.instance_url, &connection.access_token, request).await
    }

    /// The same with a session that belongs to no connection yet.
    pub(crate) async fn rest_at(
        &self,
        instance_url: &str,
        access_token: &SecretString,
        request: Rest<'_>,
    ) -> Result<Answer<Vec<u8>>, CrmError> {
        let instance = self.hosts().instance(instance_url).map_err(refused)?;
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

fn is_lost_connection(error: &reqwest::Error) -> bool {
    error.is_request() && !error.is_timeout() && !error.is_connect()
}

async fn receive(request: RequestBuilder) -> Result<Response, reqwest::Error> {
    let response = request.send().await?;
    let (status, headers) = (response.status(), response.headers().clone());
    Ok(Response { status, headers, body: response.bytes().await?.into() })
}

/// Reads the body of a 2xx.
pub(crate) fn parse<T: DeserializeOwned>(body: &[u8], effect: Effect) -> Result<T, CrmError> {
    serde_json::from_slice(body).map_err(|_| errors::unexpected(effect))
}

/// A host that credentials may not go to: nothing was sent.
pub(crate) fn refused(host: crate::hosts::RefusedHost) -> CrmError {
    errors::without_answer(FaultClass::Permanent, host.code(), &host.to_string())
}
