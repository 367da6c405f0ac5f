//! libphonenumber with the numbering plans of only those countries that are needed. Loading all plans takes 2.6 ms
//! and 3.4 MB at a process's first number; with only its own country's plans, the first number of a country code
//! takes 0.5 ms, and few processes need a second code (0.3 ms). Half of that is spent on libphonenumber's own regular
//! expressions. Each country code has its own libphonenumber instance, so that no plan is loaded twice.
//!
//! Kept because with all plans, sync's first response took 6.59 times as long as a hello world's instead of 3.78
//! (docs/performance.md#where-the-time-goes).
//!
//! `metadata.bin` is libphonenumber's metadata, which `rlibphonenumber` contains but does not expose; a test compares
//! the two. Its own copy, and methods that use it (`PhoneNumber::is_valid`), are only for tests: unused code is not
//! linked.

use std::{
    collections::BTreeMap,
    ops::Range,
    sync::{Arc, Mutex, PoisonError},
};

use prost::Message as _;
use rlibphonenumber::{
    NumberLengthType, ParseError, PhoneMetadata, PhoneMetadataCollection, PhoneNumber, PhoneNumberFormat,
    PhoneNumberUtil, enums::Region,
};

static METADATA: &[u8] = include_bytes!("metadata.bin");
// The offsets of the plans, from `build.rs`.
include!(concat!(env!("OUT_DIR"), "/plans.rs"));

static NUMBERING: Numbering = Numbering::new();

/// Parses a number like libphonenumber. A national number is `region`'s.
pub(super) fn parse(text: &str, region: Option<Region>) -> Option<PhoneNumber> {
    NUMBERING.parse(text, region)
}

/// Whether it is in a range that is in use, according to libphonenumber's metadata.
pub(super) fn is_valid(number: &PhoneNumber) -> bool {
    NUMBERING.of(number).is_some_and(|plans| plans.is_valid_number(number))
}

/// Whether its length is possible and it can be dialled from anywhere: new ranges appear before they are in the
/// metadata.
pub(super) fn is_possible(number: &PhoneNumber) -> bool {
    let possible = |plans: Arc<PhoneNumberUtil>| plans.is_possible_number_with_reason(number);
    let zeros_only = number.national_number == 0;
    !zeros_only && matches!(NUMBERING.of(number).map(possible), Some(Ok(NumberLengthType::IsPossible)))
}

/// Formats the number.
pub(super) fn format(number: &PhoneNumber, format: PhoneNumberFormat) -> String {
    NUMBERING.of(number).map(|plans| plans.format(number, format).into_owned()).unwrap_or_default()
}

/// The country code of a region; `None` if it has no phone numbers.
pub(super) fn country_code(region: Region) -> Option<i32> {
    let plan = PLANS.iter().find(|plan| plan.region == region);
    plan.filter(|plan| plan.region != Region::World).map(|plan| plan.code)
}

/// The region of an ISO 3166 code; `None` if it has no phone numbers.
pub(super) fn region(code: &str) -> Option<Region> {
    let region: Region = code.trim().to_ascii_uppercase().parse().ok()?;
    country_code(region).map(|_| region)
}

/// Digits of the longest national numbers in use: German and Chinese mobile numbers.
pub(super) const LONGEST_NATIONAL: usize = 11;

/// The region of a country code; the main one if several share it.
pub(super) fn main_region(country_code: i32) -> Option<Region> {
    NUMBERING.main_region(country_code)
}

/// With more country codes than this, all plans are loaded at once: each libphonenumber instance takes about 0.2 MB.
const MAX_INSTANCES: usize = 8;
/// Digits of the longest country code. None is the beginning of another (ITU-T E.164).
const LONGEST_COUNTRY_CODE: usize = 3;
/// The parameter with the country (RFC 3966).
const CONTEXT: &str = ";phone-context=";
/// The scheme of such an address.
const SCHEME: &str = "tel:";

/// A country's plan, not loaded yet.
struct Plan {
    region: Region,
    code: i32,
    /// Its position in [`METADATA`].
    encoded: Range<usize>,
}

impl Plan {
    fn load(&self) -> Option<PhoneMetadata> {
        PhoneMetadata::decode(METADATA.get(self.encoded.clone())?).ok()
    }
}

/// The plans that a number needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Codes {
    One(i32),
    All,
}

/// libphonenumber that loads a numbering plan when it is needed.
struct Numbering {
    /// The loaded instances. Locked while loading: whoever needs the same one waits instead of loading it again.
    loaded: Mutex<BTreeMap<Codes, Arc<PhoneNumberUtil>>>,
}

impl Numbering {
    const fn new() -> Self {
        Self { loaded: Mutex::new(BTreeMap::new()) }
    }

