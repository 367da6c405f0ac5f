//! The token endpoint's response, used only after its signature and its hosts are verified.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use calls::codes::faults;
use crm::{CrmError, FaultClass};
use ring::hmac;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use worker::ports::Tokens;

use crate::{
    errors::{self, Effect},
    hosts::{Hosts, IdentityUrl},
    transport,
};

/// What a user has granted: tokens, and the user and org that they belong to.
#[derive(Debug, Clone)]
pub struct Grant {
    /// The tokens, and the instance that accepts them.
    pub tokens: Tokens,
    /// The org and the user.
    pub identity: IdentityUrl,
}

/// The body. It has no `expires_in`, and `issued_at` is a string of epoch milliseconds. Not `Debug`: it holds tokens in
/// plain text.
#[derive(Deserialize)]
struct TokenResponse {
    access_token: String,
    refresh_token: Option<String>,
    signature: String,
    instance_url: String,
    id: String,
    issued_at: String,
}

/// Parses and verifies a response.
pub(crate) fn verify(body: &[u8], hosts: &Hosts, client_secret: &SecretString) -> Result<Grant, CrmError> {
    let response: TokenResponse = transport::parse(body, Effect::Creates)?;
    if !is_signed(&response, client_secret) {
        return Err(errors::without_answer(
            FaultClass::OwnConfiguration,
            faults::BAD_SIGNATURE.code,
            "the token response is not signed with our client secret",
        ));
    }
    let identity = hosts.identity(&response.id).map_err(transport::refused)?;
    let instance = hosts.instance(&response.instance_url).map_err(transport::refused)?;
    let issued_at: i64 = response.issued_at.parse().map_err(|_| errors::unexpected(Effect::Creates))?;
    let tokens = Tokens {
        access_token: response.access_token.into(),
        refresh_token: response.refresh_token.map(SecretString::from),
        instance_url: instance.as_str().to_owned(),
        issued_at: issued_at / 1000,
    };
    Ok(Grant { tokens, identity })
}

/// `signature` is the Base64 HMAC-SHA256 of `id` and `issued_at`, keyed with the client secret. Compares in constant
/// time.
fn is_signed(response: &TokenResponse, client_secret: &SecretString) -> bool {
    let key = hmac::Key::new(hmac::HMAC_SHA256, client_secret.expose_secret().as_bytes());
    let signed = format!("{}{}", response.id, response.issued_at);
    let tag = BASE64_STANDARD.decode(&response.signature);
    tag.is_ok_and(|tag| hmac::verify(&key, signed.as_bytes(), &tag).is_ok())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const SECRET: &str = "client-secret";

    fn response() -> Value {
        let (id, issued_at) =
            ("https://login.salesforce.com/id/00Dxx0000000001EAA/005xx000001Sv6AAAS", "1773532800123");
        let key = hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes());
        let signature = BASE64_STANDARD.encode(hmac::sign(&key, format!("{id}{issued_at}").as_bytes()));
        json!({
            "access_token": "00Dxx!access", "refresh_token": "5Aep-refresh", "signature": signature,
            "scope": "refresh_token api", "instance_url": "https://acme.my.salesforce.com",
            "id": id, "token_type": "Bearer", "issued_at": issued_at,
        })
    }

    fn grant(response: &Value) -> Result<Grant, CrmError> {
        let hosts = Hosts::of_deployment("https://login.salesforce.com").unwrap();
        verify(response.to_string().as_bytes(), &hosts, &SECRET.into())
    }

    #[test]
    fn a_signed_response_becomes_a_grant() {
        let grant = grant(&response()).unwrap();
        assert_eq!(grant.tokens.access_token.expose_secret(), "00Dxx!access");
        assert_eq!(grant.tokens.refresh_token.as_ref().unwrap().expose_secret(), "5Aep-refresh");
        assert_eq!(grant.tokens.instance_url, "https://acme.my.salesforce.com");
        assert_eq!(grant.tokens.issued_at, 1_773_532_800);
        assert_eq!(grant.identity.org_id.as_str(), "00Dxx0000000001EAA");
    }

    #[test]
    fn without_rotation_there_is_no_new_refresh_token() {
        let mut response = response();
        response.as_object_mut().unwrap().remove("refresh_token");
        assert!(grant(&response).unwrap().tokens.refresh_token.is_none());
    }

    #[test]
    fn a_tampered_response_is_refused() {
        for (field, value) in [
            ("id", "https://login.salesforce.com/id/00Dxx0000000002EAA/005xx000001Sv6AAAS"),
            ("issued_at", "1773532800124"),
            ("signature", "AAAA"),
            ("signature", "not base64!"),
            ("signature", ""),
        ] {
            let mut response = response();
            response[field] = value.into();
            let error = grant(&response).unwrap_err();
            assert_eq!((error.code.as_str(), error.class), ("bad_signature", FaultClass::OwnConfiguration));
        }
    }

    #[test]
    fn an_instance_outside_salesforce_is_refused() {
        let mut response = response();
        response["instance_url"] = "https://acme.my.salesforce.com.evil.example".into();
        assert_eq!(grant(&response).unwrap_err().code, "instance_url_refused");
    }

    #[test]
    fn a_response_without_a_token_is_ambiguous() {
        let mut response = response();
        response.as_object_mut().unwrap().remove("access_token");
        assert_eq!(grant(&response).unwrap_err().class, FaultClass::Ambiguous);
    }

    #[test]
    fn debug_output_hides_the_tokens() {
        let text = format!("{:?}", grant(&response()).unwrap());
        assert!(!text.contains("00Dxx!access") && !text.contains("5Aep"), "{text}");
    }
}
