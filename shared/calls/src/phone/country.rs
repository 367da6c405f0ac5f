//! A record's country: an ISO code, or an English name as orgs without picklists write it.

use rlibphonenumber::enums::Region;

/// Countries by the names that are common in address fields. A country that is missing here only means that a number
/// without a country code is read in the workspace's default country.
const NAMES: [(&str, &str); 46] = [
    ("argentina", "AR"),
    ("australia", "AU"),
    ("austria", "AT"),
    ("belgium", "BE"),
    ("brazil", "BR"),
    ("canada", "CA"),
    ("chile", "CL"),
    ("china", "CN"),
    ("colombia", "CO"),
    ("czech republic", "CZ"),
    ("czechia", "CZ"),
    ("denmark", "DK"),
    ("england", "GB"),
    ("finland", "FI"),
    ("france", "FR"),
    ("germany", "DE"),
    ("great britain", "GB"),
    ("greece", "GR"),
    ("hong kong", "HK"),
    ("hungary", "HU"),
    ("india", "IN"),
    ("ireland", "IE"),
    ("israel", "IL"),
    ("italy", "IT"),
    ("japan", "JP"),
    ("mexico", "MX"),
    ("netherlands", "NL"),
    ("new zealand", "NZ"),
    ("norway", "NO"),
    ("poland", "PL"),
    ("portugal", "PT"),
    ("scotland", "GB"),
    ("singapore", "SG"),
    ("south africa", "ZA"),
    ("south korea", "KR"),
    ("spain", "ES"),
    ("sweden", "SE"),
    ("switzerland", "CH"),
    ("turkey", "TR"),
    ("uk", "GB"),
    ("united arab emirates", "AE"),
    ("united kingdom", "GB"),
    ("united states", "US"),
    ("united states of america", "US"),
    ("usa", "US"),
    ("wales", "GB"),
];

/// The region that a record's country names; `None` if it is unknown.
pub(super) fn region(country: &str) -> Option<Region> {
    let name = country.trim().to_lowercase().replace('.', "");
    let code = NAMES.iter().find(|(known, _)| *known == name).map_or(name.as_str(), |(_, code)| *code);
    super::region(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_and_common_names_are_known() {
        for (country, code) in
            [("US", "US"), ("de", "DE"), ("U.S.A.", "US"), (" United Kingdom ", "GB"), ("UK", "GB")]
        {
            assert_eq!(region(country), code.parse().ok(), "{country}");
        }
        for unknown in ["", "ZZ", "Atlantis", "X"] {
            assert_eq!(region(unknown), None, "{unknown}");
        }
    }

    #[test]
    fn every_name_has_a_region() {
        assert!(NAMES.iter().all(|(name, _)| region(name).is_some()));
    }
}
