//! What is kept of Salesforce's error texts. They echo what was sent: numbers, a too long description, a query. Error
//! messages are stored and shown, so no token, body or phone number may be in them.

use std::ops::Range;

use crate::markup;

/// How many characters of a message are kept.
const LONGEST: usize = 500;
/// How many digits in a row, formatting aside, could be a phone number.
const PHONE_DIGITS: usize = 7;
/// A quotation that is longer is content, not the name of a field or a value of a picklist.
const LONGEST_QUOTATION: usize = 40;
/// A word that is longer and has a digit is an opaque id or a token, not an error code.
const LONGEST_OPAQUE_WORD: usize = 24;
/// Stands for what was taken out.
const GONE: &str = "…";
/// What Salesforce writes before the id of a flow's failure.
const ERROR_ID: &str = "Error ID: ";
/// How many digits each number of such an id has at most: they are 32-bit numbers.
const ERROR_ID_DIGITS: usize = 10;

/// Shortens a message and takes out what may be ours or a person's.
pub(crate) fn message(text: &str) -> String {
    let text = markup::plain(text);
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let text = without_refused_value(without_query(&text));
    let text = without_quotations(&text);
    let text = text.split(' ').map(without_opaque).collect::<Vec<_>>().join(" ");
    shortened_without_numbers(&text)
}

/// The id of a flow's failure stays, also where the text is cut: the org's admin finds the flow by it.
fn shortened_without_numbers(text: &str) -> String {
    let Some(place) = error_id(text) else { return shorten(&without_numbers(text), LONGEST) };
    let (before, id) = (without_numbers(&text[..place.start]), &text[place.clone()]);
    let used = before.chars().count() + id.chars().count();
    if used < LONGEST {
        let whole = format!("{before}{id}{}", without_numbers(&text[place.end..]));
        return shorten(&whole, LONGEST);
    }
    let room = LONGEST - id.chars().count() - 1;
    format!("{} {id}", shorten(before.trim_end(), room))
}

/// Where `Error ID: 1234567890-12345 (-1234567890)` stands.
fn error_id(text: &str) -> Option<Range<usize>> {
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

/// `FIND {…} … ^ ERROR at Row:1:Column:11 …`: the query before goes.
fn without_query(text: &str) -> &str {
    text.rfind("ERROR at Row").map_or(text, |at| &text[at..])
}

/// `Subject: data value too large: <the whole value> (max length=255)`: the value goes.
fn without_refused_value(text: &str) -> String {
    const BEFORE: &str = "data value too large: ";
    const AFTER: &str = " (max length";
    let Some((head, value)) = text.split_once(BEFORE) else { return text.to_owned() };
    let tail = value.rfind(AFTER).map_or("", |at| &value[at..]);
    format!("{head}{BEFORE}{GONE}{tail}")
}

fn without_quotations(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut parts = text.split('"');
    kept.push_str(parts.next().unwrap_or_default());
    while let Some(quoted) = parts.next() {
        let short = quoted.chars().count() <= LONGEST_QUOTATION;
        kept.push('"');
        kept.push_str(if short { quoted } else { GONE });
        if let Some(after) = parts.next() {
            kept.push('"');
            kept.push_str(after);
        }
    }
    kept
}

fn without_opaque(word: &str) -> &str {
    let opaque = word.chars().count() > LONGEST_OPAQUE_WORD && word.contains(|c: char| c.is_ascii_digit());
    if opaque { GONE } else { word }
}

/// Takes out every run of digits, in any usual formatting, that could be a phone number.
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
        kept.push_str(if digits >= PHONE_DIGITS { GONE } else { run });
        rest = &rest[start + run.len()..];
    }
    kept + rest
}

