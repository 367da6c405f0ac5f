//! Reasons: why a call was not logged, or not completely.

use serde::{Deserialize, Serialize};

/// Why a row has its status: a stable code, and a sentence for people that says what to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    /// Stable, for programs, e.g. `no_phone_number`, `invalid_grant`, `FIELD_CUSTOM_VALIDATION_EXCEPTION`.
    pub code: String,
    /// For people.
    pub message: String,
}

impl Reason {
    /// Creates a reason.
    pub fn new(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { code: code.into(), message: message.into() }
    }
}
