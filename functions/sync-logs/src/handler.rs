//! The ledger for people: a list, a summary, and retries of failed calls.

use api::sync_logs::{AllQueued, Queued, RetryRequest, SyncLogPage, SyncLogSummary};
use calls::{
    ids::{ErrorCode, WorkspaceId},
    status::SyncStatus,
    timings::HAND_OVER_WITHIN,
};
use chrono::{DateTime, TimeDelta, Utc};
use lambda_http::{Body, Request, Response};
use platform::{
    http::{CallerRules, Problem, ProblemCode, json, json_body},
    lambda::request_deadline,
    routes,
    stores::{CountedRows, ListedRows},
};
use worker::{
    QueuedAgain,
    jobs::{Retry, RetryCall},
    ports::{Clock, FailedRows, Ledger, Queue, Random},
};

use crate::parameters::{self, ListQuery, cursor};

/// With less time left, no page is started: it has to be finished, and the response sent.
const RESPONSE_TIME: TimeDelta = TimeDelta::seconds(3);

/// The handler's dependencies.
pub struct SyncLogs<L, Q, K, R> {
    /// Which callers may read, and which may retry.
    pub callers: CallerRules,
    /// The ledger.
    pub ledger: L,
    /// The calls queue.
    pub queue: Q,
    /// The time.
    pub clock: K,
    /// Randomness.
    pub random: R,
}

impl<L, Q, K, R> SyncLogs<L, Q, K, R>
where
    L: Ledger + ListedRows + CountedRows + FailedRows,
    Q: Queue,
    K: Clock,
    R: Random,
{
    /// Handles a request.
    pub async fn handle(&self, request: Request) -> Response<Body> {
        self.respond(&request).await.unwrap_or_else(Problem::into_response)
    }

    async fn respond(&self, request: &Request) -> Result<Response<Body>, Problem> {
        if routes::SYNC_LOGS_RETRY.is(request) {
            self.retry_one(request).await
        } else if routes::SYNC_LOGS_RETRY_ALL.is(request) {
            self.retry_all(request).await
        } else if routes::SYNC_LOGS_SUMMARY.is(request) {
            self.summarise(request).await
        } else {
            self.list(request).await
        }
    }

    async fn list(&self, request: &Request) -> Result<Response<Body>, Problem> {
        let id = self.callers.caller(request)?.workspace_id;
        let ListQuery { status, limit, after } = ListQuery::of(request)?;
        // One more row shows whether there is a next page, so that no page is empty.
        let mut items = self.ledger.list(&id, status, limit + 1, after.as_ref()).await?;
        let is_more = items.len() > limit as usize;
        items.truncate(limit as usize);
        let next_cursor = items.last().filter(|_| is_more).map(|last| cursor(&last.position()));
        Ok(json(200, &SyncLogPage { items, next_cursor }))
    }

    async fn summarise(&self, request: &Request) -> Result<Response<Body>, Problem> {
        let id = self.callers.caller(request)?.workspace_id;
        let since = parameters::since(request)?;
        let until = request_deadline(request, self.clock.now()) - RESPONSE_TIME;
        let mut summary = SyncLogSummary::new(since);
        let mut after = None;
        loop {
            let (outcomes, next) = self.ledger.outcomes(&id, since, after).await?;
            for outcome in outcomes {
                summary.add(outcome);
            }
            if next.is_none() {
                return Ok(json(200, &summary));
            }
            if self.clock.now() >= until {
                return Err(too_many_calls());
            }
            after = next;
        }
    }

    async fn retry_one(&self, request: &Request) -> Result<Response<Body>, Problem> {
        let id = self.callers.admin(request)?.workspace_id;
        let call_id = parameters::call_id(request)?;
        let now = self.clock.now().timestamp();
        let retry = RetryCall { workspace_id: &id, call_id: &call_id };
        match retry.run(&self.ledger, &self.queue, &self.random, now).await? {
            QueuedAgain::Queued => {}
            QueuedAgain::Unknown => {
                return Err(Problem::new(ProblemCode::NoSuchCall, "There is no call with this id."));
            }
            QueuedAgain::Foreign => return Err(Problem::newer_version()),
            QueuedAgain::Refused => {
                return Err(Problem::new(
                    ProblemCode::WebhookSecretRevoked,
                    "The call was reported with a webhook secret that has been revoked, so it is never logged.",
                ));
            }
        }
        tracing::info!(workspace.id = %id, call.id = %call_id, "call queued again");
        Ok(json(202, &Queued { status: SyncStatus::Queued }))
    }

    async fn retry_all(&self, request: &Request) -> Result<Response<Body>, Problem> {
        let id = self.callers.admin(request)?.workspace_id;
        let RetryRequest { error_code } = json_body(request)?;
        let deadline = request_deadline(request, self.clock.now());
        let retry = Retry::all(id.clone(), error_code.clone());
        let until = deadline - HAND_OVER_WITHIN;
        let done = retry.run(&self.ledger, &self.queue, &self.clock, &self.random, until).await?;
        if done.queued == 0 && done.failed > 0 {
            return Err(Problem::unavailable("The calls could not be queued again. Try again."));
        }
        let left = self.count_rest(&id, &error_code, done.rest, deadline - RESPONSE_TIME).await;
        tracing::info!(workspace.id = %id, error.code = %error_code, queued = done.queued, left, "calls queued again");
        Ok(json(202, &AllQueued { queued: done.queued + left }))
    }

    /// How many calls are left to the queue, which is already processing them. Those that cannot be counted in time
    /// are retried anyway.
    async fn count_rest(
        &self,
        id: &WorkspaceId,
        error_code: &ErrorCode,
        mut after: Option<String>,
        until: DateTime<Utc>,
    ) -> u64 {
        let mut count = 0;
        while after.is_some() && self.clock.now() < until {
            match self.ledger.count_with_error(id, error_code, after).await {
                Ok((more, next)) => (count, after) = (count + more, next),
                Err(error) => {
                    tracing::warn!(workspace.id = %id, error = %error, "the calls left to the queue could not be counted");
                    return count;
                }
            }
        }
        count
    }
}

fn too_many_calls() -> Problem {
    Problem::new(
        ProblemCode::TooManyCalls,
        "There are too many calls to count in one request. Ask for a shorter time, with `since` in Unix seconds.",
    )
}
