//! The composite resource: several requests in one, which counts as one (REST API Developer Guide, "Composite").

use calls::ports::ClientSecretSource;
use calls::{
    crm::{Answer, CrmError},
    ids::SalesforceId,
    workspace::Connection,
};
use reqwest::{Method, StatusCode};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

use crate::{
    API_VERSION,
    client::Client,
    errors::{self, Effect},
    transport::{self, Rest},
};

/// One request of several.
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
        Self::queried(reference, "query", soql)
    }

    /// Runs a query that sees archived and deleted records too.
    pub(crate) fn query_all(reference: &'static str, soql: &str) -> Self {
        Self::queried(reference, "queryAll", soql)
    }

    /// Reads a record: every field that the user may read.
    pub(crate) fn read(reference: &'static str, object: &str, id: &SalesforceId) -> Self {
        let url = format!("/services/data/{API_VERSION}/sobjects/{object}/{id}");
        Self { method: "GET", url, reference, body: None }
    }

    fn queried(reference: &'static str, resource: &str, soql: &str) -> Self {
        let query = url::form_urlencoded::Serializer::new(String::new()).append_pair("q", soql).finish();
        let url = format!("/services/data/{API_VERSION}/{resource}?{query}");
        Self { method: "GET", url, reference, body: None }
    }
}

/// What one of them came to.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Part {
    reference_id: String,
    http_status_code: u16,
    #[serde(default)]
    body: Value,
}

/// What all of them came to. The envelope's own status says nothing: it is 200 even where parts failed.
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
    /// The answer of one request, or its error.
    pub(crate) fn part<T: DeserializeOwned>(&self, reference: &str) -> Result<T, CrmError> {
        let part = self.parts.iter().find(|part| part.reference_id == reference);
        let part = part.ok_or_else(|| errors::unexpected(self.effect))?;
        match self.error(part) {
            Some(error) => Err(error),
            None => T::deserialize(&part.body).map_err(|_| errors::unexpected(self.effect)),
        }
    }

    /// What made all of them fail: the first that did not only fail because of another. And its reference.
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

impl<S: ClientSecretSource> Client<S> {
    /// Sends several requests as one. `all_or_none`: if one fails, none of them takes effect.
    pub(crate) async fn composite(
        &self,
        connection: &Connection,
        operation: &'static str,
        effect: Effect,
        all_or_none: bool,
        requests: &[Subrequest],
    ) -> Result<Answer<Parts>, CrmError> {
        let request = Rest {
            operation,
            effect,
            method: Method::POST,
            path: "/composite",
            query: &[],
            body: Some(json!({ "allOrNone": all_or_none, "compositeRequest": requests })),
            headers: &[],
        };
        let answer = self.rest(connection, request).await?;
        let envelope: Envelope = transport::parse(&answer.value, effect)?;
        Ok(Answer {
            value: Parts { parts: envelope.composite_response, effect },
            api_usage: answer.api_usage,
        })
    }
}

#[cfg(test)]
mod tests {
    use calls::crm::FaultClass;

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
    fn the_cause_is_the_part_that_failed_by_itself() {
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
    fn a_rollback_without_a_cause_passes() {
        let parts = parts(json!([halted("task"), halted("event")]));
        let (_, error) = parts.cause().unwrap();
        assert_eq!(error.class, FaultClass::Passing);
    }

    #[test]
    fn a_missing_part_leaves_open_what_happened() {
        let error = parts(json!([])).part::<Value>("task").unwrap_err();
        assert_eq!((error.class, error.code.as_str()), (FaultClass::Ambiguous, "unreadable_answer"));
    }

    #[test]
    fn queries_travel_encoded() {
        let request = Subrequest::query_all("task", "SELECT Id FROM Task WHERE CallObject = 'a&b'");
        assert_eq!(
            request.url,
            "/services/data/v60.0/queryAll?q=SELECT+Id+FROM+Task+WHERE+CallObject+%3D+%27a%26b%27"
        );
    }
}
