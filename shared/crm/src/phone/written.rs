//! How people write numbers in records: what to search for, and what to ignore.

use std::borrow::Cow;

use rlibphonenumber::{
    PhoneNumber as Parsed, PhoneNumberFormat, enums::Region, get_national_significant_number_owned,
};

use super::{
    number::PhoneNumber,
    numbering::{self, format, is_possible, is_valid},
};

/// Mexico's prefixes until 2020, longest first.
const MEXICOS: [&str; 4] = ["044", "045", "01", "1"];

/// The current and former trunk prefixes of a country code, mostly `0`. Each one that a number is tried with costs a
/// call a few microseconds.
fn trunk_prefixes(country_code: &str) -> &'static [&'static str] {
    match country_code {
        // North America and the Marshall Islands.
        "1" | "692" => &["1"],
        // Russia with Kazakhstan, and Turkmenistan.
        "7" | "993" => &["8"],
        // Hungary.
        "36" => &["06"],
        // Mexico.
        "52" => &MEXICOS,
        // Lithuania.
        "370" => &["0", "8"],
        // Belarus.
        "375" => &["0", "8", "80"],
        _ => &["0"],
    }
}

/// International prefixes: nearly everywhere, and in North America.
const INTERNATIONAL_PREFIXES: [&str; 2] = ["00", "011"];

/// Digits that people store for a number besides the national and the full ones: `02079460123`, `4402079460123` (from
/// `+44 (0)20 …`), `00442079460123`. Salesforce's search compares digits and does not know that they are equivalent.
pub(super) fn other_digits(number: &PhoneNumber) -> Vec<String> {
    let (national, international) = (number.national(), number.international());
    let (code, region) = (number.country_code(), number.region());
    let is_same = |digits: &String| {
        parse(digits, region).is_some_and(|read| PhoneNumber::from(&read).e164 == number.e164)
    };
    let mut domestic: Vec<String> =
        trunk_prefixes(code).iter().map(|prefix| format!("{prefix}{national}")).collect();
    // Argentina writes mobile numbers differently: +54 9 11 2345 6789 is 011 15-2345-6789 there.
    if let Some(printed) =
        parse(&number.e164(), None).map(|parsed| format(&parsed, PhoneNumberFormat::National))
    {
        let digits: String = printed.chars().filter(char::is_ascii_digit).collect();
        domestic.extend(digits.strip_prefix('0').map(ToOwned::to_owned));
        domestic.push(digits);
    }
    domestic.retain(|digits| *digits != national && *digits != international && is_same(digits));
    let after_code: Vec<String> = domestic.iter().map(|digits| format!("{code}{digits}")).collect();
    let from_abroad = INTERNATIONAL_PREFIXES.iter().map(|prefix| format!("{prefix}{international}"));
    let mut all: Vec<String> = domestic.into_iter().chain(after_code).chain(from_abroad).collect();
    all.sort();
    all.dedup();
    all
}

/// A stored text in a form that libphonenumber can parse: only plain spaces, and without trailing words, which it
/// would take for digits (`020 7946 0123 (work)`). That excludes vanity numbers (`1-800-FLOWERS`), but search, which
/// compares digits, does not find them anyway.
pub(super) fn readable(stored: &str) -> Cow<'_, str> {
    let end = stored.rfind(char::is_numeric).map_or(0, |last| stored.ceil_char_boundary(last + 1));
    let stored = &stored[..end];
    let foreign = |c: char| c.is_whitespace() && c != ' ';
    if stored.contains(foreign) { Cow::Owned(stored.replace(foreign, " ")) } else { Cow::Borrowed(stored) }
}

/// What precedes the digits of a German or Austrian direct dial, which are part of the number.
pub(super) const DESK_MARKS: [&str; 4] = ["dw", "durchwahl", "kl", "klappe"];
/// Digits of the shortest number, and of the longest area code plus one.
pub(super) const SHORTEST: usize = 4;
const LONGER_THAN_AREA_CODE: usize = 6;

