//! The org's duplicate rules, as its admins set them.

use serde::{Deserialize, Serialize};

/// A rule that looks for records like one that is to be made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DuplicateRule {
    /// Whose creates it checks: `Lead`. It compares them with Leads and Contacts alike.
    pub object: String,
    /// What makes records alike.
    pub by: MatchBy,
    /// What it does then.
    pub action: DuplicateAction,
    /// Its developer name; `None`: `Standard_Lead_Duplicate_Rule`.
    #[serde(default)]
    pub name: Option<String>,
}

/// What makes two people one in a rule's eyes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum MatchBy {
    /// The last ten digits of `Phone` or `MobilePhone`.
    Phone,
    /// First and last name, whatever their letters' case.
    Name,
    /// The e-mail address, whatever its letters' case.
    Email,
}

/// What a rule does about a duplicate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum DuplicateAction {
    /// The record is refused unless the request says `allowSave=true`.
    Alert,
    /// The record is refused.
    Block,
}

/// How the key of the details is spelt.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum DuplicateResultSpelling {
    /// As Salesforce's REST API has it.
    #[default]
    #[serde(rename = "duplicateResut")]
    Resut,
    /// As one would write it; some clients meet it.
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
