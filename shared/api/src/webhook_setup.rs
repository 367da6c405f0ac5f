//! What a workspace pastes into Vapi.

use serde::{Deserialize, Serialize};
use voice::vapi::SECRET_HEADER;

#[cfg(test)]
use crate::description::{Operation, Schemas, Tag, Who, routes};

/// What to paste into Vapi.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Webhook {
    /// The server URL.
    #[cfg_attr(test, schemars(url, example = &"https://api.example.com/webhook/vapi"))]
    pub url: String,
    /// The header that Vapi sends the secret in.
    #[cfg_attr(test, schemars(extend("const" = SECRET_HEADER)))]
    header: &'static str,
    /// The secret.
    pub secret: String,
}

impl Webhook {
    /// A URL and the secret for it.
    pub fn new(url: String, secret: String) -> Self {
        Self { url, header: SECRET_HEADER, secret }
    }
}

/// How to rotate the secret.
#[derive(Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct RotateRequest {
    /// Whether the current secret stops working at once.
    pub revoke_previous: bool,
}

#[cfg(test)]
pub(crate) fn operations(schemas: &mut Schemas) -> Vec<Operation> {
    vec![
        Operation::new(routes::WEBHOOK_SETUP, "getWebhook", Tag::Vapi, Who::Admin)
            .describe("Show what to paste into Vapi", "")
            .success(200, "URL, header and secret.", &schemas.response::<Webhook>()),
        Operation::new(routes::WEBHOOK_ROTATE, "rotateWebhook", Tag::Vapi, Who::Admin)
            .describe(
                "Rotate the webhook secret",
                "The current secret keeps working until the next rotation, unless `revokePrevious` is set. \
                 Calls that are reported with a revoked secret are never logged.",
            )
            .optional_body(&schemas.request::<RotateRequest>())
            .success(200, "URL, header and the new secret.", &schemas.response::<Webhook>()),
    ]
}
