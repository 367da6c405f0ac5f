//! The ledger in memory.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use calls::{
    ids::{CallId, WorkspaceId},
    ledger::{Row, RowKey, SyncStatus, WriteId},
    ports::{DueRows, Ledger, StoreError, Swap, WaitingRows},
};

use super::{Faults, lock};
use crate::stores::{NewestRow, NewestRows};

type Rows = BTreeMap<(WorkspaceId, CallId), Row>;

/// A ledger in memory. Its operations are `load`, `swap`, `waiting`, `due` and `newest`. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct MemoryLedger {
    rows: Arc<Mutex<Rows>>,
    /// What fails.
    pub faults: Faults,
}

impl MemoryLedger {
    /// Puts a row there, whatever stood there before.
    pub fn insert(&self, row: Row) {
        lock(&self.rows).insert((row.workspace_id.clone(), row.call_id.clone()), row);
    }

    /// All rows, by workspace and call.
    pub fn rows(&self) -> Vec<Row> {
        lock(&self.rows).values().cloned().collect()
    }

    fn select(&self, wanted: impl Fn(&Row) -> bool) -> Vec<Row> {
        lock(&self.rows).values().filter(|row| wanted(row)).cloned().collect()
    }
}

impl Ledger for MemoryLedger {
    async fn load(&self, workspace_id: &WorkspaceId, call_id: &CallId) -> Result<Option<Row>, StoreError> {
        let key = (workspace_id.clone(), call_id.clone());
        self.faults.around("load", || lock(&self.rows).get(&key).cloned())
    }

    async fn swap(&self, expected: Option<&WriteId>, row: &Row) -> Result<Swap, StoreError> {
        if row.write_id.is_none() {
            return Err(StoreError { operation: "swap", cause: "column write_id is missing".to_owned() });
        }
        self.faults.around("swap", || swap(&mut lock(&self.rows), expected, row))
    }
}

fn swap(rows: &mut Rows, expected: Option<&WriteId>, row: &Row) -> Swap {
    let key = (row.workspace_id.clone(), row.call_id.clone());
    let found = rows.get(&key).cloned();
    let ours = found.as_ref().is_some_and(|found| found.write_id == row.write_id);
    let as_expected = found.as_ref().and_then(|found| found.write_id.as_ref()) == expected
        && found.is_some() == expected.is_some();
    if as_expected {
        rows.insert(key, row.clone());
    }
    if as_expected || ours { Swap::Done } else { Swap::Conflict(found.map(Box::new)) }
}

/// One page of sorted rows; the cursor is how many went before.
fn page(rows: Vec<Row>, limit: u32, after: Option<&str>) -> (Vec<Row>, Option<String>) {
    let start = after.and_then(|after| after.parse().ok()).unwrap_or(0_usize);
    let end = start.saturating_add(limit as usize);
    let next = (end < rows.len()).then(|| end.to_string());
    (rows.into_iter().skip(start).take(limit as usize).collect(), next)
}

impl WaitingRows for MemoryLedger {
    async fn waiting(
        &self,
        workspace_id: &WorkspaceId,
        limit: u32,
        after: Option<String>,
    ) -> Result<(Vec<CallId>, Option<String>), StoreError> {
        let mut rows = self.select(|row| {
            row.workspace_id == *workspace_id && row.status == SyncStatus::WaitingForConnection
        });
        rows.sort_by_key(|row| row.created_at);
        let (rows, next) = page(rows, limit, after.as_deref());
        self.faults.around("waiting", || (rows.into_iter().map(|row| row.call_id).collect(), next))
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
        let mut rows = self.select(|row| shard == 0 && row.due_at.is_some_and(|due_at| due_at <= now));
        rows.sort_by_key(|row| row.due_at);
        let (rows, next) = page(rows, limit, after.as_deref());
        let key = |row: Row| RowKey { workspace_id: row.workspace_id, call_id: row.call_id };
        self.faults.around("due", || (rows.into_iter().map(key).collect(), next))
    }
}

impl NewestRows for MemoryLedger {
    async fn newest(&self, id: &WorkspaceId, status: SyncStatus) -> Result<Option<NewestRow>, StoreError> {
        let rows = self.select(|row| row.workspace_id == *id && row.status == status);
        let newest = rows.into_iter().max_by_key(|row| row.created_at);
        self.faults.around("newest", || {
            newest.map(|row| NewestRow { updated_at: row.updated_at, api_usage: row.api_usage })
        })
    }
}
