//! What drafts have in common.

use serde::Serialize;
use serde_json::Value;

use crate::records::{Fields, WrittenObject};

/// A Task, Event or Lead to create in Salesforce: a struct of strings, numbers and booleans.
pub trait Draft: Serialize {
    /// The object.
    const OBJECT: WrittenObject;

    /// The fields as they are sent.
    fn fields(&self) -> Fields {
        match serde_json::to_value(self) {
            Ok(Value::Object(fields)) => fields,
            _ => Fields::new(),
        }
    }

    /// Removes a field that Salesforce refused (docs/contract.md#refusals); `false` if the draft has no such
    /// field, or is useless without it.
    fn without(&mut self, field: &str) -> bool;
}
