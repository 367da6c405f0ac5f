//! The generated keys: one ring seals tokens, another signs webhook tokens (docs/contract.md#at-rest).
//!
//! The secret is `{"sealing":[{"id":"1"}],"webhook":[{"id":"1"}],"initial":"<64 characters>"}`. A ring's first key is
//! the current one; the others still open and verify what was made with them. A key without its own `secret` (Base64,
//! 32 bytes) is derived from `initial`, so that a new deployment needs no manual step. A new key,
//! `{"id":"2","secret":"…"}`, is first appended to its list, and moved to the front once every process would find it
//! (`ops/rotate_keys.py`).

use base64::{
    Engine as _,
    alphabet::STANDARD,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use ring::hkdf;
use secrecy::{ExposeSecret as _, SecretBox, SecretString};
use serde::Deserialize;

/// The length of a key, bytes: AES-256 and HMAC-SHA256 both take 32.
pub const KEY_LENGTH: usize = 32;
/// The minimum length of the text that keys are derived from: 32 characters of CloudFormation's alphabet are 190
/// bits.
const INITIAL_LENGTH: usize = 32;

/// An invalid keys secret. Names the place, never the content.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeysError {
    /// Not JSON of the right form.
    #[error("the keys secret is not JSON of the form {{\"sealing\":[…],\"webhook\":[…],\"initial\":\"…\"}}")]
    Form,
    /// An empty list.
    #[error("the keys secret's list `{0}` is empty; its first entry is the current key")]
    NoKey(&'static str),
    /// A key id with characters that tokens cannot contain.
    #[error("the keys secret's list `{0}` has a key id that is not 1 to 32 of A-Z, a-z, 0-9, _ and -")]
    KeyId(&'static str),
    /// Two keys with one id.
    #[error("the keys secret's list `{0}` has the key id {1} twice")]
    Twice(&'static str, String),
    /// A key that is not 32 bytes.
    #[error("the secret of key {1} in the keys secret's list `{0}` is not 32 bytes in Base64")]
    Secret(&'static str, String),
    /// A derived key without anything to derive it from.
    #[error(
        "key {1} in the keys secret's list `{0}` has no secret, and `initial` is shorter than 32 characters"
    )]
    Initial(&'static str, String),
}

impl KeysError {
    /// Stable, for programs.
    pub fn code(&self) -> &'static str {
        "keys_secret_invalid"
    }
}

/// A key and its id.
#[derive(Debug)]
pub struct Key {
    id: String,
    bytes: SecretBox<[u8; KEY_LENGTH]>,
}

impl Key {
    /// The id in values made with this key.
    pub fn id(&self) -> &str {
        &self.id
    }

    pub(crate) fn bytes(&self) -> &[u8; KEY_LENGTH] {
        self.bytes.expose_secret()
    }
}

/// The keys of one purpose: a current one, and older ones.
#[derive(Debug)]
pub struct KeyRing {
    current: Key,
    older: Vec<Key>,
}

impl KeyRing {
    /// The key that new values are made with.
    pub fn current(&self) -> &Key {
        &self.current
    }

    /// The key with this id.
    pub fn find(&self, id: &str) -> Option<&Key> {
        std::iter::once(&self.current).chain(&self.older).find(|key| key.id == id)
    }
}

/// All keys.
#[derive(Debug)]
pub struct Keys {
    /// Seals tokens and verifiers.
    pub sealing: KeyRing,
    /// Signs webhook tokens.
    pub webhook: KeyRing,
}

impl Keys {
    /// Reads the secret.
    pub fn parse(secret: &SecretString) -> Result<Self, KeysError> {
        let stored: StoredKeys = serde_json::from_str(secret.expose_secret()).map_err(|_| KeysError::Form)?;
        Ok(Self {
            sealing: ring_of("sealing", stored.sealing, stored.initial.as_ref())?,
            webhook: ring_of("webhook", stored.webhook, stored.initial.as_ref())?,
        })
    }
}

#[derive(Deserialize)]
struct StoredKeys {
    sealing: Vec<StoredKey>,
    webhook: Vec<StoredKey>,
    initial: Option<SecretString>,
}

#[derive(Deserialize)]
struct StoredKey {
    id: String,
    secret: Option<SecretString>,
}

fn ring_of(
    list: &'static str,
    stored: Vec<StoredKey>,
    initial: Option<&SecretString>,
) -> Result<KeyRing, KeysError> {
    let mut keys: Vec<Key> = Vec::with_capacity(stored.len());
    for key in stored {
        if !is_key_id(&key.id) {
            return Err(KeysError::KeyId(list));
        }
        if keys.iter().any(|other| other.id == key.id) {
            return Err(KeysError::Twice(list, key.id));
        }
        keys.push(key_of(list, key, initial)?);
    }
    if keys.is_empty() {
        return Err(KeysError::NoKey(list));
    }
    let current = keys.remove(0);
    Ok(KeyRing { current, older: keys })
}

fn key_of(list: &'static str, stored: StoredKey, initial: Option<&SecretString>) -> Result<Key, KeysError> {
    let bytes = match (&stored.secret, initial) {
        (Some(secret), _) => decode(secret).ok_or_else(|| KeysError::Secret(list, stored.id.clone()))?,
        (None, Some(initial)) if initial.expose_secret().len() >= INITIAL_LENGTH => {
            derive(initial, list, &stored.id)
        }
        (None, _) => return Err(KeysError::Initial(list, stored.id)),
    };
    Ok(Key { id: stored.id, bytes: SecretBox::new(Box::new(bytes)) })
}

/// A key id is between dots in tokens and between slashes in associated data, so it must not contain either.
fn is_key_id(id: &str) -> bool {
    (1..=32).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
}

fn decode(secret: &SecretString) -> Option<[u8; KEY_LENGTH]> {
    const ANY_PADDING: GeneralPurposeConfig =
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    let base64 = GeneralPurpose::new(&STANDARD, ANY_PADDING);
    base64.decode(secret.expose_secret().trim()).ok()?.try_into().ok()
}

/// HKDF-SHA256 (RFC 5869) with the purpose and the key's id as `info`: `ringlog/sealing/1`.
fn derive(initial: &SecretString, list: &str, id: &str) -> [u8; KEY_LENGTH] {
    let info = format!("ringlog/{list}/{id}");
    let extracted = hkdf::Salt::new(hkdf::HKDF_SHA256, &[]).extract(initial.expose_secret().as_bytes());
    let mut key = [0; KEY_LENGTH];
    // Both only fail for more than 255 times 32 bytes, or a buffer of the wrong length.
    let filled =
        extracted.expand(&[info.as_bytes()], hkdf::HKDF_SHA256).and_then(|material| material.fill(&mut key));
    debug_assert!(filled.is_ok());
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    const INITIAL: &str = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789ab";

    fn parse(secret: &str) -> Result<Keys, KeysError> {
        Keys::parse(&secret.into())
    }

    fn generated() -> String {
        format!(r#"{{"sealing":[{{"id":"1"}}],"webhook":[{{"id":"1"}}],"initial":"{INITIAL}"}}"#)
    }

    #[test]
    fn a_generated_secret_has_a_different_key_for_each_purpose() {
        let keys = parse(&generated()).unwrap();
        assert_eq!(keys.sealing.current().id(), "1");
        assert_ne!(keys.sealing.current().bytes(), keys.webhook.current().bytes());
        assert_ne!(keys.sealing.current().bytes(), &[0; KEY_LENGTH]);
    }

    #[test]
    fn derived_keys_never_change() {
        // HKDF-SHA256 of INITIAL, info "ringlog/sealing/1", computed independently (RFC 5869, empty salt).
        let key = parse(&generated()).unwrap();
        let key = base64::prelude::BASE64_STANDARD.encode(key.sealing.current().bytes());
        assert_eq!(key, "cla6xgm3jioKAyiq/3XdvOZa5iEQ3/tai4IvvqGmTF4=");
    }

    #[test]
    fn after_a_rotation_the_new_key_is_current_and_the_old_one_is_found() {
        let own = base64::prelude::BASE64_STANDARD.encode([7; 32]);
        let rotated = generated().replace(
            r#""sealing":[{"id":"1"}]"#,
            &format!(r#""sealing":[{{"id":"2","secret":"{own}"}},{{"id":"1"}}]"#),
        );
        let (before, after) = (parse(&generated()).unwrap(), parse(&rotated).unwrap());
        assert_eq!(after.sealing.current().id(), "2");
        assert_eq!(after.sealing.current().bytes(), &[7; 32]);
        assert_eq!(after.sealing.find("1").unwrap().bytes(), before.sealing.current().bytes());
        assert_eq!(after.webhook.current().bytes(), before.webhook.current().bytes());
        assert!(after.sealing.find("3").is_none());
    }

    #[test]
    fn an_invalid_secret_names_the_rule_and_place_but_not_its_content() {
        let cases = [
            ("hello", KeysError::Form),
            (r#"{"sealing":[],"webhook":[{"id":"1"}]}"#, KeysError::NoKey("sealing")),
            (r#"{"sealing":[{"id":"a.b"}],"webhook":[]}"#, KeysError::KeyId("sealing")),
            (r#"{"sealing":[{"id":"1"}],"webhook":[]}"#, KeysError::Initial("sealing", "1".into())),
            (
                r#"{"sealing":[{"id":"1"}],"webhook":[],"initial":"short"}"#,
                KeysError::Initial("sealing", "1".into()),
            ),
            (
                r#"{"sealing":[{"id":"2","secret":"c2hvcnQ="}],"webhook":[]}"#,
                KeysError::Secret("sealing", "2".into()),
            ),
        ];
        for (secret, expected) in cases {
            let error = parse(secret).unwrap_err();
            assert_eq!(error, expected, "{secret}");
            assert!(!error.to_string().contains("c2hvcnQ"));
        }
        let twice = generated().replace(r#""webhook":[{"id":"1"}]"#, r#""webhook":[{"id":"1"},{"id":"1"}]"#);
        assert_eq!(parse(&twice).unwrap_err(), KeysError::Twice("webhook", "1".into()));
    }

    #[test]
    fn debug_output_hides_the_keys() {
        let text = format!("{:?}", parse(&generated()).unwrap());
        assert!(text.contains("REDACTED") && !text.contains(INITIAL), "{text}");
    }
}
