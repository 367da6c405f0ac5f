//! Appointments: from what the agent noted to two instants (docs/contract.md#appointments).

mod clock;
mod duration;
pub(crate) mod key;
mod said;
pub(crate) mod verdict;
mod zone;

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::{
    reason::Reason,
    text::{self, present},
    time_zone::TimeZone,
};
use said::{Begin, NoBegin, Said};
pub use verdict::Verdict;
use zone::Zone;

/// What the agent noted, as text: nothing is parsed before the workspace's zone is known.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct AppointmentRequest {
    /// `intent`, where the agent classifies calls.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub intent: Option<String>,
    /// Whether one was made, where the agent says so: `appointment_booked`, `appointment_status` and their kin. `false` also
    /// where that cannot be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub booked: Option<bool>,
    /// What says that none was made, as it was noted: `appointment_status: cancelled`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stated: Option<String>,
    /// What that says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verdict: Option<Verdict>,
    /// `appointment_date`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub date: Option<String>,
    /// `appointment_time`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time: Option<String>,
    /// `appointment_datetime`, `appointment_start`: day and time in one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub date_time: Option<String>,
    /// `appointment_end`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end: Option<String>,
    /// `appointment_type`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// `appointment_notes`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notes: Option<String>,
    /// `appointment_duration`, as written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration: Option<String>,
    /// `appointment_time_zone`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
    /// `appointment_location`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
    /// What else was noted of it, under names that Ringlog does not read: `booking_reference: 17`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unread: Option<Vec<String>>,
    /// The other appointments that were noted, without others of their own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub others: Option<Vec<AppointmentRequest>>,
    /// Of merged reports: the fields that are from an earlier one than the rest, and when that was (Unix
    /// milliseconds). Reports in any order then merge to the same.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub earlier: BTreeMap<String, i64>,
}

/// An appointment that can be written to a calendar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Appointment {
    /// When it begins.
    pub start: DateTime<Utc>,
    /// When it ends.
    pub end: DateTime<Utc>,
    /// What it is called, if the agent said so.
    pub kind: Option<String>,
    /// What the agent noted.
    pub notes: Option<String>,
    /// Where it is.
    pub location: Option<String>,
}

/// What a request comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resolution {
    /// Nothing was noted of an appointment.
    None,
    /// There is one.
    Booked {
        /// When and what.
        appointment: Appointment,
        /// Something of it could not be read, and a default took its place.
        warning: Option<Reason>,
        /// Other appointments, in words: people have to book them.
        others: Vec<String>,
    },
    /// One may have been made, but not one that can be written to a calendar: people have to book it.
    ByHand {
        /// Why.
        reason: Reason,
        /// Other appointments, in words.
        others: Vec<String>,
    },
    /// None was made, whatever else is noted.
    NotMade(Reason),
}

impl Resolution {
    fn by_hand(reason: Reason) -> Self {
        Self::ByHand { reason, others: Vec::new() }
    }

    fn start(&self) -> Option<DateTime<Utc>> {
        match self {
            Self::Booked { appointment, .. } => Some(appointment.start),
            _ => None,
        }
    }
}

/// Characters of the agent's text that a reason repeats.
const QUOTED: usize = 100;

