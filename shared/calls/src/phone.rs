//! Phone numbers: the caller's and those stored in Salesforce, compared in libphonenumber's sense.
//!
//! The port is `rlibphonenumber`. Measured against `phonenumber` 0.3.10 (release binaries with LTO on `x86_64`, the
//! same 36 numbers), it adds 0.5 MB to a function instead of 2.8 MB, and has read all of them for the first time after
//! 9 ms instead of 107 ms: that is cold start. Both are kept up (metadata 9.0.42 and 9.0.33; minimum Rust 1.88 and 1.76)
//! and agree on Italy's leading zero, countries that share a code and extensions. But `phonenumber` keeps the zero of
//! `+44 (0)20 …` and does not read `;ext=` or digits of other scripts. Its own `regex-lite` comes with the AWS clients
//! anyway; a warm parse takes 8 µs with it.

mod country;
mod number;
mod numbering;
mod several;
mod written;

use rlibphonenumber::{
    CountryCodeSource, PhoneNumber as Parsed, enums::Region, get_national_significant_number_owned,
};
use serde::{Deserialize, Serialize};

use crate::{crm::PhoneQuery, text};
pub use number::PhoneNumber;
use numbering::{LONGEST_NATIONAL, is_possible, is_valid, region};
use written::parse;

/// How exactly a stored number is the caller's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Exactness {
    /// The same number, country code and all.
    Exact,
    /// The same national number; the record has no country code.
    National,
}

/// Why there is no number to look for. The code is stable; the text is for people and never has what was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoPhoneNumber {
    /// A web call, or a report that says nothing.
    #[error("The call has no phone number: a web call, or Vapi's report does not say it.")]
    Missing,
    /// The caller withheld it.
    #[error("The caller withheld the phone number.")]
    Withheld,
    /// Not a phone number.
    #[error(
        "What Vapi reported as the caller's number is not a phone number. If it is one without country code, set the \
         workspace's default country."
    )]
    Unreadable,
}

impl NoPhoneNumber {
    /// The stable code.
    pub fn code(self) -> &'static str {
        match self {
            Self::Missing => "no_phone_number",
            Self::Withheld => "phone_number_withheld",
            Self::Unreadable => "phone_number_unreadable",
        }
    }
}

/// What networks write where the caller withheld the number.
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
/// The same words on a telephone's keys, which Twilio sends (`+266696687` is ANONYMOUS): anonymous, restricted,
/// blocked, unknown, unavailable.
const WITHHELD_ON_KEYS: [&str; 5] = ["266696687", "7378742833", "2562533", "8656696", "86282452253"];

impl PhoneNumber {
    /// Reads the remote party's number as Vapi writes it: E.164, national (of `default_country`, ISO 3166), with an
    /// extension, or as a `sip:` or `tel:` address.
    pub fn parse_caller(raw: &str, default_country: &str) -> Result<Self, NoPhoneNumber> {
        let text = user_part(raw.trim());
        let text = without_doubled_prefix(&text);
        let (number, _) = text.split_once(";ext=").unwrap_or((text, ""));
        let digits: String = number.chars().filter(char::is_ascii_digit).collect();
        let words = text.to_lowercase();
        // Ten digits may be a North American number, which has no plus without its 1.
        let is_full = digits.len() != 10 || text.starts_with('+');
        let on_keys = is_full && WITHHELD_ON_KEYS.contains(&digits.as_str());
        if on_keys || WITHHELD.iter().any(|word| words.contains(word)) {
            return Err(NoPhoneNumber::Withheld);
        }
        if text::present(text).is_none() {
            return Err(NoPhoneNumber::Missing);
        }
        // A SIP user's name may have digits in it; those are no number.
        let named = text.chars().take_while(|c| !c.is_numeric()).any(char::is_alphabetic);
        if named {
            return Err(NoPhoneNumber::Unreadable);
        }
        let number = read_caller(text, default_country);
        let number = match number.filter(is_valid) {
            Some(number) => number,
            None => without_repeated_code(text)
                .or_else(|| read_caller(text, default_country))
                .ok_or(NoPhoneNumber::Unreadable)?,
        };
        // `+82 00…` loses one zero at each reading: it is nobody's number.
        let number = Self::from(&number);
        let again = parse(&number.e164, None).map(|again| Self::from(&again));
        again.filter(|again| again.e164 == number.e164).map(|_| number).ok_or(NoPhoneNumber::Unreadable)
    }

    /// `+12345550123`, and where it has an extension `+12345550123;ext=456` (RFC 3966): what [`Self::parse_caller`] reads
    /// as this number.
    pub fn with_extension(&self) -> String {
        let extension = self.extension.as_ref().map(|extension| format!(";ext={extension}"));
        self.e164() + &extension.unwrap_or_default()
    }

    /// What to search Salesforce for.
    pub fn query(&self) -> PhoneQuery {
        let (national, international) = (self.national(), self.international());
        PhoneQuery { national, international, others: written::other_digits(self) }
    }

