//! Identifiers. Each is checked once, where it enters; an invalid one cannot be built.

use serde::{Deserialize, Serialize};

/// An identifier that breaks its rule. The text says the rule, never the value (it may be personal).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{what} must be {rule}")]
pub struct InvalidId {
    /// Which identifier.
    pub what: &'static str,
    /// What a valid one looks like.
    pub rule: &'static str,
}

/// Declares a string newtype with one rule: `TryFrom<String>`, `parse`, `as_str`, `Display`, and serde through them.
macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $what:literal, $rule:literal, $check:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// Parses the identifier.
            pub fn parse(text: impl Into<String>) -> Result<Self, InvalidId> {
                let text = text.into();
                let check: fn(String) -> Option<String> = $check;
                check(text).map(Self).ok_or(InvalidId { what: $what, rule: $rule })
            }

            /// The identifier as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidId;
            fn try_from(text: String) -> Result<Self, InvalidId> {
                Self::parse(text)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

fn word(text: String, longest: usize) -> Option<String> {
    let fits = (1..=longest).contains(&text.len());
    let plain = text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
    (fits && plain).then_some(text)
}

id!(
    /// A customer of the SaaS product that embeds Ringlog: the tenant (docs/contract.md#routes).
    WorkspaceId, "the workspace id", "1 to 64 of A-Z, a-z, 0-9, _ and -", |text| word(text, 64)
);

id!(
    /// Vapi's id of a call, unique per call (docs/contract.md#the-ledger).
    CallId, "the call id", "1 to 128 of A-Z, a-z, 0-9, _ and -", |text| word(text, 128)
);

id!(
    /// The stable code of why a row is where it is ([`crate::reason::Reason::code`]), as somebody may ask for it.
    ErrorCode, "the error code", "1 to 80 of A-Z, a-z, 0-9, _ and -", |text| word(text, 80)
);

id!(
    /// The id of a Salesforce record, in its 18-character form, which compares safely without regard to case.
    SalesforceId, "the Salesforce id", "15 or 18 letters and digits", |text| to_18(&text)
);

impl SalesforceId {
    /// The three characters that name the record's object, `00Q` for a Lead.
    pub fn key_prefix(&self) -> &str {
        &self.0[..3]
    }
}

/// A 15-character id gets its three-character suffix: one letter for five characters, whose bits say which of
/// them are upper case (Salesforce Help 000385008).
fn to_18(id: &str) -> Option<String> {
    const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ012345";
    let plain = id.bytes().all(|b| b.is_ascii_alphanumeric());
    if !plain || !matches!(id.len(), 15 | 18) {
        return None;
    }
    let base = &id[..15];
    let suffix = base.as_bytes().chunks(5).map(|five| {
        let bits = five.iter().enumerate().filter(|(_, b)| b.is_ascii_uppercase()).map(|(i, _)| 1 << i);
        char::from(ALPHABET[bits.sum::<usize>()])
    });
    Some(base.chars().chain(suffix).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_15_character_id_gets_its_suffix() {
        assert_eq!(SalesforceId::parse("001A0000006Vm9r").unwrap().as_str(), "001A0000006Vm9rIAC");
        assert_eq!(SalesforceId::parse("001A0000006Vm9rIAC").unwrap().as_str(), "001A0000006Vm9rIAC");
    }

    #[test]
    fn ids_with_other_characters_or_lengths_are_refused() {
        for bad in ["", "001A0000006Vm9", "001A0000006Vm9'", "001A0000006Vm9rIA"] {
            assert!(SalesforceId::parse(bad).is_err(), "{bad:?}");
        }
        for bad in ["", "a b", "a/b", "ä", &"x".repeat(65)] {
            assert!(WorkspaceId::parse(bad).is_err(), "{bad:?}");
        }
        assert!(CallId::parse("x".repeat(128)).is_ok());
        assert!(CallId::parse("x".repeat(129)).is_err());
        assert!(ErrorCode::parse("x".repeat(80)).is_ok());
        for bad in ["", "a code", "a.b", &"x".repeat(81)] {
            assert!(ErrorCode::parse(bad).is_err(), "{bad:?}");
        }
    }
}
