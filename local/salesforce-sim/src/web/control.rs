//! `/_sim/…`: the control routes, which are not Salesforce's.

use std::collections::BTreeMap;

use axum::{
    Json, Router,
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use chrono::TimeDelta;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::{
    control::{ControlError, NewRecord, PersonAction},
    faults::{Fault, RecordFault},
    world::Shared,
};

/// The control routes.
pub(crate) fn routes() -> Router<Shared> {
    Router::new()
        .route("/state", get(state))
        .route("/reset", post(reset))
        .route("/clock", post(clock))
        .route("/settings", get(settings).post(change_settings))
        .route("/records", post(add_record))
        .route("/records/{id}", post(change_record))
        .route("/records/{id}/convert", post(convert))
        .route("/people/{action}", post(person))
        .route("/requests", get(requests).delete(clear_requests))
        .route("/faults", get(faults).post(add_fault).delete(clear_faults))
        .route("/write-faults", get(write_faults).post(add_write_fault).delete(clear_write_faults))
        .route("/revoke-grants", post(revoke_grants))
        .route("/expire-sessions", post(expire_sessions))
}

impl IntoResponse for ControlError {
    fn into_response(self) -> Response {
        (StatusCode::BAD_REQUEST, Json(json!({"error": self.to_string()}))).into_response()
    }
}

async fn state(State(shared): State<Shared>) -> Json<Value> {
    Json(shared.lock().state())
}

async fn reset(State(shared): State<Shared>) -> StatusCode {
    shared.lock().reset();
    StatusCode::NO_CONTENT
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Advance {
    advance_seconds: u32,
}

async fn clock(State(shared): State<Shared>, Json(by): Json<Advance>) -> Json<Value> {
    let mut world = shared.lock();
    world.clock.advance(TimeDelta::seconds(i64::from(by.advance_seconds)));
    Json(json!({"now": world.clock.now().to_rfc3339()}))
}

async fn settings(State(shared): State<Shared>) -> Json<Value> {
    Json(json!(shared.lock().settings))
}

async fn change_settings(
    State(shared): State<Shared>,
    Json(changes): Json<Value>,
) -> Result<Json<Value>, ControlError> {
    let mut world = shared.lock();
    world.settings = world.settings.with(changes)?;
    Ok(Json(json!(world.settings)))
}

async fn add_record(
    State(shared): State<Shared>,
    Json(new): Json<NewRecord>,
) -> Result<(StatusCode, Json<Value>), ControlError> {
    let id = shared.lock().add_record(new)?;
    Ok((StatusCode::CREATED, Json(json!({"id": id.as_str()}))))
}

async fn change_record(
    State(shared): State<Shared>,
    Path(id): Path<String>,
    Json(fields): Json<Map<String, Value>>,
) -> Result<StatusCode, ControlError> {
    shared.lock().change_record(&id, fields)?;
    Ok(StatusCode::NO_CONTENT)
}

async fn convert(State(shared): State<Shared>, Path(id): Path<String>) -> Result<Json<Value>, ControlError> {
    let contact = shared.lock().convert_lead(&id)?;
    Ok(Json(json!({"contactId": contact.as_str()})))
}

/// Lets a person act. The path names the action, and the body is its details.
async fn person(
    State(shared): State<Shared>,
    Path(action): Path<String>,
    Json(body): Json<Value>,
) -> Result<StatusCode, ControlError> {
    let action: PersonAction = serde_json::from_value(json!({ action: body }))?;
    shared.lock().person_acts(&action, None)?;
    Ok(StatusCode::NO_CONTENT)
}

async fn requests(State(shared): State<Shared>) -> Json<Value> {
    let world = shared.lock();
    // Keys of a JSON object must be strings.
    let counts: BTreeMap<String, usize> = world
        .requests
        .counts()
        .into_iter()
        .map(|(kind, count)| (json!(kind).as_str().unwrap_or_default().to_owned(), count))
        .collect();
    Json(json!({"requests": world.requests.received(), "counts": counts, "tokens": world.requests.tokens}))
}

async fn clear_requests(State(shared): State<Shared>) -> StatusCode {
    shared.lock().requests.clear();
    StatusCode::NO_CONTENT
}

async fn faults(State(shared): State<Shared>) -> Json<Value> {
    Json(json!(shared.lock().faults.list()))
}

async fn add_fault(State(shared): State<Shared>, Json(fault): Json<Fault>) -> StatusCode {
    shared.lock().faults.add(fault);
    StatusCode::CREATED
}

async fn clear_faults(State(shared): State<Shared>) -> StatusCode {
    shared.lock().faults.clear();
    StatusCode::NO_CONTENT
}

async fn write_faults(State(shared): State<Shared>) -> Json<Value> {
    Json(json!(shared.lock().record_faults.list()))
}

async fn add_write_fault(State(shared): State<Shared>, Json(fault): Json<RecordFault>) -> StatusCode {
    shared.lock().record_faults.add(fault);
    StatusCode::CREATED
}

async fn clear_write_faults(State(shared): State<Shared>) -> StatusCode {
    shared.lock().record_faults.clear();
    StatusCode::NO_CONTENT
}

async fn revoke_grants(State(shared): State<Shared>) -> StatusCode {
    shared.lock().grants.revoke_all();
    StatusCode::NO_CONTENT
}

async fn expire_sessions(State(shared): State<Shared>) -> StatusCode {
    shared.lock().grants.expire_sessions();
    StatusCode::NO_CONTENT
}
