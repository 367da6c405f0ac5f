//! Which texts are parsed as which numbers, and which stored numbers are equal.

use proptest::prelude::*;

use super::*;

fn caller(raw: &str) -> PhoneNumber {
    PhoneNumber::parse_caller(raw, "US").unwrap()
}

#[test]
fn a_callers_number_is_parsed_in_any_form() {
    for (raw, country, e164) in [
        ("+12345550123", "US", "+12345550123"),
        (" (234) 555-0123 ", "US", "+12345550123"),
        ("12345550123", "US", "+12345550123"),
        ("2345550123", "us", "+12345550123"),
        ("+1 234 555 0123 ext. 456", "US", "+12345550123"),
        ("+12345550123;ext=456", "US", "+12345550123"),
        ("234-555-0123 x456", "US", "+12345550123"),
        ("tel:+12345550123", "US", "+12345550123"),
        ("tel:+1-234-555-0123;ext=456", "US", "+12345550123"),
        ("sip:+12345550123@sip.example.com", "US", "+12345550123"),
        ("SIPS:%2B12345550123@sip.example.com:5061;transport=tls", "US", "+12345550123"),
        ("\"Ada\" <sip:2345550123@example.com>", "US", "+12345550123"),
        ("+12345550123@example.com", "US", "+12345550123"),
        ("020 7946 0123", "GB", "+442079460123"),
        ("+44 (0)20 7946 0123", "US", "+442079460123"),
        ("442079460123", "US", "+442079460123"),
        ("00442079460123", "US", "+442079460123"),
        ("011442079460123", "US", "+442079460123"),
        ("06 1234 5678", "IT", "+390612345678"),
        ("0491 570 156", "AU", "+61491570156"),
        ("+61491570156", "nowhere", "+61491570156"),
        ("+15550100123", "US", "+15550100123"),
        ("+5215512345678", "US", "+525512345678"),
        ("044 55 1234 5678", "MX", "+525512345678"),
        ("٢٣٤٥٥٥٠١٢٣", "US", "+12345550123"),
        // A full number without its plus is not a number of the workspace's country if it is invalid there.
        ("sip:12125551234@sip.example.com", "DE", "+12125551234"),
        ("12125550123", "DE", "+12125550123"),
        ("447911123456", "DE", "+447911123456"),
        ("14155552671", "JP", "+14155552671"),
        ("4520123456", "US", "+4520123456"),
        ("004520123456", "US", "+4520123456"),
        ("4520123456", "DK", "+4520123456"),
        ("+15550100123", "DE", "+15550100123"),
        ("15550100123", "US", "+15550100123"),
        // With its trunk prefix it belongs to the country, even in an unknown range.
        ("04520123456", "DE", "+494520123456"),
        // Spells RESTRICTED, but is a valid US number.
        ("(737) 874-2833", "US", "+17378742833"),
        ("7378742833", "US", "+17378742833"),
        ("+17378742833", "US", "+17378742833"),
        ("+) 0000000800 00000000", "US", "+80000000000"),
        ("+800 1234 5678", "US", "+80012345678"),
    ] {
        let number = PhoneNumber::parse_caller(raw, country).map(|number| number.e164());
        assert_eq!(number.as_deref(), Ok(e164), "{raw:?} in {country}");
    }
}

#[test]
fn a_text_without_a_number_says_why() {
    use NoPhoneNumber::{Missing, Unreadable, Withheld};
    for (raw, why) in [
        ("", Missing),
        ("  ", Missing),
        ("null", Missing),
        ("sip:@example.com", Missing),
        ("anonymous", Withheld),
        ("Anonymous", Withheld),
        ("sip:anonymous@anonymous.invalid", Withheld),
        ("Unknown Caller", Withheld),
        ("RESTRICTED", Withheld),
        ("unavailable", Withheld),
        ("Private Number", Withheld),
        ("+266696687", Withheld),
        ("266696687", Withheld),
        ("+86282452253", Withheld),
        ("+7378742833", Withheld),
        ("sip:+7378742833@sip.example.com", Withheld),
        ("sip:alice@example.com", Unreadable),
        ("sip:alice2345550123@example.com", Unreadable),
        ("sip:1001@example.com", Unreadable),
        ("911", Unreadable),
        ("555-0123", Unreadable),
        ("+999123456789", Unreadable),
        ("+0000000000", Unreadable),
        ("0000000000", Unreadable),
        ("+", Unreadable),
        ("+12345550123456789", Unreadable),
        ("+820026406391", Unreadable),
    ] {
        assert_eq!(PhoneNumber::parse_caller(raw, "US"), Err(why), "{raw:?}");
    }
    assert_eq!(PhoneNumber::parse_caller("2345550123", "ZZ"), Err(Unreadable));
    assert_eq!(NoPhoneNumber::Missing.code().code, "no_phone_number");
}

