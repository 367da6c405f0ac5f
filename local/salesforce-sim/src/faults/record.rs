//! Errors of records: they strike wherever a record is written, read or queried, alone or as a part of something.

use serde::{Deserialize, Serialize};

use crate::error::ApiError;

/// An error for records of an object, wherever they are written: alone, in a composite or in a collection. The short
/// form of a [`RecordFault`].
#[derive(Debug, Clone)]
pub struct WriteFault {
    /// `Task`, `Event`, `Lead`, `Contact`.
    pub object: String,
    /// Which writes; `None`: any.
    pub operation: Option<WriteKind>,
    /// How many of them; `None`: every one.
    pub times: Option<u32>,
    /// `FIELD_CUSTOM_VALIDATION_EXCEPTION`.
    pub error_code: String,
    /// Salesforce's text.
    pub message: String,
    /// The fields that it names.
    pub fields: Vec<String>,
}

/// An error for what is done with records of an object.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RecordFault {
    /// `Task`, `Event`, `Lead`, `Contact`; of a query also one that can only be read.
    pub object: String,
    /// What is done; `None`: any write.
    #[serde(default)]
    pub operation: Option<Operation>,
    /// How many of them; `None`: every one.
    #[serde(default = "super::once")]
    pub times: Option<u32>,
    /// The HTTP status, of a subrequest its own.
    #[serde(default = "bad_request")]
    pub status: u16,
    /// `FIELD_CUSTOM_VALIDATION_EXCEPTION`.
    pub error_code: String,
    /// Salesforce's text, as it stands: an org's own may hold HTML.
    pub message: String,
    /// The fields that it names.
    #[serde(default)]
    pub fields: Vec<String>,
}

fn bad_request() -> u16 {
    400
}

impl From<WriteFault> for RecordFault {
    fn from(fault: WriteFault) -> Self {
        let WriteFault { object, operation, times, error_code, message, fields } = fault;
        let operation = operation.map(Operation::from);
        Self { object, operation, times, status: bad_request(), error_code, message, fields }
    }
}

/// How a record is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WriteKind {
    /// `POST`.
    Create,
    /// `PATCH`.
    Update,
    /// `DELETE`.
    Delete,
}

/// What is done with records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Operation {
    /// One is made.
    Create,
    /// One is changed.
    Update,
    /// One is deleted.
    Delete,
    /// One is read by its id.
    Read,
    /// They are queried. Searches are not.
    Query,
}

impl From<WriteKind> for Operation {
    fn from(kind: WriteKind) -> Self {
        match kind {
            WriteKind::Create => Self::Create,
            WriteKind::Update => Self::Update,
            WriteKind::Delete => Self::Delete,
        }
    }
}

impl Operation {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Delete => "delete",
            Self::Read => "read",
            Self::Query => "query",
        }
    }

    fn writes(self) -> bool {
        matches!(self, Self::Create | Self::Update | Self::Delete)
    }
}

impl RecordFault {
    fn hits(&self, object: &str, operation: Operation) -> bool {
        let meant = self.operation.map_or(operation.writes(), |wanted| wanted == operation);
        meant && self.object.eq_ignore_ascii_case(object)
    }

    fn error(&self, operation: Operation) -> ApiError {
        let fields: Vec<&str> = self.fields.iter().map(String::as_str).collect();
        let mut error = ApiError::of_record(&self.error_code, self.message.clone(), &fields);
        error.status = self.status;
        // An error that is not about what was written has no such key.
        error.fields = error.fields.filter(|fields| operation.writes() || !fields.is_empty());
        error
    }
}

/// The faults of records that are set.
#[derive(Debug, Default)]
pub(crate) struct RecordFaults {
    active: Vec<RecordFault>,
}

impl RecordFaults {
    pub(crate) fn add(&mut self, fault: RecordFault) {
        self.active.push(fault);
    }

    pub(crate) fn clear(&mut self) {
        self.active.clear();
    }

    pub(crate) fn list(&self) -> &[RecordFault] {
        &self.active
    }