impl AppointmentRequest {
    /// Reads the request. `zone` is the workspace's, `now` says what is past, `default_minutes` is the length of an
    /// appointment that has none. Of several appointments the first in time is booked.
    pub fn resolve(&self, zone: TimeZone, now: DateTime<Utc>, default_minutes: u32) -> Resolution {
        if let Some(reason) = self.not_made() {
            return reason.map_or(Resolution::None, |(reason, is_clear)| {
                if is_clear { Resolution::NotMade(reason) } else { Resolution::by_hand(reason) }
            });
        }
        let mut noted: Vec<(&Self, Resolution)> = std::iter::once(self)
            .chain(self.others.iter().flatten())
            .map(|one| (one, one.resolve_alone(zone, now, default_minutes)))
            .collect();
        // A stable sort: what cannot be booked stays behind, in the order in which it was noted.
        noted.sort_by_key(|(_, resolution)| (resolution.start().is_none(), resolution.start()));
        let mut noted = noted.into_iter();
        let Some((_, mut first)) = noted.next() else { return Resolution::None };
        let start = first.start();
        let in_words = noted
            .filter(|(_, other)| start.is_none() || other.start() != start)
            .map(|(other, _)| other.in_words(", "));
        if let Resolution::Booked { others, .. } | Resolution::ByHand { others, .. } = &mut first {
            others.extend(in_words.filter(|words| !words.is_empty()));
        }
        first
    }

    fn resolve_alone(&self, zone: TimeZone, now: DateTime<Utc>, default_minutes: u32) -> Resolution {
        if self.noted().next().is_none() && self.booked.is_none() {
            return Resolution::None;
        }
        let begin = match self.begin_from(zone, now) {
            Ok(begin) => begin,
            Err(reason) => return Resolution::by_hand(reason),
        };
        let (minutes, warning) = self.minutes(begin, zone, default_minutes);
        let own = |text: &Option<String>| text.as_deref().and_then(present).map(str::to_owned);
        let appointment = Appointment {
            start: begin.instant,
            end: begin.instant + TimeDelta::minutes(i64::from(minutes)),
            kind: own(&self.kind),
            notes: own(&self.notes),
            location: own(&self.location),
        };
        Resolution::Booked { appointment, warning, others: Vec::new() }
    }

    /// Whether nothing says that there is no appointment.
    pub(crate) fn is_wanted(&self) -> bool {
        self.is_scheduling() && self.booked != Some(false)
    }

    fn is_scheduling(&self) -> bool {
        let intent = self.intent.as_deref().and_then(present);
        intent.is_none_or(|intent| intent.eq_ignore_ascii_case("Scheduling"))
    }

    /// Why there is no appointment, and whether that is clear; `None`: nothing denies it. Where nothing is noted but that
    /// there is none, there is nothing to say.
    #[expect(clippy::option_option, reason = "denied or not, and worth a word or not")]
    fn not_made(&self) -> Option<Option<(Reason, bool)>> {
        let says_more = self.noted().next().is_some();
        let stated = self.stated.as_deref();
        if self.booked == Some(false) {
            let quoted = stated.map(quoted).unwrap_or_default();
            let is_named = stated.is_some_and(key::is_about_appointment);
            return Some(match self.verdict {
                Some(Verdict::Unclear) => {
                    let why = "The report does not say clearly whether an appointment was made";
                    Some((Reason::new("appointment_unclear", format!("{why}: “{quoted}”.")), false))
                }
                Some(Verdict::CalledOff) if is_named => Some((not_made(&quoted), true)),
                _ => says_more.then(|| (not_made(&quoted), true)),
            });
        }
        if self.is_scheduling() {
            return None;
        }
        let is_noted = says_more || self.booked.is_some();
        Some(is_noted.then(|| {
            let intent = quoted(self.intent.as_deref().unwrap_or_default());
            let why = format!("The call's intent was “{intent}” and not Scheduling.");
            (Reason::new("appointment_other_intent", why), true)
        }))
    }

    /// Roughly when it begins, if all that says so can be read. By the fields alone: the webhook does without the zones'
    /// clock changes.
    pub(crate) fn says_when(&self) -> Option<NaiveDateTime> {
        let said = self.said().ok()?;
        self.own_zone(&said).ok()?;
        said::rough(&said)
    }

    /// Whether it says when the other one is, or less, and nothing else of that.
    pub(crate) fn is_of(&self, other: &Self) -> bool {
        let same_time = self.says_when().is_some_and(|when| other.says_when() == Some(when));
        let parts = |request: &Self| [request.date.clone(), request.time.clone(), request.date_time.clone()];
        let is_part =
            parts(self).into_iter().zip(parts(other)).all(|(own, other)| own.is_none() || own == other);
        same_time || is_part
    }

