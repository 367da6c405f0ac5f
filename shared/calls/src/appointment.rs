//! Appointments: from what the agent noted to a start and an end (docs/contract.md#appointments).

mod clock;
mod duration;
pub mod key;
mod start;
pub mod verdict;
mod zone;

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::{
    codes::{Code, reasons},
    limits::APPOINTMENT_MINUTES,
    reason::Reason,
    text::{self, present},
    time_zone::TimeZone,
};
use start::{Reading, Start, StartError};
pub use verdict::Verdict;
use zone::Zone;

/// What the agent noted, as text: nothing is parsed before the workspace's zone is known.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct AppointmentRequest {
    /// `intent`, if the agent classifies calls.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub intent: Option<String>,
    /// Whether an appointment was made, if the agent says so: `appointment_booked`, `appointment_status` and similar
    /// names. `false` also if that cannot be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub booked: Option<bool>,
    /// The field that says that none was made, as it was noted: `appointment_status: cancelled`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stated: Option<String>,
    /// What that field says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verdict: Option<Verdict>,
    /// `appointment_date`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub date: Option<String>,
    /// `appointment_time`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time: Option<String>,
    /// `appointment_datetime`, `appointment_start`: date and time in one.
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
    /// Other details, under names that Ringlog does not read: `booking_reference: 17`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unread: Option<Vec<String>>,
    /// The other appointments that were noted; they have no `others` themselves.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub others: Option<Vec<AppointmentRequest>>,
    /// In merged reports: the fields that come from an earlier report than the rest, and that report's time (Unix
    /// milliseconds). With it, reports merge to the same result in any order.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub earlier: BTreeMap<String, i64>,
}

/// An appointment that can be written to the calendar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Appointment {
    /// Its start.
    pub start: DateTime<Utc>,
    /// Its end.
    pub end: DateTime<Utc>,
    /// Its type, if the agent noted one.
    pub kind: Option<String>,
    /// The agent's notes.
    pub notes: Option<String>,
    /// Its location.
    pub location: Option<String>,
}

/// What a request resolves to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resolution {
    /// Nothing was noted about an appointment.
    None,
    /// An appointment was made.
    Booked {
        /// The appointment.
        appointment: Appointment,
        /// What could not be read, and was replaced by a default.
        warning: Option<Reason>,
        /// Other appointments, as text: people have to book them.
        others: Vec<String>,
    },
    /// One may have been made, but it cannot be written to the calendar: people have to book it.
    ByHand {
        /// Why.
        reason: Reason,
        /// Other appointments, as text.
        others: Vec<String>,
    },
    /// None was made, whatever else was noted.
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

/// How many characters of the agent's text a reason quotes.
const QUOTED: usize = 100;

impl AppointmentRequest {
    /// Resolves the request. `zone` is the workspace's; appointments before `now`'s day are in the past;
    /// `default_minutes` is the length of an appointment without one. Of several appointments, the first in time is
    /// booked.
    pub fn resolve(&self, zone: TimeZone, now: DateTime<Utc>, default_minutes: u32) -> Resolution {
        if let Some(denied) = self.denied() {
            return denied;
        }
        let mut resolved: Vec<(&Self, Resolution)> = std::iter::once(self)
            .chain(self.others.iter().flatten())
            .map(|one| (one, one.resolve_alone(zone, now, default_minutes)))
            .collect();
        // The sort is stable: appointments that cannot be booked come last, in the order in which they were noted.
        resolved.sort_by_key(|(_, resolution)| (resolution.start().is_none(), resolution.start()));
        let mut resolved = resolved.into_iter();
        let Some((_, mut first)) = resolved.next() else { return Resolution::None };
        let start = first.start();
        let in_words = resolved
            .filter(|(_, other)| start.is_none() || other.start() != start)
            .map(|(other, _)| other.to_text(", "));
        if let Resolution::Booked { others, .. } | Resolution::ByHand { others, .. } = &mut first {
            others.extend(in_words.filter(|text| !text.is_empty()));
        }
        first
    }

    fn resolve_alone(&self, zone: TimeZone, now: DateTime<Utc>, default_minutes: u32) -> Resolution {
        if self.labelled().next().is_none() && self.booked.is_none() {
            return Resolution::None;
        }
        let start = match self.future_start(zone, now) {
            Ok(start) => start,
            Err(reason) => return Resolution::by_hand(reason),
        };
        let (minutes, warning) = self.minutes(start, zone, default_minutes);
        let own = |text: &Option<String>| text.as_deref().and_then(present).map(str::to_owned);
        let appointment = Appointment {
            start: start.instant,
            end: start.instant + TimeDelta::minutes(i64::from(minutes)),
            kind: own(&self.kind),
            notes: own(&self.notes),
            location: own(&self.location),
        };
        Resolution::Booked { appointment, warning, others: Vec::new() }
    }

    /// Whether nothing denies the appointment.
    pub fn is_not_denied(&self) -> bool {
        self.has_scheduling_intent() && self.booked != Some(false)
    }

    fn has_scheduling_intent(&self) -> bool {
        let intent = self.intent.as_deref().and_then(present);
        intent.is_none_or(|intent| intent.eq_ignore_ascii_case("Scheduling"))
    }

