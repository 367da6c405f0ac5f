//! What Ringlog runs on: AWS behind the domain's ports, and the HTTP interface of the functions.
//!
//! A function's `main.rs` reads its pieces of configuration ([`config`]), builds clients ([`aws`]), stores
//! ([`dynamo`]), the [`queue`] and the keys ([`secrets`], [`keys`]), and hands them to its handler, which speaks
//! [`http`]. What a handler may do is said by the traits that it takes: those of [`calls::ports`] and of [`stores`].

pub mod aws;
pub mod clock;
pub mod config;
pub mod dynamo;
pub mod hashed;
pub mod http;
pub mod keys;
pub mod lambda;
pub mod metrics;
pub mod queue;
pub mod random;
pub mod routes;
pub mod sealing;
pub mod secrets;
pub mod stores;
pub mod telemetry;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
pub mod webhook_token;
pub mod worker;
