//! Conditions after `WHERE`: parsing them, checking them against the fields, and evaluating them.

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
        write::Context,
    },
    settings::Settings,
};

/// What a query on an object is checked against.
#[derive(Clone, Copy)]
pub(crate) struct Scope<'a> {
    pub(crate) object: &'static Object,
    pub(crate) settings: &'a Settings,
    pub(crate) now: DateTime<Utc>,
    pub(crate) zone: Tz,
}

impl<'a> Scope<'a> {
    pub(crate) fn new(context: &'a Context<'_>, object: &'static Object) -> Self {
        Self { object, settings: context.settings, now: context.now, zone: context.zone() }
    }

    /// Whether a field may appear in `WHERE` and `ORDER BY`.
    pub(crate) fn is_filterable(&self, field: &Field) -> bool {
        field.filterable() && self.settings.is_filterable(self.object.name, field.name)
    }
}

/// A condition on the fields of a record.
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

/// The right side of a comparison, in the field's type.
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

/// The field that a name in the query refers to.
pub(crate) fn resolve(reader: &Reader<'_>, name: &str, scope: Scope<'_>) -> Result<&'static Field, ApiError> {
    let object = scope.object.name;
    let own = name.split_once('.').map_or(
        name,
        |(head, rest)| {
            if head.eq_ignore_ascii_case(object) { rest } else { name }
        },
    );
    if let Some((relationship, _)) = own.split_once('.') {
        return Err(ApiError::not_simulated(&format!("the relationship '{relationship}' of {object}")));
    }
    scope.object.visible_field(own, scope.settings).ok_or_else(|| {
        let message = format!(
            "No such column '{own}' on entity '{object}'. If you are attempting to use a custom field, be sure to append \
             the '__c' after the custom field name. Please reference your WSDL or the describe call for the appropriate names."
        );
        reader.error_here("INVALID_FIELD", &message)
    })
}

/// Parses conditions joined by `AND` or by `OR`. A mix needs parentheses: without them, the other keyword is left over and
/// is refused by whatever parses next.
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
    let field = resolve(reader, &name, scope)?;
    if !scope.is_filterable(field) {
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
        Some(Token::Word(word)) => match unquoted(field.kind, &word, scope) {
            Some(operand) => Ok(operand),
            None => Err(wrong_operand(reader, field)),
        },
        Some(_) => Err(wrong_operand(reader, field)),
    }
}

/// An unquoted word as a value of the field's type.
fn unquoted(kind: Kind, word: &str, scope: Scope<'_>) -> Option<Operand> {
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
    pub(crate) fn matches(&self, fields: &Fields) -> bool {
        match self {
            Self::All(parts) => parts.iter().all(|part| part.matches(fields)),
            Self::Any(parts) => parts.iter().any(|part| part.matches(fields)),
            Self::Not(part) => !part.matches(fields),
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
        Operand::Text(expected) => {
            let text = value.as_str().unwrap_or_default().to_lowercase();
            match operator {
                Operator::Like => like(&text, expected),
                _ => in_range(&text, operator, expected, expected),
            }
        }
        Operand::Id(expected) => (value == expected.as_str()) != negated,
        Operand::Bool(expected) => (value == &Value::Bool(*expected)) != negated,
        Operand::Int(expected) => {
            value.as_i64().is_some_and(|number| in_range(&number, operator, expected, expected))
        }
        Operand::Days(first, last) => {
            stored_date(value).is_some_and(|day| in_range(&day, operator, first, last))
        }
        Operand::Instants(first, last) => {
            stored_instant(value).is_some_and(|at| in_range(&at, operator, first, last))
        }
    }
}

/// Compares a value with a range. A named day is a range: later than it means after its end.
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

/// `%` matches any text, `_` one character.
fn like(text: &str, pattern: &str) -> bool {
    let text: Vec<char> = text.chars().collect();
    let pattern: Vec<char> = pattern.chars().collect();
    super::term::wildcard(&text, &pattern, '%', '_')
}
