//! A strict Salesforce simulator: OAuth, search, queries, activities, composites and faults, as Salesforce's own API
//! (v60.0) documents them, with invented people. Tests start one in process:
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
//! The same state is steered by HTTP, below `/_sim/`: see the crate's README.

mod clock;
mod config;
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
pub use faults::{Effect, Fault, Operation, Preset, RecordFault, Target, WriteFault, WriteKind};
pub use people::{PersonAction, PersonEdit, PersonMove, PersonTarget};
pub use requests::{RouteKind, SeenRequest, TokenCounts};
pub use server::{Simulator, Tokens};
pub use settings::{
    CustomField, CustomKind, DuplicateAction, DuplicateResultSpelling, DuplicateRule, MatchBy,
    RestrictedPicklist, Settings, TaskStatus,
};
pub use world::{ControlError, NewRecord};
