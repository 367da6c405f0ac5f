//! Fields with more than one number, or with notes.

use proptest::prelude::*;

use super::super::{PhoneNumber, reads};
use crate::phone::{Exactness, Exactness::Exact, Exactness::National};

fn caller(raw: &str) -> PhoneNumber {
    PhoneNumber::parse_caller(raw, "US").unwrap_or_else(|why| panic!("{raw}: {why}"))
}

fn same(number: &str, stored: &str, country: &str) -> Option<Exactness> {
    caller(number).same_as(stored, None, country)
}

const ONE: &str = "+12345550104";
const TWO: &str = "+12345550105";
const BERLIN: &str = "+49301234567";
const GERMAN_MOBILE: &str = "+491712345678";
const PARIS: &str = "+33123456789";
const FRENCH_MOBILE: &str = "+33612345678";
const LONDON: &str = "+442079460123";
const BRITISH_MOBILE: &str = "+447911123456";

/// Two numbers, their country, and fields with both.
const PAIRS: &[(&str, &str, &str, &[&str])] = &[
    (
        ONE,
        TWO,
        "US",
        &[
            "234-555-0104 / 234-555-0105",
            "234-555-0104/234-555-0105",
            "2345550104/2345550105",
            "234-555-0104; 234-555-0105",
            "2345550104; 2345550105",
            "2345550104;2345550105",
            "234-555-0104, 234-555-0105",
            "2345550104,2345550105",
            "234-555-0104 or 234-555-0105",
            "234-555-0104 & 234-555-0105",
            "234-555-0104 and 234-555-0105",
            "234-555-0104\n234-555-0105",
            "234-555-0104\r\n234-555-0105",
            "234-555-0104\t234-555-0105",
            "234-555-0104  234-555-0105",
            "234-555-0104 234-555-0105",
            "234-555-0104 - 234-555-0105",
            "234-555-0104 \u{2013} 234-555-0105",
            "234-555-0104 | 234-555-0105",
            "234-555-0104 + 234-555-0105",
            "234-555-0104 (234-555-0105)",
            "(234) 555-0104 (234) 555-0105",
            "(234) 555-0104/(234) 555-0105",
            "+1 234 555 0104 +1 234 555 0105",
            "+12345550104+12345550105",
            "+1 (234) 555-0104 / 234-555-0105",
            "T: 234-555-0104 F: 234-555-0105",
            "T 234-555-0104 F 234-555-0105",
            "T234-555-0104 F234-555-0105",
            "Tel1: 234-555-0104 Tel2: 234-555-0105",
            "1: 234-555-0104 2: 234-555-0105",
            "1) 234-555-0104; 2) 234-555-0105",
            "h 234.555.0104 c 234.555.0105",
            "234-555-0104 (h) 234-555-0105 (c)",
            "234-555-0104h, 234-555-0105c",
            "234-555-0104 (cell 234-555-0105)",
            "234-555-0104 ext. 5, cell 234-555-0105",
            "234-555-0104 x5 / 234-555-0105 x6",
            "234-555-0104 x5 234-555-0105",
            "234-555-0104 (3rd shift) 234-555-0105",
            "234-555-0104 24h / 234-555-0105 9-5pm",
            "234-555-0104 x 234-555-0105",
            "\u{202a}234-555-0104\u{202c} / \u{202a}234-555-0105\u{202c}",
        ],
    ),
    (
        BERLIN,
        GERMAN_MOBILE,
        "DE",
        &[
            "030 1234567 / 0171 2345678",
            "030/1234567 / 0171/2345678",
            "030/1234567, 0171/2345678",
            "030/1234567; 0171/2345678",
            "030/1234567 0171/2345678",
            "030-1234567 oder 0171-2345678",
            "030 1234567 u. 0171 2345678",
            "030 1234567 bzw. 0171 2345678",
            "Tel. 030 1234567, Mobil 0171 2345678",
            "Tel.: 030/1234567 Mobil: 0171/2345678",
            "+49 30 1234567 / 0171 2345678",
            "0049 30 1234567 / 0049 171 2345678",
            "+49 (0)30 1234567, +49 (0)171 2345678",
            "030 1234567 (B\u{fc}ro) 0171 2345678 (privat)",
            "030 1234567 / 0171 2345678 (ab 18 Uhr)",
            "030 1234567/8 - 0171 2345678",
        ],
    ),
    (
        PARIS,
        FRENCH_MOBILE,
        "FR",
        &[
            "01 23 45 67 89 - 06 12 34 56 78",
            "01 23 45 67 89 / 06 12 34 56 78",
            "01 23 45 67 89 ou 06 12 34 56 78",
            "01 23 45 67 89 06 12 34 56 78",
            "01.23.45.67.89/06.12.34.56.78",
            "01.23.45.67.89-06.12.34.56.78",
            "01/23/45/67/89 - 06/12/34/56/78",
            "bureau 01 23 45 67 89 poste 12, 06 12 34 56 78",
            "+33 1 23 45 67 89 et 06 12 34 56 78",
        ],
    ),
    (
        LONDON,
        BRITISH_MOBILE,
        "GB",
        &[
            "020 7946 0123 / 07911 123456",
            "020 7946 0123; 07911 123456",
            "020 7946 0123 or 07911 123456",
            "020 7946 0123 ext 12 / m 07911 123456",
            "O: 020 7946 0123 M: 07911 123456",
            "+44 20 7946 0123 / +44 7911 123456",
            "+44 (0)20 7946 0123, 07911 123456",
        ],
    ),
    ("+390612345678", "+393331234567", "IT", &["06 1234 5678 / 333 1234567", "06 12345678 o 333 1234567"]),
    (
        "+4532123456",
        "+4520123456",
        "DK",
        &[
            "32 12 34 56 / 20 12 34 56",
            "32123456, 20123456",
            "32123456/20123456",
            "32 12 34 56 - 20 12 34 56",
        ],
    ),
    (
        "+919876543210",
        "+919876543211",
        "IN",
        &["+91 98765 43210 / 98765 43211", "98765 43210 / 98765 43211", "098765 43210, 98765-43211"],
    ),
    (LONDON, BRITISH_MOBILE, "GB", &["20 7946 0123 / 7911 123456", "+44 20 7946 0123, 7911 123456"]),
    ("+3545551234", "+3546111234", "IS", &["555 1234 / 611 1234", "555-1234, 611-1234"]),
    (
        "+551123456789",
        "+5511912345678",
        "BR",
        &["(11) 2345-6789 / (11) 91234-5678", "(11) 2345-6789 ramal 5 ou (11) 91234-5678"],
    ),
    ("+34912345678", "+34612345678", "ES", &["912 345 678 / 612 345 678", "912345678 y 612345678"]),
    (
        "+79123456789",
        "+74951234567",
        "RU",
        &["8 (912) 345-67-89, 8 (495) 123-45-67", "8 912 345-67-89 \u{438}\u{43b}\u{438} 8 495 123-45-67"],
    ),
    (
        "+81312345678",
        "+819012345678",
        "JP",
        &["03-1234-5678 / 090-1234-5678", "03-1234-5678\u{3001}090-1234-5678"],
    ),
];

