//! The zone that a local time is meant in, and what happens where its clocks change.

use chrono::{DateTime, FixedOffset, MappedLocalTime, NaiveDateTime, Offset, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;

/// A zone with a name, or a plain offset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Zone {
    /// `America/New_York`.
    Named(Tz),
    /// `-05:00`.
    Offset(FixedOffset),
}

impl Zone {
    /// Reads an IANA name, `UTC`, `GMT`, `Z` or an offset, in whichever case. Abbreviations (`EST`, `CST`) are refused: who says EST in
    /// July means New York's time, which is another one, and CST is three.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let name = text.trim().replace(' ', "_");
        if name.contains('/') {
            let zone = chrono_tz::TZ_VARIANTS.iter().find(|zone| zone.name().eq_ignore_ascii_case(&name));
            return zone.copied().map(Self::Named);
        }
        let name = name.to_ascii_uppercase();
        let offset = ["UTC", "GMT", "Z"].iter().find_map(|utc| name.strip_prefix(utc)).unwrap_or(&name);
        if offset.is_empty() {
            return Some(Self::Named(Tz::UTC));
        }
        // `5`, `05` and `0530`; `530` is more likely a typing error than a zone.
        let digits = offset.strip_prefix(['+', '-'])?.replace(':', "");
        let full = if matches!(digits.len(), 1 | 2) { format!("{digits:0>2}00") } else { digits };
        let plain = full.len() == 4 && full.bytes().all(|b| b.is_ascii_digit());
        let sign = &offset[..1];
        plain.then(|| format!("{sign}{full}").parse().ok().map(Self::Offset)).flatten()
    }

    /// The instant of a local time. One that a clock change skips moves forward by the gap; of one that happens twice
    /// it is the first.
    pub(super) fn instant(self, local: NaiveDateTime) -> DateTime<Utc> {
        match self {
            Self::Named(zone) => resolve(&zone, local),
            Self::Offset(zone) => resolve(&zone, local),
        }
    }
}

fn resolve<Z: TimeZone>(zone: &Z, local: NaiveDateTime) -> DateTime<Utc> {
    match zone.from_local_datetime(&local) {
        MappedLocalTime::Single(instant) => instant.to_utc(),
        MappedLocalTime::Ambiguous(one, other) => one.to_utc().min(other.to_utc()),
        // By the offset of the day before: what the clocks would show had they not changed.
        MappedLocalTime::None => {
            let before = zone.offset_from_utc_datetime(&(local - TimeDelta::days(1))).fix();
            (local - before).and_utc()
        }
    }
}
