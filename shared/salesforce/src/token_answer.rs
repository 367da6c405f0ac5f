//! The answer of the token endpoint, believed only after its signature and its hosts are checked.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use calls::{
    codes::faults,
    crm::{CrmError, FaultClass},
    ports::Tokens,
};
use ring::hmac;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;

use crate::{
    errors::{self, Effect},
    hosts::{Hosts, IdentityUrl},
    transport,
};

/// What a user granted: tokens, and whose they are.
#[derive(Debug, Clone)]
pub struct Grant {
    /// The tokens, and where they are good.
    pub tokens: Tokens,
    /// The org and the user.
    pub identity: IdentityUrl,
}

/// What the token endpoint answers. There is no `expires_in`, and `issued_at` is a text of epoch milliseconds. Not
/// `Debug`: it holds tokens in clear.
#[derive(Deserialize)]
struct TokenAnswer {
    access_token: String,
    refresh_token: Option<String>,
    signature: String,
    instance_url: String,
    id: String,
    issued_at: String,
}

/// Reads and checks an answer.
pub(crate) fn verified(body: &[u8], hosts: &Hosts, client_secret: &SecretString) -> Result<Grant, CrmError> {
    let answer: TokenAnswer = transport::parse(body, Effect::Creates)?;
    if !is_signed(&answer, client_secret) {
        return Err(errors::without_answer(
            FaultClass::OwnConfiguration,
            faults::BAD_SIGNATURE.code,
            "the token answer is not signed with our client secret",
        ));
    }
    let identity = hosts.identity(&answer.id).map_err(transport::refused)?;
    let instance = hosts.instance(&answer.instance_url).map_err(transport::refused)?;
    let issued_at: i64 = answer.issued_at.parse().map_err(|_| errors::unexpected(Effect::Creates))?;
    let tokens = Tokens {
        access_token: answer.access_token.into(),
        refresh_token: answer.refresh_token.map(SecretString::from),
        instance_url: instance.as_str().to_owned(),
        issued_at: issued_at / 1000,
    };
    Ok(Grant { tokens, identity })
}

/// `signature` is the Base64 HMAC-SHA256 of `id` and `issued_at` under the client secret; compared in constant time.
fn is_signed(answer: &TokenAnswer, client_secret: &SecretString) -> bool {
    let key = hmac::Key::new(hmac::HMAC_SHA256, client_secret.expose_secret().as_bytes());
    let signed = format!("{}{}", answer.id, answer.issued_at);
    let tag = BASE64_STANDARD.decode(&answer.signature);
    tag.is_ok_and(|tag| hmac::verify(&key, signed.as_bytes(), &tag).is_ok())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const SECRET: &str = "client-secret";

    fn answer() -> Value {
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

    fn verify(answer: &Value) -> Result<Grant, CrmError> {
        let hosts = Hosts::of_deployment("https://login.salesforce.com").unwrap();
        verified(answer.to_string().as_bytes(), &hosts, &SECRET.into())
    }

    #[test]
    fn a_signed_answer_gives_tokens_and_whose_they_are() {
        let grant = verify(&answer()).unwrap();
        assert_eq!(grant.tokens.access_token.expose_secret(), "00Dxx!access");
        assert_eq!(grant.tokens.refresh_token.as_ref().unwrap().expose_secret(), "5Aep-refresh");
        assert_eq!(grant.tokens.instance_url, "https://acme.my.salesforce.com");
        assert_eq!(grant.tokens.issued_at, 1_773_532_800);
        assert_eq!(grant.identity.org_id.as_str(), "00Dxx0000000001EAA");
    }

    #[test]
    fn without_rotation_there_is_no_new_refresh_token() {
        let mut answer = answer();
        answer.as_object_mut().unwrap().remove("refresh_token");
        assert!(verify(&answer).unwrap().tokens.refresh_token.is_none());
    }

    #[test]
    fn a_changed_answer_is_refused() {
        for (field, value) in [
            ("id", "https://login.salesforce.com/id/00Dxx0000000002EAA/005xx000001Sv6AAAS"),
            ("issued_at", "1773532800124"),
            ("signature", "AAAA"),
            ("signature", "not base64!"),
            ("signature", ""),
        ] {
            let mut answer = answer();
            answer[field] = value.into();
            let error = verify(&answer).unwrap_err();
            assert_eq!((error.code.as_str(), error.class), ("bad_signature", FaultClass::OwnConfiguration));
        }
    }

    #[test]
    fn an_instance_outside_salesforce_is_refused() {
        let mut answer = answer();
        answer["instance_url"] = "https://acme.my.salesforce.com.evil.example".into();
        assert_eq!(verify(&answer).unwrap_err().code, "instance_url_refused");
    }

    #[test]
    fn an_answer_without_a_token_leaves_open_what_happened() {
        let mut answer = answer();
        answer.as_object_mut().unwrap().remove("access_token");
        assert_eq!(verify(&answer).unwrap_err().class, FaultClass::Ambiguous);
    }

    #[test]
    fn debug_output_hides_the_tokens() {
        let text = format!("{:?}", verify(&answer()).unwrap());
        assert!(!text.contains("00Dxx!access") && !text.contains("5Aep"), "{text}");
    }
}
