//! A request to the REST API, and the headers that change what it does.

use axum::http::HeaderMap;
use chrono::{DateTime, NaiveDateTime, Utc};
use serde_json::{Map, Value};

use crate::{error::ApiError, requests::API_PATH};

/// A request to the REST API.
#[derive(Debug)]
pub(crate) struct DataRequest {
    pub(crate) method: String,
    /// The path after [`API_PATH`].
    pub(crate) path: String,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) headers: Headers,
    pub(crate) body: Option<Value>,
}

impl DataRequest {
    /// A request to a path with its query. `None` if the path is not below [`API_PATH`].
    pub(crate) fn new(method: &str, url: &str, headers: Headers, body: Option<Value>) -> Option<Self> {
        let (path, query) = url.split_once('?').unwrap_or((url, ""));
        let path = path.strip_prefix(API_PATH).filter(|rest| rest.is_empty() || rest.starts_with('/'))?;
        let query = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        Some(Self { method: method.to_owned(), path: path.to_owned(), query, headers, body })
    }

    pub(super) fn parameter(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The body, which must be a JSON object.
    pub(super) fn object(&self) -> Result<&Map<String, Value>, ApiError> {
        self.body.as_ref().and_then(Value::as_object).ok_or_else(|| {
            ApiError::new(
                400,
                "JSON_PARSER_ERROR",
                "The HTTP entity body is required and must be a JSON object at [line:1, column:0]",
            )
        })
    }
}

/// Headers that a subrequest cannot set.
const ENVELOPE_ONLY: &[&str] = &["accept", "authorization", "content-type"];
const DUPLICATE_RULE: &str = "sforce-duplicate-rule-header";
const UNMODIFIED_SINCE: &str = "if-unmodified-since";

/// The headers that change what a request does, by lower-case name. A subrequest has its own in `httpHeaders`.
#[derive(Debug, Clone, Default)]
pub(crate) struct Headers(Vec<(String, String)>);

impl Headers {
    /// The headers of a whole request.
    pub(crate) fn of_request(headers: &HeaderMap) -> Self {
        let known = [DUPLICATE_RULE, UNMODIFIED_SINCE].into_iter();
        Self(
            known
                .filter_map(|name| Some((name.to_owned(), headers.get(name)?.to_str().ok()?.to_owned())))
                .collect(),
        )
    }

