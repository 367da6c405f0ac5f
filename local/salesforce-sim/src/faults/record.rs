//! Faults of records: they strike wherever a record is written, read or queried, alone or in a composite request.

use serde::{Deserialize, Serialize};

use crate::error::ApiError;

/// An error for operations on records of an object.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RecordFault {
    /// `Task`, `Event`, `Lead`, `Contact`; for queries also an object that can only be read.
    pub object: String,
    /// Which operations; `None`: any write.
    #[serde(default)]
    pub operation: Option<Operation>,
    /// How many of them; `None`: all.
    #[serde(default = "once")]
    pub times: Option<u32>,
    /// The HTTP status of the request or subrequest.
    #[serde(default = "bad_request")]
    pub status: u16,
    /// `FIELD_CUSTOM_VALIDATION_EXCEPTION`.
    pub error_code: String,
    /// Salesforce's message, returned verbatim. An org's own may contain HTML.
    pub message: String,
    /// The fields that the error names.
    #[serde(default)]
    pub fields: Vec<String>,
}

/// The default of `times`.
#[allow(clippy::unnecessary_wraps, reason = "serde requires the field's type")]
pub(super) fn once() -> Option<u32> {
    Some(1)
}

fn bad_request() -> u16 {
    400
}

/// An operation on records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Operation {
    /// Create one.
    Create,
    /// Update one.
    Update,
    /// Delete one.
    Delete,
    /// Read one by its id.
    Read,
    /// Query them. A search is not a query.
    Query,
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

    fn is_write(self) -> bool {
        matches!(self, Self::Create | Self::Update | Self::Delete)
    }
}

impl RecordFault {
    fn applies(&self, object: &str, operation: Operation) -> bool {
        let is_targeted = self.operation.map_or(operation.is_write(), |wanted| wanted == operation);
        is_targeted && self.object.eq_ignore_ascii_case(object)
    }

    fn error(&self, operation: Operation) -> ApiError {
        let fields: Vec<&str> = self.fields.iter().map(String::as_str).collect();
        let mut error = ApiError::of_record(&self.error_code, self.message.clone(), &fields);
        error.status = self.status;
        // Errors of reads and queries have no such key.
        error.fields = error.fields.filter(|fields| operation.is_write() || !fields.is_empty());
        error
    }
}

/// The active faults of records.
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

    /// Fails if a fault strikes an operation on records of `object`.
    pub(crate) fn strike(&mut self, object: &str, operation: Operation) -> Result<(), ApiError> {
        let fault = self.active.iter_mut().find(|fault| fault.applies(object, operation));
        let Some(fault) = fault else { return Ok(()) };
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

    fn add(bench: &mut Bench, fault: Value) {
        bench.world.record_faults.add(serde_json::from_value(fault).unwrap());
    }

    #[test]
    fn a_fault_strikes_only_its_own_operation() {
        let mut faults = RecordFaults::default();
        let fault = RecordFault {
            object: "Event".into(),
            operation: Some(Operation::Create),
            times: Some(1),
            status: 400,
            error_code: "FIELD_CUSTOM_VALIDATION_EXCEPTION".into(),
            message: "Not on Sundays".into(),
            fields: vec![],
        };
        faults.add(fault);
        assert!(faults.strike("Task", Operation::Create).is_ok());
        assert!(faults.strike("Event", Operation::Update).is_ok());
        assert_eq!(faults.strike("Event", Operation::Create).unwrap_err().message, "Not on Sundays");
        assert!(faults.strike("Event", Operation::Create).is_ok());
    }

    #[test]
    fn a_write_may_fail_with_any_status() {
        let mut bench = Bench::new();
        add(
            &mut bench,
            json!({"object": "Task", "status": 403, "errorCode": "INSUFFICIENT_ACCESS", "message": "no"}),
        );
        assert_eq!(bench.create("Task", json!({})).unwrap_err(), "403 INSUFFICIENT_ACCESS: no []");
    }

    #[test]
    fn a_fault_without_an_operation_strikes_any_write() {
        let mut bench = Bench::new();
        let id = bench.create("Task", json!({})).unwrap();
        add(&mut bench, json!({"object": "Task", "errorCode": "X", "message": "x"}));
        assert!(bench.get("/query", "SELECT Id FROM Task").is_ok());
        assert_eq!(bench.request("GET", &format!("/sobjects/Task/{id}"), None).status, 200);
        assert!(bench.update("Task", &id, json!({})).is_err());
    }

    #[test]
    fn a_query_or_a_read_may_fail() {
        let mut bench = Bench::new();
        let id = bench.create("Task", json!({})).unwrap();
        let late = |operation| json!({"object": "Task", "operation": operation, "errorCode": "QUERY_TIMEOUT", "message": "late"});
        add(&mut bench, late("query"));
        assert!(bench.get("/query", "SELECT Id FROM Event").is_ok());
        assert_eq!(
            bench.request("GET", "/query?q=SELECT+Id+FROM+Task", None),
            ApiError::new(400, "QUERY_TIMEOUT", "late").into()
        );
        add(&mut bench, late("read"));
        assert!(bench.get("/query", "SELECT Id FROM Task").is_ok());
        let path = format!("/sobjects/Task/{id}");
        assert!(outcome(bench.request("GET", &path, None)).unwrap_err().starts_with("400 QUERY_TIMEOUT"));
        assert_eq!(bench.request("GET", &path, None).status, 200);
    }

    #[test]
    fn one_subrequest_fails_without_the_others() {
        let mut bench = Bench::new();
        add(
            &mut bench,
            json!({"object": "Event", "operation": "query", "status": 500, "errorCode": "OPERATION_TOO_LARGE", "message": "large"}),
        );
        let query = |object: &str| {
            json!({"method": "GET", "referenceId": object,
            "url": format!("/services/data/v60.0/query?q=SELECT+Id+FROM+{object}")})
        };
        let parts = [query("Task"), query("Event"), query("Lead")];
        let body = json!({"allOrNone": false, "compositeRequest": parts});
        let response = outcome(bench.post("/composite", body)).unwrap();
        let statuses = [0, 1, 2].map(|part| response["compositeResponse"][part]["httpStatusCode"].clone());
        assert_eq!(statuses, [json!(200), json!(500), json!(200)]);
        assert_eq!(
            response["compositeResponse"][1]["body"],
            json!([{"errorCode": "OPERATION_TOO_LARGE", "message": "large"}])
        );
    }

    #[test]
    fn the_message_is_returned_verbatim() {
        let mut bench = Bench::new();
        let text = "We can't save this record because the “Log calls” process failed. Give your Salesforce admin these \
                    details. <a href='https://help.salesforce.com/x?id=1&amp;y=2'>This error occurred</a> when the flow \
                    tried to create records: <br>\u{a0}Error ID: 1234567890-12345 (-1234567890)";
        let fault = json!({"object": "Task", "errorCode": "CANNOT_EXECUTE_FLOW_TRIGGER", "message": text});
        add(&mut bench, fault);
        let body = bench.post("/sobjects/Task", json!({})).body.unwrap();
        assert_eq!(
            body,
            json!([{"errorCode": "CANNOT_EXECUTE_FLOW_TRIGGER", "message": text, "fields": []}])
        );
    }
}
