//! A workspace's connection.

use crm::{ApiUsage, workspace::ConnectionState};
use serde::Serialize;

#[cfg(test)]
use crate::description::{Operation, Schemas, Tag, Who, routes};

/// A workspace's connection. What is not known is null.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct SalesforceStatus {
    /// Whether the state is `connected`.
    pub connected: bool,
    /// Where the workspace stands.
    pub state: ConnectionState,
    /// Why a reconnect is required, for people.
    pub reason: Option<String>,
    /// Where the org's records are.
    #[cfg_attr(test, schemars(url))]
    pub instance_url: Option<String>,
    /// The org's id.
    pub organization_id: Option<String>,
    /// The user in whose name Ringlog writes.
    pub user_name: Option<String>,
    /// Since when, Unix seconds.
    pub connected_at: Option<i64>,
    /// When the newest logged call was written, Unix seconds.
    pub last_sync: Option<i64>,
    /// The org's use of API requests, as of the newest logged call.
    pub api_usage: Option<ApiUsage>,
}

#[cfg(test)]
pub(crate) fn operations(schemas: &mut Schemas) -> Vec<Operation> {
    vec![
        Operation::new(routes::STATUS, "getSalesforceStatus", Tag::Connection, Who::Member)
            .says("Show the connection", "")
            .answer(200, "The connection, without its tokens.", &schemas.answer::<SalesforceStatus>()),
    ]
}
