//! Lenient parsers for a report's values: a value of an unexpected shape is `None`.

use std::{borrow::Cow, fmt, marker::PhantomData};

use calls::text;
use chrono::{DateTime, NaiveDateTime, Utc};
use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, MapAccess, SeqAccess, Visitor, value::MapAccessDeserializer},
};
use serde_json::value::RawValue;

/// A value as it is in the body.
pub(super) type Raw<'a> = &'a RawValue;

/// An object; anything else is `None`.
#[derive(Debug)]
pub(super) struct Object<T>(pub(super) Option<T>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Lenient<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Lenient<T> {
            type Value = Option<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("anything")
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map)).map(Some)
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
                while items.next_element::<IgnoredAny>()?.is_some() {}
                Ok(None)
            }
            fn visit_unit<E>(self) -> Result<Self::Value, E> {
                Ok(None)
            }
            fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
                Ok(None)
            }
            fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
                Ok(None)
            }
            fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
                Ok(None)
            }
            fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
                Ok(None)
            }
            fn visit_str<E>(self, _: &str) -> Result<Self::Value, E> {
                Ok(None)
            }
        }

        deserializer.deserialize_any(Lenient(PhantomData)).map(Self)
    }
}

/// The members of an object, in order.
pub(super) struct Members<'a>(pub(super) Vec<(String, Raw<'a>)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;

        impl<'de> Visitor<'de> for InOrder {
            type Value = Vec<(String, Raw<'de>)>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(members)
            }
        }

        deserializer.deserialize_map(InOrder).map(Self)
    }
}

/// A string. Half of a surrogate pair, which JavaScript produces by truncating, becomes a replacement character:
/// `serde_json` accepts it as bytes, but as a string it would fail the whole report.
pub(super) fn string(raw: Raw<'_>) -> Option<Cow<'_, str>> {
    struct Bytes;

    impl<'de> Visitor<'de> for Bytes {
        type Value = Cow<'de, str>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a string")
        }
        fn visit_borrowed_bytes<E>(self, bytes: &'de [u8]) -> Result<Self::Value, E> {
            Ok(String::from_utf8_lossy(bytes))
        }
        fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Self::Value, E> {
            Ok(Cow::Owned(String::from_utf8_lossy(bytes).into_owned()))
        }
    }

    serde_json::Deserializer::from_str(raw.get()).deserialize_bytes(Bytes).ok()
}

/// A string, or a number as it is written.
pub(super) fn string_or_number(raw: Raw<'_>) -> Option<Cow<'_, str>> {
    let is_number = raw.get().starts_with(|c: char| c.is_ascii_digit() || c == '-');
    if is_number { Some(Cow::Borrowed(raw.get())) } else { string(raw) }
}

/// A multi-line text, cleaned, of at most `longest` characters.
pub(super) fn text(raw: Raw<'_>, longest: usize) -> Option<String> {
    text::clean(&string(raw)?, longest)
}

/// A single-line text, cleaned, of at most `longest` characters.
pub(super) fn line(raw: Raw<'_>, longest: usize) -> Option<String> {
    text::clean_line(&string(raw)?, longest)
}

/// A number, or a string that contains one.
pub(super) fn number(raw: Raw<'_>) -> Option<f64> {
    string_or_number(raw)?.trim().parse().ok().filter(|number: &f64| number.is_finite())
}

/// An instant: ISO 8601 (UTC if it has no offset), or Unix seconds or milliseconds, with or without a fraction, as a
/// number or string. 0 counts as missing.
pub(super) fn instant(raw: Raw<'_>) -> Option<DateTime<Utc>> {
    if let Some(number) = number(raw) {
        return from_unix(number);
    }
    let text = string(raw)?;
    let text = text.trim();
    let parsed = DateTime::parse_from_rfc3339(text).map(|instant| instant.to_utc()).ok().or_else(|| {
        let local = text.trim_end_matches('Z').replacen(' ', "T", 1);
        NaiveDateTime::parse_from_str(&local, "%Y-%m-%dT%H:%M:%S%.f").ok().map(|local| local.and_utc())
    });
    parsed.filter(|instant| MILLISECONDS.contains(&instant.timestamp_millis()))
}

/// From after 1970, since 0 means nothing, to the year 5138, long before chrono's last year.
const MILLISECONDS: std::ops::Range<i64> = 1..100_000_000_000_000;
/// Smaller values are seconds: this value is the year 5138 in seconds, and 1973 in milliseconds.
const FIRST_MILLISECONDS: f64 = 1e11;

fn from_unix(number: f64) -> Option<DateTime<Utc>> {
    let milliseconds = if number < FIRST_MILLISECONDS { number * 1000.0 } else { number };
    #[expect(clippy::cast_possible_truncation, reason = "a cast to an integer saturates")]
    let milliseconds = milliseconds.round() as i64;
    MILLISECONDS.contains(&milliseconds).then(|| DateTime::from_timestamp_millis(milliseconds)).flatten()
}