    /// The headers of a subrequest. It does not inherit those of the composite request.
    pub(crate) fn of_subrequest(http_headers: Option<&Value>) -> Result<Self, String> {
        let Some(given) = http_headers else { return Ok(Self::default()) };
        let given = given.as_object().ok_or("httpHeaders is not an object")?;
        let headers = given.iter().map(|(name, value)| {
            let name = name.to_ascii_lowercase();
            if ENVELOPE_ONLY.contains(&name.as_str()) {
                return Err(format!("httpHeaders must not contain {name}"));
            }
            let value = value.as_str().ok_or_else(|| format!("httpHeaders: {name} is not a string"))?;
            Ok((name, value.to_owned()))
        });
        headers.collect::<Result<_, _>>().map(Self)
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// `Sforce-Duplicate-Rule-Header: allowSave=true`: overrides duplicate rules that alert.
    pub(super) fn allow_duplicates(&self) -> bool {
        let parts = self.get(DUPLICATE_RULE).unwrap_or_default().split(';');
        let mut pairs = parts.filter_map(|part| part.split_once('='));
        pairs.any(|(key, value)| {
            key.trim().eq_ignore_ascii_case("allowSave") && value.trim().eq_ignore_ascii_case("true")
        })
    }

    /// `If-Unmodified-Since: Tue, 31 May 2016 18:00:00 GMT`.
    pub(super) fn unmodified_since(&self) -> Result<Option<DateTime<Utc>>, ApiError> {
        let Some(text) = self.get(UNMODIFIED_SINCE) else { return Ok(None) };
        let at = NaiveDateTime::parse_from_str(text.trim(), "%a, %d %b %Y %H:%M:%S GMT").map_err(|_| {
            let message = format!("If-Unmodified-Since is not an HTTP date: {text}");
            ApiError::new(400, "INVALID_HTTP_HEADER", message)
        })?;
        Ok(Some(at.and_utc()))
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use serde_json::json;

    use super::*;
    use crate::testing::{Bench, outcome};

    fn headers(value: &Value) -> Headers {
        Headers::of_subrequest(Some(value)).unwrap()
    }

    #[test]
    fn allow_save_is_found_in_its_header() {
        for (value, allows) in [
            ("allowSave=true", true),
            ("includeRecordDetails=true; allowSave=true;runAsCurrentUser=true", true),
            (" ALLOWSAVE = True ", true),
            ("allowSave=false", false),
            ("allowSave", false),
            ("runAsCurrentUser=true", false),
        ] {
            let given = headers(&json!({"sforce-DUPLICATE-rule-header": value}));
            assert_eq!(given.allow_duplicates(), allows, "{value}");
        }
        assert!(!Headers::default().allow_duplicates());
    }

    /// Updates a Task unless it was modified since then.
    fn update(bench: &mut Bench, id: &str, since: &str) -> Result<(), String> {
        let path = format!("/sobjects/Task/{id}");
        let given = headers(&json!({"If-Unmodified-Since": since}));
        outcome(bench.request_with("PATCH", &path, given, Some(json!({"Subject": "after"})))).map(|_| ())
    }

    #[test]
    fn a_conditional_update_is_refused_if_the_record_is_newer() {
        let mut bench = Bench::new();
        let id = bench.create("Task", json!({"Subject": "before"})).unwrap();
        let fields = json!({"LastModifiedDate": "2026-05-31T18:00:00.900+0000"});
        bench.world.change_record(&id, fields.as_object().unwrap().clone()).unwrap();
        assert_eq!(
            update(&mut bench, &id, "Sun, 31 May 2026 17:59:59 GMT").unwrap_err(),
            "412 PRECONDITION_FAILED: The record was modified since the time of If-Unmodified-Since []"
        );
        for invalid in ["2026-05-31T18:00:00Z", "Mon, 31 May 2026 18:00:00 GMT", ""] {
            let error = update(&mut bench, &id, invalid).unwrap_err();
            assert!(error.starts_with("400 INVALID_HTTP_HEADER"), "{error}");
        }
        assert_eq!(bench.record(&id).text("Subject"), Some("before"));
        update(&mut bench, &id, "Sun, 31 May 2026 18:00:00 GMT").unwrap();
        assert_eq!(bench.record(&id).text("Subject"), Some("after"), "fractions of a second are ignored");
    }

    #[test]
    fn a_subrequest_can_be_conditional() {
        let mut bench = Bench::new();
        let id = bench.create("Task", json!({"Subject": "before"})).unwrap();
        let long_ago = (bench.world.clock.now() - TimeDelta::days(1)).format("%a, %d %b %Y %H:%M:%S GMT");
        let subrequest = json!({"method": "PATCH", "url": format!("/services/data/v60.0/sobjects/Task/{id}"),
            "referenceId": "a", "body": {"Subject": "after"}, "httpHeaders": {"If-Unmodified-Since": long_ago.to_string()}});
        let response = outcome(bench.post("/composite", json!({"compositeRequest": [subrequest]}))).unwrap();
        let part = &response["compositeResponse"][0];
        assert_eq!(
            (&part["httpStatusCode"], &part["body"][0]["errorCode"]),
            (&json!(412), &json!("PRECONDITION_FAILED"))
        );
        assert_eq!(bench.record(&id).text("Subject"), Some("before"));
    }

    #[test]
    fn headers_that_a_subrequest_cannot_set_fail_the_whole_request() {
        for given in [
            json!({"Content-Type": "application/json"}),
            json!({"authorization": "x"}),
            json!("x"),
            json!({"A": 1}),
        ] {
            let mut bench = Bench::new();
            let task = json!({"method": "POST", "url": "/services/data/v60.0/sobjects/Task", "referenceId": "a",
                "body": {}, "httpHeaders": given});
            assert_eq!(bench.post("/composite", json!({"compositeRequest": [task]})).status, 400, "{given}");
            assert_eq!(bench.count("Task"), 0);
        }
    }
}
