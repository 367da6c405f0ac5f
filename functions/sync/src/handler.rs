//! A batch of the calls queue: each record is worked on by itself, and fails by itself.

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

/// How many records are worked on at once: the batch size of the event source.
const AT_ONCE: usize = 10;
/// With less time left no record is begun: a session may have to be renewed, and a write and its outcome must fit.
const BEGIN_WITH: TimeDelta = TimeDelta::seconds(20);
/// How long one message may retry calls: thousands of them, while the other workspaces wait for no more than that.
const RETRY_FOR: TimeDelta = TimeDelta::seconds(10);

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
    P::Ledger: WaitingRows + FailedRows,
    Q: Queue,
{
    /// Works on a batch. `deadline`: when this process is stopped.
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
                    let ended =
                        AssertUnwindSafe(self.record(&record, workspaces, deadline)).catch_unwind().await;
                    report(record, ended)
                }
            })
            .buffer_unordered(AT_ONCE)
            .collect::<Vec<_>>()
            .await;
        failed.extend(done.into_iter().flatten());
        let mut response = SqsBatchResponse::default();
        response.batch_item_failures = failed.into_iter().map(failure).collect();
        Ok(response)
    }

    /// Reads each workspace of the batch once.
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
            .buffer_unordered(AT_ONCE)
            .collect()
            .await
    }

    async fn record(
        &self,
        Record { work, receives, sent_at, .. }: &Record,
        workspaces: &HashMap<WorkspaceId, Result<Workspace, StoreError>>,
        deadline: DateTime<Utc>,
    ) -> Result<Ended, StoreError> {
        let now = self.worker.clock.now();
        measure::message_taken(
            sent_at.filter(|_| *receives <= 1).map(|sent_at| now.timestamp_millis() - sent_at),
        );
        if deadline - now < BEGIN_WITH {
            return Ok(Ended::NotBegun);
        }
        let turn = |made_at: Option<i64>| {
            let sent_at = sent_at.map(|milliseconds| milliseconds / 1000);
            let made_at = made_at.into_iter().chain(sent_at).min().unwrap_or_default();
            Turn { deadline, look_first: !is_fresh(made_at, *receives, now.timestamp()) }
        };
        let workspace = match workspaces.get(work.workspace_id()) {
            Some(Ok(workspace)) => workspace,
            Some(Err(error)) => return Err(error.clone()),
            None => return Ok(Ended::NotBegun),
        };
        match work {
            Work::Report { secret_version, received_at, call, .. } => {
                let report = Report { call, secret_version: *secret_version, received_at: *received_at };
                self.worker.report(workspace, &report, turn(Some(*received_at))).await.map(Ended::Call)
            }
            Work::Wake { call_id, .. } => {
                self.worker.wake(workspace, call_id, false, turn(None)).await.map(Ended::Call)
            }
            Work::Resume { workspace_id, after, error_code: Some(error_code) } => {
                let asked = Retry { workspace_id, error_code };
                let Worker { ledger, clock, random, .. } = &self.worker;
                let until = clock.now() + RETRY_FOR;
                retry(ledger, &self.queue, clock, random, asked, after.clone(), until)
                    .await
                    .map(|done| Ended::Retried(done.queued))
            }
            Work::Resume { workspace_id, after, error_code: None } => {
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
    /// So many failed calls were put in line again.
    Retried(u64),
    /// Too little time was left.
    NotBegun,
}

/// A message that can be worked on.
struct Record {
    message_id: String,
    work: Work,
    /// How often it was delivered, this time included.
    receives: u32,
    /// When it was put into the queue, Unix milliseconds.
    sent_at: Option<i64>,
    /// The X-Ray trace that it came in: that of the webhook's invocation.
    trace: Option<String>,
}

/// SQS names every message. Without its name a message cannot be reported as failed, and an empty name would mean the
/// whole batch: so this is an error of the whole batch, and it comes again.
#[derive(Debug, thiserror::Error)]
#[error("a message of the batch has no id; the batch comes again")]
pub struct MissingMessageId;

/// Parses the messages; the ids of those that cannot be read, which have failed already.
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

/// Logs how a record ended; the id of one that must come again.
fn report(
    Record { message_id, work, trace, .. }: Record,
    ended: Result<Result<Ended, StoreError>, Box<dyn std::any::Any + Send>>,
) -> Option<String> {
    let workspace_id = work.workspace_id();
    let again = match ended {
        Ok(Ok(Ended::Call(Done::Tried(row)))) => {
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
        Ok(Ok(Ended::Call(Done::Elsewhere | Done::Nothing))) => {
            tracing::debug!(workspace.id = %workspace_id, message.id = %message_id, "nothing to do");
            None
        }
        Ok(Ok(Ended::Resumed(woken))) => {
            tracing::info!(workspace.id = %workspace_id, woken, "waiting calls woken");
            None
        }
        Ok(Ok(Ended::Retried(queued))) => {
            tracing::info!(workspace.id = %workspace_id, queued, "failed calls queued again");
            None
        }
        Ok(Ok(Ended::NotBegun)) => {
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
            // The panic's text may hold content; the hook has logged where it was.
            tracing::error!(workspace.id = %workspace_id, message.id = %message_id, "panicked on a record");
            Some(message_id)
        }
    };
    if again.is_some() {
        measure::message_failed();
    }
    again
}

fn failure(message_id: String) -> BatchItemFailure {
    let mut failure = BatchItemFailure::default();
    failure.item_identifier = message_id;
    failure
}
