//! The ledger's ports: rows, number claims, and waiting, failed and due rows.

use calls::{
    ids::{CallId, ErrorCode, WorkspaceId},
    status::SyncStatus,
};
use crm::{
    lead::NumberClaim,
    ledger::{Foreign, Row, RowKey, Stored, WriteId},
};
use worker::ports::{DueRows, FailedRows, Ledger, NumberClaims, StoreError, Swap, WaitingRows};

use crate::world::{Broken, State, World};

use super::store_error;

/// A row as a reader sees it, without the removed guard.
fn seen(state: &State, row: &Row) -> Stored {
    let key = (row.workspace_id.clone(), row.call_id.clone());
    if state.newer.contains_key(&key) && state.broken != Some(Broken::Foreign) {
        return Stored::Foreign(Foreign { cause: "column status cannot be read".to_owned() });
    }
    let mut row = row.clone();
    match state.broken {
        Some(Broken::Lease) if row.lease.take().is_some() => row.unsettled_until = None,
        Some(Broken::Look) => row.unsettled_until = None,
        _ => {}
    }
    row.into()
}

impl Ledger for World {
    async fn load(&self, workspace_id: &WorkspaceId, call_id: &CallId) -> Result<Option<Stored>, StoreError> {
        let key = (workspace_id.clone(), call_id.clone());
        self.call("load row", move |state| state.rows.get(&key).map(|row| seen(state, row)))
            .await
            .map_err(store_error)
    }

    async fn swap(&self, expected: Option<&WriteId>, row: &Row) -> Result<Swap, StoreError> {
        let (expected, row) = (expected.cloned(), row.clone());
        let name = format!("write row {} {} rev {}", row.call_id, row.status.as_str(), row.revision);
        self.call(&name, move |state| {
            let key = (row.workspace_id.clone(), row.call_id.clone());
            let current = state.rows.get(&key);
            if current.and_then(|row| row.write_id.clone()) != expected {
                return Swap::Conflict(current.map(|current| seen(state, current)));
            }
            let before = state.rows.insert(key.clone(), row);
            state.outdated.insert(key, (before, state.now));
            Swap::Done
        })
        .await
        .map_err(store_error)
    }
}

impl NumberClaims for World {
    async fn load_claim(&self, id: &WorkspaceId, number: &str) -> Result<Option<NumberClaim>, StoreError> {
        let key = (id.clone(), number.to_owned());
        self.call("load claim", move |state| state.claims.get(&key).cloned()).await.map_err(store_error)
    }

    async fn swap_claim(&self, expected: Option<&WriteId>, claim: &NumberClaim) -> Result<bool, StoreError> {
        let (expected, claim) = (expected.cloned(), claim.clone());
        self.call("write claim", move |state| {
            let key = (claim.workspace_id.clone(), claim.number.clone());
            let found = state.claims.get(&key).and_then(|claim| claim.write_id.clone());
            if found == claim.write_id {
                return true;
            }
            let as_expected = found == expected;
            if as_expected {
                state.claims.insert(key, claim);
            }
            as_expected
        })
        .await
        .map_err(store_error)
    }
}

/// A page of call ids in order, and the cursor of the next page.
fn page(ids: impl Iterator<Item = CallId>, limit: u32, after: Option<&str>) -> (Vec<CallId>, Option<String>) {
    let page: Vec<_> =
        ids.filter(|id| after.is_none_or(|after| id.as_str() > after)).take(limit as usize).collect();
    let next = (page.len() == limit as usize).then(|| page.last().unwrap().to_string());
    (page, next)
}

impl WaitingRows for World {
    async fn waiting(
        &self,
        workspace_id: &WorkspaceId,
        limit: u32,
        after: Option<String>,
    ) -> Result<(Vec<CallId>, Option<String>), StoreError> {
        let id = workspace_id.clone();
        self.call("query waiting rows", move |state| {
            let rows = state.indexed().into_iter();
            let waiting = rows
                .filter(|row| row.workspace_id == id && row.status == SyncStatus::WaitingForConnection)
                .map(|row| row.call_id);
            page(waiting, limit, after.as_deref())
        })
        .await
        .map_err(store_error)
    }
}

impl FailedRows for World {
    async fn with_error(
        &self,
        workspace_id: &WorkspaceId,
        error_code: &ErrorCode,
        limit: u32,
        after: Option<String>,
    ) -> Result<(Vec<CallId>, Option<String>), StoreError> {
        let (id, code) = (workspace_id.clone(), error_code.clone());
        self.call("query failed rows", move |state| {
            let rows = state.indexed().into_iter();
            let failed = rows.filter(|row| {
                let has_code = row.reason.as_ref().is_some_and(|reason| reason.code == code.as_str());
                row.workspace_id == id && has_code
            });
            page(failed.map(|row| row.call_id), limit, after.as_deref())
        })
        .await
        .map_err(store_error)
    }
}

impl DueRows for World {
    fn shards(&self) -> u8 {
        1
    }

    async fn due(
        &self,
        _: u8,
        now: i64,
        _: u32,
        _: Option<String>,
    ) -> Result<(Vec<RowKey>, Option<String>), StoreError> {
        self.call("query due rows", move |state| {
            let due =
                state.indexed().into_iter().filter(|row| row.due_at.is_some_and(|due_at| due_at <= now));
            let keys =
                due.map(|row| RowKey { workspace_id: row.workspace_id, call_id: row.call_id }).collect();
            (keys, None)
        })
        .await
        .map_err(store_error)
    }
}
