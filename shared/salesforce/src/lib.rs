//! A typed client for Salesforce's REST API (v60.0): OAuth, phone search, activities, errors, limits.
//!
//! [`Client`] implements the domain's ports [`worker::ports::Crm`] and [`worker::ports::TokenEndpoint`], and adds what a
//! connect needs. Every failure is a [`CrmError`](::crm::CrmError); one table (`errors.rs`) says what each means. Tokens are
//! sent only to the hosts that [`hosts`] allows.

mod activities;
mod client;
mod composite;
mod crm;
mod errors;
pub mod hosts;
mod identity;
mod leads;
mod limits;
mod look;
mod markup;
pub mod oauth;
mod organization;
pub mod pkce;
mod recent;
mod redact;
mod search;
mod task_status;
mod time;
mod token_response;
mod transport;

pub use client::{Client, Config};
pub use identity::Identity;
pub use token_response::Grant;
pub use transport::{API_VERSION, BuildError, Timeouts};
