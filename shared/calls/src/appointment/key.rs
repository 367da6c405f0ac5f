//! The names under which agents note an appointment: `appointment_date`, `appointmentDate` and “Appointment Date” alike.

use crate::text::plain_name;

/// What a name stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Key {
    /// The day.
    Date,
    /// The time of day.
    Time,
    /// Day and time in one.
    DateTime,
    /// When it ends.
    End,
    /// What it is called.
    Kind,
    /// What to know.
    Notes,
    /// How long it takes.
    Duration,
    /// The zone of day and time.
    TimeZone,
    /// Where it is.
    Location,
    /// Whether it was made: `true` or `false`.
    Made,
    /// Whether it was called off: `true` or `false`.
    CalledOff,
    /// Where it stands, in words.
    Status,
}

/// What begins the names of an appointment's facts.
const APPOINTMENT: &str = "appointment";
/// What other objects with an appointment in them are called. Flat, such a name only says whether there is one: a
/// `booking_date` may also be the day on which somebody booked.
const OBJECTS: [&str; 3] = [APPOINTMENT, "booking", "reservation"];

const NAMES: [(&str, Key); 27] = [
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
    ("isbooked", Key::Made),
    ("scheduled", Key::Made),
    ("isscheduled", Key::Made),
    ("confirmed", Key::Made),
    ("isconfirmed", Key::Made),
    ("set", Key::Made),
    ("made", Key::Made),
    ("cancelled", Key::CalledOff),
    ("canceled", Key::CalledOff),
    ("declined", Key::CalledOff),
    ("status", Key::Status),
];

impl Key {
    /// What a name stands for anywhere: `appointment_date`, `booking_status`.
    pub(crate) fn of(name: &str) -> Option<Self> {
        let name = plain_name(name);
        if let Some(rest) = name.strip_prefix(APPOINTMENT) {
            return find(rest);
        }
        let rest = OBJECTS.iter().find_map(|object| name.strip_prefix(object))?;
        find(rest).filter(|key| matches!(key, Self::Made | Self::CalledOff | Self::Status))
    }

    /// What a name stands for in an object that is an appointment: `date`.
    pub(crate) fn within(name: &str) -> Option<Self> {
        find(&plain_name(name))
    }
}

fn find(name: &str) -> Option<Key> {
    NAMES.iter().find(|(known, _)| *known == name).map(|(_, key)| *key)
}

/// Whether a name says that what it stands for is about an appointment: `appointmentDetails`, `booking_reference`.
pub(crate) fn is_about_appointment(name: &str) -> bool {
    let name = plain_name(name);
    OBJECTS.iter().any(|object| name.starts_with(object))
}