#[test]
fn a_field_with_two_numbers_has_both() {
    for &(one, other, country, forms) in PAIRS {
        for stored in forms {
            for number in [one, other] {
                assert!(same(number, stored, country).is_some(), "{number} in {stored:?} ({country})");
                assert!(
                    caller(number).same_as(stored, Some(country), "ZA").is_some(),
                    "{number} in {stored:?} of a record"
                );
            }
            assert!(reads(stored, None, country), "{stored:?}");
            for third in ["+12345550106", "+49301234568", "+33123456780", "+442079460124", "+3545551235"] {
                assert_eq!(same(third, stored, country), None, "{third} in {stored:?}");
            }
        }
    }
}

/// A number, its country, and fields with it and something else.
const NOTED: &[(&str, &str, &[&str])] = &[
    (
        ONE,
        "US",
        &[
            "234-555-0104 (3rd shift)",
            "234-555-0104 [3rd shift]",
            "234-555-0104 (3rd shift",
            "234-555-0104 3rd shift",
            "234-555-0104 24h",
            "234-555-0104 24 hrs",
            "234-555-0104 24/7",
            "234-555-0104 (24/7)",
            "234-555-0104 (since 2019)",
            "234-555-0104 since 2019",
            "234-555-0104 (since 2019-05-01)",
            "234-555-0104 since 05/01/2019",
            "234-555-0104 after 5pm",
            "234-555-0104 after 5 pm",
            "234-555-0104 5pm-9pm",
            "234-555-0104 9-5pm",
            "234-555-0104 9:00-17:00",
            "234-555-0104 (9am - 5pm)",
            "234-555-0104 (2)",
            "234-555-0104, ask for desk 12",
            "234-555-0104 - 2nd floor",
            "(2nd floor) 234-555-0104",
            "No. 1: 234-555-0104",
            "Tel 2: 234-555-0104",
            "Tel2: (234) 555-0104",
            "#1: 234-555-0104",
            "1. Tel: 234-555-0104",
            "1) 234-555-0104",
            "Room 12, 234-555-0104",
            "Suite 400 tel 234-555-0104",
            "234-555-0104 (wife)",
            "wife 234-555-0104",
            "2345550104.0",
            "12345550104.0",
            "234-555-0104/5",
            "234-555-0104 / 05",
            "234-555-0104 / 555-0105",
            "234-555-0104 ext. 5 (3rd shift)",
            "234-555-0104 x12",
            "234-555-0104 ext. 5",
            "234-555-0104,,,123#",
            "234-555-0104;ext=5",
            "tel:+1-234-555-0104;ext=5",
            "234-555-0104 #5",
            "\"234-555-0104\"",
            "'2345550104",
            "* 234-555-0104",
        ],
    ),
    (
        BERLIN,
        "DE",
        &[
            "030 1234567/8",
            "030 1234567 / 8",
            "030/1234567/8",
            "+49 30 1234567/8",
            "0049 30 1234567/8",
            "030 1234567 ab 18 Uhr",
            "030 1234567 (ab 18 Uhr)",
            "030 1234567, ab 18 Uhr",
            "030 1234567 18 Uhr",
            "030 1234567 18h",
            "030 1234567 24h",
            "030 1234567 9-17 Uhr",
            "030 1234567 9:00-17:00 Uhr",
            "030 1234567 18h30",
            "030 1234567 (3. Schicht)",
            "030 1234567 3. Schicht",
            "030 1234567 (seit 2019)",
            "030 1234567 seit 2019",
            "030 1234567 seit 01.05.2019",
            "Nr. 1: 030 1234567",
            "Tel. 2: 030/1234567",
            "030 1234567 / 7654321",
            "(030) 1234567 (B\u{fc}ro 12)",
        ],
    ),
    (
        PARIS,
        "FR",
        &[
            "01 23 45 67 89 poste 12",
            "01 23 45 67 89 (apr\u{e8}s 18h)",
            "01 23 45 67 89 apr\u{e8}s 18h30",
            "01 23 45 67 89 24h/24",
            "01 23 45 67 89: domicile",
            "t\u{e9}l 2 : 01 23 45 67 89",
        ],
    ),
    (
        LONDON,
        "GB",
        &["020 7946 0123 (24h)", "020 7946 0123 before 5pm", "020 7946 0123/4", "020 7946 0123 / 0124"],
    ),
    ("+4532123456", "DK", &["32123456 (siden 2019-05-01)", "32 12 34 56 siden 01.05.2019"]),
    (
        "+551123456789",
        "BR",
        &["(11) 2345-6789 ramal 12", "(11) 2345-6789 r. 12", "(11) 2345-6789 (2\u{ba} andar)"],
    ),
    ("+34912345678", "ES", &["912 345 678 ext. 12", "912 345 678 anexo 12", "912345678 (a partir de 17h)"]),
    ("+43151234578", "AT", &["01 512345 (Klappe 78)", "01 512345 Durchwahl 78"]),
    ("+48221234567", "PL", &["22 123 45 67 wew. 12", "22 123 45 67 w. 12"]),
    ("+687234567", "NC", &["23 45 67 (bureau)", "23 45 67 x12", "bureau: 23 45 67"]),
];

