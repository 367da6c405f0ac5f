//! AWS and Salesforce on loopback: they respond as to a call that goes well, and count the requests.

use std::{
    collections::{BTreeMap, HashMap},
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use axum::{
    Json, Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode, Uri},
    response::{IntoResponse as _, Response},
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use chrono::Utc;
use ring::hmac;
use serde_json::{Map, Value, json};

use crate::{
    Failure,
    lambda::{Server, serve},
};

pub(crate) const KEYS: &str = "arn:aws:secretsmanager:us-east-1:123456789012:secret:keys";
pub(crate) const CLIENT_SECRET: &str = "arn:aws:secretsmanager:us-east-1:123456789012:secret:client";

const KEYS_TEXT: &str = r#"{"sealing":[{"id":"1"}],"webhook":[{"id":"1"}],"initial":"a-benchmark-has-no-secrets-and-needs-64-characters-of-key-material"}"#;
const CLIENT_SECRET_TEXT: &str = "bench-client-secret";
const ORG: &str = "00D000000000001AAA";
const USER: &str = "005000000000001AAA";

pub(crate) struct Stubs {
    pub(crate) aws: SocketAddr,
    pub(crate) salesforce: SocketAddr,
    seen: Shared,
    _servers: [Server; 2],
}

type Shared = Arc<Mutex<Seen>>;

/// What the stubs were asked and told.
#[derive(Default)]
pub(crate) struct Seen {
    /// How often each operation was requested.
    pub(crate) counts: BTreeMap<String, u32>,
    /// How long Salesforce takes.
    pub(crate) latency: Duration,
    /// The workspace's row.
    workspace: Map<String, Value>,
    /// The connect flow that was started last.
    flow: Value,
    /// The ledger's rows by call id. Taken after each event, so that the next one's calls are new.
    pub(crate) calls: HashMap<String, Value>,
    /// The message that was queued last.
    pub(crate) message: Option<String>,
}

impl Stubs {
    pub(crate) async fn start() -> Result<Self, Failure> {
        let seen = Shared::default();
        let (aws, aws_server) =
            serve(Router::new().fallback(aws_response).with_state(Arc::clone(&seen))).await?;
        let (salesforce, salesforce_server) =
            serve(Router::new().fallback(salesforce_response).with_state(Arc::clone(&seen))).await?;
        Ok(Self { aws, salesforce, seen, _servers: [aws_server, salesforce_server] })
    }

    pub(crate) fn seen(&self) -> MutexGuard<'_, Seen> {
        lock(&self.seen)
    }

    /// The requests since the last time, by operation.
    pub(crate) fn take_counts(&self) -> BTreeMap<String, u32> {
        std::mem::take(&mut self.seen().counts)
    }
}

fn lock(seen: &Shared) -> MutexGuard<'_, Seen> {
    seen.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn aws_response(State(seen): State<Shared>, headers: HeaderMap, body: Bytes) -> Response {
    let target = headers.get("x-amz-target").and_then(|target| target.to_str().ok()).unwrap_or_default();
    let operation = target.split_once('.').map_or("unknown", |(_, operation)| operation);
    let mut body: Value = serde_json::from_slice(&body).unwrap_or_default();
    let mut seen = lock(&seen);
    *seen.counts.entry(operation.to_owned()).or_default() += 1;
    let answer = match operation {
        "GetSecretValue" => {
            let text = if body["SecretId"] == KEYS { KEYS_TEXT } else { CLIENT_SECRET_TEXT };
            json!({ "ARN": body["SecretId"], "Name": "bench", "SecretString": text })
        }
        "SendMessage" => {
            seen.message = body["MessageBody"].as_str().map(str::to_owned);
            json!({ "MessageId": "00000000-0000-4000-8000-000000000000" })
        }
        "GetItem" => match body["Key"]["call_id"]["S"].as_str() {
            None => json!({ "Item": seen.workspace }),
            Some(call) => seen.calls.get(call).map_or_else(|| json!({}), |row| json!({ "Item": row })),
        },
        "PutItem" => {
            let item = body["Item"].take();
            match item["call_id"]["S"].as_str() {
                Some(call) => drop(seen.calls.insert(call.to_owned(), item)),
                None => seen.flow = item,
            }
            json!({})
        }
        // Each value is named after its column (`SET org_id = :org_id`). What is there stays: each call finds the same.
        "UpdateItem" => {
            for (name, value) in body["ExpressionAttributeValues"].as_object().into_iter().flatten() {
                seen.workspace.entry(name.trim_start_matches(':')).or_insert_with(|| value.clone());
            }
            json!({})
        }
        "DeleteItem" => json!({ "Attributes": seen.flow }),
        "Query" => json!({ "Items": [], "Count": 0, "ScannedCount": 0 }),
        _ => return StatusCode::NOT_IMPLEMENTED.into_response(),
    };
    ([("content-type", "application/x-amz-json-1.0")], answer.to_string()).into_response()
}

