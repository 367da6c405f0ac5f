//! The duplicate rules that the org's admins have set up.

use serde::{Deserialize, Serialize};

/// A rule that looks for records similar to a new one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DuplicateRule {
    /// The object whose new records it checks: `Lead`. It compares them with both Leads and Contacts.
    pub object: String,
    /// What it compares.
    pub by: MatchBy,
    /// What it does about a match.
    pub action: DuplicateAction,
    /// Its developer name. Defaults to `Standard_Lead_Duplicate_Rule`.
    #[serde(default)]
    pub name: Option<String>,
}

/// What a rule compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum MatchBy {
    /// The last ten digits of `Phone` or `MobilePhone`.
    Phone,
    /// First and last name, ignoring case.
    Name,
    /// The e-mail address, ignoring case.
    Email,
}

/// What a rule does about a duplicate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum DuplicateAction {
    /// Refuses the record unless the request says `allowSave=true`.
    Alert,
    /// Refuses the record.
    Block,
}

/// How the key of the details is spelt.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum DuplicateResultSpelling {
    /// As in Salesforce's REST API.
    #[default]
    #[serde(rename = "duplicateResut")]
    Resut,
    /// Correctly, which some clients have seen.
    #[serde(rename = "duplicateResult")]
    Result,
}

impl DuplicateResultSpelling {
    pub(crate) fn key(self) -> &'static str {
        match self {
            Self::Resut => "duplicateResut",
            Self::Result => "duplicateResult",
        }
    }
}