    /// Whether a phone field has this number, and how exactly (docs/contract.md#matching). Extensions count where both
    /// have one.
    ///
    /// A field with two numbers has either, each compared by itself; one with a note has its number, whatever digits are in
    /// the note (`234-555-0104 / 234-555-0105`, `234-555-0104 (3rd shift)`). Of a second number that is written by its end
    /// alone, `030 1234567/8`, the first counts; no part of a single number does.
    ///
    /// A stored number without a country code that is valid in the record's country (its ISO code or a name), or else in
    /// `default_country`, is that country's; this settles it, however it is written. The same national number is then
    /// somebody else's: `+44 2345550130` is not the `(234) 5550130` of a workspace in the United States. Only one that is
    /// valid in neither is compared with this national number: `020 7946 0123` in the same workspace is
    /// `+44 20 7946 0123`. So is every one whose record names a country that is not known: it is not the workspace's.
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

    /// Whether a phone field has digits of this number: the national number, or its last four digits at the end of a run of
    /// digits. Salesforce's search may then have returned the record because of this field, even if [`Self::same_as`] and
    /// [`reads`] do not understand it.
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
        let other_desk =
            matches!((&self.extension, &other_number.extension), (Some(one), Some(other)) if one != other);
        let same = other_number.e164 == self.e164 && !other_desk;
        let exactness = if has_country_code(other) { Exactness::Exact } else { Exactness::National };
        same.then_some(exactness)
    }
}

/// Whether a phone field has a number, or several, that is valid with its country code, in the record's country or in
/// `default_country` (as for [`PhoneNumber::same_as`]). One that `same_as` does not find there is a different number; of a
/// text that is not read, nobody knows whose number it is.
pub fn reads(stored: &str, record_country: Option<&str>, default_country: &str) -> bool {
    let homes = homes(record_country, default_country);
    let regions: Vec<Region> = homes.into_iter().flatten().collect();
    several::numbers(stored, &regions).iter().any(|number| {
        let number = written::readable(number);
        let is_good = |read: Option<Parsed>| read.as_ref().is_some_and(is_valid);
        let at_home = || regions.iter().any(|home| is_good(parse_stored(&number, Some(*home))));
        at_home()
            || is_good(parse_stored(&number, None))
            || written::with_plus(&number).is_some_and(|number| is_good(parse_stored(&number, None)))
    })
}

/// The countries that a stored number without a country code may be of: the record's and the workspace's. A record's that
/// is named and not known is not the workspace's.
type Homes = [Option<Region>; 2];

fn homes(record_country: Option<&str>, default_country: &str) -> Homes {
    let named = record_country.filter(|country| !country.trim().is_empty());
    let of_record = named.and_then(country::region);
    let of_workspace = region(default_country).filter(|region| Some(*region) != of_record);
    let is_unknown = named.is_some() && of_record.is_none();
    [of_record, of_workspace.filter(|_| !is_unknown)]
}

/// A number as it may be shown: `•••• 0123`. Of a short one, nothing.
pub fn mask(number: &str) -> String {
    let digits: Vec<char> = number.chars().filter(char::is_ascii_digit).collect();
    match digits.len() {
        0..8 => "••••".to_owned(),
        count => format!("•••• {}", digits[count - 4..].iter().collect::<String>()),
    }
}

/// The ISO 3166 code of a country that has phone numbers, by its code or a name.
pub fn country_code(country: &str) -> Option<String> {
    country::region(country).map(|region| region.to_string())
}

/// The part of an address that may be a number: `sip:+12345550123@host;transport=udp` → `+12345550123`. A `tel:` address
/// stays whole, libphonenumber reads its parameters.
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

/// Digits of the longest country code, dialled from abroad: `00` before three.
const LONGEST_PREFIX: usize = 5;

/// A number without the country code that was put before it though it had one: `+1+17375550102`, `++44…`, `001+44…`.
fn without_doubled_prefix(text: &str) -> &str {
    let Some(last) = text.rfind('+') else { return text };
    let (before, number) = text.split_at(last);
    let is_code = before.chars().filter(char::is_ascii_digit).count() <= LONGEST_PREFIX
        && before.chars().all(|c| c.is_ascii_digit() || matches!(c, '+' | ' ' | '(' | ')' | '-' | '.'));
    if is_code { number } else { text }
}

/// A number whose country code stands twice in a row, `+1 001 737 555 0102` or `+44 44 7911 123456`: as one that is good
/// without the first of them.
fn without_repeated_code(text: &str) -> Option<Parsed> {
    let digits: String = text.strip_prefix('+')?.chars().filter(char::is_ascii_digit).collect();
    (1..=3).find_map(|length| {
        let (code, rest) = digits.split_at_checked(length)?;
        let rest = rest.trim_start_matches('0');
        let again = rest.strip_prefix(code).map(|_| format!("+{rest}"))?;
        parse(&again, None).filter(is_valid)
    })
}

/// A record's number, where the text is one.
fn parse_stored(text: &str, region: Option<Region>) -> Option<Parsed> {
    parse(text, region).filter(|read| !written::joins_two(read, text))
}

/// A caller's number. A national one that is only possible by its length, or longer than any, gives way to a full one that
/// is valid: by libphonenumber nearly every full number could be a German or Japanese one. With a single zero before it, it
/// stays national.
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

/// A full number whose plus was lost, or written as `00`. Accepted only if it is a good one.
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
