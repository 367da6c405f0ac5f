//! Salesforce's REST errors: an array of messages with codes (docs/salesforce-api.md#errors).

use serde_json::{Value, json};

/// One error of the REST API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ApiError {
    pub(crate) status: u16,
    pub(crate) code: String,
    pub(crate) message: String,
    /// `None` where the answer has no such key: errors of parsing, sessions and routes.
    pub(crate) fields: Option<Vec<String>>,
    /// The records that a new one would duplicate, as the duplicate rules tell of them, and under which key.
    pub(crate) duplicates: Option<Box<Duplicates>>,
}

/// The key, and what stands under it.
type Duplicates = (&'static str, Value);

impl ApiError {
    /// An error of a request: it names no fields.
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

    /// Something that Salesforce can do and this simulator cannot: never taken for an answer of Salesforce.
    pub(crate) fn not_simulated(what: &str) -> Self {
        Self::new(501, "NOT_SIMULATED", format!("the simulator does not know {what}"))
    }

    /// The entry of an error array.
    pub(crate) fn entry(&self) -> Value {
        let mut entry = json!({"message": self.message, "errorCode": self.code});
        if let Some(fields) = &self.fields {
            entry["fields"] = json!(fields);
        }
        self.add_duplicates(&mut entry);
        entry
    }

    /// The entry of a collection's result: `statusCode` where all others say `errorCode`.
    pub(crate) fn collection_entry(&self) -> Value {
        let fields = self.fields.clone().unwrap_or_default();
        let mut entry = json!({"statusCode": self.code, "message": self.message, "fields": fields});
        self.add_duplicates(&mut entry);
        entry
    }

    fn add_duplicates(&self, entry: &mut Value) {
        if let Some((key, details)) = self.duplicates.as_deref() {
            entry[*key] = details.clone();
        }
    }
}

/// An answer of the REST API, before it is put on the wire or into a composite answer.
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

    pub(crate) fn failed(self: &Reply) -> bool {
        self.status >= 400
    }
}

impl From<ApiError> for Reply {
    fn from(error: ApiError) -> Self {
        Self { status: error.status, location: None, body: Some(json!([error.entry()])) }
    }
}
