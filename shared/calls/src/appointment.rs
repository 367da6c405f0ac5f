//! Appointments: from what the agent noted to two instants, by the table of design.md §9.

mod clock;
mod zone;

use std::collections::BTreeMap;

use chrono::{DateTime, Datelike, NaiveDate, NaiveTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::{
    ledger::Reason,
    text::{self, present},
    time_zone::TimeZone,
};
use zone::Zone;

/// What the agent noted, as text: nothing is parsed before the workspace's zone is known.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct AppointmentRequest {
    /// `intent`, where the agent classifies calls.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub intent: Option<String>,
    /// `appointment_booked`, where the agent says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub booked: Option<bool>,
    /// `appointment_date`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub date: Option<String>,
    /// `appointment_time`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time: Option<String>,
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
}

/// What a request comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resolution {
    /// No appointment was made.
    None,
    /// A time was noted and no day: none that can be written to a calendar, but a person may book it.
    Undated,
    /// There is one.
    Booked {
        /// When and what.
        appointment: Appointment,
        /// Something of it could not be read, and a default took its place.
        warning: Option<Reason>,
    },
    /// One was made, but not one that can be written to a calendar.
    Invalid(Reason),
}

/// When an appointment begins, as it is noted.
enum NotedStart<'a> {
    /// With an offset: whatever the zone.
    Instant { text: &'a str, instant: DateTime<Utc> },
    /// A day, as it is written and as it is, and a time of day that is still to be read.
    Day { text: &'a str, day: NaiveDate, time: &'a str },
}

/// Characters of the agent's text that a reason repeats.
const QUOTED: usize = 100;

impl AppointmentRequest {
    /// Reads the request. `zone` is the workspace's, `now` says what is past, `default_minutes` is the length of an
    /// appointment that has none.
    pub fn resolve(&self, zone: TimeZone, now: DateTime<Utc>, default_minutes: u32) -> Resolution {
        if !self.is_wanted() {
            return Resolution::None;
        }
        let start = match self.start(zone, now) {
            Ok(Some(start)) => start,
            Ok(None) => return self.without_date(),
            Err(reason) => return Resolution::Invalid(reason),
        };
        let (minutes, warning) = self.minutes(default_minutes);
        let appointment = Appointment {
            start,
            end: start + TimeDelta::minutes(i64::from(minutes)),
            kind: self.kind.as_deref().and_then(present).map(str::to_owned),
            notes: self.notes.as_deref().and_then(present).map(str::to_owned),
        };
        Resolution::Booked { appointment, warning }
    }

    /// An intent other than `Scheduling`, or a "not booked", means that there is no appointment, whatever else is noted.
    pub(crate) fn is_wanted(&self) -> bool {
        let schedules = self
            .intent
            .as_deref()
            .and_then(present)
            .is_none_or(|intent| intent.eq_ignore_ascii_case("Scheduling"));
        schedules && self.booked != Some(false)
    }

    /// Whether day, time and zone can be read.
    pub(crate) fn says_when(&self) -> bool {
        match self.noted_start() {
            Ok(Some(NotedStart::Instant { .. })) => true,
            Ok(Some(NotedStart::Day { time, .. })) => {
                time_of_day(time).is_ok() && self.zone(TimeZone::UTC).is_ok()
            }
            Ok(None) | Err(_) => false,
        }
    }

    fn without_date(&self) -> Resolution {
        let has_time = self.time.as_deref().and_then(present).is_some();
        if has_time { Resolution::Undated } else { Resolution::None }
    }

    fn start(&self, zone: TimeZone, now: DateTime<Utc>) -> Result<Option<DateTime<Utc>>, Reason> {
        let today = zone.local(now).date();
        match self.noted_start()? {
            None => Ok(None),
            Some(NotedStart::Instant { text, instant }) => {
                not_past(zone.local(instant).date(), today, text)?;
                Ok(Some(instant))
            }
            Some(NotedStart::Day { text, day, time }) => {
                not_past(day, today, text)?;
                let time = time_of_day(time)?;
                Ok(Some(self.zone(zone)?.instant(day.and_time(time))))
            }
        }
    }

    fn noted_start(&self) -> Result<Option<NotedStart<'_>>, Reason> {
        let date = self.date.as_deref().and_then(present);
        let time = self.time.as_deref().and_then(present);
        // The time's instant goes first: a date that is an instant is often midnight, a placeholder for "that day", and
        // then does not overrule a time of day.
        let placeholder = date.filter(|_| time.is_some()).and_then(clock::midnight_of);
        let date_alone = date.filter(|_| placeholder.is_none());
        if let Some((text, instant)) =
            [time, date_alone].into_iter().flatten().find_map(|t| Some((t, clock::instant(t)?)))
        {
            return Ok(Some(NotedStart::Instant { text, instant }));
        }
        let (Some(text), time) = (date, time) else { return Ok(None) };
        let time = time.ok_or_else(|| {
            reason("appointment_without_time", "The appointment has a date but no time", text)
        })?;
        let day = placeholder.map_or_else(|| day(text), Ok)?;
        Ok(Some(NotedStart::Day { text, day, time }))
    }

    fn zone(&self, workspace: TimeZone) -> Result<Zone, Reason> {
        let Some(name) = self.time_zone.as_deref().and_then(present) else {
            return Ok(Zone::Named(workspace));
        };
        Zone::parse(name).ok_or_else(|| {
            let problem = "The appointment's time zone is not an IANA name like America/New_York or an offset like -05:00";
            reason("appointment_time_zone_invalid", problem, name)
        })
    }

    fn minutes(&self, default: u32) -> (u32, Option<Reason>) {
        let Some(text) = self.duration.as_deref().and_then(present) else { return (default, None) };
        let minutes = text.parse::<f64>().ok().filter(|minutes| (1.0..=1440.0).contains(minutes));
        let Some(minutes) = minutes else {
            let problem = format!(
                "The appointment's duration is not a number of minutes from 1 to 1440; {default} were taken"
            );
            return (default, Some(reason("appointment_duration_invalid", &problem, text)));
        };
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "1 to 1440")]
        (minutes.round() as u32, None)
    }
}

/// A day as `YYYY-MM-DD`, and nothing else, that Salesforce's calendar has.
fn day(text: &str) -> Result<NaiveDate, Reason> {
    let plain = text.len() == 10 && text.bytes().all(|b| b.is_ascii_digit() || b == b'-');
    let day = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok();
    day.filter(|day| plain && day.year() <= clock::LAST_YEAR).ok_or_else(|| {
        reason("appointment_date_invalid", "The appointment's date is not a day written as YYYY-MM-DD", text)
    })
}

fn time_of_day(text: &str) -> Result<NaiveTime, Reason> {
    clock::time_of_day(text).ok_or_else(|| {
        let problem = "The appointment's time is not a time of day like 2:00 PM or 14:00";
        reason("appointment_time_invalid", problem, text)
    })
}

/// An earlier hour of today is not past: calls are logged after they ended.
fn not_past(day: NaiveDate, today: NaiveDate, text: &str) -> Result<(), Reason> {
    if day >= today {
        return Ok(());
    }
    Err(reason("appointment_in_the_past", "The appointment's date is in the past", text))
}

fn reason(code: &str, problem: &str, text: &str) -> Reason {
    let quoted = text::clean_line(text, QUOTED).unwrap_or_default();
    Reason::new(code, format!("{problem}: “{quoted}”."))
}

#[cfg(test)]
mod tests;
