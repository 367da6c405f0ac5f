//! The clauses that both languages share: `WHERE`, `ORDER BY`, `LIMIT`, `OFFSET`.

use std::cmp::Ordering;

use serde_json::Value;

use super::{
    condition::{self, Condition, Scope, resolve},
    lexer::Reader,
};
use crate::{error::ApiError, objects::store::Record};

/// Which records, in what order, and how many.
#[derive(Debug, Default)]
pub(crate) struct Clauses {
    pub(crate) condition: Option<Condition>,
    pub(crate) order: Vec<Order>,
    pub(crate) limit: Option<usize>,
    pub(crate) offset: usize,
}

/// A field to order by.
#[derive(Debug)]
pub(crate) struct Order {
    field: &'static str,
    descending: bool,
    nulls_last: bool,
}

impl Clauses {
    pub(crate) fn read(reader: &mut Reader<'_>, scope: Scope<'_>) -> Result<Self, ApiError> {
        let mut clauses = Self::default();
        if reader.takes("WHERE") {
            clauses.condition = Some(condition::read(reader, scope)?);
        }
        if reader.takes("ORDER") {
            reader.expect("BY")?;
            clauses.order.push(Order::read(reader, scope)?);
            while reader.takes_symbol(",") {
                clauses.order.push(Order::read(reader, scope)?);
            }
        }
        if reader.takes("LIMIT") {
            clauses.limit = Some(reader.number()?);
        }
        if reader.takes("OFFSET") {
            clauses.offset = reader.number()?;
        }
        Ok(clauses)
    }

    pub(crate) fn matches(&self, record: &Record) -> bool {
        self.condition.as_ref().is_none_or(|condition| condition.matches(&record.fields))
    }

    /// The records in order, from the offset to the limit.
    pub(crate) fn page(&self, mut records: Vec<Record>) -> Vec<Record> {
        records.sort_by(|a, b| {
            let by_fields = self.order.iter().map(|order| order.compare(a, b));
            by_fields.fold(Ordering::Equal, Ordering::then).then_with(|| a.id.cmp(&b.id))
        });
        records.into_iter().skip(self.offset).take(self.limit.unwrap_or(usize::MAX)).collect()
    }
}

impl Order {
    fn read(reader: &mut Reader<'_>, scope: Scope<'_>) -> Result<Self, ApiError> {
        let name = reader.name()?;
        let field = resolve(reader, &name, scope)?;
        if !scope.is_filterable(field) {
            let message = format!("field '{}' can not be sorted in a query call", field.name);
            return Err(reader.error_here("INVALID_FIELD", &message));
        }
        let descending = reader.takes("DESC") || {
            reader.takes("ASC");
            false
        };
        let mut nulls_last = false;
        if reader.takes("NULLS") {
            nulls_last = reader.takes("LAST");
            if !nulls_last {
                reader.expect("FIRST")?;
            }
        }
        Ok(Self { field: field.name, descending, nulls_last })
    }

    fn compare(&self, a: &Record, b: &Record) -> Ordering {
        let (a, b) = (a.get(self.field), b.get(self.field));
        match (a.is_null(), b.is_null()) {
            (true, true) => Ordering::Equal,
            (true, false) => {
                if self.nulls_last {
                    Ordering::Greater
                } else {
                    Ordering::Less
                }
            }
            (false, true) => {
                if self.nulls_last {
                    Ordering::Less
                } else {
                    Ordering::Greater
                }
            }
            (false, false) if self.descending => compare(b, a),
            (false, false) => compare(a, b),
        }
    }
}

/// Compares two values. Stored dates and instants sort like text.
fn compare(a: &Value, b: &Value) -> Ordering {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => a.as_i64().cmp(&b.as_i64()),
        (Value::Bool(a), Value::Bool(b)) => a.cmp(b),
        (Value::String(a), Value::String(b)) => a.to_lowercase().cmp(&b.to_lowercase()),
        _ => Ordering::Equal,
    }
}
