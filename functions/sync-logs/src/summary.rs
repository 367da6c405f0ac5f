//! Calls, counted by what came of them.

use std::collections::BTreeMap;

use calls::ledger::SyncStatus;
use platform::stores::Outcome;
use serde::Serialize;

/// The contract's answer (docs/contract.md#routes).
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    /// Counted are calls that were created since then, Unix seconds; `None`: all that are kept.
    since: Option<i64>,
    total: u64,
    /// Every status, those without a call too, and those of a newer version that have one.
    statuses: BTreeMap<String, u64>,
    error_codes: BTreeMap<String, u64>,
}

impl Summary {
    /// Of no calls.
    pub fn new(since: Option<i64>) -> Self {
        let statuses = SyncStatus::ALL.map(|status| (status.as_str().to_owned(), 0)).into();
        Self { since, total: 0, statuses, error_codes: BTreeMap::new() }
    }

    /// Counts a call.
    pub fn add(&mut self, outcome: Outcome) {
        self.total += 1;
        *self.statuses.entry(outcome.status).or_default() += 1;
        if let Some(error_code) = outcome.error_code {
            *self.error_codes.entry(error_code).or_default() += 1;
        }
    }
}
