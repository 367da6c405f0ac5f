//! When a row is due again (docs/contract.md#statuses). All times are Unix seconds.

use calls::timings::GIVE_UP_AFTER;

use crate::ledger::Failing;

/// Records created after their call appear in Salesforce's search index late: looked for again at these ages.
const LATE_MATCHES: [i64; 3] = [5 * 60, 60 * 60, 24 * 60 * 60];
/// The first and the longest wait after a passing fault.
const BACKOFF: (i64, i64) = (60, 6 * 60 * 60);
const HOUR: i64 = 60 * 60;
const DAY: i64 = 24 * HOUR;

/// When to look again for a record that was not found, or never.
pub fn late_match(created_at: i64, now: i64) -> Option<i64> {
    LATE_MATCHES.iter().map(|age| created_at + age).find(|due| *due > now)
}

/// When to try again after passing faults: exponential with full jitter (`fraction` in `0.0..1.0`). `None`: they have
/// not passed for three days.
pub fn retry(failing: Failing, now: i64, fraction: f64) -> Option<i64> {
    if now - failing.since >= GIVE_UP_AFTER.num_seconds() {
        return None;
    }
    let (first, longest) = BACKOFF;
    let ceiling = (first << failing.times.saturating_sub(1).min(16)).min(longest);
    Some(now + spread(ceiling, fraction).max(1))
}

/// When a call that waits for its workspace is looked at without a reconnect: hourly, later daily.
pub fn waiting(created_at: i64, now: i64) -> i64 {
    now + if now - created_at < DAY { HOUR } else { DAY }
}

/// Until when a workspace pauses whose org has too many requests at once: some minutes.
pub fn concurrent_limit(now: i64, fraction: f64) -> i64 {
    now + 60 + spread(4 * 60, fraction)
}

/// Until when a workspace pauses whose org has used up its requests of the day. The window of 24 hours rolls, so it is
/// tried again each hour.
pub fn daily_limit(now: i64) -> i64 {
    now + HOUR
}

/// When a call of a paused workspace is due: soon after the pause, and not all at once.
pub fn after_pause(until: i64, fraction: f64) -> i64 {
    until + spread(60, fraction)
}

/// A share of some seconds.
#[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation)]
// At most six hours in seconds: exact in an f64.
fn spread(seconds: i64, fraction: f64) -> i64 {
    (seconds as f64 * fraction) as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_record_is_looked_for_three_times() {
        assert_eq!(late_match(1000, 1000), Some(1300));
        assert_eq!(late_match(1000, 1300), Some(4600));
        assert_eq!(late_match(1000, 4600), Some(87_400));
        assert_eq!(late_match(1000, 87_400), None);
    }

    #[test]
    fn retries_spread_over_a_growing_time() {
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
    fn a_limit_pauses_for_minutes_or_an_hour_and_its_calls_come_back_spread() {
        assert_eq!((concurrent_limit(0, 0.0), concurrent_limit(0, 0.999)), (60, 299));
        assert_eq!(daily_limit(0), HOUR);
        assert_eq!((after_pause(100, 0.0), after_pause(100, 0.5)), (100, 130));
    }

    #[test]
    fn waiting_calls_are_looked_at_hourly_then_daily() {
        assert_eq!(waiting(0, 10), 10 + HOUR);
        assert_eq!(waiting(0, DAY), 2 * DAY);
    }
}
