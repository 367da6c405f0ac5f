//! The ledger as people see it: a list, a summary, and retries of failed calls.

use std::collections::BTreeMap;

use calls::{ids::ErrorCode, status::SyncStatus};
use platform::stores::{ListedRow, Outcome};
use serde::{Deserialize, Serialize};

#[cfg(test)]
use crate::description::{Operation, ProblemCode, Schemas, Tag, Who, json, routes};

/// How many calls a page has if the request does not say.
pub const DEFAULT_LIMIT: u32 = 50;

/// A page of calls.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct SyncLogPage {
    /// The calls, newest first.
    pub items: Vec<ListedRow>,
    /// The cursor of the next page; null on the last page.
    pub next_cursor: Option<String>,
}

/// Calls, counted by outcome.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct SyncLogSummary {
    /// Only calls that arrived since then are counted, Unix seconds; null: all calls in the ledger.
    pub since: Option<i64>,
    /// How many calls there are.
    pub total: u64,
    /// The number of calls by status: all known statuses, even if no call has them, and those of a newer version that
    /// some call has.
    #[cfg_attr(test, schemars(schema_with = "by_status"))]
    pub statuses: BTreeMap<String, u64>,
    /// The number of calls by error code.
    #[cfg_attr(test, schemars(with = "BTreeMap<String, std::num::NonZeroU64>"))]
    pub error_codes: BTreeMap<String, u64>,
}

impl SyncLogSummary {
    /// The summary of no calls.
    pub fn new(since: Option<i64>) -> Self {
        let statuses = SyncStatus::ALL.map(|status| (status.as_str().to_owned(), 0)).into();
        Self { since, total: 0, statuses, error_codes: BTreeMap::new() }
    }

    /// Counts a call.
    pub fn add(&mut self, outcome: Outcome) {
        self.total += 1;
        *self.statuses.entry(outcome.status).or_default() += 1;
        if let Some(error_code) = outcome.error_code {
            *self.error_codes.entry(error_code).or_default() += 1;
        }
    }
}

/// The call is queued again.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Queued {
    /// The call's new status.
    #[cfg_attr(test, schemars(with = "&str", extend("const" = SyncStatus::Queued)))]
    pub status: SyncStatus,
}

/// Which calls to retry.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RetryRequest {
    /// Those with this error code.
    pub error_code: ErrorCode,
}

/// The calls are queued again, or will be.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct AllQueued {
    /// How many there are.
    pub queued: u64,
}

#[cfg(test)]
fn by_status(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    let statuses = SyncStatus::ALL.map(SyncStatus::as_str);
    let properties: BTreeMap<_, _> =
        statuses.map(|status| (status, schemars::json_schema!({ "type": "integer", "minimum": 0 }))).into();
    schemars::json_schema!({
        "type": "object",
        "required": statuses,
        "properties": properties,
        "additionalProperties": { "type": "integer" },
    })
}

#[cfg(test)]
pub(crate) fn operations(schemas: &mut Schemas) -> Vec<Operation> {
    use calls::{ids::CallId, limits::LISTED_CALLS};

    vec![
        Operation::new(routes::SYNC_LOGS, "listSyncLogs", Tag::Calls, Who::Member)
            .describe("List the calls, newest first", "")
            .parameter(json!({ "name": "status", "in": "query", "schema": schemas.request::<SyncStatus>() }))
            .parameter(json!({
                "name": "limit",
                "in": "query",
                "schema": {
                    "type": "integer",
                    "minimum": LISTED_CALLS.start(),
                    "maximum": LISTED_CALLS.end(),
                    "default": DEFAULT_LIMIT,
                },
            }))
            .parameter(json!({
                "name": "cursor",
                "in": "query",
                "description": "The `nextCursor` of the previous page.",
                "schema": { "type": "string", "minLength": 1 },
            }))
            .success(200, "A page. Very recent changes may be missing.", &schemas.response::<SyncLogPage>())
            .refuse(schemas.refusal(
                "ListRefused",
                &[ProblemCode::InvalidStatus, ProblemCode::InvalidLimit, ProblemCode::InvalidCursor],
            )),
        Operation::new(routes::SYNC_LOGS_SUMMARY, "summarizeSyncLogs", Tag::Calls, Who::Member)
            .describe("Count the calls", "")
            .parameter(json!({
                "name": "since",
                "in": "query",
                "description": "Counts only calls that arrived since then, Unix seconds. Default: all calls.",
                "schema": { "type": "integer", "format": "int64", "minimum": 0 },
                "example": 1_795_392_000,
            }))
            .success(200, "Counts by status and by error code.", &schemas.response::<SyncLogSummary>())
            .refuse(schemas.refusal("SinceRefused", &[ProblemCode::InvalidSince]))
            .refuse(
                schemas.refusal("SummaryUnavailable", &[ProblemCode::TooManyCalls, ProblemCode::Unavailable]),
            )
            .or_gateway(503),
        Operation::new(routes::SYNC_LOGS_RETRY, "retrySyncLog", Tag::Calls, Who::Admin)
            .describe(
                "Retry a call",
                "A call that is already logged is checked again; it never gets a second Task.",
            )
            .parameter(json!({
                "name": "callId",
                "in": "path",
                "required": true,
                "schema": schemas.request::<CallId>(),
            }))
            .success(202, "The call is queued again.", &schemas.response::<Queued>())
            .refuse(schemas.refusal("CallIdRefused", &[ProblemCode::InvalidCallId]))
            .refuse(schemas.refusal("NoSuchCall", &[ProblemCode::NoSuchCall]))
            .or_gateway(404)
            .refuse(
                schemas.refusal(
                    "RetryConflict",
                    &[ProblemCode::WebhookSecretRevoked, ProblemCode::NewerVersion],
                ),
            ),
        Operation::new(routes::SYNC_LOGS_RETRY_ALL, "retrySyncLogs", Tag::Calls, Who::Admin)
            .describe(
                "Retry all calls with an error code",
                "For use after the cause has been fixed. Retries all of them, however many there are.",
            )
            .body(&schemas.request::<RetryRequest>())
            .success(202, "The calls are queued again, or will be.", &schemas.response::<AllQueued>()),
    ]
}
