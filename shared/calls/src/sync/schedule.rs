//! When a row is due again (design.md §5). All times are Unix seconds.

/// Records created after their call appear in Salesforce's search index late: looked for again at these ages.
const LATE_MATCHES: [i64; 3] = [5 * 60, 60 * 60, 24 * 60 * 60];
/// The first and the longest wait after a passing fault.
const BACKOFF: (i64, i64) = (60, 6 * 60 * 60);
/// How long a passing fault is taken to be passing.
const GIVE_UP_AFTER: i64 = 3 * 24 * 60 * 60;
const HOUR: i64 = 60 * 60;
const DAY: i64 = 24 * HOUR;

/// When to look again for a record that was not found, or never.
pub(super) fn late_match(created_at: i64, now: i64) -> Option<i64> {
    LATE_MATCHES.iter().map(|age| created_at + age).find(|due| *due > now)
}

/// When to try again after a passing fault: exponential with full jitter (`fraction` in `0.0..1.0`). `None`: it has
/// not passed for three days.
pub(super) fn retry(created_at: i64, attempts: u32, now: i64, fraction: f64) -> Option<i64> {
    if now - created_at >= GIVE_UP_AFTER {
        return None;
    }
    let (first, longest) = BACKOFF;
    let ceiling = (first << attempts.saturating_sub(1).min(16)).min(longest);
    #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation)]
    // At most six hours in seconds: exact in an f64.
    let jittered = (ceiling as f64 * fraction) as i64;
    Some(now + jittered.max(1))
}

/// When a call that waits for its workspace is looked at without a reconnect: hourly, later daily.
pub(super) fn waiting(created_at: i64, now: i64) -> i64 {
    now + if now - created_at < DAY { HOUR } else { DAY }
}

/// When to try again after too many requests at once: a few minutes, spread.
#[allow(clippy::cast_possible_truncation)] // Below five minutes in seconds.
pub(super) fn concurrent_limit(now: i64, fraction: f64) -> i64 {
    now + 60 + (fraction * 240.0) as i64
}

/// When to try again after the day's requests are used up: the window rolls, so each hour.
pub(super) fn daily_limit(now: i64) -> i64 {
    now + HOUR
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
        assert_eq!(retry(0, 1, 0, 0.999), Some(59));
        assert_eq!(retry(0, 1, 0, 0.0), Some(1));
        assert_eq!(retry(0, 4, 0, 0.5), Some(240));
        assert_eq!(retry(0, 60, 0, 0.999_999), Some(21_599));
        assert_eq!(retry(0, 60, GIVE_UP_AFTER, 0.5), None);
    }

    #[test]
    fn waiting_calls_are_looked_at_hourly_then_daily() {
        assert_eq!(waiting(0, 10), 10 + HOUR);
        assert_eq!(waiting(0, DAY), 2 * DAY);
    }
}
