//! Against an emulator of AWS and the template that is deployed: what the contract asks of every store, run against
//! the tables and against the stores in memory alike; what only a table can get wrong; answers that are lost on their way; secrets, queue, routes.
#![expect(clippy::unwrap_used, reason = "all of this is tests")]

mod contract;
mod emulator;
mod lost_answers;
mod routes;
mod secrets_and_queue;
mod tables;
mod template;
