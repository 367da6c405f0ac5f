//! Parses days, times of day and date-times, as people and language models write them.

use chrono::{DateTime, Datelike, FixedOffset, NaiveDate, NaiveDateTime, NaiveTime, Timelike};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Meridiem {
    Am,
    Pm,
}

/// Parses a time of day (docs/contract.md#appointments). A meridiem always wins; a leading zero, 0 and 13–23 mean the
/// 24-hour clock; other hours without a meridiem are read as business hours.
pub(super) fn time_of_day(text: &str) -> Option<NaiveTime> {
    let text = text.trim().to_lowercase();
    match text.as_str() {
        "noon" => return NaiveTime::from_hms_opt(12, 0, 0),
        "midnight" => return Some(NaiveTime::MIN),
        _ => {}
    }
    let (digits, suffix) = text.split_at(text.find(char::is_alphabetic).unwrap_or(text.len()));
    let meridiem = match suffix.replace(|c: char| c == '.' || c.is_whitespace(), "").as_str() {
        "" => None,
        "am" => Some(Meridiem::Am),
        "pm" => Some(Meridiem::Pm),
        _ => return None,
    };
    let mut parts = digits.trim_end().split(':');
    let hour = parts.next()?;
    let minute = parts.next().map(two_digits);
    let second = parts.next().map(two_digits);
    let bare = minute.is_none();
    if parts.next().is_some() || (bare && meridiem.is_none()) {
        return None;
    }
    let hour = hour_of_day(hour, meridiem)?;
    NaiveTime::from_hms_opt(hour, minute.unwrap_or(Some(0))?, second.unwrap_or(Some(0))?)
}

fn hour_of_day(text: &str, meridiem: Option<Meridiem>) -> Option<u32> {
    if !matches!(text.len(), 1 | 2) {
        return None;
    }
    let hour = number(text)?;
    match (hour, meridiem) {
        (1..=12, Some(Meridiem::Am)) => Some(hour % 12),
        (1..=12, Some(Meridiem::Pm)) => Some(hour % 12 + 12),
        (1..=7, None) if !text.starts_with('0') => Some(hour + 12),
        (0, Some(Meridiem::Am)) | (13..=23, Some(Meridiem::Pm)) | (0..=23, None) => Some(hour),
        _ => None,
    }
}

fn two_digits(text: &str) -> Option<u32> {
    (text.len() == 2).then(|| number(text)).flatten()
}

fn number(text: &str) -> Option<u32> {
    text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

/// The last year of Salesforce's calendar.
const LAST_YEAR: i32 = 4000;

/// chrono's nanoseconds of a leap second, `:60`, which Salesforce does not have.
const LEAP_SECOND: u32 = 1_000_000_000;

/// The length of `2027-01-27`.
pub(super) const DAY_LENGTH: usize = 10;

/// Parses a day as `YYYY-MM-DD`, and nothing else, up to the end of Salesforce's calendar.
pub(super) fn day(text: &str) -> Option<NaiveDate> {
    let plain = text.len() == DAY_LENGTH && text.bytes().all(|b| b.is_ascii_digit() || b == b'-');
    let day = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok();
    day.filter(|day| plain && day.year() <= LAST_YEAR)
}

/// The offset of a date-time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Offset {
    /// `Z`.
    Z,
    /// `-05:00`.
    Of(FixedOffset),
}

/// Parses a full ISO 8601 date-time, with or without an offset; seconds and the offset's colon are optional.
pub(super) fn date_time(text: &str) -> Option<(NaiveDateTime, Option<Offset>)> {
    let text = text.to_ascii_uppercase();
    if !starts_as_iso(&text) {
        return None;
    }
    let text = text.replacen(' ', "T", 1).replace(' ', "");
    let with_offset = || {
        let formats = ["%Y-%m-%dT%H:%M:%S%.f%#z", "%Y-%m-%dT%H:%M%#z"];
        let instant = formats.iter().find_map(|format| DateTime::parse_from_str(&text, format).ok())?;
        Some((instant.naive_local(), Some(Offset::Of(*instant.offset()))))
    };
    let (local, offset) = match text.strip_suffix('Z') {
        Some(local) => (local_time(local)?, Some(Offset::Z)),
        None => local_time(&text).map(|local| (local, None)).or_else(with_offset)?,
    };
    let is_one = local.year() <= LAST_YEAR && local.nanosecond() < LEAP_SECOND;
    is_one.then_some((local, offset))
}

fn local_time(text: &str) -> Option<NaiveDateTime> {
    let formats = ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%dT%H:%M"];
    formats.iter().find_map(|format| NaiveDateTime::parse_from_str(text, format).ok())
}

/// `2027-01-27T14:00`, or with a space for the `T`. chrono's formats are laxer: `2027-01-27 2:00 -05:00` is not ISO,
/// and might mean the afternoon.
fn starts_as_iso(text: &str) -> bool {
    const SHAPE: &[u8] = b"0000-00-00T00:00";
    let fits = |(byte, shape): (u8, &u8)| match shape {
        b'0' => byte.is_ascii_digit(),
        b'T' => matches!(byte, b'T' | b' '),
        other => byte == *other,
    };
    text.len() >= SHAPE.len() && text.bytes().zip(SHAPE).all(fits)
}
