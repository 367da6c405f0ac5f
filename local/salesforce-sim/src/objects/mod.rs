//! The simulated objects: their fields, their records, and the rules for writing them.

mod duplicates;
pub(crate) mod fields;
pub(crate) mod rules;
pub(crate) mod schema;
pub(crate) mod store;
pub(crate) mod tables;
pub(crate) mod value;
pub(crate) mod write;
