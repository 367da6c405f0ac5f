//! Reasons: why a call was not logged, or not completely.

use serde::{Deserialize, Serialize};

use crate::codes::{self, Code};

/// Why a row has its status: a stable code, and a sentence for people that says what to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    /// Stable, for programs, e.g. `no_phone_number`, `invalid_grant`, `FIELD_CUSTOM_VALIDATION_EXCEPTION`.
    pub code: String,
    /// For people.
    pub message: String,
}

impl Reason {
    /// A reason with a message of its own.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code: code.code.to_owned(), message: message.into() }
    }

    /// A reason with its code's message.
    pub fn of(code: Code) -> Self {
        Self::new(code, code.text())
    }

    /// A reason with its code's message, in which `blanks` are filled.
    pub fn filled(code: Code, blanks: &[(&str, &str)]) -> Self {
        Self::new(code, codes::fill(&code.text(), blanks))
    }
}
