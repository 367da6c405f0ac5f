//! Phone numbers: the caller's and those stored in Salesforce, compared as libphonenumber defines equality.
//!
//! libphonenumber's port is `rlibphonenumber`. Measured against `phonenumber` 0.3.10 (release binaries with LTO on
//! `x86_64`, the same 36 numbers), it adds 0.5 MB to a function instead of 2.8 MB, and parses all of them for the
//! first time in 9 ms instead of 107 ms, which is part of a cold start. Both are maintained (metadata 9.0.42 and
//! 9.0.33; minimum Rust 1.88 and 1.76) and agree on Italy's leading zero, on countries that share a code, and on
//! extensions. But `phonenumber` keeps the zero of `+44 (0)20 …`, and does not parse `;ext=` or digits of other
//! scripts. rlibphonenumber's `regex-lite` is also used by the AWS clients; with it, a warm parse takes 8 µs.

mod country;
mod number;
mod numbering;
mod several;
mod written;

use calls::{
    codes::{Code, reasons},
    text,
};
use rlibphonenumber::{
    CountryCodeSource, PhoneNumber as Parsed, enums::Region, get_national_significant_number_owned,
};
use serde::{Deserialize, Serialize};

use crate::records::PhoneQuery;
pub use number::PhoneNumber;
use numbering::{LONGEST_NATIONAL, is_possible, is_valid, region};
use written::parse;

/// How exactly a stored number matches the caller's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Exactness {
    /// The same number, including the country code.
    Exact,
    /// The same national number; the stored one has no country code.
    National,
}

/// Why there is no number to search for. The code is stable; the message is for people and never contains what was
/// sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.code().text())]
pub enum NoPhoneNumber {
    /// A web call, or a report without a number.
    Missing,
    /// The caller withheld it.
    Withheld,
    /// Not a phone number.
    Unreadable,
}

impl NoPhoneNumber {
    /// The stable code.
    pub fn code(self) -> Code {
        match self {
            Self::Missing => reasons::NO_PHONE_NUMBER,
            Self::Withheld => reasons::PHONE_NUMBER_WITHHELD,
            Self::Unreadable => reasons::PHONE_NUMBER_UNREADABLE,
        }
    }
}

/// What networks send if the caller withheld the number.
const WITHHELD: [&str; 9] = [
    "anonym",
    "unknown",
    "restricted",
    "unavailable",
    "private",
    "blocked",
    "withheld",
    "hidden",
    "no caller id",
];
/// The same words on a phone's keypad, which Twilio sends (`+266696687` is ANONYMOUS): anonymous, restricted,
/// blocked, unknown, unavailable.
const WITHHELD_ON_KEYS: [&str; 5] = ["266696687", "7378742833", "2562533", "8656696", "86282452253"];

impl PhoneNumber {
    /// Parses the remote party's number in any reported form: E.164, national (of `default_country`, ISO 3166),
    /// with an extension, or a `sip:` or `tel:` address.
    pub fn parse_caller(raw: &str, default_country: &str) -> Result<Self, NoPhoneNumber> {
        let text = user_part(raw.trim());
        let text = without_doubled_prefix(&text);
        let (number, _) = text.split_once(";ext=").unwrap_or((text, ""));
        let digits: String = number.chars().filter(char::is_ascii_digit).collect();
        let words = text.to_lowercase();
        // Ten digits without a plus may be a North American number without its 1.
        let is_full = digits.len() != 10 || text.starts_with('+');
        let on_keys = is_full && WITHHELD_ON_KEYS.contains(&digits.as_str());
        if on_keys || WITHHELD.iter().any(|word| words.contains(word)) {
            return Err(NoPhoneNumber::Withheld);
        }
        if text::present(text).is_none() {
            return Err(NoPhoneNumber::Missing);
        }
        // A SIP user name may contain digits, which are not a phone number.
        let is_name = text.chars().take_while(|c| !c.is_numeric()).any(char::is_alphabetic);
        if is_name {
            return Err(NoPhoneNumber::Unreadable);
        }
        let number = read_caller(text, default_country);
        let number = match number.filter(is_valid) {
            Some(number) => number,
            None => without_repeated_code(text)
                .or_else(|| read_caller(text, default_country))
                .ok_or(NoPhoneNumber::Unreadable)?,
        };
        // `+82 00…` loses a zero each time it is parsed: such a number is nobody's.
        let number = Self::from(&number);
        let again = parse(&number.e164, None).map(|again| Self::from(&again));
        again.filter(|again| again.e164 == number.e164).map(|_| number).ok_or(NoPhoneNumber::Unreadable)
    }

