//! Whether an appointment was made at all, from flags such as `appointment_booked` and from statuses in words.

use serde::{Deserialize, Serialize};

use super::key::Key;
use crate::text::{present, words};

/// What a flag or status says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// There is an appointment.
    Made,
    /// There is none.
    NotMade,
    /// There was or might have been one: it is cancelled, declined or pending.
    CalledOff,
    /// It does not say clearly.
    Unclear,
}

/// Words for an appointment that was made.
const MADE: [&str; 27] = [
    "accepted",
    "active",
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
    "rebooked",
    "reserved",
    "scheduled",
    "set",
    "success",
    "successful",
    "vereinbart",
];
/// Words next to them that change nothing.
const NEUTRAL: [&str; 15] = [
    "appointment",
    "booking",
    "reservation",
    "termin",
    "cita",
    "the",
    "is",
    "was",
    "has",
    "been",
    "by",
    "caller",
    "customer",
    "successfully",
    "ok",
];
/// Stems of words for an appointment that no longer exists, whatever else the status says.
const ENDED: [&str; 16] = [
    "abges",
    "abgelehnt",
    "annul",
    "cancel",
    "declin",
    "denied",
    "geannul",
    "missed",
    "noshow",
    "postpone",
    "refus",
    "reject",
    "reschedul",
    "storn",
    "verschoben",
    "withdrawn",
];
/// Stems of words for an appointment that does not exist yet.
const OPEN: [&str; 19] = [
    "ausstehend",
    "await",
    "fail",
    "hold",
    "incomplete",
    "offen",
    "pendent",
    "pendient",
    "pending",
    "propose",
    "request",
    "tentativ",
    "unavailable",
    "unbooked",
    "unconfirm",
    "unschedul",
    "unsuccess",
    "wait",
    "waitlist",
];
/// Words that negate the words after them; `wasn't` is two words.
const NOT: [&str; 17] = [
    "no", "non", "not", "never", "nicht", "kein", "keine", "nein", "nao", "niet", "geen", "pas", "sin",
    "without", "t", "cannot", "none",
];
/// Words between `not` and what it negates.
const BETWEEN: [&str; 6] = ["yet", "been", "be", "noch", "appointment", "was"];

/// Reads a flag or status; `None` if it says nothing, or the key is neither.
pub fn read(key: Key, value: &str) -> Option<Verdict> {
    let value = present(value)?;
    match key {
        Key::Made => Some(match flag(value) {
            Some(true) => Verdict::Made,
            Some(false) => Verdict::NotMade,
            None => Verdict::Unclear,
        }),
        Key::CalledOff => match flag(value) {
            Some(false) => None,
            Some(true) => Some(Verdict::CalledOff),
            None => Some(Verdict::Unclear),
        },
        Key::Status => Some(status(value)),
        Key::Intent => Some(status(value)).filter(|verdict| *verdict == Verdict::CalledOff),
        _ => None,
    }
}

/// Reads a flag as programs and language models write it. Other words are not guessed at: “pending confirmation” is
/// not a yes, and “N” may be anything.
fn flag(value: &str) -> Option<bool> {
    let value = value.trim_end_matches('.').to_lowercase();
    match value.as_str() {
        "true" | "yes" | "y" | "1" | "1.0" | "booked" | "scheduled" | "confirmed" | "made" | "set" => {
            Some(true)
        }
        "false" | "no" | "0" | "0.0" => Some(false),
        _ => None,
    }
}

