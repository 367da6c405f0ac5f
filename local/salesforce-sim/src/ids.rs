//! Record ids: 15 case-sensitive characters, and a suffix of three that encodes which of them are capitals.

use std::fmt;

const SUFFIX: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ012345";

/// A record id in its 18-character form.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Id(String);

impl Id {
    /// The `number`th id of an object in the org number `org`. The same in every run.
    pub(crate) fn numbered(prefix: &str, org: usize, number: u64) -> Self {
        Self::with_suffix(&format!("{prefix}Sm{org:03}{number:07}"))
    }

    /// Parses an id of 15 characters, or of 18 with the right suffix.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        if !text.bytes().all(|b| b.is_ascii_alphanumeric()) {
            return None;
        }
        match text.len() {
            15 => Some(Self::with_suffix(text)),
            18 => Some(Self::with_suffix(&text[..15])).filter(|id| id.0 == text),
            _ => None,
        }
    }

    fn with_suffix(short: &str) -> Self {
        let suffix = short.as_bytes().chunks(5).map(|five| {
            let capitals = five
                .iter()
                .enumerate()
                .filter(|(_, b)| b.is_ascii_uppercase())
                .fold(0, |bits, (index, _)| bits | 1 << index);
            char::from(SUFFIX[capitals])
        });
        Self(short.chars().chain(suffix).collect())
    }

    /// The three characters that identify the object.
    pub(crate) fn prefix(&self) -> &str {
        &self.0[..3]
    }

    /// The 15-character form.
    pub(crate) fn short(&self) -> &str {
        &self.0[..15]
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_suffix_is_computed_as_salesforce_does() {
        // From the token response in Salesforce's own documentation.
        assert_eq!(Id::parse("00Dxx0000000001").unwrap().as_str(), "00Dxx0000000001EAA");
        assert_eq!(Id::parse("005xx000001Sv6A").unwrap().as_str(), "005xx000001Sv6AAAS");
    }

    #[test]
    fn malformed_ids_are_refused() {
        for text in ["", "00D", "00Dxx0000000001EAB", "00Dxx000000000!", "00Dxx0000000001E"] {
            assert_eq!(Id::parse(text), None, "{text}");
        }
    }

    #[test]
    fn numbered_ids_are_reproducible() {
        let id = Id::numbered("00Q", 1, 42);
        assert_eq!(id, Id::numbered("00Q", 1, 42));
        assert_eq!(id.short(), "00QSm0010000042");
        assert_eq!(Id::parse(id.as_str()), Some(id));
    }
}
