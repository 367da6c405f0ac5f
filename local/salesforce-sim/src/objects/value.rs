//! Incoming values: which ones each kind of field accepts, and Salesforce's error for the others.

use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};
use serde_json::{Value, json};

use super::schema::{Field, Kind};
use crate::{error::ApiError, ids::Id};

/// Formats an instant as Salesforce does: `2026-11-02T15:00:00.000+0000`.
pub(crate) fn instant_text(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%dT%H:%M:%S%.3f+0000").to_string()
}

/// Parses a stored instant.
pub(crate) fn stored_instant(value: &Value) -> Option<DateTime<Utc>> {
    let text = value.as_str()?.strip_suffix("+0000")?;
    NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.3f").ok().map(|at| at.and_utc())
}

/// Parses a stored date.
pub(crate) fn stored_date(value: &Value) -> Option<NaiveDate> {
    parse_date(value.as_str()?)
}

/// Parses `yyyy-MM-ddTHH:mm:ss[.SSS](Z|±HH:mm)` strictly.
pub(crate) fn parse_instant(text: &str) -> Option<DateTime<Utc>> {
    let (local, _) = text.split_at_checked(19)?;
    NaiveDateTime::parse_from_str(local, "%Y-%m-%dT%H:%M:%S").ok()?;
    let seconds = text[19..].trim_start_matches(|c: char| c == '.' || c.is_ascii_digit());
    let offset_fits = seconds == "Z" || (seconds.len() == 6 && seconds.as_bytes()[3] == b':');
    let fixed_width = local.bytes().all(|b| b.is_ascii_digit() || b"-:T".contains(&b));
    (offset_fits && fixed_width).then(|| DateTime::parse_from_rfc3339(text).ok())?.map(|at| at.to_utc())
}

/// Parses `yyyy-MM-dd`.
pub(crate) fn parse_date(text: &str) -> Option<NaiveDate> {
    let fits = text.len() == 10 && text.bytes().all(|b| b.is_ascii_digit() || b == b'-');
    fits.then(|| NaiveDate::parse_from_str(text, "%Y-%m-%d").ok())?
}

/// The value to store, or the error if the field does not accept it. Text is trimmed; empty text is null.
pub(crate) fn accept(field: &Field, value: &Value) -> Result<Value, ApiError> {
    match value {
        Value::Null => Ok(Value::Null),
        Value::String(text) => accept_text(field, text.trim()),
        Value::Bool(_) if field.kind == Kind::Bool => Ok(value.clone()),
        Value::Number(number) => match field.kind {
            Kind::Int(digits) => accept_number(field, number, digits),
            _ => Err(wrong_type(field, value)),
        },
        _ => Err(wrong_type(field, value)),
    }
}

fn accept_text(field: &Field, text: &str) -> Result<Value, ApiError> {
    if text.is_empty() {
        return Ok(Value::Null);
    }
    let wrong = || wrong_type(field, &json!(text));
    match field.kind {
        Kind::Text(max) | Kind::Area(max) => within(field, text, max),
        Kind::Phone => within(field, text, 40),
        Kind::Picklist => within(field, text, 255),
        Kind::Email => {
            let (name, host) = text.split_once('@').unwrap_or_default();
            if name.is_empty() || !host.contains('.') || text.contains(char::is_whitespace) {
                let message = format!("{}: invalid email address: {text}", field.label);
                return Err(ApiError::of_record("INVALID_EMAIL_ADDRESS", message, &[field.name]));
            }
            within(field, text, 80)
        }
        Kind::Restricted(values) => restricted(field, text, values),
        Kind::Id | Kind::Reference(_) => match Id::parse(text) {
            Some(id) => Ok(json!(id.as_str())),
            None => Err(malformed_id(field, text)),
        },
        Kind::Date => parse_date(text).map(|date| json!(date.to_string())).ok_or_else(wrong),
        Kind::DateTime => parse_instant(text).map(|at| json!(instant_text(at))).ok_or_else(wrong),
        Kind::Int(_) | Kind::Bool => Err(wrong()),
    }
}

/// Lengths count UTF-16 units, as Java and Apex do.
fn within(field: &Field, text: &str, max: usize) -> Result<Value, ApiError> {
    if text.encode_utf16().count() <= max {
        return Ok(json!(text));
    }
    let start: String = text.chars().take(20).collect();
    let message = format!("{}: data value too large: {start}… (max length={max})", field.label);
    Err(ApiError::of_record("STRING_TOO_LONG", message, &[field.name]))
}

/// A value that must be in the list.
pub(crate) fn restricted<T: AsRef<str>>(field: &Field, text: &str, values: &[T]) -> Result<Value, ApiError> {
    if values.iter().any(|value| value.as_ref() == text) {
        return Ok(json!(text));
    }
    let message = format!("{}: bad value for restricted picklist field: {text}", field.label);
    Err(ApiError::of_record("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", message, &[field.name]))
}

fn accept_number(field: &Field, number: &serde_json::Number, digits: u32) -> Result<Value, ApiError> {
    let Some(whole) = number.as_i64() else { return Err(wrong_type(field, &json!(number))) };
    if whole.unsigned_abs() < 10_u64.pow(digits) {
        return Ok(json!(whole));
    }
    let message = format!("{}: value outside of valid range on numeric field: {whole}", field.label);
    Err(ApiError::of_record("NUMBER_OUTSIDE_VALID_RANGE", message, &[field.name]))
}

