//! For tests of what stands on AWS and HTTP: what the stores in memory show people, keys, and requests as API Gateway
//! sends them. The contract tests of this crate run the same cases against these stores and the tables.

pub mod keys;
mod ledger;
mod oauth_states;
pub mod request;
pub mod samples;
mod workspaces;

pub use ledger::listed_decision;
pub use oauth_states::MemoryOAuthStates;
pub use worker::testing::{
    Faults, FixedClock, MemoryLedger, MemoryQueue, MemoryWorkspaces, SeededRandom, When, connected,
};
