//! Ringlog's domain: what a call is, who it is with, what is written to Salesforce about it, and the algorithm that
//! writes it exactly once. No AWS, no HTTP and no clock: everything from outside comes through the traits in
//! [`ports`].

pub mod activity;
pub mod appointment;
pub mod call;
pub mod caller;
pub mod codes;
pub mod connection;
pub mod crm;
#[cfg(test)]
mod generated;
pub mod ids;
pub mod jobs;
pub mod journal;
pub mod lead;
pub mod lease;
pub mod ledger;
pub mod limits;
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
pub mod timings;
pub mod workspace;
