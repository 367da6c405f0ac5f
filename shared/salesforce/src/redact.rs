//! Redacts Salesforce's error messages. They echo what was sent (a number, an overlong description, a query), and are
//! stored and shown, so they must not contain a token, a body or a phone number.

use std::ops::Range;

use crate::markup;

/// Maximum length of a message in characters.
const MAX_LENGTH: usize = 500;
/// So many consecutive digits, ignoring formatting, may be a phone number.
const PHONE_DIGITS: usize = 7;
/// A longer quotation is content, not the name of a field or a value of a picklist.
const MAX_QUOTATION: usize = 40;
/// A longer word with a digit in it is an id or a token, not an error code.
const MAX_WORD: usize = 24;
/// Replaces what was removed.
const REDACTED: &str = "…";
/// Precedes the id of a flow's failure.
const ERROR_ID: &str = "Error ID: ";
/// Maximum number of digits of each number in such an id: they are 32-bit numbers.
const ERROR_ID_DIGITS: usize = 10;

/// Shortens a message, and removes what we sent and what may be personal.
pub(crate) fn message(text: &str) -> String {
    let text = markup::plain(text);
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let text = without_refused_value(without_query(&text));
    let text = without_quotations(&text);
    let text = text.split(' ').map(without_opaque).collect::<Vec<_>>().join(" ");
    shortened_without_numbers(&text)
}

/// Keeps the id of a flow's failure even if the text is cut: the org's admin finds the flow by it.
fn shortened_without_numbers(text: &str) -> String {
    let Some(range) = find_error_id(text) else { return shorten(&without_numbers(text), MAX_LENGTH) };
    let (before, id) = (without_numbers(&text[..range.start]), &text[range.clone()]);
    let used = before.chars().count() + id.chars().count();
    if used < MAX_LENGTH {
        let whole = format!("{before}{id}{}", without_numbers(&text[range.end..]));
        return shorten(&whole, MAX_LENGTH);
    }
    let room = MAX_LENGTH - id.chars().count() - 1;
    format!("{} {id}", shorten(before.trim_end(), room))
}

/// The range of `Error ID: 1234567890-12345 (-1234567890)`.
fn find_error_id(text: &str) -> Option<Range<usize>> {
    text.match_indices(ERROR_ID).find_map(|(start, before)| {
        let id = &text[start + before.len()..];
        let end = id.find(')')?;
        is_error_id(&id[..end]).then_some(start..start + before.len() + end + 1)
    })
}

/// `1234567890-12345 (-1234567890`
fn is_error_id(text: &str) -> bool {
    let number = |text: &str| {
        (1..=ERROR_ID_DIGITS).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
    };
    let parts = text.split_once(" (").and_then(|(left, hash)| Some((left.split_once('-')?, hash)));
    parts.is_some_and(|((time, count), hash)| {
        number(time) && number(count) && number(hash.strip_prefix('-').unwrap_or(hash))
    })
}

/// `FIND {…} … ^ ERROR at Row:1:Column:11 …`: removes the query.
fn without_query(text: &str) -> &str {
    text.rfind("ERROR at Row").map_or(text, |at| &text[at..])
}

/// `Subject: data value too large: <the whole value> (max length=255)`: removes the value.
fn without_refused_value(text: &str) -> String {
    const BEFORE: &str = "data value too large: ";
    const AFTER: &str = " (max length";
    let Some((head, value)) = text.split_once(BEFORE) else { return text.to_owned() };
    let tail = value.rfind(AFTER).map_or("", |at| &value[at..]);
    format!("{head}{BEFORE}{REDACTED}{tail}")
}

fn without_quotations(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut parts = text.split('"');
    kept.push_str(parts.next().unwrap_or_default());
    while let Some(quoted) = parts.next() {
        let short = quoted.chars().count() <= MAX_QUOTATION;
        kept.push('"');
        kept.push_str(if short { quoted } else { REDACTED });
        if let Some(after) = parts.next() {
            kept.push('"');
            kept.push_str(after);
        }
    }
    kept
}

fn without_opaque(word: &str) -> &str {
    let opaque = word.chars().count() > MAX_WORD && word.contains(|c: char| c.is_ascii_digit());
    if opaque { REDACTED } else { word }
}

