//! Leases: the right to work on something alone, for a limited time.

use serde::{Deserialize, Serialize};

/// The right to work alone on something, for a while.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lease {
    /// Who holds it: a random id, never used twice.
    pub owner: String,
    /// When it ends, Unix seconds.
    pub until: i64,
}
