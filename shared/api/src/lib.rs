//! The bodies of requests and responses, one module per HTTP function. Handlers serialize these types, and the API's
//! description (`docs/openapi.yaml`) is generated from them; each module also describes its routes. `make openapi`
//! writes the description, and a test fails if it is out of date.
//!
//! This crate's tests generate the description; the functions are built without that code.

#[cfg(test)]
mod description;
pub mod disconnect;
pub mod oauth_callback;
pub mod oauth_initiate;
pub mod settings;
pub mod status;
pub mod sync_logs;
pub mod test_sync;
pub mod webhook;
pub mod webhook_setup;
