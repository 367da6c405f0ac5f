//! For tests of the AWS and HTTP adapters: views of the stores in memory, keys, and requests as API Gateway
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
