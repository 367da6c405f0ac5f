//! How the simulated orgs behave. Can be changed while the simulator runs.

use serde::{Deserialize, Serialize};

mod duplicates;
mod fields;

pub use self::{
    duplicates::{DuplicateAction, DuplicateResultSpelling, DuplicateRule, MatchBy},
    fields::{CustomField, CustomKind},
};

/// The simulator's settings. The defaults are strict.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[allow(clippy::struct_excessive_bools, reason = "the switches are independent")]
pub struct Settings {
    /// How long search does not know a new or changed record. Queries see it at once.
    pub index_delay_seconds: i64,
    /// Whether search also finds numbers that end with the term (4 digits or more). Salesforce may or may not.
    pub suffix_match: bool,
    /// Whether a refresh returns a new refresh token and ends the old one.
    pub rotation: bool,
    /// Whether using a refresh token that was rotated out ends the whole grant.
    pub reuse_cascade: bool,
    /// Whether the second of two concurrent refreshes with one token is refused.
    pub block_concurrent_refreshes: bool,
    /// Whether an authorize request without `code_challenge` is refused.
    pub require_pkce: bool,
    /// Maximum number of active approvals per user. One more ends the oldest.
    pub max_approvals: usize,
    /// The lifetime of an authorization code.
    pub code_seconds: i64,
    /// An access token expires after this long without use.
    pub session_seconds: i64,
    /// A refresh token expires after this long without use.
    pub refresh_idle_seconds: i64,
    /// Whether errors of the revoke endpoint are form-encoded instead of JSON. Salesforce sends both.
    pub revoke_errors_urlencoded: bool,
    /// The `instance_url` of token responses. Defaults to the simulator's URL.
    pub instance_url: Option<String>,
    /// The time zone of every identity. Defaults to the user's own.
    pub identity_timezone: Option<String>,
    /// `Organization.Country`, as the org's people have entered it.
    pub organization_country: Option<String>,
    /// How many requests an org may make in 24 hours.
    pub api_limit: usize,
    /// How many of them it had already made when the simulator started.
    pub api_used: usize,
    /// Whether the edition has no API: every data request is refused. OAuth and identity work.
    pub api_disabled: bool,
    /// Objects that the user cannot see: `Lead`.
    pub hidden_objects: Vec<String>,
    /// Fields that the user cannot see: `Task.Type`. Reading or writing them is `INVALID_FIELD`.
    pub hidden_fields: Vec<String>,
    /// Fields that the user can see but not change: `Task.Type`.
    pub read_only_fields: Vec<String>,
    /// What the user may not do: `Task.update`, `Event.create`, `Lead.delete`.
    pub denied: Vec<String>,
    /// The values of `Task.Status`.
    pub task_statuses: Vec<TaskStatus>,
    /// Fields that the org's admins have added.
    pub custom_fields: Vec<CustomField>,
    /// Encrypted fields, which cannot be filtered or sorted by: `Contact.Phone`.
    pub unfilterable_fields: Vec<String>,
    /// The rules by which new records are refused with `DUPLICATES_DETECTED`.
    pub duplicate_rules: Vec<DuplicateRule>,
    /// The key of the details of such an error.
    pub duplicate_result_spelling: DuplicateResultSpelling,
    /// Picklists that accept only these values, in addition to those that are always restricted.
    pub restricted_picklists: Vec<RestrictedPicklist>,
}

/// A record of the `TaskStatus` object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TaskStatus {
    /// The value in `Task.Status`.
    pub name: String,
    /// Whether Tasks with this status are closed.
    #[serde(default)]
    pub is_closed: bool,
    /// Whether new Tasks without a status get this one.
    #[serde(default)]
    pub is_default: bool,
}

/// A picklist that accepts no other values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RestrictedPicklist {
    /// `Event.Type`.
    pub field: String,
    /// The values that it accepts.
    pub values: Vec<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            index_delay_seconds: 120,
            suffix_match: false,
            rotation: true,
            reuse_cascade: true,
            block_concurrent_refreshes: true,
            require_pkce: true,
            max_approvals: 5,
            code_seconds: 15 * 60,
            session_seconds: 2 * 60 * 60,
            refresh_idle_seconds: 30 * 24 * 60 * 60,
            revoke_errors_urlencoded: false,
            instance_url: None,
            identity_timezone: None,
            organization_country: Some("US".into()),
            api_limit: 15_000,
            api_used: 0,
            api_disabled: false,
            hidden_objects: vec![],
            hidden_fields: vec![],
            read_only_fields: vec![],
            denied: vec![],
            task_statuses: standard_statuses(),
            custom_fields: vec![],
            unfilterable_fields: vec![],

            duplicate_rules: vec![],
            duplicate_result_spelling: DuplicateResultSpelling::default(),
            restricted_picklists: vec![],
        }
    }
}

fn standard_statuses() -> Vec<TaskStatus> {
    ["Not Started", "In Progress", "Completed", "Waiting on someone else", "Deferred"]
        .into_iter()
        .map(|name| TaskStatus {
            name: name.into(),
            is_closed: name == "Completed",
            is_default: name == "Not Started",
        })
        .collect()
}

impl Settings {
    /// The settings with these changes. An unknown key, or a value of the wrong type, is an error.
    pub(crate) fn with(&self, changes: serde_json::Value) -> Result<Self, serde_json::Error> {
        let mut all = serde_json::to_value(self)?;
        if let (Some(all), serde_json::Value::Object(changes)) = (all.as_object_mut(), changes) {
            all.extend(changes);
        }
        serde_json::from_value(all)
    }

    pub(crate) fn hides_object(&self, object: &str) -> bool {
        contains(&self.hidden_objects, object)
    }

    pub(crate) fn hides_field(&self, object: &str, field: &str) -> bool {
        contains(&self.hidden_fields, &format!("{object}.{field}"))
    }

    pub(crate) fn locks_field(&self, object: &str, field: &str) -> bool {
        contains(&self.read_only_fields, &format!("{object}.{field}"))
    }

    pub(crate) fn denies(&self, object: &str, what: &str) -> bool {
        contains(&self.denied, &format!("{object}.{what}"))
    }

    /// The custom fields of an object.
    pub(crate) fn custom_fields_of(&self, object: &str) -> impl Iterator<Item = &CustomField> {
        self.custom_fields.iter().filter(move |field| field.object.eq_ignore_ascii_case(object))
    }

    /// Whether queries may filter and sort by a field, which they may not if it is encrypted.
    pub(crate) fn is_filterable(&self, object: &str, field: &str) -> bool {
        let encrypted = |custom: &CustomField| custom.encrypted && custom.name == field;
        !contains(&self.unfilterable_fields, &format!("{object}.{field}"))
            && !self.custom_fields_of(object).any(encrypted)
    }

    pub(crate) fn restricted_values(&self, object: &str, field: &str) -> Option<&[String]> {
        let name = format!("{object}.{field}");
        let found = self.restricted_picklists.iter().find(|list| list.field.eq_ignore_ascii_case(&name));
        found.map(|list| list.values.as_slice())
    }
}

fn contains(list: &[String], name: &str) -> bool {
    list.iter().any(|entry| entry.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_change_affects_only_its_own_keys() {
        let changed = Settings::default().with(json!({"rotation": false})).unwrap();
        assert!(!changed.rotation);
        assert_eq!(changed, Settings { rotation: false, ..Settings::default() });
    }

    #[test]
    fn an_unknown_setting_is_an_error() {
        assert!(Settings::default().with(json!({"rotations": false})).is_err());
    }
}
