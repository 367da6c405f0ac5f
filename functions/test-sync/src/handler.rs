//! Logs one call immediately, for a person who is waiting; or shows what would be written.

use calls::{
    call::{Call, CallKind, Fact},
    crm::{CrmError, Fields, RecordType},
    ids::{CallId, SalesforceId, WorkspaceId},
    lead::LeadDraft,
    ledger::{Row, SyncStatus},
    matching::{Candidate, Chosen, Decision, Rule, TurnedDown},
    phone::PhoneNumber,
    ports::{Clock, Ledger, Workspaces},
    reason::Reason,
    sync::{Done, Drafts, Ports, PreviewError, Report, Turn, Worker},
    workspace::{ConnectionState, Workspace},
};
use chrono::{DateTime, Utc};
use lambda_http::{Body, Request, Response};
use platform::{
    http::{CallerRules, Problem, json, json_body},
    lambda::request_deadline,
};
use serde::{Deserialize, Serialize};

/// The prefix of a test call's id.
const TEST: &str = "test-";

/// The handler's dependencies.
pub struct TestSync<P: Ports> {
    /// Who may test.
    pub callers: CallerRules,
    /// Logs calls.
    pub worker: Worker<P>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct TestRequest {
    call_id: CallId,
    phone_number: String,
    #[serde(default)]
    dry_run: bool,
}

/// The response (docs/contract.md#routes), with the reason if nothing was logged.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ResponseBody {
    success: bool,
    call_id: CallId,
    status: SyncStatus,
    salesforce_record_id: Option<SalesforceId>,
    salesforce_task_id: Option<SalesforceId>,
    salesforce_event_id: Option<SalesforceId>,
    record_type: Option<RecordType>,
    error_code: Option<String>,
    error_message: Option<String>,
}

/// The response to a dry run. Its ids are those of existing objects.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PreviewBody {
    success: bool,
    dry_run: bool,
    call_id: CallId,
    salesforce_record_id: Option<SalesforceId>,
    salesforce_task_id: Option<SalesforceId>,
    salesforce_event_id: Option<SalesforceId>,
    record_type: Option<RecordType>,
    candidates: Vec<Candidate>,
    decision: Option<DecisionBody>,
    payloads: Payloads,
    error_code: Option<String>,
    error_message: Option<String>,
}

/// The rule and the choice.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct DecisionBody {
    rule: Rule,
    chosen: Option<Chosen>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    turned_down: Vec<TurnedDown>,
}

/// Exactly what would be sent to Salesforce.
#[derive(Serialize)]
struct Payloads {
    /// Present if a Lead would be created for the caller. Task and Event then have no `WhoId` yet.
    lead: Option<LeadDraft>,
    task: Option<Fields>,
    event: Option<Fields>,
}

impl<P: Ports> TestSync<P> {
    /// Handles a request.
    pub async fn handle(&self, request: Request) -> Response<Body> {
        self.test(&request).await.unwrap_or_else(Problem::into_response)
    }

    async fn test(&self, request: &Request) -> Result<Response<Body>, Problem> {
        let workspace_id = self.callers.admin(request)?.workspace_id;
        let body: TestRequest = json_body(request)?;
        let deadline = request_deadline(request, self.worker.clock.now());
        let workspace = self.worker.workspaces.load(&workspace_id).await?;
        let number = PhoneNumber::parse_caller(&body.phone_number, &workspace.settings.default_country)
            .map_err(|_| {
                Problem::bad_request(
                    "invalid_phone_number",
                    "phoneNumber must be a phone number: with its country code, like +12345550123, or without one, \
                     in the country of the settings.",
                )
            })?;
        let known = self.known(&workspace_id, &body.call_id).await?;
        let is_known = known.is_some();
        let row = match known {
            Some(row) if has_number(&row, &number, &workspace) => row,
            Some(_) => return Err(other_number()),
            None => {
                let now = self.worker.clock.now();
                Row::accepted(workspace_id, test_call(&body.call_id, &number, now)?, now.timestamp())
            }
        };
        if workspace.state != ConnectionState::Connected {
            return Err(Problem::not_connected());
        }
        if body.dry_run {
            return self.preview(&workspace, row, deadline).await;
        }
        let turn = Turn::until(deadline);
        let done = if is_known {
            self.worker.wake(&workspace, &row.call_id, true, turn).await?
        } else {
            let secret_version = workspace.webhook_secret.current;
            let report = Report { call: &row.call, secret_version, received_at: row.created_at };
            self.worker.report(&workspace, &report, turn).await?
        };
        let row = match done {
            Done::Tried(row) => Some(*row),
            Done::Elsewhere | Done::Nothing => self.worker.ledger.load(&workspace.id, &row.call_id).await?,
        };
        let row = row.ok_or_else(|| Problem::not_found("no_such_call", "There is no call with this id."))?;
        Ok(respond_with(row))
    }

