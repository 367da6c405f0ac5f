//! What people see of the ledger in memory.

use calls::{
    ids::{ErrorCode, WorkspaceId},
    status::SyncStatus,
};
use crm::{RecordType, ledger::Row, matching::Decision};
use worker::{
    ports::StoreError,
    testing::{MemoryLedger, has_code, page},
};

use crate::stores::{
    CountedRows, ListedDecision, ListedRow, ListedRows, NewestRow, NewestRows, Outcome, Position,
    StoredDecision,
};

/// The page size if the caller does not give one.
const PAGE: u32 = 1000;

impl NewestRows for MemoryLedger {
    async fn newest(&self, id: &WorkspaceId, status: SyncStatus) -> Result<Option<NewestRow>, StoreError> {
        let rows = self.select(|row| row.workspace_id == *id && row.status == status);
        let newest = rows.into_iter().max_by_key(|row| row.created_at);
        self.faults.run("newest", || {
            newest.map(|row| NewestRow { updated_at: row.updated_at, api_usage: row.api_usage })
        })
    }
}

impl ListedRows for MemoryLedger {
    async fn list(
        &self,
        id: &WorkspaceId,
        status: Option<SyncStatus>,
        limit: u32,
        after: Option<&Position>,
    ) -> Result<Vec<ListedRow>, StoreError> {
        let position = |row: &Row| (row.created_at, row.call_id.clone());
        let after = after.map(|after| (after.created_at, after.call_id.clone()));
        let mut rows = self.select(|row| {
            row.workspace_id == *id
                && status.is_none_or(|status| self.status(row) == status.as_str())
                && after.as_ref().is_none_or(|after| position(row) < *after)
        });
        rows.sort_by_key(|row| std::cmp::Reverse(position(row)));
        rows.truncate(limit as usize);
        self.faults.run("list", || rows.into_iter().map(|row| listed(self.status(&row), row)).collect())
    }
}

fn listed(status: &str, row: Row) -> ListedRow {
    let (salesforce_record_type, salesforce_record_id) =
        row.record.map(|record| (record.record_type, record.id)).unzip();
    let (error_code, error_message) = row.reason.map(|reason| (reason.code, reason.message)).unzip();
    ListedRow {
        call_id: row.call_id,
        status: status.to_owned(),
        salesforce_record_id,
        salesforce_record_type: salesforce_record_type
            .map(|record_type: RecordType| format!("{record_type:?}")),
        salesforce_task_id: row.task_id,
        appointment_created: row.event_id.is_some(),
        salesforce_event_id: row.event_id,
        decision: row.decision.as_ref().map(listed_decision),
        error_code,
        error_message,
        phone_number: row.phone_number,
        attempts: row.attempts,
        created_at: row.created_at,
        updated_at: row.updated_at,
        due_at: row.due_at,
    }
}

/// A decision as a list shows it.
pub fn listed_decision(decision: &Decision) -> ListedDecision {
    let stored = serde_json::to_value(decision).unwrap_or_default();
    serde_json::from_value::<StoredDecision>(stored).unwrap_or_default().into()
}

impl CountedRows for MemoryLedger {
    async fn outcomes(
        &self,
        id: &WorkspaceId,
        since: Option<i64>,
        after: Option<String>,
    ) -> Result<(Vec<Outcome>, Option<String>), StoreError> {
        let rows =
            self.select(|row| row.workspace_id == *id && since.is_none_or(|since| row.created_at >= since));
        let (rows, next) = page(rows, |row| row.created_at, PAGE, after.as_deref());
        let outcome = |row: Row| Outcome {
            status: self.status(&row).to_owned(),
            error_code: row.reason.map(|reason| reason.code),
        };
        self.faults.run("outcomes", || (rows.into_iter().map(outcome).collect(), next))
    }

    async fn count_with_error(
        &self,
        id: &WorkspaceId,
        error_code: &ErrorCode,
        after: Option<String>,
    ) -> Result<(u64, Option<String>), StoreError> {
        let rows = self.select(|row| row.workspace_id == *id);
        let (rows, next) = page(rows, |row| row.created_at, PAGE, after.as_deref());
        let count = rows.iter().filter(|row| has_code(row, error_code)).count();
        self.faults.run("count_with_error", || (count as u64, next))
    }
}
