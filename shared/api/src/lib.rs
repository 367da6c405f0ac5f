//! What goes over the wire: the bodies of the requests and responses, a module for each function. A handler serializes
//! these types, and the API's description (`docs/openapi.yaml`) is derived from them; each module also says what its
//! routes mean. `make openapi` writes the description, and a test fails where it differs.
//!
//! The description is made by the tests of this crate: the functions are built without any of it.

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
