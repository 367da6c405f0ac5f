//! The settings table's rows: reads selected columns, and changes attributes under a condition.

use aws_sdk_dynamodb::{
    Client,
    operation::update_item::UpdateItemError,
    types::{AttributeValue, ReturnValuesOnConditionCheckFailure},
};
use crm::workspace::ConnectionState;
use serde::Serialize;
use worker::ports::StoreError;

use crate::aws::{LazyClient, store_error};

use super::{
    item::{Item, attribute},
    ledger_item::{cursor, start_at},
};

const QUERY: &str = "DynamoDB Query (workspaces)";

/// The settings table.
#[derive(Debug, Clone)]
pub(super) struct Rows {
    client: LazyClient<Client>,
    table: String,
}

/// The outcome of a conditional change.
#[derive(Debug)]
pub(super) enum Changed {
    /// The change was written.
    Done,
    /// The condition did not hold; here is the stored row (empty if there is none).
    Refused(Item),
}

impl Rows {
    pub(super) fn new(client: LazyClient<Client>, table: impl Into<String>) -> Self {
        Self { client, table: table.into() }
    }

    /// Reads a row with a consistent read: only `columns`, or all if empty. A missing row is empty.
    pub(super) async fn read(&self, id: &impl Serialize, columns: &[&str]) -> Result<Item, StoreError> {
        let projection = (!columns.is_empty()).then(|| columns.join(", "));
        let response = self
            .client
            .get_item()
            .table_name(&self.table)
            .key("workspace_id", attribute(id))
            .set_projection_expression(projection)
            .consistent_read(true)
            .send()
            .await;
        let response = response.map_err(|error| store_error("DynamoDB GetItem (workspaces)", &error))?;
        Ok(response.item.unwrap_or_default())
    }

    /// One page of connected workspaces whose tokens expired at `expired_before` or earlier and which nobody has
    /// claimed to keep alive at `now`, and the cursor of the next page.
    pub(super) async fn with_expired_tokens(
        &self,
        expired_before: i64,
        now: i64,
        limit: u32,
        after: Option<String>,
    ) -> Result<(Vec<Item>, Option<String>), StoreError> {
        let connected = attribute(ConnectionState::Connected);
        let after = match after {
            None => None,
            Some(after) => {
                let columns = [("salesforce_token_expires_at", 'N'), ("workspace_id", 'S')];
                let mut start = start_at(&after, &columns).map_err(|error| error.during(QUERY))?;
                start.insert("connection_state".to_owned(), connected.clone());
                Some(start)
            }
        };
        let response = self
            .client
            .query()
            .table_name(&self.table)
            .index_name("by_token_age")
            .key_condition_expression(
                "connection_state = :connected AND salesforce_token_expires_at <= :before",
            )
            .filter_expression("attribute_not_exists(keep_alive_until) OR keep_alive_until <= :now")
            .expression_attribute_values(":connected", connected)
            .expression_attribute_values(":before", attribute(expired_before))
            .expression_attribute_values(":now", attribute(now))
            .limit(i32::try_from(limit).unwrap_or(i32::MAX))
            .set_exclusive_start_key(after)
            .send()
            .await
            .map_err(|error| store_error(QUERY, &error))?;
        let next = response
            .last_evaluated_key
            .and_then(|last| cursor(&last, &["salesforce_token_expires_at", "workspace_id"]));
        Ok((response.items.unwrap_or_default(), next))
    }

    /// Changes a row, if the condition holds.
    pub(super) async fn change(&self, id: &impl Serialize, change: Change) -> Result<Changed, StoreError> {
        let response = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("workspace_id", attribute(id))
            .update_expression(change.expression())
            .set_condition_expression(change.condition)
            .set_expression_attribute_values((!change.values.is_empty()).then_some(change.values))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        let Err(error) = response else { return Ok(Changed::Done) };
        match error.as_service_error() {
            Some(UpdateItemError::ConditionalCheckFailedException(failed)) => {
                Ok(Changed::Refused(failed.item().cloned().unwrap_or_default()))
            }
            _ => Err(store_error("DynamoDB UpdateItem (workspaces)", &error)),
        }
    }
}

