//! What drafts have in common.

use serde::Serialize;
use serde_json::Value;

use crate::records::{CrmError, FaultClass, Fields, WrittenObject};

/// A record to be created in Salesforce: a struct of strings, numbers and booleans.
pub trait Draft: Serialize {
    /// Its object.
    const OBJECT: WrittenObject;

    /// The fields as they are sent.
    fn fields(&self) -> Fields {
        match serde_json::to_value(self) {
            Ok(Value::Object(fields)) => fields,
            _ => Fields::new(),
        }
    }

    /// Removes a field that Salesforce refused (docs/contract.md#refusals); `false` if there is none with this name, or
    /// the record is useless without it.
    fn without(&mut self, field: &str) -> bool;
}

/// The refused fields that a draft can do without: `Task.Type`.
pub fn dispensable<D: Draft + Clone>(error: &CrmError, draft: &D) -> Vec<String> {
    let about_it = error.object.is_none_or(|blamed| blamed == D::OBJECT);
    if error.class != FaultClass::FieldRefused || !about_it {
        return Vec::new();
    }
    let mut draft = draft.clone();
    let fields = error.fields.iter().filter(|field| draft.without(field));
    fields.map(|field| format!("{:?}.{field}", D::OBJECT)).collect()
}
