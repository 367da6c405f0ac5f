//! Handles a batch from the calls queue: each message is processed, and fails, independently.

use std::{collections::HashMap, ops::RangeInclusive, panic::AssertUnwindSafe, time::Duration};

use aws_lambda_events::{
    event::sqs::SqsEvent,
    sqs::{BatchItemFailure, SqsBatchResponse, SqsMessage},
};
use calls::{
    ids::WorkspaceId,
    timings::{BATCH, BEGIN_WITH, RETRY_FOR},
};
use chrono::{DateTime, Utc};
use crm::workspace::Workspace;
use futures_util::{FutureExt, StreamExt, stream};
use platform::queue::{FIRST_SENT_AT, RECEIVES};
use worker::{
    Done, Ports, Turn, Worker,
    jobs::{Job, Retried},
    measure,
    message::{Message, is_fresh},
    ports::{Clock, Earlier, FailedRows, Requeue, StoreError, WaitingRows, Workspaces},
};

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
    Q: Requeue,
{
    /// Processes a batch. `deadline`: when Lambda stops this process.
    pub async fn batch(
        &self,
        event: SqsEvent,
        deadline: DateTime<Utc>,
    ) -> Result<SqsBatchResponse, MissingMessageId> {
        let (messages, mut failed) = read(event.records)?;
        let workspaces = self.load_workspaces(&messages).await;
        let done = stream::iter(messages)
            .map(|message| {
                let workspaces = &workspaces;
                async move {
                    let process = AssertUnwindSafe(self.process(&message, workspaces, deadline));
                    let outcome = match process.catch_unwind().await {
                        Ok(outcome) => outcome.map_err(Failure::Ledger),
                        Err(_) => Err(Failure::Panicked),
                    };
                    report(message, outcome)
                }
            })
            .buffer_unordered(BATCH)
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
        messages: &[Delivery],
    ) -> HashMap<WorkspaceId, Result<Workspace, StoreError>> {
        let ids: std::collections::HashSet<_> =
            messages.iter().map(|message| message.job.workspace_id().clone()).collect();
        stream::iter(ids)
            .map(|id| async move {
                let workspace = self.worker.workspaces.load(&id).await;
                (id, workspace)
            })
            .buffer_unordered(BATCH)
            .collect()
            .await
    }

    async fn process(
        &self,
        Delivery { job, body, receives, sent_at, .. }: &Delivery,
        workspaces: &HashMap<WorkspaceId, Result<Workspace, StoreError>>,
        deadline: DateTime<Utc>,
    ) -> Result<Outcome, StoreError> {
        let now = self.worker.clock.now();
        measure::message_taken(
            sent_at.filter(|_| *receives <= 1).map(|sent_at| now.timestamp_millis() - sent_at),
        );
        if deadline - now < BEGIN_WITH {
            return Ok(Outcome::NotStarted);
        }
        let turn = |made_at: Option<i64>| {
            let sent_at = sent_at.map(|milliseconds| milliseconds / 1000);
            let made_at = made_at.into_iter().chain(sent_at).min().unwrap_or_default();
            Turn { deadline, gives_way: true, look_first: !is_fresh(made_at, *receives, now.timestamp()) }
        };
        let workspace = match workspaces.get(job.workspace_id()) {
            Some(Ok(workspace)) => workspace,
            Some(Err(error)) => return Err(error.clone()),
            None => return Ok(Outcome::NotStarted),
        };
        let Worker { ledger, clock, random, places, .. } = &self.worker;
        if job.asks_salesforce() && workspace.places.taken(now.timestamp()) >= places.share() {
            let message = Message { workspace_id: workspace.id.clone(), body: body.clone() };
            let earlier = Earlier { sent_at: *sent_at, receives: *receives };
            let waited = sent_at.map_or(0, |sent_at| now.timestamp_millis() - sent_at);
            self.queue.send_back(&message, earlier, comes_back_after(waited)).await?;
            return Ok(Outcome::SentBack);
        }
        match job {
            Job::Report(report) => {
                report.run(&self.worker, workspace, turn(Some(report.received_at))).await.map(Outcome::Call)
            }
            Job::Wake(wake) => wake.run(&self.worker, workspace, turn(None)).await.map(Outcome::Call),
            Job::Resume(resume) => resume.run(ledger, &self.queue).await.map(Outcome::Resumed),
            Job::Retry(retry) => {
                let until = clock.now() + RETRY_FOR;
                let retried = retry.run(ledger, &self.queue, clock, random, until).await;
                retried.map(|Retried { queued, .. }| Outcome::Retried(queued))
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
    /// Its workspace has no place left: it comes again.
    SentBack,
    /// Too little time was left.
    NotStarted,
}

/// How soon a message is delivered again whose workspace has no place left: half the time that it has waited already,
/// `waited` milliseconds. So a long backlog goes back and forth seldom, and a short one is soon done.
fn comes_back_after(waited: i64) -> Duration {
    const DELAYS: RangeInclusive<i64> = 2..=30;
    let seconds = (waited / 2000).clamp(*DELAYS.start(), *DELAYS.end());
    Duration::from_secs(seconds.unsigned_abs())
}

/// Why a message has to be delivered again.
enum Failure {
    /// The ledger failed.
    Ledger(StoreError),
    /// The worker panicked.
    Panicked,
}

/// A parsed message.
struct Delivery {
    message_id: String,
    job: Job,
    body: String,
    /// How often it has been delivered, including this time.
    receives: u32,
    /// When it was sent, Unix milliseconds.
    sent_at: Option<i64>,
    /// Its X-Ray trace: that of the webhook's invocation.
    trace: Option<String>,
}

/// SQS gives every message an id. A message without one cannot be reported as failed, and an empty id would mean the
/// whole batch. So the whole batch fails and is delivered again.
#[derive(Debug, thiserror::Error)]
#[error("a message of the batch has no id; the batch is delivered again")]
pub struct MissingMessageId;

/// Parses the messages; also returns the ids of unreadable ones, which have failed.
fn read(batch: Vec<SqsMessage>) -> Result<(Vec<Delivery>, Vec<String>), MissingMessageId> {
    let mut messages = Vec::new();
    let mut failed = Vec::new();
    for message in batch {
        let message_id = message.message_id.filter(|id| !id.is_empty()).ok_or(MissingMessageId)?;
        let body = message.body.unwrap_or_default();
        match Job::decode(&body) {
            Ok(job) => {
                let attribute = |name: &str| message.attributes.get(name)?.parse::<i64>().ok();
                let earlier = |name: &str| {
                    message.message_attributes.get(name)?.string_value.as_ref()?.parse::<i64>().ok()
                };
                let receives = attribute("ApproximateReceiveCount").max(earlier(RECEIVES)).unwrap_or(1);
                let receives = u32::try_from(receives).unwrap_or(u32::MAX);
                let sent_at = earlier(FIRST_SENT_AT).or_else(|| attribute("SentTimestamp"));
                let trace = message.attributes.get("AWSTraceHeader").map(|header| root(header).to_owned());
                messages.push(Delivery { message_id, job, body, receives, sent_at, trace });
            }
            Err(error) => {
                measure::message_taken(None);
                measure::message_failed();
                tracing::error!(message.id = %message_id, error = %error, "unreadable queue message");
                failed.push(message_id);
            }
        }
    }
    Ok((messages, failed))
}

/// The id of the trace in an X-Ray header: `Root=1-…;Parent=…;Sampled=1`.
fn root(header: &str) -> &str {
    header.split(';').find_map(|part| part.strip_prefix("Root=")).unwrap_or_default()
}

/// Logs a message's outcome; returns the id of a message that has to be delivered again.
fn report(
    Delivery { message_id, job, trace, .. }: Delivery,
    outcome: Result<Outcome, Failure>,
) -> Option<String> {
    let workspace_id = job.workspace_id();
    let failed = match outcome {
        Ok(Outcome::Call(Done::Attempted(row))) => {
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
        Ok(Outcome::Call(Done::Elsewhere | Done::Nothing)) => {
            tracing::debug!(workspace.id = %workspace_id, message.id = %message_id, "nothing to do");
            None
        }
        Ok(Outcome::Resumed(woken)) => {
            tracing::info!(workspace.id = %workspace_id, woken, "waiting calls woken");
            None
        }
        Ok(Outcome::Retried(queued)) => {
            tracing::info!(workspace.id = %workspace_id, queued, "failed calls queued again");
            None
        }
        Ok(Outcome::SentBack) => {
            tracing::debug!(workspace.id = %workspace_id, message.id = %message_id, "no place left: sent back");
            None
        }
        Ok(Outcome::NotStarted) => {
            tracing::warn!(workspace.id = %workspace_id, message.id = %message_id, "no time left to begin");
            Some(message_id)
        }
        Err(Failure::Ledger(error)) => {
            tracing::error!(
                workspace.id = %workspace_id, message.id = %message_id, error = %error,
                "the ledger failed; the message comes again"
            );
            Some(message_id)
        }
        Err(Failure::Panicked) => {
            // The panic's message may contain content; the panic hook has logged where it happened.
            tracing::error!(workspace.id = %workspace_id, message.id = %message_id, "panicked on a message");
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