    /// Whether both say a day, and not the same one.
    pub(crate) fn is_on_another_day(&self, other: &Self) -> bool {
        let day = |request: &Self| request.parts().0;
        day(self).zip(day(other)).is_some_and(|(one, other)| one != other)
    }

    /// The day and the time that it says, each by itself.
    pub(crate) fn parts(&self) -> (Option<NaiveDate>, Option<NaiveTime>) {
        let [date, time, date_time] = self.when();
        let said =
            [date.and_then(Said::date), time.and_then(Said::time), date_time.and_then(Said::date_time)];
        let said = || said.iter().flatten();
        (said().find_map(|one| one.day), said().find_map(|one| one.time))
    }

    /// Whether it says a day or a time.
    pub(crate) fn is_dated(&self) -> bool {
        self.date.is_some() || self.time.is_some() || self.date_time.is_some()
    }

    /// What is noted, for people.
    pub(crate) fn noted(&self) -> impl Iterator<Item = (&'static str, &str)> {
        [
            ("Date", &self.date),
            ("Time", &self.time),
            ("Date and time", &self.date_time),
            ("Time zone", &self.time_zone),
            ("Type", &self.kind),
            ("Duration", &self.duration),
            ("End", &self.end),
            ("Location", &self.location),
            ("Notes", &self.notes),
        ]
        .into_iter()
        .filter_map(|(name, text)| Some((name, present(text.as_deref()?)?)))
        .chain(self.unread.iter().flatten().map(|noted| ("Noted", noted.as_str())))
    }

    /// What is noted, as text.
    pub(crate) fn in_words(&self, between: &str) -> String {
        self.noted().map(|(name, text)| format!("{name}: {text}")).collect::<Vec<_>>().join(between)
    }

    /// When it begins, if that is not past. An earlier hour of today is not: calls are logged after they ended.
    fn begin_from(&self, workspace: TimeZone, now: DateTime<Utc>) -> Result<Begin, Reason> {
        let today = workspace.local(now).date();
        let [date, time, date_time] = self.when();
        let not_past = |day: NaiveDate| {
            let text = date.or(date_time).or(time).unwrap_or_default();
            let past = || reason("appointment_in_the_past", "The appointment's date is in the past", text);
            if day >= today { Ok(()) } else { Err(past()) }
        };
        // A past day is said before a time that cannot be read.
        let day = date.filter(|_| time.or(date_time).is_some()).and_then(Said::date);
        if let Some(day) = day.filter(|said| !said.is_instant()).and_then(|said| said.day) {
            not_past(day)?;
        }
        let begin = self.begin(workspace)?;
        not_past(begin.day.unwrap_or_else(|| workspace.local(begin.instant).date()))?;
        Ok(begin)
    }

    /// The fields that say when it begins: day, time, and both in one.
    fn when(&self) -> [Option<&str>; 3] {
        [&self.date, &self.time, &self.date_time].map(|text| text.as_deref().and_then(present))
    }