/// The error for a malformed id, or the id of an object that the field cannot refer to.
pub(crate) fn malformed_id(field: &Field, text: &str) -> ApiError {
    let message = format!("{}: id value of incorrect type: {text}", field.label);
    ApiError::of_record("MALFORMED_ID", message, &[field.name])
}

fn wrong_type(field: &Field, value: &Value) -> ApiError {
    let expected = match field.kind {
        Kind::Int(_) => "int",
        Kind::Bool => "boolean",
        Kind::Date => "date",
        Kind::DateTime => "datetime",
        _ => "string",
    };
    let (token, shown) = match value {
        Value::String(text) => ("VALUE_STRING", format!(" value \"{text}\"")),
        Value::Bool(true) => ("VALUE_TRUE", String::new()),
        Value::Bool(false) => ("VALUE_FALSE", String::new()),
        Value::Number(number) if number.is_f64() => ("VALUE_NUMBER_FLOAT", format!(" value {number}")),
        Value::Number(number) => ("VALUE_NUMBER_INT", format!(" value {number}")),
        Value::Array(_) => ("START_ARRAY", String::new()),
        Value::Object(_) | Value::Null => ("START_OBJECT", String::new()),
    };
    // The body is parsed already, so the position is not Salesforce's.
    let message =
        format!("Cannot deserialize instance of {expected} from {token}{shown} at [line:1, column:1]");
    ApiError::new(400, "JSON_PARSER_ERROR", message)
}

#[cfg(test)]
mod tests {
    use super::{super::tables::TASK, *};

    fn accepted(field: &str, value: &Value) -> Result<Value, String> {
        accept(TASK.standard_field(field).unwrap(), value)
            .map_err(|error| format!("{}: {}", error.code, error.message))
    }

    #[test]
    fn instants_need_a_t_and_an_offset() {
        for text in ["2026-11-02T15:00:00Z", "2026-11-02T15:00:00.000Z", "2026-11-02T10:00:00-05:00"] {
            assert_eq!(
                accepted("ReminderDateTime", &json!(text)),
                Ok(json!("2026-11-02T15:00:00.000+0000")),
                "{text}"
            );
        }
        for text in [
            "2026-11-02T15:00:00",
            "2026-11-02 15:00:00Z",
            "2026-11-02T15:00:00+0000",
            "2026-11-02T15:00Z",
            "2026-02-30T15:00:00Z",
            "2026-11-02t15:00:00z",
            "tomorrow",
        ] {
            let error = accepted("ReminderDateTime", &json!(text)).unwrap_err();
            assert!(
                error.starts_with(
                    "JSON_PARSER_ERROR: Cannot deserialize instance of datetime from VALUE_STRING"
                ),
                "{error}"
            );
        }
    }

    #[test]
    fn dates_do_not_have_a_time() {
        assert_eq!(accepted("ActivityDate", &json!("2026-11-02")), Ok(json!("2026-11-02")));
        for text in ["2026-11-02T00:00:00Z", "2026-11-31", "11/02/2026", "2026-1-2"] {
            assert!(accepted("ActivityDate", &json!(text)).is_err(), "{text}");
        }
    }

    #[test]
    fn text_that_is_too_long_is_refused() {
        assert!(accepted("Subject", &json!("x".repeat(255))).is_ok());
        let error = accepted("Subject", &json!("x".repeat(256))).unwrap_err();
        assert!(error.starts_with("STRING_TOO_LONG: Subject: data value too large: xxx"), "{error}");
        assert!(error.ends_with("(max length=255)"), "{error}");
        assert!(accepted("Description", &json!("x".repeat(32_000))).is_ok());
        assert!(accepted("Description", &json!("x".repeat(32_001))).is_err());
    }

    #[test]
    fn a_character_outside_the_basic_plane_counts_twice() {
        assert!(accepted("Subject", &json!("😀".repeat(127))).is_ok());
        assert!(accepted("Subject", &json!("😀".repeat(128))).is_err());
    }

    #[test]
    fn restricted_picklists_accept_only_their_values() {
        assert!(accepted("CallType", &json!("Inbound")).is_ok());
        assert_eq!(
            accepted("CallType", &json!("inbound")).unwrap_err(),
            "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST: Call Type: bad value for restricted picklist field: inbound"
        );
        assert!(accepted("Type", &json!("Anything")).is_ok());
    }

    #[test]
    fn types_are_not_converted() {
        for (field, value) in [
            ("CallDurationInSeconds", json!("42")),
            ("CallDurationInSeconds", json!(4.5)),
            ("IsReminderSet", json!("true")),
            ("Subject", json!(5)),
            ("Subject", json!({"a": 1})),
        ] {
            assert!(accepted(field, &value).unwrap_err().starts_with("JSON_PARSER_ERROR"), "{field} {value}");
        }
        assert!(
            accepted("CallDurationInSeconds", &json!(100_000_000))
                .unwrap_err()
                .starts_with("NUMBER_OUTSIDE_VALID_RANGE")
        );
    }

    #[test]
    fn empty_text_is_null() {
        assert_eq!(accepted("Subject", &json!("  ")), Ok(Value::Null));
        assert_eq!(accepted("Subject", &json!(" Call ")), Ok(json!("Call")));
    }
}