    /// What happens to the appointment if the report denies it: nothing to mention if nothing else was noted about it.
    fn denied(&self) -> Option<Resolution> {
        let says_more = self.labelled().next().is_some();
        let not_made = |is_mentioned: bool, reason: Reason| {
            if is_mentioned { Resolution::NotMade(reason) } else { Resolution::None }
        };
        if self.booked == Some(false) {
            let stated = self.stated.as_deref();
            let quoted = stated.map(quoted).unwrap_or_default();
            let names_appointment = stated.is_some_and(key::is_about_appointment);
            return Some(match self.verdict {
                Some(Verdict::Unclear) => {
                    let why = "The report does not say clearly whether an appointment was made";
                    Resolution::by_hand(Reason::new(
                        reasons::APPOINTMENT_UNCLEAR,
                        format!("{why}: “{quoted}”."),
                    ))
                }
                verdict => {
                    let called_off = verdict == Some(Verdict::CalledOff) && names_appointment;
                    not_made(called_off || says_more, reported_as_not_made(&quoted))
                }
            });
        }
        if self.has_scheduling_intent() {
            return None;
        }
        let intent = quoted(self.intent.as_deref().unwrap_or_default());
        let why = format!("The call's intent was “{intent}” and not Scheduling.");
        Some(not_made(
            says_more || self.booked.is_some(),
            Reason::new(reasons::APPOINTMENT_OTHER_INTENT, why),
        ))
    }

    /// The approximate start, if all fields about it can be read. It uses the fields alone, so that the webhook does
    /// not need the time zones' transitions.
    pub fn approximate_start(&self) -> Option<NaiveDateTime> {
        let readings = self.readings().ok()?;
        self.stated_zone(&readings).ok()?;
        start::approximate(&readings)
    }

    /// Whether it is the same appointment as `other`: it has the same start, or no date or time that `other` does not
    /// have.
    pub fn is_same_as(&self, other: &Self) -> bool {
        let has_same_start =
            self.approximate_start().is_some_and(|start| other.approximate_start() == Some(start));
        let fields = |request: &Self| [request.date.clone(), request.time.clone(), request.date_time.clone()];
        let is_subset =
            fields(self).into_iter().zip(fields(other)).all(|(own, other)| own.is_none() || own == other);
        has_same_start || is_subset
    }

    /// Whether both have a day, and not the same one.
    pub fn is_on_another_day(&self, other: &Self) -> bool {
        let day = |request: &Self| request.day_and_time().0;
        day(self).zip(day(other)).is_some_and(|(one, other)| one != other)
    }

    /// The day and the time, each by itself.
    pub fn day_and_time(&self) -> (Option<NaiveDate>, Option<NaiveTime>) {
        let [date, time, date_time] = self.start_fields();
        let readings = [
            date.and_then(Reading::date),
            time.and_then(Reading::time),
            date_time.and_then(Reading::date_time),
        ];
        let readings = || readings.iter().flatten();
        (readings().find_map(|reading| reading.day), readings().find_map(|reading| reading.time))
    }

    /// Whether it has a date or a time.
    pub fn has_date_or_time(&self) -> bool {
        self.date.is_some() || self.time.is_some() || self.date_time.is_some()
    }

    /// The noted fields with their labels, for people.
    pub fn labelled(&self) -> impl Iterator<Item = (&'static str, &str)> {
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
        .chain(self.unread.iter().flatten().map(|text| ("Noted", text.as_str())))
    }

    /// The noted fields with their labels, as text.
    pub fn to_text(&self, separator: &str) -> String {
        self.labelled().map(|(name, text)| format!("{name}: {text}")).collect::<Vec<_>>().join(separator)
    }

    /// The start, unless its day is in the past. An earlier hour of today is allowed, because calls are logged after
    /// they ended.
    fn future_start(&self, workspace: TimeZone, now: DateTime<Utc>) -> Result<Start, Reason> {
        let today = workspace.local(now).date();
        let [date, time, date_time] = self.start_fields();
        let check_not_past = |day: NaiveDate| {
            let text = date.or(date_time).or(time).unwrap_or_default();
            let past =
                || reason(reasons::APPOINTMENT_IN_THE_PAST, "The appointment's date is in the past", text);
            if day >= today { Ok(()) } else { Err(past()) }
        };
        // A past day is reported before an unreadable time.
        let day = date.filter(|_| time.or(date_time).is_some()).and_then(Reading::date);
        if let Some(day) = day.filter(|reading| !reading.is_instant()).and_then(|reading| reading.day) {
            check_not_past(day)?;
        }
        let start = self.start(workspace)?;
        check_not_past(start.day.unwrap_or_else(|| workspace.local(start.instant).date()))?;
        Ok(start)
    }

    /// The fields that give the start: date, time, and both in one.
    fn start_fields(&self) -> [Option<&str>; 3] {
        [&self.date, &self.time, &self.date_time].map(|text| text.as_deref().and_then(present))
    }

