//! A disconnect.

use serde::Serialize;

#[cfg(test)]
use crate::description::{Operation, Schemas, Tag, Who, routes};

const MESSAGE: &str = "Salesforce disconnected";

/// The workspace is disconnected.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Disconnected {
    /// Always true.
    #[cfg_attr(test, schemars(extend("const" = true)))]
    success: bool,
    /// The same in words.
    #[cfg_attr(test, schemars(extend("const" = MESSAGE)))]
    message: &'static str,
}

impl Disconnected {
    /// The one answer.
    pub const ANSWER: Self = Self { success: true, message: MESSAGE };
}

#[cfg(test)]
pub(crate) fn operations(schemas: &mut Schemas) -> Vec<Operation> {
    vec![
        Operation::new(routes::DISCONNECT, "disconnectSalesforce", Tag::Connection, Who::Admin)
            .says("Disconnect", "Deletes the tokens and revokes the grant. Doing it again changes nothing.")
            .answer(
                200,
                "The workspace is disconnected. Calls wait until it connects again.",
                &schemas.answer::<Disconnected>(),
            ),
    ]
}
