//! The length of an appointment, as people and language models write it.

use crate::limits::APPOINTMENT_MINUTES;

/// Units.
const HOURS: [&str; 17] = [
    "h", "hr", "hrs", "hour", "hours", "std", "stunde", "stunden", "hora", "horas", "heure", "heures", "ora",
    "ore", "uur", "uren", "u",
];
const MINUTES: [&str; 13] = [
    "m", "min", "mins", "minute", "minutes", "minuten", "minuto", "minutos", "minuti", "minuut", "minut",
    "minuter", "mn",
];
/// Words between two parts: `1 hour and 30 minutes`.
const BETWEEN: [&str; 6] = ["and", "und", "et", "y", "e", "en"];
/// A bare number with a fraction below this is ambiguous, hours or minutes: `1.5`.
const CERTAINLY_MINUTES: f64 = 10.0;

/// Minutes, as many as an appointment may have: `45`, `45 min`, `1.5 hours`, `1h30`, `PT45M`. `None` if it cannot be read.
pub(super) fn minutes(text: &str) -> Option<u32> {
    let text = text.trim().trim_end_matches('.').to_lowercase();
    let minutes = match text.parse::<f64>() {
        Ok(number) if number < CERTAINLY_MINUTES && number.fract() != 0.0 => return None,
        Ok(number) => number,
        Err(_) => of_parts(text.strip_prefix("pt").unwrap_or(&text))?,
    };
    in_bounds(minutes)
}

/// Rounds a length to minutes, if an appointment may be that long.
pub(super) fn in_bounds(minutes: f64) -> Option<u32> {
    let [least, most] =
        [APPOINTMENT_MINUTES.start(), APPOINTMENT_MINUTES.end()].map(|limit| f64::from(*limit));
    let fits = (least..=most).contains(&minutes);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "within the limits")]
    fits.then(|| minutes.round() as u32)
}

/// Sums up numbers with units. A number without a unit after hours is minutes.
fn of_parts(text: &str) -> Option<f64> {
    let mut rest = text;
    let mut sum = 0.0;
    let mut after_hours = false;
    while !rest.is_empty() {
        let (number, after) = split(rest, |c| c.is_ascii_digit() || matches!(c, '.' | ','));
        let number: f64 = number.replace(',', ".").parse().ok()?;
        let (unit, after) = split(after.trim_start_matches([' ', '-']), char::is_alphabetic);
        if HOURS.contains(&unit) {
            sum += number * 60.0;
            after_hours = true;
        } else if MINUTES.contains(&unit) || unit.is_empty() && after_hours && after.is_empty() {
            sum += number;
            after_hours = false;
        } else {
            return None;
        }
        rest = after.trim_start_matches([' ', ',', '.']);
        let (word, after) = split(rest, char::is_alphabetic);
        if BETWEEN.contains(&word) {
            rest = after.trim_start();
        }
    }
    Some(sum)
}

fn split(text: &str, of: impl Fn(char) -> bool) -> (&str, &str) {
    text.split_at(text.find(|c| !of(c)).unwrap_or(text.len()))
}
