//! Items: attributes by column name; errors name the column.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use serde::{Serialize, de::DeserializeOwned};
use worker::ports::StoreError;

/// An item in DynamoDB's form.
pub(crate) type Item = HashMap<String, AttributeValue>;

/// A column that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ColumnError {
    /// A required column is missing.
    #[error("column {0} is missing")]
    Missing(&'static str),
    /// A column has an unexpected value.
    #[error("column {0} cannot be read")]
    Unreadable(&'static str),
}

impl ColumnError {
    /// Converts it to an operation's failure.
    pub(crate) fn during(self, operation: &'static str) -> StoreError {
        StoreError { operation, cause: self.to_string() }
    }
}

/// A value as an attribute. Serializing our types cannot fail: they have no maps with keys other than strings.
pub(crate) fn attribute(value: impl Serialize) -> AttributeValue {
    serde_dynamo::to_attribute_value(value).unwrap_or(AttributeValue::Null(true))
}

/// Reads a column that may be absent.
pub(crate) fn optional<T: DeserializeOwned>(
    item: &Item,
    column: &'static str,
) -> Result<Option<T>, ColumnError> {
    let Some(value) = item.get(column) else { return Ok(None) };
    serde_dynamo::from_attribute_value(value.clone()).map_err(|_| ColumnError::Unreadable(column))
}

/// Reads a required column.
pub(crate) fn required<T: DeserializeOwned>(item: &Item, column: &'static str) -> Result<T, ColumnError> {
    optional(item, column)?.ok_or(ColumnError::Missing(column))
}

/// Builds an item; absent values stay absent.
#[derive(Debug, Default)]
pub(crate) struct ItemBuilder(Item);

impl From<Item> for ItemBuilder {
    fn from(item: Item) -> Self {
        Self(item)
    }
}

impl ItemBuilder {
    pub(crate) fn set(mut self, column: &'static str, value: impl Serialize) -> Self {
        self.0.insert(column.to_owned(), attribute(value));
        self
    }

    pub(crate) fn set_some(self, column: &'static str, value: Option<impl Serialize>) -> Self {
        match value {
            Some(value) => self.set(column, value),
            None => self,
        }
    }

    pub(crate) fn build(self) -> Item {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn absent_columns_are_not_written_and_read_as_absent() {
        let item = ItemBuilder::default().set("a", 1).set_some("b", None::<i64>).build();
        assert_eq!(item.len(), 1);
        assert_eq!(optional::<i64>(&item, "b"), Ok(None));
        assert_eq!(required::<i64>(&item, "b"), Err(ColumnError::Missing("b")));
    }

    #[test]
    fn an_unreadable_column_is_named_without_its_value() {
        let item = ItemBuilder::default().set("a", "content").build();
        let error = required::<i64>(&item, "a").unwrap_err();
        assert_eq!(error.to_string(), "column a cannot be read");
    }
}
