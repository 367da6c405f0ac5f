//! Dates in conditions: days, instants, and names such as `TODAY` and `LAST_N_DAYS:7`.

use chrono::{DateTime, Days, NaiveDate, NaiveTime, TimeDelta, Utc};
use chrono_tz::Tz;

use crate::objects::value::{parse_date, parse_instant};

/// The first and last day that a name stands for, in the user's time zone.
pub(crate) fn named_days(word: &str, now: DateTime<Utc>, zone: Tz) -> Option<(NaiveDate, NaiveDate)> {
    let today = now.with_timezone(&zone).date_naive();
    let back = |days| today.checked_sub_days(Days::new(days));
    let ahead = |days| today.checked_add_days(Days::new(days));
    let upper = word.to_ascii_uppercase();
    let (name, count) = upper.split_once(':').unwrap_or((&upper, ""));
    let count: Option<u64> = count.parse().ok();
    Some(match (name, count) {
        ("TODAY", None) => (today, today),
        ("YESTERDAY", None) => (back(1)?, back(1)?),
        ("TOMORROW", None) => (ahead(1)?, ahead(1)?),
        ("LAST_N_DAYS", Some(n)) => (back(n)?, today),
        ("NEXT_N_DAYS", Some(n)) => (ahead(1)?, ahead(n)?),
        _ => return None,
    })
}

/// The first and last day that a word stands for in a condition on a date.
pub(crate) fn days(word: &str, now: DateTime<Utc>, zone: Tz) -> Option<(NaiveDate, NaiveDate)> {
    named_days(word, now, zone).or_else(|| parse_date(word).map(|day| (day, day)))
}

/// The first and last instant that a word stands for in a condition on a date and time.
pub(crate) fn instants(word: &str, now: DateTime<Utc>, zone: Tz) -> Option<(DateTime<Utc>, DateTime<Utc>)> {
    if let Some((first, last)) = named_days(word, now, zone) {
        let end = midnight(last.succ_opt()?, zone)? - TimeDelta::milliseconds(1);
        return Some((midnight(first, zone)?, end));
    }
    parse_instant(word).map(|at| (at, at))
}

fn midnight(day: NaiveDate, zone: Tz) -> Option<DateTime<Utc>> {
    day.and_time(NaiveTime::MIN).and_local_timezone(zone).earliest().map(|at| at.to_utc())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn today_is_a_day_in_the_users_time_zone() {
        let now = parse_instant("2026-01-15T03:00:00Z").unwrap();
        let zone = chrono_tz::America::New_York;
        let (first, last) = instants("today", now, zone).unwrap();
        assert_eq!(first, parse_instant("2026-01-14T05:00:00Z").unwrap());
        assert_eq!(last, parse_instant("2026-01-15T04:59:59.999Z").unwrap());
        assert_eq!(days("LAST_N_DAYS:2", now, zone).unwrap().0, parse_date("2026-01-12").unwrap());
    }

    #[test]
    fn a_day_is_not_an_instant() {
        assert_eq!(instants("2026-01-15", Utc::now(), Tz::UTC), None);
        assert_eq!(days("2026-01-15T00:00:00Z", Utc::now(), Tz::UTC), None);
        assert_eq!(days("LAST_N_DAYS", Utc::now(), Tz::UTC), None);
    }
}