    /// What each field says of when it begins; there is a day among it.
    fn said(&self) -> Result<Vec<Said<'_>>, Reason> {
        let [date, time, date_time] = self.when();
        if date.or(date_time).is_none() && time.and_then(Said::time).is_none_or(|said| said.day.is_none()) {
            return Err(without_date());
        }
        let mut said = Vec::new();
        if let Some(text) = date {
            let read = Said::date(text);
            if time.or(date_time).is_none() && read.is_none_or(|said| said.time.is_none()) {
                return Err(without_time(text));
            }
            said.push(read.ok_or_else(|| {
                let problem = "The appointment's date is not a day written as YYYY-MM-DD";
                reason("appointment_date_invalid", problem, text)
            })?);
        }
        if let Some(text) = time {
            said.push(Said::time(text).ok_or_else(|| {
                let problem = "The appointment's time is not a time of day like 2:00 PM or 14:00";
                reason("appointment_time_invalid", problem, text)
            })?);
        }
        if let Some(text) = date_time {
            said.push(Said::date_time(text).ok_or_else(|| {
                let problem = "The appointment's date and time are not written like 2027-01-27T14:00";
                reason("appointment_date_invalid", problem, text)
            })?);
        }
        Ok(said)
    }

    fn begin(&self, workspace: TimeZone) -> Result<Begin, Reason> {
        let said = self.said()?;
        let zone = self.own_zone(&said)?;
        said::begin(&said, zone, workspace).map_err(|no| match no {
            NoBegin::NoDay => without_date(),
            NoBegin::NoTime => without_time(said.first().map_or("", |one| one.text)),
            NoBegin::Contradiction(one, other) => Reason::new(
                "appointment_contradictory",
                format!(
                    "The report contradicts itself on when the appointment is: “{}” and “{}”.",
                    quoted(one),
                    quoted(other)
                ),
            ),
            NoBegin::AmbiguousZone(text) => reason(
                "appointment_time_zone_ambiguous",
                "The appointment's time zone may be several; an IANA name like America/New_York is only one",
                text,
            ),
        })
    }

    /// The zone that is noted. Where an instant is, one that cannot be read is not needed.
    fn own_zone(&self, said: &[Said<'_>]) -> Result<Option<(&str, Zone)>, Reason> {
        let Some(name) = self.time_zone.as_deref().and_then(present) else { return Ok(None) };
        match Zone::parse(name) {
            None if !said.iter().any(Said::is_instant) => {
                let problem = "The appointment's time zone is not an IANA name like America/New_York or an offset like -05:00";
                Err(reason("appointment_time_zone_invalid", problem, name))
            }
            zone => Ok(zone.map(|zone| (name, zone))),
        }
    }

    /// How long it takes: by its duration, or by its end.
    fn minutes(&self, begin: Begin, workspace: TimeZone, default: u32) -> (u32, Option<Reason>) {
        let duration = self.duration.as_deref().and_then(present);
        let end = self.end.as_deref().and_then(present);
        let by_end = |end| said::minutes_until(end, begin, workspace).and_then(duration::in_bounds);
        let stated =
            [duration.map(|text| (text, duration::minutes(text))), end.map(|text| (text, by_end(text)))];
        let mut stated = stated.into_iter().flatten();
        let Some((text, minutes)) = stated.next() else { return (default, None) };
        let other = stated.next();
        let problem = match (minutes, other.and_then(|(_, minutes)| minutes)) {
            (Some(one), Some(other)) if one != other => "duration and its end do not agree",
            (Some(minutes), _) | (None, Some(minutes)) => return (minutes, None),
            (None, None) if duration.is_none() => "end is not a time within a day after it begins",
            (None, None) => "duration is not a number of minutes from 1 to 1440",
        };
        let problem = format!("The appointment's {problem}; {default} minutes were taken");
        (default, Some(reason("appointment_duration_invalid", &problem, text)))
    }
}

fn not_made(stated: &str) -> Reason {
    let why = if stated.is_empty() { String::new() } else { format!(": “{stated}”") };
    Reason::new("appointment_not_made", format!("The report says that no appointment was made{why}."))
}

fn without_date() -> Reason {
    Reason::new("appointment_without_date", "The report notes an appointment, but no day that Ringlog reads.")
}

fn without_time(text: &str) -> Reason {
    reason("appointment_without_time", "The appointment has a date but no time", text)
}

fn reason(code: &str, problem: &str, text: &str) -> Reason {
    Reason::new(code, format!("{problem}: “{}”.", quoted(text)))
}

fn quoted(text: &str) -> String {
    text::clean_line(text, QUOTED).unwrap_or_default()
}

#[cfg(test)]
mod tests;
