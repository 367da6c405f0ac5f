//! Errors and responses of the REST API (docs/salesforce-api.md#errors).

use serde_json::{Value, json};

/// An error of the REST API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ApiError {
    pub(crate) status: u16,
    pub(crate) code: String,
    pub(crate) message: String,
    /// `None` if the response has no such key: errors of parsing, sessions and routes.
    pub(crate) fields: Option<Vec<String>>,
    /// What a duplicate rule reports.
    pub(crate) duplicates: Option<Box<Duplicates>>,
}

/// The key of the report, and the report.
type Duplicates = (&'static str, Value);

impl ApiError {
    /// An error of a request. It names no fields.
    pub(crate) fn new(status: u16, code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { status, code: code.into(), message: message.into(), fields: None, duplicates: None }
    }

    /// An error of a record that was to be written.
    pub(crate) fn of_record(code: &str, message: impl Into<String>, fields: &[&str]) -> Self {
        let fields = fields.iter().map(ToString::to_string).collect();
        Self { fields: Some(fields), ..Self::new(400, code, message) }
    }

    /// A route or record that does not exist.
    pub(crate) fn not_found() -> Self {
        Self::new(404, "NOT_FOUND", "The requested resource does not exist")
    }

    /// A method that the resource does not have.
    pub(crate) fn method_not_allowed(method: &str, allowed: &str) -> Self {
        let message = format!("HTTP Method '{method}' not allowed. Allowed are {allowed}");
        Self::new(405, "METHOD_NOT_ALLOWED", message)
    }

    /// Something that Salesforce can do and the simulator cannot. Cannot be mistaken for a response of Salesforce.
    pub(crate) fn not_simulated(what: &str) -> Self {
        Self::new(501, "NOT_SIMULATED", format!("the simulator does not support {what}"))
    }

    /// Its entry in the list of errors.
    pub(crate) fn entry(&self) -> Value {
        let mut entry = json!({"message": self.message, "errorCode": self.code});
        if let Some(fields) = &self.fields {
            entry["fields"] = json!(fields);
        }
        if let Some((key, report)) = self.duplicates.as_deref() {
            entry[*key] = report.clone();
        }
        entry
    }
}

/// A response of the REST API, before it is sent or put into a composite response.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) location: Option<String>,
    pub(crate) body: Option<Value>,
}

impl Reply {
    pub(crate) fn ok(body: Value) -> Self {
        Self { status: 200, location: None, body: Some(body) }
    }

    pub(crate) fn no_content() -> Self {
        Self { status: 204, location: None, body: None }
    }

    pub(crate) fn failed(&self) -> bool {
        self.status >= 400
    }
}

impl From<ApiError> for Reply {
    fn from(error: ApiError) -> Self {
        Self { status: error.status, location: None, body: Some(json!([error.entry()])) }
    }
}
