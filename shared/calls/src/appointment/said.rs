//! What each field says of when an appointment begins, and the one instant that all of them mean.

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Utc};

use super::{
    clock::{self, Offset},
    zone::Zone,
};
use crate::time_zone::TimeZone;

/// What one field says. Midnight in a date-time says no time: it is what a schema that knows only date-times makes of a day.
#[derive(Debug, Clone, Copy)]
pub(super) struct Said<'a> {
    /// As it is written.
    pub(super) text: &'a str,
    /// The day.
    pub(super) day: Option<NaiveDate>,
    /// The time of day.
    pub(super) time: Option<NaiveTime>,
    /// Where the time is meant, if the field says so.
    at: Option<At>,
}

#[derive(Debug, Clone, Copy)]
enum At {
    /// `Z`: UTC, or what a serializer writes after any time.
    Z,
    /// An offset or a word.
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

/// When an appointment begins.
#[derive(Debug, Clone, Copy)]
pub(super) struct Begin {
    /// The instant.
    pub(super) instant: DateTime<Utc>,
    /// The day, where it is said in `zone`; `None`: it follows from an instant with an offset.
    pub(super) day: Option<NaiveDate>,
    /// Where its times are meant.
    zone: Zone,
    /// Whether it was written with a serializer's `Z`.
    has_false_z: bool,
}

/// Why the fields mean no instant.
#[derive(Debug, Clone, Copy)]
pub(super) enum NoBegin<'a> {
    /// No field says a day.
    NoDay,
    /// No field says a time.
    NoTime,
    /// Two say different things.
    Contradiction(&'a str, &'a str),
    /// The zone may be several.
    AmbiguousZone(&'a str),
}

impl<'a> Said<'a> {
    /// Reads a day: `2027-01-27`, or a date-time.
    pub(super) fn date(text: &'a str) -> Option<Self> {
        Self::day(text).or_else(|| Self::full(text)).or_else(|| Self::in_parts(text))
    }

    fn day(text: &'a str) -> Option<Self> {
        Some(Self { text, day: Some(clock::day(text)?), time: None, at: None })
    }

    /// Reads a time of day, with its zone where it has one, or a date-time.
    pub(super) fn time(text: &'a str) -> Option<Self> {
        Self::full(text).or_else(|| Self::time_of_day(text)).or_else(|| Self::in_parts(text))
    }

    /// Reads day and time in one; either alone is all that it says then.
    pub(super) fn date_time(text: &'a str) -> Option<Self> {
        Self::date(text).or_else(|| Self::time_of_day(text))
    }

    /// A day, and a time after it: `2027-01-27 2 PM`.
    fn in_parts(text: &'a str) -> Option<Self> {
        let day = clock::day(text.get(..clock::DAY_LENGTH)?)?;
        let rest = text[clock::DAY_LENGTH..].trim_start_matches([',', ' ']);
        let rest = rest.strip_prefix("at ").unwrap_or(rest);
        // `2:00` might be two at night here.
        let surely = rest.contains(char::is_alphabetic) || rest.find(':') == Some(2);
        Self::time_of_day(rest).filter(|_| surely).map(|time| Self { text, day: Some(day), ..time })
    }

    /// A full date-time: `2027-01-27T14:00:00`, with an offset or a zone after it or without.
    fn full(text: &'a str) -> Option<Self> {
        let of = |local: NaiveDateTime, at: Option<At>| {
            let time = Some(local.time()).filter(|time| *time != NaiveTime::MIN);
            Self { text, day: Some(local.date()), time, at: at.filter(|_| time.is_some()) }
        };
        // `+00:00` and `UTC` are serializers' as well.
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
            // `9:00-10:00` is a span, and `14:00:00-05:00` (RFC 3339, `full-time`) is a time.
            let is_full = clock.matches(':').count() == 2 || zone.starts_with('+');
            let zone = zone.trim().trim_start_matches('(').trim_end_matches(')');
            let zone = Zone::parse(zone)
                .filter(|_| if attached { is_full } else { !zone.starts_with(['+', '-']) })?;
            Some(of(time, Some(At::Zone(zone))))
        };
        let breaks = text.match_indices([' ', '\u{a0}', '\u{202f}', '+', '-', '(']);
        breaks.map(|(index, _)| index).find_map(with_zone)
    }

    /// Whether day, time and zone are all said.
    pub(super) fn is_instant(&self) -> bool {
        self.day.is_some() && self.time.is_some() && self.at.is_some()
    }
}

