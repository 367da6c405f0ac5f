//! The REST API, v60.0: which resource a path names, and what it answers. Shared by single and composite requests.

pub(crate) mod collections;
pub(crate) mod composite;
mod headers;
mod sobjects;

use serde_json::{Value, json};

pub(crate) use self::headers::Headers;
use crate::{
    error::{ApiError, Reply},
    ids::Id,
    objects::{schema::Object, write::Context},
    query::{soql, sosl},
};

/// Where the API lives.
pub(crate) const BASE: &str = "/services/data/v60.0";

/// The path of a record.
pub(crate) fn record_path(object: &Object, id: &Id) -> String {
    format!("{BASE}/sobjects/{}/{id}", object.name)
}

/// A request of the API.
#[derive(Debug)]
pub(crate) struct DataRequest {
    pub(crate) method: String,
    /// The path after [`BASE`].
    pub(crate) path: String,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) headers: Headers,
    pub(crate) body: Option<Value>,
}

impl DataRequest {
    /// A request of a path with its query; `None` where it is not below [`BASE`].
    pub(crate) fn new(method: &str, url: &str, headers: Headers, body: Option<Value>) -> Option<Self> {
        let (path, query) = url.split_once('?').unwrap_or((url, ""));
        let path = path.strip_prefix(BASE).filter(|rest| rest.is_empty() || rest.starts_with('/'))?;
        let query = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        Some(Self { method: method.to_owned(), path: path.to_owned(), query, headers, body })
    }

    fn parameter(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The body, which must be a JSON object.
    fn object(&self) -> Result<&serde_json::Map<String, Value>, ApiError> {
        self.body.as_ref().and_then(Value::as_object).ok_or_else(|| {
            ApiError::new(
                400,
                "JSON_PARSER_ERROR",
                "The HTTP entity body is required and must be a JSON object at [line:1, column:0]",
            )
        })
    }
}

/// Answers a request.
pub(crate) fn dispatch(context: &mut Context<'_>, request: &DataRequest) -> Reply {
    answer(context, request).unwrap_or_else(Reply::from)
}

fn answer(context: &mut Context<'_>, request: &DataRequest) -> Result<Reply, ApiError> {
    let path: Vec<&str> = request.path.split('/').filter(|part| !part.is_empty()).collect();
    match (request.method.as_str(), path.as_slice()) {
        ("GET", []) => Ok(Reply::ok(resources())),
        ("GET", ["search"]) => {
            let search = request.parameter("q").unwrap_or_default();
            sosl::search(context, search).map(Reply::ok)
        }
        ("GET", [resource @ ("query" | "queryAll")]) => {
            let query = request
                .parameter("q")
                .ok_or_else(|| ApiError::new(400, "MALFORMED_QUERY", "A query string has to be specified"))?;
            soql::query(context, query, *resource == "queryAll").map(Reply::ok)
        }
        ("POST", ["composite"]) => composite::run(context, request.object()?),
        ("POST", ["composite", "sobjects"]) => collections::create(context, request),
        (method, ["sobjects", object]) => sobjects::collection(context, method, object, request),
        (method, ["sobjects", object, id]) => sobjects::record(context, method, object, id, request),
        (_, ["search" | "query" | "queryAll"]) => Err(not_allowed(&request.method, "GET")),
        (_, ["composite"] | ["composite", "sobjects"]) => Err(not_allowed(&request.method, "POST")),
        (
            _,
            [
                "limits" | "parameterizedSearch" | "jobs" | "tooling" | "chatter" | "sobjects" | "composite",
                ..,
            ],
        ) => Err(ApiError::not_simulated(&request.path)),
        _ => Err(ApiError::not_found()),
    }
}

/// A method that the resource does not have.
fn not_allowed(method: &str, allowed: &str) -> ApiError {
    let message = format!("HTTP Method '{method}' not allowed. Allowed are {allowed}");
    ApiError::new(405, "METHOD_NOT_ALLOWED", message)
}

fn resources() -> Value {
    let names = ["sobjects", "search", "query", "queryAll", "composite"];
    names.iter().map(|name| ((*name).to_owned(), json!(format!("{BASE}/{name}")))).collect()
}

/// The API's versions, told without a session.
pub(crate) fn versions() -> Value {
    json!([{"label": "Spring '24", "url": BASE, "version": "60.0"}])
}