    /// The call with this id, or the test call that was created for this id earlier.
    async fn known(&self, workspace_id: &WorkspaceId, id: &CallId) -> Result<Option<Row>, Problem> {
        if let Some(row) = self.worker.ledger.load(workspace_id, id).await? {
            return Ok(Some(row));
        }
        Ok(self.worker.ledger.load(workspace_id, &test_id(id)?).await?)
    }

    async fn preview(
        &self,
        workspace: &Workspace,
        row: Row,
        deadline: DateTime<Utc>,
    ) -> Result<Response<Body>, Problem> {
        let call_id = row.call_id.clone();
        let preview = self.worker.preview(workspace, row, deadline).await.map_err(|error| match error {
            PreviewError::NotConnected(reason) => not_connected(&reason.message),
            PreviewError::Salesforce(error) => salesforce_failed(&error),
            PreviewError::Unavailable => {
                Problem::unavailable("The search did not finish in time. Try again.")
            }
        })?;
        let (record_type, record_id) = preview.record.unzip();
        let (candidates, decision) = preview
            .decision
            .map(|Decision { rule, chosen, candidates, turned_down }| {
                (candidates, DecisionBody { rule, chosen, turned_down })
            })
            .unzip();
        let Drafts { lead, task, event } = preview.drafts;
        let (error_code, error_message) = parts(preview.reason);
        Ok(json(
            200,
            &PreviewBody {
                success: preview.status == SyncStatus::Success,
                dry_run: true,
                call_id,
                salesforce_record_id: record_id,
                salesforce_task_id: preview.task_id,
                salesforce_event_id: preview.event_id,
                record_type,
                candidates: candidates.unwrap_or_default(),
                decision,
                payloads: Payloads { lead, task, event },
                error_code,
                error_message,
            },
        ))
    }
}

/// The outcome of the call.
fn respond_with(row: Row) -> Response<Body> {
    let (record_type, record_id) = row.record.unzip();
    let (error_code, error_message) = parts(row.reason);
    json(
        200,
        &ResponseBody {
            success: row.status == SyncStatus::Success,
            call_id: row.call_id,
            status: row.status,
            salesforce_record_id: record_id,
            salesforce_task_id: row.task_id,
            salesforce_event_id: row.event_id,
            record_type,
            error_code,
            error_message,
        },
    )
}

/// Whether a row's call has this number.
fn has_number(row: &Row, number: &PhoneNumber, workspace: &Workspace) -> bool {
    let raw = row.call.customer_number.as_ref().map_or("", |fact| fact.value.as_str());
    let own = PhoneNumber::parse_caller(raw, &workspace.settings.default_country);
    own.is_ok_and(|own| own.e164() == number.e164())
}

fn other_number() -> Problem {
    Problem::conflict(
        "other_number",
        "The call with this id has another phone number. Test with the call's own number, or with a new id.",
    )
}

/// An invented call. Its id shows that, and is the same each time, so that a repeated test creates only one Task.
fn test_call(id: &CallId, number: &PhoneNumber, now: DateTime<Utc>) -> Result<Call, Problem> {
    let reported_at = now.timestamp_millis();
    let mut call = Call::new(test_id(id)?);
    call.kind = Some(Fact { value: CallKind::Inbound, reported_at });
    call.customer_number = Some(Fact { value: number.with_extension(), reported_at });
    call.summary = Some(Fact { value: "Test call from the dashboard.".to_owned(), reported_at });
    Ok(call)
}

fn test_id(id: &CallId) -> Result<CallId, Problem> {
    CallId::parse(format!("{TEST}{id}")).map_err(|error| {
        Problem::bad_request("invalid_call_id", format!("callId: with `{TEST}` before it, {error}."))
    })
}

fn not_connected(detail: &str) -> Problem {
    Problem::conflict("not_connected", detail.to_owned())
}

fn salesforce_failed(error: &CrmError) -> Problem {
    Problem::bad_gateway(error.code.clone(), error.message.clone()).because(&error.code)
}

fn parts(reason: Option<Reason>) -> (Option<String>, Option<String>) {
    reason.map(|reason| (reason.code, reason.message)).unzip()
}
