//! Fields with more than one number, or with a note (`234-555-0104 / 234-555-0105 (3rd shift)`).
//!
//! First, notes are removed ([`notes`]). The rest is split where a number cannot continue, at words and semicolons
//! ([`pieces`]). Slashes, dashes and spaces also occur inside numbers: a piece is split there only if it is not a
//! number as a whole. Digits are dropped rather than guessed: a short second number (`234-555-0104 / 555-0105`) is
//! ignored.

mod notes;
mod pieces;

use rlibphonenumber::{
    PhoneNumber as Parsed, PhoneNumberFormat, enums::Region, get_national_significant_number_owned,
};

use super::{
    numbering::{LONGEST_NATIONAL, format, is_possible, is_valid},
    written::{joins_two, parse, readable, with_plus},
};
use pieces::{FULL, trimmed};

/// Digits of the longest number, with its international prefix (ITU-T E.164).
const LONGEST: usize = 18;
/// The most digits that are read as the end of a second number: `234-555-0104 / 0105`.
const LONGEST_END: usize = 4;
/// What a spreadsheet adds to a number that it takes for an amount.
const FRACTION: &str = ".0";

/// Whether a text has at most one number, and no note: only digits and the usual separators, as in nearly all
/// records. It is then compared as it is.
pub(super) fn is_plain(stored: &str) -> bool {
    let mut digits = 0;
    let usual = stored.bytes().all(|byte| match byte {
        b'0'..=b'9' => {
            digits += 1;
            true
        }
        b'+' => digits == 0,
        b'(' => digits < FULL,
        b' ' | b'-' | b'.' | b')' => true,
        _ => false,
    });
    usual && digits < 2 * FULL && !stored.ends_with(FRACTION)
}

/// The numbers in a text, each ready to be compared. `regions` are those that a number without country code may
/// belong to. A text that is only a short number, with or without words, has that one.
pub(super) fn numbers(stored: &str, regions: &[Region]) -> Vec<String> {
    // An RFC 3966 address, with its country after the number.
    if stored.contains(";phone-context=") {
        return vec![readable(stored).into_owned()];
    }
    let pieces = pieces::pieces(&notes::without(stored));
    let only = pieces.len() == 1;
    let full = pieces.into_iter().filter(|piece| only || count(piece) >= FULL);
    let numbers: Vec<String> = full.flat_map(|piece| split(&piece, regions)).collect();
    let counts = |(place, number): (usize, &String)| {
        let others = numbers.iter().enumerate().filter(|(other, _)| *other != place);
        !notes::is_date(number)
            && others.map(|(_, other)| other).all(|other| is_beside(number, other, regions))
    };
    numbers.iter().enumerate().filter(|number| counts(*number)).map(|(_, number)| number.clone()).collect()
}

fn count(text: &str) -> usize {
    text.chars().filter(|c| c.is_numeric()).count()
}

/// Whether a number next to another one may be a full number: it has a country code or trunk prefix, or about as many
/// digits as the other. In countries with numbers of different lengths, like Germany, a number without trunk prefix
/// may also be a local one (`+49 30 123456 / 76543210`): it needs as many digits as the other has within the country.
fn is_beside(number: &str, other: &str, regions: &[Region]) -> bool {
    if pieces::is_full(number) {
        return true;
    }
    let (number, other) = (without_extension(number), without_extension(other));
    let read = regions.iter().find_map(|region| valid(other, *region)).filter(|_| pieces::is_full(other));
    let has_one_length = regions.iter().any(|region| has_one_length(number, *region));
    let needed = match read {
        Some(read) if has_one_length => get_national_significant_number_owned(&read).len() - 1,
        Some(read) => count(&format(&read, PhoneNumberFormat::National)),
        None => count(other) - usize::from(has_one_length),
    };
    count(number) >= needed
}

/// Whether a number is valid, but not with one digit less.
fn has_one_length(number: &str, region: Region) -> bool {
    let shorter = &number[..number.char_indices().next_back().map_or(0, |(last, _)| last)];
    valid(number, region).is_some() && valid(shorter, region).is_none()
}

fn first_digit(text: &str) -> Option<char> {
    text.chars().find(|c| c.is_numeric())
}

fn without_extension(number: &str) -> &str {
    number.split_once(pieces::EXTENSION).map_or(number, |(number, _)| number)
}

fn valid(text: &str, region: Region) -> Option<Parsed> {
    parse(text, Some(region)).filter(is_valid)
}

/// What a text is as a whole.
#[derive(PartialEq, Eq)]
enum Whole {
    /// One number, valid or at least of a length in use.
    Number,
    /// One number, and the last digits of a second: `030 1234567/8`.
    WithEnd,
    /// Neither.
    None,
}

