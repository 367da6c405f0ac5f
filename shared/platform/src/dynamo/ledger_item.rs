//! A row of the ledger as an item: columns of design.md §5.

use aws_sdk_dynamodb::types::AttributeValue;
use calls::{
    crm::ApiUsage,
    ids::{CallId, SalesforceId, WorkspaceId},
    ledger::{Reason, Row, RowKey, SyncStatus, TriedWith},
    workspace::Lease,
};
use ring::digest::{SHA256, digest};
use serde::de::DeserializeOwned;

use super::item::{ColumnError, Item, ItemBuilder, optional, required};

/// How many shards the index of due rows has: each takes the writes of one index partition (1000 a second).
pub const SHARDS: u8 = 8;

/// The partition of the index by status.
pub(super) fn workspace_status(workspace_id: &WorkspaceId, status: SyncStatus) -> String {
    format!("{workspace_id}#{}", status.as_str())
}

/// The shard of a call: always the same, and spread evenly.
fn due_shard(call_id: &CallId) -> u8 {
    digest(&SHA256, call_id.as_str().as_bytes()).as_ref()[0] % SHARDS
}

pub(super) fn key(workspace_id: &WorkspaceId, call_id: &CallId) -> Item {
    ItemBuilder::default().set("workspace_id", workspace_id).set("call_id", call_id).build()
}

pub(super) fn to_item(row: &Row) -> Item {
    ItemBuilder::from(key(&row.workspace_id, &row.call_id))
        .set_some("write_id", row.write_id.as_ref())
        .set("status", row.status)
        .set("workspace_status", workspace_status(&row.workspace_id, row.status))
        .set_some("error_code", row.reason.as_ref().map(|reason| &reason.code))
        .set_some("error_message", row.reason.as_ref().map(|reason| &reason.message))
        .set("call", &row.call)
        .set("revision", row.revision)
        .set("logged_revision", row.logged_revision)
        .set("attempts", row.attempts)
        .set_some("phone_number", row.phone_number.as_ref())
        .set_some("salesforce_record_type", row.record.as_ref().map(|record| record.0))
        .set_some("salesforce_record_id", row.record.as_ref().map(|record| &record.1))
        .set_some("salesforce_task_id", row.task_id.as_ref())
        .set_some("salesforce_event_id", row.event_id.as_ref())
        .set("appointment_created", row.event_id.is_some())
        .set_some("decision", row.decision.as_ref())
        .set_some("tried_org_id", row.tried_with.as_ref().map(|tried| &tried.org_id))
        .set_some("tried_user_id", row.tried_with.as_ref().map(|tried| &tried.user_id))
        .set_some("lease_owner", row.lease.as_ref().map(|lease| &lease.owner))
        .set_some("lease_until", row.lease.as_ref().map(|lease| lease.until))
        .set_some("unsettled_until", row.unsettled_until)
        .set_some("api_usage_used", row.api_usage.map(|usage| usage.used))
        .set_some("api_usage_limit", row.api_usage.map(|usage| usage.limit))
        .set("created_at", row.created_at)
        .set("updated_at", row.updated_at)
        .set_some("due_at", row.due_at)
        // The index by due time holds only the rows that have both of its keys.
        .set_some("due_shard", row.due_at.map(|_| due_shard(&row.call_id)))
        .set_some("expires_at", row.expires_at)
        .build()
}

pub(super) fn from_item(item: &Item) -> Result<Row, ColumnError> {
    Ok(Row {
        workspace_id: required(item, "workspace_id")?,
        call_id: required(item, "call_id")?,
        write_id: optional(item, "write_id")?,
        status: required(item, "status")?,
        reason: both(item, "error_code", "error_message")?
            .map(|(code, message)| Reason { code, message }),
        call: required(item, "call")?,
        revision: required(item, "revision")?,
        logged_revision: required(item, "logged_revision")?,
        attempts: required(item, "attempts")?,
        phone_number: optional(item, "phone_number")?,
        record: both(item, "salesforce_record_type", "salesforce_record_id")?,
        task_id: optional(item, "salesforce_task_id")?,
        event_id: optional(item, "salesforce_event_id")?,
        decision: optional(item, "decision")?,
        tried_with: both::<SalesforceId, _>(item, "tried_org_id", "tried_user_id")?
            .map(|(org_id, user_id)| TriedWith { org_id, user_id }),
        lease: both(item, "lease_owner", "lease_until")?.map(|(owner, until)| Lease { owner, until }),
        unsettled_until: optional(item, "unsettled_until")?,
        api_usage: api_usage(item)?,
        created_at: required(item, "created_at")?,
        updated_at: required(item, "updated_at")?,
        due_at: optional(item, "due_at")?,
        expires_at: optional(item, "expires_at")?,
    })
}

pub(super) fn api_usage(item: &Item) -> Result<Option<ApiUsage>, ColumnError> {
    let both = both(item, "api_usage_used", "api_usage_limit")?;
    Ok(both.map(|(used, limit)| ApiUsage { used, limit }))
}

pub(super) fn row_key(item: &Item) -> Result<RowKey, ColumnError> {
    Ok(RowKey { workspace_id: required(item, "workspace_id")?, call_id: required(item, "call_id")? })
}

/// Two columns that are there together or not at all.
fn both<A: DeserializeOwned, B: DeserializeOwned>(
    item: &Item,
    first: &'static str,
    second: &'static str,
) -> Result<Option<(A, B)>, ColumnError> {
    match (optional(item, first)?, optional(item, second)?) {
        (Some(a), Some(b)) => Ok(Some((a, b))),
        (None, None) => Ok(None),
        (None, Some(_)) => Err(ColumnError::Missing(first)),
        (Some(_), None) => Err(ColumnError::Missing(second)),
    }
}

/// Where the rows of a page end, as text: the columns of the last row's keys that the asker does not know already.
/// Ids hold no slash.
pub(super) fn cursor(last: &Item, columns: &[&'static str]) -> Option<String> {
    let texts: Option<Vec<&str>> = columns
        .iter()
        .map(|column| match last.get(*column)? {
            AttributeValue::S(text) | AttributeValue::N(text) => Some(text.as_str()),
            _ => None,
        })
        .collect();
    texts.map(|texts| texts.join("/"))
}

/// The keys that a cursor says; `N` is a number.
pub(super) fn start_at(cursor: &str, columns: &[(&'static str, char)]) -> Result<Item, ColumnError> {
    let texts: Vec<&str> = cursor.split('/').collect();
    if texts.len() != columns.len() {
        return Err(ColumnError::Unreadable("cursor"));
    }
    let keys = columns.iter().zip(texts).map(|((column, kind), text)| {
        let value = if *kind == 'N' { AttributeValue::N } else { AttributeValue::S };
        ((*column).to_owned(), value(text.to_owned()))
    });
    Ok(keys.collect())
}

pub(super) fn due_shard_key(shard: u8) -> Item {
    ItemBuilder::default().set("due_shard", shard).build()
}
