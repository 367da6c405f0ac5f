//! Salesforce's notation of instants.

use chrono::{DateTime, SecondsFormat, Utc};

/// Parses `2026-11-02T15:00:00.000+0000`, as Salesforce answers (RFC 3339 but for the colon of the offset).
pub(crate) fn parse(text: &str) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc3339(text)
        .or_else(|_| DateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f%z"))
        .ok()
        .map(|instant| instant.to_utc())
}

/// Writes an instant as a SOQL literal: `2026-11-02T15:00:00Z`.
pub(crate) fn literal(instant: DateTime<Utc>) -> String {
    instant.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// Writes an instant as HTTP does (RFC 9110 §5.6.7): `Mon, 02 Nov 2026 15:00:00 GMT`.
pub(crate) fn http_date(instant: DateTime<Utc>) -> String {
    instant.format("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn salesforce_s_notation_and_rfc_3339_are_read() {
        for text in ["2026-11-02T15:00:00.000+0000", "2026-11-02T15:00:00Z", "2026-11-02T10:00:00.000-05:00"]
        {
            assert_eq!(literal(parse(text).unwrap()), "2026-11-02T15:00:00Z", "{text}");
        }
        assert_eq!(parse("2026-11-02"), None);
    }

    #[test]
    fn http_has_a_notation_of_its_own() {
        assert_eq!(http_date(parse("2026-11-02T15:00:00Z").unwrap()), "Mon, 02 Nov 2026 15:00:00 GMT");
    }
}
