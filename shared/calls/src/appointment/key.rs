//! The names under which agents note appointments: `appointment_date`, `appointmentDate` and “Appointment Date” are
//! the same.

use crate::text::plain_name;

/// What a name means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Key {
    /// The day.
    Date,
    /// The time of day.
    Time,
    /// Date and time in one.
    DateTime,
    /// When it ends.
    End,
    /// The type.
    Kind,
    /// Notes.
    Notes,
    /// The length.
    Duration,
    /// The zone of date and time.
    TimeZone,
    /// The location.
    Location,
    /// Whether it was made: `true` or `false`.
    Made,
    /// Whether it was called off: `true` or `false`.
    CalledOff,
    /// Its status, in words.
    Status,
    /// What the caller wanted, in words. Only counts if that is something other than an appointment.
    Intent,
}

/// The prefix of an appointment's fields.
const APPOINTMENT: &str = "appointment";
/// The names of objects that contain an appointment. As the prefix of a flat name, they only count for whether there
/// is one: a `booking_date` may also be the day on which somebody booked.
const OBJECTS: [&str; 3] = [APPOINTMENT, "booking", "reservation"];
/// Prefixes of questions: `is_appointment_booked`, “Was an appointment made?”.
const QUESTIONS: [&str; 8] = ["is", "isan", "was", "wasan", "has", "hasan", "did", "new"];

const NAMES: &[(&str, Key)] = &[
    ("date", Key::Date),
    ("time", Key::Time),
    ("datetime", Key::DateTime),
    ("start", Key::DateTime),
    ("starttime", Key::DateTime),
    ("startdatetime", Key::DateTime),
    ("end", Key::End),
    ("endtime", Key::End),
    ("enddatetime", Key::End),
    ("type", Key::Kind),
    ("notes", Key::Notes),
    ("duration", Key::Duration),
    ("durationminutes", Key::Duration),
    ("timezone", Key::TimeZone),
    ("location", Key::Location),
    ("booked", Key::Made),
    ("scheduled", Key::Made),
    ("confirmed", Key::Made),
    ("accepted", Key::Made),
    ("set", Key::Made),
    ("made", Key::Made),
    ("cancelled", Key::CalledOff),
    ("canceled", Key::CalledOff),
    ("declined", Key::CalledOff),
    ("rejected", Key::CalledOff),
    ("noshow", Key::CalledOff),
    ("pending", Key::CalledOff),
    ("tentative", Key::CalledOff),
    ("postponed", Key::CalledOff),
    ("rescheduled", Key::CalledOff),
    ("notbooked", Key::CalledOff),
    ("status", Key::Status),
    ("state", Key::Status),
    ("outcome", Key::Status),
    ("bookingstatus", Key::Status),
    ("confirmationstatus", Key::Status),
    ("intent", Key::Intent),
    ("action", Key::Intent),
];

impl Key {
    /// What a name means in any object: `appointment_date`, `booking_status`, `is_appointment_booked`.
    pub fn of(name: &str) -> Option<Self> {
        let name = plain_name(name);
        if let Some(rest) = name.strip_prefix(APPOINTMENT).filter(|rest| !rest.is_empty()) {
            // `appointment_booking_confirmed`
            let of_booking = || OBJECTS.iter().find_map(|object| find(rest.strip_prefix(object)?));
            return find(rest).or_else(|| of_booking().filter(|key| key.is_verdict()));
        }
        let (before, rest) = OBJECTS.iter().find_map(|object| name.split_once(object))?;
        if !before.is_empty() && !QUESTIONS.contains(&before) {
            return None;
        }
        if rest.is_empty() {
            return (!before.is_empty()).then_some(Self::Made);
        }
        find(rest).filter(|key| key.is_verdict())
    }

    /// What a name means in an object that is an appointment: `date`.
    pub fn within(name: &str) -> Option<Self> {
        find(&plain_name(name))
    }

    /// Whether it says if there is an appointment.
    pub fn is_verdict(self) -> bool {
        matches!(self, Self::Made | Self::CalledOff | Self::Status | Self::Intent)
    }
}

fn find(name: &str) -> Option<Key> {
    let key = |name: &str| NAMES.iter().find(|(known, _)| *known == name).map(|(_, key)| *key);
    let asked = ["is", "was"].iter().find_map(|asking| key(name.strip_prefix(asking)?));
    key(name).or_else(|| asked.filter(|key| matches!(key, Key::Made | Key::CalledOff)))
}

/// Whether a name says that its value is about an appointment: `appointmentDetails`, `booking_reference`.
pub fn is_about_appointment(name: &str) -> bool {
    let name = plain_name(name);
    OBJECTS.iter().any(|object| name.starts_with(object))
}

/// Whether a name is only the word for an appointment.
pub fn is_appointment(name: &str) -> bool {
    OBJECTS.contains(&plain_name(name).as_str())
}
