//! When a row is due again (docs/contract.md#statuses). All times are Unix seconds.

use calls::timings::{
    BACKOFF, CONCURRENT_LIMIT_PAUSE, DAILY_LIMIT_PAUSE, GIVE_UP_AFTER, LATE_MATCHES, RESUME_WITHIN,
};

use crate::ledger::Failing;

const HOUR: i64 = 60 * 60;
const DAY: i64 = 24 * HOUR;

/// When to search again for a record that was not found; `None`: never.
pub fn late_match(created_at: i64, now: i64) -> Option<i64> {
    LATE_MATCHES.iter().map(|age| created_at + age.num_seconds()).find(|due| *due > now)
}

/// When to retry after passing faults: exponential backoff with full jitter (`fraction` in `0.0..1.0`).
/// `None`: never, because they have lasted for three days.
pub fn retry(failing: Failing, now: i64, fraction: f64) -> Option<i64> {
    if now - failing.since >= GIVE_UP_AFTER.num_seconds() {
        return None;
    }
    let (first, longest) = (BACKOFF.start().num_seconds(), BACKOFF.end().num_seconds());
    let ceiling = (first << failing.times.saturating_sub(1).min(16)).min(longest);
    Some(now + spread(ceiling, fraction).max(1))
}

/// When to check a call that waits for its workspace's connection: every hour, after a day every day.
pub fn waiting(created_at: i64, now: i64) -> i64 {
    now + if now - created_at < DAY { HOUR } else { DAY }
}

/// When to end the pause of a workspace whose org has too many concurrent requests: after a few minutes.
pub fn concurrent_limit(now: i64, fraction: f64) -> i64 {
    let shortest = CONCURRENT_LIMIT_PAUSE.start().num_seconds();
    let longest = CONCURRENT_LIMIT_PAUSE.end().num_seconds();
    now + shortest + spread(longest - shortest, fraction)
}

/// When to end the pause of a workspace whose org has used up its daily requests.
pub fn daily_limit(now: i64) -> i64 {
    now + DAILY_LIMIT_PAUSE.num_seconds()
}

/// When a call of a paused workspace is due: soon after the pause, spread over a minute.
pub fn after_pause(until: i64, fraction: f64) -> i64 {
    until + spread(RESUME_WITHIN.num_seconds(), fraction)
}

/// When to try a call again that gave way to those of other workspaces: within a minute.
pub fn crowded(now: i64, fraction: f64) -> i64 {
    now + 15 + spread(45, fraction)
}

/// The fraction of a number of seconds.
#[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation)]
// At most six hours in seconds: exact in an f64.
fn spread(seconds: i64, fraction: f64) -> i64 {
    (seconds as f64 * fraction) as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_record_is_searched_for_three_more_times() {
        assert_eq!(late_match(1000, 1000), Some(1300));
        assert_eq!(late_match(1000, 1300), Some(4600));
        assert_eq!(late_match(1000, 4600), Some(87_400));
        assert_eq!(late_match(1000, 87_400), None);
    }

    #[test]
    fn retries_back_off_exponentially_with_jitter() {
        let times = |times| Failing { since: 0, times };
        assert_eq!(retry(times(1), 0, 0.999), Some(59));
        assert_eq!(retry(times(1), 0, 0.0), Some(1));
        assert_eq!(retry(times(4), 0, 0.5), Some(240));
        assert_eq!(retry(times(60), 0, 0.999_999), Some(21_599));
    }

    #[test]
    fn retries_end_three_days_after_the_first_fault() {
        let failing = Failing { since: 1000, times: 30 };
        assert!(retry(failing, 1000 + GIVE_UP_AFTER.num_seconds() - 1, 0.5).is_some());
        assert_eq!(retry(failing, 1000 + GIVE_UP_AFTER.num_seconds(), 0.5), None);
    }

    #[test]
    fn a_limit_pauses_for_minutes_or_an_hour_and_calls_resume_spread_out() {
        assert_eq!((concurrent_limit(0, 0.0), concurrent_limit(0, 0.999)), (60, 299));
        assert_eq!(daily_limit(0), HOUR);
        assert_eq!((after_pause(100, 0.0), after_pause(100, 0.5)), (100, 130));
    }

    #[test]
    fn waiting_calls_are_checked_hourly_then_daily() {
        assert_eq!(waiting(0, 10), 10 + HOUR);
        assert_eq!(waiting(0, DAY), 2 * DAY);
    }
}
