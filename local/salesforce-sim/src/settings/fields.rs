//! Custom fields.

use serde::{Deserialize, Deserializer, Serialize, de::Error};

/// A field that the org's admins have added.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CustomField {
    /// `Contact`.
    pub object: String,
    /// Its API name: `Direct_Line__c`.
    #[serde(deserialize_with = "api_name")]
    pub name: String,
    /// What it holds.
    #[serde(rename = "type")]
    pub kind: CustomKind,
    /// Whether a record cannot be saved without it.
    #[serde(default)]
    pub required: bool,
    /// Whether it is encrypted: it can be read and searched, but not filtered or sorted by.
    #[serde(default)]
    pub encrypted: bool,
}

/// What a custom field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum CustomKind {
    /// A phone number, which a search in `PHONE FIELDS` finds.
    Phone,
    /// Text of up to 255 characters, which only a search in `ALL FIELDS` finds, even if it is a phone number.
    Text,
}

/// Deserializes the name of a custom field, which must end in `__c`.
fn api_name<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let name = String::deserialize(deserializer)?;
    let stem = name.strip_suffix("__c").unwrap_or_default();
    let starts_well = stem.starts_with(|c: char| c.is_ascii_alphabetic());
    if starts_well && stem.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
        return Ok(name);
    }
    Err(D::Error::custom(format!("{name:?} is not the name of a custom field, such as Direct_Line__c")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_custom_fields_name_ends_in_its_suffix() {
        let read = |name: &str| {
            serde_json::from_value::<CustomField>(json!({"object": "Contact", "name": name, "type": "phone"}))
        };
        assert!(read("Direct_Line__c").is_ok());
        for name in ["Direct_Line", "__c", "1st__c", "Direct Line__c"] {
            assert!(read(name).is_err(), "{name}");
        }
    }
}