async fn salesforce_response(
    State(seen): State<Shared>,
    headers: HeaderMap,
    uri: Uri,
    body: Bytes,
) -> Response {
    let operation = match uri.path() {
        path if path.starts_with("/id/") => "identity",
        path if path.contains("/sobjects/Organization/") => "organization",
        path => path.trim_end_matches('/').rsplit('/').next().unwrap_or_default(),
    };
    let latency = {
        let mut seen = lock(&seen);
        *seen.counts.entry(format!("Salesforce {operation}")).or_default() += 1;
        seen.latency
    };
    if !latency.is_zero() {
        // On a thread: tokio's timer has steps of a millisecond.
        tokio::task::spawn_blocking(move || std::thread::sleep(latency)).await.ok();
    }
    let answer = match operation {
        "search" => json!({ "searchRecords": [lead()] }),
        "composite" => {
            let request: Value = serde_json::from_slice(&body).unwrap_or_default();
            let parts = request["compositeRequest"].as_array().into_iter().flatten();
            json!({ "compositeResponse": parts.map(created).collect::<Vec<_>>() })
        }
        "revoke" => return StatusCode::OK.into_response(),
        "token" => {
            let host = headers.get("host").and_then(|host| host.to_str().ok()).unwrap_or_default();
            tokens(&format!("http://{host}"))
        }
        "identity" => json!({
            "user_id": USER,
            "organization_id": ORG,
            "username": "integration@example.com",
            "display_name": "Integration",
            "timezone": "America/New_York",
        }),
        "organization" => json!({ "Country": "United States", "CountryCode": "US" }),
        _ => return StatusCode::NOT_FOUND.into_response(),
    };
    ([("Sforce-Limit-Info", "api-usage=18/15000")], Json(answer)).into_response()
}

/// Whom every search finds: the caller of the samples.
fn lead() -> Value {
    json!({
        "attributes": { "type": "Lead", "url": "/services/data/v60.0/sobjects/Lead/00Q000000000001AAA" },
        "Id": "00Q000000000001AAA",
        "Name": "Ada Sample",
        "Phone": "+12345550123",
        "CreatedDate": "2026-01-20T15:00:00.000+0000",
        "LastModifiedDate": "2026-01-20T15:00:00.000+0000",
    })
}

fn created(part: &Value) -> Value {
    let id = if part["referenceId"] == "event" { "00U000000000001AAA" } else { "00T000000000001AAA" };
    json!({
        "referenceId": part["referenceId"],
        "httpStatusCode": 201,
        "httpHeaders": {},
        "body": { "id": id, "success": true, "errors": [] },
    })
}

/// The response to a code, signed as Salesforce signs it.
fn tokens(salesforce: &str) -> Value {
    let id = format!("{salesforce}/id/{ORG}/{USER}");
    let issued_at = Utc::now().timestamp_millis().to_string();
    let key = hmac::Key::new(hmac::HMAC_SHA256, CLIENT_SECRET_TEXT.as_bytes());
    let signature = BASE64_STANDARD.encode(hmac::sign(&key, format!("{id}{issued_at}").as_bytes()));
    json!({
        "access_token": "00Dbench!access",
        "refresh_token": "5Aepbench",
        "signature": signature,
        "scope": "refresh_token api id",
        "instance_url": salesforce,
        "id": id,
        "token_type": "Bearer",
        "issued_at": issued_at,
    })
}

/// The bytes of an item as DynamoDB counts them: names and values, UTF-8 (developer guide, "Item sizes and formats").
pub(crate) fn item_size(item: &Value) -> usize {
    fn size(of: &Value) -> usize {
        let Some((kind, of)) = of.as_object().and_then(|of| of.iter().next()) else { return 0 };
        match (kind.as_str(), of) {
            ("S" | "B", Value::String(text)) => text.len(),
            // A byte for two digits, and one more.
            ("N", Value::String(digits)) => digits.len().div_ceil(2) + 1,
            ("M", Value::Object(of)) => {
                3 + of.iter().map(|(name, of)| 1 + name.len() + size(of)).sum::<usize>()
            }
            ("L", Value::Array(of)) => 3 + of.iter().map(|of| 1 + size(of)).sum::<usize>(),
            _ => 1,
        }
    }
    item.as_object().map_or(0, |item| item.iter().map(|(name, of)| name.len() + size(of)).sum())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_size_of_an_item_is_that_of_its_names_and_values() {
        let item = json!({ "ab": { "S": "cdé" }, "n": { "N": "1800457200" }, "m": { "M": { "x": { "BOOL": true } } } });
        assert_eq!(item_size(&item), (2 + 4) + (1 + 6) + (1 + 3 + 1 + 1 + 1));
    }
}