#[test]
fn a_number_with_a_note_is_that_number() {
    for &(number, country, forms) in NOTED {
        for stored in forms {
            assert!(same(number, stored, country).is_some(), "{number} is {stored:?} ({country})");
            assert!(reads(stored, None, country), "{stored:?}");
        }
    }
}

#[test]
fn each_number_is_compared_by_meaning() {
    for (number, stored, record, default, expected) in [
        (ONE, "+1 234-555-0104 / 234-555-0105", None, "US", Some(Exact)),
        (TWO, "+1 234-555-0104 / 234-555-0105", None, "US", Some(National)),
        // Like libphonenumber, ignores a letter among digits.
        (LONDON, "+44 (O)20 7946 0123", None, "US", Some(Exact)),
        (ONE, "+1 234 O 555 0104", None, "US", Some(Exact)),
        (BERLIN, "030 1234567 a 8", None, "DE", Some(National)),
        // The most exact of the caller's numbers.
        (ONE, "234-555-0104 / +1 234-555-0104", None, "US", Some(Exact)),
        // Each is valid in its country and belongs to it.
        ("+442345550130", "234-555-0130 / 234-555-0131", None, "US", None),
        ("+442345550131", "234-555-0130 / 234-555-0131", None, "US", None),
        ("+442345550131", "234-555-0130 / 234-555-0131", None, "GB", Some(National)),
        ("+442345550131", "234-555-0130; +44 234-555-0131", None, "US", Some(Exact)),
        (LONDON, "234-555-0130 / 020 7946 0123", None, "US", Some(National)),
        (LONDON, "020 7946 0123 (3rd shift)", None, "US", Some(National)),
        (BERLIN, "030 1234567/8", None, "US", Some(National)),
        (LONDON, "020 7946 0123 / 07911 123456", Some("the moon"), "US", Some(National)),
        // Extensions belong to the number before them, and are compared if both have one.
        ("+12345550104;ext=5", "234-555-0104 ext. 5, cell 234-555-0105", None, "US", Some(National)),
        ("+12345550104;ext=6", "234-555-0104 ext. 5, cell 234-555-0105", None, "US", None),
        ("+12345550105;ext=6", "234-555-0104 ext. 5, cell 234-555-0105", None, "US", Some(National)),
        ("+12345550104;ext=5", "234-555-0104 x5 / 234-555-0104 x6", None, "US", Some(National)),
        ("+12345550104;ext=6", "234-555-0104 x5 / 234-555-0104 x6", None, "US", Some(National)),
        ("+12345550104;ext=7", "234-555-0104 x5 / 234-555-0104 x6", None, "US", None),
        ("+33123456789;ext=13", "01 23 45 67 89 poste 12", None, "FR", None),
        ("+33123456789;ext=12", "01 23 45 67 89 poste 12", None, "FR", Some(National)),
        ("+551123456789;ext=13", "(11) 2345-6789 ramal 12", None, "BR", None),
        ("+12345550104;ext=6", "234-555-0104 (ext. 5)", None, "US", None),
        ("+12345550104;ext=124", "234-555-0104,,,123#", None, "US", None),
        // The digits of a direct dial are part of the number.
        ("+49301234567", "030 12345 DW 67", None, "DE", Some(National)),
        ("+49301234567", "030 12345 DW 67 / 0171 2345678", None, "DE", Some(National)),
    ] {
        let got = caller(number).same_as(stored, record, default);
        assert_eq!(got, expected, "{number} and {stored:?} ({record:?}, {default})");
    }
}

