//! Every error code, once: what it means, what to do about it, who does that, and with which status a row has it. Rows
//! take their messages from here, and so do the runbook (docs/operations.md#the-error-codes) and the card, whose texts
//! are generated (`crate::generated`).

/// Declares codes. What only the runbook says (`in`, `acts` and `runbook`) is compiled for the generator alone.
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
pub mod refusals;

#[cfg(test)]
use crate::status::SyncStatus;

/// A stable code, and what it says to people. Names in braces are blanks for what only an attempt knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Code {
    /// Stable, for programs. A fault's is the beginning of the codes it stands for.
    pub code: &'static str,
    /// What happened.
    pub means: &'static str,
    /// What to do about it; empty where nobody has to do anything.
    pub remedy: &'static str,
}

impl Code {
    /// What happened, and what to do about it.
    pub fn text(&self) -> String {
        [self.means, self.remedy].join(" ").trim().to_owned()
    }
}

/// A text with its blanks filled.
pub fn fill(text: &str, blanks: &[(&str, &str)]) -> String {
    blanks.iter().fold(text.to_owned(), |text, (name, value)| text.replace(&format!("{{{name}}}"), value))
}

/// What a row says, besides its reason, while it is tried again.
pub const RETRIES: &str = "Ringlog retries automatically.";
/// What it says instead when that has ended (`sync::schedule`).
pub const RETRIED: &str = "Ringlog retried for three days. Retry once the cause is fixed.";
/// What to do about an error that no entry is about.
pub const OTHERWISE: &str = "Retry. If it fails again, contact support and give the error code.";

/// What the runbook adds to some codes.
#[cfg(test)]
pub(crate) struct Entry {
    pub(crate) codes: &'static [Code],
    /// With which a row has the code.
    pub(crate) statuses: &'static [SyncStatus],
    /// Who mends it.
    pub(crate) acts: Acts,
    /// What an operator wants to know besides; the whole remedy where it is theirs.
    pub(crate) runbook: &'static str,
}

#[cfg(test)]
impl Entry {
    /// Whether calls with these codes are logged, or wait for a connection: no reason for a call not being logged.
    pub(crate) fn is_note(&self) -> bool {
        use SyncStatus::{Success, WaitingForConnection};
        self.statuses.iter().all(|status| matches!(status, Success | WaitingForConnection))
    }
}

/// Who mends what a code is about.
#[cfg(test)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Acts {
    /// It passes, or is as it should be.
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
