//! The start of a connect.

use serde::Serialize;

#[cfg(test)]
use crate::description::{Operation, ProblemCode, Schemas, Tag, Who, json, routes};

/// Where to send the user.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Authorization {
    /// Salesforce's authorize URL.
    #[cfg_attr(test, schemars(url))]
    pub auth_url: String,
}

#[cfg(test)]
pub(crate) fn operations(schemas: &mut Schemas) -> Vec<Operation> {
    use platform::routes::OAUTH_COOKIE;

    vec![
        Operation::new(routes::OAUTH_INITIATE, "initiateSalesforceOAuth", Tag::Connection, Who::Admin)
            .describe(
                "Start connecting",
                "Returns Salesforce's authorize URL, to be opened in a popup, and sets the cookie that binds \
                 the flow to this browser. So the request must send credentials, and API and dashboard must \
                 be on one site. The flow lasts ten minutes.",
            )
            .parameter(json!({
                "name": "loginUrl",
                "in": "query",
                "description": "Where the user logs in: `https://login.salesforce.com`, \
                    `https://test.salesforce.com` (a sandbox), or the org's My Domain. The address of any \
                    page in Lightning or Setup is taken as the org's My Domain. Default: the workspace's \
                    setting, else the deployment's.",
                "schema": { "type": "string" },
                "example": "https://acme.my.salesforce.com",
            }))
            .success(200, "The flow has started.", &schemas.response::<Authorization>())
            .header(
                200,
                "Set-Cookie",
                json!({
                    "description": format!("`{OAUTH_COOKIE}`: HttpOnly, Secure, SameSite=Lax"),
                    "required": true,
                    "schema": { "type": "string" },
                }),
            )
            .refuse(schemas.refusal("LoginUrlRefused", &[ProblemCode::LoginUrlRefused])),
    ]
}
