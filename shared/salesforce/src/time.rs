//! Salesforce's formats for instants.

use chrono::{DateTime, SecondsFormat, Utc};

/// Parses `2026-11-02T15:00:00.000+0000`, Salesforce's format (RFC 3339 except that the offset has no colon).
pub(crate) fn parse(text: &str) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc3339(text)
        .or_else(|_| DateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f%z"))
        .ok()
        .map(|instant| instant.to_utc())
}

/// Formats an instant as a SOQL literal: `2026-11-02T15:00:00Z`.
pub(crate) fn literal(instant: DateTime<Utc>) -> String {
    instant.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// Formats an instant as an HTTP date (RFC 9110 §5.6.7): `Mon, 02 Nov 2026 15:00:00 GMT`.
pub(crate) fn http_date(instant: DateTime<Utc>) -> String {
    instant.format("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn salesforces_format_and_rfc_3339_are_parsed() {
        for text in ["2026-11-02T15:00:00.000+0000", "2026-11-02T15:00:00Z", "2026-11-02T10:00:00.000-05:00"]
        {
            assert_eq!(literal(parse(text).unwrap()), "2026-11-02T15:00:00Z", "{text}");
        }
        assert_eq!(parse("2026-11-02"), None);
    }

    #[test]
    fn http_dates_have_their_own_format() {
        assert_eq!(http_date(parse("2026-11-02T15:00:00Z").unwrap()), "Mon, 02 Nov 2026 15:00:00 GMT");
    }
}
