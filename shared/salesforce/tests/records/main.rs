//! Searching, writing and looking, against the simulator.

#![allow(clippy::unwrap_used, clippy::needless_pass_by_value, reason = "a test's helpers are read as tests")]

mod look;
mod search;
#[path = "../support/mod.rs"]
mod support;
mod write;
