//! Phone fields that hold more than one number, or a note beside one: `234-555-0104 / 234-555-0105`, `T: … F: …`,
//! `234-555-0104 (3rd shift)`.

/// Digits of the shortest text that is a number by itself.
const WHOLE_NUMBER: usize = 7;
/// Digits of the longest number (E.164): what has more is several.
const LONGEST: usize = 15;
/// Digits of the longest extension.
const LONGEST_EXTENSION: usize = 6;

/// What stands before an extension, which belongs to the number before it.
const EXTENSION_MARKS: [&str; 19] = [
    "x",
    "xt",
    "xtn",
    "ext",
    "extn",
    "exten",
    "extension",
    "extensión",
    "dw",
    "durchwahl",
    "kl",
    "klappe",
    "int",
    "interno",
    "anexo",
    "ramal",
    "poste",
    "wew",
    "доб",
];

/// The numbers that a text holds beside digits that are none of them. Nothing: the text is one number, as it is written.
pub(super) fn numbers(text: &str) -> Vec<&str> {
    if is_plain(text) {
        return Vec::new();
    }
    let segments = segments(text);
    let numbers: Vec<&str> = segments.iter().flat_map(|segment| of_segment(segment)).collect();
    let left = digits(text) - numbers.iter().map(|number| digits(number)).sum::<usize>();
    match numbers.len() {
        1 if left == 0 => Vec::new(),
        _ => numbers,
    }
}

/// Digits and their usual formatting, and no more of them than a number has. Nearly every field is so.
fn is_plain(text: &str) -> bool {
    let formatting = |b: u8| b.is_ascii_digit() || b" +()-".contains(&b);
    text.bytes().all(formatting) && text.bytes().filter(u8::is_ascii_digit).count() <= LONGEST
}

pub(super) fn digits(text: &str) -> usize {
    text.chars().filter(|c| c.is_numeric()).count()
}

/// The numbers of a text without separators but slashes: these stand within numbers as well (`030/1234567`,
/// `0475 12/34/56`), and between two where each is one by itself.
fn of_segment(segment: &str) -> Vec<&str> {
    let is_number = |text: &&str| digits(text) >= WHOLE_NUMBER;
    let parts: Vec<&str> = segment.split('/').map(str::trim).collect();
    let are_two = is_number(&parts[0]) && parts.iter().filter(|part| is_number(part)).count() > 1;
    let parts = if are_two { parts } else { vec![segment] };
    parts.into_iter().filter(is_number).map(as_entered).collect()
}

/// A number that a spreadsheet took for one to count with: `2345550134.0`.
fn as_entered(number: &str) -> &str {
    let whole = number.strip_suffix(".0").filter(|whole| whole.bytes().all(|b| b.is_ascii_digit()));
    whole.unwrap_or(number)
}

/// A text in parts, cut at words, notes in brackets and marks that stand between numbers.
fn segments(text: &str) -> Vec<&str> {
    let is_long = digits(text) > LONGEST;
    let mut segments = Vec::new();
    let mut start = 0;
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        let length = separator(text, at, start, c, is_long);
        if length > 0 {
            let end = if c.is_alphabetic() { before_count(text, start, at) } else { at };
            segments.push(text[start..end].trim());
            at += length;
            start = at;
        } else {
            at += skipped(&text[at..], c);
        }
    }
    segments.push(text[start..].trim());
    segments
}

/// How many bytes at this place stand between two parts; 0: none.
fn separator(text: &str, at: usize, start: usize, c: char, is_long: bool) -> usize {
    let rest = &text[at..];
    match c {
        '(' | '[' => note(rest),
        ',' | ';' if extension(rest).is_none() => 1,
        '|' | '&' | ':' | '=' | '#' | '\n' | '\r' => 1,
        // A plus begins a number.
        '+' if digits(&text[start..at]) >= WHOLE_NUMBER => 1,
        '-' | '–' if is_long && text[..at].ends_with(' ') && rest[c.len_utf8()..].starts_with(' ') => {
            c.len_utf8()
        }
        c if c.is_alphabetic() => {
            let word = word(rest);
            if is_mark(word) { 0 } else { word.len() }
        }
        _ => 0,
    }
}

/// Where a part ends before a word: before a count that the word belongs to (`24h`, `3rd`).
fn before_count(text: &str, start: usize, at: usize) -> usize {
    const COUNT: usize = 2;
    let part = &text[start..at];
    let before = part.trim_end_matches(|c: char| c.is_ascii_digit());
    let stands_apart = before.is_empty() || before.ends_with(char::is_whitespace);
    if stands_apart && part.len() - before.len() <= COUNT { start + before.len() } else { at }
}

