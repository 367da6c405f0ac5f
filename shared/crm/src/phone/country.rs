//! A record's country: an ISO 3166 code, or a name as in Salesforce's picklists or as people write it.

mod names;

use std::{collections::HashMap, sync::LazyLock};

use rlibphonenumber::enums::Region;

use super::numbering;
use names::NAMES;

/// Words that may be missing in a country's name.
const OPTIONAL_WORDS: [&str; 3] = ["and", "of", "the"];

static BY_NAME: LazyLock<HashMap<String, &str>> = LazyLock::new(|| {
    NAMES.iter().flat_map(|(code, names)| names.iter().map(|name| (words(name), *code))).collect()
});

/// The region of a record's country; `None` if it is unknown.
pub(super) fn region(country: &str) -> Option<Region> {
    numbering::region(country).or_else(|| numbering::region(BY_NAME.get(&words(country))?))
}

/// A name's words in sorted order: `Korea, Republic of` equals `the Republic of Korea`.
fn words(name: &str) -> String {
    let letters = name.to_lowercase().replace(['.', '\'', '’'], "");
    let words =
        letters.split(|c: char| !c.is_alphanumeric()).map(|word| if word == "st" { "saint" } else { word });
    let mut words: Vec<&str> =
        words.filter(|word| !word.is_empty() && !OPTIONAL_WORDS.contains(word)).collect();
    words.sort_unstable();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use rlibphonenumber::PHONE_NUMBER_UTIL;

    use super::*;

    #[test]
    fn codes_and_common_names_are_known() {
        for (country, code) in [
            ("US", "US"),
            ("de", "DE"),
            ("U.S.A.", "US"),
            (" United Kingdom ", "GB"),
            ("UK", "GB"),
            ("ST", "ST"),
        ] {
            assert_eq!(region(country), code.parse().ok(), "{country}");
        }
        for unknown in ["", "ZZ", "Atlantis", "X", "and", "-"] {
            assert_eq!(region(unknown), None, "{unknown}");
        }
    }

    /// Salesforce's picklist labels and what people write instead.
    #[test]
    fn a_country_has_several_names() {
        for (code, names) in [
            ("BO", &["Bolivia, Plurinational State of", "Bolivia"][..]),
            ("CD", &["Congo, the Democratic Republic of the", "Democratic Republic of the Congo"]),
            ("CG", &["Congo", "Republic of the Congo"]),
            ("CI", &["Côte d'Ivoire", "Cote d’Ivoire", "Ivory Coast"]),
            ("CZ", &["Czech Republic", "Czechia"]),
            ("DE", &["Germany", "Deutschland", "DEU"]),
            ("GB", &["United Kingdom", "Great Britain", "England", "U.K.", "Northern Ireland"]),
            ("HK", &["Hong Kong", "Hong Kong SAR"]),
            ("IR", &["Iran, Islamic Republic of", "Iran"]),
            ("KN", &["Saint Kitts and Nevis", "St. Kitts & Nevis"]),
            ("KP", &["Korea, Democratic People's Republic of", "North Korea"]),
            ("KR", &["Korea, Republic of", "South Korea", "Republic of Korea", "Korea (South)"]),
            ("LA", &["Lao People's Democratic Republic", "Laos"]),
            ("MD", &["Moldova, Republic of", "Moldova"]),
            ("MK", &["Macedonia, the former Yugoslav Republic of", "North Macedonia"]),
            ("NL", &["Netherlands", "The Netherlands", "Nederland"]),
            ("RU", &["Russian Federation", "Russia"]),
            ("SY", &["Syrian Arab Republic", "Syria"]),
            ("TR", &["Turkey", "Türkiye"]),
            ("TW", &["Taiwan", "Taiwan, Province of China"]),
            ("TZ", &["Tanzania, United Republic of", "Tanzania"]),
            ("US", &["United States", "United States of America", "USA", "U.S.", "the United States"]),
            ("VE", &["Venezuela, Bolivarian Republic of", "Venezuela"]),
            ("VG", &["Virgin Islands, British", "British Virgin Islands"]),
            ("VN", &["Viet Nam", "Vietnam"]),
        ] {
            for name in names {
                assert_eq!(region(name), code.parse().ok(), "{name}");
            }
        }
    }

    #[test]
    fn every_name_belongs_to_one_country_and_every_country_with_numbers_has_one() {
        for (code, names) in NAMES {
            for name in *names {
                assert_eq!(region(name), Some(code.parse().unwrap()), "{name}");
            }
        }
        let total = NAMES.iter().flat_map(|(_, names)| *names).count();
        assert_eq!(BY_NAME.len(), total, "the same words twice");
        // Parts of Saint Helena that libphonenumber lists separately.
        let parts = ["AC", "TA"].map(|code| code.parse().unwrap());
        for known in PHONE_NUMBER_UTIL.get_supported_regions() {
            let named = NAMES.iter().any(|(code, _)| code.parse() == Ok(known));
            assert!(named || parts.contains(&known), "{known}");
        }
    }
}
