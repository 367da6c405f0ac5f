//! What each field says about an appointment's start, and the one instant that all of them mean.

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Utc};

use super::{
    clock::{self, Offset},
    zone::Zone,
};
use crate::time_zone::TimeZone;

/// What one field says. Midnight in a date-time is not a time: it is what a schema that knows only date-times makes
/// of a day.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reading<'a> {
    /// The text.
    pub(super) text: &'a str,
    /// The day.
    pub(super) day: Option<NaiveDate>,
    /// The time of day.
    pub(super) time: Option<NaiveTime>,
    /// The zone of the time, if the field has one.
    at: Option<At>,
}

#[derive(Debug, Clone, Copy)]
enum At {
    /// `Z`: UTC, or what a serializer adds to any time.
    Z,
    /// An offset or a zone.
    Zone(Zone),
}

impl At {
    fn zone(self) -> Zone {
        match self {
            Self::Z => Zone::Named(TimeZone::UTC),
            Self::Zone(zone) => zone,
        }
    }
}

/// An appointment's start.
#[derive(Debug, Clone, Copy)]
pub(super) struct Start {
    /// The instant.
    pub(super) instant: DateTime<Utc>,
    /// The day in `zone`; `None` if it follows from an instant with an offset.
    pub(super) day: Option<NaiveDate>,
    /// The zone of the appointment's times.
    zone: Zone,
    /// Whether it had a serializer's `Z`.
    has_false_z: bool,
}

/// Why the fields give no instant.
#[derive(Debug, Clone, Copy)]
pub(super) enum StartError<'a> {
    /// No field has a day.
    NoDay,
    /// No field has a time.
    NoTime,
    /// Two fields contradict each other.
    Contradiction(&'a str, &'a str),
    /// The zone is ambiguous.
    AmbiguousZone(&'a str),
}

impl<'a> Reading<'a> {
    /// Reads a day: `2027-01-27`, or a date-time.
    pub(super) fn date(text: &'a str) -> Option<Self> {
        Self::day(text).or_else(|| Self::full(text)).or_else(|| Self::day_then_time(text))
    }

    fn day(text: &'a str) -> Option<Self> {
        Some(Self { text, day: Some(clock::day(text)?), time: None, at: None })
    }

    /// Reads a time of day, with its zone if it has one, or a date-time.
    pub(super) fn time(text: &'a str) -> Option<Self> {
        Self::full(text).or_else(|| Self::time_of_day(text)).or_else(|| Self::day_then_time(text))
    }

    /// Reads a date and time in one; either can be missing.
    pub(super) fn date_time(text: &'a str) -> Option<Self> {
        Self::date(text).or_else(|| Self::time_of_day(text))
    }

    /// A day followed by a time: `2027-01-27 2 PM`.
    fn day_then_time(text: &'a str) -> Option<Self> {
        let day = clock::day(text.get(..clock::DAY_LENGTH)?)?;
        let rest = text[clock::DAY_LENGTH..].trim_start_matches([',', ' ']);
        let rest = rest.strip_prefix("at ").unwrap_or(rest);
        // Here `2:00` might mean two in the morning.
        let is_unambiguous = rest.contains(char::is_alphabetic) || rest.find(':') == Some(2);
        Self::time_of_day(rest).filter(|_| is_unambiguous).map(|time| Self { text, day: Some(day), ..time })
    }

    /// A full date-time: `2027-01-27T14:00:00`, with or without an offset or a zone.
    fn full(text: &'a str) -> Option<Self> {
        let of = |local: NaiveDateTime, at: Option<At>| {
            let time = Some(local.time()).filter(|time| *time != NaiveTime::MIN);
            Self { text, day: Some(local.date()), time, at: at.filter(|_| time.is_some()) }
        };
        // Serializers write `+00:00` and `UTC` too.
        let at = |offset| match offset {
            Offset::Z => At::Z,
            Offset::Of(offset) if offset.local_minus_utc() == 0 => At::Z,
            Offset::Of(offset) => At::Zone(Zone::Offset(offset)),
        };
        if let Some((local, offset)) = clock::date_time(text) {
            return Some(of(local, offset.map(at)));
        }
        let with_word = |index| {
            let (local, offset) = clock::date_time(&text[..index])?;
            let zone = Zone::parse(&text[index..]).filter(|_| offset.is_none())?;
            Some(of(local, Some(if zone.is_utc() { At::Z } else { At::Zone(zone) })))
        };
        text.match_indices(' ').find_map(|(index, _)| with_word(index))
    }

