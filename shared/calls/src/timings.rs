//! Times that depend on one another, across workers, functions, queue and template. Each relation is a test below; a
//! time that depends on no other stands where it is used.

use std::time::Duration;

use chrono::TimeDelta;

/// A connection to Salesforce.
pub const SALESFORCE_CONNECT: Duration = Duration::from_secs(3);
/// A request to Salesforce, the connection included.
pub const SALESFORCE_REQUEST: Duration = Duration::from_secs(10);
/// How long a write that Salesforce has received may take to commit, unless the deployment says otherwise.
pub const SETTLES: TimeDelta = TimeDelta::minutes(10);
/// What Salesforce's search may need to learn of a record (docs/salesforce-api.md#the-search-index).
pub const SEARCH_LAGS: TimeDelta = TimeDelta::minutes(10);
/// How long Salesforce keeps a refresh token that nobody uses, where the app's policy is that of the partner rules
/// (docs/salesforce-api.md#partner-rules).
pub const REFRESH_TOKEN_LASTS: TimeDelta = TimeDelta::days(30);

/// One try of an operation of AWS. These answer within milliseconds; what takes longer is better tried again.
pub const AWS_ATTEMPT: Duration = Duration::from_secs(3);
/// An operation of AWS with all its tries.
pub const AWS_OPERATION: Duration = Duration::from_secs(8);
/// A message into the queue with all its tries: when the queue does not answer, the webhook still has to reach the
/// ledger.
pub const QUEUE_SEND: Duration = Duration::from_secs(4);

/// When Lambda stops sync.
pub const SYNC_TIMEOUT: TimeDelta = TimeDelta::seconds(60);
/// With less time left sync begins no record: a session may have to be renewed, or a write and its outcome must fit.
pub const BEGIN_WITH: TimeDelta = TimeDelta::seconds(20);
/// How long one message may retry calls: thousands of them, while the other workspaces wait for no more than that.
pub const RETRY_FOR: TimeDelta = TimeDelta::seconds(10);
/// What a write may take: Salesforce's request limit, and the outcome's way into the ledger.
pub const WRITE_TAKES: TimeDelta = TimeDelta::seconds(15);
/// How long the quick tries after passing faults wait, at most: with full jitter, over the whole attempt.
pub const QUICK_TRIES: [Duration; 2] = [Duration::from_millis(500), Duration::from_secs(2)];
/// What a quick try may take: its wait, a request, and then a write that has to be recorded.
pub const QUICK_TRY_TAKES: TimeDelta = TimeDelta::seconds(27);
/// How long a worker has a row for itself: a live worker never loses it.
pub const ROW_LEASE: TimeDelta = TimeDelta::seconds(90);
/// How much workers' clocks may differ.
pub const CLOCKS_DIFFER: TimeDelta = TimeDelta::seconds(30);
/// How far back records are looked at that search may not know yet. Longer than a Lead of ours may take to come to be,
/// and than search needs to learn of it.
pub const RECENT: TimeDelta = TimeDelta::minutes(15);
/// How long the claim of a number is kept after the last moment at which its Lead may come to be. While it is, the Lead
/// is the caller's though no phone field says so; so not much longer than search needs to learn of it.
pub const NUMBER_CLAIM_KEPT: TimeDelta = TimeDelta::hours(1);

/// How many messages sync takes at once.
pub const BATCH: usize = 10;
/// How long the queue hides a message that was delivered.
pub const VISIBILITY: TimeDelta = TimeDelta::minutes(6);
/// How often a message is delivered before it goes to the dead-letter queue.
pub const RECEIVES: u32 = 5;
/// How old a message is at most that nobody can have worked on: one that was redriven from the dead-letter queue counts
/// its receives anew, but has been received five times before.
pub const FRESH_FOR: TimeDelta = TimeDelta::minutes(20);
/// How often the sweep runs, and when Lambda stops it.
pub const SWEEP_EVERY: TimeDelta = TimeDelta::minutes(1);
/// See [`SWEEP_EVERY`].
pub const SWEEP_TIMEOUT: TimeDelta = TimeDelta::seconds(50);
/// The sweep ends this much before its process does, so that no row is postponed without its message sent.
pub const SWEEP_STOPS_BEFORE: TimeDelta = TimeDelta::seconds(5);
/// How long a woken row is left alone: what its message may take through the queue.
pub const WAKE_TAKES: TimeDelta = TimeDelta::minutes(10);
/// How long faults that pass are taken to be passing.
pub const GIVE_UP_AFTER: TimeDelta = TimeDelta::days(3);

/// What one refresh may take: Salesforce's request limit and a store with its retries. A refresh does not start with
/// less time left, because tokens that cannot be stored are lost.
pub const REFRESH_TAKES: TimeDelta = TimeDelta::seconds(16);
/// How long nobody else may refresh: two requests (one more follows an ambiguous answer) and the store.
pub const REFRESH_LEASE: TimeDelta = TimeDelta::seconds(45);
/// How long after a refusal in doubtful words the refresh token is tried once more.
pub const CONFIRM_AFTER: Duration = Duration::from_secs(5);
/// What one request to end a grant may take.
pub const REVOKE_TAKES: TimeDelta = TimeDelta::seconds(11);
/// How long nothing may answer at the address of a token endpoint before an admin is asked for a new one.
pub const ADDRESS_MAY_BE_GONE_FOR: TimeDelta = TimeDelta::hours(6);
/// How old a connection's tokens get. Twice as often as needed: a refresh may fail for two weeks before it is too late.
pub const TOKENS_IDLE: TimeDelta = TimeDelta::days(14);

