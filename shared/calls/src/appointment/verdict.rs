//! Whether an appointment was made at all: flags such as `appointment_booked`, and statuses in words.

use super::key::Key;
use crate::text::{plain_name, present};

/// What a flag or a status says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// There is an appointment.
    Made,
    /// There is none.
    NotMade,
    /// There was one, or was to be: it is cancelled, declined, pending.
    CalledOff,
    /// Nobody knows.
    Unclear,
}

/// What stands in a status of an appointment that there is.
const MADE: [&str; 26] = [
    "accepted",
    "agreed",
    "approved",
    "agendada",
    "agendado",
    "bestatigt",
    "bevestigd",
    "booked",
    "complete",
    "completed",
    "confermato",
    "confirmada",
    "confirmado",
    "confirme",
    "confirmed",
    "gebucht",
    "geboekt",
    "made",
    "prenotato",
    "reserve",
    "reserved",
    "scheduled",
    "set",
    "success",
    "successful",
    "vereinbart",
];

/// What the words of a status begin with where there is no appointment, or none any more, or none yet.
const CALLED_OFF: [&str; 34] = [
    "abges",
    "abgelehnt",
    "annul",
    "ausstehend",
    "await",
    "cancel",
    "declin",
    "denied",
    "fail",
    "geannul",
    "hold",
    "incomplete",
    "missed",
    "noshow",
    "offen",
    "pendent",
    "pendient",
    "pending",
    "postpone",
    "propose",
    "refus",
    "reject",
    "request",
    "reschedul",
    "storn",
    "tentativ",
    "unavailable",
    "unbooked",
    "unconfirm",
    "unschedul",
    "unsuccess",
    "verschoben",
    "waitlist",
    "withdrawn",
];

/// What denies the words after it.
const NOT: [&str; 14] = [
    "no", "non", "not", "never", "nicht", "kein", "keine", "nein", "nao", "niet", "geen", "pas", "sin",
    "without",
];

/// What a flag or a status says; `None`: nothing, or it is neither.
pub(crate) fn read(key: Key, value: &str) -> Option<Verdict> {
    let value = present(value)?;
    let said = match key {
        Key::Made => {
            flag(value).map_or(Verdict::Unclear, |made| if made { Verdict::Made } else { Verdict::NotMade })
        }
        Key::CalledOff => match flag(value) {
            Some(false) => return None,
            Some(true) => Verdict::CalledOff,
            None => Verdict::Unclear,
        },
        Key::Status => status(value),
        _ => return None,
    };
    Some(said)
}

/// A flag as programs and language models write it. Other words are not guessed at: “pending confirmation” is no yes, and
/// “N” may be anything.
fn flag(value: &str) -> Option<bool> {
    let value = value.trim_end_matches('.').to_lowercase();
    match value.as_str() {
        "true" | "yes" | "y" | "1" | "booked" | "scheduled" | "confirmed" | "made" | "set" => Some(true),
        "false" | "no" | "0" => Some(false),
        _ => None,
    }
}

fn status(value: &str) -> Verdict {
    if let Some(made) = flag(value) {
        return if made { Verdict::Made } else { Verdict::NotMade };
    }
    let words = crate::text::words(value);
    let has = |stems: &[&str]| words.iter().any(|word| stems.iter().any(|stem| word.starts_with(stem)));
    let all: String = words.concat();
    if all.contains("noshow") || has(&CALLED_OFF) {
        Verdict::CalledOff
    } else if words.iter().any(|word| NOT.contains(&word.as_str())) {
        Verdict::NotMade
    } else if words.iter().any(|word| MADE.contains(&word.as_str())) {
        Verdict::Made
    } else {
        Verdict::Unclear
    }
}

/// What was noted and what it says, of the text that [`stated`] made.
pub(crate) fn of_stated(stated: &str) -> Option<Verdict> {
    let (name, value) = stated.split_once(": ")?;
    let key = Key::of(name).or_else(|| Key::within(name)).filter(|_| !plain_name(name).is_empty())?;
    read(key, value)
}

/// A flag or a status as it was noted: `appointment_status: cancelled`.
pub(crate) fn stated(name: &str, value: &str) -> String {
    format!("{name}: {value}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flag_is_read_only_where_it_is_plain() {
        for (value, expected) in [
            ("true", Some(Verdict::Made)),
            ("Yes.", Some(Verdict::Made)),
            ("1", Some(Verdict::Made)),
            ("FALSE", Some(Verdict::NotMade)),
            ("no", Some(Verdict::NotMade)),
            ("0", Some(Verdict::NotMade)),
            ("pending confirmation", Some(Verdict::Unclear)),
            ("not booked", Some(Verdict::Unclear)),
            ("N", Some(Verdict::Unclear)),
            ("Nein", Some(Verdict::Unclear)),
            ("maybe", Some(Verdict::Unclear)),
            ("N/A", None),
            ("not provided", None),
        ] {
            assert_eq!(read(Key::Made, value), expected, "{value}");
        }
        assert_eq!(read(Key::CalledOff, "true"), Some(Verdict::CalledOff));
        assert_eq!(read(Key::CalledOff, "false"), None);
    }

    #[test]
    fn a_status_is_read_by_its_words() {
        for (value, expected) in [
            ("cancelled", Verdict::CalledOff),
            ("Canceled by customer", Verdict::CalledOff),
            ("CANCELLED", Verdict::CalledOff),
            ("declined", Verdict::CalledOff),
            ("no-show", Verdict::CalledOff),
            ("No show", Verdict::CalledOff),
            ("noShow", Verdict::CalledOff),
            ("no_show", Verdict::CalledOff),
            ("pending", Verdict::CalledOff),
            ("pending confirmation", Verdict::CalledOff),
            ("rescheduled", Verdict::CalledOff),
            ("storniert", Verdict::CalledOff),
            ("cancelada", Verdict::CalledOff),
            ("annulé", Verdict::CalledOff),
            ("not booked", Verdict::NotMade),
            ("not_booked", Verdict::NotMade),
            ("notBooked", Verdict::NotMade),
            ("Not yet confirmed", Verdict::NotMade),
            ("no appointment", Verdict::NotMade),
            ("nicht bestätigt", Verdict::NotMade),
            ("false", Verdict::NotMade),
            ("confirmed", Verdict::Made),
            ("Booked", Verdict::Made),
            ("appointment scheduled", Verdict::Made),
            ("bestätigt", Verdict::Made),
            ("in limbo", Verdict::Unclear),
        ] {
            assert_eq!(read(Key::Status, value), Some(expected), "{value}");
        }
        assert_eq!(read(Key::Status, "unknown"), None);
    }

    #[test]
    fn what_was_stated_is_read_again() {
        for (name, value, expected) in [
            ("appointment_status", "cancelled", Verdict::CalledOff),
            ("Appointment Booked", "Nein", Verdict::Unclear),
            ("status", "declined: too late", Verdict::CalledOff),
        ] {
            assert_eq!(of_stated(&stated(name, value)), Some(expected), "{name}");
        }
    }
}
