//! The REST API over HTTP: sessions, JSON, request limits.

use axum::{
    body::Bytes,
    extract::State,
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use serde_json::Value;

use crate::{
    error::{ApiError, Reply},
    oauth::grants::Session,
    rest::{
        self,
        request::{DataRequest, Headers},
    },
    world::{Shared, World},
};

static LIMIT_INFO: HeaderName = HeaderName::from_static("sforce-limit-info");

/// `GET /services/data/`.
pub(crate) async fn versions() -> Response {
    json(StatusCode::OK, &rest::versions())
}

/// Everything below `/services/data/v60.0`.
pub(crate) async fn resource(
    State(shared): State<Shared>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let mut world = shared.lock();
    let session = match authenticate(&mut world, &headers) {
        Ok(session) => session,
        Err(error) => return Reply::from(error).into_response(),
    };
    if world.settings.api_disabled {
        let message = "The REST API is not enabled for this Organization.";
        return Reply::from(ApiError::new(403, "API_DISABLED_FOR_ORG", message)).into_response();
    }
    let within_limit = count_request(&mut world, &session);
    let reply = if within_limit {
        execute(&mut world, &session, &method, &uri, &headers, &body).unwrap_or_else(Reply::from)
    } else {
        ApiError::new(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.").into()
    };
    let mut response = reply.into_response();
    response.headers_mut().extend(limit_info(&mut world, &session));
    response
}

/// The session of the bearer token (docs/salesforce-api.md#errors).
fn authenticate(world: &mut World, headers: &HeaderMap) -> Result<Session, ApiError> {
    let expired = || ApiError::new(401, "INVALID_SESSION_ID", "Session expired or invalid");
    let header = headers.get(header::AUTHORIZATION).ok_or_else(expired)?;
    let token = header.to_str().ok().and_then(|text| text.strip_prefix("Bearer "));
    let token = token.ok_or_else(|| ApiError::new(401, "INVALID_AUTH_HEADER", "INVALID_HEADER_TYPE"))?;
    let now = world.clock.now();
    let session = world.grants.use_session(token.trim(), now, &world.settings).ok_or_else(expired)?;
    if session.has_scope("api") {
        return Ok(session);
    }
    let message = "This session is not valid for use with the REST API";
    Err(ApiError::new(401, "INVALID_SESSION_ID", message))
}

fn count_request(world: &mut World, session: &Session) -> bool {
    let now = world.clock.now();
    world.orgs[session.org].count_request(now, &world.settings)
}

fn limit_info(world: &mut World, session: &Session) -> Option<(HeaderName, HeaderValue)> {
    let now = world.clock.now();
    let used = world.orgs[session.org].used_requests(now, &world.settings);
    let text = format!("api-usage={used}/{}", world.settings.api_limit);
    HeaderValue::from_str(&text).ok().map(|value| (LIMIT_INFO.clone(), value))
}

fn execute(
    world: &mut World,
    session: &Session,
    method: &Method,
    uri: &Uri,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<Reply, ApiError> {
    let url = uri.path_and_query().map_or(uri.path(), |path| path.as_str());
    let body =
        if matches!(*method, Method::POST | Method::PATCH) { parse_json(headers, body)? } else { None };
    let request = DataRequest::new(method.as_str(), url, Headers::of_request(headers), body)
        .ok_or_else(|| unknown_version(uri.path()))?;
    let mut context = world.context(session).ok_or_else(ApiError::not_found)?;
    Ok(rest::dispatch(&mut context, &request))
}

fn parse_json(headers: &HeaderMap, body: &[u8]) -> Result<Option<Value>, ApiError> {
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    if !content_type.is_some_and(|content_type| content_type.starts_with("application/json")) {
        let message = "Content type of the request is not supported";
        return Err(ApiError::new(415, "UNSUPPORTED_MEDIA_TYPE", message));
    }
    serde_json::from_slice(body).map(Some).map_err(|error| {
        let message = format!("Unexpected input at [line:{}, column:{}]", error.line(), error.column());
        ApiError::new(400, "JSON_PARSER_ERROR", message)
    })
}

/// Versions 21 to 30 are retired. The simulator has only version 60.
fn unknown_version(path: &str) -> ApiError {
    let version = path.trim_start_matches("/services/data/v").split('.').next().unwrap_or_default();
    match version.parse() {
        Ok(21..=30) => ApiError::new(410, "GONE", "This API version is retired"),
        Ok(31..=68) if version != "60" => ApiError::not_simulated("versions other than v60.0"),
        _ => ApiError::not_found(),
    }
}

impl IntoResponse for Reply {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = match &self.body {
            Some(body) => json(status, body),
            None => status.into_response(),
        };
        let location = self.location.and_then(|location| HeaderValue::from_str(&location).ok());
        response.headers_mut().extend(location.map(|location| (header::LOCATION, location)));
        response
    }
}

/// A JSON response with Salesforce's content type.
pub(crate) fn json(status: StatusCode, body: &Value) -> Response {
    (status, [(header::CONTENT_TYPE, "application/json;charset=UTF-8")], body.to_string()).into_response()
}
