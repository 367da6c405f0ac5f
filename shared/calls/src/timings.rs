//! Times that depend on each other, across workers, functions, queue and template, and times that documents state.
//! Tests below check each relation and each statement; other times are defined where they are used.

use std::{ops::RangeInclusive, time::Duration};

use chrono::TimeDelta;

/// The timeout for connecting to Salesforce.
pub const SALESFORCE_CONNECT: Duration = Duration::from_secs(3);
/// The timeout of a request to Salesforce, including the connect.
pub const SALESFORCE_REQUEST: Duration = Duration::from_secs(10);
/// How long a write that Salesforce has received may take to commit, unless the deployment says otherwise.
pub const SETTLES: TimeDelta = TimeDelta::minutes(10);
/// How long Salesforce's search index may lag behind a new record (docs/salesforce-api.md#the-search-index).
pub const SEARCH_LAGS: TimeDelta = TimeDelta::minutes(10);
/// How long Salesforce keeps an unused refresh token, if the app's policy follows the partner rules
/// (docs/salesforce-api.md#partner-rules).
pub const REFRESH_TOKEN_LASTS: TimeDelta = TimeDelta::days(30);

/// The timeout of one attempt of an AWS operation. They respond within milliseconds; if not, a retry is faster.
pub const AWS_ATTEMPT: Duration = Duration::from_secs(3);
/// The timeout of an AWS operation with all its attempts.
pub const AWS_OPERATION: Duration = Duration::from_secs(8);
/// The timeout of sending a message to the queue, with all its attempts: if the queue does not respond, the
/// webhook still has to reach the ledger.
pub const QUEUE_SEND: Duration = Duration::from_secs(4);

/// When Lambda stops sync.
pub const SYNC_TIMEOUT: TimeDelta = TimeDelta::seconds(60);
/// Sync starts no message with less time left: there must be time to refresh the session, or to write and
/// store the outcome.
pub const BEGIN_WITH: TimeDelta = TimeDelta::seconds(20);
/// How long one message may queue calls again: it may be thousands, and the other workspaces wait meanwhile.
pub const RETRY_FOR: TimeDelta = TimeDelta::seconds(10);
/// How long a call may wait for Salesforce before its worker takes one of its workspace's places.
pub const PATIENCE: Duration = Duration::from_secs(1);
/// The time that a write needs: a request to Salesforce, and storing the outcome in the ledger.
pub const WRITE_TAKES: TimeDelta = TimeDelta::seconds(15);
/// The maximum waits before the quick retries of one attempt after passing faults; with full jitter.
pub const QUICK_TRIES: [Duration; 2] = [Duration::from_millis(500), Duration::from_secs(2)];
/// The time that a quick retry needs: its wait, a request, and then a write with its outcome.
pub const QUICK_TRY_TAKES: TimeDelta = TimeDelta::seconds(27);
/// How long a worker holds a row exclusively: a live worker never loses it.
pub const ROW_LEASE: TimeDelta = TimeDelta::seconds(90);
/// How far workers' clocks may differ.
pub const CLOCKS_DIFFER: TimeDelta = TimeDelta::seconds(30);
/// How far back Ringlog queries for new records that search may not have indexed yet. Longer than the
/// creation of a Lead may take to commit, and than the index lags.
pub const RECENT: TimeDelta = TimeDelta::minutes(15);
/// How long a number's claim is kept after the last moment at which its Lead may still commit. While it is
/// kept, the Lead is the caller's even if no phone field says so; so it is not kept much longer than the
/// index lags.
pub const NUMBER_CLAIM_KEPT: TimeDelta = TimeDelta::hours(1);