/// When Lambda stops a function that answers a request, and asks nothing of Salesforce.
pub const API_TIMEOUT: TimeDelta = TimeDelta::seconds(10);
/// API Gateway's own limit: nobody waits for a later answer.
pub const GATEWAY_WAITS: TimeDelta = TimeDelta::seconds(29);
/// With less time left a retry by request leaves the rest to the queue: it is handed over, and counted.
pub const HAND_OVER_WITHIN: TimeDelta = TimeDelta::seconds(6);
/// How long a user has for the popup (docs/contract.md#the-connect-flow).
pub const FLOW_LASTS: Duration = Duration::from_mins(10);

/// After a failed read of a secret, or one that was asked for early, the next one waits at least as long: a sender of
/// bad tokens must not make us read at the pace of their requests.
pub const SECRET_READ_AGAIN_AFTER: Duration = Duration::from_secs(30);
/// How long a process uses the generated keys that it has read.
pub const KEYS_KEPT_FOR: Duration = Duration::from_mins(15);

#[cfg(test)]
mod tests {
    use serde_yaml_ng::Value;

    use super::*;
    use crate::{
        codes::{RETRIED, faults::TOO_MANY_NEW_RECORDS},
        generated::read,
        limits::SETTLE_SECONDS,
    };

    fn delta(time: Duration) -> TimeDelta {
        TimeDelta::from_std(time).unwrap()
    }

    #[test]
    fn a_live_worker_never_loses_its_row() {
        assert!(ROW_LEASE >= SYNC_TIMEOUT + CLOCKS_DIFFER);
    }

    /// AWS asks for six times, so that batches that were throttled do not come again while they are worked on.
    #[test]
    fn a_message_stays_hidden_for_six_times_as_long_as_the_worker_may_take() {
        assert!(VISIBILITY >= SYNC_TIMEOUT * 6);
    }

    #[test]
    fn a_woken_row_is_left_alone_until_its_message_has_come_a_second_time() {
        assert!(WAKE_TAKES >= VISIBILITY + SYNC_TIMEOUT);
    }

    #[test]
    fn a_message_that_was_redriven_is_not_fresh() {
        assert!(FRESH_FOR < VISIBILITY * i32::try_from(RECEIVES - 1).unwrap());
    }

    #[test]
    fn a_write_and_a_refresh_have_time_for_their_request_and_for_storing_what_came_of_it() {
        let request = delta(SALESFORCE_REQUEST);
        assert!(SALESFORCE_CONNECT < SALESFORCE_REQUEST);
        assert!(WRITE_TAKES >= request + delta(AWS_ATTEMPT));
        // Tokens that are not stored are lost: a second try.
        assert!(REFRESH_TAKES >= request + delta(AWS_ATTEMPT) * 2);
        assert!(REFRESH_LEASE >= REFRESH_TAKES * 2 + delta(CONFIRM_AFTER));
        assert!(REVOKE_TAKES > request);
        assert!(QUICK_TRY_TAKES >= delta(QUICK_TRIES[1]) + request + WRITE_TAKES);
    }

    #[test]
    fn what_a_worker_begins_it_can_end() {
        for takes in [WRITE_TAKES, REFRESH_TAKES, RETRY_FOR + delta(AWS_OPERATION)] {
            assert!((takes..SYNC_TIMEOUT).contains(&BEGIN_WITH), "{takes}");
        }
    }

    #[test]
    fn a_sweep_ends_before_the_next_and_has_time_for_a_refresh() {
        assert!(SWEEP_TIMEOUT < SWEEP_EVERY);
        assert!(SWEEP_TIMEOUT - SWEEP_STOPS_BEFORE > REFRESH_TAKES);
        assert!(SWEEP_STOPS_BEFORE > delta(QUEUE_SEND));
    }

    #[test]
    fn the_webhook_reaches_the_ledger_when_the_queue_does_not_answer() {
        assert!(API_TIMEOUT >= delta(QUEUE_SEND) + delta(AWS_ATTEMPT) * 2);
    }

    #[test]
    fn a_retry_by_request_hands_the_rest_over_before_its_process_is_stopped() {
        assert!((delta(QUEUE_SEND)..API_TIMEOUT).contains(&HAND_OVER_WITHIN));
    }

    #[test]
    fn a_new_lead_is_seen_among_the_recent_records_or_by_search() {
        assert!(RECENT > ROW_LEASE + SETTLES);
        assert!(RECENT > SEARCH_LAGS);
        assert!(NUMBER_CLAIM_KEPT > SEARCH_LAGS);
        let said = format!("in the last {} minutes", RECENT.num_minutes());
        assert!(TOO_MANY_NEW_RECORDS.means.contains(&said), "{said}");
    }

