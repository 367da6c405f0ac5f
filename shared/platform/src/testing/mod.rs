//! For tests: in-memory stores that can fail before or after any effect, a clock that tests set, and requests as API
//! Gateway sends them. The contract tests of this crate run the same cases against these stores and the tables.

mod clock_and_random;
mod faults;
pub mod keys;
mod ledger;
mod lock;
mod oauth_states;
mod queue;
pub mod request;
pub mod samples;
mod workspaces;

pub use clock_and_random::{FixedClock, SeededRandom};
pub use faults::{Faults, When};
pub use ledger::{MemoryLedger, listed_decision};
pub use oauth_states::MemoryOAuthStates;
pub use queue::MemoryQueue;
pub use workspaces::{MemoryWorkspaces, connected};