#[test]
fn a_search_is_for_the_digits() {
    let query = caller("+442079460123").query();
    assert_eq!((query.national.as_str(), query.international.as_str()), ("2079460123", "442079460123"));
    assert_eq!(caller("+390612345678").national(), "0612345678");
}

#[test]
fn a_search_includes_other_stored_forms() {
    for (number, others) in [
        ("+12345550123", &["0012345550123", "01112345550123"][..]),
        ("+442079460123", &["00442079460123", "011442079460123", "02079460123", "4402079460123"]),
        ("+390612345678", &["00390612345678", "011390612345678"]),
        ("+79123456789", &["0079123456789", "01179123456789", "789123456789", "89123456789"]),
        ("+3612345678", &["003612345678", "0113612345678", "0612345678", "360612345678"]),
        (
            "+525512345678",
            &[
                "00525512345678",
                "011525512345678",
                "015512345678",
                "0445512345678",
                "0455512345678",
                "15512345678",
                "52015512345678",
                "520445512345678",
                "520455512345678",
                "5215512345678",
            ],
        ),
        (
            "+5491123456789",
            &[
                "005491123456789",
                "0111523456789",
                "0115491123456789",
                "091123456789",
                "111523456789",
                "540111523456789",
                "54091123456789",
                "54111523456789",
            ],
        ),
        // Satellite and network numbers belong to no country.
        ("+881612345678", &["00881612345678", "011881612345678"]),
    ] {
        assert_eq!(caller(number).query().others, others, "{number}");
    }
}