    #[test]
    fn an_idle_connection_is_refreshed_twice_before_it_would_end() {
        assert!(TOKENS_IDLE * 2 < REFRESH_TOKEN_LASTS);
    }

    #[test]
    fn an_admin_is_asked_for_the_new_address_before_calls_are_given_up() {
        assert!(ADDRESS_MAY_BE_GONE_FOR < GIVE_UP_AFTER);
        assert!(GIVE_UP_AFTER == TimeDelta::days(3) && RETRIED.contains("for three days"));
    }

    #[test]
    fn rotating_keys_waits_for_every_process() {
        let number = |after: &str| -> u64 {
            let program = read("ops/rotate_keys.py");
            let (_, rest) = program.split_once(after).unwrap();
            rest[..rest.find(|c: char| !c.is_ascii_digit()).unwrap()].parse().unwrap()
        };
        assert!(number("\nWAIT_SECONDS = ") > SECRET_READ_AGAIN_AFTER.as_secs());
        assert!(number("\nIN_USE_AFTER = timedelta(minutes=") * 60 > KEYS_KEPT_FOR.as_secs());
    }

    #[test]
    fn the_template_has_these_times() {
        let template: Value = serde_yaml_ng::from_str(&read("template.yaml")).unwrap();
        let resources = template["Resources"].as_mapping().unwrap();
        let properties = |name: &str| &resources[name]["Properties"];
        assert_eq!(properties("SyncFunction")["Timeout"], SYNC_TIMEOUT.num_seconds());
        assert_eq!(properties("SweepFunction")["Timeout"], SWEEP_TIMEOUT.num_seconds());
        let every = &properties("SweepFunction")["Events"]["EveryMinute"]["Properties"]["Schedule"];
        assert_eq!((every.as_str(), SWEEP_EVERY.num_minutes()), (Some("rate(1 minute)"), 1));
        assert_eq!(template["Globals"]["Function"]["Timeout"], API_TIMEOUT.num_seconds());
        assert_eq!(properties("CallQueue")["VisibilityTimeout"], VISIBILITY.num_seconds());
        assert_eq!(properties("CallQueue")["RedrivePolicy"]["maxReceiveCount"], u64::from(RECEIVES));
        assert_eq!(properties("SyncCallQueueMapping")["BatchSize"], BATCH as u64);
        // Whoever is behind API Gateway ends with it.
        for (name, resource) in resources {
            let name = name.as_str().unwrap();
            let timeout = resource["Properties"].get("Timeout").and_then(Value::as_i64);
            if let Some(timeout) = timeout.filter(|_| !["SyncFunction", "SweepFunction"].contains(&name)) {
                assert_eq!(timeout, GATEWAY_WAITS.num_seconds(), "{name}");
            }
        }
        let settle = template["Parameters"]["SalesforceSettleSeconds"]["Default"].as_u64().unwrap();
        assert_eq!(settle, SETTLES.num_seconds().cast_unsigned());
        assert!(SETTLE_SECONDS.contains(&settle));
    }

    #[test]
    fn the_documents_say_these_times() {
        let seconds = |time: TimeDelta| time.num_seconds();
        for (path, said) in [
            (
                "docs/contract.md",
                format!(
                    "| a request to Salesforce | {} s, of which {} s to connect |\n\
                     | the worker's timeout | {} s; it begins no record with less than {} s left |\n\
                     | a row's lease | {} s |\n\
                     | a message's visibility timeout | {} s; after {RECEIVES} receives it moves to the dead-letter queue |\n\
                     | a woken row is left alone for | {} min |\n\
                     | a refresh needs / its lease lasts | {} s / {} s |\n\
                     | a connect flow | {} min |\n",
                    SALESFORCE_REQUEST.as_secs(),
                    SALESFORCE_CONNECT.as_secs(),
                    seconds(SYNC_TIMEOUT),
                    seconds(BEGIN_WITH),
                    seconds(ROW_LEASE),
                    seconds(VISIBILITY),
                    WAKE_TAKES.num_minutes(),
                    seconds(REFRESH_TAKES),
                    seconds(REFRESH_LEASE),
                    FLOW_LASTS.as_secs() / 60,
                ),
            ),
            ("docs/contract.md", format!("older than {} minutes", FRESH_FOR.num_minutes())),
            ("docs/contract.md", format!("the records of the last {} minutes", RECENT.num_minutes())),
            ("docs/contract.md", format!("does not start with less than {} s left", seconds(WRITE_TAKES))),
            ("docs/operations.md", format!("the row's lease ends after {} s", seconds(ROW_LEASE))),
            (
                "docs/operations.md",
                format!("leases outlast workers by {} s", seconds(ROW_LEASE - SYNC_TIMEOUT)),
            ),
            (
                "docs/operations.md",
                format!("over at least {} minutes", VISIBILITY.num_minutes() * i64::from(RECEIVES - 1)),
            ),
        ] {
            assert!(read(path).contains(&said), "{path}: {said}");
        }
    }
}
