//! Sealing: stored tokens and verifiers open only with our keys, and only where they were stored.
//!
//! A sealed value is `v1.<key id>.<base64url(nonce || ciphertext || tag)>`: AES-256-GCM with a random 96-bit nonce
//! and the associated data `<workspace id>/<field>/<key id>`, so that a value that was moved to another workspace or
//! field does not open.

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use calls::ids::WorkspaceId;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use secrecy::{ExposeSecret as _, SecretString};
use worker::ports::StoreError;

use crate::{
    keys::{Key, KeyRing},
    random,
    secrets::KeySource,
};

const VERSION: &str = "v1";

/// The fields with sealed values. Their names are authenticated, so they must never change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    /// The access token.
    AccessToken,
    /// The refresh token.
    RefreshToken,
    /// The PKCE verifier of a connect flow.
    CodeVerifier,
}

impl Field {
    /// The column's name.
    pub const fn column(self) -> &'static str {
        match self {
            Self::AccessToken => "salesforce_access_token",
            Self::RefreshToken => "salesforce_refresh_token",
            Self::CodeVerifier => "code_verifier",
        }
    }
}

/// A sealed value as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed(String);

impl Sealed {
    /// A stored value; whether it is valid shows when it is opened.
    pub fn stored(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text to store.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Why a value cannot be opened or sealed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// Not a sealed value.
    #[error("not a sealed value of version 1")]
    Malformed,
    /// Its key is missing. To fix it, put the key back into the keys secret.
    #[error("sealed with key {0}, which the keys secret does not have (any more)")]
    UnknownKey(String),
    /// Modified, or moved from another workspace or field.
    #[error(
        "does not open here: it was changed, or sealed for another workspace or field, or with another key of this id"
    )]
    NotAuthentic,
    /// Longer than AES-GCM can take (64 GiB).
    #[error("too long to be sealed")]
    TooLong,
    /// The keys could not be read.
    #[error(transparent)]
    Keys(#[from] StoreError),
}

impl SealError {
    /// Stable, for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Malformed => "sealed_value_malformed",
            Self::UnknownKey(_) => "sealing_key_unknown",
            Self::NotAuthentic => "sealed_value_not_authentic",
            Self::TooLong => "value_too_long_to_seal",
            Self::Keys(_) => "keys_unavailable",
        }
    }
}

/// Seals with the current key.
pub fn seal(
    keys: &KeyRing,
    workspace_id: &WorkspaceId,
    field: Field,
    secret: &SecretString,
) -> Result<Sealed, SealError> {
    let key = keys.current();
    let nonce: [u8; NONCE_LEN] = random::bytes();
    let mut sealed = secret.expose_secret().as_bytes().to_vec();
    cipher(key)
        .and_then(|cipher| {
            let nonce = Nonce::assume_unique_for_key(nonce);
            cipher.seal_in_place_append_tag(nonce, associated_data(workspace_id, field, key), &mut sealed)
        })
        .map_err(|_| SealError::TooLong)?;
    let text = BASE64_URL_SAFE_NO_PAD.encode([&nonce, sealed.as_slice()].concat());
    Ok(Sealed(format!("{VERSION}.{}.{text}", key.id())))
}

/// Opens a value that was sealed with any key of the ring, for this workspace and field.
pub fn open(
    keys: &KeyRing,
    workspace_id: &WorkspaceId,
    field: Field,
    sealed: &Sealed,
) -> Result<SecretString, SealError> {
    let (key_id, nonce, mut bytes) = parse(&sealed.0).ok_or(SealError::Malformed)?;
    let key = keys.find(key_id).ok_or_else(|| SealError::UnknownKey(key_id.to_owned()))?;
    let cipher = cipher(key).map_err(|_| SealError::NotAuthentic)?;
    let plain = cipher
        .open_in_place(nonce, associated_data(workspace_id, field, key), &mut bytes)
        .map_err(|_| SealError::NotAuthentic)?;
    std::str::from_utf8(plain).map(SecretString::from).map_err(|_| SealError::NotAuthentic)
}

fn parse(text: &str) -> Option<(&str, Nonce, Vec<u8>)> {
    let (key_id, bytes) = text.strip_prefix(VERSION)?.strip_prefix('.')?.split_once('.')?;
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(bytes).ok()?;
    let (nonce, sealed) = bytes.split_at_checked(NONCE_LEN)?;
    Some((key_id, Nonce::try_assume_unique_for_key(nonce).ok()?, sealed.to_vec()))
}

fn cipher(key: &Key) -> Result<LessSafeKey, ring::error::Unspecified> {
    UnboundKey::new(&AES_256_GCM, key.bytes()).map(LessSafeKey::new)
}

fn associated_data(workspace_id: &WorkspaceId, field: Field, key: &Key) -> Aad<String> {
    Aad::from(format!("{workspace_id}/{}/{}", field.column(), key.id()))
}

/// Seals and opens with a source's keys. If a value names an unknown key, the keys are read again.
#[derive(Debug, Clone)]
pub struct Sealer<K> {
    keys: K,
}

impl<K: KeySource> Sealer<K> {
    /// A sealer with these keys.
    pub fn new(keys: K) -> Self {
        Self { keys }
    }