#[test]
fn stored_numbers_are_compared_by_meaning() {
    use Exactness::{Exact, National};
    const US: &str = "+12345550123";
    const GB: &str = "+442079460123";
    const IT: &str = "+390612345678";
    for (number, stored, record, default, same) in [
        (US, "+1 (234) 555-0123", None, "US", Some(Exact)),
        (US, "+1.234.555.0123 ext 9", None, "GB", Some(Exact)),
        (US, "1-234-555-0123", None, "US", Some(Exact)),
        (US, "(234) 555-0123", None, "US", Some(National)),
        (US, "234-555-0123 x456", Some("US"), "GB", Some(National)),
        (US, "(234) 555-0124", None, "US", None),
        (US, "555-0123", None, "US", None),
        (US, "+44 234 555 0123", None, "US", None),
        (US, "+12345550123", Some("Germany"), "US", Some(Exact)),
        (US, "", None, "US", None),
        (US, "ask the assistant", None, "US", None),
        // A number that is valid in the record's country, or else in the workspace's, belongs to it.
        (US, "2345550123", None, "DE", None),
        (US, "(234) 555-0123", None, "DE", None),
        (US, "(234) 555-0123", None, "GB", Some(National)),
        ("+442345550130", "234-555-0130", None, "US", None),
        ("+442345550130", "234-555-0130", Some("US"), "GB", None),
        ("+442345550130", "0234-555-0130", None, "US", Some(National)),
        ("+442345550130", "234-555-0130", None, "GB", Some(National)),
        ("+442345550130", "234-555-0130", Some("France"), "US", None),
        ("+442345550130", "(234) 5550130", None, "US", None),
        ("+911212374259", "121 237 4259", None, "GB", None),
        ("+31412345678", "0412 345678", None, "AU", None),
        ("+492079460123", "0207 946 0123", None, "GB", None),
        ("+33212396802", "2 1239 6802", None, "AU", None),
        ("+442345550130", "+44 234 555 0130", None, "US", Some(Exact)),
        (US, "(234) 555-0123", Some("DE"), "US", None),
        (US, "(234) 555-0123", Some("Canada"), "GB", Some(National)),
        (US, "(234) 555-0123", Some(" "), "US", Some(National)),
        // An unknown country is not the workspace's, so the workspace's does not decide.
        (US, "(234) 555-0123", Some("the moon"), "US", Some(National)),
        ("+442345550130", "234-555-0130", Some("the moon"), "US", Some(National)),
        ("+442345550130", "234-555-0130", Some(" "), "US", None),
        ("+2348023456789", "802 345 6789", Some("Nigeria"), "US", Some(National)),
        ("+2348023456789", "802 345 6789", None, "US", None),
        ("+18023456789", "802 345 6789", Some("Nigeria"), "US", None),
        (GB, "+44 (0)20 7946 0123", None, "US", Some(Exact)),
        (GB, "0044 20 7946 0123", None, "US", Some(Exact)),
        (GB, "011 44 20 7946 0123", None, "US", Some(Exact)),
        (GB, "442079460123", None, "US", Some(Exact)),
        (GB, "020 7946 0123", None, "GB", Some(National)),
        (GB, "020 7946 0123", None, "US", Some(National)),
        (GB, "020 7946 0123", Some("United Kingdom"), "US", Some(National)),
        (GB, "2079460123", None, "GB", Some(National)),
        (GB, "020\u{a0}7946\u{202f}0123", None, "GB", Some(National)),
        (GB, "\u{202a}+44 20 7946 0123\u{202c}", None, "US", Some(Exact)),
        (GB, "020 7946 0123 (work)", None, "GB", Some(National)),
        (GB, "London: 020 7946 0123 ext. 5 (Ada)", None, "GB", Some(National)),
        (GB, "020 7946 0123 or 4", None, "GB", None),
        // Two numbers, the second by its last digits; one with a direct dial; and one in groups.
        ("+493012345678", "030 1234567/8", None, "DE", None),
        ("+493012345678", "030 1234567 / 8", None, "DE", None),
        ("+493012345678", "030/1234567/8", None, "DE", None),
        ("+493012345678", "030/12/34/56/78", None, "DE", Some(National)),
        ("+493012345678", "030 1234567 or 8", None, "DE", None),
        ("+493012345678", "+49 30 1234567/8", None, "US", None),
        ("+493012345678", "0049 30 1234567/8", None, "US", None),
        ("+493012345678", "030 1234567/8", Some("Germany"), "US", None),
        ("+493012345678", "030 123456 Tel. 78", None, "DE", None),
        ("+43112345678", "01 1234567/8", None, "AT", None),
        ("+493012345678", "030 1234567-8", None, "DE", Some(National)),
        ("+493012345678", "030 123456 DW 78", None, "DE", Some(National)),
        ("+493012345678", "030/12345678", None, "DE", Some(National)),
        ("+493012345678", "Tel. 030 12345678", None, "DE", Some(National)),
        ("+493012345678", "030 12345678 x8", None, "DE", Some(National)),
        ("+495251205", "05251/205", None, "DE", Some(National)),
        ("+32475123456", "0475/12/34/56", None, "BE", Some(National)),
        ("+32475123456", "0475 12 34/56", None, "BE", Some(National)),
        (US, "1-234-555-0123 (cell) ", None, "US", Some(Exact)),
        ("+61491570156", "0061 491 570 156", None, "AU", Some(Exact)),
        ("+61491570156", "0061 491 570 157", None, "AU", None),
        ("+79123456789", "8 (912) 345-67-89", None, "RU", Some(National)),
        ("+3612345678", "06 1 234 5678", Some("Hungary"), "US", Some(National)),
        ("+525512345678", "+52 1 55 1234 5678", None, "US", Some(Exact)),
        ("+525512345678", "01 55 1234 5678", Some("Mexico"), "US", Some(National)),
        ("+525512345678", "045 55 1234 5678 x9", None, "MX", Some(National)),
        ("+525512345678", "+52 1 55 1234 5679", None, "MX", None),
        ("+525512345678", "044 55 1234 567", None, "MX", None),
        ("+5491123456789", "011 15-2345-6789", None, "AR", Some(National)),
        ("+5491123456789", "+54 11 15 2345 6789", None, "US", Some(Exact)),
        // A landline in Buenos Aires.
        ("+5491123456789", "011 2345-6789", None, "AR", None),
        (IT, "\u{661}\u{662}", Some("IT"), "US", None),
        ("+12345550123;ext=456", "(234) 555-0123", None, "US", Some(National)),
        ("+12345550123;ext=456", "(234) 555-0123 x456", None, "US", Some(National)),
        ("+12345550123;ext=456", "+1 234-555-0123 ext. 456", None, "GB", Some(Exact)),
        ("+12345550123;ext=456", "(234) 555-0123 x457", None, "US", None),
        (US, "(234) 555-0123 x457", None, "US", Some(National)),
        (IT, "06 1234 5678", Some("IT"), "US", Some(National)),
        (IT, "+39 06 1234 5678", None, "US", Some(Exact)),
        (IT, "+39 6 1234 5678", None, "US", None),
        (IT, "6 1234 5678", Some("IT"), "US", None),
    ] {
        let got = caller(number).same_as(stored, record, default);
        assert_eq!(got, same, "{number} and {stored:?} ({record:?}, {default})");
    }
}

