//! Searches, writes and looks, against the simulator.

#![allow(clippy::unwrap_used, clippy::needless_pass_by_value, reason = "helpers of tests")]

mod look;
mod search;
#[path = "../support/mod.rs"]
mod support;
mod write;
