//! One call, logged at once for a person who watches, or what would be logged.

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
    /// The id of a known call, or of a test call to make.
    pub call_id: CallId,
    /// The caller's number.
    #[cfg_attr(test, schemars(example = &"+12345550123"))]
    pub phone_number: String,
    /// Whether to write nothing, and show what would be written.
    #[serde(default)]
    pub dry_run: bool,
}

/// What a test answers: what was written or, of a dry run, what would be.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(inline))]
#[serde(untagged)]
pub enum TestSyncAnswer {
    /// What was written.
    Result(TestSyncResult),
    /// What would be.
    Preview(Box<TestSyncPreview>),
}

/// What became of the call, and why nothing was logged if nothing was.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(deny_unknown_fields))]
#[serde(rename_all = "camelCase")]
pub struct TestSyncResult {
    /// Whether the call is logged.
    pub success: bool,
    /// Which call.
    pub call_id: CallId,
    /// Where it stands.
    pub status: SyncStatus,
    /// The record that it is logged on.
    pub salesforce_record_id: Option<SalesforceId>,
    /// The Task.
    pub salesforce_task_id: Option<SalesforceId>,
    /// The Event.
    pub salesforce_event_id: Option<SalesforceId>,
    /// What the record is.
    pub record_type: Option<RecordType>,
    /// Why it stands there, for programs.
    pub error_code: Option<String>,
    /// Why it stands there and what to do, for people.
    pub error_message: Option<String>,
}

/// What would become of the call.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(deny_unknown_fields))]
#[serde(rename_all = "camelCase")]
pub struct TestSyncPreview {
    /// Whether the call would be logged then.
    pub success: bool,
    /// Always true.
    #[cfg_attr(test, schemars(extend("const" = true)))]
    pub dry_run: bool,
    /// Which call.
    pub call_id: CallId,
    /// The record that it is logged on, or would be; null where its Lead is still to be made.
    pub salesforce_record_id: Option<SalesforceId>,
    /// The Task of a call that is logged already. A payload would change it; without one it stays as it is.
    pub salesforce_task_id: Option<SalesforceId>,
    /// The Event of a call that is logged already, likewise.
    pub salesforce_event_id: Option<SalesforceId>,
    /// What the record is.
    pub record_type: Option<RecordType>,
    /// The records that have the number, best first.
    pub candidates: Vec<Candidate>,
    /// What decided; of a call that is logged already, what decided then. Null where nobody was ever searched for.
    pub decision: Option<Ruling>,
    /// What would be sent.
    pub payloads: Payloads,
    /// Why something would not be written, for programs.
    pub error_code: Option<String>,
    /// Why something would not be written and what to do, for people.
    pub error_message: Option<String>,
}

/// What decided, and for whom.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Ruling {
    /// What decided.
    pub rule: Rule,
    /// The choice.
    pub chosen: Option<Record>,
    /// Records that could be taken for the caller's, and why they are not. Left out where there are none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub turned_down: Vec<TurnedDown>,
}

/// What would be sent to Salesforce, to the letter: its field names and values. Of a Task or Event that exists, the
/// fields that would be changed.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Payloads {
    /// The Lead that would be made first. The `WhoId` of the others is null until it has an id.
    #[cfg_attr(test, schemars(with = "Option<Payload>"))]
    pub lead: Option<LeadDraft>,
    /// The Task.
    #[cfg_attr(test, schemars(with = "Option<Payload>"))]
    pub task: Option<Fields>,
    /// The Event.
    #[cfg_attr(test, schemars(with = "Option<Payload>"))]
    pub event: Option<Fields>,
}

/// A record's fields by their API names.
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
            .says(
                "Log one call now, or see what would be logged",
                "The id of a known call works on that call; an unknown one makes a test call whose id is \
                 `test-` and that id. With `dryRun` nothing is written anywhere, and the response is what \
                 the same request would do without it: for a call that is logged already, nothing or what is \
                 new.",
            )
            .body(&schemas.request::<TestSyncRequest>())
            .answer(
                200,
                "What was written, or with `dryRun` what would be.",
                &schemas.answer::<TestSyncAnswer>(),
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
                schema: schemas.answer::<WrittenProblem<'_>>(),
            }),
    ]
}