fn whole(text: &str, regions: &[Region]) -> Whole {
    let text = readable(text);
    let as_dialled = with_plus(&text).and_then(|text| parse(&text, None));
    let reads: Vec<Parsed> =
        regions.iter().filter_map(|region| parse(&text, Some(*region))).chain(as_dialled).collect();
    let is_short = |read: &Parsed| get_national_significant_number_owned(read).len() <= LONGEST_NATIONAL;
    let is_number = |read: &&Parsed| is_valid(read) || is_possible(read) && is_short(read);
    let mut joined = reads.iter().filter(is_number).map(|read| joins_two(read, &text));
    match joined.next() {
        Some(false) => Whole::Number,
        Some(true) if joined.any(|joined| !joined) => Whole::Number,
        Some(true) => Whole::WithEnd,
        None => Whole::None,
    }
}

/// Splits a piece unless it is a number as a whole.
fn split(piece: &str, regions: &[Region]) -> Vec<String> {
    if is_plain(without_extension(piece)) {
        return vec![piece.to_owned()];
    }
    match whole(piece, regions) {
        Whole::Number => vec![piece.to_owned()],
        Whole::WithEnd if has_letter_inside(piece) => Vec::new(),
        Whole::WithEnd => piece
            .rsplit_once(|c: char| c == '/' || c.is_alphabetic())
            .map_or_else(Vec::new, |(first, _)| split(first, regions)),
        Whole::None if piece.contains(pieces::DESK) => {
            split(&piece.replace(pieces::DESK, pieces::EXTENSION), regions)
        }
        Whole::None => match parts(piece, regions) {
            Some(parts) => parts.into_iter().flat_map(|part| split(part, regions)).collect(),
            None => vec![piece.to_owned()],
        },
    }
}

/// `030 12345O678`: a digit typed as a letter, at which no number ends.
fn has_letter_inside(piece: &str) -> bool {
    let chars: Vec<char> = piece.chars().collect();
    chars.windows(3).any(|c| c[0].is_numeric() && c[1].is_alphabetic() && c[2].is_numeric())
}

/// The parts of a piece that is not a number; `None` if it cannot be split.
fn parts<'a>(piece: &'a str, regions: &[Region]) -> Option<Vec<&'a str>> {
    if let Some(amount) = piece.strip_suffix(FRACTION).filter(|amount| amount.chars().all(char::is_numeric)) {
        return Some(vec![amount]);
    }
    let kinds = ["\n", " / ", " - ", "/", "  "];
    let by_kind = kinds.into_iter().find_map(|kind| full(piece.split(kind), kind.contains('/')));
    let by_letter = || full(without_extension(piece).split(char::is_alphabetic), !has_letter_inside(piece));
    let by_space = || split_at_space(piece, regions).map(|(first, second)| vec![first, second]);
    by_kind
        .or_else(|| parts_in_brackets(piece))
        .or_else(by_letter)
        .or_else(|| full(piece.split('-'), false))
        .or_else(by_space)
}

/// The parts, if there are several and all are full numbers; if `end`, the last one may be the last digits of a
/// second number.
fn full<'a>(parts: impl Iterator<Item = &'a str>, end: bool) -> Option<Vec<&'a str>> {
    let mut parts: Vec<&str> = parts.map(trimmed).filter(|part| count(part) > 0).collect();
    let last = parts.last().map_or(0, |last| count(last));
    let is_cut = parts.len() > 1;
    if is_cut && end && last <= LONGEST_END {
        parts.pop();
    }
    (is_cut && parts.iter().all(|part| count(part) >= FULL)).then_some(parts)
}

/// `(234) 555-0104 (234) 555-0105`, `234-555-0104 (234-555-0105)`, `234-555-0104 (2)`.
fn parts_in_brackets(piece: &str) -> Option<Vec<&str>> {
    let brackets = piece.match_indices('(').map(|(at, _)| at);
    let at = brackets.into_iter().find(|at| count(&piece[..*at]) >= FULL)?;
    let (first, rest) = piece.split_at(at);
    Some([first, rest].into_iter().map(trimmed).filter(|part| count(part) >= FULL).collect())
}

/// Two numbers separated by only a space, if there is exactly one way to split them.
fn split_at_space<'a>(piece: &'a str, regions: &[Region]) -> Option<(&'a str, &'a str)> {
    if count(piece) <= LONGEST {
        return None;
    }
    let has_trunk_prefix = first_digit(piece) == Some('0');
    let cuts = piece.match_indices(' ').map(|(at, _)| (&piece[..at], &piece[at + 1..]));
    let mut numbers = cuts.filter(|(first, second)| {
        let both_valid =
            |region: &Region| valid(first, *region).is_some() && valid(second, *region).is_some();
        let is_alike = !has_trunk_prefix || first_digit(second) == Some('0');
        is_alike && count(first) >= FULL && count(second) >= FULL && regions.iter().any(both_valid)
    });
    numbers.next().filter(|_| numbers.next().is_none())
}

#[cfg(test)]
mod tests;
