//! Record ids: 15 characters that are case-sensitive, and three more that say which of them are capitals.

use std::fmt;

const SUFFIX: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ012345";

/// A record id in its 18-character form.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Id(String);

impl Id {
    /// The `number`th id of an object in the org number `org`: the same in each run.
    pub(crate) fn numbered(prefix: &str, org: usize, number: u64) -> Self {
        Self::complete(&format!("{prefix}Sm{org:03}{number:07}"))
    }

    /// Reads an id of 15 characters, or of 18 whose last three fit. `None` for anything else.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        if !text.bytes().all(|b| b.is_ascii_alphanumeric()) {
            return None;
        }
        match text.len() {
            15 => Some(Self::complete(text)),
            18 => Some(Self::complete(&text[..15])).filter(|id| id.0 == text),
            _ => None,
        }
    }

    fn complete(short: &str) -> Self {
        let suffix = short.as_bytes().chunks(5).map(|five| {
            let capitals = five
                .iter()
                .enumerate()
                .filter(|(_, b)| b.is_ascii_uppercase())
                .fold(0, |bits, (place, _)| bits | 1 << place);
            char::from(SUFFIX[capitals])
        });
        Self(short.chars().chain(suffix).collect())
    }

    /// The three characters that name the object.
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
    fn the_suffix_is_salesforces() {
        // The id of the token answer in Salesforce's own documentation.
        assert_eq!(Id::parse("00Dxx0000000001").unwrap().as_str(), "00Dxx0000000001EAA");
        assert_eq!(Id::parse("005xx000001Sv6A").unwrap().as_str(), "005xx000001Sv6AAAS");
    }

    #[test]
    fn what_is_not_an_id_is_refused() {
        for text in ["", "00D", "00Dxx0000000001EAB", "00Dxx000000000!", "00Dxx0000000001E"] {
            assert_eq!(Id::parse(text), None, "{text}");
        }
    }

    #[test]
    fn numbered_ids_are_the_same_each_time() {
        let id = Id::numbered("00Q", 1, 42);
        assert_eq!(id, Id::numbered("00Q", 1, 42));
        assert_eq!(id.short(), "00QSm0010000042");
        assert_eq!(Id::parse(id.as_str()), Some(id));
    }
}
