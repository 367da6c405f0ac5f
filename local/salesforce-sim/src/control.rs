//! What tests ask of the simulator past Salesforce's API: records to add, people who act, and why that is refused.

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

/// A record to add past the API's rules.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewRecord {
    /// `Lead`, `Contact`, `Task`, `Event`.
    pub object: String,
    /// Fields by API name, including read-only ones. Instants in Salesforce's format.
    pub fields: Map<String, Value>,
    /// Whether search knows the record at once.
    #[serde(default)]
    pub indexed: bool,
    /// The number of its org, from 1. Defaults to the first.
    #[serde(default)]
    pub org: Option<usize>,
}

impl NewRecord {
    /// A record of the first org that search knows at once. `fields` is a JSON object.
    pub fn indexed(object: &str, fields: Value) -> Self {
        let fields = if let Value::Object(fields) = fields { fields } else { Map::new() };
        Self { object: object.to_owned(), fields, indexed: true, org: None }
    }

    /// The same record, but search knows it only after the index delay.
    #[must_use]
    pub fn unindexed(self) -> Self {
        Self { indexed: false, ..self }
    }
}

/// What a person does with a record in Salesforce's user interface. The rules for values apply, but neither the connected
/// user's permissions nor any fault.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum PersonAction {
    /// Edits fields.
    Edit(PersonEdit),
    /// Relates an activity to other records.
    Move(PersonMove),
    /// Moves a record to the recycle bin.
    Delete(PersonTarget),
    /// Restores a record from the recycle bin, which the REST API cannot.
    Restore(PersonTarget),
}

/// An edit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PersonEdit {
    /// The record's id, or `newest:Task` for the newest Task.
    pub id: String,
    /// The new values by API name.
    pub fields: Map<String, Value>,
}

/// A move. Missing fields stay; null removes the relation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PersonMove {
    /// The activity's id, or `newest:Task` for the newest Task.
    pub id: String,
    /// The Lead or Contact.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub who_id: Option<Value>,
    /// The Account.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub what_id: Option<Value>,
}

/// A record to delete or restore.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PersonTarget {
    /// Its id, or `newest:Task` for the newest Task; for a restore, the newest deleted one.
    pub id: String,
}

/// Keeps null apart from a missing field.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

impl PersonAction {
    pub(crate) fn id(&self) -> &str {
        match self {
            Self::Edit(edit) => &edit.id,
            Self::Move(to) => &to.id,
            Self::Delete(target) | Self::Restore(target) => &target.id,
        }
    }
}

/// Why a control request is refused.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// The object does not exist, or its records cannot be added.
    #[error("{0:?} is not one of Lead, Contact, Task, Event")]
    Object(String),
    /// The object does not have this field.
    #[error("{0} has no field {1:?}")]
    Field(&'static str, String),
    /// The record does not exist.
    #[error("there is no record {0:?}")]
    Record(String),
    /// The org does not exist.
    #[error("there is no org with this number")]
    Org,
    /// A rule of the org refuses it.
    #[error("{code}: {message}")]
    Refused {
        /// Salesforce's error code.
        code: String,
        /// Salesforce's message.
        message: String,
    },
    /// The JSON does not match the request.
    #[error("{0}")]
    Json(#[from] serde_json::Error),
}
