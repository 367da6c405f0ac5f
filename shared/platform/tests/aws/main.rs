//! Tests against an AWS emulator and the deployed template: what the contract requires of every store, both tables and
//! in-memory stores; what only a table can get wrong; lost responses; secrets, queue and routes.
#![expect(clippy::unwrap_used, reason = "test code")]

mod contract;
mod emulator;
mod lost_responses;
mod routes;
mod secrets_and_queue;
mod tables;
mod template;
