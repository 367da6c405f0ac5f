//! The simulated objects: their field tables, their records and the rules of writing them.

mod custom;
mod duplicates;
pub(crate) mod rules;
pub(crate) mod schema;
pub(crate) mod store;
pub(crate) mod tables;
pub(crate) mod value;
pub(crate) mod write;
