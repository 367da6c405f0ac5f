//! A call: what its reports say, its appointment, where it stands, and the words for whatever can go wrong with it. No
//! I/O, and no client of any service.

pub mod appointment;
pub mod call;
pub mod codes;
#[cfg(test)]
mod generated;
pub mod ids;
pub mod limits;
pub mod reason;
pub mod status;
pub mod text;
pub mod time_zone;
pub mod timings;
