//! Tests against an AWS emulator and the deployed template: what the contract requires of every store, for the tables
//! and the in-memory stores alike; what only a table can get wrong; lost responses; secrets, queue and routes.
#![expect(clippy::unwrap_used, reason = "all of this is tests")]

mod contract;
mod emulator;
mod lost_responses;
mod routes;
mod secrets_and_queue;
mod tables;
mod template;
