//! What drafts have in common.

use serde::Serialize;
use serde_json::Value;

use crate::records::{CrmError, FaultClass, Fields, WrittenObject};

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

/// The refused fields that a draft can do without: `Task.Type`.
pub fn dispensable<D: Draft + Clone>(error: &CrmError, draft: &D) -> Vec<String> {
    let is_blamed = error.object.is_none_or(|blamed| blamed == D::OBJECT);
    if error.class != FaultClass::FieldRefused || !is_blamed {
        return Vec::new();
    }
    let mut draft = draft.clone();
    let fields = error.fields.iter().filter(|field| draft.without(field));
    fields.map(|field| format!("{:?}.{field}", D::OBJECT)).collect()
}
