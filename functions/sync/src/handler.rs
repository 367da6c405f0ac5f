//! A batch of the calls queue: each record is worked on by itself, and fails by itself.

use std::{collections::HashMap, panic::AssertUnwindSafe};

use aws_lambda_events::{
    event::sqs::SqsEvent,
    sqs::{BatchItemFailure, SqsBatchResponse, SqsMessage},
};
use calls::{
    ids::WorkspaceId,
    message::Work,
    ports::{Clock, Queue, StoreError, WaitingRows, Workspaces},
    sync::{Done, Ports, Report, Worker, resume},
    workspace::Workspace,
};
use chrono::{DateTime, TimeDelta, Utc};
use futures_util::{FutureExt, StreamExt, stream};

/// How many records are worked on at once: the batch size of the event source.
const AT_ONCE: usize = 10;
/// With less time left no record is begun: a session may have to be renewed, and a write and its outcome must fit.
const BEGIN_WITH: TimeDelta = TimeDelta::seconds(20);

/// What a batch works with.
pub struct Sync<P: Ports, Q> {
    /// Logs calls.
    pub worker: Worker<P>,
    /// Where the calls of a workspace that came back are put.
    pub queue: Q,
}

impl<P, Q> Sync<P, Q>
where
    P: Ports,
    P::Ledger: WaitingRows,
    Q: Queue,
{
    /// Works on a batch. `deadline`: when this process is stopped.
    pub async fn batch(&self, event: SqsEvent, deadline: DateTime<Utc>) -> SqsBatchResponse {
        let (records, mut failed) = read(event.records);
        let workspaces = self.load_workspaces(&records).await;
        let done = stream::iter(records)
            .map(|(message_id, work)| {
                let workspaces = &workspaces;
                async move {
                    let ended =
                        AssertUnwindSafe(self.record(&work, workspaces, deadline)).catch_unwind().await;
                    report(&message_id, &work, ended)
                }
            })
            .buffer_unordered(AT_ONCE)
            .collect::<Vec<_>>()
            .await;
        failed.extend(done.into_iter().flatten());
        let mut response = SqsBatchResponse::default();
        response.batch_item_failures = failed.into_iter().map(failure).collect();
        response
    }

    /// Reads each workspace of the batch once.
    async fn load_workspaces(
        &self,
        records: &[(String, Work)],
    ) -> HashMap<WorkspaceId, Result<Workspace, StoreError>> {
        let ids: std::collections::HashSet<_> =
            records.iter().map(|(_, work)| work.workspace_id().clone()).collect();
        stream::iter(ids)
            .map(|id| async move {
                let workspace = self.worker.workspaces.load(&id).await;
                (id, workspace)
            })
            .buffer_unordered(AT_ONCE)
            .collect()
            .await
    }

    async fn record(
        &self,
        work: &Work,
        workspaces: &HashMap<WorkspaceId, Result<Workspace, StoreError>>,
        deadline: DateTime<Utc>,
    ) -> Result<Ended, StoreError> {
        if deadline - self.worker.clock.now() < BEGIN_WITH {
            return Ok(Ended::NotBegun);
        }
        let workspace = match workspaces.get(work.workspace_id()) {
            Some(Ok(workspace)) => workspace,
            Some(Err(error)) => return Err(error.clone()),
            None => return Ok(Ended::NotBegun),
        };
        match work {
            Work::Report { secret_version, received_at, call, .. } => {
                let report = Report { call, secret_version: *secret_version, received_at: *received_at };
                self.worker.report(workspace, &report, deadline).await.map(Ended::Call)
            }
            Work::Wake { call_id, .. } => {
                self.worker.wake(workspace, call_id, false, deadline).await.map(Ended::Call)
            }
            Work::Resume { workspace_id, after } => {
                resume(&self.worker.ledger, &self.queue, workspace_id, after.clone())
                    .await
                    .map(Ended::Resumed)
            }
        }
    }
}

/// How a record ended that did not fail.
enum Ended {
    /// A call was worked on.
    Call(Done),
    /// So many waiting calls were woken.
    Resumed(usize),
    /// Too little time was left.
    NotBegun,
}

/// Parses the records; what cannot be read has failed already.
fn read(messages: Vec<SqsMessage>) -> (Vec<(String, Work)>, Vec<String>) {
    let mut records = Vec::new();
    let mut failed = Vec::new();
    for message in messages {
        let message_id = message.message_id.unwrap_or_default();
        match Work::decode(message.body.as_deref().unwrap_or_default()) {
            Ok(work) => records.push((message_id, work)),
            Err(error) => {
                tracing::error!(message.id = %message_id, error = %error, "unreadable queue message");
                failed.push(message_id);
            }
        }
    }
    (records, failed)
}

/// Logs how a record ended; the id of one that must come again.
fn report(
    message_id: &str,
    work: &Work,
    ended: Result<Result<Ended, StoreError>, Box<dyn std::any::Any + Send>>,
) -> Option<String> {
    let workspace_id = work.workspace_id();
    match ended {
        Ok(Ok(Ended::Call(Done::Tried(row)))) => {
            tracing::info!(
                workspace.id = %workspace_id,
                call.id = %row.call_id,
                call.status = row.status.as_str(),
                call.attempts = row.attempts,
                error.code = row.reason.as_ref().map(|reason| reason.code.as_str()),
                "call worked on"
            );
            None
        }
        Ok(Ok(Ended::Call(Done::Elsewhere | Done::Nothing))) => {
            tracing::debug!(workspace.id = %workspace_id, message.id = %message_id, "nothing to do");
            None
        }
        Ok(Ok(Ended::Resumed(woken))) => {
            tracing::info!(workspace.id = %workspace_id, woken, "waiting calls woken");
            None
        }
        Ok(Ok(Ended::NotBegun)) => {
            tracing::warn!(workspace.id = %workspace_id, message.id = %message_id, "no time left to begin");
            Some(message_id.to_owned())
        }
        Ok(Err(error)) => {
            tracing::error!(
                workspace.id = %workspace_id, message.id = %message_id, error = %error,
                "the ledger failed; the message comes again"
            );
            Some(message_id.to_owned())
        }
        Err(_) => {
            // The panic's text may hold content; the hook has logged where it was.
            tracing::error!(workspace.id = %workspace_id, message.id = %message_id, "panicked on a record");
            Some(message_id.to_owned())
        }
    }
}

fn failure(message_id: String) -> BatchItemFailure {
    let mut failure = BatchItemFailure::default();
    failure.item_identifier = message_id;
    failure
}