#[test]
fn parts_of_numbers_and_notes_are_not_numbers() {
    const ICELAND: &str = "+3545550105";
    for (number, stored, country) in [
        // One number, with signs between its digits.
        ("+32475123456", "0475/12/34/56/78", "BE"),
        ("+3247512345", "0475/12/34/56", "BE"),
        ("+4930123456", "030/12/34/56/78", "DE"),
        (BERLIN, "030 12345678", "DE"),
        (BERLIN, "030/12345678", "DE"),
        (BERLIN, "030 1234567-8", "DE"),
        (BERLIN, "030 12345O678", "DE"),
        ("+493012345", "030 12345O678", "DE"),
        ("+3549999999", "0049 171 - 9999999", "DE"),
        ("+3549999999", "0049 171/9999999", "US"),
        ("+3549999999", "0049 171\n9999999", "DE"),
        ("+3549999999", "+49 171 555 / 9999999", "DE"),
        (ICELAND, "234-555-0104 / 555-0105", "US"),
        (ICELAND, "555-0105 / 234-555-0104", "US"),
        (ICELAND, "(234) cell 555-0105", "US"),
        (ICELAND, "234 cell 555-0105", "US"),
        ("+4912345678", "030 Berlin 12345678", "DE"),
        ("+4912345678", "+49 30 O 12345678", "DE"),
        ("+4912345678", "0049 (30) Berlin Mitte 12345678", "DE"),
        (ICELAND, "1-800-CALL-5550105", "US"),
        (ICELAND, "1-800-CALL5550105", "US"),
        ("+497654321", "030 1234567 / 7654321", "DE"),
        ("+497654321", "+49 30 1234567 / 7654321", "DE"),
        ("+497654321", "30 123456 / 7654321", "DE"),
        ("+4976543210", "+49 30 123456 / 76543210", "DE"),
        ("+497654321", "Kundennummer 7654321, Tel. 030 1234567", "DE"),
        ("+4589061234", "01/23/45/67/89/06/12/34/56/78", "FR"),
        // Digits of notes.
        ("+493012345673", "030 1234567 (3rd shift)", "DE"),
        ("+4930123456724", "030 1234567 24h", "DE"),
        ("+4930123456718", "030 1234567 18 Uhr", "DE"),
        ("+4930123456718", "030 1234567 ab 18 Uhr", "DE"),
        ("+3542019555", "(since 2019) 555", "US"),
        ("+3542019555", "since 2019 555", "US"),
        ("+3542019555", "(since 2019) 555", "IS"),
        ("+4520190501", "32123456 (siden 2019-05-01)", "DK"),
        ("+4501052019", "32 12 34 56 siden 01.05.2019", "DK"),
        ("+4520192021", "32123456 (2019-2021)", "DK"),
        ("+4520190501", "siden 2019-05-01", "DK"),
        ("+494930123", "4.930123E+10", "DE"),
        // Neither extensions nor codes after commas are numbers.
        (TWO, "234-555-0104 ext 2345550105", "US"),
        (ICELAND, "234-555-0104,,5550105#", "US"),
        (ICELAND, "234-555-0104,,,5550105", "US"),
        (ICELAND, "234-555-0104,5550105", "US"),
        // A second number written as its last digits is not completed.
        (TWO, "234-555-0104/5", "US"),
        ("+49301234568", "030 1234567/8", "DE"),
    ] {
        assert!(same(number, stored, country).is_none(), "{number} is not {stored:?} ({country})");
    }
}