/// Whether a text is two numbers that were parsed as one, the second written as its last digits only:
/// `030 1234567/8`, `030 1234567 or 8`. A slash may also follow an area code (`030/1234567`) or separate groups
/// (`0475/12/34/56`); the first of two numbers must be a number by itself.
pub(super) fn joins_two(read: &Parsed, text: &str) -> bool {
    let from_first = &text[text.find(char::is_numeric).unwrap_or_default()..];
    let Some(mark) = from_first.rfind(|c: char| c == '/' || c.is_alphabetic()) else { return false };
    let end = from_first[mark..].chars().filter(|c| c.is_numeric()).count();
    let national = get_national_significant_number_owned(read).len();
    if read.extension.is_some() || end >= SHORTEST || national < LONGER_THAN_AREA_CODE + end {
        return false;
    }
    let before = &from_first[..mark];
    let is_second = if from_first[mark..].starts_with('/') {
        let group =
            before.rsplit_once('/').map(|(_, group)| group.chars().filter(|c| c.is_numeric()).count());
        group.is_none_or(|digits| digits >= SHORTEST)
    } else {
        let word = from_first.split(|c: char| !c.is_alphabetic()).rfind(|word| !word.is_empty());
        word.is_some_and(|word| !DESK_MARKS.contains(&word.to_lowercase().as_str()))
    };
    let e164 = PhoneNumber::from(read).e164;
    is_second && parse(&e164[..e164.len() - end], None).as_ref().is_some_and(is_possible)
}

/// Replaces an international prefix with a plus: `00` is not one in every country.
pub(super) fn with_plus(stored: &str) -> Option<String> {
    let from_first = &stored[stored.find(|c: char| c.is_ascii_digit())?..];
    let rest = INTERNATIONAL_PREFIXES.iter().find_map(|prefix| from_first.strip_prefix(prefix))?;
    Some(format!("+{rest}"))
}

/// Parses a number like libphonenumber, and also without a prefix that Mexico has dropped.
pub(super) fn parse(text: &str, region: Option<Region>) -> Option<Parsed> {
    numbering::parse(text, region).map(without_dropped_prefix)
}

/// Mexico dropped its prefixes in 2019 and 2020 (`+52 1` before a mobile number; `01`, `044` and `045` within the
/// country), and so did libphonenumber; but records still contain them, and some networks still send them.
fn without_dropped_prefix(mut number: Parsed) -> Parsed {
    if number.country_code != 52 || is_valid(&number) {
        return number;
    }
    let national = get_national_significant_number_owned(&number);
    let rest = MEXICOS.iter().find_map(|prefix| national.strip_prefix(prefix));
    let rest = rest.filter(|rest| rest.len() == 10);
    let read = rest.and_then(|rest| numbering::parse(rest, Some(Region::MX)));
    if let Some(read) = read.filter(is_valid) {
        number.national_number = read.national_number;
        number.italian_leading_zero = read.italian_leading_zero;
        number.number_of_leading_zeros = read.number_of_leading_zeros;
    }
    number
}

#[cfg(test)]
mod tests {
    use rlibphonenumber::{PHONE_NUMBER_UTIL, PhoneNumberType};

    use super::*;

    #[test]
    fn every_prefix_that_libphonenumber_ignores_is_searched_for() {
        let all = ["0", "1", "8", "06", "80", "01", "044", "045"];
        let kinds = [PhoneNumberType::FixedLine, PhoneNumberType::Mobile, PhoneNumberType::TollFree];
        for region in PHONE_NUMBER_UTIL.get_supported_regions() {
            for kind in kinds {
                let Ok(example) = PHONE_NUMBER_UTIL.get_example_number_for_type_and_region(region, kind)
                else {
                    continue;
                };
                let number = PhoneNumber::from(&example);
                let others = other_digits(&number);
                for digits in all.map(|prefix| format!("{prefix}{}", number.national())) {
                    let read = parse(&digits, number.region()).map(|read| PhoneNumber::from(&read).e164());
                    let is_found = others.contains(&digits) || digits == number.international();
                    assert!(is_found || read != Some(number.e164()), "{region} {kind:?}: {digits}");
                }
            }
        }
    }
}
