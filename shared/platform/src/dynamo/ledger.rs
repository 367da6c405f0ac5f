//! The ledger's table: rows that are swapped by the id of their last write, and its indexes.

use aws_sdk_dynamodb::{
    Client,
    operation::{
        put_item::PutItemError,
        query::{QueryOutput, builders::QueryFluentBuilder},
    },
    types::{AttributeValue, ReturnValuesOnConditionCheckFailure, Select},
};
use calls::{
    ids::{CallId, ErrorCode, WorkspaceId},
    status::SyncStatus,
};
use crm::{
    lead::NumberClaim,
    ledger::{Row, RowKey, Stored, WriteId},
};
use worker::ports::{DueRows, FailedRows, Ledger, NumberClaims, StoreError, Swap, WaitingRows};

pub use super::ledger_item::SHARDS;
use crate::{
    aws::{Aws, LazyClient, store_error},
    config::{ConfigError, Env, SyncLogsTable},
    stores::{CountedRows, ListedRow, ListedRows, NewestRow, NewestRows, Outcome, Position},
};

use super::{
    item::{ColumnError, Item, attribute, required},
    ledger_item::{
        api_usage, cursor, due_shard_key, key, listed, outcome, row_key, start_at, stored, to_item,
        workspace_status,
    },
    number_claim_item::{claim_from_item, claim_to_item},
};

const GET: &str = "DynamoDB GetItem (ledger)";
const PUT: &str = "DynamoDB PutItem (ledger)";
const QUERY: &str = "DynamoDB Query (ledger)";

const BY_TIME: &str = "by_time";
const BY_STATUS: &str = "by_status";
const BY_DUE: &str = "by_due";

/// The ledger on DynamoDB.
#[derive(Debug, Clone)]
pub struct LedgerTable {
    client: LazyClient<Client>,
    table: String,
}

impl LedgerTable {
    /// Uses this table and client.
    pub fn new(client: LazyClient<Client>, table: impl Into<String>) -> Self {
        Self { client, table: table.into() }
    }

    /// The table that `SYNC_LOGS_TABLE` names.
    pub fn from_env(env: &impl Env, aws: &Aws) -> Result<Self, ConfigError> {
        let SyncLogsTable(table) = SyncLogsTable::from_env(env)?;
        Ok(Self::new(aws.dynamodb(), table))
    }

    /// One page of an index, and the key of its last row if there may be more rows.
    async fn page(&self, query: Page<'_>) -> Result<(Vec<Item>, Option<Item>), StoreError> {
        let limit = i32::try_from(query.limit).unwrap_or(i32::MAX);
        let response = self
            .client
            .query()
            .table_name(&self.table)
            .index_name(query.index)
            .key_condition_expression(query.condition)
            .set_expression_attribute_values(Some(query.values))
            .scan_index_forward(query.oldest_first)
            .limit(limit)
            .set_exclusive_start_key(query.after)
            .send()
            .await
            .map_err(|error| store_error(QUERY, &error))?;
        Ok((response.items.unwrap_or_default(), response.last_evaluated_key))
    }

    /// One page of the index by time, oldest first, and the cursor of the next one. A page has 1 MB, DynamoDB's
    /// maximum, unless `query` sets a limit.
    async fn by_time(
        &self,
        workspace_id: &WorkspaceId,
        after: Option<String>,
        query: impl FnOnce(QueryFluentBuilder) -> QueryFluentBuilder,
    ) -> Result<(QueryOutput, Option<String>), StoreError> {
        let after = after.map(|after| by_time_at(workspace_id, &after)).transpose();
        let base = self
            .client
            .query()
            .table_name(&self.table)
            .index_name(BY_TIME)
            .key_condition_expression("workspace_id = :workspace")
            .expression_attribute_values(":workspace", attribute(workspace_id))
            .set_exclusive_start_key(after.map_err(|error| error.during(QUERY))?);
        let response = query(base).send().await.map_err(|error| store_error(QUERY, &error))?;
        let next =
            response.last_evaluated_key.as_ref().and_then(|last| cursor(last, &["created_at", "call_id"]));
        Ok((response, next))
    }
}

fn call_id(item: &Item) -> Result<CallId, ColumnError> {
    required(item, "call_id")
}

/// Reads the rows of a page. A row with a key that this version does not know does not prevent the others from being
/// read.
fn readable<T>(items: &[Item], read: impl Fn(&Item) -> Result<T, ColumnError>) -> Vec<T> {
    let key = |item: &Item| {
        read(item).inspect_err(|error| tracing::warn!(error = %error, "a row of an index is left out")).ok()
    };
    items.iter().filter_map(key).collect()
}

/// The key in the index by time that a cursor refers to.
fn by_time_at(workspace_id: &WorkspaceId, cursor: &str) -> Result<Item, ColumnError> {
    let mut start = start_at(cursor, &[("created_at", 'N'), ("call_id", 'S')])?;
    start.insert("workspace_id".to_owned(), attribute(workspace_id));
    Ok(start)
}