    /// `+12345550123`, or with an extension `+12345550123;ext=456` (RFC 3966). [`Self::parse_caller`] parses it back
    /// to this number.
    pub fn with_extension(&self) -> String {
        let extension = self.extension.as_ref().map(|extension| format!(";ext={extension}"));
        self.e164() + &extension.unwrap_or_default()
    }

    /// The terms to search Salesforce for.
    pub fn query(&self) -> PhoneQuery {
        let (national, international) = (self.national(), self.international());
        PhoneQuery { national, international, others: written::other_digits(self) }
    }

    /// Whether a phone field has this number, and how exactly (docs/contract.md#matching). Extensions are compared if
    /// both have one.
    ///
    /// A field with two numbers has both, each compared by itself. A field with a note has its number, whatever
    /// digits are in the note (`234-555-0104 / 234-555-0105`, `234-555-0104 (3rd shift)`). If a second number is
    /// written as its last digits only, as in `030 1234567/8`, the first one counts. A part of a single number never
    /// does.
    ///
    /// A stored number without a country code that is valid in the record's country (an ISO code or a name), or else
    /// in `default_country`, belongs to that country, however it is written. The same national number elsewhere is
    /// then somebody else's: `+44 2345550130` is not the `(234) 5550130` of a workspace in the United States. Only a
    /// number that is valid in neither is compared with this national number: `020 7946 0123` in the same workspace
    /// is `+44 20 7946 0123`. The same goes for every number of a record whose country is unknown: it is not the
    /// workspace's.
    pub fn same_as(
        &self,
        stored: &str,
        record_country: Option<&str>,
        default_country: &str,
    ) -> Option<Exactness> {
        let homes = homes(record_country, default_country);
        if several::is_plain(stored) {
            return self.same_as_one(stored, homes);
        }
        let regions: Vec<Region> = homes.into_iter().chain([self.region()]).flatten().collect();
        let numbers = several::numbers(stored, &regions);
        let same = numbers.iter().filter_map(|number| self.same_as_one(number, homes));
        same.min_by_key(|exactness| *exactness == Exactness::National)
    }

    /// Whether a phone field contains digits of this number: the national number, or its last four digits at the end
    /// of a run of digits. Salesforce's search may then have returned the record because of this field, even if
    /// [`Self::same_as`] and [`reads`] cannot parse it.
    pub fn resembles(&self, stored: &str) -> bool {
        let end = &self.national[self.national.len().saturating_sub(4)..];
        let mut runs = stored.split(|c: char| !c.is_ascii_digit());
        let digits = || stored.chars().filter(char::is_ascii_digit).collect::<String>();
        runs.any(|run| run.ends_with(end)) || digits().contains(&self.national)
    }

    fn same_as_one(&self, stored: &str, homes: Homes) -> Option<Exactness> {
        let stored = written::readable(stored);
        for home in homes.into_iter().flatten() {
            let read = parse_stored(&stored, Some(home));
            let same = read.as_ref().and_then(|read| self.equals(read));
            if same.is_some() || read.as_ref().is_some_and(is_valid) {
                return same;
            }
        }
        let own = self.region();
        let asked = own.is_some() && homes.contains(&own);
        let same = if asked { None } else { parse_stored(&stored, own).and_then(|read| self.equals(&read)) };
        same.or_else(|| self.equals(&parse_stored(&written::with_plus(&stored)?, None)?))
    }

    fn equals(&self, other: &Parsed) -> Option<Exactness> {
        let other_number = Self::from(other);
        let other_extension =
            matches!((&self.extension, &other_number.extension), (Some(one), Some(other)) if one != other);
        let same = other_number.e164 == self.e164 && !other_extension;
        let exactness = if has_country_code(other) { Exactness::Exact } else { Exactness::National };
        same.then_some(exactness)
    }
}

/// Whether a phone field has at least one number that is valid with its country code, in the record's country or in
/// `default_country` (as for [`PhoneNumber::same_as`]). If `same_as` does not match, it is a different number; if the
/// text cannot be read, whose number it is stays unknown.
pub fn reads(stored: &str, record_country: Option<&str>, default_country: &str) -> bool {
    let homes = homes(record_country, default_country);
    let regions: Vec<Region> = homes.into_iter().flatten().collect();
    several::numbers(stored, &regions).iter().any(|number| {
        let number = written::readable(number);
        let is_valid_number = |read: Option<Parsed>| read.as_ref().is_some_and(is_valid);
        let at_home = || regions.iter().any(|home| is_valid_number(parse_stored(&number, Some(*home))));
        at_home()
            || is_valid_number(parse_stored(&number, None))
            || written::with_plus(&number).is_some_and(|number| is_valid_number(parse_stored(&number, None)))
    })
}

/// The countries that a stored number without a country code may belong to: the record's and the workspace's. If the
/// record names an unknown country, it is not the workspace's.
type Homes = [Option<Region>; 2];

