//! The zone that a local time is meant in.

use chrono::{DateTime, FixedOffset, NaiveDateTime, Utc};

use crate::time_zone::TimeZone;

/// A zone with a name, or a plain offset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Zone {
    /// `America/New_York`.
    Named(TimeZone),
    /// `-05:00`.
    Offset(FixedOffset),
}

impl Zone {
    /// Reads an IANA name, `UTC`, `GMT`, `Z` or an offset, in whichever case. Abbreviations (`EST`, `CST`) are refused: who says EST in
    /// July means New York's time, which is another one, and CST is three.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let name = text.trim().replace(' ', "_");
        if name.contains('/') {
            return TimeZone::find(&name).map(Self::Named);
        }
        let name = name.to_ascii_uppercase();
        let offset = ["UTC", "GMT", "Z"].iter().find_map(|utc| name.strip_prefix(utc)).unwrap_or(&name);
        if offset.is_empty() {
            return Some(Self::Named(TimeZone::UTC));
        }
        // `5`, `05` and `0530`; `530` is more likely a typing error than a zone.
        let digits = offset.strip_prefix(['+', '-'])?.replace(':', "");
        let full = if matches!(digits.len(), 1 | 2) { format!("{digits:0>2}00") } else { digits };
        let plain = full.len() == 4 && full.bytes().all(|b| b.is_ascii_digit());
        let sign = &offset[..1];
        plain.then(|| format!("{sign}{full}").parse().ok().map(Self::Offset)).flatten()
    }

    /// The instant of a local time, by [`TimeZone::instant`].
    pub(super) fn instant(self, local: NaiveDateTime) -> DateTime<Utc> {
        match self {
            Self::Named(zone) => zone.instant(local),
            Self::Offset(offset) => (local - offset).and_utc(),
        }
    }
}
