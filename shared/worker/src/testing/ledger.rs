//! The ledger in memory.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use calls::{
    ids::{CallId, ErrorCode, WorkspaceId},
    status::SyncStatus,
};
use crm::{
    lead::NumberClaim,
    ledger::{Foreign, Row, RowKey, Stored, WriteId},
};

use crate::ports::{DueRows, FailedRows, Ledger, NumberClaims, StoreError, Swap, WaitingRows};

use super::{faults::Faults, lock::lock};

type Rows = BTreeMap<(WorkspaceId, CallId), Row>;

/// A ledger in memory. Its operations are `load`, `swap`, `waiting`, `due`, `newest`, `list`, `outcomes`,
/// `count_with_error`, `with_error`, `load_claim` and `swap_claim`. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct MemoryLedger {
    rows: Arc<Mutex<Rows>>,
    /// The statuses of the rows that a newer version wrote.
    newer: Arc<Mutex<BTreeMap<(WorkspaceId, CallId), &'static str>>>,
    /// The swap from which on a newer version has written all rows.
    newer_from: Arc<Mutex<Option<u64>>>,
    claims: Arc<Mutex<BTreeMap<(WorkspaceId, String), NumberClaim>>>,
    /// What fails.
    pub faults: Faults,
}

impl MemoryLedger {
    /// Inserts or replaces a row. Like every stored row, it has a last write.
    pub fn insert(&self, mut row: Row) {
        row.write_id.get_or_insert_with(|| WriteId("inserted".to_owned()));
        lock(&self.rows).insert((row.workspace_id.clone(), row.call_id.clone()), row);
    }

    /// Inserts a row as a newer version writes it, with a status that only that version knows.
    pub fn insert_newer(&self, row: Row, status: &'static str) {
        lock(&self.newer).insert((row.workspace_id.clone(), row.call_id.clone()), status);
        self.insert(row);
    }

    /// From this swap on (0 is the first ever), a newer version has written all rows; `None`: no longer.
    pub fn newer_from(&self, swap: Option<u64>) {
        *lock(&self.newer_from) = swap;
    }

    /// Inserts or replaces the claim of a number.
    pub fn insert_claim(&self, claim: NumberClaim) {
        lock(&self.claims).insert((claim.workspace_id.clone(), claim.number.clone()), claim);
    }

    fn is_newer(&self) -> bool {
        lock(&self.newer_from).is_some_and(|from| from <= self.faults.calls("swap"))
    }

    /// The row's status: the one that only a newer version knows, if it wrote the row.
    pub fn status(&self, row: &Row) -> &'static str {
        let key = (row.workspace_id.clone(), row.call_id.clone());
        lock(&self.newer).get(&key).copied().unwrap_or(row.status.as_str())
    }

    fn stored(&self, row: Row) -> Stored {
        if self.status(&row) == row.status.as_str() && !self.is_newer() {
            return row.into();
        }
        Stored::Foreign(Foreign { cause: "column status cannot be read".to_owned() })
    }

    /// All rows, by workspace and call.
    pub fn rows(&self) -> Vec<Row> {
        lock(&self.rows).values().cloned().collect()
    }

    /// The rows that `wanted` is true for, by workspace and call.
    pub fn select(&self, wanted: impl Fn(&Row) -> bool) -> Vec<Row> {
        lock(&self.rows).values().filter(|row| wanted(row)).cloned().collect()
    }
}

impl Ledger for MemoryLedger {
    async fn load(&self, workspace_id: &WorkspaceId, call_id: &CallId) -> Result<Option<Stored>, StoreError> {
        let key = (workspace_id.clone(), call_id.clone());
        self.faults.run("load", || {
            let row = lock(&self.rows).get(&key).cloned();
            row.map(|row| self.stored(row))
        })
    }

    async fn swap(&self, expected: Option<&WriteId>, row: &Row) -> Result<Swap, StoreError> {
        if row.write_id.is_none() {
            return Err(StoreError { operation: "swap", cause: "column write_id is missing".to_owned() });
        }
        let is_newer = self.is_newer();
        self.faults.run("swap", || {
            let rows = &mut lock(&self.rows);
            match rows.get(&(row.workspace_id.clone(), row.call_id.clone())) {
                Some(found) if is_newer => Swap::Conflict(Some(self.stored(found.clone()))),
                _ => swap(rows, expected, row, |found| self.stored(found)),
            }
        })
    }
}

