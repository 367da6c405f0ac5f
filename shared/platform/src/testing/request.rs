//! Requests as API Gateway's HTTP API sends them (payload format 2.0), and responses as a client sees them.

use std::collections::BTreeMap;

use lambda_http::{Body, Request, Response};
use serde_json::{Value, json};

/// A request builder.
#[derive(Debug, Clone)]
pub struct ApiRequest {
    method: &'static str,
    path: String,
    query: String,
    headers: BTreeMap<String, String>,
    cookies: Vec<String>,
    claims: Option<BTreeMap<String, String>>,
    domain_name: String,
    body: Option<String>,
}

impl ApiRequest {
    /// A GET request for a path, with an optional query.
    pub fn get(path: &str) -> Self {
        Self::new("GET", path)
    }

    /// A DELETE request for a path.
    pub fn delete(path: &str) -> Self {
        Self::new("DELETE", path)
    }

    /// A POST request with a body.
    pub fn post(path: &str, body: &str) -> Self {
        Self { body: Some(body.to_owned()), ..Self::new("POST", path) }
    }

    /// A PUT request with a body.
    pub fn put(path: &str, body: &str) -> Self {
        Self { body: Some(body.to_owned()), ..Self::new("PUT", path) }
    }

    fn new(method: &'static str, path: &str) -> Self {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        Self {
            method,
            path: path.to_owned(),
            query: query.to_owned(),
            headers: BTreeMap::from([("host".to_owned(), "api.example.com".to_owned())]),
            cookies: Vec::new(),
            claims: None,
            domain_name: "api.example.com".to_owned(),
            body: None,
        }
    }

    /// Adds a header; its name is in lower case, as API Gateway writes it.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.insert(name.to_ascii_lowercase(), value.to_owned());
        self
    }

    /// Adds a cookie.
    #[must_use]
    pub fn cookie(mut self, name: &str, value: &str) -> Self {
        self.cookies.push(format!("{name}={value}"));
        self
    }

    /// Adds a claim of a JWT that the authorizer has verified.
    #[must_use]
    pub fn claim(mut self, name: &str, value: &str) -> Self {
        self.claims.get_or_insert_default().insert(name.to_owned(), value.to_owned());
        self
    }

    /// Sets the caller's workspace: the claim `workspace_id`.
    #[must_use]
    pub fn of_workspace(self, workspace_id: &str) -> Self {
        self.claim("workspace_id", workspace_id)
    }

    /// Sets API Gateway's domain name.
    #[must_use]
    pub fn domain_name(mut self, name: &str) -> Self {
        name.clone_into(&mut self.domain_name);
        self
    }

    /// The request as a handler receives it.
    pub fn build(self) -> Request {
        let mut event = json!({
            "version": "2.0",
            "routeKey": format!("{} {}", self.method, self.path),
            "rawPath": self.path,
            "rawQueryString": self.query,
            "headers": self.headers,
            "requestContext": {
                "accountId": "123456789012",
                "apiId": "a1b2c3d4e5",
                "domainName": self.domain_name,
                "domainPrefix": "api",
                "http": {
                    "method": self.method,
                    "path": self.path,
                    "protocol": "HTTP/1.1",
                    "sourceIp": "192.0.2.10",
                    "userAgent": "test",
                },
                "requestId": "test-request",
                "routeKey": format!("{} {}", self.method, self.path),
                "stage": "$default",
                "time": "20/Jan/2027:15:00:00 +0000",
                "timeEpoch": 1_800_457_200_000_i64,
            },
            "isBase64Encoded": false,
        });
        if !self.cookies.is_empty() {
            event["cookies"] = json!(self.cookies);
        }
        if let Some(claims) = self.claims {
            event["requestContext"]["authorizer"] = json!({ "jwt": { "claims": claims, "scopes": null } });
        }
        if let Some(body) = self.body {
            event["body"] = Value::String(body);
        }
        from_event(&event.to_string())
    }
}

/// A request from a sample event of API Gateway.
///
/// # Panics
///
/// If the text is not such an event.
#[expect(clippy::expect_used, reason = "a sample that is not an event should fail its test here")]
pub fn from_event(event: &str) -> Request {
    lambda_http::request::from_str(event).expect("an event of API Gateway, payload format 2.0")
}

/// A response's JSON body.
///
/// # Panics
///
/// If it is not JSON.
#[expect(clippy::expect_used, reason = "a response that is not JSON should fail its test here")]
pub fn body_of(response: &Response<Body>) -> Value {
    serde_json::from_slice(response.body()).expect("a JSON response")
}
