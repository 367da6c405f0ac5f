//! Secrets that are stored as hashes, because they are only compared.

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use ring::digest::{SHA256, digest};

/// The base64url SHA-256 of a secret that is too random to be guessed from its hash.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Hashed(String);

impl Hashed {
    /// Hashes a secret.
    pub fn of(secret: &str) -> Self {
        Self(BASE64_URL_SAFE_NO_PAD.encode(digest(&SHA256, secret.as_bytes())))
    }

    /// The hash as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_base64url_sha_256() {
        // RFC 7636, appendix B.
        let hash = Hashed::of("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
        assert_eq!(hash.as_str(), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    }
}
