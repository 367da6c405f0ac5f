//! The domain's ports, as this client implements them.

use calls::ports::ClientSecretSource;
use calls::{
    activity::{EventDraft, TaskDraft},
    crm::{Answer, CrmError, Found, PhoneQuery, Written, WrittenObject},
    ids::{CallId, SalesforceId},
    ports::{Crm, Look, TokenEndpoint, Tokens},
    workspace::{Connection, RecordType},
};
use chrono::{DateTime, Utc};
use secrecy::SecretString;

use crate::{client::Client, transport::refused};

impl<S: ClientSecretSource> TokenEndpoint for Client<S> {
    async fn refresh(&self, connection: &Connection) -> Result<Tokens, CrmError> {
        let login = self.hosts().login(&connection.login_url).map_err(refused)?;
        Ok(self.refreshed(&login, &connection.refresh_token).await?.tokens)
    }

    async fn revoke(&self, login_url: &str, token: &SecretString) -> Result<(), CrmError> {
        let login = self.hosts().login(login_url).map_err(refused)?;
        self.revoked(&login, token).await
    }
}

impl<S: ClientSecretSource> Crm for Client<S> {
    async fn search(&self, connection: &Connection, query: &PhoneQuery) -> Result<Answer<Found>, CrmError> {
        self.search_phone(connection, query).await
    }

    async fn create(
        &self,
        connection: &Connection,
        task: Option<&TaskDraft>,
        event: Option<&EventDraft>,
    ) -> Result<Answer<Written>, CrmError> {
        self.create_activities(connection, task, event).await
    }

    async fn update_task(
        &self,
        connection: &Connection,
        id: &SalesforceId,
        task: &TaskDraft,
    ) -> Result<Answer<()>, CrmError> {
        self.update_activity(connection, WrittenObject::Task, id, task).await
    }

    async fn update_event(
        &self,
        connection: &Connection,
        id: &SalesforceId,
        event: &EventDraft,
    ) -> Result<Answer<()>, CrmError> {
        self.update_activity(connection, WrittenObject::Event, id, event).await
    }

    async fn closed_task_status(&self, connection: &Connection) -> Result<Answer<Option<String>>, CrmError> {
        self.first_closed_task_status(connection).await
    }

    async fn look(
        &self,
        connection: &Connection,
        call_id: &CallId,
        record: Option<&(RecordType, SalesforceId)>,
        since: DateTime<Utc>,
    ) -> Result<Answer<Look>, CrmError> {
        self.look_for(connection, call_id, record, since).await
    }
}
