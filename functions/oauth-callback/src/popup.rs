//! The popup's page: reports the result to its opener, and closes itself if there is nothing to read.

use api::oauth_callback::ConnectMessage;
use base64::{Engine, prelude::BASE64_STANDARD};
use lambda_http::{
    Body, Response,
    http::{StatusCode, header},
};
use maud::{DOCTYPE, PreEscaped, html};
use ring::digest::{SHA256, digest};

/// Reads its data from the document, so that it is the same for everyone and its hash can be in the policy.
const SCRIPT: &str = include_str!("popup/popup.js");
const STYLE: &str = include_str!("popup/popup.css");

/// Renders the page. Only `dashboard_url`, an origin, receives the message.
pub fn page(status: StatusCode, message: &ConnectMessage<'_>, dashboard_url: &str) -> Response<Body> {
    let title = if message.success { "Salesforce is connected" } else { "Salesforce could not be connected" };
    // Serializing it cannot fail.
    let written = serde_json::to_string(message).unwrap_or_default();
    let document = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width";
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body data-message=(written) data-origin=(dashboard_url) {
                main {
                    h1 { (title) }
                    p { (message.detail) }
                    p { "You can close this window." }
                }
                script { (PreEscaped(SCRIPT)) }
            }
        }
    };
    let policy = format!(
        "default-src 'none'; script-src 'sha256-{}'; style-src 'sha256-{}'; base-uri 'none'; form-action 'none'; \
         frame-ancestors 'none'",
        hash(SCRIPT),
        hash(STYLE)
    );
    let mut response = Response::new(Body::from(document.into_string()));
    *response.status_mut() = status;
    for (name, value) in [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CACHE_CONTROL, "no-store"),
        (header::CONTENT_SECURITY_POLICY, policy.as_str()),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ] {
        if let Ok(value) = value.parse() {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

fn hash(text: &str) -> String {
    BASE64_STANDARD.encode(digest(&SHA256, text.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(message: &ConnectMessage<'_>) -> (String, Response<Body>) {
        let response = page(StatusCode::OK, message, "https://app.example.com");
        let Body::Text(text) = response.body().clone() else { panic!("no text") };
        (text, response)
    }

    #[test]
    fn salesforces_text_cannot_become_markup() {
        let detail = "\"><script>alert(1)</script>";
        let (text, _) = body(&ConnectMessage::refused("access_denied", detail));
        assert_eq!(text.matches("<script>").count(), 1);
        assert!(!text.contains("alert(1)</script>"));
    }

    #[test]
    fn the_policy_allows_only_this_script() {
        let (text, response) = body(&ConnectMessage::connected("Done."));
        let script = text.split_once("<script>").unwrap().1.split_once("</script>").unwrap().0;
        let policy = response.headers()[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
        assert!(policy.contains(&format!("script-src 'sha256-{}'", hash(script))));
        assert!(!policy.contains("unsafe"));
        assert!(text.contains(r#"data-origin="https://app.example.com""#));
    }
}
