//! A phone number in libphonenumber's forms.

use rlibphonenumber::{
    PhoneNumber as Parsed, PhoneNumberFormat, enums::Region, get_national_significant_number_owned,
};

use super::numbering::{format, main_region};

/// A phone number with its country code. Its length is possible, but it may not be in use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PhoneNumber {
    pub(super) e164: String,
    pub(super) national: String,
    pub(super) extension: Option<String>,
}

impl PhoneNumber {
    /// `+12345550123`.
    pub fn e164(&self) -> String {
        self.e164.clone()
    }

    /// The national number, digits only: `2345550123`. Italy's leading zero is part of it.
    pub fn national(&self) -> String {
        self.national.clone()
    }

    /// Country code and national number, digits only: `12345550123`.
    pub fn international(&self) -> String {
        self.e164[1..].to_owned()
    }

    /// The country of the country code; the main one if several share it.
    pub(super) fn region(&self) -> Option<Region> {
        main_region(self.country_code().parse().ok()?)
    }

    pub(super) fn country_code(&self) -> &str {
        let digits = &self.e164[1..];
        digits.strip_suffix(&self.national).unwrap_or(digits)
    }
}

impl From<&Parsed> for PhoneNumber {
    fn from(number: &Parsed) -> Self {
        // libphonenumber leaves a space in some, e.g. `+800 00000000`.
        let e164 =
            format(number, PhoneNumberFormat::E164).replace(|c: char| c != '+' && !c.is_ascii_digit(), "");
        Self {
            e164,
            national: get_national_significant_number_owned(number),
            extension: number.extension.clone().filter(|extension| !extension.is_empty()),
        }
    }
}
