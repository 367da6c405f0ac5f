//! What Ringlog runs on: AWS behind the domain's ports, and the functions' HTTP layer.
//!
//! The crate `wiring` reads a function's configuration ([`config`]), and creates clients ([`aws`]), stores
//! ([`dynamo`]), the [`queue`] and the keys ([`secrets`], [`keys`]). The function's `main.rs` passes what it needs of
//! them to its handler, which uses [`http`]. The traits that a handler takes, those of [`worker::ports`] and
//! [`stores`], say what it may do.

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
