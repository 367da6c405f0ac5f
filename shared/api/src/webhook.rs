//! Vapi's messages. [`voice::vapi`] parses them.

use serde::Serialize;

#[cfg(test)]
use crate::description::{Operation, ProblemCode, Schemas, Tag, Who, routes};

/// The message was received.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Received {
    #[cfg_attr(test, schemars(extend("const" = true)))]
    received: bool,
}

impl Received {
    /// The only response.
    pub const ANSWER: Self = Self { received: true };
}

#[cfg(test)]
pub(crate) fn operations(schemas: &mut Schemas) -> Vec<Operation> {
    use schemars::JsonSchema;

    /// A server message from Vapi. Only the fields that every message has are described.
    // The parser has no such type: it reads whatever Vapi sends, field by field.
    #[derive(JsonSchema)]
    #[expect(dead_code, reason = "described only")]
    struct VapiMessage {
        message: Message,
    }

    /// The message's content.
    #[derive(JsonSchema)]
    #[schemars(inline)]
    #[expect(dead_code, reason = "described only")]
    struct Message {
        #[schemars(example = &"end-of-call-report")]
        r#type: String,
    }

    vec![
        Operation::new(routes::WEBHOOK, "receiveVapiMessage", Tag::Vapi, Who::Vapi)
            .describe(
                "Receive a server message from Vapi",
                "Accepts `end-of-call-report`. Informational types also get 200. Types that expect a \
                 response get 422, so that Vapi's log shows what is misconfigured.",
            )
            .body(&schemas.request::<VapiMessage>())
            .success(200, "The report is stored, and will not be lost.", &schemas.response::<Received>())
            .refuse(schemas.refusal(
                "ReportRefused",
                &[ProblemCode::MalformedJson, ProblemCode::MissingField, ProblemCode::InvalidField],
            ))
            .refuse(schemas.refusal("InvalidWebhookToken", &[ProblemCode::InvalidWebhookToken]))
            .refuse(schemas.refusal("UnsupportedMessage", &[ProblemCode::UnsupportedMessage])),
    ]
}