#[test]
fn a_country_is_found_by_code_and_by_name() {
    for (country, code) in [
        ("US", "US"),
        ("de", "DE"),
        ("United Kingdom", "GB"),
        ("UK", "GB"),
        ("Nigeria", "NG"),
        ("Korea, Republic of", "KR"),
    ] {
        assert_eq!(country_code(country).as_deref(), Some(code), "{country}");
    }
    for unknown in ["", "ZZ", "001", "Atlantis"] {
        assert_eq!(country_code(unknown), None, "{unknown}");
    }
}

#[test]
fn a_masked_number_shows_four_digits_at_most() {
    assert_eq!(mask("+12345678900"), "•••• 8900");
    assert_eq!(mask("911"), "••••");
    assert_eq!(mask("anonymous"), "••••");
}

/// libphonenumber slices the text between the two marks, whichever comes first.
#[test]
fn a_context_before_the_scheme_is_not_a_number_and_does_not_panic() {
    let text = "+12345550123;phone-context=a;tel:";
    assert_eq!(PhoneNumber::parse_caller(text, "US"), Err(NoPhoneNumber::Unreadable));
    assert_eq!(caller("+12345550123").same_as("2345550123;phone-context=a;tel:1", None, "US"), None);
}

proptest! {
    #[test]
    fn any_text_is_parsed_without_a_panic(
        raw in "(sips?:|tel:)?[+0-9()<>@;=a-z %./-]{0,30}|\\PC{0,40}",
        country in "[A-Za-z]{0,3}|\\PC{0,4}",
    ) {
        let _ = caller("+12345550123").same_as(&raw, Some(&country), &country);
        let _ = mask(&raw);
        if let Ok(number) = PhoneNumber::parse_caller(&raw, &country) {
            prop_assert!(number.e164().strip_prefix('+').is_some_and(|digits| digits.bytes().all(|b| b.is_ascii_digit())));
            prop_assert!(number.international().ends_with(&number.national()));
            prop_assert_eq!(&PhoneNumber::parse_caller(&number.with_extension(), "US"), &Ok(number.clone()));
            prop_assert_eq!(number.same_as(&number.e164(), None, "US"), Some(Exactness::Exact));
        }
    }
}

#[test]
fn a_country_code_added_to_a_full_number_is_ignored() {
    for (raw, expected) in [
        ("+1+17375550102", "+17375550102"),
        ("+1 +1 (737) 555-0102", "+17375550102"),
        ("++17375550102", "+17375550102"),
        ("+1+442079460123", "+442079460123"),
        ("001+17375550102", "+17375550102"),
        ("+49+4930123456", "+4930123456"),
        ("sip:+1+17375550102@example.com", "+17375550102"),
        ("+1 001 737 555 0102", "+17375550102"),
        ("+490049 30 901820", "+4930901820"),
        ("+44 0044 7911 123456", "+447911123456"),
        ("+4444 7911 123456", "+447911123456"),
    ] {
        assert_eq!(
            PhoneNumber::parse_caller(raw, "US").map(|number| number.e164()).as_deref(),
            Ok(expected),
            "{raw}"
        );
    }
    for nothing in ["", "N/A", "not provided", "-", "none"] {
        assert_eq!(PhoneNumber::parse_caller(nothing, "US"), Err(NoPhoneNumber::Missing), "{nothing}");
    }
    for withheld in ["unknown", "Unavailable", "anonymous"] {
        assert_eq!(PhoneNumber::parse_caller(withheld, "US"), Err(NoPhoneNumber::Withheld), "{withheld}");
    }
}