/// Roughly when an appointment begins, wherever that is: the first day and the first time that are said. `None`: one of them
/// is missing.
pub(super) fn rough(said: &[Said<'_>]) -> Option<NaiveDateTime> {
    let day = said.iter().find_map(|one| one.day)?;
    said.iter().find_map(|one| one.time).map(|time| day.and_time(time))
}

/// The one instant that all fields mean. Those that do not say where are meant in `zone`, if the report names one, or in
/// the workspace's.
pub(super) fn begin<'a>(
    said: &[Said<'a>],
    zone: Option<(&'a str, Zone)>,
    workspace: TimeZone,
) -> Result<Begin, NoBegin<'a>> {
    let zs = |said: &[Said<'a>]| said.iter().filter(|one| matches!(one.at, Some(At::Z))).count();
    let zs_written = zs(said);
    let said: Vec<Said<'a>> = said.iter().map(|one| without_serializers_z(*one, said)).collect();
    let has_false_z = zs(&said) < zs_written;
    let day = said.iter().find_map(|one| one.day).ok_or(NoBegin::NoDay)?;
    if said.iter().all(|one| one.time.is_none()) {
        return Err(NoBegin::NoTime);
    }
    let named = zone;
    let zone = named.map_or(Zone::Named(workspace), |(_, zone)| zone);
    // A word that may mean several is settled by the zone that is named beside it.
    let workspace = if let Zone::Named(zone) = zone { zone } else { workspace };
    let placed: Vec<Placed<'a>> = said.iter().filter_map(|one| Placed::of(one, day)).collect();
    let plain: Vec<Said<'a>> = said.into_iter().filter(|one| one.at.is_none()).collect();
    let Some(first) = placed.first() else {
        return Ok(Begin { has_false_z, ..of_plain(&plain, zone, workspace)? });
    };

    let instant = first.instant(workspace)?;
    for other in &placed {
        let contradicts = NoBegin::Contradiction(first.text, other.text);
        if other.instant(workspace)? != instant {
            return Err(contradicts);
        }
        if let Some((name, zone)) = named.filter(|_| !other.says_day)
            && zone.local(instant).time() != other.time
        {
            return Err(NoBegin::Contradiction(other.text, name));
        }
    }
    let here = zone.local(instant);
    // A day of the workspace's, as JavaScript writes it: its midnight in UTC.
    if first.is_z() && here.time() == NaiveTime::MIN && plain.iter().all(|one| one.time.is_none()) {
        return Err(NoBegin::NoTime);
    }
    for one in &plain {
        let agrees =
            |day, time| one.day.is_none_or(|own| own == day) && one.time.is_none_or(|own| own == time);
        let as_written = placed.iter().any(|other| !other.is_z() && agrees(other.day, other.time));
        if !as_written && !agrees(here.date(), here.time()) {
            return Err(NoBegin::Contradiction(one.text, first.text));
        }
    }
    let zone = placed.iter().find(|one| !one.is_z()).map_or(zone, |one| one.at.zone());
    Ok(Begin { instant, day: None, zone, has_false_z })
}

/// Minutes: an end without a day that is further away than this is rather an error than one of the next day.
const LONGEST_OVER_MIDNIGHT: f64 = 12.0 * 60.0;

/// Minutes from the beginning to an end; `None`: it cannot be read, or is none.
pub(super) fn minutes_until(end: &str, begin: Begin, workspace: TimeZone) -> Option<f64> {
    let end = Said::date_time(end)?;
    let zone = match end.at {
        // A serializer's, as the beginning's was.
        None => begin.zone,
        Some(At::Z) if begin.has_false_z => begin.zone,
        Some(at) => at.zone(),
    };
    let day = end.day.unwrap_or_else(|| zone.local(begin.instant).date());
    let length = |day: NaiveDate| {
        let length = zone.instant(day.and_time(end.time?), workspace)? - begin.instant;
        Some(length.as_seconds_f64() / 60.0)
    };
    let same_day = length(day)?;
    // From half past eleven at night to half past twelve.
    let next_day = day.succ_opt().filter(|_| end.day.is_none() && same_day <= 0.0).and_then(length);
    next_day.filter(|minutes| *minutes <= LONGEST_OVER_MIDNIGHT).or(Some(same_day))
}

/// A time with its place and its day, which another field may say.
struct Placed<'a> {
    text: &'a str,
    day: NaiveDate,
    says_day: bool,
    time: NaiveTime,
    at: At,
}

impl<'a> Placed<'a> {
    fn of(said: &Said<'a>, day: NaiveDate) -> Option<Self> {
        let (time, at) = said.time.zip(said.at)?;
        let says_day = said.day.is_some();
        Some(Self { text: said.text, day: said.day.unwrap_or(day), says_day, time, at })
    }

    fn is_z(&self) -> bool {
        matches!(self.at, At::Z)
    }

    fn instant(&self, workspace: TimeZone) -> Result<DateTime<Utc>, NoBegin<'a>> {
        let local = self.day.and_time(self.time);
        self.at.zone().instant(local, workspace).ok_or(NoBegin::AmbiguousZone(self.text))
    }
}

/// Beside the same time without a zone, a `Z` is what a serializer wrote.
fn without_serializers_z<'a>(one: Said<'a>, said: &[Said<'a>]) -> Said<'a> {
    let same = |other: &Said<'_>| other.at.is_none() && other.time.is_some() && other.time == one.time;
    let is_serializers = matches!(one.at, Some(At::Z)) && said.iter().any(same);
    Said { at: one.at.filter(|_| !is_serializers), ..one }
}

fn of_plain<'a>(said: &[Said<'a>], zone: Zone, workspace: TimeZone) -> Result<Begin, NoBegin<'a>> {
    let (day, _) = the_same(said, |one| one.day)?.ok_or(NoBegin::NoDay)?;
    let (time, text) = the_same(said, |one| one.time)?.ok_or(NoBegin::NoTime)?;
    let instant = zone.instant(day.and_time(time), workspace).ok_or(NoBegin::AmbiguousZone(text))?;
    Ok(Begin { instant, day: Some(day), zone, has_false_z: false })
}

/// What several fields say alike, and the first of them.
fn the_same<'a, T: PartialEq>(
    said: &[Said<'a>],
    part: impl Fn(&Said<'a>) -> Option<T>,
) -> Result<Option<(T, &'a str)>, NoBegin<'a>> {
    let mut parts = said.iter().filter_map(|one| Some((part(one)?, one.text)));
    let Some(first) = parts.next() else { return Ok(None) };
    match parts.find(|other| other.0 != first.0) {
        Some(other) => Err(NoBegin::Contradiction(first.1, other.1)),
        None => Ok(Some(first)),
    }
}
