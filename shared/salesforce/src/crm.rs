//! The domain's ports, as this client implements them.

use calls::ports::ClientSecretSource;
use calls::{
    activity::{EventDraft, TaskDraft},
    crm::{Answer, CrmError, Found, PhoneQuery, Written, WrittenObject},
    ids::{CallId, SalesforceId},
    lead::LeadDraft,
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
    async fn search(
        &self,
        connection: &Connection,
        objects: &[RecordType],
        query: &PhoneQuery,
    ) -> Result<Answer<Found>, CrmError> {
        self.search_phone(connection, objects, query).await
    }

    async fn create(
        &self,
        connection: &Connection,
        task: Option<&TaskDraft>,
        event: Option<&EventDraft>,
    ) -> Result<Answer<Written>, CrmError> {
        self.create_activities(connection, task, event).await
    }

    async fn recent(
        &self,
        connection: &Connection,
        objects: &[RecordType],
        query: &PhoneQuery,
        since: DateTime<Utc>,
    ) -> Result<Answer<Found>, CrmError> {
        self.created_since(connection, objects, query, since).await
    }

    async fn converted_to(
        &self,
        connection: &Connection,
        lead_id: &SalesforceId,
    ) -> Result<Answer<Option<SalesforceId>>, CrmError> {
        self.contact_of_lead(connection, lead_id).await
    }

    async fn create_lead(
        &self,
        connection: &Connection,
        lead: &LeadDraft,
    ) -> Result<Answer<SalesforceId>, CrmError> {
        self.new_lead(connection, lead).await
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
        who_ids: &[SalesforceId],
        since: DateTime<Utc>,
    ) -> Result<Answer<Look>, CrmError> {
        self.look_for(connection, call_id, who_ids, since).await
    }
}