/// How many bytes of a part are taken at once: an extension's mark with its digits stays with the number before it.
fn skipped(rest: &str, c: char) -> usize {
    match c {
        ',' | ';' => extension(rest).unwrap_or(1),
        c if c.is_alphabetic() => word(rest).len(),
        c => c.len_utf8(),
    }
}

/// The length of a note in brackets, or of the bracket before another number; 0: they hold a part of a number, or its
/// extension.
fn note(rest: &str) -> usize {
    let close = if rest.starts_with('(') { ')' } else { ']' };
    let Some(end) = rest.find(close) else { return 0 };
    let inner = &rest[1..end];
    if digits(inner) >= WHOLE_NUMBER {
        return 1;
    }
    let first = inner.find(char::is_alphabetic).map(|place| word(&inner[place..]));
    if first.is_none_or(is_mark) { 0 } else { end + 1 }
}

/// The length of what is dialled after a pause (`,,,123#`), or of an extension as an address writes it (`;ext=5`).
fn extension(rest: &str) -> Option<usize> {
    let pause = rest.len() - rest.trim_start_matches([',', ';', ' ']).len();
    let marked = if rest[pause..].starts_with("ext=") { pause + "ext=".len() } else { pause };
    let number = rest[marked..].bytes().take_while(u8::is_ascii_digit).count();
    let end = marked + number;
    let ends = rest[end..].trim_start_matches('#').trim().is_empty();
    ((1..=LONGEST_EXTENSION).contains(&number) && ends).then_some(rest.len())
}

fn word(rest: &str) -> &str {
    &rest[..rest.find(|c: char| !c.is_alphabetic()).unwrap_or(rest.len())]
}

fn is_mark(word: &str) -> bool {
    let word = word.to_lowercase();
    EXTENSION_MARKS.contains(&word.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_as_it_is_written_is_left_alone() {
        for text in [
            "+1 (234) 555-0104",
            "234.555.0104 x12",
            "234-555-0104 ext. 5",
            "2345550104,,,123#",
            "tel:+1-234-555-0104;ext=5",
            "020 7946 0123 (work)",
            "+44 (0)20 7946 0123",
            "(020) 7946-0123 (x12)",
            "0475/12/34/56",
            "030/1234567",
            "0475 12 34/56",
            "030 1234567/8",
            "030 1234567 DW 12",
            "1-800-FLOWERS",
            "",
            "n/a",
        ] {
            assert_eq!(numbers(text), Vec::<&str>::new(), "{text:?}");
        }
    }

    #[test]
    fn two_numbers_are_told_apart_and_notes_are_left_out() {
        for (text, expected) in [
            ("234-555-0104 / 234-555-0105", &["234-555-0104", "234-555-0105"][..]),
            ("234-555-0104/234-555-0105", &["234-555-0104", "234-555-0105"]),
            ("234-555-0104; 234-555-0105", &["234-555-0104", "234-555-0105"]),
            ("234-555-0104, 234-555-0105", &["234-555-0104", "234-555-0105"]),
            ("234-555-0104 or 234-555-0105", &["234-555-0104", "234-555-0105"]),
            ("T: 234-555-0104 F: 234-555-0105", &["234-555-0104", "234-555-0105"]),
            ("234-555-0104 ext. 5, cell 234-555-0105", &["234-555-0104 ext. 5", "234-555-0105"]),
            ("+12345550104 +12345550105", &["+12345550104", "12345550105"]),
            ("01 23 45 67 89 - 06 12 34 56 78", &["01 23 45 67 89", "06 12 34 56 78"]),
            ("030 1234567 / 0171 2345678", &["030 1234567", "0171 2345678"]),
            ("030/1234567, 0171/2345678", &["030/1234567", "0171/2345678"]),
            ("234-555-0104 (3rd shift)", &["234-555-0104"]),
            ("234-555-0104 24h", &["234-555-0104"]),
            ("234-555-0104 (since 2019)", &["234-555-0104"]),
            ("(since 2019) 234-555-0104", &["234-555-0104"]),
            ("No. 1: 234-555-0104", &["234-555-0104"]),
            ("234-555-0104 after 5pm", &["234-555-0104"]),
            ("030 1234567 ab 18 Uhr", &["030 1234567"]),
            ("234 555 0104cell, 234 555 0105 home", &["234 555 0104", "234 555 0105"]),
            ("+44 (0)20 7946 0123 [2nd line]", &["+44 (0)20 7946 0123"]),
            ("+49 30 1234567\n+49 171 2345678", &["+49 30 1234567", "+49 171 2345678"]),
            ("234-555-0104 (234-555-0105)", &["234-555-0104", "234-555-0105)"]),
            ("2345550134.0", &["2345550134"]),
        ] {
            assert_eq!(numbers(text), expected, "{text:?}");
        }
    }
}
