//! The response to a disconnect.

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
    /// The same, as a text.
    #[cfg_attr(test, schemars(extend("const" = MESSAGE)))]
    message: &'static str,
}

impl Disconnected {
    /// The only response.
    pub const ANSWER: Self = Self { success: true, message: MESSAGE };
}

#[cfg(test)]
pub(crate) fn operations(schemas: &mut Schemas) -> Vec<Operation> {
    vec![
        Operation::new(routes::DISCONNECT, "disconnectSalesforce", Tag::Connection, Who::Admin)
            .describe(
                "Disconnect",
                "Deletes the tokens and revokes the grant. Doing it again changes nothing.",
            )
            .success(
                200,
                "The workspace is disconnected. Calls wait until it connects again.",
                &schemas.response::<Disconnected>(),
            ),
    ]
}
