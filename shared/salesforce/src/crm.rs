//! The domain's ports, as this client implements them.

use calls::ports::ClientSecretSource;
use calls::{
    activity::{EventDraft, TaskDraft},
    crm::{
        Activities, Answer, CrmError, Duplicates, Fields, Found, Omitted, PhoneQuery, RecordType, Written,
        WrittenObject,
    },
    ids::{CallId, SalesforceId},
    lead::LeadDraft,
    ports::{Crm, Look, TokenEndpoint, Tokens},
    workspace::Connection,
};
use chrono::{DateTime, Utc};
use secrecy::SecretString;

use crate::{client::Client, transport::refused};

impl<S: ClientSecretSource> TokenEndpoint for Client<S> {
    async fn client_secret(&self) -> Result<SecretString, CrmError> {
        self.own_secret().await
    }

    async fn refresh(
        &self,
        connection: &Connection,
        client_secret: &SecretString,
    ) -> Result<Tokens, CrmError> {
        let login = self.hosts().login(&connection.login_url).map_err(refused)?;
        Ok(self.refreshed(&login, &connection.refresh_token, client_secret).await?.tokens)
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
        omitted: &Omitted,
    ) -> Result<Answer<Found>, CrmError> {
        self.search_phone(connection, objects, query, omitted).await
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
        omitted: &Omitted,
    ) -> Result<Answer<Found>, CrmError> {
        self.created_since(connection, objects, query, since, omitted).await
    }

    async fn records(
        &self,
        connection: &Connection,
        ids: &[SalesforceId],
        omitted: &Omitted,
    ) -> Result<Answer<Found>, CrmError> {
        self.records_of(connection, ids, omitted).await
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
        duplicates: Duplicates,
    ) -> Result<Answer<SalesforceId>, CrmError> {
        self.new_lead(connection, lead, duplicates).await
    }

    async fn read(
        &self,
        connection: &Connection,
        task_id: Option<&SalesforceId>,
        event_id: Option<&SalesforceId>,
    ) -> Result<Answer<Activities>, CrmError> {
        self.read_activities(connection, task_id, event_id).await
    }

    async fn update(
        &self,
        connection: &Connection,
        object: WrittenObject,
        id: &SalesforceId,
        fields: &Fields,
        unmodified_since: DateTime<Utc>,
    ) -> Result<Answer<()>, CrmError> {
        self.update_activity(connection, object, id, fields, unmodified_since).await
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
        may_be_older: bool,
    ) -> Result<Answer<Look>, CrmError> {
        self.look_for(connection, call_id, who_ids, since, may_be_older).await
    }
}
