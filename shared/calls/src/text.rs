//! Cleans and cuts text from outside: no control characters, and no longer than its field.

mod nothing;
mod words;

use std::borrow::Cow;

use unicode_segmentation::GraphemeCursor;

pub use words::words;

/// The mark at the end of a text that was cut.
pub const CUT: &str = " … [cut]";

/// Counts characters, for limits that are not Salesforce's.
pub fn character(_: char) -> usize {
    1
}

/// What Salesforce may count for a character of a text field. It works in UTF-16 and takes a surrogate pair for two
/// characters (Salesforce Help 005166849); a line break may be stored as carriage return and line feed. Whether the limits
/// of Subject and Description count so is not documented: this is the safe side. (Limits in bytes are known of other
/// fields only, such as a case comment's body: Help 000382141.)
pub fn salesforce_unit(character: char) -> usize {
    if character == '\n' { 2 } else { character.len_utf16() }
}

/// A text's length in one of the units above.
pub fn length(text: &str, measure: fn(char) -> usize) -> usize {
    text.chars().map(measure).sum()
}

/// The text, or as much of its beginning as fits with the mark [`CUT`].
pub fn cut(text: &str, longest: usize, measure: fn(char) -> usize) -> Cow<'_, str> {
    if length(text, measure) <= longest {
        return Cow::Borrowed(text);
    }
    let room = longest.saturating_sub(length(CUT, measure));
    let mut taken = 0;
    let end = text.char_indices().find_map(|(index, character)| {
        taken += measure(character);
        (taken > room).then_some(index)
    });
    let kept = text[..grapheme_boundary(text, end.unwrap_or_default())].trim_end();
    if kept.is_empty() { Cow::Borrowed("") } else { Cow::Owned(format!("{kept}{CUT}")) }
}

/// The last boundary at or before `end` that does not split what people see as one character: a letter and its
/// accent, an emoji and its skin tone, or the parts of a joined emoji (Unicode's UAX 29).
fn grapheme_boundary(text: &str, end: usize) -> usize {
    let mut cursor = GraphemeCursor::new(end, text.len(), true);
    if cursor.is_boundary(text, 0) == Ok(true) {
        return end;
    }
    let start = cursor.prev_boundary(text, 0).ok().flatten().unwrap_or_default();
    // No character of any language has this many parts.
    if end - start > LONGEST_GRAPHEME { end } else { start }
}

/// Bytes.
const LONGEST_GRAPHEME: usize = 64;

/// The trimmed text without control characters, except line breaks and tabs, of at most `longest` characters; `None`
/// if nothing is left. Non-characters are removed too: SQS rejects messages that contain them.
pub fn clean(text: &str, longest: usize) -> Option<String> {
    let kept =
        |c: &char| matches!(c, '\n' | '\t') || !(c.is_control() || matches!(c, '\u{FFFE}' | '\u{FFFF}'));
    let text: String = text.trim().chars().filter(kept).take(longest + 1).collect();
    let text = cut(text.trim(), longest, character);
    (!text.is_empty()).then(|| text.into_owned())
}

/// Like [`clean`], on one line: every run of whitespace becomes one space.
pub fn clean_line(text: &str, longest: usize) -> Option<String> {
    // Reads four times as much, so that a text with much whitespace is not cut too early.
    let text = clean(text, longest.saturating_mul(4))?;
    clean(&text.split_whitespace().collect::<Vec<_>>().join(" "), longest)
}

/// The trimmed text; `None` for placeholders that people, forms and language models write for nothing.
pub fn present(text: &str) -> Option<&str> {
    let text = text.trim();
    (!nothing::says_nothing(text)).then_some(text)
}

/// A name in a form that is equal for `appointment_date`, `appointmentDate` and “Appointment Date”.
pub fn plain_name(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_text_that_fits_stays_whole() {
        assert_eq!(
            clean("  twelve\tlicences\r\nplease\u{0}\u{7f}\u{FFFF} ", 100).unwrap(),
            "twelve\tlicences\nplease"
        );
        assert_eq!(clean(&"é".repeat(20), 20).unwrap(), "é".repeat(20));
        assert_eq!(clean(" \u{1} ", 20), None);
    }

    #[test]
    fn a_text_that_does_not_fit_is_cut_and_marked() {
        assert_eq!(clean("The quick brown fox", 17).unwrap(), "The quick … [cut]");
        assert_eq!(cut("abc", 2, character), "");
    }

    #[test]
    fn a_character_of_several_parts_is_not_split() {
        // A family: man, joiner, woman, joiner, girl; eight UTF-16 units.
        let family = "\u{1F468}\u{200D}\u{1F469}\u{200D}\u{1F467}";
        for (part, units) in [
            ("e\u{301}", 2),
            ("\u{1F44B}\u{1F3FD}", 4),
            ("\u{2764}\u{FE0F}", 2),
            (family, 8),
            ("𠮟", 2),
            ("é", 1),
        ] {
            assert_eq!(length(part, salesforce_unit), units, "{part}");
            let text = format!("ab{}", part.repeat(100));
            for longest in 10..60 {
                let cut = cut(&text, longest, salesforce_unit);
                let kept = cut.strip_suffix(CUT).unwrap().strip_prefix("ab").unwrap();
                assert_eq!(kept.replace(part, ""), "", "{longest}");
                let room = longest - 2 - length(CUT, salesforce_unit);
                assert_eq!(length(kept, salesforce_unit), room - room % units, "{longest}");
            }
        }
        // An endless run of combining marks is not text: it is cut anywhere, but it is cut.
        let endless = format!("a{}", "\u{301}".repeat(100));
        assert_eq!(length(&cut(&endless, 50, character), character), 50);
    }

    #[test]
    fn a_line_has_no_breaks() {
        assert_eq!(clean_line("a\u{2028}b\u{85}c\u{9b}d\r\ne", 99).unwrap(), "a bcd e");
        assert_eq!(clean_line("2:00\u{202f}PM\n\n today", 99).unwrap(), "2:00 PM today");
    }

    #[test]
    fn salesforce_units_count_the_worst_case() {
        assert_eq!(length("a\n𠮟", salesforce_unit), 5);
    }

    #[test]
    fn present_text_is_trimmed() {
        assert_eq!((present(" noon "), present(" N/A ")), (Some("noon"), None));
    }

    proptest! {
        #[test]
        fn a_cut_text_fits(text in any::<String>(), longest in 0_usize..60) {
            for measure in [character, salesforce_unit] {
                let cut = cut(&text, longest, measure);
                prop_assert!(length(&cut, measure) <= longest);
                prop_assert!(cut == text || cut.is_empty() || cut.ends_with(CUT));
            }
        }
    }
}
