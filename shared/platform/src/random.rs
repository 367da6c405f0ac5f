//! The operating system's randomness.

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use ring::rand::SecureRandom as _;
use worker::ports::Random;

/// The operating system's randomness, suitable for secrets.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemRandom;

impl Random for SystemRandom {
    /// 256 random bits as base64url: 43 characters.
    fn id(&self) -> String {
        BASE64_URL_SAFE_NO_PAD.encode(bytes::<32>())
    }

    fn fraction(&self) -> f64 {
        // A double has 53 bits: every value is exact, and 1.0 is never reached.
        let bits = u64::from_be_bytes(bytes()) >> 11;
        #[expect(clippy::cast_precision_loss, reason = "53 bits fit a double")]
        let fraction = bits as f64 / (1_u64 << 53) as f64;
        fraction
    }
}

/// Random bytes. The kernel does not fail once it has booted; if it did, waiting would be the only safe option.
pub(crate) fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    while ring::rand::SystemRandom::new().fill(&mut bytes).is_err() {
        std::thread::yield_now();
    }
    bytes
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn ids_hold_256_bits_and_never_repeat() {
        let ids: HashSet<_> = (0..1000).map(|_| SystemRandom.id()).collect();
        assert_eq!(ids.len(), 1000);
        assert!(ids.iter().all(|id| BASE64_URL_SAFE_NO_PAD.decode(id).unwrap().len() == 32));
    }

    #[test]
    fn fractions_are_between_zero_and_one() {
        assert!((0..1000).map(|_| SystemRandom.fraction()).all(|f| (0.0..1.0).contains(&f)));
    }
}
