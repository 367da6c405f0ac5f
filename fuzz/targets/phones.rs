//! The phone number parser. The input's lines: the caller's number, a stored number, the record's country, the
//! workspace's country.

#![no_main]

use crm::phone::{self, Exactness, PhoneNumber};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let mut lines = text.split('\n');
    let mut next = || lines.next().unwrap_or_default();
    let (raw, stored, record, default) = (next(), next(), next(), next());
    let record = Some(record).filter(|country| !country.is_empty());
    assert!(digits(&phone::mask(raw)).len() <= 4);

    let Ok(caller) = PhoneNumber::parse_caller(raw, default) else { return };
    let (e164, national) = (caller.e164(), caller.national());
    assert!(e164.starts_with('+') && digits(&e164) == caller.international());
    assert!(caller.international().ends_with(&national) && !national.is_empty());
    assert_eq!(caller.same_as(&e164, record, default), Some(Exactness::Exact), "{e164}");

    // A number is found next to a note or to another number.
    if national.len() >= 7 {
        for neighbour in
            [" (3rd shift)", " & +12345550123", "; +442079460123 x12", " F: 234-555-0123", "\n24h"]
        {
            let field = format!("{e164}{neighbour}");
            assert_eq!(caller.same_as(&field, record, default), Some(Exactness::Exact), "{field:?}");
            assert!(caller.resembles(&field), "{field:?}");
        }
    }
    assert!(caller.resembles(stored) || !digits(stored).contains(&national), "{national} in {stored:?}");
    let _ = phone::reads(stored, record, default);

    let query = caller.query();
    let terms: Vec<_> = [query.national, query.international].into_iter().chain(query.others).collect();
    assert!(
        terms.len() <= 24 && terms.iter().all(|term| digits(term) == *term && term.len() <= 24),
        "{terms:?}"
    );

    if caller.same_as(stored, record, default).is_some() {
        let tail = &national[national.len().saturating_sub(4)..];
        let is_ascii = stored.is_ascii();
        assert!(!is_ascii || has_letters(stored) || digits(stored).contains(tail), "{e164} is {stored:?}");
    }
});

fn digits(text: &str) -> String {
    text.chars().filter(char::is_ascii_digit).collect()
}

/// Letters may stand for digits (`1-800-FLOWERS`).
fn has_letters(text: &str) -> bool {
    text.contains(|c: char| c.is_ascii_alphabetic())
}