fn homes(record_country: Option<&str>, default_country: &str) -> Homes {
    let country = record_country.filter(|country| !country.trim().is_empty());
    let of_record = country.and_then(country::region);
    let of_workspace = region(default_country).filter(|region| Some(*region) != of_record);
    let is_unknown_country = country.is_some() && of_record.is_none();
    [of_record, of_workspace.filter(|_| !is_unknown_country)]
}

/// Masks a number for display: `•••• 0123`. A short number is masked completely.
pub fn mask(number: &str) -> String {
    let digits: Vec<char> = number.chars().filter(char::is_ascii_digit).collect();
    match digits.len() {
        0..8 => "••••".to_owned(),
        count => format!("•••• {}", digits[count - 4..].iter().collect::<String>()),
    }
}

/// The ISO 3166 code of a country with phone numbers, from its code or a name.
pub fn country_code(country: &str) -> Option<String> {
    country::region(country).map(|region| region.to_string())
}

/// The part of an address that may be a number: `sip:+12345550123@host;transport=udp` → `+12345550123`. A `tel:`
/// address stays whole, because libphonenumber parses its parameters.
fn user_part(text: &str) -> String {
    let inner = text.rsplit_once('<').map_or(text, |(_, rest)| rest.trim_end_matches('>'));
    let lower = inner.to_ascii_lowercase();
    let scheme = ["sips:", "sip:"].iter().find(|scheme| lower.starts_with(**scheme));
    let user = inner[scheme.map_or(0, |scheme| scheme.len())..].trim();
    let user = if scheme.is_some() || user.contains('@') {
        user.split(['@', ';']).next().unwrap_or_default()
    } else {
        user
    };
    let user = if lower.starts_with("tel:") { &user["tel:".len()..] } else { user };
    user.replace("%2B", "+").replace("%2b", "+").trim().to_owned()
}

/// Digits of the longest country code with an international prefix: `00` before three.
const LONGEST_PREFIX: usize = 5;

/// Removes a country code that was added to a number that already had one: `+1+17375550102`, `++44…`, `001+44…`.
fn without_doubled_prefix(text: &str) -> &str {
    let Some(last) = text.rfind('+') else { return text };
    let (before, number) = text.split_at(last);
    let is_code = before.chars().filter(char::is_ascii_digit).count() <= LONGEST_PREFIX
        && before.chars().all(|c| c.is_ascii_digit() || matches!(c, '+' | ' ' | '(' | ')' | '-' | '.'));
    if is_code { number } else { text }
}

/// Parses a number with a repeated country code, `+1 001 737 555 0102` or `+44 44 7911 123456`, if it is valid
/// without the first one.
fn without_repeated_code(text: &str) -> Option<Parsed> {
    let digits: String = text.strip_prefix('+')?.chars().filter(char::is_ascii_digit).collect();
    (1..=3).find_map(|length| {
        let (code, rest) = digits.split_at_checked(length)?;
        let rest = rest.trim_start_matches('0');
        let again = rest.strip_prefix(code).map(|_| format!("+{rest}"))?;
        parse(&again, None).filter(is_valid)
    })
}

/// Parses a stored number, if the text is only one number.
fn parse_stored(text: &str, region: Option<Region>) -> Option<Parsed> {
    parse(text, region).filter(|read| !written::joins_two(read, text))
}

/// Parses a caller's number. If it is valid as a full number without its plus, that is preferred over a national
/// number that is merely possible by its length, or longer than any in use: to libphonenumber, nearly every full
/// number could be a German or Japanese one. With a single leading zero, it stays national.
fn read_caller(text: &str, default_country: &str) -> Option<Parsed> {
    let as_written = parse(text, region(default_country)).filter(is_possible);
    let first = text.find(char::is_numeric).map_or("", |first| &text[first..]);
    let trunk = first.starts_with('0') && !first.starts_with("00");
    match as_written {
        Some(number) if trunk || has_country_code(&number) || is_national(&number) => Some(number),
        other => without_plus(first).or(other),
    }
}

fn is_national(number: &Parsed) -> bool {
    is_valid(number) && get_national_significant_number_owned(number).len() <= LONGEST_NATIONAL
}

/// Parses a full number whose plus was lost or written as `00`, if it is valid.
fn without_plus(text: &str) -> Option<Parsed> {
    parse(&format!("+{}", text.trim_start_matches('0')), None).filter(is_valid)
}

fn has_country_code(number: &Parsed) -> bool {
    !matches!(
        number.country_code_source(),
        CountryCodeSource::FromDefaultCountry | CountryCodeSource::Unspecified
    )
}

#[cfg(test)]
mod tests;
