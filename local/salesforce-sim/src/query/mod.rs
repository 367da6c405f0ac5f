//! Salesforce's query languages: SOQL, which queries records, and SOSL, which searches them.

pub(crate) mod clauses;
pub(crate) mod condition;
pub(crate) mod dates;
pub(crate) mod lexer;
pub(crate) mod soql;
pub(crate) mod sosl;
pub(crate) mod term;