/// Removes every run of digits, however formatted, that may be a phone number.
fn without_numbers(text: &str) -> String {
    let formatting = |c: char| c.is_ascii_digit() || " ()+-./".contains(c);
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(|c: char| c.is_ascii_digit()) {
        let run = &rest[start..];
        let run = &run[..run.find(|c| !formatting(c)).unwrap_or(run.len())];
        let run = run.trim_end_matches(|c: char| !c.is_ascii_digit());
        let digits = run.bytes().filter(u8::is_ascii_digit).count();
        kept.push_str(&rest[..start]);
        kept.push_str(if digits >= PHONE_DIGITS { REDACTED } else { run });
        rest = &rest[start + run.len()..];
    }
    kept + rest
}

fn shorten(text: &str, max_length: usize) -> String {
    match text.char_indices().nth(max_length) {
        None => text.to_owned(),
        Some(_) => text.chars().take(max_length - 1).collect::<String>() + REDACTED,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn salesforces_own_text_is_kept() {
        for text in [
            "Session expired or invalid",
            "Required fields are missing: [LastName]",
            "Unable to create/update fields: Type. Please check the security settings of this field",
            "bad value for restricted picklist field: Inbound",
            "unable to obtain exclusive access to this record or 1 records",
            "Trigger.Calls: line 12, column 1, UNABLE_TO_LOCK_ROW_AND_SOMETHING_LONG",
        ] {
            assert_eq!(message(text), text);
        }
    }

    #[test]
    fn phone_numbers_are_removed_however_they_are_formatted() {
        for number in ["+12345550123", "(234) 555-0123", "234.555.0123", "555-0123", "2345550123*"] {
            let redacted = message(&format!("no row for {number}, sorry"));
            assert!(!redacted.contains("0123"), "{redacted}");
            assert!(redacted.starts_with("no row for") && redacted.ends_with(", sorry"), "{redacted}");
        }
    }

    #[test]
    fn what_was_sent_is_removed() {
        let body = "The caller wants a quote. ".repeat(50);
        let redacted = message(&format!("Description: data value too large: {body} (max length=32000)"));
        assert_eq!(redacted, "Description: data value too large: … (max length=32000)");
        let redacted = message(&format!(
            "Cannot deserialize instance of datetime from VALUE_STRING value \"{body}\" at [line:1]"
        ));
        assert_eq!(
            redacted,
            "Cannot deserialize instance of datetime from VALUE_STRING value \"…\" at [line:1]"
        );
    }

    #[test]
    fn an_echoed_query_is_removed_and_its_error_kept() {
        let redacted = message(
            "\nFIND {x} RETURNING Lead(Id,\n   ^\nERROR at Row:1:Column:11\nNo such column 'Fax' on entity 'Lead'.",
        );
        assert_eq!(redacted, "ERROR at Row:1:Column:11 No such column 'Fax' on entity 'Lead'.");
    }

    /// Salesforce's wording (Help, "Troubleshoot Flow Errors").
    const FLOW: &str = "We can&#39;t save this record because the “Calls” process failed. Give your Salesforce admin these details. <b>This error occurred when the flow tried to update records</b>: FIELD_CUSTOM_VALIDATION_EXCEPTION: Call (234) 555-0123 back. You can look up ExceptionCode values in the <a target=\"new\" href='https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/calls.htm?x=2345550123'>SOAP API Developer Guide</a>.<br><br>Error ID: 1234567890-12345 (-1234567890)";

    #[test]
    fn the_error_id_of_a_failed_flow_is_kept_and_numbers_and_markup_are_removed() {
        let redacted = message(FLOW);
        assert_eq!(
            redacted,
            "We can't save this record because the “Calls” process failed. Give your Salesforce admin these details. This error occurred when the flow tried to update records: FIELD_CUSTOM_VALIDATION_EXCEPTION: Call (… back. You can look up ExceptionCode values in the SOAP API Developer Guide. Error ID: 1234567890-12345 (-1234567890)"
        );
        let redacted = message("Error ID: 577398459-79404 (1362279439). Call 2345550123.");
        assert_eq!(redacted, "Error ID: 577398459-79404 (1362279439). Call ….");
    }

    #[test]
    fn a_long_text_is_cut_before_its_error_id() {
        let redacted =
            message(&FLOW.replace("Call (234) 555-0123 back.", &"Ask for a campaign. ".repeat(40)));
        assert_eq!(redacted.chars().count(), MAX_LENGTH);
        assert!(redacted.starts_with("We can't save this record"), "{redacted}");
        assert!(redacted.ends_with("… Error ID: 1234567890-12345 (-1234567890)"), "{redacted}");
        let id = "Error ID: 1234567890-12345 (-1234567890)";
        for before in 440..=MAX_LENGTH {
            let redacted = message(&format!("{} {id} and {}", "a".repeat(before), "b".repeat(100)));
            assert!(redacted.contains(id) && redacted.chars().count() <= MAX_LENGTH, "{before}: {redacted}");
        }
    }

    #[test]
    fn what_only_looks_like_an_error_id_is_removed() {
        for text in [
            "Error ID: 2345550123",
            "Error ID: +1234567890-12345 (-1234567890)",
            "Error ID:1234567890-12345 (-1234567890)",
            "Error ID: 1234567890-12345 (1234567890",
            "Error ID: 12345678901-12345 (-1234567890)",
            "Error ID: 1234567890 12345 (-1234567890)",
        ] {
            let redacted = message(text);
            assert!(!redacted.contains("4567890"), "{text}: {redacted}");
        }
    }

    #[test]
    fn markup_is_removed_and_its_text_kept() {
        for (text, plain) in [
            ("<p>One</p><p>two</p>", "One two"),
            ("a &lt;b&gt;bold&lt;/b&gt; &amp; <i>plain</i>&nbsp;word", "a bold & plain word"),
            ("<!-- hidden 2345550123 -->Call", "Call"),
            ("<a href=\"https://x.example/?a=1&b=2\">Open</a>", "Open"),
            ("5 < 6 and 7 > 6", "5 < 6 and 7 > 6"),
            ("a <b without an end", "a <b without an end"),
            ("AT&T; &unknown; &#xZZ;", "AT&T; &unknown; &#xZZ;"),
            ("<b>234</b>555<i>0123</i>", "…"),
            ("&#50;345550123", "…"),
        ] {
            assert_eq!(message(text), plain, "{text}");
        }
    }

    #[test]
    fn tokens_are_removed() {
        let redacted = message("bad token 00Dxx0000000001!AQEAQFz8.dPoqwe_x1y2z3Kl9 given");
        assert_eq!(redacted, "bad token … given");
    }

    #[test]
    fn messages_are_cut_on_a_character_boundary() {
        let redacted = message(&"ä ".repeat(2000));
        assert_eq!(redacted.chars().count(), MAX_LENGTH);
    }

    /// Whether the text, apart from error ids, has a run of digits that may be a phone number.
    fn has_number(redacted: &str) -> bool {
        let longest = |text: &str| text.split(|c: char| !c.is_ascii_digit()).map(str::len).max();
        let Some((before, after)) = redacted.split_once("Error ID: ") else {
            return longest(redacted).unwrap_or(0) >= PHONE_DIGITS;
        };
        let after = match after.split_once(')') {
            Some((id, rest)) if looks_like_error_id(id) => rest,
            _ => after,
        };
        longest(before).unwrap_or(0) >= PHONE_DIGITS || has_number(after)
    }

    /// `1234567890-12345 (-1234567890`
    fn looks_like_error_id(id: &str) -> bool {
        let number = |text: &str| (1..=10).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
        let Some((first, rest)) = id.split_once('-') else { return false };
        let Some((second, third)) = rest.split_once(" (") else { return false };
        number(first) && number(second) && number(third.strip_prefix('-').unwrap_or(third))
    }

    proptest! {
        #[test]
        fn no_message_contains_a_phone_number_or_is_too_long(text in "[ a-zA-Z0-9()+.\"*äß<>&;#/-]{0,900}") {
            let redacted = message(&text);
            prop_assert!(redacted.chars().count() <= MAX_LENGTH);
            prop_assert!(!has_number(&redacted), "{}", redacted);
        }

        #[test]
        fn no_number_is_kept_except_in_an_error_id(
            parts in prop::collection::vec(
                prop_oneof![
                    Just("Error ID: ".to_owned()),
                    Just("1234567890-12345 (-1234567890)".to_owned()),
                    "[0-9]{1,11}",
                    "[-() <>/.&;#a-z]{1,3}",
                    "[a-z ]{0,90}",
                ],
                0..24,
            ),
        ) {
            let redacted = message(&parts.concat());
            prop_assert!(redacted.chars().count() <= MAX_LENGTH);
            prop_assert!(!has_number(&redacted), "{}", redacted);
        }
    }
}
