//! Vapi's messages. What is read of them, [`voice::vapi`] says.

use serde::Serialize;

#[cfg(test)]
use crate::description::{Operation, ProblemCode, Schemas, Tag, Who, routes};

/// The message is taken.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Received {
    #[cfg_attr(test, schemars(extend("const" = true)))]
    received: bool,
}

impl Received {
    /// The one answer.
    pub const ANSWER: Self = Self { received: true };
}

#[cfg(test)]
pub(crate) fn operations(schemas: &mut Schemas) -> Vec<Operation> {
    use schemars::JsonSchema;

    /// A server message of Vapi. Only what every message has is described.
    // The parser has no such type: it takes whatever Vapi sends, field by field.
    #[derive(JsonSchema)]
    #[expect(dead_code, reason = "described only")]
    struct VapiMessage {
        message: Message,
    }

    /// What it is about.
    #[derive(JsonSchema)]
    #[schemars(inline)]
    #[expect(dead_code, reason = "described only")]
    struct Message {
        #[schemars(example = &"end-of-call-report")]
        r#type: String,
    }

    vec![
        Operation::new(routes::WEBHOOK, "receiveVapiMessage", Tag::Vapi, Who::Vapi)
            .says(
                "Receive a server message from Vapi",
                "Takes `end-of-call-report`. Types that only inform get 200 as well. Types that expect an \
                 answer get 422, so that Vapi's log shows what is set up wrongly.",
            )
            .body(&schemas.request::<VapiMessage>())
            .answer(200, "The report is stored, and will not be lost.", &schemas.answer::<Received>())
            .refuse(schemas.refusal(
                "ReportRefused",
                &[ProblemCode::MalformedJson, ProblemCode::MissingField, ProblemCode::InvalidField],
            ))
            .refuse(schemas.refusal("InvalidWebhookToken", &[ProblemCode::InvalidWebhookToken]))
            .refuse(schemas.refusal("UnsupportedMessage", &[ProblemCode::UnsupportedMessage])),
    ]
}
