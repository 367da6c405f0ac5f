//! The statuses that an org has defined for its Tasks (object `TaskStatus`): an org may rename or remove `Completed`.

use crm::{Answer, CrmError, workspace::Connection};
use serde::Deserialize;

use crate::{
    errors::Effect,
    transport::{self, RestRequest, Transport},
};

const CLOSED: &str = "SELECT ApiName FROM TaskStatus WHERE IsClosed = true ORDER BY SortOrder LIMIT 1";

#[derive(Deserialize)]
struct Page {
    records: Vec<Status>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Status {
    api_name: String,
}

/// Fetches the first status of closed Tasks; `None` if the org has none.
pub(crate) async fn first_closed(
    transport: &Transport,
    connection: &Connection,
) -> Result<Answer<Option<String>>, CrmError> {
    let response = transport.rest(connection, RestRequest::get("query", "/query", &[("q", CLOSED)])).await?;
    let page: Page = transport::parse(&response.value, Effect::Nothing)?;
    let status = page.records.into_iter().next().map(|status| status.api_name);
    Ok(Answer { value: status, api_usage: response.api_usage })
}
