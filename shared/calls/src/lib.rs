//! Ringlog's domain: what a call is, who it is with, what is written to Salesforce about it, and the algorithm that
//! writes it exactly once. No AWS, no HTTP and no clock: everything from outside comes through the traits in
//! [`ports`].

pub mod activity;
pub mod appointment;
pub mod call;
pub mod caller;
pub mod connection;
pub mod crm;
pub mod ids;
pub mod journal;
pub mod keep_alive;
pub mod lead;
pub mod lease;
pub mod ledger;
pub mod matching;
pub mod measure;
pub mod message;
pub mod phone;
pub mod ports;
pub mod reason;
pub mod report;
pub mod sync;
mod text;
pub mod time_zone;
pub mod workspace;
