//! Leases.

use serde::{Deserialize, Serialize};

/// The exclusive right to work on something, for a limited time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lease {
    /// The holder: a random id, never reused.
    pub owner: String,
    /// When it expires, Unix seconds.
    pub until: i64,
}