/// Reads the words of a status. Only unambiguous words are a yes; a mix of both is unclear.
pub fn status(value: &str) -> Verdict {
    if let Some(made) = flag(value) {
        return if made { Verdict::Made } else { Verdict::NotMade };
    }
    let words = words(value);
    let has = |stems: &[&str]| words.iter().any(|word| stems.iter().any(|stem| word.starts_with(stem)));
    let is_made = |word: &String| MADE.contains(&word.as_str());
    let made = words.iter().position(is_made);
    let not = words.iter().position(|word| NOT.contains(&word.as_str()));
    let negates = |not: usize, made: usize| {
        not < made && words[not + 1..made].iter().all(|word| BETWEEN.contains(&word.as_str()))
    };
    if words.concat().contains("noshow") || has(&ENDED) {
        return Verdict::CalledOff;
    }
    match (not, made) {
        (Some(not), Some(made)) if negates(not, made) => Verdict::NotMade,
        (Some(_), None) if !has(&OPEN) => Verdict::NotMade,
        (None, None) if has(&OPEN) => Verdict::CalledOff,
        (None, Some(_)) if words.iter().all(|word| is_made(word) || NEUTRAL.contains(&word.as_str())) => {
            Verdict::Made
        }
        _ => Verdict::Unclear,
    }
}

/// Whether a text is only a no: `no`, “No appointment”.
pub fn is_no(value: &str) -> bool {
    let starts_with_no = words(value).first().is_some_and(|word| NOT.contains(&word.as_str()));
    flag(value) == Some(false) || starts_with_no && status(value) == Verdict::NotMade
}

/// Whether a status says that something was made or not, rather than anything else: “not booked”.
pub fn mentions_booking(value: &str) -> bool {
    flag(value).is_some() || words(value).iter().any(|word| MADE.contains(&word.as_str()))
}

/// A flag or status as it was noted: `appointment_status: cancelled`.
pub fn stated(name: &str, value: &str) -> String {
    format!("{name}: {value}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flag_is_read_only_if_it_is_unambiguous() {
        for (value, expected) in [
            ("true", Some(Verdict::Made)),
            ("Yes.", Some(Verdict::Made)),
            ("1", Some(Verdict::Made)),
            ("FALSE", Some(Verdict::NotMade)),
            ("no", Some(Verdict::NotMade)),
            ("0", Some(Verdict::NotMade)),
            ("pending confirmation", Some(Verdict::Unclear)),
            ("not booked", Some(Verdict::Unclear)),
            ("to be confirmed", Some(Verdict::Unclear)),
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
        use Verdict::{CalledOff, Made, NotMade, Unclear};
        for (verdict, values) in [
            (
                CalledOff,
                [
                    "cancelled",
                    "Canceled by customer",
                    "CANCELLED",
                    "declined",
                    "no-show",
                    "No show",
                    "noShow",
                    "no_show",
                    "pending",
                    "pending confirmation",
                    "rescheduled",
                    "storniert",
                    "cancelada",
                    "annulé",
                    "waiting for reply",
                    "was confirmed, now cancelled",
                ]
                .as_slice(),
            ),
            (
                NotMade,
                &[
                    "not booked",
                    "not_booked",
                    "notBooked",
                    "Not yet confirmed",
                    "no appointment",
                    "nicht bestätigt",
                    "noch nicht gebucht",
                    "false",
                    "wasn't booked",
                    "hasn't been confirmed",
                    "none booked",
                ],
            ),
            (
                Made,
                &[
                    "confirmed",
                    "Booked",
                    "appointment scheduled",
                    "bestätigt",
                    "Completed",
                    "active",
                    "successfully booked",
                ],
            ),
            (
                Unclear,
                &[
                    "in limbo",
                    "To be scheduled",
                    "yet to be confirmed",
                    "needs to be booked",
                    "fully booked",
                    "TBC",
                    "por confirmar",
                    "confirmed, no further action needed",
                    "Confirmed - pending payment",
                    "wird noch bestätigt",
                    "booked; request sent",
                ],
            ),
        ] {
            for value in values {
                assert_eq!(read(Key::Status, value), Some(verdict), "{value}");
            }
        }
        assert_eq!(read(Key::Status, "unknown"), None);
        assert_eq!(read(Key::Intent, "reschedule"), Some(CalledOff));
        assert_eq!(read(Key::Intent, "book"), None);
    }
}