    fn parse(&self, text: &str, region: Option<Region>) -> Option<PhoneNumber> {
        if has_context_before_scheme(text) {
            return None;
        }
        let home = region.and_then(country_code);
        let codes = match start(text) {
            Start::Code(digits) => code_of(&digits).or(home).map(Codes::One),
            Start::National => home.map(Codes::One),
            Start::Other => Some(Codes::All),
        };
        match self.with(codes?)?.parse_and_keep_raw_input(text, region) {
            // It may be dialled from `home`: the country code follows the international prefix.
            Err(ParseError::InvalidCountryCode) if home.is_some() => {
                self.with(Codes::All)?.parse_and_keep_raw_input(text, region).ok()
            }
            number => number.ok(),
        }
    }

    /// The instance with the plans of the number's country code.
    fn of(&self, number: &PhoneNumber) -> Option<Arc<PhoneNumberUtil>> {
        self.with(Codes::One(number.country_code))
    }

    fn main_region(&self, code: i32) -> Option<Region> {
        self.with(Codes::One(code))?.get_region_for_country_code(code)
    }

    fn with(&self, codes: Codes) -> Option<Arc<PhoneNumberUtil>> {
        let mut loaded = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(util) = loaded.get(&Codes::All).or_else(|| loaded.get(&codes)) {
            return Some(Arc::clone(util));
        }
        let codes = if loaded.len() < MAX_INSTANCES { codes } else { Codes::All };
        let util = Arc::new(util(codes)?);
        if codes == Codes::All {
            loaded.clear();
        }
        loaded.insert(codes, Arc::clone(&util));
        Some(util)
    }
}

/// Creates an instance with these plans.
fn util(codes: Codes) -> Option<PhoneNumberUtil> {
    let plans = PLANS.iter().filter(|plan| codes == Codes::All || codes == Codes::One(plan.code));
    let metadata = plans.filter_map(Plan::load).collect();
    PhoneNumberUtil::new_for_metadata(PhoneMetadataCollection { metadata }).ok()
}

/// The country code at the start of the digits.
fn code_of(digits: &str) -> Option<i32> {
    let beginnings = (1..=LONGEST_COUNTRY_CODE).filter_map(|length| digits.get(..length));
    let mut numbers =
        beginnings.filter(|digits| !digits.starts_with('0')).filter_map(|digits| digits.parse().ok());
    numbers.find(|number| PLANS.iter().any(|plan| plan.code == *number))
}

/// Whether the scheme ends after the start of the context, as in no valid RFC 3966 address. libphonenumber slices
/// between them, and would panic.
fn has_context_before_scheme(text: &str) -> bool {
    let scheme = text.find(SCHEME).map(|begin| begin + SCHEME.len());
    scheme.zip(text.find(CONTEXT)).is_some_and(|(scheme, context)| scheme > context)
}

/// The start of a text, as far as it determines which plans libphonenumber needs.
enum Start {
    /// A plus followed by these digits: as many as a country code may have.
    Code(String),
    /// Digits without a plus.
    National,
    /// Letters, digits of other scripts (which libphonenumber accepts too), or a country given elsewhere.
    Other,
}

