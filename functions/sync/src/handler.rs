//! Handles a batch from the calls queue: each message is processed, and fails, independently.

use std::{collections::HashMap, panic::AssertUnwindSafe};

use aws_lambda_events::{
    event::sqs::SqsEvent,
    sqs::{BatchItemFailure, SqsBatchResponse, SqsMessage},
};
use calls::{
    ids::WorkspaceId,
    measure,
    message::{Work, is_fresh},
    ports::{Clock, FailedRows, Queue, StoreError, WaitingRows, Workspaces},
    sync::{Done, Ports, Report, Retry, Turn, Worker, resume, retry},
    workspace::Workspace,
};
use chrono::{DateTime, TimeDelta, Utc};
use futures_util::{FutureExt, StreamExt, stream};

/// How many messages are processed concurrently: the batch size of the event source.
const CONCURRENCY: usize = 10;
/// With less time left, no message is started: there must be time for a token refresh, a write and recording its
/// outcome.
const MIN_TIME_LEFT: TimeDelta = TimeDelta::seconds(20);
/// How long one message may retry calls: enough for thousands of them, and other workspaces wait no longer than that.
const RETRY_TIME: TimeDelta = TimeDelta::seconds(10);

/// The dependencies of a batch.
pub struct Sync<P: Ports, Q> {
    /// Logs calls.
    pub worker: Worker<P>,
    /// The calls queue, to which waiting and retried calls are sent.
    pub queue: Q,
}

impl<P, Q> Sync<P, Q>
where
    P: Ports,
    P::Ledger: WaitingRows + FailedRows,
    Q: Queue,
{
    /// Processes a batch. `deadline`: when Lambda stops this process.
    pub async fn batch(
        &self,
        event: SqsEvent,
        deadline: DateTime<Utc>,
    ) -> Result<SqsBatchResponse, MissingMessageId> {
        let (records, mut failed) = read(event.records)?;
        let workspaces = self.load_workspaces(&records).await;
        let done = stream::iter(records)
            .map(|record| {
                let workspaces = &workspaces;
                async move {
                    let outcome =
                        AssertUnwindSafe(self.record(&record, workspaces, deadline)).catch_unwind().await;
                    report(record, outcome)
                }
            })
            .buffer_unordered(CONCURRENCY)
            .collect::<Vec<_>>()
            .await;
        failed.extend(done.into_iter().flatten());
        let mut response = SqsBatchResponse::default();
        response.batch_item_failures = failed.into_iter().map(failure).collect();
        Ok(response)
    }

    /// Reads each of the batch's workspaces once.
    async fn load_workspaces(
        &self,
        records: &[Record],
    ) -> HashMap<WorkspaceId, Result<Workspace, StoreError>> {
        let ids: std::collections::HashSet<_> =
            records.iter().map(|record| record.work.workspace_id().clone()).collect();
        stream::iter(ids)
            .map(|id| async move {
                let workspace = self.worker.workspaces.load(&id).await;
                (id, workspace)
            })
            .buffer_unordered(CONCURRENCY)
            .collect()
            .await
    }

    async fn record(
        &self,
        Record { work, receives, sent_at, .. }: &Record,
        workspaces: &HashMap<WorkspaceId, Result<Workspace, StoreError>>,
        deadline: DateTime<Utc>,
    ) -> Result<Outcome, StoreError> {
        let now = self.worker.clock.now();
        measure::message_taken(
            sent_at.filter(|_| *receives <= 1).map(|sent_at| now.timestamp_millis() - sent_at),
        );
        if deadline - now < MIN_TIME_LEFT {
            return Ok(Outcome::NotStarted);
        }
        let turn = |made_at: Option<i64>| {
            let sent_at = sent_at.map(|milliseconds| milliseconds / 1000);
            let made_at = made_at.into_iter().chain(sent_at).min().unwrap_or_default();
            Turn { deadline, look_first: !is_fresh(made_at, *receives, now.timestamp()) }
        };
        let workspace = match workspaces.get(work.workspace_id()) {
            Some(Ok(workspace)) => workspace,
            Some(Err(error)) => return Err(error.clone()),
            None => return Ok(Outcome::NotStarted),
        };
        match work {
            Work::Report { secret_version, received_at, call, .. } => {
                let report = Report { call, secret_version: *secret_version, received_at: *received_at };
                self.worker.report(workspace, &report, turn(Some(*received_at))).await.map(Outcome::Call)
            }
            Work::Wake { call_id, .. } => {
                self.worker.wake(workspace, call_id, false, turn(None)).await.map(Outcome::Call)
            }
            Work::Resume { workspace_id, after, error_code: Some(error_code) } => {
                let asked = Retry { workspace_id, error_code };
                let Worker { ledger, clock, random, .. } = &self.worker;
                let until = clock.now() + RETRY_TIME;
                retry(ledger, &self.queue, clock, random, asked, after.clone(), until)
                    .await
                    .map(|done| Outcome::Retried(done.queued))
            }
            Work::Resume { workspace_id, after, error_code: None } => {
                resume(&self.worker.ledger, &self.queue, workspace_id, after.clone())
                    .await
                    .map(Outcome::Resumed)
            }
        }
    }
}

