//! AWS and Salesforce on loopback: they answer at once, or after a latency, with what a call that goes well gets, and
//! count what they are asked.

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
    serve::ListenerExt as _,
};
use serde_json::{Value, json};
use tokio::{net::TcpListener, task::AbortHandle};

use crate::{
    Failure,
    workspace::{self, Workspace},
};

/// The two, and what they were asked.
#[derive(Clone)]
pub(crate) struct Stubs {
    /// Where AWS is.
    pub(crate) aws: SocketAddr,
    /// Where Salesforce is.
    pub(crate) salesforce: SocketAddr,
    world: Arc<World>,
    /// End with the last clone.
    _servers: Arc<[Server; 2]>,
}

struct Server(AbortHandle);

impl Drop for Server {
    fn drop(&mut self) {
        self.0.abort();
    }
}

struct World {
    workspace: Workspace,
    salesforce: SocketAddr,
    state: Mutex<Asked>,
}

#[derive(Default)]
struct Asked {
    /// How often each operation was asked for.
    counts: BTreeMap<String, usize>,
    /// How long Salesforce takes.
    latency: Duration,
    /// The ledger's rows by call id.
    rows: HashMap<String, Value>,
    /// The last message that was put into the queue.
    message: Option<String>,
}

impl Stubs {
    pub(crate) async fn start(workspace: Workspace) -> Result<Self, Failure> {
        let aws = TcpListener::bind("127.0.0.1:0").await?;
        let salesforce = TcpListener::bind("127.0.0.1:0").await?;
        let (aws_address, salesforce_address) = (aws.local_addr()?, salesforce.local_addr()?);
        let world = Arc::new(World { workspace, salesforce: salesforce_address, state: Mutex::default() });
        let aws_router = Router::new().fallback(answer_as_aws).with_state(Arc::clone(&world));
        let salesforce_router = Router::new().fallback(answer_as_salesforce).with_state(Arc::clone(&world));
        let servers = [(aws, aws_router), (salesforce, salesforce_router)].map(|(listener, router)| {
            let listener = listener.tap_io(|io| drop(io.set_nodelay(true)));
            let server = tokio::spawn(async move { drop(axum::serve(listener, router).await) });
            Server(server.abort_handle())
        });
        Ok(Self { aws: aws_address, salesforce: salesforce_address, world, _servers: Arc::new(servers) })
    }

    /// How long Salesforce takes from now on.
    pub(crate) fn set_latency(&self, latency: Duration) {
        self.world.state().latency = latency;
    }

    /// What was asked since the last time, by operation.
    pub(crate) fn take_counts(&self) -> BTreeMap<String, usize> {
        std::mem::take(&mut self.world.state().counts)
    }

    /// The status of a call in the ledger.
    pub(crate) fn status(&self, call_id: &str) -> Option<String> {
        Some(self.world.state().rows.get(call_id)?["status"]["S"].as_str()?.to_owned())
    }

    /// The size of a call's row as DynamoDB counts it: names and values, UTF-8 bytes.
    pub(crate) fn row_size(&self, call_id: &str) -> Option<usize> {
        self.world.state().rows.get(call_id).map(item_size)
    }

    /// Takes calls out of the ledger that were looked at.
    pub(crate) fn forget(&self, calls: &[String]) {
        let mut state = self.world.state();
        for call in calls {
            state.rows.remove(call);
        }
    }

    /// The last message of the queue.
    pub(crate) fn message(&self) -> Option<String> {
        self.world.state().message.clone()
    }
}

impl World {
    fn state(&self) -> MutexGuard<'_, Asked> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn count(&self, operation: &str) {
        *self.state().counts.entry(operation.to_owned()).or_default() += 1;
    }
}

async fn answer_as_aws(State(world): State<Arc<World>>, headers: HeaderMap, body: Bytes) -> Response {
    let target = headers.get("x-amz-target").and_then(|target| target.to_str().ok()).unwrap_or_default();
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    world.count(target.split_once('.').map_or("unknown", |(_, operation)| operation));
    let answer = match target {
        "secretsmanager.GetSecretValue" => {
            let secret = workspace::secret(body["SecretId"].as_str().unwrap_or_default());
            json!({ "ARN": body["SecretId"], "Name": "bench", "SecretString": secret })
        }
        "AmazonSQS.SendMessage" => {
            world.state().message = body["MessageBody"].as_str().map(str::to_owned);
            json!({ "MessageId": "00000000-0000-4000-8000-000000000000" })
        }
        "DynamoDB_20120810.GetItem" if body["Key"]["call_id"].is_object() => {
            let call_id = body["Key"]["call_id"]["S"].as_str().unwrap_or_default();
            world.state().rows.get(call_id).map_or_else(|| json!({}), |row| json!({ "Item": row }))
        }
        "DynamoDB_20120810.GetItem" => json!({ "Item": world.workspace.item(world.salesforce) }),
        "DynamoDB_20120810.PutItem" => {
            if let Some(call_id) = body["Item"]["call_id"]["S"].as_str() {
                world.state().rows.insert(call_id.to_owned(), body["Item"].clone());
            }
            json!({})
        }
        "DynamoDB_20120810.Query" => json!({ "Items": [], "Count": 0, "ScannedCount": 0 }),
        "DynamoDB_20120810.DeleteItem" => json!({ "Attributes": world.workspace.flow(world.salesforce) }),
        "DynamoDB_20120810.UpdateItem" => json!({}),
        _ => return StatusCode::NOT_IMPLEMENTED.into_response(),
    };
    ([("content-type", "application/x-amz-json-1.0")], answer.to_string()).into_response()
}

