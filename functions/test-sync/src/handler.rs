//! Logs one call immediately, for a person who is waiting; or shows what would be written.

use api::test_sync::{Payloads, Ruling, TestSyncAnswer, TestSyncPreview, TestSyncRequest, TestSyncResult};
use calls::{
    call::{Call, CallKind, Fact},
    ids::{CallId, Source, WorkspaceId},
    reason::Reason,
    status::SyncStatus,
};
use chrono::{DateTime, Utc};
use crm::{
    CrmError,
    ledger::{Row, Stored},
    matching::Decision,
    phone::PhoneNumber,
    workspace::{ConnectionState, Workspace},
};
use lambda_http::{Body, Request, Response};
use platform::{
    http::{CallerRules, Problem, ProblemCode, json, json_body},
    lambda::request_deadline,
};
use worker::{
    Done, Drafts, Ports, PreviewError, Turn, Worker,
    jobs::{LogNow, Report},
    ports::{Clock, Ledger, Workspaces},
};

/// The prefix of a test call's id.
const TEST: &str = "test-";

/// The handler's dependencies.
pub struct TestSync<P: Ports> {
    /// Who may test.
    pub callers: CallerRules,
    /// Logs calls.
    pub worker: Worker<P>,
}

impl<P: Ports> TestSync<P> {
    /// Handles a request.
    pub async fn handle(&self, request: Request) -> Response<Body> {
        self.test(&request).await.map_or_else(Problem::into_response, |answer| json(200, &answer))
    }

    async fn test(&self, request: &Request) -> Result<TestSyncAnswer, Problem> {
        let workspace_id = self.callers.admin(request)?.workspace_id;
        let body: TestSyncRequest = json_body(request)?;
        let deadline = request_deadline(request, self.worker.clock.now());
        let workspace = self.worker.workspaces.load(&workspace_id).await?;
        let number = PhoneNumber::parse_caller(&body.phone_number, &workspace.settings.default_country)
            .map_err(|_| {
                Problem::new(
                    ProblemCode::InvalidPhoneNumber,
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
                Row::accepted(workspace_id.clone(), test_call(&body.call_id, &number, now)?, now.timestamp())
            }
        };
        if workspace.state != ConnectionState::Connected {
            return Err(Problem::not_connected());
        }
        if body.dry_run {
            let preview = self.preview(&workspace, row, deadline).await?;
            return Ok(TestSyncAnswer::Preview(Box::new(preview)));
        }
        let turn = Turn::until(deadline);
        let done = if is_known {
            LogNow { call_id: &row.call_id }.run(&self.worker, &workspace, turn).await?
        } else {
            let report = Report {
                workspace_id,
                secret_version: workspace.webhook_secret.current,
                received_at: row.created_at,
                call: Box::new(row.call.clone()),
            };
            report.run(&self.worker, &workspace, turn).await?
        };
        let row = match done {
            Done::Attempted(row) => Some(*row),
            Done::Elsewhere | Done::Nothing => self.load(&workspace.id, &row.call_id).await?,
        };
        let row =
            row.ok_or_else(|| Problem::new(ProblemCode::NoSuchCall, "There is no call with this id."))?;
        Ok(TestSyncAnswer::Result(result(row)))
    }

    /// The call with this id, or the test call that was created for this id earlier.
    async fn known(&self, workspace_id: &WorkspaceId, id: &CallId) -> Result<Option<Row>, Problem> {
        if let Some(row) = self.load(workspace_id, id).await? {
            return Ok(Some(row));
        }
        self.load(workspace_id, &test_id(id)?).await
    }

    async fn load(&self, workspace_id: &WorkspaceId, id: &CallId) -> Result<Option<Row>, Problem> {
        match self.worker.ledger.load(workspace_id, id).await? {
            None => Ok(None),
            Some(Stored::Row(row)) => Ok(Some(*row)),
            Some(Stored::Foreign(_)) => Err(Problem::newer_version()),
        }
    }

    async fn preview(
        &self,
        workspace: &Workspace,
        row: Row,
        deadline: DateTime<Utc>,
    ) -> Result<TestSyncPreview, Problem> {
        let call_id = row.call_id.clone();
        let preview = self.worker.preview(workspace, row, deadline).await.map_err(|error| match error {
            PreviewError::NotConnected(reason) => not_connected(&reason.message),
            PreviewError::Salesforce(error) => salesforce_failed(&error),
            PreviewError::Unavailable => {
                Problem::unavailable("The search did not finish in time. Try again.")
            }
        })?;
        let (record_type, record_id) = preview.record.map(|record| (record.record_type, record.id)).unzip();
        let (candidates, decision) = preview
            .decision
            .map(|Decision { rule, chosen, candidates, turned_down }| {
                (candidates, Ruling { rule, chosen, turned_down })
            })
            .unzip();
        let Drafts { lead, task, event } = preview.drafts;
        let (error_code, error_message) = parts(preview.reason);
        Ok(TestSyncPreview {
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
        })
    }
}

/// The outcome of the call.
fn result(row: Row) -> TestSyncResult {
    let (record_type, record_id) = row.record.map(|record| (record.record_type, record.id)).unzip();
    let (error_code, error_message) = parts(row.reason);
    TestSyncResult {
        success: row.status == SyncStatus::Success,
        call_id: row.call_id,
        status: row.status,
        salesforce_record_id: record_id,
        salesforce_task_id: row.task_id,
        salesforce_event_id: row.event_id,
        record_type,
        error_code,
        error_message,
    }
}

/// Whether a row's call has this number.
fn has_number(row: &Row, number: &PhoneNumber, workspace: &Workspace) -> bool {
    let raw = row.call.customer_number.as_ref().map_or("", |fact| fact.value.as_str());
    let own = PhoneNumber::parse_caller(raw, &workspace.settings.default_country);
    own.is_ok_and(|own| own.e164() == number.e164())
}

fn other_number() -> Problem {
    Problem::new(
        ProblemCode::OtherNumber,
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
    CallId::of(Source::Vapi, &format!("{TEST}{id}")).map_err(|error| {
        Problem::new(ProblemCode::InvalidCallId, format!("callId: with `{TEST}` before it, {error}."))
    })
}

fn not_connected(detail: &str) -> Problem {
    Problem::new(ProblemCode::NotConnected, detail.to_owned())
}

fn salesforce_failed(error: &CrmError) -> Problem {
    Problem::new(ProblemCode::Salesforce(error.code.clone()), error.message.clone()).because(&error.code)
}

fn parts(reason: Option<Reason>) -> (Option<String>, Option<String>) {
    reason.map(|reason| (reason.code, reason.message)).unzip()
}
