//! The status of a workspace's connection.

use crm::{ApiUsage, workspace::ConnectionState};
use serde::Serialize;

#[cfg(test)]
use crate::description::{Operation, Schemas, Tag, Who, routes};

/// A workspace's connection. Unknown values are null.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct SalesforceStatus {
    /// Whether the state is `connected`.
    pub connected: bool,
    /// The connection's state.
    pub state: ConnectionState,
    /// Why a reconnect is required, for people.
    pub reason: Option<String>,
    /// The org's URL.
    #[cfg_attr(test, schemars(url))]
    pub instance_url: Option<String>,
    /// The org's id.
    pub organization_id: Option<String>,
    /// The Salesforce user that Ringlog writes as.
    pub user_name: Option<String>,
    /// When the workspace was connected, Unix seconds.
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
            .describe("Show the connection", "")
            .success(200, "The connection, without its tokens.", &schemas.response::<SalesforceStatus>()),
    ]
}