async fn answer_as_salesforce(State(world): State<Arc<World>>, uri: Uri, body: Bytes) -> Response {
    let operation = operation(uri.path());
    world.count(&format!("Salesforce {operation}"));
    let latency = world.state().latency;
    if !latency.is_zero() {
        // A thread's sleep: tokio's timer has steps of a millisecond, as much as what is measured beside it.
        tokio::task::spawn_blocking(move || std::thread::sleep(latency)).await.ok();
    }
    let answer = match operation {
        "search" => json!({ "searchRecords": [lead(uri.query().unwrap_or_default())] }),
        "composite" => {
            let asked: Value = serde_json::from_slice(&body).unwrap_or_default();
            let asked = asked["compositeRequest"].as_array().cloned().unwrap_or_default();
            let parts: Vec<_> = asked.iter().map(created).collect();
            json!({ "compositeResponse": parts })
        }
        "query" => json!({ "totalSize": 0, "done": true, "records": [] }),
        "revoke" => return StatusCode::OK.into_response(),
        "token" => workspace::tokens(world.salesforce),
        "identity" => workspace::identity(),
        "organization" => json!({ "Country": "United States", "CountryCode": "US" }),
        _ => return StatusCode::NOT_FOUND.into_response(),
    };
    ([("Sforce-Limit-Info", "api-usage=18/15000")], Json(answer)).into_response()
}

/// What a path asks Salesforce for.
fn operation(path: &str) -> &str {
    let last = path.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    if path.starts_with("/id/") {
        "identity"
    } else if path.contains("/sobjects/Organization/") {
        "organization"
    } else {
        last
    }
}

/// The Lead that has the number which is searched for: the first ten digits of the search's text.
fn lead(query: &str) -> Value {
    let digits: String =
        query.split_once("FIND").map_or(query, |(_, text)| text).replace("%20", " ").replace("%7B", "{");
    let number: String = digits.chars().filter(char::is_ascii_digit).take(10).collect();
    json!({
        "attributes": { "type": "Lead", "url": "/services/data/v60.0/sobjects/Lead/00Q000000000001AAA" },
        "Id": "00Q000000000001AAA",
        "Name": "Ada Sample",
        "Phone": format!("+1{number}"),
        "CreatedDate": "2026-01-20T15:00:00.000+0000",
        "LastModifiedDate": "2026-01-20T15:00:00.000+0000",
    })
}

fn created(part: &Value) -> Value {
    let event = part["referenceId"] == "event";
    let id = if event { "00U000000000001AAA" } else { "00T000000000001AAA" };
    json!({
        "referenceId": part["referenceId"],
        "httpStatusCode": 201,
        "httpHeaders": {},
        "body": { "id": id, "success": true, "errors": [] },
    })
}

/// The size of an item: DynamoDB counts the bytes of names and values (developer guide, "Item sizes and formats").
fn item_size(item: &Value) -> usize {
    fn value(of: &Value) -> usize {
        let Some((kind, of)) = of.as_object().and_then(|of| of.iter().next()) else { return 0 };
        match (kind.as_str(), of) {
            ("S" | "B", Value::String(text)) => text.len(),
            // About a byte for two digits, and one more.
            ("N", Value::String(digits)) => digits.len().div_ceil(2) + 1,
            ("M", of) => {
                3 + of
                    .as_object()
                    .map_or(0, |of| of.iter().map(|(name, of)| 1 + name.len() + value(of)).sum())
            }
            ("L", of) => 3 + of.as_array().map_or(0, |of| of.iter().map(|of| 1 + value(of)).sum()),
            _ => 1,
        }
    }
    item.as_object().map_or(0, |item| item.iter().map(|(name, of)| name.len() + value(of)).sum())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_s_size_is_that_of_its_names_and_values() {
        let item = json!({ "ab": { "S": "cdé" }, "n": { "N": "1800457200" }, "m": { "M": { "x": { "BOOL": true } } } });
        assert_eq!(item_size(&item), (2 + 4) + (1 + 6) + (1 + 3 + 1 + 1 + 1));
    }

    #[test]
    fn the_lead_has_the_number_that_is_searched_for() {
        let query = "q=FIND%20%7B2345550123%20OR%202345550123*%7D%20IN%20PHONE%20FIELDS";
        assert_eq!(lead(query)["Phone"], "+12345550123");
        assert_eq!(lead("q=FIND+%7B2345550123+OR+12345550123%7D")["Phone"], "+12345550123");
    }
}
