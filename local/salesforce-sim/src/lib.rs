//! A strict simulator of Salesforce's API (v60.0): OAuth, search, queries, activities, composite requests, faults, with
//! invented people. Tests start one in process:
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use salesforce_sim::{Config, Fault, Preset, RouteKind, Simulator};
//!
//! let simulator = Simulator::start(Config::default()).await?;
//! simulator.add_fault(Fault::once(RouteKind::Search, Preset::SessionExpired));
//! println!("{}", simulator.url());
//! # Ok(()) }
//! ```
//!
//! It can also be controlled by HTTP, below `/_sim/`: see the crate's README.

mod clock;
mod config;
mod control;
mod error;
mod faults;
mod ids;
mod oauth;
mod objects;
mod people;
mod query;
mod requests;
mod rest;
mod seed;
mod server;
mod settings;
#[cfg(test)]
mod testing;
mod web;
mod world;

pub use config::{Config, StartError};
pub use control::{ControlError, NewRecord, PersonAction, PersonEdit, PersonMove, PersonTarget};
pub use faults::{Effect, Fault, Operation, Preset, RecordFault, Target};
pub use requests::{ReceivedRequest, RouteKind, TokenCounts};
pub use server::{Simulator, Tokens};
pub use settings::{
    CustomField, CustomKind, DuplicateAction, DuplicateResultSpelling, DuplicateRule, MatchBy,
    RestrictedPicklist, Settings, TaskStatus,
};
