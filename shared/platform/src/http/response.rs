//! JSON responses.

use lambda_http::{
    Body, Response,
    http::{HeaderValue, StatusCode, header},
};
use serde::Serialize;

/// A JSON response. Like every response, it must not be stored (docs/contract.md#routes).
pub fn json(status: u16, content: &impl Serialize) -> Response<Body> {
    response(status, "application/json", content)
}

pub(super) fn response(status: u16, content_type: &'static str, content: &impl Serialize) -> Response<Body> {
    // Our responses are structs of strings, numbers and lists: serializing them cannot fail.
    let body = serde_json::to_string(content).unwrap_or_default();
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_response_is_json_and_not_stored() {
        let response = json(202, &serde_json::json!({ "status": "queued" }));
        assert_eq!(response.status(), 202);
        assert_eq!(response.headers()["content-type"], "application/json");
        assert_eq!(response.headers()["cache-control"], "no-store");
        assert_eq!(response.body().as_ref(), br#"{"status":"queued"}"#);
    }
}
