//! Metrics: the only place that names them.
//!
//! Numbers only, and dimensions with few values: never a workspace, a call or a phone number. The platform decides
//! where they are written; without a recorder, nothing happens. `docs/operations.md` says what each metric is for,
//! and alarms in `template.yaml` watch some of them.

use calls::status::SyncStatus;
use crm::{ApiUsage, ledger::Row};
use metrics::{Unit, counter, describe_counter, describe_histogram, histogram};

/// Declares the units. Call once, after the recorder has been installed.
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

/// The webhook accepted a report.
pub fn received() {
    counter!(RECEIVED).increment(1);
}

/// The queue failed, so a report was written to the ledger.
pub fn kept_in_ledger() {
    counter!(KEPT_IN_LEDGER).increment(1);
}

/// A message was received. `age_milliseconds`: the time since it was sent, on the first delivery only.
pub fn message_taken(age_milliseconds: Option<i64>) {
    counter!(MESSAGES_TAKEN).increment(1);
    if let Some(age) = age_milliseconds {
        record(QUEUE_AGE, age);
    }
}

/// A message failed and will be delivered again.
pub fn message_failed() {
    counter!(MESSAGES_FAILED).increment(1);
}

/// The sweep woke this many calls.
pub fn woken(calls: usize) {
    counter!(WOKEN).increment(u64::try_from(calls).unwrap_or_default());
}

/// An attempt ended at `now` (milliseconds). `before` is the row as it was claimed.
pub fn attempted(before: &Row, after: &Row, now: i64) {
    let name = match after.status {
        SyncStatus::Success => LOGGED,
        SyncStatus::NotFound => NOT_FOUND,
        SyncStatus::Retrying => RETRYING,
        SyncStatus::WaitingForConnection => WAITING,
        SyncStatus::Error => FAILED,
        SyncStatus::Skipped => SKIPPED,
        // A report arrived in the meantime, so there will be another attempt.
        SyncStatus::Queued => return,
    };
    counter!(name).increment(1);
    if after.status == SyncStatus::Error
        && let Some(reason) = &after.reason
    {
        counter!(FAILED, "ErrorCode" => reason.code.clone()).increment(1);
    }
    // Measures Ringlog's own time, not the time until a person reconnected, added a record or pressed retry.
    let is_own_time = before.attempts <= 1 || before.status == SyncStatus::Retrying;
    if before.task_id.is_none() && after.task_id.is_some() && is_own_time {
        record(WEBHOOK_TO_TASK, now - before.created_at * 1000);
        if let Some(ended_at) = &after.call.ended_at {
            record(CALL_END_TO_TASK, now - ended_at.value.timestamp_millis());
        }
    }
}

/// A request was sent to Salesforce; `usage` is the limit information from the response.
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

/// A workspace has to reconnect: Salesforce ended its grant, or its stored tokens cannot be opened.
pub fn connection_ended() {
    counter!(CONNECTIONS_ENDED).increment(1);
}

/// The org's size, by its daily request limit: trial and small orgs have 15,000 (Salesforce Developer Limits, "Total
/// API Request Limits").
fn org_class(usage: ApiUsage) -> &'static str {
    match usage.limit {
        0..=15_000 => "small",
        15_001..=100_000 => "medium",
        100_001..=1_000_000 => "large",
        _ => "largest",
    }
}

/// Clocks differ; a negative duration counts as zero.
fn record(name: &'static str, milliseconds: i64) {
    histogram!(name).record(f64::from(u32::try_from(milliseconds.max(0)).unwrap_or(u32::MAX)));
}
