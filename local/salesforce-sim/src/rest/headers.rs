//! The request headers that change what a request does; those of a subrequest are in its `httpHeaders`.

use axum::http::HeaderMap;
use chrono::{DateTime, NaiveDateTime, Utc};
use serde_json::Value;

use crate::error::ApiError;

/// What no subrequest may set for itself.
const OF_THE_ENVELOPE: &[&str] = &["accept", "authorization", "content-type"];
const DUPLICATE_RULE: &str = "sforce-duplicate-rule-header";
const UNMODIFIED_SINCE: &str = "if-unmodified-since";

/// Headers by their names in small letters.
#[derive(Debug, Clone, Default)]
pub(crate) struct Headers(Vec<(String, String)>);

impl Headers {
    /// Those of a whole request. Its session is none of the API's business.
    pub(crate) fn of_request(headers: &HeaderMap) -> Self {
        let known = [DUPLICATE_RULE, UNMODIFIED_SINCE].into_iter();
        Self(
            known
                .filter_map(|name| Some((name.to_owned(), headers.get(name)?.to_str().ok()?.to_owned())))
                .collect(),
        )
    }

    /// Those of a subrequest. The headers of its envelope are not among them.
    pub(crate) fn of_subrequest(http_headers: Option<&Value>) -> Result<Self, String> {
        let Some(given) = http_headers else { return Ok(Self::default()) };
        let given = given.as_object().ok_or("httpHeaders is no object")?;
        let headers = given.iter().map(|(name, value)| {
            let name = name.to_ascii_lowercase();
            if OF_THE_ENVELOPE.contains(&name.as_str()) {
                return Err(format!("httpHeaders must not hold {name}"));
            }
            let value = value.as_str().ok_or_else(|| format!("httpHeaders: {name} is no text"))?;
            Ok((name, value.to_owned()))
        });
        headers.collect::<Result<_, _>>().map(Self)
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// `Sforce-Duplicate-Rule-Header: allowSave=true`: a duplicate may be made, where its rule only alerts.
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
            let message = format!("If-Unmodified-Since is no HTTP date: {text}");
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
    fn allow_save_is_one_part_of_its_header() {
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

    /// A Task that was changed last at this time, with the outcome of a change on a condition.
    fn change(bench: &mut Bench, id: &str, since: &str) -> Result<(), String> {
        let path = format!("/sobjects/Task/{id}");
        let given = headers(&json!({"If-Unmodified-Since": since}));
        outcome(bench.request_with("PATCH", &path, given, Some(json!({"Subject": "after"})))).map(|_| ())
    }

    #[test]
    fn a_change_on_a_condition_is_refused_where_the_record_is_newer() {
        let mut bench = Bench::new();
        let id = bench.create("Task", json!({"Subject": "before"})).unwrap();
        let fields = json!({"LastModifiedDate": "2026-05-31T18:00:00.900+0000"});
        bench.world.change_record(&id, fields.as_object().unwrap().clone()).unwrap();
        assert_eq!(
            change(&mut bench, &id, "Sun, 31 May 2026 17:59:59 GMT").unwrap_err(),
            "412 PRECONDITION_FAILED: The record was modified since the time of If-Unmodified-Since []"
        );
        for wrong in ["2026-05-31T18:00:00Z", "Mon, 31 May 2026 18:00:00 GMT", ""] {
            let error = change(&mut bench, &id, wrong).unwrap_err();
            assert!(error.starts_with("400 INVALID_HTTP_HEADER"), "{error}");
        }
        assert_eq!(bench.record(&id).text("Subject"), Some("before"));
        change(&mut bench, &id, "Sun, 31 May 2026 18:00:00 GMT").unwrap();
        assert_eq!(bench.record(&id).text("Subject"), Some("after"), "parts of a second do not count");
    }

    #[test]
    fn a_subrequest_may_have_a_condition() {
        let mut bench = Bench::new();
        let id = bench.create("Task", json!({"Subject": "before"})).unwrap();
        let long_ago = (bench.world.clock.now() - TimeDelta::days(1)).format("%a, %d %b %Y %H:%M:%S GMT");
        let change = json!({"method": "PATCH", "url": format!("/services/data/v60.0/sobjects/Task/{id}"),
            "referenceId": "a", "body": {"Subject": "after"}, "httpHeaders": {"If-Unmodified-Since": long_ago.to_string()}});
        let answer = outcome(bench.post("/composite", json!({"compositeRequest": [change]}))).unwrap();
        let part = &answer["compositeResponse"][0];
        assert_eq!(
            (&part["httpStatusCode"], &part["body"][0]["errorCode"]),
            (&json!(412), &json!("PRECONDITION_FAILED"))
        );
        assert_eq!(bench.record(&id).text("Subject"), Some("before"));
    }

    #[test]
    fn headers_of_the_envelope_fail_the_whole_composite() {
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
