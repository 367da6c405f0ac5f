//! Salesforce's API (v60.0) as a typed client: OAuth, phone search, activities, errors, limits.
//!
//! [`Client`] implements the domain's ports [`calls::ports::Crm`] and [`calls::ports::TokenEndpoint`], and adds what
//! a connect needs ([`oauth`]). Every failure is a [`calls::crm::CrmError`]; what a failure means stands in one table
//! (`errors.rs`). No token is sent to a host that the rules of [`hosts`] do not allow.

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
mod token_answer;
mod transport;

pub use client::{BuildError, Client, Config, Timeouts};
pub use identity::Identity;
pub use token_answer::Grant;

/// The version of the REST API that all paths name (docs/salesforce-api.md#versions).
pub const API_VERSION: &str = "v60.0";
