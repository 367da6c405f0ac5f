//! What is measured, and under which name: the one place where a metric is named.
//!
//! Numbers only, and dimensions with few values: never a workspace, a call or a number. What writes them, and where to,
//! is the platform's matter; without a recorder nothing happens. `docs/operations.md` says what each is for, and the
//! alarms of `template.yaml` watch some of them.

use metrics::{Unit, counter, describe_counter, describe_histogram, histogram};

use crate::{
    crm::ApiUsage,
    ledger::{Row, SyncStatus},
};

/// Tells the recorder the units. Once, when it has started.
pub fn describe() {
    for name in [
        RECEIVED,
        KEPT_IN_LEDGER,
        LOGGED,
        NOT_FOUND,
        RETRYING,
        WAITING,
        FAILED,
        SKIPPED,
        MESSAGES_TAKEN,
        MESSAGES_FAILED,
        WOKEN,
        SALESFORCE_REQUESTS,
        TOKEN_REFRESHES,
        CONNECTIONS_ENDED,
    ] {
        describe_counter!(name, Unit::Count, "");
    }
    for name in [QUEUE_AGE, CALL_END_TO_TASK, WEBHOOK_TO_TASK] {
        describe_histogram!(name, Unit::Milliseconds, "");
    }
    describe_histogram!(SALESFORCE_API_USAGE, Unit::Percent, "");
}

const RECEIVED: &str = "CallsReceived";
const KEPT_IN_LEDGER: &str = "CallsKeptInLedger";
const LOGGED: &str = "CallsLogged";
const NOT_FOUND: &str = "CallsNotFound";
const RETRYING: &str = "CallsRetrying";
const WAITING: &str = "CallsWaiting";
const FAILED: &str = "CallsFailed";
const SKIPPED: &str = "CallsSkipped";
const MESSAGES_TAKEN: &str = "MessagesTaken";
const MESSAGES_FAILED: &str = "MessagesFailed";
const WOKEN: &str = "CallsWoken";
const QUEUE_AGE: &str = "QueueAge";
const CALL_END_TO_TASK: &str = "CallEndToTask";
const WEBHOOK_TO_TASK: &str = "WebhookToTask";
const SALESFORCE_REQUESTS: &str = "SalesforceRequests";
const SALESFORCE_API_USAGE: &str = "SalesforceApiUsage";
const TOKEN_REFRESHES: &str = "TokenRefreshes";
const CONNECTIONS_ENDED: &str = "ConnectionsEnded";

/// The webhook took a report.
pub fn received() {
    counter!(RECEIVED).increment(1);
}

/// The queue refused a report; it went into the ledger.
pub fn kept_in_ledger() {
    counter!(KEPT_IN_LEDGER).increment(1);
}

/// A message came off the queue, so long after it was put there (milliseconds; only of one that comes for the first
/// time).
pub fn taken(age_milliseconds: Option<i64>) {
    counter!(MESSAGES_TAKEN).increment(1);
    if let Some(age) = age_milliseconds {
        record(QUEUE_AGE, age);
    }
}

/// A message could not be worked on, and comes again.
pub fn not_worked_on() {
    counter!(MESSAGES_FAILED).increment(1);
}

/// The sweep woke so many calls.
pub fn woken(calls: usize) {
    counter!(WOKEN).increment(u64::try_from(calls).unwrap_or_default());
}

/// An attempt has ended, at `now` (milliseconds): `before` is the row as it was claimed.
pub fn tried(before: &Row, after: &Row, now: i64) {
    let name = match after.status {
        SyncStatus::Success => LOGGED,
        SyncStatus::NotFound => NOT_FOUND,
        SyncStatus::Retrying => RETRYING,
        SyncStatus::WaitingForConnection => WAITING,
        SyncStatus::Error => FAILED,
        SyncStatus::Skipped => SKIPPED,
        // Something new came meanwhile; it is tried again.
        SyncStatus::Queued => return,
    };
    counter!(name).increment(1);
    if after.status == SyncStatus::Error
        && let Some(reason) = &after.reason
    {
        counter!(FAILED, "ErrorCode" => reason.code.clone()).increment(1);
    }
    // How long it takes us: not how long a person took to reconnect, to add a record or to press retry.
    let waited_for_nobody = before.attempts <= 1 || before.status == SyncStatus::Retrying;
    if before.task_id.is_none() && after.task_id.is_some() && waited_for_nobody {
        record(WEBHOOK_TO_TASK, now - before.created_at * 1000);
        if let Some(ended_at) = &after.call.ended_at {
            record(CALL_END_TO_TASK, now - ended_at.value.timestamp_millis());
        }
    }
}

/// Salesforce got a request; `usage` is what its answer said of the org's limit.
pub fn requested(usage: Option<ApiUsage>) {
    let class = usage.map_or("unknown", org_class);
    counter!(SALESFORCE_REQUESTS, "OrgClass" => class).increment(1);
    if let Some(usage) = usage.filter(|usage| usage.limit > 0) {
        let percent = u128::from(usage.used) * 100 / u128::from(usage.limit);
        histogram!(SALESFORCE_API_USAGE, "OrgClass" => class)
            .record(f64::from(u32::try_from(percent).unwrap_or(u32::MAX)));
    }
}

/// Tokens were refreshed.
pub fn refreshed() {
    counter!(TOKEN_REFRESHES).increment(1);
}

/// A workspace has to connect again: Salesforce ended its grant, or its stored tokens do not open.
pub fn connection_ended() {
    counter!(CONNECTIONS_ENDED).increment(1);
}

/// What kind of org it is, by the requests that it may make in a day: a trial or a small one has 15,000 (Salesforce
/// Developer Limits, "Total API Request Limits").
fn org_class(usage: ApiUsage) -> &'static str {
    match usage.limit {
        0..=15_000 => "small",
        15_001..=100_000 => "medium",
        100_001..=1_000_000 => "large",
        _ => "largest",
    }
}

/// Clocks differ: what seems to come from the future took no time.
fn record(name: &'static str, milliseconds: i64) {
    histogram!(name).record(f64::from(u32::try_from(milliseconds.max(0)).unwrap_or(u32::MAX)));
}
