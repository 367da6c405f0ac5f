//! For tests: stores in memory, able to fail before or after any effect; a clock that is set; requests as API
//! Gateway sends them. The contract tests of this crate run the same cases against these and against the tables.

mod faults;
pub mod keys;
mod ledger;
mod lock;
mod oauth_states;
mod queue;
pub mod request;
pub mod samples;
mod time_and_chance;
mod workspaces;

pub use faults::{Faults, When};
pub use ledger::MemoryLedger;
pub use oauth_states::MemoryOAuthStates;
pub use queue::MemoryQueue;
pub use time_and_chance::{FixedClock, SeededRandom};
pub use workspaces::{MemoryWorkspaces, connected};
