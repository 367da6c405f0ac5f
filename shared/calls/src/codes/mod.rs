//! Every error code that Ringlog defines, and the remedies for Salesforce's: what a code means, what to do about it,
//! who does that, and the row statuses that it comes with. Each is defined once. Rows take their messages from here;
//! the texts of the runbook (docs/operations.md#the-error-codes) and the card are generated from them
//! (`crate::generated`).

/// Declares codes. What only the runbook needs (`in`, `acts` and `runbook`) is compiled for the generator only.
macro_rules! codes {
    ($($($name:ident = $code:literal),+ {
        in: [$($status:ident),+],
        acts: $acts:ident,
        means: $means:expr,
        remedy: $remedy:expr,
        $(runbook: $runbook:expr,)?
    })+ => $(#[$meta:meta])* $all:ident) => {
        $($(
            #[doc = $means]
            pub const $name: Code = Code { code: $code, means: $means, remedy: $remedy };
        )+)+

        /// All of these.
        $(#[$meta])*
        pub const $all: &[Code] = &[$($($name),+),+];

        #[cfg(test)]
        pub(crate) const ENTRIES: &[super::Entry] = &[$(super::Entry {
            codes: &[$($name),+],
            statuses: &[$($crate::status::SyncStatus::$status),+],
            acts: super::Acts::$acts,
            runbook: concat!("", $($runbook)?),
        }),+];
    };
}

pub mod faults;
pub mod reasons;
pub mod salesforce;

#[cfg(test)]
use crate::status::SyncStatus;

/// A stable code, and its texts for people. Names in braces are blanks, filled with what only an attempt knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Code {
    /// Stable, for programs. A fault's code is the prefix of the codes that it covers.
    pub code: &'static str,
    /// What happened.
    pub means: &'static str,
    /// What to do about it; empty if nobody has to do anything.
    pub remedy: &'static str,
}

impl Code {
    /// What happened, and what to do about it.
    pub fn text(&self) -> String {
        [self.means, self.remedy].join(" ").trim().to_owned()
    }
}

/// Fills the blanks of a text.
pub fn fill(text: &str, blanks: &[(&str, &str)]) -> String {
    blanks.iter().fold(text.to_owned(), |text, (name, value)| text.replace(&format!("{{{name}}}"), value))
}

/// Added to the reason of a row that is being retried.
pub const RETRIES: &str = "Ringlog retries automatically.";
/// Added instead when the retries have ended (`crm::schedule`).
pub const RETRIED: &str = "Ringlog retried for three days. Retry once the cause is fixed.";
/// What to do about an error without an entry.
pub const OTHERWISE: &str = "Retry. If it fails again, contact support and give the error code.";

/// What the runbook says about a group of codes.
#[cfg(test)]
pub(crate) struct Entry {
    pub(crate) codes: &'static [Code],
    /// The statuses of rows with these codes.
    pub(crate) statuses: &'static [SyncStatus],
    /// Who fixes it.
    pub(crate) acts: Acts,
    /// What else an operator needs to know; the whole remedy if the operator acts.
    pub(crate) runbook: &'static str,
}

#[cfg(test)]
impl Entry {
    /// Whether calls with these codes are logged, or wait for a connection: the code is not why a call is not logged.
    pub(crate) fn is_note(&self) -> bool {
        use SyncStatus::{Success, WaitingForConnection};
        self.statuses.iter().all(|status| matches!(status, Success | WaitingForConnection))
    }
}

/// Who fixes the cause of a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Acts {
    /// It passes, or nothing is wrong.
    Nobody,
    /// Whoever works with the org's records.
    SalesforceUser,
    /// Whoever sets up the org.
    SalesforceAdmin,
    /// Whoever manages the workspace on the card.
    WorkspaceAdmin,
    /// Whoever sets up the voice agent and starts its calls.
    Developer,
    /// Whoever runs this deployment.
    Operator,
}
