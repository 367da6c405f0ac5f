//! PKCE (RFC 7636, S256): binds the authorization code to whoever began the flow.

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use ring::{digest, rand};
use secrecy::{ExposeSecret as _, SecretString};

/// A text that is no code verifier, or no randomness to make one from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PkceError {
    /// The operating system gave no random bytes.
    #[error("the operating system gives no random bytes")]
    NoRandomness,
    /// RFC 7636 §4.1.
    #[error("a code verifier is 43 to 128 of A-Z, a-z, 0-9, -, ., _ and ~")]
    Invalid,
}

/// The secret of one flow: kept sealed until the callback, then sent with the code.
#[derive(Debug, Clone)]
pub struct Verifier(SecretString);

/// What the authorize URL carries of it: its SHA-256.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Challenge(String);

impl Verifier {
    /// Draws a verifier: 256 random bits.
    pub fn generate() -> Result<Self, PkceError> {
        let random = rand::generate::<[u8; 32]>(&rand::SystemRandom::new());
        let bytes = random.map_err(|_| PkceError::NoRandomness)?.expose();
        Ok(Self(BASE64_URL_SAFE_NO_PAD.encode(bytes).into()))
    }

    /// Parses a verifier that was stored.
    pub fn parse(text: SecretString) -> Result<Self, PkceError> {
        let unreserved = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
        let value = text.expose_secret();
        let valid = (43..=128).contains(&value.len()) && value.bytes().all(unreserved);
        if valid { Ok(Self(text)) } else { Err(PkceError::Invalid) }
    }

    /// The verifier, to be sealed or sent.
    pub fn secret(&self) -> &SecretString {
        &self.0
    }

    /// Its challenge.
    pub fn challenge(&self) -> Challenge {
        let hash = digest::digest(&digest::SHA256, self.0.expose_secret().as_bytes());
        Challenge(BASE64_URL_SAFE_NO_PAD.encode(hash))
    }
}

impl Challenge {
    /// The challenge as the authorize URL carries it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_challenge_is_that_of_rfc_7636_appendix_b() {
        let verifier = Verifier::parse("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk".into()).unwrap();
        assert_eq!(verifier.challenge().as_str(), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    }

    #[test]
    fn generated_verifiers_are_valid_and_differ() {
        let (one, other) = (Verifier::generate().unwrap(), Verifier::generate().unwrap());
        assert!(Verifier::parse(one.secret().clone()).is_ok());
        assert_ne!(one.secret().expose_secret(), other.secret().expose_secret());
    }

    #[test]
    fn short_long_and_foreign_verifiers_are_refused() {
        for bad in ["x".repeat(42), "x".repeat(129), format!("{}=", "x".repeat(43))] {
            assert_eq!(Verifier::parse(bad.into()).unwrap_err(), PkceError::Invalid);
        }
    }

    #[test]
    fn debug_output_hides_the_verifier() {
        let verifier = Verifier::parse("x".repeat(43).into()).unwrap();
        assert!(!format!("{verifier:?}").contains("xxx"));
    }
}
