//! Conditions after `WHERE`: read, checked against the field tables, and tried on records.

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use serde_json::Value;

use super::{
    dates,
    lexer::{Reader, Token},
};
use crate::{
    error::ApiError,
    ids::Id,
    objects::{
        schema::{Field, Kind, Object},
        store::Fields,
        value::{stored_date, stored_instant},
    },
    settings::Settings,
};

/// What conditions are checked against.
#[derive(Clone, Copy)]
pub(crate) struct Scope<'a> {
    pub(crate) object: &'static Object,
    pub(crate) settings: &'a Settings,
    pub(crate) now: DateTime<Utc>,
    pub(crate) zone: Tz,
}

impl Scope<'_> {
    /// Whether a field may stand in `WHERE` and `ORDER BY`.
    pub(crate) fn filters(&self, field: &Field) -> bool {
        field.filterable() && self.settings.filters(self.object.name, field.name)
    }
}

/// A condition that records meet or not.
#[derive(Debug)]
pub(crate) enum Condition {
    All(Vec<Condition>),
    Any(Vec<Condition>),
    Not(Box<Condition>),
    Compare { field: &'static str, operator: Operator, operand: Operand },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operator {
    Equal,
    NotEqual,
    Less,
    AtMost,
    Greater,
    AtLeast,
    Like,
}

/// The right side of a comparison, of the field's type.
#[derive(Debug)]
pub(crate) enum Operand {
    Null,
    Text(String),
    Id(Id),
    Bool(bool),
    Int(i64),
    Days(NaiveDate, NaiveDate),
    Instants(DateTime<Utc>, DateTime<Utc>),
}

/// A field that may be read here, by the name in the query.
pub(crate) fn visible(reader: &Reader<'_>, name: &str, scope: Scope<'_>) -> Result<&'static Field, ApiError> {
    let object = scope.object.name;
    let own = name.split_once('.').map_or(
        name,
        |(head, rest)| {
            if head.eq_ignore_ascii_case(object) { rest } else { name }
        },
    );
    if let Some((relationship, _)) = own.split_once('.') {
        let message = format!("the simulator does not know the relationship '{relationship}' of {object}");
        return Err(ApiError::new(501, "NOT_SIMULATED", message));
    }
    scope.object.visible_field(own, scope.settings).ok_or_else(|| {
        let message = format!(
            "No such column '{own}' on entity '{object}'. If you are attempting to use a custom field, be sure to append \
             the '__c' after the custom field name. Please reference your WSDL or the describe call for the appropriate names."
        );
        reader.error_here("INVALID_FIELD", &message)
    })
}

/// Reads conditions joined by `AND` or by `OR`. A mix needs parentheses: without them the other word is left over, and
/// what reads on refuses it.
pub(crate) fn read(reader: &mut Reader<'_>, scope: Scope<'_>) -> Result<Condition, ApiError> {
    let mut parts = vec![one(reader, scope)?];
    let joins_all = reader.takes("AND");
    if !joins_all && !reader.takes("OR") {
        return Ok(parts.remove(0));
    }
    let joint = if joins_all { "AND" } else { "OR" };
    parts.push(one(reader, scope)?);
    while reader.takes(joint) {
        parts.push(one(reader, scope)?);
    }
    Ok(if joins_all { Condition::All(parts) } else { Condition::Any(parts) })
}

fn one(reader: &mut Reader<'_>, scope: Scope<'_>) -> Result<Condition, ApiError> {
    if reader.takes_symbol("(") {
        let inner = read(reader, scope)?;
        reader.expect_symbol(")")?;
        return Ok(inner);
    }
    if reader.takes("NOT") {
        return Ok(Condition::Not(Box::new(one(reader, scope)?)));
    }
    let name = reader.name()?;
    let field = visible(reader, &name, scope)?;
    if !scope.filters(field) {
        let message = format!("field '{}' can not be filtered in a query call", field.name);
        return Err(reader.error_here("INVALID_FIELD", &message));
    }
    if reader.takes("NOT") {
        reader.expect("IN")?;
        return Ok(Condition::Not(Box::new(list(reader, field, scope)?)));
    }
    if reader.takes("IN") {
        return list(reader, field, scope);
    }
    let operator = operator(reader)?;
    let operand = operand(reader, field, operator, scope)?;
    Ok(Condition::Compare { field: field.name, operator, operand })
}

fn list(reader: &mut Reader<'_>, field: &'static Field, scope: Scope<'_>) -> Result<Condition, ApiError> {
    reader.expect_symbol("(")?;
    let mut parts = vec![];
    loop {
        let operator = Operator::Equal;
        let operand = operand(reader, field, operator, scope)?;
        parts.push(Condition::Compare { field: field.name, operator, operand });
        if !reader.takes_symbol(",") {
            break;
        }
    }
    reader.expect_symbol(")")?;
    Ok(Condition::Any(parts))
}

fn operator(reader: &mut Reader<'_>) -> Result<Operator, ApiError> {
    const SYMBOLS: &[(&str, Operator)] = &[
        ("=", Operator::Equal),
        ("!=", Operator::NotEqual),
        ("<>", Operator::NotEqual),
        ("<", Operator::Less),
        ("<=", Operator::AtMost),
        (">", Operator::Greater),
        (">=", Operator::AtLeast),
    ];
    if let Some((_, operator)) = SYMBOLS.iter().find(|(symbol, _)| reader.takes_symbol(symbol)) {
        return Ok(*operator);
    }
    if reader.takes("LIKE") { Ok(Operator::Like) } else { Err(reader.unexpected()) }
}