    /// The error that an operation on records of `object` meets, if any.
    pub(crate) fn strike(&mut self, object: &str, operation: Operation) -> Result<(), ApiError> {
        let hit = self.active.iter_mut().find(|fault| fault.hits(object, operation));
        let Some(fault) = hit else { return Ok(()) };
        if let Some(times) = &mut fault.times {
            *times = times.saturating_sub(1);
        }
        let error = fault.error(operation);
        self.active.retain(|fault| fault.times != Some(0));
        Err(error)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::testing::{Bench, outcome};

    fn set(bench: &mut Bench, fault: Value) {
        bench.world.record_faults.add(serde_json::from_value(fault).unwrap());
    }

    #[test]
    fn a_write_fault_strikes_the_named_writes_only() {
        let mut faults = RecordFaults::default();
        let fault = WriteFault {
            object: "Event".into(),
            operation: Some(WriteKind::Create),
            times: Some(1),
            error_code: "FIELD_CUSTOM_VALIDATION_EXCEPTION".into(),
            message: "Not on Sundays".into(),
            fields: vec![],
        };
        faults.add(fault.into());
        assert!(faults.strike("Task", Operation::Create).is_ok());
        assert!(faults.strike("Event", Operation::Update).is_ok());
        assert_eq!(faults.strike("Event", Operation::Create).unwrap_err().message, "Not on Sundays");
        assert!(faults.strike("Event", Operation::Create).is_ok());
    }

    #[test]
    fn a_write_may_fail_with_any_status() {
        let mut bench = Bench::new();
        set(
            &mut bench,
            json!({"object": "Task", "status": 403, "errorCode": "INSUFFICIENT_ACCESS", "message": "no"}),
        );
        assert_eq!(bench.create("Task", json!({})).unwrap_err(), "403 INSUFFICIENT_ACCESS: no []");
    }

    #[test]
    fn a_fault_without_an_operation_is_of_writes() {
        let mut bench = Bench::new();
        let id = bench.create("Task", json!({})).unwrap();
        set(&mut bench, json!({"object": "Task", "errorCode": "X", "message": "x"}));
        assert!(bench.get("/query", "SELECT Id FROM Task").is_ok());
        assert_eq!(bench.request("GET", &format!("/sobjects/Task/{id}"), None).status, 200);
        assert!(bench.update("Task", &id, json!({})).is_err());
    }

    #[test]
    fn a_query_or_a_read_may_fail_alone() {
        let mut bench = Bench::new();
        let id = bench.create("Task", json!({})).unwrap();
        let late = |operation| json!({"object": "Task", "operation": operation, "errorCode": "QUERY_TIMEOUT", "message": "late"});
        set(&mut bench, late("query"));
        assert!(bench.get("/query", "SELECT Id FROM Event").is_ok());
        assert_eq!(
            bench.request("GET", "/query?q=SELECT+Id+FROM+Task", None),
            ApiError::new(400, "QUERY_TIMEOUT", "late").into()
        );
        set(&mut bench, late("read"));
        assert!(bench.get("/query", "SELECT Id FROM Task").is_ok());
        let path = format!("/sobjects/Task/{id}");
        assert!(outcome(bench.request("GET", &path, None)).unwrap_err().starts_with("400 QUERY_TIMEOUT"));
        assert_eq!(bench.request("GET", &path, None).status, 200);
    }

    #[test]
    fn one_subrequest_fails_for_itself() {
        let mut bench = Bench::new();
        set(
            &mut bench,
            json!({"object": "Event", "operation": "query", "status": 500, "errorCode": "OPERATION_TOO_LARGE", "message": "large"}),
        );
        let query = |object: &str| {
            json!({"method": "GET", "referenceId": object,
            "url": format!("/services/data/v60.0/query?q=SELECT+Id+FROM+{object}")})
        };
        let parts = [query("Task"), query("Event"), query("Lead")];
        let body = json!({"allOrNone": false, "compositeRequest": parts});
        let answer = outcome(bench.post("/composite", body)).unwrap();
        let statuses = [0, 1, 2].map(|part| answer["compositeResponse"][part]["httpStatusCode"].clone());
        assert_eq!(statuses, [json!(200), json!(500), json!(200)]);
        assert_eq!(
            answer["compositeResponse"][1]["body"],
            json!([{"errorCode": "OPERATION_TOO_LARGE", "message": "large"}])
        );
    }

    #[test]
    fn the_text_of_a_flow_is_passed_on_as_it_is() {
        let mut bench = Bench::new();
        let text = "We can't save this record because the “Log calls” process failed. Give your Salesforce admin these \
                    details. <a href='https://help.salesforce.com/x?id=1&amp;y=2'>This error occurred</a> when the flow \
                    tried to create records: <br>\u{a0}Error ID: 1234567890-12345 (-1234567890)";
        let fault = json!({"object": "Task", "errorCode": "CANNOT_EXECUTE_FLOW_TRIGGER", "message": text});
        set(&mut bench, fault);
        let body = bench.post("/sobjects/Task", json!({})).body.unwrap();
        assert_eq!(
            body,
            json!([{"errorCode": "CANNOT_EXECUTE_FLOW_TRIGGER", "message": text, "fields": []}])
        );
    }
}
