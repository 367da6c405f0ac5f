//! Removes notes with digits from a phone field: `(3rd shift)`, `24h`, `since 2019`.

use super::pieces;

/// Replaces a removed note: a number does not continue across it.
const CUT: char = '|';
/// Replaces a note without digits, which may interrupt a number: `020 (London) 7946 0123`.
const GAP: char = '\n';

/// What follows an hour or an ordinal without a space, and with one.
const UNITS: [&str; 12] = ["h", "hr", "hrs", "uhr", "am", "pm", "st", "nd", "rd", "th", "\u{ba}", "\u{aa}"];
const WORDS_FOR_HOURS: [&str; 8] = ["uhr", "hr", "hrs", "hours", "pm", "heures", "horas", "uur"];
/// Around the clock.
const ALWAYS: [&str; 4] = ["24/7", "24x7", "7/7", "24/24"];
/// Words before a year or a date.
const SINCE: [&str; 18] = [
    "since", "from", "until", "till", "seit", "ab", "bis", "depuis", "desde", "hasta", "dal", "sinds",
    "vanaf", "siden", "fra", "sedan", "od", "do",
];
/// Years that people write in notes.
const YEARS: std::ops::RangeInclusive<u32> = 1950..=2049;

/// A text without its notes and without invisible characters.
pub(super) fn without(stored: &str) -> String {
    let seen: Vec<char> = stored.chars().filter(|c| !is_invisible(*c)).map(normalized).collect();
    without_hours_and_dates(&without_brackets(&seen))
}

/// Directional marks and zero-width spaces.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// Normalizes dashes, slashes, brackets and spaces. Line breaks and tabs stay different from spaces.
fn normalized(c: char) -> char {
    match c {
        '\n' | '\r' | '\t' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}' => '\n',
        '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{30fc}' | '\u{ff0d}' => '-',
        '\u{ff0f}' => '/',
        '\u{ff0b}' => '+',
        '\u{ff08}' | '[' | '\u{ff3b}' => '(',
        '\u{ff09}' | ']' | '\u{ff3d}' => ')',
        c if c.is_whitespace() => ' ',
        c => c,
    }
}

/// Removes brackets with words, unless they contain a number or an extension.
fn without_brackets(text: &[char]) -> String {
    let mut kept = String::new();
    let mut rest = text;
    while let Some(open) = rest.iter().position(|c| *c == '(') {
        let inner = &rest[open + 1..];
        let close = inner.iter().position(|c| *c == ')').unwrap_or(inner.len());
        let inner = &inner[..close];
        kept.extend(&rest[..open]);
        rest = rest.get(open + close + 2..).unwrap_or_default();
        let digits = inner.iter().filter(|c| c.is_numeric()).count();
        let is_note = inner.iter().any(|c| c.is_alphabetic()) && digits < pieces::FULL;
        if is_note && !pieces::is_extension(inner) {
            kept.push(if digits == 0 { GAP } else { CUT });
        } else {
            kept.push('(');
            kept.extend(inner);
            kept.push(')');
        }
    }
    kept.extend(rest);
    kept
}

fn without_hours_and_dates(text: &str) -> String {
    let tokens: Vec<&str> = text.split_inclusive([' ', '\n']).collect();
    let word = |place: usize| tokens.get(place).map(|token| trimmed_word(token)).unwrap_or_default();
    let mut kept = String::new();
    for (place, token) in tokens.iter().enumerate() {
        let (before, this, after) = (place.checked_sub(1).map(word), word(place), word(place + 1));
        let since = before.is_some_and(|before| SINCE.contains(&before.as_str()));
        let is_ordinal = is_ordinal_before_word(token, &after);
        if is_hours(&this, &after) || is_ordinal || since && (is_year(&this) || is_date(&this)) {
            kept.push(CUT);
        } else {
            kept.push_str(token);
        }
    }
    kept
}

/// In lower case, without punctuation around it.
fn trimmed_word(token: &str) -> String {
    token.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase()
}

/// `3.` before a word, `3. Schicht`.
fn is_ordinal_before_word(token: &str, after: &str) -> bool {
    let mut chars = token.trim().chars();
    let is_one = chars.next().is_some_and(char::is_numeric) && chars.as_str() == ".";
    is_one && after.chars().next().is_some_and(char::is_alphabetic)
}

/// `24h`, `9-17` before `Uhr`, `9:00-17:00`, `5pm`, `3rd`, `24/7`.
fn is_hours(token: &str, after: &str) -> bool {
    if ALWAYS.contains(&token) {
        return true;
    }
    let groups: Vec<&str> =
        token.split(|c: char| !c.is_numeric()).filter(|group| !group.is_empty()).collect();
    let mut words = token.split(|c: char| !c.is_alphabetic()).filter(|word| !word.is_empty()).peekable();
    let is_small = !groups.is_empty() && groups.len() <= 4 && groups.iter().all(|group| group.len() <= 2);
    let has_marks = token.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | ':' | '.' | '/'));
    if !is_small || !has_marks {
        return false;
    }
    if words.peek().is_some() {
        let is_ordinal = ["st", "nd", "rd", "th"].iter().any(|unit| token.ends_with(unit));
        return (is_ordinal || is_hour(groups[0])) && words.all(|word| UNITS.contains(&word));
    }
    is_hour(groups[0]) && (token.contains(':') && groups.len() > 1 || WORDS_FOR_HOURS.contains(&after))
}

fn is_hour(group: &str) -> bool {
    group.parse().is_ok_and(|hour: u32| hour <= 24)
}

fn is_year(text: &str) -> bool {
    text.len() == 4 && text.parse().is_ok_and(|year: u32| YEARS.contains(&year))
}

/// `2019-05-01`, `1.5.2019`, `05/01/2019`, `2019-2021`.
pub(super) fn is_date(text: &str) -> bool {
    let text = text.trim_matches(|c: char| !c.is_numeric());
    let groups: Vec<&str> = text.split(['-', '.', '/']).collect();
    let is_day =
        |group: &&str| group.len() <= 2 && group.parse().is_ok_and(|day: u32| (1..=31).contains(&day));
    match groups.as_slice() {
        [from, to] => is_year(from) && is_year(to),
        [year, month, day] if is_year(year) => is_day(month) && is_day(day),
        [day, month, year] => is_day(day) && is_day(month) && is_year(year),
        _ => false,
    }
}