    fn time_of_day(text: &'a str) -> Option<Self> {
        let of = |time, at| Self { text, day: None, time: Some(time), at };
        if let Some(time) = clock::time_of_day(text) {
            return Some(of(time, None));
        }
        let with_zone = |index: usize| {
            let (clock, zone) = text.split_at(index);
            let time = clock::time_of_day(clock.trim_end_matches([',', ' ']))?;
            let attached = zone.starts_with(['+', '-']);
            // `9:00-10:00` is a time span, but `14:00:00-05:00` (RFC 3339, `full-time`) is a time.
            let is_full = clock.matches(':').count() == 2 || zone.starts_with('+');
            let zone = zone.trim().trim_start_matches('(').trim_end_matches(')');
            let zone = Zone::parse(zone)
                .filter(|_| if attached { is_full } else { !zone.starts_with(['+', '-']) })?;
            Some(of(time, Some(At::Zone(zone))))
        };
        let breaks = text.match_indices([' ', '\u{a0}', '\u{202f}', '+', '-', '(']);
        breaks.map(|(index, _)| index).find_map(with_zone)
    }

    /// Whether it has a day, a time and a zone.
    pub(super) fn is_instant(&self) -> bool {
        self.day.is_some() && self.time.is_some() && self.at.is_some()
    }
}

/// The approximate start, in no particular zone: the first day and the first time; `None` if either is missing.
pub(super) fn approximate(readings: &[Reading<'_>]) -> Option<NaiveDateTime> {
    let day = readings.iter().find_map(|one| one.day)?;
    readings.iter().find_map(|one| one.time).map(|time| day.and_time(time))
}

/// The one instant that all fields mean. Fields without a zone are in `zone`, if the report names one, or in the
/// workspace's.
pub(super) fn start<'a>(
    readings: &[Reading<'a>],
    zone: Option<(&'a str, Zone)>,
    workspace: TimeZone,
) -> Result<Start, StartError<'a>> {
    let zs = |readings: &[Reading<'a>]| readings.iter().filter(|one| matches!(one.at, Some(At::Z))).count();
    let zs_written = zs(readings);
    let readings: Vec<Reading<'a>> =
        readings.iter().map(|one| without_serializer_z(*one, readings)).collect();
    let has_false_z = zs(&readings) < zs_written;
    let day = readings.iter().find_map(|one| one.day).ok_or(StartError::NoDay)?;
    if readings.iter().all(|one| one.time.is_none()) {
        return Err(StartError::NoTime);
    }
    let named = zone;
    let zone = named.map_or(Zone::Named(workspace), |(_, zone)| zone);
    // An ambiguous word is resolved by the zone named next to it.
    let workspace = if let Zone::Named(zone) = zone { zone } else { workspace };
    let zoned: Vec<Zoned<'a>> = readings.iter().filter_map(|one| Zoned::of(one, day)).collect();
    let unzoned: Vec<Reading<'a>> = readings.into_iter().filter(|one| one.at.is_none()).collect();
    let Some(first) = zoned.first() else {
        return Ok(Start { has_false_z, ..from_unzoned(&unzoned, zone, workspace)? });
    };

    let instant = first.instant(workspace)?;
    for other in &zoned {
        let contradicts = StartError::Contradiction(first.text, other.text);
        if other.instant(workspace)? != instant {
            return Err(contradicts);
        }
        if let Some((name, zone)) = named.filter(|_| !other.says_day)
            && zone.local(instant).time() != other.time
        {
            return Err(StartError::Contradiction(other.text, name));
        }
    }
    let here = zone.local(instant);
    // A day in the workspace's zone, as JavaScript serializes it: its midnight in UTC.
    if first.is_z() && here.time() == NaiveTime::MIN && unzoned.iter().all(|one| one.time.is_none()) {
        return Err(StartError::NoTime);
    }
    for one in &unzoned {
        let agrees =
            |day, time| one.day.is_none_or(|own| own == day) && one.time.is_none_or(|own| own == time);
        let as_written = zoned.iter().any(|other| !other.is_z() && agrees(other.day, other.time));
        if !as_written && !agrees(here.date(), here.time()) {
            return Err(StartError::Contradiction(one.text, first.text));
        }
    }
    let zone = zoned.iter().find(|one| !one.is_z()).map_or(zone, |one| one.at.zone());
    Ok(Start { instant, day: None, zone, has_false_z })
}

/// Minutes: an end without a day that is later than this is more likely an error than a time on the next day.
const LONGEST_PAST_MIDNIGHT: f64 = 12.0 * 60.0;

/// Minutes from the start to an end; `None` if the end cannot be read, or is not one.
pub(super) fn minutes_until(end: &str, start: Start, workspace: TimeZone) -> Option<f64> {
    let end = Reading::date_time(end)?;
    let zone = match end.at {
        // A serializer's, like the start's.
        None => start.zone,
        Some(At::Z) if start.has_false_z => start.zone,
        Some(at) => at.zone(),
    };
    let day = end.day.unwrap_or_else(|| zone.local(start.instant).date());
    let length = |day: NaiveDate| {
        let length = zone.instant(day.and_time(end.time?), workspace)? - start.instant;
        Some(length.as_seconds_f64() / 60.0)
    };
    let same_day = length(day)?;
    // For example from 23:30 to 00:30.
    let next_day = day.succ_opt().filter(|_| end.day.is_none() && same_day <= 0.0).and_then(length);
    next_day.filter(|minutes| *minutes <= LONGEST_PAST_MIDNIGHT).or(Some(same_day))
}

/// A time with its zone and its day; the day may come from another field.
struct Zoned<'a> {
    text: &'a str,
    day: NaiveDate,
    says_day: bool,
    time: NaiveTime,
    at: At,
}

impl<'a> Zoned<'a> {
    fn of(reading: &Reading<'a>, day: NaiveDate) -> Option<Self> {
        let (time, at) = reading.time.zip(reading.at)?;
        let says_day = reading.day.is_some();
        Some(Self { text: reading.text, day: reading.day.unwrap_or(day), says_day, time, at })
    }

    fn is_z(&self) -> bool {
        matches!(self.at, At::Z)
    }

    fn instant(&self, workspace: TimeZone) -> Result<DateTime<Utc>, StartError<'a>> {
        let local = self.day.and_time(self.time);
        self.at.zone().instant(local, workspace).ok_or(StartError::AmbiguousZone(self.text))
    }
}