#[test]
fn unreadable_fields_are_recognized() {
    for (stored, record, default, expected) in [
        ("(234) 555-0104", None, "US", true),
        ("+44 20 7946 0123", None, "US", true),
        ("0044 20 7946 0123", None, "US", true),
        ("020 7946 0123", Some("United Kingdom"), "US", true),
        ("234-555-0104 / call 9", None, "US", true),
        ("234-555-0104 / 234-555-0105", None, "US", true),
        ("(since 2019) 234-555-0104", None, "US", true),
        ("020 7946 0123", None, "US", false),
        ("020 7946 0123", Some("the moon"), "GB", false),
        ("234-555-0104", None, "nowhere", false),
        ("555-0104", None, "US", false),
        ("(since 2019) 555", None, "US", false),
        ("1-800-CALL-5550105", None, "US", false),
        ("020 7946 0123 or 4", None, "GB", false),
        ("ask the assistant", None, "US", false),
        ("2.35E+09", None, "US", false),
        ("", None, "US", false),
    ] {
        assert_eq!(reads(stored, record, default), expected, "{stored:?} ({record:?}, {default})");
    }
}

#[test]
fn a_field_resembles_a_number_by_its_last_digits() {
    for (stored, expected) in [
        ("234-555-0104", true),
        ("555-0104", true),
        ("0104", true),
        ("x0104", true),
        ("99990104 or so", true),
        ("2 34 55 50 10 4 9", true),
        ("234-555-0104/5", true),
        ("+44 234 555 0104 77", true),
        ("234-555-01045", true),
        ("555-01045", false),
        ("555-01-04", false),
        ("234-555-0105", false),
        ("01 04", false),
        ("", false),
        ("ask the assistant", false),
    ] {
        assert_eq!(caller(ONE).resembles(stored), expected, "{stored:?}");
    }
}

