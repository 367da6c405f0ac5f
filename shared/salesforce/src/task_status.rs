//! The statuses that an org gives its Tasks (object `TaskStatus`): an org may rename or remove `Completed`.

use calls::{
    crm::{Answer, CrmError},
    ports::ClientSecretSource,
    workspace::Connection,
};
use serde::Deserialize;

use crate::{
    client::Client,
    errors::Effect,
    transport::{self, Rest},
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

impl<S: ClientSecretSource> Client<S> {
    pub(crate) async fn first_closed_task_status(
        &self,
        connection: &Connection,
    ) -> Result<Answer<Option<String>>, CrmError> {
        let answer = self.rest(connection, Rest::get("query", "/query", &[("q", CLOSED)])).await?;
        let page: Page = transport::parse(&answer.value, Effect::Nothing)?;
        let status = page.records.into_iter().next().map(|status| status.api_name);
        Ok(Answer { value: status, api_usage: answer.api_usage })
    }
}
