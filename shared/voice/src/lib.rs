//! Reads what a voice platform sends into a [`calls::call::Call`]. Each platform has a module.

pub mod vapi;