    /// What each field says about the start; at least one has a day.
    fn readings(&self) -> Result<Vec<Reading<'_>>, Reason> {
        let [date, time, date_time] = self.start_fields();
        if date.or(date_time).is_none()
            && time.and_then(Reading::time).is_none_or(|reading| reading.day.is_none())
        {
            return Err(no_date());
        }
        let mut readings = Vec::new();
        if let Some(text) = date {
            let read = Reading::date(text);
            if time.or(date_time).is_none() && read.is_none_or(|reading| reading.time.is_none()) {
                return Err(no_time(text));
            }
            readings.push(read.ok_or_else(|| {
                let problem = "The appointment's date is not a day written as YYYY-MM-DD";
                reason(reasons::APPOINTMENT_DATE_INVALID, problem, text)
            })?);
        }
        if let Some(text) = time {
            readings.push(Reading::time(text).ok_or_else(|| {
                let problem = "The appointment's time is not a time of day like 2:00 PM or 14:00";
                reason(reasons::APPOINTMENT_TIME_INVALID, problem, text)
            })?);
        }
        if let Some(text) = date_time {
            readings.push(Reading::date_time(text).ok_or_else(|| {
                let problem = "The appointment's date and time are not written like 2027-01-27T14:00";
                reason(reasons::APPOINTMENT_DATE_INVALID, problem, text)
            })?);
        }
        Ok(readings)
    }

    fn start(&self, workspace: TimeZone) -> Result<Start, Reason> {
        let readings = self.readings()?;
        let zone = self.stated_zone(&readings)?;
        start::start(&readings, zone, workspace).map_err(|error| match error {
            StartError::NoDay => no_date(),
            StartError::NoTime => no_time(readings.first().map_or("", |reading| reading.text)),
            StartError::Contradiction(one, other) => Reason::new(
                reasons::APPOINTMENT_CONTRADICTORY,
                format!(
                    "The report contradicts itself on when the appointment is: “{}” and “{}”.",
                    quoted(one),
                    quoted(other)
                ),
            ),
            StartError::AmbiguousZone(text) => reason(
                reasons::APPOINTMENT_TIME_ZONE_AMBIGUOUS,
                "The appointment's time zone is ambiguous; an IANA name like America/New_York is not",
                text,
            ),
        })
    }

    /// The noted zone. An unreadable one does not matter if a field is an instant.
    fn stated_zone(&self, readings: &[Reading<'_>]) -> Result<Option<(&str, Zone)>, Reason> {
        let Some(name) = self.time_zone.as_deref().and_then(present) else { return Ok(None) };
        match Zone::parse(name) {
            None if !readings.iter().any(Reading::is_instant) => {
                let problem = "The appointment's time zone is not an IANA name like America/New_York or an offset like -05:00";
                Err(reason(reasons::APPOINTMENT_TIME_ZONE_INVALID, problem, name))
            }
            zone => Ok(zone.map(|zone| (name, zone))),
        }
    }

    /// Its length: from its duration or its end.
    fn minutes(&self, start: Start, workspace: TimeZone, default: u32) -> (u32, Option<Reason>) {
        let duration = self.duration.as_deref().and_then(present);
        let end = self.end.as_deref().and_then(present);
        let by_end = |end| start::minutes_until(end, start, workspace).and_then(duration::in_bounds);
        let stated =
            [duration.map(|text| (text, duration::minutes(text))), end.map(|text| (text, by_end(text)))];
        let mut stated = stated.into_iter().flatten();
        let Some((text, minutes)) = stated.next() else { return (default, None) };
        let other = stated.next();
        let problem = match (minutes, other.and_then(|(_, minutes)| minutes)) {
            (Some(one), Some(other)) if one != other => "duration and its end do not agree".to_owned(),
            (Some(minutes), _) | (None, Some(minutes)) => return (minutes, None),
            (None, None) if duration.is_none() => "end is not a time within a day after it begins".to_owned(),
            (None, None) => {
                let (least, most) = (APPOINTMENT_MINUTES.start(), APPOINTMENT_MINUTES.end());
                format!("duration is not a number of minutes from {least} to {most}")
            }
        };
        let problem = format!("The appointment's {problem}; {default} minutes were used instead");
        (default, Some(reason(reasons::APPOINTMENT_DURATION_INVALID, &problem, text)))
    }
}

fn reported_as_not_made(stated: &str) -> Reason {
    let why = if stated.is_empty() { String::new() } else { format!(": “{stated}”") };
    Reason::new(reasons::APPOINTMENT_NOT_MADE, format!("The report says that no appointment was made{why}."))
}

fn no_date() -> Reason {
    Reason::new(
        reasons::APPOINTMENT_WITHOUT_DATE,
        "The report notes an appointment, but no day that Ringlog reads.",
    )
}

fn no_time(text: &str) -> Reason {
    reason(reasons::APPOINTMENT_WITHOUT_TIME, "The appointment has a date but no time", text)
}

fn reason(code: Code, problem: &str, text: &str) -> Reason {
    Reason::new(code, format!("{problem}: “{}”.", quoted(text)))
}

fn quoted(text: &str) -> String {
    text::clean_line(text, QUOTED).unwrap_or_default()
}

#[cfg(test)]
mod tests;
