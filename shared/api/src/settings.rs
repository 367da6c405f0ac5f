//! A workspace's settings, sent as [`crm::workspace::Settings`].

#[cfg(test)]
use crate::description::{Operation, ProblemCode, Schemas, Tag, Who, json, routes};

#[cfg(test)]
pub(crate) fn operations(schemas: &mut Schemas) -> Vec<Operation> {
    use crm::workspace::Settings;

    // A PUT has the schema of the GET's response, because it must contain everything that a GET returns.
    let settings = schemas.response::<Settings>();
    let etag = json!({
        "description": "For `If-Match`. Covers only the settings: a reconnect or a token refresh does not change it.",
        "required": true,
        "schema": { "type": "string" },
    });
    vec![
        Operation::new(routes::SETTINGS, "getSettings", Tag::Workspace, Who::Member)
            .describe("Show the settings", "")
            .success(200, "The settings.", &settings)
            .header(200, "ETag", etag.clone()),
        Operation::new(routes::SETTINGS_REPLACE, "updateSettings", Tag::Workspace, Who::Admin)
            .describe(
                "Replace the settings",
                "Send all of them, as the GET returned them, with your changes.",
            )
            .parameter(json!({
                "name": "If-Match",
                "in": "header",
                "required": true,
                "description": "The `ETag` of the GET that you changed, or `*` to replace whatever there is.",
                "schema": { "type": "string", "minLength": 1 },
                "example": "\"4f53cda18c2baa0c0354bb5f9a3ecbe5\"",
            }))
            .body(&settings)
            .success(200, "The settings.", &settings)
            .header(200, "ETag", etag)
            .refuse(
                schemas.refusal("SettingsRefused", &[ProblemCode::InvalidSettings, ProblemCode::InvalidBody]),
            )
            .refuse(schemas.refusal("PreconditionFailed", &[ProblemCode::PreconditionFailed]))
            .refuse(schemas.refusal("PreconditionRequired", &[ProblemCode::PreconditionRequired])),
    ]
}