/// How many messages sync receives at once.
pub const BATCH: usize = 10;
/// How long the queue hides a message after delivering it.
pub const VISIBILITY: TimeDelta = TimeDelta::minutes(6);
/// How often a message is delivered before it goes to the dead-letter queue.
pub const RECEIVES: u32 = 5;
/// The maximum age of a message that certainly nobody has worked on yet. The receive count alone does not
/// tell: it starts again when a message is redriven from the dead-letter queue, after five receives.
pub const FRESH_FOR: TimeDelta = TimeDelta::minutes(20);
/// How often the sweep runs.
pub const SWEEP_EVERY: TimeDelta = TimeDelta::minutes(1);
/// When Lambda stops the sweep.
pub const SWEEP_TIMEOUT: TimeDelta = TimeDelta::seconds(50);
/// The sweep ends this long before Lambda stops it, so that it never postpones a row without sending its message.
pub const SWEEP_STOPS_BEFORE: TimeDelta = TimeDelta::seconds(5);
/// How long a woken row is not woken again: its message may take that long to get through the queue.
pub const WAKE_TAKES: TimeDelta = TimeDelta::minutes(10);
/// Two requests without an answer within this time, and an org or a login host is left alone.
pub const UNANSWERED_WITHIN: TimeDelta = TimeDelta::minutes(1);
/// How long it is left alone the first time; then twice as long each time, up to the longest.
pub const BREAKER_SHORTEST: TimeDelta = TimeDelta::seconds(30);
/// The longest time that it is left alone.
pub const BREAKER_LONGEST: TimeDelta = TimeDelta::minutes(15);
/// How long one worker may take to find out whether it answers again.
pub const BREAKER_TEST: TimeDelta = TimeDelta::seconds(90);
/// How long faults are assumed to pass.
pub const GIVE_UP_AFTER: TimeDelta = TimeDelta::days(3);
/// The first and the longest backoff after a passing fault; with full jitter.
pub const BACKOFF: RangeInclusive<TimeDelta> = TimeDelta::minutes(1)..=TimeDelta::hours(6);
/// The ages of a row without a record at which Ringlog searches again: records created after their call appear late
/// in Salesforce's search index.
pub const LATE_MATCHES: [TimeDelta; 3] = [TimeDelta::minutes(5), TimeDelta::hours(1), TimeDelta::hours(24)];
/// The shortest and the longest pause of a workspace whose org has too many concurrent requests.
pub const CONCURRENT_LIMIT_PAUSE: RangeInclusive<TimeDelta> = TimeDelta::minutes(1)..=TimeDelta::minutes(5);
/// The pause of a workspace whose org has used up its daily requests. The 24-hour window rolls, so some may be
/// available again after an hour.
pub const DAILY_LIMIT_PAUSE: TimeDelta = TimeDelta::hours(1);
/// The calls of a paused workspace are due within this time after the pause, so that they do not all come at once.
pub const RESUME_WITHIN: TimeDelta = TimeDelta::minutes(1);
/// How long something that an org refused is left out before it is tried again (docs/contract.md#refusals).
pub const REMEMBERED_FOR: TimeDelta = TimeDelta::days(1);

/// The time that a refresh needs: a request to Salesforce, and storing the tokens with retries. A refresh
/// does not start with less time left, because tokens that are not stored are lost.
pub const REFRESH_TAKES: TimeDelta = TimeDelta::seconds(16);
/// How long nobody else may refresh: two requests (the second follows an ambiguous response) and storing the tokens.
pub const REFRESH_LEASE: TimeDelta = TimeDelta::seconds(45);
/// The wait before a refresh token is tried once more after a rejection that may be temporary.
pub const CONFIRM_AFTER: Duration = Duration::from_secs(5);
/// The time that a request to revoke a grant needs.
pub const REVOKE_TAKES: TimeDelta = TimeDelta::seconds(11);
/// How long a token endpoint's address may not respond before an admin is asked for a new one.
pub const ADDRESS_MAY_BE_GONE_FOR: TimeDelta = TimeDelta::hours(6);
/// The age at which an idle connection's tokens are refreshed. Twice as often as needed: refreshes may fail
/// for two weeks before it is too late.
pub const TOKENS_IDLE: TimeDelta = TimeDelta::days(14);

/// When Lambda stops a function that serves a request without calling Salesforce.
pub const API_TIMEOUT: TimeDelta = TimeDelta::seconds(10);
/// API Gateway's own limit: a later response reaches nobody.
pub const GATEWAY_WAITS: TimeDelta = TimeDelta::seconds(29);
/// With less time left, a retry that a person requested hands the remaining calls over to the queue, and counts them.
pub const HAND_OVER_WITHIN: TimeDelta = TimeDelta::seconds(6);
/// How long a user has to finish the connect popup (docs/contract.md#the-connect-flow).
pub const FLOW_LASTS: Duration = Duration::from_mins(10);

/// The minimum wait between reads of a secret, after a failed read or an early one: a sender of bad tokens
/// must not cause a read for each of their requests.
pub const SECRET_READ_AGAIN_AFTER: Duration = Duration::from_secs(30);
/// How long a process uses generated keys before it reads them again.
pub const KEYS_KEPT_FOR: Duration = Duration::from_mins(15);

#[cfg(test)]
mod tests {
    use serde_yaml_ng::Value;

    use super::*;
    use crate::{
        codes::{RETRIED, faults::TOO_MANY_NEW_RECORDS},
        generated::{read, states, words},
        limits::SETTLE_SECONDS,
    };

    fn delta(time: Duration) -> TimeDelta {
        TimeDelta::from_std(time).unwrap()
    }

    /// A time in words: `a day`, `an hour`, `ten minutes`.
    fn in_words(time: TimeDelta) -> String {
        let (number, one, unit) = if time < TimeDelta::hours(1) {
            (time.num_minutes(), "a", "minute")
        } else if time < TimeDelta::days(1) {
            (time.num_hours(), "an", "hour")
        } else {
            (time.num_days(), "a", "day")
        };
        match usize::try_from(number).unwrap() {
            1 => format!("{one} {unit}"),
            number => format!("{} {unit}s", words(number)),
        }
    }

