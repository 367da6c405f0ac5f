//! Who a call is with, and what is written about it: phone numbers, matching, drafts, a call's row and a workspace's
//! settings as data, and the plan of an attempt, which is a pure function of these.

pub mod activity;
pub mod breaker;
pub mod caller;
mod draft;
pub mod journal;
pub mod lead;
pub mod lease;
pub mod ledger;
pub mod matching;
pub mod outcome;
pub mod phone;
pub mod places;
pub mod plan;
mod records;
mod remedy;
pub mod schedule;
pub mod workspace;

pub use draft::Draft;
pub use records::*;
