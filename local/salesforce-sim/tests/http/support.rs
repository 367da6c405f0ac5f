//! Shared by the HTTP tests: a simulator, a client that follows no redirects, the steps of OAuth.

use std::collections::HashMap;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use reqwest::{Client, Response, redirect::Policy};
use ring::digest::{SHA256, digest};
use salesforce_sim::{Config, Simulator, Tokens};
use serde_json::{Value, json};
use url::Url;

pub(crate) const REDIRECT_URI: &str = "http://localhost:8080/api/salesforce/oauth/callback";
pub(crate) const VERIFIER: &str = "a-verifier-of-at-least-43-characters-0123456789";

pub(crate) struct World {
    pub(crate) simulator: Simulator,
    pub(crate) client: Client,
}

impl World {
    pub(crate) async fn start() -> Self {
        // Fails if another test of this process has installed it already.
        rustls::crypto::ring::default_provider().install_default().ok();
        let simulator = Simulator::start(Config::default()).await.unwrap();
        let client = Client::builder().redirect(Policy::none()).build().unwrap();
        Self { simulator, client }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.simulator.url())
    }

    pub(crate) fn authorize_url(&self, changes: &[(&str, Option<&str>)]) -> Url {
        let config = self.simulator.config();
        let challenge = URL_SAFE_NO_PAD.encode(digest(&SHA256, VERIFIER.as_bytes()));
        let mut query: HashMap<&str, &str> = HashMap::from([
            ("response_type", "code"),
            ("client_id", config.client_id.as_str()),
            ("redirect_uri", REDIRECT_URI),
            ("scope", "api refresh_token"),
            ("state", "a state & more"),
            ("code_challenge", challenge.as_str()),
            ("code_challenge_method", "S256"),
            ("prompt", "login"),
        ]);
        for (name, value) in changes {
            match value {
                Some(value) => query.insert(name, value),
                None => query.remove(name),
            };
        }
        Url::parse_with_params(&self.url("/services/oauth2/authorize"), query).unwrap()
    }

    /// Clicks a button on the Allow page.
    pub(crate) async fn decide(&self, url: &Url, form: &[(&str, &str)]) -> Response {
        self.client.post(url.clone()).form(form).send().await.unwrap()
    }

    pub(crate) async fn code(&self) -> String {
        let response = self.decide(&self.authorize_url(&[]), &[("decision", "allow")]).await;
        assert_eq!(response.status(), 302);
        query(&location(&response))["code"].clone()
    }

    pub(crate) async fn token(&self, changes: &[(&str, Option<&str>)]) -> Response {
        let config = self.simulator.config();
        let mut form: HashMap<&str, &str> = HashMap::from([
            ("client_id", config.client_id.as_str()),
            ("client_secret", config.client_secret.as_str()),
        ]);
        for (name, value) in changes {
            match value {
                Some(value) => form.insert(name, value),
                None => form.remove(name),
            };
        }
        self.client.post(self.url("/services/oauth2/token")).form(&form).send().await.unwrap()
    }

    pub(crate) async fn exchange(&self, code: &str, changes: &[(&str, Option<&str>)]) -> Response {
        let mut form = vec![
            ("grant_type", Some("authorization_code")),
            ("code", Some(code)),
            ("redirect_uri", Some(REDIRECT_URI)),
            ("code_verifier", Some(VERIFIER)),
        ];
        form.extend_from_slice(changes);
        self.token(&form).await
    }

    pub(crate) async fn refresh(&self, token: &str) -> Response {
        self.token(&[("grant_type", Some("refresh_token")), ("refresh_token", Some(token))]).await
    }

    pub(crate) fn connect(&self) -> Tokens {
        self.simulator.connect().unwrap()
    }

    pub(crate) async fn get(&self, token: &str, path: &str, parameters: &[(&str, &str)]) -> Response {
        let url = Url::parse_with_params(&self.url(path), parameters).unwrap();
        self.client.get(url).bearer_auth(token).send().await.unwrap()
    }

    pub(crate) async fn post(&self, token: &str, path: &str, body: &Value) -> Response {
        self.client.post(self.url(path)).bearer_auth(token).json(body).send().await.unwrap()
    }

    pub(crate) async fn control(&self, path: &str, body: &Value) -> Response {
        self.client.post(self.url(&format!("/_sim{path}"))).json(body).send().await.unwrap()
    }
}

pub(crate) fn location(response: &Response) -> Url {
    Url::parse(response.headers()["location"].to_str().unwrap()).unwrap()
}

pub(crate) fn query(url: &Url) -> HashMap<String, String> {
    url.query_pairs().into_owned().collect()
}

pub(crate) async fn body(response: Response) -> Value {
    response.json().await.unwrap()
}

/// The status, `error` and `error_description` of an OAuth response.
pub(crate) async fn oauth_error(response: Response) -> (u16, String, String) {
    let status = response.status().as_u16();
    let body = body(response).await;
    let text = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
    (status, text("error"), text("error_description"))
}

/// A composite request that creates a Task with this call id.
pub(crate) fn task_composite(call_id: &str) -> Value {
    json!({"allOrNone": true, "compositeRequest": [{
        "method": "POST", "url": "/services/data/v60.0/sobjects/Task", "referenceId": "task",
        "body": {"Subject": "Inbound Call", "CallObject": call_id},
    }]})
}
