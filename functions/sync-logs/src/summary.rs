//! Counts calls by outcome.

use std::collections::BTreeMap;

use calls::ledger::SyncStatus;
use platform::stores::Outcome;
use serde::Serialize;

/// The response (docs/contract.md#routes).
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    /// Counts calls created since then, Unix seconds; `None`: all that are stored.
    since: Option<i64>,
    total: u64,
    /// Every status, including those without calls.
    statuses: BTreeMap<&'static str, u64>,
    error_codes: BTreeMap<String, u64>,
}

impl Summary {
    /// A summary of no calls.
    pub fn new(since: Option<i64>) -> Self {
        let statuses = SyncStatus::ALL.map(|status| (status.as_str(), 0)).into();
        Self { since, total: 0, statuses, error_codes: BTreeMap::new() }
    }

    /// Counts a call.
    pub fn add(&mut self, outcome: Outcome) {
        self.total += 1;
        *self.statuses.entry(outcome.status.as_str()).or_default() += 1;
        if let Some(error_code) = outcome.error_code {
            *self.error_codes.entry(error_code).or_default() += 1;
        }
    }
}