/// A country's numbers with variable digits, in the ways they are written.
const PLANS: [(&str, &str, &[&str]); 6] = [
    (
        "US",
        "+1234555",
        &[
            "234-555-dddd",
            "(234) 555-dddd",
            "234.555.dddd",
            "234555dddd",
            "1-234-555-dddd",
            "+1 234 555 dddd",
        ],
    ),
    (
        "DE",
        "+4930123",
        &[
            "030 123dddd",
            "030/123dddd",
            "(030) 123dddd",
            "+49 30 123dddd",
            "0049 30 123dddd",
            "+49 (0)30 123 dddd",
        ],
    ),
    (
        "FR",
        "+3312345",
        &["01 23 45 dd dd", "01.23.45.dd.dd", "012345dddd", "+33 1 23 45 dd dd", "01-23-45-dd-dd"],
    ),
    (
        "GB",
        "+442079460",
        &["020 7946 0ddd", "(020) 7946 0ddd", "02079460ddd", "+44 20 7946 0ddd", "+44 (0)20 7946 0ddd"],
    ),
    ("IT", "+3906123", &["06 123 dddd", "06/123dddd", "06123dddd", "+39 06 123 dddd"]),
    ("DK", "+453212", &["32 12 dd dd", "3212dddd", "+45 32 12 dd dd"]),
];
const SEPARATORS: [&str; 15] = [
    " / ",
    "; ",
    ", ",
    " or ",
    " & ",
    "\n",
    "\r\n",
    " - ",
    " | ",
    " und ",
    " F: ",
    " (3rd shift) ",
    " ext. 5, cell ",
    " x12 / ",
    " (h) ",
];
const NOTES: [&str; 8] =
    ["", " (3rd shift)", " 24h", " (since 2019)", " after 5pm", " ab 18 Uhr", " x12", " (work)"];
const LABELS: [&str; 6] = ["", "T: ", "No. 1: ", "Tel 2: ", "(2nd floor) ", "mobile "];

/// A number of a plan, and its written form.
fn written(plan: usize, form: usize, digits: u32) -> (String, String) {
    let (_, e164, forms) = PLANS[plan];
    let form = forms[form % forms.len()];
    let count = form.matches('d').count();
    let digits = format!("{digits:04}")[4 - count..].to_owned();
    let mut rest = digits.chars();
    let text = form.chars().map(|c| if c == 'd' { rest.next().unwrap() } else { c }).collect();
    (format!("{e164}{digits}"), text)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn both_numbers_in_a_field_are_found_and_no_third(
        plan in 0..PLANS.len(),
        forms in (0_usize..12, 0_usize..12),
        digits in (0_u32..10_000, 0_u32..10_000, 0_u32..10_000),
        separator in proptest::sample::select(SEPARATORS.to_vec()),
        note in proptest::sample::select(NOTES.to_vec()),
        label in proptest::sample::select(LABELS.to_vec()),
    ) {
        let (one, first) = written(plan, forms.0, digits.0);
        let (two, second) = written(plan, forms.1, digits.1);
        let (three, _) = written(plan, 0, digits.2);
        let stored = format!("{label}{first}{separator}{second}{note}");
        let country = PLANS[plan].0;
        prop_assert!(same(&one, &stored, country).is_some(), "{one} in {stored:?}");
        prop_assert!(same(&two, &stored, country).is_some(), "{two} in {stored:?}");
        prop_assert!(reads(&stored, None, country));
        prop_assert!(caller(&one).resembles(&stored) && caller(&two).resembles(&stored));
        if three != one && three != two {
            prop_assert_eq!(same(&three, &stored, country), None, "{} in {:?}", three, stored);
        }
        let noted = format!("{label}{first}{note}");
        prop_assert!(same(&one, &noted, country).is_some(), "{one} is {noted:?}");
        if two != one {
            prop_assert_eq!(same(&two, &noted, country), None, "{} is not {:?}", two, noted);
        }
    }

    #[test]
    fn any_field_is_parsed_without_a_panic(
        stored in r"(\PC|[0-9 x/;,:()+.-]|[0-9]{7}| or | ext\. ?|\n| uhr|h|\.0){0,24}",
        country in "[A-Za-z]{0,3}",
    ) {
        let _ = caller(ONE).same_as(&stored, Some(&country), "DE");
        let _ = reads(&stored, Some(&country), "US");
        let _ = caller(ONE).resembles(&stored);
    }
}