fn operand(
    reader: &mut Reader<'_>,
    field: &Field,
    operator: Operator,
    scope: Scope<'_>,
) -> Result<Operand, ApiError> {
    let token = match reader.peek() {
        Some(Token::Word(_) | Token::Text(_)) => reader.next(),
        _ => None,
    };
    let equality = matches!(operator, Operator::Equal | Operator::NotEqual);
    let textual = matches!(
        field.kind,
        Kind::Text(_) | Kind::Area(_) | Kind::Phone | Kind::Email | Kind::Picklist | Kind::Restricted(_)
    );
    let ordered = !matches!(field.kind, Kind::Bool | Kind::Id | Kind::Reference(_));
    if (operator == Operator::Like && !textual) || (!equality && !ordered) {
        return Err(reader.error_here("INVALID_QUERY_FILTER_OPERATOR", "invalid operator"));
    }
    match token {
        None => Err(reader.unexpected()),
        Some(Token::Word(word)) if word.eq_ignore_ascii_case("null") && equality => Ok(Operand::Null),
        Some(Token::Text(text)) if textual => Ok(Operand::Text(text.to_lowercase())),
        Some(Token::Text(text)) if matches!(field.kind, Kind::Id | Kind::Reference(_)) => {
            Id::parse(&text).map(Operand::Id).ok_or_else(|| {
                reader.error_here("INVALID_QUERY_FILTER_OPERATOR", &format!("invalid ID field: {text}"))
            })
        }
        Some(Token::Word(word)) => match plain(field.kind, &word, scope) {
            Some(operand) => Ok(operand),
            None => Err(wrong_operand(reader, field)),
        },
        Some(_) => Err(wrong_operand(reader, field)),
    }
}

/// A word without quotes, as a value of the field's type.
fn plain(kind: Kind, word: &str, scope: Scope<'_>) -> Option<Operand> {
    match kind {
        Kind::Bool if word.eq_ignore_ascii_case("true") => Some(Operand::Bool(true)),
        Kind::Bool if word.eq_ignore_ascii_case("false") => Some(Operand::Bool(false)),
        Kind::Int(_) => word.parse().ok().map(Operand::Int),
        Kind::Date => dates::days(word, scope.now, scope.zone).map(|(a, b)| Operand::Days(a, b)),
        Kind::DateTime => dates::instants(word, scope.now, scope.zone).map(|(a, b)| Operand::Instants(a, b)),
        _ => None,
    }
}

fn wrong_operand(reader: &Reader<'_>, field: &Field) -> ApiError {
    let (kind, quotes) = match field.kind {
        Kind::Bool => ("boolean", "should not"),
        Kind::Int(_) => ("int", "should not"),
        Kind::Date => ("date", "should not"),
        Kind::DateTime => ("dateTime", "should not"),
        Kind::Id | Kind::Reference(_) => ("reference", "should"),
        _ => ("string", "should"),
    };
    let message = format!(
        "value of filter criterion for field '{}' must be of type {kind} and {quotes} be enclosed in quotes",
        field.name
    );
    reader.error_here("INVALID_FIELD", &message)
}

impl Condition {
    /// Whether a record with these fields meets the condition.
    pub(crate) fn holds(&self, fields: &Fields) -> bool {
        match self {
            Self::All(parts) => parts.iter().all(|part| part.holds(fields)),
            Self::Any(parts) => parts.iter().any(|part| part.holds(fields)),
            Self::Not(part) => !part.holds(fields),
            Self::Compare { field, operator, operand } => {
                let value = fields.get(field).unwrap_or(&Value::Null);
                compare(value, *operator, operand)
            }
        }
    }
}

fn compare(value: &Value, operator: Operator, operand: &Operand) -> bool {
    let negated = operator == Operator::NotEqual;
    if let Operand::Null = operand {
        return value.is_null() != negated;
    }
    if value.is_null() {
        return negated;
    }
    match operand {
        Operand::Null => false,
        Operand::Text(wanted) => {
            let text = value.as_str().unwrap_or_default().to_lowercase();
            match operator {
                Operator::Like => like(&text, wanted),
                _ => in_range(&text, operator, wanted, wanted),
            }
        }
        Operand::Id(wanted) => (value == wanted.as_str()) != negated,
        Operand::Bool(wanted) => (value == &Value::Bool(*wanted)) != negated,
        Operand::Int(wanted) => value.as_i64().is_some_and(|it| in_range(&it, operator, wanted, wanted)),
        Operand::Days(first, last) => {
            stored_date(value).is_some_and(|it| in_range(&it, operator, first, last))
        }
        Operand::Instants(first, last) => {
            stored_instant(value).is_some_and(|it| in_range(&it, operator, first, last))
        }
    }
}

/// A named day is a range: after it means after its end.
fn in_range<T: PartialOrd>(value: &T, operator: Operator, first: &T, last: &T) -> bool {
    match operator {
        Operator::Equal | Operator::Like => first <= value && value <= last,
        Operator::NotEqual => value < first || last < value,
        Operator::Less => value < first,
        Operator::AtMost => value <= last,
        Operator::Greater => value > last,
        Operator::AtLeast => value >= first,
    }
}

/// `%` stands for any text, `_` for one character.
fn like(text: &str, pattern: &str) -> bool {
    let text: Vec<char> = text.chars().collect();
    let pattern: Vec<char> = pattern.chars().collect();
    super::term::wildcard(&text, &pattern, '%', '_')
}
