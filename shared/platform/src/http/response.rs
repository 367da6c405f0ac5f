//! JSON responses.

use lambda_http::{
    Body, Response,
    http::{HeaderValue, StatusCode, header},
};
use serde::Serialize;

/// A JSON answer. Like every answer it is not to be stored by anybody (docs/contract.md#routes).
pub fn json(status: u16, answer: &impl Serialize) -> Response<Body> {
    response(status, "application/json", answer)
}

pub(super) fn response(status: u16, content_type: &'static str, answer: &impl Serialize) -> Response<Body> {
    // Answers of ours are structs of strings, numbers and lists: nothing in them can fail to serialize.
    let body = serde_json::to_string(answer).unwrap_or_default();
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
    fn an_answer_is_json_that_nobody_stores() {
        let answer = json(202, &serde_json::json!({ "status": "queued" }));
        assert_eq!(answer.status(), 202);
        assert_eq!(answer.headers()["content-type"], "application/json");
        assert_eq!(answer.headers()["cache-control"], "no-store");
        assert_eq!(answer.body().as_ref(), br#"{"status":"queued"}"#);
    }
}