fn start(text: &str) -> Start {
    if text.contains(CONTEXT) {
        return Start::Other;
    }
    let mut digits = String::new();
    let mut plus = false;
    for c in text.chars().take_while(|c| c.is_ascii() && !c.is_ascii_alphabetic()) {
        plus |= c == '+';
        digits.extend(c.is_ascii_digit().then_some(c));
        if digits.len() == LONGEST_COUNTRY_CODE {
            return if plus { Start::Code(digits) } else { Start::National };
        }
    }
    Start::Other
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;
    use rlibphonenumber::{PHONE_NUMBER_UTIL, PhoneNumberType};

    use super::*;

    /// Asserts that a process that has not parsed any number parses this one like libphonenumber with all plans.
    fn assert_same(text: &str, region: Option<Region>) {
        assert_same_after(&[], text, region);
    }

    /// The same for a process that has loaded these countries' plans.
    fn assert_same_after(codes: &[i32], text: &str, region: Option<Region>) {
        let numbering = Numbering::new();
        assert!(codes.iter().all(|code| numbering.with(Codes::One(*code)).is_some()));
        let number = numbering.parse(text, region);
        assert_eq!(
            number,
            PHONE_NUMBER_UTIL.parse_and_keep_raw_input(text, region).ok(),
            "{text} {region:?}"
        );
        let Some(number) = number else { return };
        let some = numbering.of(&number).unwrap();
        assert_eq!(some.is_valid_number(&number), number.is_valid(), "{text} {region:?}");
        assert_eq!(some.is_possible_number_with_reason(&number), number.is_possible_with_reason(), "{text}");
        assert_eq!(
            some.format(&number, PhoneNumberFormat::National),
            number.format_as(PhoneNumberFormat::National)
        );
        assert_eq!(some.format(&number, PhoneNumberFormat::E164), number.format_as(PhoneNumberFormat::E164));
        let main = PHONE_NUMBER_UTIL.get_region_for_country_code(number.country_code);
        assert_eq!(numbering.main_region(number.country_code), main, "{text} {region:?}");
    }

    fn regions() -> Vec<Region> {
        let mut regions: Vec<Region> = PHONE_NUMBER_UTIL.get_supported_regions().collect();
        regions.sort_unstable_by_key(ToString::to_string);
        regions
    }

    fn country_codes() -> Vec<i32> {
        let codes: BTreeSet<i32> = PLANS.iter().map(|plan| plan.code).collect();
        codes.into_iter().collect()
    }

    #[test]
    fn a_numbers_own_plans_parse_it_like_all_plans() {
        let homes = [None, Some(Region::US), Some(Region::DE), Some(Region::CU), Some(Region::RU)];
        for region in regions() {
            for kind in [PhoneNumberType::FixedLine, PhoneNumberType::Mobile] {
                let Ok(example) = PHONE_NUMBER_UTIL.get_example_number_for_type_and_region(region, kind)
                else {
                    continue;
                };
                let national = example.format_as(PhoneNumberFormat::National).into_owned();
                let full = example.format_as(PhoneNumberFormat::International).into_owned();
                let abroad = full.replace('+', "00");
                for home in homes.into_iter().chain([Some(region)]) {
                    for text in [&national, &full, &abroad, &full[1..].to_owned()] {
                        assert_same(text, home);
                    }
                }
            }
        }
        for text in ["+800 12345678", "+979 123456789", "+999 12345678", "+0 44 20 7946 0123"] {
            for home in homes {
                assert_same(text, home);
            }
        }
    }

    #[test]
    fn a_country_code_may_be_elsewhere_than_in_the_first_digits() {
        for text in [
            "20 7946 0123;phone-context=+44",
            "tel:2079460123;phone-context=+44",
            "+119 53 7 2040123",
            "119 49 30 123456",
            "8~10 49 30 123456",
            "8 10 49 30 123456",
            "0011 44 20 7946 0123",
            "+٤٤ 20 7946 0123",
            "＋４４ 20 7946 0123",
            "call +44 20 7946 0123",
            "+4GIMME 0123",
            "+1 800 FLOWERS",
            "1\n+44 20 7946 0123",
            "1234\n+44 20 7946 0123",
            "\n+44 20 7946 0123",
            "+44 20 7946\n0123",
            "+001 234 555 0123",
            "٤٤",
            "",
        ] {
            for home in [None, Some(Region::US), Some(Region::CU), Some(Region::RU), Some(Region::AU)] {
                assert_same(text, home);
            }
        }
    }

    #[test]
    fn plans_are_loaded_as_they_are_needed() {
        let numbering = Numbering::new();
        let has_all = || numbering.loaded.lock().unwrap().contains_key(&Codes::All);
        let loaded = || numbering.loaded.lock().unwrap().len();
        assert!(numbering.parse("+1 234 555 0123", Some(Region::US)).is_some());
        assert_eq!(loaded(), 1);
        assert!(numbering.parse("(234) 555-0124", Some(Region::US)).is_some());
        assert_eq!(loaded(), 1);
        assert!(numbering.parse("+44 20 7946 0123", Some(Region::US)).is_some());
        assert_eq!(loaded(), 2);
        for code in ["+49", "+33", "+39", "+34", "+41", "+43"] {
            assert!(numbering.parse(&format!("{code} 301234567"), Some(Region::US)).is_some());
        }
        assert_eq!((loaded(), has_all()), (MAX_INSTANCES, false));
        assert!(numbering.parse("+31 301234567", Some(Region::US)).is_some());
        assert_eq!((loaded(), has_all()), (1, true));
    }

    #[test]
    fn every_region_has_its_code() {
        for region in regions().into_iter().chain([Region::World]) {
            assert_eq!(
                country_code(region),
                PHONE_NUMBER_UTIL.get_country_code_for_region(region),
                "{region}"
            );
        }
    }

    proptest! {
        #[test]
        fn any_text_is_parsed_like_with_all_plans(
            text in r"\n?(\+|00|011|0011|119|810|8~10|tel:|[a-z ]{0,3})?[0-9 ()./+٤-]{0,18}\n?[0-9]{0,3}( ?(x|ext\.? ?)[0-9]{1,4})?[a-z;=]{0,3}",
            home in proptest::option::of(proptest::sample::select(regions())),
            known in proptest::sample::subsequence(country_codes(), 0..MAX_INSTANCES),
        ) {
            assert_same_after(&known, &text, home);
        }
    }
}