/// Next to the same time without a zone, a `Z` was added by a serializer.
fn without_serializer_z<'a>(one: Reading<'a>, readings: &[Reading<'a>]) -> Reading<'a> {
    let same = |other: &Reading<'_>| other.at.is_none() && other.time.is_some() && other.time == one.time;
    let is_from_serializer = matches!(one.at, Some(At::Z)) && readings.iter().any(same);
    Reading { at: one.at.filter(|_| !is_from_serializer), ..one }
}

fn from_unzoned<'a>(
    readings: &[Reading<'a>],
    zone: Zone,
    workspace: TimeZone,
) -> Result<Start, StartError<'a>> {
    let (day, _) = agreed(readings, |one| one.day)?.ok_or(StartError::NoDay)?;
    let (time, text) = agreed(readings, |one| one.time)?.ok_or(StartError::NoTime)?;
    let instant = zone.instant(day.and_time(time), workspace).ok_or(StartError::AmbiguousZone(text))?;
    Ok(Start { instant, day: Some(day), zone, has_false_z: false })
}

/// The value that all fields agree on, and the text of the first.
fn agreed<'a, T: PartialEq>(
    readings: &[Reading<'a>],
    part: impl Fn(&Reading<'a>) -> Option<T>,
) -> Result<Option<(T, &'a str)>, StartError<'a>> {
    let mut parts = readings.iter().filter_map(|one| Some((part(one)?, one.text)));
    let Some(first) = parts.next() else { return Ok(None) };
    match parts.find(|other| other.0 != first.0) {
        Some(other) => Err(StartError::Contradiction(first.1, other.1)),
        None => Ok(Some(first)),
    }
}
