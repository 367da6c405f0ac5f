//! Identifiers. Each is validated once, on construction; an invalid one cannot exist.

use serde::{Deserialize, Serialize};

/// An invalid identifier. The message states the rule, never the value, which may be personal data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{what} must be {rule}")]
pub struct InvalidId {
    /// Which identifier.
    pub what: &'static str,
    /// What a valid one looks like.
    pub rule: &'static str,
}

/// Declares a string newtype with one rule: `TryFrom<String>`, `parse`, `as_str`, `Display`, and serde through them.
/// `pattern` describes what is sent; `rule`, what is accepted.
macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $what:literal, $rule:expr, $pattern:expr, $check:expr) => {
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[cfg_attr(
            feature = "openapi",
            derive(schemars::JsonSchema),
            schemars(extend("pattern" = $pattern))
        )]
        #[serde(try_from = "String", into = "String")]
        $(#[$doc])*
        pub struct $name(String);

        impl $name {
            /// The pattern that the API's description publishes.
            #[cfg(test)]
            const PATTERN: &'static str = $pattern;

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

/// Declares an identifier of 1 to `longest` letters, digits, `_` and `-`.
macro_rules! word {
    ($(#[$doc:meta])* $name:ident, $what:literal, $longest:literal) => {
        id!(
            $(#[$doc])*
            $name,
            $what,
            concat!("1 to ", $longest, " of A-Z, a-z, 0-9, _ and -"),
            concat!("^[A-Za-z0-9_-]{1,", $longest, "}$"),
            |text| word(text, $longest)
        );
    };
}

fn word(text: String, longest: usize) -> Option<String> {
    is_word(&text, longest).then_some(text)
}

fn is_word(text: &str, longest: usize) -> bool {
    let plain = text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
    (1..=longest).contains(&text.len()) && plain
}

word!(
    /// A customer of the SaaS product that embeds Ringlog: the tenant (docs/contract.md#routes).
    WorkspaceId, "the workspace id", 64
);

id!(
    /// A call's id: Vapi's own, or for a call from another platform, the platform's name, `~` and that
    /// platform's id.
    // The text is also the ledger's key (docs/contract.md#the-ledger). A tilde needs no escaping in a URL.
    #[cfg_attr(feature = "openapi", schemars(example = &"6d9fdb0c-62c4-4a11-9a8c-3a3f3a0a5b11"))]
    CallId, "the call id", CALL_ID_RULE, "^([a-z0-9]{1,16}~)?[A-Za-z0-9_-]{1,128}$", |text| call_id(text)
);

const CALL_ID_RULE: &str = "1 to 128 of A-Z, a-z, 0-9, _ and -, optionally after a platform's name (1 to 16 of a-z \
                            and 0-9) and ~";
/// What a platform's own id must be.
const OWN_ID_RULE: &str = "1 to 128 of A-Z, a-z, 0-9, _ and -";

fn call_id(text: String) -> Option<String> {
    let is_valid = match text.split_once('~') {
        None => is_own_id(&text),
        Some((platform, own)) => is_platform(platform) && is_own_id(own),
    };
    is_valid.then_some(text)
}

fn is_platform(name: &str) -> bool {
    (1..=16).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
}

fn is_own_id(text: &str) -> bool {
    is_word(text, 128)
}

/// A platform whose calls Ringlog logs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// Vapi.
    Vapi,
}

impl Source {
    const ALL: [Self; 1] = [Self::Vapi];

    /// The prefix of a platform's own ids. Vapi, the first platform, has none.
    const fn prefix(self) -> &'static str {
        match self {
            Self::Vapi => "",
        }
    }
}

impl CallId {
    /// The id of a platform's call, from the platform's own id. That must contain no tilde, so that ids of
    /// two platforms never collide.
    pub fn of(source: Source, own: &str) -> Result<Self, InvalidId> {
        if !is_own_id(own) {
            return Err(InvalidId { what: "the call id", rule: OWN_ID_RULE });
        }
        Ok(Self(format!("{}{own}", source.prefix())))
    }

    /// The call's platform; `None` if only a newer version knows it.
    pub fn source(&self) -> Option<Source> {
        let prefix = self.0.find('~').map_or("", |tilde| &self.0[..=tilde]);
        Source::ALL.into_iter().find(|source| source.prefix() == prefix)
    }
}

word!(
    /// The stable code of the reason for a call's status.
    #[cfg_attr(feature = "openapi", schemars(example = &"FIELD_CUSTOM_VALIDATION_EXCEPTION"))]
    ErrorCode, "the error code", 80
);

id!(
    /// A Salesforce id in its 18-character form, which is safe to compare case-insensitively.
    #[cfg_attr(feature = "openapi", schemars(example = &"00Q000000000001EAA"))]
    SalesforceId, "the Salesforce id", "15 or 18 letters and digits", "^[A-Za-z0-9]{18}$",
    |text| to_18(&text)
);

impl SalesforceId {
    /// The three characters that identify the object: `00Q` is a Lead.
    pub fn key_prefix(&self) -> &str {
        &self.0[..3]
    }
}

/// Adds the three-character suffix to a 15-character id: one character for every five, whose bits say which
/// of them are upper case (Salesforce Help 000385008).
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
    use proptest::{prelude::*, string::string_regex};

    use super::*;

    fn accepts_what_matches<T: TryFrom<String>>(pattern: &str) {
        let matching = string_regex(pattern.trim_start_matches('^').trim_end_matches('$')).unwrap();
        proptest!(|(text in matching)| {
            prop_assert!(T::try_from(text.clone()).is_ok(), "{text:?}");
        });
    }

    #[test]
    fn what_a_published_pattern_matches_is_accepted() {
        accepts_what_matches::<WorkspaceId>(WorkspaceId::PATTERN);
        accepts_what_matches::<CallId>(CallId::PATTERN);
        accepts_what_matches::<ErrorCode>(ErrorCode::PATTERN);
        accepts_what_matches::<SalesforceId>(SalesforceId::PATTERN);
    }

    #[test]
    fn a_call_id_is_what_its_pattern_and_its_rule_say() {
        assert_eq!(CallId::PATTERN, "^([a-z0-9]{1,16}~)?[A-Za-z0-9_-]{1,128}$");
        let (longest, platform) = ("x".repeat(128), "p".repeat(16));
        for (text, is_valid) in [
            ("call_1-A", true),
            (longest.as_str(), true),
            ("other2~call-1", true),
            (format!("{platform}~{longest}").as_str(), true),
            ("", false),
            ("call 1", false),
            ("call.1", false),
            ("\u{e4}", false),
            ("call-1\n", false),
            (format!("{longest}x").as_str(), false),
            ("~call-1", false),
            ("other~", false),
            ("a~b~c", false),
            ("Other~call-1", false),
            ("ot-her~call-1", false),
            (format!("{platform}p~call-1").as_str(), false),
        ] {
            assert_eq!(CallId::parse(text).is_ok(), is_valid, "{text:?}");
        }
        assert!(CallId::parse("a~b~c").unwrap_err().rule.contains('~'));
    }

    #[test]
    fn a_15_character_id_gets_its_suffix() {
        assert_eq!(SalesforceId::parse("001A0000006Vm9r").unwrap().as_str(), "001A0000006Vm9rIAC");
        assert_eq!(SalesforceId::parse("001A0000006Vm9rIAC").unwrap().as_str(), "001A0000006Vm9rIAC");
    }

    /// Vapi's calls keep the keys that they had before other platforms were possible.
    #[test]
    fn a_vapi_calls_id_is_vapis_own() {
        let call = CallId::of(Source::Vapi, "019a8a2b-0000-7000-8000-000000000001").unwrap();
        assert_eq!(call.as_str(), "019a8a2b-0000-7000-8000-000000000001");
        assert_eq!((CallId::parse(call.as_str()), call.source()), (Ok(call.clone()), Some(Source::Vapi)));
    }

    #[test]
    fn no_id_that_vapi_sends_belongs_to_another_platform() {
        for bad in ["other~call-1", "~call-1", "call-1~", "call~1", "", &"x".repeat(129)] {
            assert!(CallId::of(Source::Vapi, bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_call_of_an_unknown_platform_has_no_source() {
        let call = CallId::parse(format!("other~{}", "x".repeat(128))).unwrap();
        assert_eq!(call.source(), None);
        for bad in
            ["other~", "~call-1", "other~a~b", "other~a b", "Other~a", "ot-her~a", "seventeenletters1~a"]
        {
            assert!(CallId::parse(bad).is_err(), "{bad:?}");
        }
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