    #[test]
    fn a_live_worker_never_loses_its_row() {
        assert!(ROW_LEASE >= SYNC_TIMEOUT + CLOCKS_DIFFER);
    }

    #[test]
    fn a_worker_that_tests_an_org_is_done_before_another_one_does() {
        assert!(BREAKER_TEST >= SYNC_TIMEOUT + CLOCKS_DIFFER);
        assert!(BREAKER_SHORTEST < BREAKER_LONGEST && BREAKER_LONGEST < GIVE_UP_AFTER);
        assert!(UNANSWERED_WITHIN > delta(SALESFORCE_REQUEST) * 2);
    }

    /// AWS recommends six times the timeout, so that throttled batches are not redelivered while they are processed.
    #[test]
    fn a_message_stays_hidden_for_six_times_the_workers_timeout() {
        assert!(VISIBILITY >= SYNC_TIMEOUT * 6);
    }

    #[test]
    fn a_woken_row_is_not_woken_again_before_its_message_can_be_redelivered() {
        assert!(WAKE_TAKES >= VISIBILITY + SYNC_TIMEOUT);
    }

    #[test]
    fn a_redriven_message_is_not_fresh() {
        assert!(FRESH_FOR < VISIBILITY * i32::try_from(RECEIVES - 1).unwrap());
    }

    #[test]
    fn a_write_and_a_refresh_have_time_for_the_request_and_for_storing_its_result() {
        let request = delta(SALESFORCE_REQUEST);
        assert!(SALESFORCE_CONNECT < SALESFORCE_REQUEST);
        assert!(WRITE_TAKES >= request + delta(AWS_ATTEMPT));
        // Tokens that are not stored are lost, so there is time for a second attempt.
        assert!(REFRESH_TAKES >= request + delta(AWS_ATTEMPT) * 2);
        assert!(REFRESH_LEASE >= REFRESH_TAKES * 2 + delta(CONFIRM_AFTER));
        assert!(REVOKE_TAKES > request);
        assert!(QUICK_TRY_TAKES >= delta(QUICK_TRIES[1]) + request + WRITE_TAKES);
    }

    #[test]
    fn a_worker_can_finish_what_it_starts() {
        for takes in [WRITE_TAKES, REFRESH_TAKES, RETRY_FOR + delta(AWS_OPERATION)] {
            assert!((takes..SYNC_TIMEOUT).contains(&BEGIN_WITH), "{takes}");
        }
    }

    #[test]
    fn a_sweep_ends_before_the_next_one_and_has_time_for_a_refresh() {
        assert!(SWEEP_TIMEOUT < SWEEP_EVERY);
        assert!(SWEEP_TIMEOUT - SWEEP_STOPS_BEFORE > REFRESH_TAKES);
        assert!(SWEEP_STOPS_BEFORE > delta(QUEUE_SEND));
    }

    #[test]
    fn the_webhook_reaches_the_ledger_if_the_queue_does_not_respond() {
        assert!(API_TIMEOUT >= delta(QUEUE_SEND) + delta(AWS_ATTEMPT) * 2);
    }

    #[test]
    fn a_requested_retry_hands_the_rest_over_before_lambda_stops_it() {
        assert!((delta(QUEUE_SEND)..API_TIMEOUT).contains(&HAND_OVER_WITHIN));
    }

    #[test]
    fn a_new_lead_is_found_among_the_recent_records_or_by_search() {
        assert!(RECENT > ROW_LEASE + SETTLES);
        assert!(RECENT > SEARCH_LAGS);
        assert!(NUMBER_CLAIM_KEPT > SEARCH_LAGS);
        let said = format!("in the last {} minutes", RECENT.num_minutes());
        assert!(TOO_MANY_NEW_RECORDS.means.contains(&said), "{said}");
    }

    #[test]
    fn an_idle_connection_is_refreshed_twice_before_it_would_expire() {
        assert!(TOKENS_IDLE * 2 < REFRESH_TOKEN_LASTS);
    }

