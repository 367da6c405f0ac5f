//! The status of a call.

use serde::{Deserialize, Serialize};

/// The status of a call, and what happens next automatically. A listed call may have another status, set by a
/// newer version of Ringlog: show it as it is.
// docs/contract.md#statuses
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum SyncStatus {
    /// Accepted; not yet attempted.
    Queued,
    /// The Task is written. If something else is not, `errorMessage` says so.
    Success,
    /// No Lead or Contact has the number. Searched again after 5 minutes, 1 hour and 24 hours.
    NotFound,
    /// A temporary fault; retried at `dueAt`.
    Retrying,
    /// Not connected to Salesforce; retried when the workspace connects.
    WaitingForConnection,
    /// A permanent fault. `errorMessage` says what to change in Salesforce; then retry.
    Error,
    /// Nothing to log.
    Skipped,
}

impl SyncStatus {
    /// All of them, in the order of the contract.
    pub const ALL: [Self; 7] = [
        Self::Queued,
        Self::Success,
        Self::NotFound,
        Self::Retrying,
        Self::WaitingForConnection,
        Self::Error,
        Self::Skipped,
    ];

    /// Its name in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Success => "success",
            Self::NotFound => "not_found",
            Self::Retrying => "retrying",
            Self::WaitingForConnection => "waiting_for_connection",
            Self::Error => "error",
            Self::Skipped => "skipped",
        }
    }
}
