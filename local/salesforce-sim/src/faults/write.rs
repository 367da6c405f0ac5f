//! Errors of records: they strike wherever a record is written.

use serde::{Deserialize, Serialize};

use crate::error::ApiError;

/// An error for records of an object, wherever they are written: alone, in a composite or in a collection.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct WriteFault {
    /// `Task`, `Event`, `Lead`, `Contact`.
    pub object: String,
    /// Which writes; `None`: any.
    #[serde(default)]
    pub operation: Option<WriteKind>,
    /// How many of them; `None`: every one.
    #[serde(default = "super::once")]
    pub times: Option<u32>,
    /// `FIELD_CUSTOM_VALIDATION_EXCEPTION`.
    pub error_code: String,
    /// Salesforce's text.
    pub message: String,
    /// The fields that it names.
    #[serde(default)]
    pub fields: Vec<String>,
}

/// How a record is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum WriteKind {
    /// `POST`.
    Create,
    /// `PATCH`.
    Update,
    /// `DELETE`.
    Delete,
}

impl WriteKind {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Delete => "delete",
        }
    }
}

/// The write faults that are set.
#[derive(Debug, Default)]
pub(crate) struct WriteFaults {
    active: Vec<WriteFault>,
}

impl WriteFaults {
    pub(crate) fn add(&mut self, fault: WriteFault) {
        self.active.push(fault);
    }

    pub(crate) fn clear(&mut self) {
        self.active.clear();
    }

    pub(crate) fn list(&self) -> &[WriteFault] {
        &self.active
    }

    /// The error that a write of `object` meets, if any.
    pub(crate) fn strike(&mut self, object: &str, kind: WriteKind) -> Result<(), ApiError> {
        let hits = |fault: &&mut WriteFault| {
            fault.object.eq_ignore_ascii_case(object) && fault.operation.is_none_or(|wanted| wanted == kind)
        };
        let Some(fault) = self.active.iter_mut().find(hits) else { return Ok(()) };
        if let Some(times) = &mut fault.times {
            *times = times.saturating_sub(1);
        }
        let fields: Vec<&str> = fault.fields.iter().map(String::as_str).collect();
        let error = ApiError::of_record(&fault.error_code, fault.message.clone(), &fields);
        self.active.retain(|fault| fault.times != Some(0));
        Err(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_write_fault_strikes_the_named_writes_only() {
        let mut faults = WriteFaults::default();
        faults.add(WriteFault {
            object: "Event".into(),
            operation: Some(WriteKind::Create),
            times: Some(1),
            error_code: "FIELD_CUSTOM_VALIDATION_EXCEPTION".into(),
            message: "Not on Sundays".into(),
            fields: vec![],
        });
        assert!(faults.strike("Task", WriteKind::Create).is_ok());
        assert!(faults.strike("Event", WriteKind::Update).is_ok());
        assert_eq!(faults.strike("Event", WriteKind::Create).unwrap_err().message, "Not on Sundays");
        assert!(faults.strike("Event", WriteKind::Create).is_ok());
    }
}
