//! For tests: stores in memory that can fail before or after any effect, a clock that only moves when it is advanced,
//! and repeatable randomness. `shared/platform/tests` runs the same cases against these stores and the tables.

mod clock_and_random;
mod faults;
mod ledger;
mod lock;
pub mod org;
mod queue;
pub mod sample;
mod workspaces;

pub use clock_and_random::{FixedClock, SeededRandom};
pub use faults::{Faults, When};
pub use ledger::{MemoryLedger, has_code, page};
pub use lock::lock;
pub use queue::MemoryQueue;
pub use workspaces::{Account, MemoryWorkspaces, WorkspaceItem, connected};
