//! Salesforce's two query languages: SOQL, which reads records, and SOSL, which searches them.

pub(crate) mod clauses;
pub(crate) mod condition;
pub(crate) mod dates;
pub(crate) mod lexer;
pub(crate) mod soql;
pub(crate) mod sosl;
pub(crate) mod term;
