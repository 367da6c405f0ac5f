//! Logs one call now while a person waits, or shows what would be logged.

use calls::{
    ids::{CallId, SalesforceId},
    status::SyncStatus,
};
use crm::{
    Fields, Record, RecordType,
    lead::LeadDraft,
    matching::{Candidate, Rule, TurnedDown},
};
use serde::{Deserialize, Serialize};

#[cfg(test)]
use crate::description::{Operation, ProblemCode, Refusal, Schemas, Tag, Who, routes};

/// The call to log.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TestSyncRequest {
    /// The id of a known call, or of a new test call.
    pub call_id: CallId,
    /// The caller's number.
    #[cfg_attr(test, schemars(example = &"+12345550123"))]
    pub phone_number: String,
    /// Whether to write nothing and only show what would be written.
    #[serde(default)]
    pub dry_run: bool,
}

/// What was written, or for a dry run, what would be.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(inline))]
#[serde(untagged)]
pub enum TestSyncAnswer {
    /// What was written.
    Result(TestSyncResult),
    /// What would be written.
    Preview(Box<TestSyncPreview>),
}

/// The outcome of the call and, if nothing was logged, the reason.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(deny_unknown_fields))]
#[serde(rename_all = "camelCase")]
pub struct TestSyncResult {
    /// Whether the call is logged.
    pub success: bool,
    /// The call's id.
    pub call_id: CallId,
    /// The call's status.
    pub status: SyncStatus,
    /// The record that it is logged on.
    pub salesforce_record_id: Option<SalesforceId>,
    /// The Task.
    pub salesforce_task_id: Option<SalesforceId>,
    /// The Event.
    pub salesforce_event_id: Option<SalesforceId>,
    /// The record's object.
    pub record_type: Option<RecordType>,
    /// The reason for the status, for programs.
    pub error_code: Option<String>,
    /// The reason for the status and what to do, for people.
    pub error_message: Option<String>,
}

/// What would happen to the call.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(deny_unknown_fields))]
#[serde(rename_all = "camelCase")]
pub struct TestSyncPreview {
    /// Whether the call would be logged.
    pub success: bool,
    /// Always true.
    #[cfg_attr(test, schemars(extend("const" = true)))]
    pub dry_run: bool,
    /// The call's id.
    pub call_id: CallId,
    /// The record that it is logged on, or would be; null if its Lead has yet to be created.
    pub salesforce_record_id: Option<SalesforceId>,
    /// The Task of a call that is already logged. If `payloads` has a Task, it would be changed; otherwise it stays
    /// as it is.
    pub salesforce_task_id: Option<SalesforceId>,
    /// The Event of a call that is already logged, likewise.
    pub salesforce_event_id: Option<SalesforceId>,
    /// The record's object.
    pub record_type: Option<RecordType>,
    /// The records that have the number, best first.
    pub candidates: Vec<Candidate>,
    /// How the record was chosen; for a call that is already logged, how it was chosen then. Null if there never was a
    /// search.
    pub decision: Option<Ruling>,
    /// What would be sent.
    pub payloads: Payloads,
    /// Why something would not be written, for programs.
    pub error_code: Option<String>,
    /// Why something would not be written and what to do, for people.
    pub error_message: Option<String>,
}

/// How the record was chosen.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Ruling {
    /// The rule that chose.
    pub rule: Rule,
    /// The chosen record.
    pub chosen: Option<Record>,
    /// Records that were considered and not used, with the reason. Omitted if there are none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub turned_down: Vec<TurnedDown>,
}

/// Exactly what would be sent to Salesforce: field names and values. For an existing Task or Event, only the fields
/// that would be changed.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Payloads {
    /// The Lead that would be created first. The `WhoId` of the others is null until it has an id.
    #[cfg_attr(test, schemars(with = "Option<Payload>"))]
    pub lead: Option<LeadDraft>,
    /// The Task.
    #[cfg_attr(test, schemars(with = "Option<Payload>"))]
    pub task: Option<Fields>,
    /// The Event.
    #[cfg_attr(test, schemars(with = "Option<Payload>"))]
    pub event: Option<Fields>,
}

/// Fields by API name.
#[cfg(test)]
#[derive(schemars::JsonSchema)]
#[schemars(
    extend("additionalProperties" = { "type": ["string", "number", "boolean", "null"] }),
    example = serde_json::json!({ "WhoId": "00Q000000000001EAA", "Subject": "Inbound Call", "Status": "Completed" })
)]
struct Payload {}

#[cfg(test)]
pub(crate) fn operations(schemas: &mut Schemas) -> Vec<Operation> {
    use platform::http::WrittenProblem;

    vec![
        Operation::new(routes::TEST_SYNC, "testSalesforceSync", Tag::Calls, Who::Admin)
            .describe(
                "Log one call now, or see what would be logged",
                "If the id is that of a known call, logs that call; otherwise logs a test call whose id is `test-` \
                 and that id. With `dryRun`, nothing is written anywhere, and the response shows what the \
                 same request would do without it: for a call that is already logged, only what is new, if \
                 anything.",
            )
            .body(&schemas.request::<TestSyncRequest>())
            .success(
                200,
                "What was written, or with `dryRun`, what would be.",
                &schemas.response::<TestSyncAnswer>(),
            )
            .refuse(schemas.refusal(
                "TestRefused",
                &[ProblemCode::InvalidBody, ProblemCode::InvalidCallId, ProblemCode::InvalidPhoneNumber],
            ))
            .refuse(schemas.refusal("NoSuchCall", &[ProblemCode::NoSuchCall]))
            .refuse(schemas.refusal(
                "TestConflict",
                &[ProblemCode::NotConnected, ProblemCode::OtherNumber, ProblemCode::NewerVersion],
            ))
            .refuse(Refusal {
                status: 502,
                description: "Salesforce refused the search of a dry run; `code` is Salesforce's.".to_owned(),
                schema: schemas.response::<WrittenProblem<'_>>(),
            }),
    ]
}
