//! PKCE (RFC 7636, S256): binds the authorization code to the client that started the flow.

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use ring::{digest, rand};
use secrecy::{ExposeSecret as _, SecretString};

/// A text is not a code verifier, or none can be generated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PkceError {
    /// The operating system's random number generator failed.
    #[error("the operating system's random number generator failed")]
    NoRandomness,
    /// RFC 7636 §4.1.
    #[error("a code verifier is 43 to 128 characters from A-Z, a-z, 0-9, -, ., _ and ~")]
    Invalid,
}

/// The secret of one flow: stored sealed until the callback, then sent with the code.
#[derive(Debug, Clone)]
pub struct Verifier(SecretString);

/// The verifier's SHA-256, which the authorize URL carries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Challenge(String);

impl Verifier {
    /// Generates a verifier from 256 random bits.
    pub fn generate() -> Result<Self, PkceError> {
        let random = rand::generate::<[u8; 32]>(&rand::SystemRandom::new());
        let bytes = random.map_err(|_| PkceError::NoRandomness)?.expose();
        Ok(Self(BASE64_URL_SAFE_NO_PAD.encode(bytes).into()))
    }

    /// Parses a stored verifier.
    pub fn parse(text: SecretString) -> Result<Self, PkceError> {
        let unreserved = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
        let value = text.expose_secret();
        let valid = (43..=128).contains(&value.len()) && value.bytes().all(unreserved);
        if valid { Ok(Self(text)) } else { Err(PkceError::Invalid) }
    }

    /// The verifier, for sealing or sending.
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
    /// The challenge as it appears in the authorize URL.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_challenge_matches_rfc_7636_appendix_b() {
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
    fn verifiers_of_the_wrong_length_or_alphabet_are_refused() {
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
