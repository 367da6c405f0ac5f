//! The end of a connect: the callback's JSON response, and the message that its page posts to the window that opened
//! it.

use serde::Serialize;

#[cfg(test)]
use crate::description::{Operation, ProblemCode, Schemas, Tag, Who, json, routes};

/// The workspace is connected.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Connected {
    /// Always true.
    #[cfg_attr(test, schemars(extend("const" = true)))]
    pub success: bool,
    /// The org's address.
    #[cfg_attr(test, schemars(url))]
    pub instance_url: String,
}

const CONNECT_MESSAGE: &str = "ringlog.salesforce";

/// What the callback's page posts to the window that opened it.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ConnectMessage<'a> {
    /// Distinguishes this message from others.
    #[cfg_attr(test, schemars(extend("const" = CONNECT_MESSAGE)))]
    r#type: &'static str,
    /// Whether the workspace is connected now.
    pub success: bool,
    /// The problem's code; null if the workspace is connected.
    pub code: Option<&'a str>,
    /// What happened, in a sentence or two.
    pub detail: &'a str,
}

impl<'a> ConnectMessage<'a> {
    /// The workspace is connected.
    pub fn connected(detail: &'a str) -> Self {
        Self { r#type: CONNECT_MESSAGE, success: true, code: None, detail }
    }

    /// The workspace could not be connected.
    pub fn refused(code: &'a str, detail: &'a str) -> Self {
        Self { r#type: CONNECT_MESSAGE, success: false, code: Some(code), detail }
    }
}

#[cfg(test)]
pub(crate) fn operations(schemas: &mut Schemas) -> Vec<Operation> {
    schemas.response::<ConnectMessage<'_>>();
    vec![
        Operation::new(routes::OAUTH_CALLBACK, "salesforceOAuthCallback", Tag::Connection, Who::Anybody)
            .describe(
                "Finish connecting",
                "Salesforce redirects the browser here. The flow's cookie replaces a token. If \
                 `Accept` prefers `text/html`, the response is a page that tells the window that opened it \
                 how it went (a `ConnectMessage` by `postMessage`, to `DashboardUrl` only), and closes \
                 itself.",
            )
            .parameter(json!({
                "name": "state",
                "in": "query",
                "required": true,
                "schema": { "type": "string", "minLength": 1 },
            }))
            .parameter(json!({
                "name": "code",
                "in": "query",
                "description": "The authorization code. If it is missing, there is an `error`.",
                "schema": { "type": "string", "minLength": 1 },
            }))
            .parameter(json!({
                "name": "error",
                "in": "query",
                "schema": { "type": "string", "minLength": 1 },
            }))
            .parameter(json!({ "name": "error_description", "in": "query", "schema": { "type": "string" } }))
            .success(200, "The workspace is connected.", &schemas.response::<Connected>())
            .refuse(schemas.refusal(
                "ConnectRefused",
                &[
                    ProblemCode::MissingParameter,
                    ProblemCode::StateUnknown,
                    ProblemCode::StateExpired,
                    ProblemCode::AccessDenied,
                    ProblemCode::AppNotInstalled,
                    ProblemCode::ApiDisabled,
                    ProblemCode::LoginAddressGone,
                    ProblemCode::InvalidScope,
                    ProblemCode::SalesforceRefused,
                ],
            ))
            .refuse(schemas.refusal("WrongBrowser", &[ProblemCode::StateOfAnotherBrowser]))
            .refuse(schemas.refusal(
                "ConnectFailed",
                &[ProblemCode::SalesforceUnavailable, ProblemCode::OwnConfiguration],
            ))
            .or_page(&[200, 400, 403, 502]),
    ]
}
