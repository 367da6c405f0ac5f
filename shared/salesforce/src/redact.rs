//! What is kept of Salesforce's error texts. They echo what was sent: numbers, a too long description, a query. Error
//! messages are stored and shown, so no token, body or phone number may be in them.

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

/// Shortens a message and takes out what may be ours or a person's.
pub(crate) fn message(text: &str) -> String {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let text = without_refused_value(without_query(&text));
    let text = without_quotations(&text);
    let text = text.split(' ').map(without_opaque).collect::<Vec<_>>().join(" ");
    shorten(&without_numbers(&text))
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

fn shorten(text: &str) -> String {
    match text.char_indices().nth(LONGEST) {
        None => text.to_owned(),
        Some(_) => text.chars().take(LONGEST - 1).collect::<String>() + GONE,
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

    proptest! {
        #[test]
        fn no_message_keeps_a_number_or_grows_too_long(text in "[ a-zA-Z0-9()+.\"*äß-]{0,900}") {
            let said = message(&text);
            prop_assert!(said.chars().count() <= LONGEST);
            let digits = said.split(|c: char| !c.is_ascii_digit()).map(str::len).max().unwrap_or(0);
            prop_assert!(digits < PHONE_DIGITS, "{}", said);
        }
    }
}
