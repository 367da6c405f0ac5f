//! The REST API, v60.0: routes a request, single or part of a composite one, to its resource.

mod composite;
pub(crate) mod request;
mod sobjects;

use serde_json::{Value, json};

use self::request::DataRequest;
use crate::{
    error::{ApiError, Reply},
    objects::write::Context,
    query::{soql, sosl},
    requests::API_PATH,
};

/// Executes a request.
pub(crate) fn dispatch(context: &mut Context<'_>, request: &DataRequest) -> Reply {
    route(context, request).unwrap_or_else(Reply::from)
}

fn route(context: &mut Context<'_>, request: &DataRequest) -> Result<Reply, ApiError> {
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
        ("POST", ["composite"]) => composite::run(context, request.object()?, dispatch),
        (method, ["sobjects", object]) => sobjects::collection(context, method, object, request),
        (method, ["sobjects", object, id]) => sobjects::record(context, method, object, id, request),
        (_, ["search" | "query" | "queryAll"]) => Err(ApiError::method_not_allowed(&request.method, "GET")),
        (_, ["composite"]) => Err(ApiError::method_not_allowed(&request.method, "POST")),
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

fn resources() -> Value {
    let names = ["sobjects", "search", "query", "queryAll", "composite"];
    names.iter().map(|name| ((*name).to_owned(), json!(format!("{API_PATH}/{name}")))).collect()
}

/// The versions of the API. Needs no session.
pub(crate) fn versions() -> Value {
    json!([{"label": "Spring '24", "url": API_PATH, "version": "60.0"}])
}