/// A change of some attributes; all others stay unchanged.
#[derive(Debug, Default)]
pub(super) struct Change {
    set: Vec<String>,
    remove: Vec<&'static str>,
    condition: Option<String>,
    values: Item,
}

impl Change {
    pub(super) fn set(mut self, column: &'static str, value: impl Serialize) -> Self {
        self.set.push(format!("{column} = :{column}"));
        self.value(&format!(":{column}"), attribute(value))
    }

    pub(super) fn set_some(self, column: &'static str, value: Option<impl Serialize>) -> Self {
        match value {
            Some(value) => self.set(column, value),
            None => self,
        }
    }

    /// Sets a column that has no value yet.
    pub(super) fn set_if_absent(mut self, column: &'static str, value: Option<impl Serialize>) -> Self {
        let Some(value) = value else { return self };
        self.set.push(format!("{column} = if_not_exists({column}, :{column})"));
        self.value(&format!(":{column}"), attribute(value))
    }

    pub(super) fn remove(mut self, columns: &[&'static str]) -> Self {
        self.remove.extend(columns);
        self
    }

    /// Sets the condition, with its values.
    pub(super) fn only_if(
        mut self,
        condition: impl Into<String>,
        values: impl IntoIterator<Item = (&'static str, AttributeValue)>,
    ) -> Self {
        self.condition = Some(condition.into());
        values.into_iter().fold(self, |change, (name, value)| change.value(name, value))
    }

    /// Sets the condition that a version has not changed since it was read; 0: there was none.
    pub(super) fn only_at_version(self, column: &'static str, version: u64) -> Self {
        if version == 0 {
            return self.only_if(format!("attribute_not_exists({column})"), []);
        }
        self.only_if(format!("{column} = :read_version"), [(":read_version", attribute(version))])
    }

    /// Sets the condition that columns have not changed since they were read.
    pub(super) fn only_as_read(mut self, columns: &[&str], read: &Item) -> Self {
        let mut conditions = Vec::new();
        for column in columns {
            match read.get(*column) {
                Some(value) => {
                    conditions.push(format!("{column} = :read_{column}"));
                    self = self.value(&format!(":read_{column}"), value.clone());
                }
                None => conditions.push(format!("attribute_not_exists({column})")),
            }
        }
        self.only_if(conditions.join(" AND "), [])
    }

    fn value(mut self, name: &str, value: AttributeValue) -> Self {
        self.values.insert(name.to_owned(), value);
        self
    }

    fn expression(&self) -> String {
        let mut clauses = Vec::new();
        if !self.set.is_empty() {
            clauses.push(format!("SET {}", self.set.join(", ")));
        }
        if !self.remove.is_empty() {
            clauses.push(format!("REMOVE {}", self.remove.join(", ")));
        }
        clauses.join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_names_only_its_own_attributes() {
        let change = Change::default()
            .set("connection_state", "connected")
            .set_some("salesforce_user_name", None::<String>)
            .set_if_absent("time_zone", Some("UTC"))
            .remove(&["refresh_lease_owner", "refresh_lease_until"])
            .only_at_version("connection_version", 3);
        assert_eq!(
            change.expression(),
            "SET connection_state = :connection_state, time_zone = if_not_exists(time_zone, :time_zone) \
             REMOVE refresh_lease_owner, refresh_lease_until"
        );
        assert_eq!(change.condition.as_deref(), Some("connection_version = :read_version"));
        assert_eq!(change.values.len(), 3);
    }

    #[test]
    fn the_read_values_are_compared_column_by_column() {
        let read = Item::from([("time_zone".to_owned(), attribute("UTC"))]);
        let change = Change::default()
            .set("time_zone", "Europe/Paris")
            .only_as_read(&["time_zone", "no_match"], &read);
        let condition = "time_zone = :read_time_zone AND attribute_not_exists(no_match)";
        assert_eq!(change.condition.as_deref(), Some(condition));
        assert_eq!(change.values[":read_time_zone"], attribute("UTC"));
        assert_eq!(change.values[":time_zone"], attribute("Europe/Paris"));
    }
}