    #[test]
    fn an_admin_is_asked_for_the_new_address_before_retries_end() {
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
        // Functions behind API Gateway time out when it does.
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
    fn the_documents_state_these_times() {
        let seconds = |time: TimeDelta| time.num_seconds();
        for (path, said) in [
            (
                "docs/contract.md",
                format!(
                    "| a request to Salesforce | {} s, of which {} s to connect |\n\
                     | the worker's timeout | {} s; it starts no message with less than {} s left |\n\
                     | a row's lease | {} s |\n\
                     | a message's visibility timeout | {} s; after {RECEIVES} receives it moves to the dead-letter queue |\n\
                     | a woken row is left alone for | {} min |\n\
                     | a refresh needs / its lease lasts | {} s / {} s |\n\
                     | a connect flow | {} min |\n\
                     | what was learned about an org is remembered for | {} day |\n",
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
                    REMEMBERED_FOR.num_days(),
                ),
            ),
            (
                "docs/contract.md",
                format!(
                    "response within {} s, its calls become `retrying` (`timeout`) without a request: for {} s, then \
                     twice as long each time, up to {} minutes. After that time one call at a time tests the org, for \
                     {} s at most",
                    seconds(UNANSWERED_WITHIN),
                    seconds(BREAKER_SHORTEST),
                    BREAKER_LONGEST.num_minutes(),
                    seconds(BREAKER_TEST),
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
            assert!(states(path, &said), "{path}: {said}");
        }
    }

    #[test]
    fn the_documents_and_texts_state_when_a_call_is_tried_again() {
        let [soon, later, last] =
            [LATE_MATCHES[0].num_minutes(), LATE_MATCHES[1].num_hours(), LATE_MATCHES[2].num_hours()];
        let [first, longest] = [BACKOFF.start(), BACKOFF.end()].map(|time| in_words(*time));
        for (path, said) in [
            ("docs/contract.md", format!("searched again {soon} min, {later} h and {last} h after")),
            (
                "docs/operations.md",
                format!("again {soon} minutes, {later} hour and {last} hours after the call"),
            ),
            ("docs/openapi.yaml", format!("again after {soon} minutes, {later} hour and {last} hours.")),
            (
                "docs/operations.md",
                format!("Ringlog looks for new records for {}.", in_words(LATE_MATCHES[2])),
            ),
            (
                "docs/scale.md",
                format!("| {soon} min, {later} h, {last} h; a retry waits up to {first} at first"),
            ),
            ("dashboard/src/texts.ts", format!("We check again over the next {last} hours.")),
            ("docs/contract.md", format!("up to {first} at first, up to {longest} later")),
            ("docs/ARCHITECTURE.md", format!("(up to {first} at first, up to {longest} later)")),
            ("docs/operations.md", format!("after up to {first}, two, four … {longest}, for three days")),
        ] {
            assert!(states(path, &said), "{path}: {said}");
        }
    }

    #[test]
    fn the_documents_state_how_long_limits_and_refusals_are_remembered() {
        let [shortest, longest] = [CONCURRENT_LIMIT_PAUSE.start(), CONCURRENT_LIMIT_PAUSE.end()]
            .map(|pause| usize::try_from(pause.num_minutes()).unwrap());
        let (at_once, daily) = (words(shortest), in_words(DAILY_LIMIT_PAUSE));
        let remembered = in_words(REMEMBERED_FOR);
        for (path, said) in [
            ("docs/contract.md", format!("for {at_once} to {} minutes if too many requests", words(longest))),
            ("docs/contract.md", format!("for {daily} at a time if the day's requests")),
            ("docs/ARCHITECTURE.md", format!("for some minutes, or for {daily} at a time")),
            ("docs/operations.md", format!("or for {daily} at a time (the daily limit)")),
            ("docs/scale.md", format!("pauses for {daily}, at the limit of concurrent requests")),
            ("docs/scale.md", format!("concurrent requests for {shortest} to {longest} minutes.")),
            ("docs/scale.md", format!("within {} minute after the pause", words(1))),
            ("docs/ARCHITECTURE.md", format!("remembered in the same place for {remembered}")),
            ("docs/contract.md", format!("for {remembered} it is not tried again")),
            ("docs/operations.md", format!("For {remembered}, they are left out without asking.")),
        ] {
            assert!(states(path, &said), "{path}: {said}");
        }
        assert_eq!(RESUME_WITHIN.num_minutes(), 1);
    }

    #[test]
    fn the_documents_and_texts_state_how_long_a_connect_may_take() {
        let minutes = FLOW_LASTS.as_secs() / 60;
        let time = in_words(delta(FLOW_LASTS));
        for (path, said) in [
            ("docs/contract.md", format!("once, within {time},")),
            ("docs/ARCHITECTURE.md", format!("stores them for {time}")),
            ("docs/ARCHITECTURE.md", format!("only within {time}.")),
            ("docs/salesforce-setup.md", format!("more than {time} passed")),
            ("docs/security.md", format!("valid once and for {time}:")),
            ("docs/security.md", format!("| {time}; then DynamoDB deletes the row |")),
            ("docs/openapi.yaml", format!("The flow lasts {time}.")),
            ("docs/openapi.yaml", format!("The connect flow took longer than {time}.")),
            ("dashboard/src/texts.ts", format!("Connecting took longer than {minutes} minutes")),
        ] {
            assert!(states(path, &said), "{path}: {said}");
        }
    }
}
