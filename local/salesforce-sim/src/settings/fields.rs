//! What an org's admins made of its fields: fields of their own, and fields that are encrypted.

use serde::{Deserialize, Deserializer, Serialize, de::Error};

/// A field that the org's admins added.
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
    /// No record is saved without it.
    #[serde(default)]
    pub required: bool,
    /// It can be read and found, and no query may filter or sort by it.
    #[serde(default)]
    pub encrypted: bool,
}

/// What a custom field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum CustomKind {
    /// A phone number: `PHONE FIELDS` are searched for it.
    Phone,
    /// Text of up to 255 characters: only `ALL FIELDS` are searched for it, whatever it holds.
    Text,
}

/// Without its suffix a field would be taken for one of Salesforce's own.
fn api_name<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let name = String::deserialize(deserializer)?;
    let stem = name.strip_suffix("__c").unwrap_or_default();
    let starts_well = stem.starts_with(|c: char| c.is_ascii_alphabetic());
    if starts_well && stem.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
        return Ok(name);
    }
    Err(D::Error::custom(format!("{name:?} is no name of a custom field: like Direct_Line__c")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_custom_field_is_named_as_one() {
        let read = |name: &str| {
            serde_json::from_value::<CustomField>(json!({"object": "Contact", "name": name, "type": "phone"}))
        };
        assert!(read("Direct_Line__c").is_ok());
        for name in ["Direct_Line", "__c", "1st__c", "Direct Line__c"] {
            assert!(read(name).is_err(), "{name}");
        }
    }
}