fn shorten(text: &str, longest: usize) -> String {
    match text.char_indices().nth(longest) {
        None => text.to_owned(),
        Some(_) => text.chars().take(longest - 1).collect::<String>() + GONE,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn salesforce_s_own_words_stay() {
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
    fn numbers_go_in_any_formatting() {
        for number in ["+12345550123", "(234) 555-0123", "234.555.0123", "555-0123", "2345550123*"] {
            let said = message(&format!("no row for {number}, sorry"));
            assert!(!said.contains("0123"), "{said}");
            assert!(said.starts_with("no row for") && said.ends_with(", sorry"), "{said}");
        }
    }

    #[test]
    fn what_we_sent_goes() {
        let body = "The caller wants a quote. ".repeat(50);
        let said = message(&format!("Description: data value too large: {body} (max length=32000)"));
        assert_eq!(said, "Description: data value too large: … (max length=32000)");
        let said = message(&format!(
            "Cannot deserialize instance of datetime from VALUE_STRING value \"{body}\" at [line:1]"
        ));
        assert_eq!(said, "Cannot deserialize instance of datetime from VALUE_STRING value \"…\" at [line:1]");
    }

    #[test]
    fn an_echoed_query_goes_and_what_is_wrong_with_it_stays() {
        let said = message(
            "\nFIND {x} RETURNING Lead(Id,\n   ^\nERROR at Row:1:Column:11\nNo such column 'Fax' on entity 'Lead'.",
        );
        assert_eq!(said, "ERROR at Row:1:Column:11 No such column 'Fax' on entity 'Lead'.");
    }

    /// As Salesforce words it (Help, "Troubleshoot Flow Errors").
    const FLOW: &str = "We can&#39;t save this record because the “Calls” process failed. Give your Salesforce admin these details. <b>This error occurred when the flow tried to update records</b>: FIELD_CUSTOM_VALIDATION_EXCEPTION: Call (234) 555-0123 back. You can look up ExceptionCode values in the <a target=\"new\" href='https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/calls.htm?x=2345550123'>SOAP API Developer Guide</a>.<br><br>Error ID: 1234567890-12345 (-1234567890)";

    #[test]
    fn the_error_id_of_a_failed_flow_stays_and_numbers_and_markup_go() {
        let said = message(FLOW);
        assert_eq!(
            said,
            "We can't save this record because the “Calls” process failed. Give your Salesforce admin these details. This error occurred when the flow tried to update records: FIELD_CUSTOM_VALIDATION_EXCEPTION: Call (… back. You can look up ExceptionCode values in the SOAP API Developer Guide. Error ID: 1234567890-12345 (-1234567890)"
        );
        let said = message("Error ID: 577398459-79404 (1362279439). Call 2345550123.");
        assert_eq!(said, "Error ID: 577398459-79404 (1362279439). Call ….");
    }

    #[test]
    fn a_long_text_is_cut_before_its_error_id() {
        let said = message(&FLOW.replace("Call (234) 555-0123 back.", &"Ask for a campaign. ".repeat(40)));
        assert_eq!(said.chars().count(), LONGEST);
        assert!(said.starts_with("We can't save this record"), "{said}");
        assert!(said.ends_with("… Error ID: 1234567890-12345 (-1234567890)"), "{said}");
        let id = "Error ID: 1234567890-12345 (-1234567890)";
        for before in 440..=LONGEST {
            let said = message(&format!("{} {id} and {}", "a".repeat(before), "b".repeat(100)));
            assert!(said.contains(id) && said.chars().count() <= LONGEST, "{before}: {said}");
        }
    }

    #[test]
    fn what_only_looks_like_an_error_id_goes() {
        for text in [
            "Error ID: 2345550123",
            "Error ID: +1234567890-12345 (-1234567890)",
            "Error ID:1234567890-12345 (-1234567890)",
            "Error ID: 1234567890-12345 (1234567890",
            "Error ID: 12345678901-12345 (-1234567890)",
            "Error ID: 1234567890 12345 (-1234567890)",
        ] {
            let said = message(text);
            assert!(!said.contains("4567890"), "{text}: {said}");
        }
    }

    #[test]
    fn markup_is_dropped_and_its_text_stays() {
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
    fn tokens_go() {
        let said = message("bad token 00Dxx0000000001!AQEAQFz8.dPoqwe_x1y2z3Kl9 given");
        assert_eq!(said, "bad token … given");
    }

    #[test]
    fn messages_are_cut_on_a_character_boundary() {
        let said = message(&"ä ".repeat(2000));
        assert_eq!(said.chars().count(), LONGEST);
    }

    /// The text without its error ids, and whether the rest has a run of digits that could be a phone number.
    fn has_number(said: &str) -> bool {
        let longest = |text: &str| text.split(|c: char| !c.is_ascii_digit()).map(str::len).max();
        let Some((before, after)) = said.split_once("Error ID: ") else {
            return longest(said).unwrap_or(0) >= PHONE_DIGITS;
        };
        let after = match after.split_once(')') {
            Some((id, rest)) if is_shaped(id) => rest,
            _ => after,
        };
        longest(before).unwrap_or(0) >= PHONE_DIGITS || has_number(after)
    }

    /// `1234567890-12345 (-1234567890`
    fn is_shaped(id: &str) -> bool {
        let number = |text: &str| (1..=10).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
        let Some((first, rest)) = id.split_once('-') else { return false };
        let Some((second, third)) = rest.split_once(" (") else { return false };
        number(first) && number(second) && number(third.strip_prefix('-').unwrap_or(third))
    }

    proptest! {
        #[test]
        fn no_message_keeps_a_number_or_grows_too_long(text in "[ a-zA-Z0-9()+.\"*äß<>&;#/-]{0,900}") {
            let said = message(&text);
            prop_assert!(said.chars().count() <= LONGEST);
            prop_assert!(!has_number(&said), "{}", said);
        }

        #[test]
        fn no_number_is_kept_that_is_not_of_an_error_id(
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
            let said = message(&parts.concat());
            prop_assert!(said.chars().count() <= LONGEST);
            prop_assert!(!has_number(&said), "{}", said);
        }
    }
}
