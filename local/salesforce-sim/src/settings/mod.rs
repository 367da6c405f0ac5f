//! How the simulated orgs behave: what a test or a person can change while the simulator runs.

use serde::{Deserialize, Serialize};

mod duplicates;
mod fields;

pub use self::{
    duplicates::{DuplicateAction, DuplicateResultSpelling, DuplicateRule, MatchBy},
    fields::{CustomField, CustomKind},
};

/// The simulator's settings. The defaults are the strict ones.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[allow(clippy::struct_excessive_bools)] // Each is a switch of its own.
pub struct Settings {
    /// How long a new or changed record stays unknown to search (`SOQL` sees it at once).
    pub index_delay_seconds: i64,
    /// Search also finds stored numbers that end with the term (4 digits or more). Salesforce may or may not.
    pub suffix_match: bool,
    /// A refresh answers with a new refresh token and ends the old one.
    pub rotation: bool,
    /// Using a refresh token that was rotated away ends the whole grant.
    pub reuse_cascade: bool,
    /// Of two refreshes with one token at once, the second is refused: `token request is already being processed`.
    pub block_concurrent_refreshes: bool,
    /// An authorize request without `code_challenge` is refused.
    pub require_pkce: bool,
    /// How many approvals of one user stand at once; one more ends the oldest.
    pub max_approvals: usize,
    /// How long an authorization code is good.
    pub code_seconds: i64,
    /// An access token ends after this long without use.
    pub session_seconds: i64,
    /// A refresh token ends after this long without use.
    pub refresh_idle_seconds: i64,
    /// Errors of the revoke endpoint are `urlencoded` text instead of JSON: both are seen.
    pub revoke_errors_urlencoded: bool,
    /// What token answers give as `instance_url`; `None`: the simulator's own address.
    pub instance_url: Option<String>,
    /// The time zone that identity tells for every user; `None`: the user's own.
    pub identity_timezone: Option<String>,
    /// `Organization.Country`, as the orgs' people wrote it; `None`: nobody did.
    pub organization_country: Option<String>,
    /// How many requests an org may make in 24 hours.
    pub api_limit: usize,
    /// How many of them it had made before the simulator started counting.
    pub api_used: usize,
    /// The edition has no API: every request of data is refused. OAuth and identity work.
    pub api_disabled: bool,
    /// Objects that the user cannot see: `Lead`.
    pub hidden_objects: Vec<String>,
    /// Fields that the user cannot see, as `Object.Field`: reading or writing them is `INVALID_FIELD`.
    pub hidden_fields: Vec<String>,
    /// Fields that the user can see and not change, as `Object.Field`.
    pub read_only_fields: Vec<String>,
    /// What the user may not do, as `Task.update`, `Event.create`, `Lead.delete`.
    pub denied: Vec<String>,
    /// The values that `Task.Status` may have.
    pub task_statuses: Vec<TaskStatus>,
    /// Fields that the org's admins added.
    pub custom_fields: Vec<CustomField>,
    /// Fields, as `Object.Field`, that no query may filter or sort by, as those that are encrypted.
    pub unfilterable_fields: Vec<String>,
    /// The short form of one duplicate rule: of Leads, by phone, with an alert.
    pub refuse_duplicate_leads: bool,
    /// Which new records are refused for others like them, `DUPLICATES_DETECTED`.
    pub duplicate_rules: Vec<DuplicateRule>,
    /// The key under which such an error names the others.
    pub duplicate_result_spelling: DuplicateResultSpelling,
    /// Picklists that take only these values, beside those that are restricted anyway.
    pub restricted_picklists: Vec<RestrictedPicklist>,
}

/// A value of the `TaskStatus` object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TaskStatus {
    /// What stands in `Task.Status`.
    pub name: String,
    /// Tasks of this status are done.
    #[serde(default)]
    pub is_closed: bool,
    /// New Tasks without a status get this one.
    #[serde(default)]
    pub is_default: bool,
}

/// A picklist that takes no other values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RestrictedPicklist {
    /// `Event.Type`.
    pub field: String,
    /// What it takes.
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
            refuse_duplicate_leads: false,
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
    /// Overlays the keys of `changes`; a key that does not exist, or a value of the wrong type, is an error.
    pub(crate) fn changed(&self, changes: serde_json::Value) -> Result<Self, serde_json::Error> {
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

    /// The fields that admins added to an object.
    pub(crate) fn custom_fields_of(&self, object: &str) -> impl Iterator<Item = &CustomField> {
        self.custom_fields.iter().filter(move |field| field.object.eq_ignore_ascii_case(object))
    }

    /// Whether queries may filter and sort by a field, as far as its encryption goes.
    pub(crate) fn filters(&self, object: &str, field: &str) -> bool {
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
    fn a_change_touches_only_its_own_keys() {
        let changed = Settings::default().changed(json!({"rotation": false})).unwrap();
        assert!(!changed.rotation);
        assert_eq!(changed, Settings { rotation: false, ..Settings::default() });
    }

    #[test]
    fn an_unknown_setting_is_an_error() {
        assert!(Settings::default().changed(json!({"rotations": false})).is_err());
    }
}