    /// Reads the keys in advance.
    pub async fn prepare(&self) -> Result<(), StoreError> {
        self.keys.keys().await.map(drop)
    }

    /// Seals a secret.
    pub async fn seal(
        &self,
        workspace_id: &WorkspaceId,
        field: Field,
        secret: &SecretString,
    ) -> Result<Sealed, SealError> {
        seal(&self.keys.keys().await?.sealing, workspace_id, field, secret)
    }

    /// Opens a sealed secret.
    pub async fn open(
        &self,
        workspace_id: &WorkspaceId,
        field: Field,
        sealed: &Sealed,
    ) -> Result<SecretString, SealError> {
        match open(&self.keys.keys().await?.sealing, workspace_id, field, sealed) {
            Err(SealError::UnknownKey(_)) => {
                open(&self.keys.reread().await?.sealing, workspace_id, field, sealed)
            }
            done => done,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{keys::Keys, testing::keys};

    fn workspace(id: &str) -> WorkspaceId {
        WorkspaceId::parse(id).unwrap()
    }

    fn sealed_for_acme(keys: &Keys) -> Sealed {
        seal(&keys.sealing, &workspace("acme"), Field::AccessToken, &"00D!token".into()).unwrap()
    }

    #[test]
    fn a_sealed_value_opens_where_it_was_stored() {
        let keys = keys::with_ids(&["1"]);
        let sealed = sealed_for_acme(&keys);
        assert!(sealed.as_str().starts_with("v1.1."));
        assert!(!sealed.as_str().contains("token"));
        let opened = open(&keys.sealing, &workspace("acme"), Field::AccessToken, &sealed).unwrap();
        assert_eq!(opened.expose_secret(), "00D!token");
    }

    #[test]
    fn sealing_the_same_value_twice_gives_different_texts() {
        let keys = keys::with_ids(&["1"]);
        assert_ne!(sealed_for_acme(&keys), sealed_for_acme(&keys));
    }

    #[test]
    fn a_value_moved_to_another_workspace_or_field_does_not_open() {
        let keys = keys::with_ids(&["1"]);
        let sealed = sealed_for_acme(&keys);
        for (id, field) in [("other", Field::AccessToken), ("acme", Field::RefreshToken)] {
            let opened = open(&keys.sealing, &workspace(id), field, &sealed);
            assert_eq!(opened.unwrap_err(), SealError::NotAuthentic);
        }
    }

    #[test]
    fn a_changed_bit_anywhere_prevents_opening() {
        let keys = keys::with_ids(&["1"]);
        let sealed = sealed_for_acme(&keys);
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(&sealed.as_str()["v1.1.".len()..]).unwrap();
        for bit in 0..bytes.len() * 8 {
            let mut changed = bytes.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            let changed = Sealed::stored(format!("v1.1.{}", BASE64_URL_SAFE_NO_PAD.encode(changed)));
            let opened = open(&keys.sealing, &workspace("acme"), Field::AccessToken, &changed);
            assert_eq!(opened.unwrap_err(), SealError::NotAuthentic, "bit {bit}");
        }
    }

    #[test]
    fn old_keys_still_open_and_a_relabelled_value_does_not() {
        let sealed = sealed_for_acme(&keys::with_ids(&["1"]));
        let rotated = keys::with_ids(&["2", "1"]);
        assert!(sealed_for_acme(&rotated).as_str().starts_with("v1.2."));
        assert!(open(&rotated.sealing, &workspace("acme"), Field::AccessToken, &sealed).is_ok());
        let relabelled = Sealed::stored(sealed.as_str().replace("v1.1.", "v1.2."));
        let opened = open(&rotated.sealing, &workspace("acme"), Field::AccessToken, &relabelled);
        assert_eq!(opened.unwrap_err(), SealError::NotAuthentic);
    }

    #[test]
    fn a_value_that_does_not_open_has_a_stable_code() {
        let keys = keys::with_ids(&["1"]);
        for (text, code) in [
            ("", "sealed_value_malformed"),
            ("00D!token", "sealed_value_malformed"),
            ("v2.1.AAAA", "sealed_value_malformed"),
            ("v1.1.!!", "sealed_value_malformed"),
            ("v1.1.AAAA", "sealed_value_malformed"),
            ("v1.9.AAAAAAAAAAAAAAAAAAAAAAAA", "sealing_key_unknown"),
            ("v1.1.AAAAAAAAAAAAAAAAAAAAAAAA", "sealed_value_not_authentic"),
        ] {
            let opened = open(&keys.sealing, &workspace("acme"), Field::AccessToken, &Sealed::stored(text));
            assert_eq!(opened.unwrap_err().code(), code, "{text:?}");
        }
    }

    #[tokio::test]
    async fn an_unknown_key_id_makes_the_sealer_read_the_keys_again() {
        let source = keys::Rotating::new(keys::with_ids(&["1"]), keys::with_ids(&["2", "1"]));
        let sealed = sealed_for_acme(&keys::with_ids(&["2"]));
        let opened = Sealer::new(source).open(&workspace("acme"), Field::AccessToken, &sealed).await.unwrap();
        assert_eq!(opened.expose_secret(), "00D!token");
    }
}