/// Restricts a query to the rows with this error code.
fn only_with_error(query: QueryFluentBuilder, error_code: &ErrorCode) -> QueryFluentBuilder {
    query.filter_expression("error_code = :code").expression_attribute_values(":code", attribute(error_code))
}

impl LedgerTable {
    /// Puts an item, if the last write of the stored item is `expected`; `None`: if there is none.
    async fn put(
        &self,
        item: Item,
        write_id: Option<&WriteId>,
        expected: Option<&WriteId>,
    ) -> Result<Put, StoreError> {
        if write_id.is_none() {
            return Err(ColumnError::Missing("write_id").during(PUT));
        }
        let put = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(item))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let put = match expected {
            None => put.condition_expression("attribute_not_exists(call_id)"),
            Some(expected) => put
                .condition_expression("write_id = :expected")
                .expression_attribute_values(":expected", attribute(expected)),
        };
        let Err(error) = put.send().await else { return Ok(Put::Done) };
        match error.as_service_error() {
            Some(PutItemError::ConditionalCheckFailedException(failed)) => {
                Ok(Put::Refused(failed.item().filter(|item| !item.is_empty()).cloned()))
            }
            _ => Err(store_error(PUT, &error)),
        }
    }
}

/// The query for a page.
struct Page<'a> {
    index: &'a str,
    condition: &'a str,
    values: Item,
    oldest_first: bool,
    limit: u32,
    after: Option<Item>,
}

impl Ledger for LedgerTable {
    async fn load(&self, workspace_id: &WorkspaceId, call_id: &CallId) -> Result<Option<Stored>, StoreError> {
        let response = self
            .client
            .get_item()
            .table_name(&self.table)
            .set_key(Some(key(workspace_id, call_id)))
            .consistent_read(true)
            .send()
            .await
            .map_err(|error| store_error(GET, &error))?;
        Ok(response.item.as_ref().map(stored))
    }

    async fn swap(&self, expected: Option<&WriteId>, row: &Row) -> Result<Swap, StoreError> {
        match self.put(to_item(row), row.write_id.as_ref(), expected).await? {
            Put::Done => Ok(Swap::Done),
            Put::Refused(found) => Ok(conflict(row, found.as_ref())),
        }
    }
}

/// The outcome of a conditional put.
enum Put {
    /// The item was written.
    Done,
    /// The condition did not hold; here is the stored item.
    Refused(Option<Item>),
}

/// Interprets a failed condition: the stored row is our own write, if the response to an earlier try was lost, or
/// somebody else's.
fn conflict(row: &Row, found: Option<&Item>) -> Swap {
    match found.map(stored) {
        Some(Stored::Row(found)) if found.write_id == row.write_id => Swap::Done,
        found => Swap::Conflict(found),
    }
}

/// Claims are stored in the ledger's table, with keys that no call can have: call ids do not contain `+`. They have
/// none of the columns of the indexes' keys.
impl NumberClaims for LedgerTable {
    async fn load_claim(
        &self,
        workspace_id: &WorkspaceId,
        number: &str,
    ) -> Result<Option<NumberClaim>, StoreError> {
        let response = self
            .client
            .get_item()
            .table_name(&self.table)
            .key("workspace_id", attribute(workspace_id))
            .key("call_id", attribute(number))
            .consistent_read(true)
            .send()
            .await
            .map_err(|error| store_error(GET, &error))?;
        response.item.as_ref().map(claim_from_item).transpose().map_err(|error| error.during(GET))
    }

    async fn swap_claim(&self, expected: Option<&WriteId>, claim: &NumberClaim) -> Result<bool, StoreError> {
        match self.put(claim_to_item(claim), claim.write_id.as_ref(), expected).await? {
            Put::Done => Ok(true),
            Put::Refused(found) => {
                let found = found.as_ref().map(claim_from_item).transpose();
                let found = found.map_err(|error| error.during(PUT))?;
                Ok(found.is_some_and(|found| found.write_id == claim.write_id))
            }
        }
    }
}

impl WaitingRows for LedgerTable {
    async fn waiting(
        &self,
        workspace_id: &WorkspaceId,
        limit: u32,
        after: Option<String>,
    ) -> Result<(Vec<CallId>, Option<String>), StoreError> {
        let partition = workspace_status(workspace_id, SyncStatus::WaitingForConnection);
        let after = match after {
            None => None,
            Some(after) => {
                let start = start_at(&after, &[("created_at", 'N'), ("call_id", 'S')]);
                let mut start = start.map_err(|error| error.during(QUERY))?;
                start.insert("workspace_id".to_owned(), attribute(workspace_id));
                start.insert("workspace_status".to_owned(), attribute(&partition));
                Some(start)
            }
        };
        let page = Page {
            index: BY_STATUS,
            condition: "workspace_status = :partition",
            values: Item::from([(":partition".to_owned(), AttributeValue::S(partition))]),
            oldest_first: true,
            limit,
            after,
        };
        let (items, last) = self.page(page).await?;
        let next = last.and_then(|last| cursor(&last, &["created_at", "call_id"]));
        Ok((readable(&items, call_id), next))
    }
}

