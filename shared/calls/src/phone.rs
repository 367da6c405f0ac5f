//! Phone numbers: the caller's and those stored in Salesforce, compared in libphonenumber's sense.
//!
//! The port is `rlibphonenumber`. Measured against `phonenumber` 0.3.10 (release binaries with LTO on `x86_64`, the
//! same 36 numbers), it adds 0.5 MB to a function instead of 2.8 MB, and has read all of them for the first time after
//! 9 ms instead of 107 ms: that is cold start. Both are kept up (metadata 9.0.42 and 9.0.33; minimum Rust 1.88 and 1.76)
//! and agree on Italy's leading zero, countries that share a code and extensions. But `phonenumber` keeps the zero of
//! `+44 (0)20 …` and does not read `;ext=` or digits of other scripts. Its own `regex-lite` comes with the AWS clients
//! anyway; a warm parse takes 8 µs with it.

mod country;
mod written;

use rlibphonenumber::{
    CountryCodeSource, NumberLengthType, PHONE_NUMBER_UTIL, PhoneNumber as Parsed, PhoneNumberFormat,
    enums::Region,
};

use crate::{crm::PhoneQuery, matching::Exactness, text};

/// A phone number with its country code: possible by its length, though perhaps not in use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PhoneNumber {
    e164: String,
    national: String,
    extension: Option<String>,
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
        let text = text::present(raw).map(user_part).unwrap_or_default();
        if text.is_empty() {
            return Err(NoPhoneNumber::Missing);
        }
        let (number, _) = text.split_once(";ext=").unwrap_or((&text, ""));
        let digits: String = number.chars().filter(char::is_ascii_digit).collect();
        let words = text.to_lowercase();
        // Ten digits may be a North American number, which has no plus without its 1.
        let is_full = digits.len() != 10 || text.starts_with('+');
        let on_keys = is_full && WITHHELD_ON_KEYS.contains(&digits.as_str());
        if on_keys || WITHHELD.iter().any(|word| words.contains(word)) {
            return Err(NoPhoneNumber::Withheld);
        }
        // A SIP user's name may have digits in it; those are no number.
        let named = text.chars().take_while(|c| !c.is_numeric()).any(char::is_alphabetic);
        if named {
            return Err(NoPhoneNumber::Unreadable);
        }
        let number = read_caller(&text, default_country).ok_or(NoPhoneNumber::Unreadable)?;
        // `+82 00…` loses one zero at each reading: it is nobody's number.
        let number = Self::from(&number);
        let again = parse(&number.e164, None).map(|again| Self::from(&again));
        again.filter(|again| again.e164 == number.e164).map(|_| number).ok_or(NoPhoneNumber::Unreadable)
    }

    /// `+12345550123`.
    pub fn e164(&self) -> String {
        self.e164.clone()
    }

    /// `+12345550123`, and where it has an extension `+12345550123;ext=456` (RFC 3966): what [`Self::parse_caller`] reads
    /// as this number.
    pub fn with_extension(&self) -> String {
        let extension = self.extension.as_ref().map(|extension| format!(";ext={extension}"));
        self.e164() + &extension.unwrap_or_default()
    }

    /// The national number, digits only: `2345550123`. Italy's leading zero belongs to it.
    pub fn national(&self) -> String {
        self.national.clone()
    }

    /// Country code and national number, digits only: `12345550123`.
    pub fn international(&self) -> String {
        self.e164[1..].to_owned()
    }

    /// What to search Salesforce for.
    pub fn query(&self) -> PhoneQuery {
        let (national, international) = (self.national(), self.international());
        PhoneQuery { national, international, others: written::other_digits(self) }
    }

    /// Whether a stored number is this one, and how exactly (design.md §7). Extensions count where both have one.
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
        let stored = written::readable(stored);
        let named = record_country.filter(|country| !country.trim().is_empty());
        let of_record = named.and_then(country::region);
        let of_workspace = region(default_country).filter(|region| Some(*region) != of_record);
        let is_unknown = named.is_some() && of_record.is_none();
        let homes = [of_record, of_workspace.filter(|_| !is_unknown)];
        for home in homes.into_iter().flatten() {
            let read = parse_stored(&stored, Some(home));
            let same = read.as_ref().and_then(|read| self.equals(read));
            if same.is_some() || read.is_some_and(|read| read.is_valid()) {
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

    /// The country of the number's code, the main one where several share it.
    fn region(&self) -> Option<Region> {
        PHONE_NUMBER_UTIL.get_region_for_country_code(self.country_code().parse().ok()?)
    }

    fn country_code(&self) -> &str {
        let digits = &self.e164[1..];
        digits.strip_suffix(&self.national).unwrap_or(digits)
    }
}

impl From<&Parsed> for PhoneNumber {
    fn from(number: &Parsed) -> Self {
        // Of some it leaves a space in, `+800 00000000`.
        let e164 =
            number.format_as(PhoneNumberFormat::E164).replace(|c: char| c != '+' && !c.is_ascii_digit(), "");
        Self {
            e164,
            national: number.get_national_significant_number(),
            extension: number.extension.clone().filter(|extension| !extension.is_empty()),
        }
    }
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

/// A country by its ISO 3166 code; `None` if it has no phone numbers.
fn region(code: &str) -> Option<Region> {
    let region: Region = code.trim().to_ascii_uppercase().parse().ok()?;
    PHONE_NUMBER_UTIL.get_country_code_for_region(region).map(|_| region)
}

fn parse(text: &str, region: Option<Region>) -> Option<Parsed> {
    PHONE_NUMBER_UTIL.parse_and_keep_raw_input(text, region).ok().map(written::without_dropped_prefix)
}

/// A record's number, where the text is one.
fn parse_stored(text: &str, region: Option<Region>) -> Option<Parsed> {
    parse(text, region).filter(|read| !written::joins_two(read, text))
}

/// Digits of the longest national numbers that are in use: German and Chinese mobile ones.
const LONGEST_NATIONAL: usize = 11;

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
    number.is_valid() && number.get_national_significant_number().len() <= LONGEST_NATIONAL
}

/// A full number whose plus was lost, or written as `00`. Accepted only if it is a good one.
fn without_plus(text: &str) -> Option<Parsed> {
    parse(&format!("+{}", text.trim_start_matches('0')), None).filter(Parsed::is_valid)
}

/// Whether it can be dialled from anywhere, by its length: new number ranges come faster than metadata.
fn is_possible(number: &Parsed) -> bool {
    let zeros_only = number.national_number == 0;
    !zeros_only && matches!(number.is_possible_with_reason(), Ok(NumberLengthType::IsPossible))
}

fn has_country_code(number: &Parsed) -> bool {
    !matches!(
        number.country_code_source(),
        CountryCodeSource::FromDefaultCountry | CountryCodeSource::Unspecified
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn caller(raw: &str) -> PhoneNumber {
        PhoneNumber::parse_caller(raw, "US").unwrap()
    }

    #[test]
    fn a_callers_number_is_read_however_it_is_written() {
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
            // A full number without its plus is not the workspace's country's, where it is none there.
            ("sip:12125551234@sip.example.com", "DE", "+12125551234"),
            ("12125550123", "DE", "+12125550123"),
            ("447911123456", "DE", "+447911123456"),
            ("14155552671", "JP", "+14155552671"),
            ("4520123456", "US", "+4520123456"),
            ("004520123456", "US", "+4520123456"),
            ("4520123456", "DK", "+4520123456"),
            ("+15550100123", "DE", "+15550100123"),
            ("15550100123", "US", "+15550100123"),
            // With its trunk prefix it is one of the country, even if of a range that is not known.
            ("04520123456", "DE", "+494520123456"),
            // That spells RESTRICTED.
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
    fn what_is_no_number_says_why() {
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
        assert_eq!(NoPhoneNumber::Missing.code(), "no_phone_number");
    }

    #[test]
    fn a_search_asks_for_the_digits() {
        let query = caller("+442079460123").query();
        assert_eq!((query.national.as_str(), query.international.as_str()), ("2079460123", "442079460123"));
        assert_eq!(caller("+390612345678").national(), "0612345678");
    }

    #[test]
    fn a_search_asks_for_what_else_people_store() {
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
            // Telephones of satellites and networks belong to no country.
            ("+881612345678", &["00881612345678", "011881612345678"]),
        ] {
            assert_eq!(caller(number).query().others, others, "{number}");
        }
    }

    #[test]
    fn a_stored_number_is_compared_by_what_it_means() {
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
            // What is a good number in the record's country, or else in the workspace's, is that one.
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
            // A country that is named and not known is not the workspace's: nothing is settled at home.
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
            // Two numbers, the second by its end; one with a desk; and one in groups.
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
            // A fixed number in Buenos Aires.
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
    fn a_country_is_known_by_its_code_and_by_its_name() {
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

    proptest! {
        #[test]
        fn any_text_is_read_without_a_panic(
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
}