fn swap(rows: &mut Rows, expected: Option<&WriteId>, row: &Row, stored: impl Fn(Row) -> Stored) -> Swap {
    let key = (row.workspace_id.clone(), row.call_id.clone());
    let found = rows.get(&key).cloned();
    let ours = found.as_ref().is_some_and(|found| found.write_id == row.write_id);
    let as_expected = found.as_ref().and_then(|found| found.write_id.as_ref()) == expected
        && found.is_some() == expected.is_some();
    if as_expected {
        rows.insert(key, row.clone());
    }
    if as_expected || ours { Swap::Done } else { Swap::Conflict(found.map(stored)) }
}

/// One page of rows in the order of an index. As in the table, the cursor is the last row's key, which stays valid
/// even if rows before it have left the index in the meantime.
pub fn page(
    rows: Vec<Row>,
    at: impl Fn(&Row) -> i64,
    limit: u32,
    after: Option<&str>,
) -> (Vec<Row>, Option<String>) {
    let key = |row: &Row| format!("{:020}/{}/{}", at(row), row.workspace_id, row.call_id);
    let rows: BTreeMap<String, Row> = rows.into_iter().map(|row| (key(&row), row)).collect();
    let mut rest = rows.into_iter().filter(|(key, _)| after.is_none_or(|after| key.as_str() > after));
    let page: Vec<_> = rest.by_ref().take(limit as usize).collect();
    let next = page.last().filter(|_| rest.next().is_some()).map(|(key, _)| key.clone());
    (page.into_iter().map(|(_, row)| row).collect(), next)
}

impl NumberClaims for MemoryLedger {
    async fn load_claim(&self, id: &WorkspaceId, number: &str) -> Result<Option<NumberClaim>, StoreError> {
        let key = (id.clone(), number.to_owned());
        self.faults.run("load_claim", || lock(&self.claims).get(&key).cloned())
    }

    async fn swap_claim(&self, expected: Option<&WriteId>, claim: &NumberClaim) -> Result<bool, StoreError> {
        self.faults.run("swap_claim", || {
            let mut claims = lock(&self.claims);
            let key = (claim.workspace_id.clone(), claim.number.clone());
            let found = claims.get(&key).and_then(|claim| claim.write_id.clone());
            let ours = found.is_some() && found == claim.write_id;
            let as_expected = found.as_ref() == expected;
            if as_expected {
                claims.insert(key, claim.clone());
            }
            as_expected || ours
        })
    }
}

impl WaitingRows for MemoryLedger {
    async fn waiting(
        &self,
        workspace_id: &WorkspaceId,
        limit: u32,
        after: Option<String>,
    ) -> Result<(Vec<CallId>, Option<String>), StoreError> {
        let rows = self.select(|row| {
            row.workspace_id == *workspace_id && self.status(row) == SyncStatus::WaitingForConnection.as_str()
        });
        let (rows, next) = page(rows, |row| row.created_at, limit, after.as_deref());
        self.faults.run("waiting", || (rows.into_iter().map(|row| row.call_id).collect(), next))
    }
}

impl DueRows for MemoryLedger {
    fn shards(&self) -> u8 {
        1
    }

    async fn due(
        &self,
        shard: u8,
        now: i64,
        limit: u32,
        after: Option<String>,
    ) -> Result<(Vec<RowKey>, Option<String>), StoreError> {
        let rows = self.select(|row| shard == 0 && row.due_at.is_some_and(|due_at| due_at <= now));
        let (rows, next) = page(rows, |row| row.due_at.unwrap_or_default(), limit, after.as_deref());
        let key = |row: Row| RowKey { workspace_id: row.workspace_id, call_id: row.call_id };
        self.faults.run("due", || (rows.into_iter().map(key).collect(), next))
    }
}

/// Whether the row has this error code.
pub fn has_code(row: &Row, error_code: &ErrorCode) -> bool {
    row.reason.as_ref().is_some_and(|reason| reason.code == error_code.as_str())
}

impl FailedRows for MemoryLedger {
    async fn with_error(
        &self,
        workspace_id: &WorkspaceId,
        error_code: &ErrorCode,
        limit: u32,
        after: Option<String>,
    ) -> Result<(Vec<CallId>, Option<String>), StoreError> {
        let rows = self.select(|row| row.workspace_id == *workspace_id);
        let (mut rows, next) = page(rows, |row| row.created_at, limit, after.as_deref());
        rows.retain(|row| has_code(row, error_code));
        self.faults.run("with_error", || (rows.into_iter().map(|row| row.call_id).collect(), next))
    }
}