/// The outcome of a message that did not fail.
enum Outcome {
    /// A call was processed.
    Call(Done),
    /// This many waiting calls were woken.
    Resumed(usize),
    /// This many failed calls were queued again.
    Retried(u64),
    /// Too little time was left.
    NotStarted,
}

/// A parsed message.
struct Record {
    message_id: String,
    work: Work,
    /// How often it has been delivered, including this time.
    receives: u32,
    /// When it was sent, Unix milliseconds.
    sent_at: Option<i64>,
    /// Its X-Ray trace: that of the webhook's invocation.
    trace: Option<String>,
}

/// SQS gives every message an id. A message without one cannot be reported as failed, and an empty id would mean the
/// whole batch. So this fails the whole batch, which is delivered again.
#[derive(Debug, thiserror::Error)]
#[error("a message of the batch has no id; the batch is delivered again")]
pub struct MissingMessageId;

/// Parses the messages; also returns the ids of unreadable ones, which have failed.
fn read(messages: Vec<SqsMessage>) -> Result<(Vec<Record>, Vec<String>), MissingMessageId> {
    let mut records = Vec::new();
    let mut failed = Vec::new();
    for message in messages {
        let message_id = message.message_id.filter(|id| !id.is_empty()).ok_or(MissingMessageId)?;
        match Work::decode(message.body.as_deref().unwrap_or_default()) {
            Ok(work) => {
                let attribute = |name: &str| message.attributes.get(name)?.parse::<i64>().ok();
                let receives = attribute("ApproximateReceiveCount").unwrap_or(1);
                let receives = u32::try_from(receives).unwrap_or(u32::MAX);
                let sent_at = attribute("SentTimestamp");
                let trace = message.attributes.get("AWSTraceHeader").map(|header| root(header).to_owned());
                records.push(Record { message_id, work, receives, sent_at, trace });
            }
            Err(error) => {
                measure::message_taken(None);
                measure::message_failed();
                tracing::error!(message.id = %message_id, error = %error, "unreadable queue message");
                failed.push(message_id);
            }
        }
    }
    Ok((records, failed))
}

/// The id of the trace in an X-Ray header: `Root=1-…;Parent=…;Sampled=1`.
fn root(header: &str) -> &str {
    header.split(';').find_map(|part| part.strip_prefix("Root=")).unwrap_or_default()
}

/// Logs a message's outcome; returns the id of a message that has to be delivered again.
fn report(
    Record { message_id, work, trace, .. }: Record,
    outcome: Result<Result<Outcome, StoreError>, Box<dyn std::any::Any + Send>>,
) -> Option<String> {
    let workspace_id = work.workspace_id();
    let failed = match outcome {
        Ok(Ok(Outcome::Call(Done::Tried(row)))) => {
            tracing::info!(
                workspace.id = %workspace_id,
                call.id = %row.call_id,
                call.status = row.status.as_str(),
                call.attempts = row.attempts,
                error.code = row.reason.as_ref().map(|reason| reason.code.as_str()),
                trace.id = trace,
                "call worked on"
            );
            None
        }
        Ok(Ok(Outcome::Call(Done::Elsewhere | Done::Nothing))) => {
            tracing::debug!(workspace.id = %workspace_id, message.id = %message_id, "nothing to do");
            None
        }
        Ok(Ok(Outcome::Resumed(woken))) => {
            tracing::info!(workspace.id = %workspace_id, woken, "waiting calls woken");
            None
        }
        Ok(Ok(Outcome::Retried(queued))) => {
            tracing::info!(workspace.id = %workspace_id, queued, "failed calls queued again");
            None
        }
        Ok(Ok(Outcome::NotStarted)) => {
            tracing::warn!(workspace.id = %workspace_id, message.id = %message_id, "no time left to begin");
            Some(message_id)
        }
        Ok(Err(error)) => {
            tracing::error!(
                workspace.id = %workspace_id, message.id = %message_id, error = %error,
                "the ledger failed; the message comes again"
            );
            Some(message_id)
        }
        Err(_) => {
            // The panic's message may have content; the hook has logged where it happened.
            tracing::error!(workspace.id = %workspace_id, message.id = %message_id, "panicked on a record");
            Some(message_id)
        }
    };
    if failed.is_some() {
        measure::message_failed();
    }
    failed
}

fn failure(message_id: String) -> BatchItemFailure {
    let mut failure = BatchItemFailure::default();
    failure.item_identifier = message_id;
    failure
}
