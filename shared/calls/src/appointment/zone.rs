//! The zone of a local time.

mod words;

use chrono::{DateTime, FixedOffset, NaiveDateTime, Utc};

use crate::time_zone::TimeZone;
use words::Word;

/// A named zone, an offset, or a colloquial word.
#[derive(Debug, Clone, Copy)]
pub(super) enum Zone {
    /// `America/New_York`.
    Named(TimeZone),
    /// `-05:00`.
    Offset(FixedOffset),
    /// `EST`, `Eastern`: may be ambiguous.
    Word(Word),
}

/// The offsets that are in use, seconds.
const OFFSETS: std::ops::RangeInclusive<i32> = -12 * 3600..=14 * 3600;

impl Zone {
    /// Reads an IANA name, `UTC`, `GMT`, `Z`, an offset, or one of [`words`], in any case.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let name = text.replace(' ', "_");
        if name.contains('/') {
            return TimeZone::find(&name).map(Self::Named);
        }
        if let Some(word) = words::find(text) {
            return Some(Self::Word(word));
        }
        let name = name.to_ascii_uppercase();
        let offset = ["UTC", "GMT", "Z"].iter().find_map(|utc| name.strip_prefix(utc)).unwrap_or(&name);
        if offset.is_empty() {
            return Some(Self::Named(TimeZone::UTC));
        }
        // `5`, `05` and `0530`; `530` is more likely a typo than a zone.
        let digits = offset.strip_prefix(['+', '-'])?.replace(':', "");
        let full = if matches!(digits.len(), 1 | 2) { format!("{digits:0>2}00") } else { digits };
        let plain = full.len() == 4 && full.bytes().all(|b| b.is_ascii_digit());
        let offset: FixedOffset = plain.then(|| format!("{}{full}", &offset[..1]).parse().ok()).flatten()?;
        OFFSETS.contains(&offset.local_minus_utc()).then_some(Self::Offset(offset))
    }

    /// Whether it is UTC.
    pub(super) fn is_utc(self) -> bool {
        match self {
            Self::Named(zone) => zone == TimeZone::UTC,
            Self::Offset(offset) => offset.local_minus_utc() == 0,
            Self::Word(_) => false,
        }
    }

    /// The instant of a local time, like [`TimeZone::instant`]. `None` if the word is ambiguous and the `workspace`'s
    /// zone does not resolve it.
    pub(super) fn instant(self, local: NaiveDateTime, workspace: TimeZone) -> Option<DateTime<Utc>> {
        match self {
            Self::Named(zone) => Some(zone.instant(local)),
            Self::Offset(offset) => Some((local - offset).and_utc()),
            Self::Word(word) => word.instant(local, workspace),
        }
    }

    /// The local time at an instant.
    pub(super) fn local(self, instant: DateTime<Utc>) -> NaiveDateTime {
        match self {
            Self::Named(zone) => zone.local(instant),
            Self::Offset(offset) => instant.with_timezone(&offset).naive_local(),
            Self::Word(word) => word.zone().local(instant),
        }
    }
}