impl DueRows for LedgerTable {
    fn shards(&self) -> u8 {
        SHARDS
    }

    async fn due(
        &self,
        shard: u8,
        now: i64,
        limit: u32,
        after: Option<String>,
    ) -> Result<(Vec<RowKey>, Option<String>), StoreError> {
        let after = match after {
            None => None,
            Some(after) => {
                let columns = [("due_at", 'N'), ("workspace_id", 'S'), ("call_id", 'S')];
                let mut start = start_at(&after, &columns).map_err(|error| error.during(QUERY))?;
                start.extend(due_shard_key(shard));
                Some(start)
            }
        };
        let page = Page {
            index: BY_DUE,
            condition: "due_shard = :shard AND due_at <= :now",
            values: Item::from([
                (":shard".to_owned(), attribute(shard)),
                (":now".to_owned(), attribute(now)),
            ]),
            oldest_first: true,
            limit,
            after,
        };
        let (items, last) = self.page(page).await?;
        let next = last.and_then(|last| cursor(&last, &["due_at", "workspace_id", "call_id"]));
        Ok((readable(&items, row_key), next))
    }
}

impl NewestRows for LedgerTable {
    async fn newest(&self, id: &WorkspaceId, status: SyncStatus) -> Result<Option<NewestRow>, StoreError> {
        let partition = workspace_status(id, status);
        let page = Page {
            index: BY_STATUS,
            condition: "workspace_status = :partition",
            values: Item::from([(":partition".to_owned(), AttributeValue::S(partition))]),
            oldest_first: false,
            limit: 1,
            after: None,
        };
        let (items, _) = self.page(page).await?;
        let newest = items.first().map(|item| {
            Ok(NewestRow { updated_at: required(item, "updated_at")?, api_usage: api_usage(item)? })
        });
        newest.transpose().map_err(|error: ColumnError| error.during(QUERY))
    }
}

impl ListedRows for LedgerTable {
    async fn list(
        &self,
        id: &WorkspaceId,
        status: Option<SyncStatus>,
        limit: u32,
        after: Option<&Position>,
    ) -> Result<Vec<ListedRow>, StoreError> {
        let (index, column, partition) = match status {
            None => (BY_TIME, "workspace_id", id.to_string()),
            Some(status) => (BY_STATUS, "workspace_status", workspace_status(id, status)),
        };
        let mut after = after.map(|position| {
            let mut start = key(id, &position.call_id);
            start.insert("created_at".to_owned(), attribute(position.created_at));
            start.insert(column.to_owned(), attribute(&partition));
            start
        });
        let mut rows = Vec::new();
        loop {
            // DynamoDB ends a page at 1 MB, whatever the limit.
            let page = Page {
                index,
                condition: &format!("{column} = :partition"),
                values: Item::from([(":partition".to_owned(), attribute(&partition))]),
                oldest_first: false,
                limit: limit.saturating_sub(u32::try_from(rows.len()).unwrap_or(limit)),
                after,
            };
            let (items, last) = self.page(page).await?;
            rows.extend(readable(&items, listed));
            if last.is_none() || rows.len() >= limit as usize {
                return Ok(rows);
            }
            after = last;
        }
    }
}

impl CountedRows for LedgerTable {
    async fn outcomes(
        &self,
        id: &WorkspaceId,
        since: Option<i64>,
        after: Option<String>,
    ) -> Result<(Vec<Outcome>, Option<String>), StoreError> {
        let (response, next) = self
            .by_time(id, after, |query| {
                let query = query
                    .projection_expression("#status, error_code")
                    .expression_attribute_names("#status", "status");
                let Some(since) = since else { return query };
                query
                    .key_condition_expression("workspace_id = :workspace AND created_at >= :since")
                    .expression_attribute_values(":since", attribute(since))
            })
            .await?;
        Ok((response.items().iter().map(outcome).collect(), next))
    }

    async fn count_with_error(
        &self,
        id: &WorkspaceId,
        error_code: &ErrorCode,
        after: Option<String>,
    ) -> Result<(u64, Option<String>), StoreError> {
        let count = |query| only_with_error(query, error_code).select(Select::Count);
        let (response, next) = self.by_time(id, after, count).await?;
        Ok((u64::try_from(response.count).unwrap_or_default(), next))
    }
}

impl FailedRows for LedgerTable {
    async fn with_error(
        &self,
        workspace_id: &WorkspaceId,
        error_code: &ErrorCode,
        limit: u32,
        after: Option<String>,
    ) -> Result<(Vec<CallId>, Option<String>), StoreError> {
        let limit = i32::try_from(limit).unwrap_or(i32::MAX);
        let some = |query| only_with_error(query, error_code).limit(limit);
        let (response, next) = self.by_time(workspace_id, after, some).await?;
        Ok((readable(response.items(), call_id), next))
    }
}
