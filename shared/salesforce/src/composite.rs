//! Composite requests: several subrequests that count as one request (REST API Developer Guide, "Composite").

use calls::ids::SalesforceId;
use crm::{Answer, CrmError, workspace::Connection};
use reqwest::{Method, StatusCode};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

use crate::{
    errors::{self, Effect},
    transport::{self, API_VERSION, RestRequest, Transport},
};

/// A part of a composite request.
#[derive(Serialize)]
pub(crate) struct Subrequest {
    method: &'static str,
    url: String,
    #[serde(rename = "referenceId")]
    reference: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<Value>,
}

impl Subrequest {
    /// Creates a record of `object`.
    pub(crate) fn create(reference: &'static str, object: &str, record: Value) -> Self {
        let url = format!("/services/data/{API_VERSION}/sobjects/{object}");
        Self { method: "POST", url, reference, body: Some(record) }
    }

    /// Runs a query.
    pub(crate) fn query(reference: &'static str, soql: &str) -> Self {
        Self::run_query(reference, "query", soql)
    }

    /// Runs a query that includes archived and deleted records.
    pub(crate) fn query_all(reference: &'static str, soql: &str) -> Self {
        Self::run_query(reference, "queryAll", soql)
    }

    /// Reads a record with every field that the user may read.
    pub(crate) fn read(reference: &'static str, object: &str, id: &SalesforceId) -> Self {
        let url = format!("/services/data/{API_VERSION}/sobjects/{object}/{id}");
        Self { method: "GET", url, reference, body: None }
    }

    fn run_query(reference: &'static str, resource: &str, soql: &str) -> Self {
        let query = url::form_urlencoded::Serializer::new(String::new()).append_pair("q", soql).finish();
        let url = format!("/services/data/{API_VERSION}/{resource}?{query}");
        Self { method: "GET", url, reference, body: None }
    }
}

/// The response to one subrequest.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Part {
    reference_id: String,
    http_status_code: u16,
    #[serde(default)]
    body: Value,
}

/// The responses to all subrequests. The status of the whole is 200 even if parts failed.
pub(crate) struct Parts {
    parts: Vec<Part>,
    effect: Effect,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Envelope {
    composite_response: Vec<Part>,
}

impl Parts {
    /// The result of one subrequest.
    pub(crate) fn part<T: DeserializeOwned>(&self, reference: &str) -> Result<T, CrmError> {
        let part = self.parts.iter().find(|part| part.reference_id == reference);
        let part = part.ok_or_else(|| errors::unexpected(self.effect))?;
        match self.error(part) {
            Some(error) => Err(error),
            None => T::deserialize(&part.body).map_err(|_| errors::unexpected(self.effect)),
        }
    }

    /// The first failure, with its reference, preferring one that is not merely the rollback caused by another.
    pub(crate) fn cause(&self) -> Option<(&str, CrmError)> {
        let failed =
            || self.parts.iter().filter_map(|part| Some((part.reference_id.as_str(), self.error(part)?)));
        failed().find(|(_, error)| error.code != "PROCESSING_HALTED").or_else(|| failed().next())
    }

    fn error(&self, part: &Part) -> Option<CrmError> {
        let status = StatusCode::from_u16(part.http_status_code).unwrap_or(StatusCode::BAD_GATEWAY);
        if status.is_success() {
            return None;
        }
        Some(errors::rest(status, part.body.to_string().as_bytes(), self.effect))
    }
}

/// Sends a composite request. With `all_or_none`, one failure rolls back all subrequests.
pub(crate) async fn send(
    transport: &Transport,
    connection: &Connection,
    operation: &'static str,
    effect: Effect,
    all_or_none: bool,
    requests: &[Subrequest],
) -> Result<Answer<Parts>, CrmError> {
    let request = RestRequest {
        operation,
        effect,
        method: Method::POST,
        path: "/composite",
        query: &[],
        body: Some(json!({ "allOrNone": all_or_none, "compositeRequest": requests })),
        headers: &[],
    };
    let response = transport.rest(connection, request).await?;
    let envelope: Envelope = transport::parse(&response.value, effect)?;
    Ok(Answer { value: Parts { parts: envelope.composite_response, effect }, api_usage: response.api_usage })
}

#[cfg(test)]
mod tests {
    use crm::FaultClass;

    use super::*;

    fn parts(parts: Value) -> Parts {
        Parts { parts: serde_json::from_value(parts).unwrap(), effect: Effect::Creates }
    }

    fn halted(reference: &str) -> Value {
        json!({
            "body": [{
                "errorCode": "PROCESSING_HALTED",
                "message": "The transaction was rolled back since another operation in the same transaction failed.",
            }],
            "httpHeaders": {}, "httpStatusCode": 400, "referenceId": reference,
        })
    }

    #[test]
    fn the_cause_is_the_part_that_was_not_just_rolled_back() {
        let event = json!({
            "body": [{"message": "no", "errorCode": "FIELD_INTEGRITY_EXCEPTION", "fields": ["EndDateTime"]}],
            "httpHeaders": {}, "httpStatusCode": 400, "referenceId": "event",
        });
        let parts = parts(json!([halted("task"), event]));
        let (reference, error) = parts.cause().unwrap();
        assert_eq!((reference, error.code.as_str()), ("event", "FIELD_INTEGRITY_EXCEPTION"));
        assert_eq!((error.class, error.fields), (FaultClass::Permanent, vec!["EndDateTime".to_owned()]));
    }

    #[test]
    fn a_rollback_without_a_cause_is_a_passing_fault() {
        let parts = parts(json!([halted("task"), halted("event")]));
        let (_, error) = parts.cause().unwrap();
        assert_eq!(error.class, FaultClass::Passing);
    }

    #[test]
    fn a_missing_part_is_ambiguous() {
        let error = parts(json!([])).part::<Value>("task").unwrap_err();
        assert_eq!((error.class, error.code.as_str()), (FaultClass::Ambiguous, "unreadable_answer"));
    }

    #[test]
    fn queries_are_url_encoded() {
        let request = Subrequest::query_all("task", "SELECT Id FROM Task WHERE CallObject = 'a&b'");
        assert_eq!(
            request.url,
            "/services/data/v60.0/queryAll?q=SELECT+Id+FROM+Task+WHERE+CallObject+%3D+%27a%26b%27"
        );
    }
}
