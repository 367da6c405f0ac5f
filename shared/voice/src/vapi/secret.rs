//! Where Vapi sends the server secret, which is a workspace's webhook token.

use http::{HeaderMap, header};

/// The header for the server secret.
pub const SECRET_HEADER: &str = "X-Vapi-Secret";

/// The secret in a request: in [`SECRET_HEADER`], or else in `Authorization: Bearer`.
pub fn secret(headers: &HeaderMap) -> Option<&str> {
    let secret = headers.get(SECRET_HEADER).map(|secret| secret.to_str().unwrap_or("not a token").trim());
    if let Some(secret) = secret.filter(|secret| !secret.is_empty()) {
        return Some(secret);
    }
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.trim().split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers<const N: usize>(headers: [(&'static str, &'static str); N]) -> HeaderMap {
        headers.into_iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    #[test]
    fn the_secret_is_read_from_either_header() {
        for (sent, expected) in [
            (headers([("x-vapi-secret", "rlw1.acme")]), Some("rlw1.acme")),
            (headers([("authorization", "Bearer rlw1.acme")]), Some("rlw1.acme")),
            (headers([("authorization", "bearer  rlw1.acme")]), Some("rlw1.acme")),
            (headers([("authorization", "Bearer rlw1.acme"), ("x-vapi-secret", "")]), Some("rlw1.acme")),
            (headers([("authorization", "Basic rlw1.acme")]), None),
            (headers([("x-vapi-secret", "")]), None),
            (HeaderMap::new(), None),
        ] {
            assert_eq!(secret(&sent), expected, "{sent:?}");
        }
    }
}
