//! The port [`Crm`]: each operation is in a module of its own.

use calls::ids::{CallId, SalesforceId};
use chrono::{DateTime, Utc};
use crm::{
    Activities, Answer, CrmError, Duplicates, Fields, Found, Omitted, PhoneQuery, RecordType, Written,
    WrittenObject,
    activity::{EventDraft, TaskDraft},
    lead::LeadDraft,
    workspace::Connection,
};
use worker::ports::{ClientSecretSource, Crm, Look};

use crate::{activities, client::Client, leads, look, recent, search, task_status};

impl<S: ClientSecretSource> Crm for Client<S> {
    async fn search(
        &self,
        connection: &Connection,
        objects: &[RecordType],
        query: &PhoneQuery,
        omitted: &Omitted,
    ) -> Result<Answer<Found>, CrmError> {
        search::by_phone(&self.transport, connection, objects, query, omitted).await
    }

    async fn create(
        &self,
        connection: &Connection,
        task: Option<&TaskDraft>,
        event: Option<&EventDraft>,
    ) -> Result<Answer<Written>, CrmError> {
        activities::create(&self.transport, connection, task, event).await
    }

    async fn recent(
        &self,
        connection: &Connection,
        objects: &[RecordType],
        query: &PhoneQuery,
        since: DateTime<Utc>,
        omitted: &Omitted,
    ) -> Result<Answer<Found>, CrmError> {
        recent::created_since(&self.transport, connection, objects, query, since, omitted).await
    }

    async fn records(
        &self,
        connection: &Connection,
        ids: &[SalesforceId],
        omitted: &Omitted,
    ) -> Result<Answer<Found>, CrmError> {
        recent::by_ids(&self.transport, connection, ids, omitted).await
    }

    async fn converted_to(
        &self,
        connection: &Connection,
        lead_id: &SalesforceId,
    ) -> Result<Answer<Option<SalesforceId>>, CrmError> {
        leads::contact_of_converted(&self.transport, connection, lead_id).await
    }

    async fn create_lead(
        &self,
        connection: &Connection,
        lead: &LeadDraft,
        duplicates: Duplicates,
    ) -> Result<Answer<SalesforceId>, CrmError> {
        leads::create(&self.transport, connection, lead, duplicates).await
    }

    async fn read(
        &self,
        connection: &Connection,
        task_id: Option<&SalesforceId>,
        event_id: Option<&SalesforceId>,
    ) -> Result<Answer<Activities>, CrmError> {
        activities::read(&self.transport, connection, task_id, event_id).await
    }

    async fn update(
        &self,
        connection: &Connection,
        object: WrittenObject,
        id: &SalesforceId,
        fields: &Fields,
        unmodified_since: DateTime<Utc>,
    ) -> Result<Answer<()>, CrmError> {
        activities::update(&self.transport, connection, object, id, fields, unmodified_since).await
    }

    async fn closed_task_status(&self, connection: &Connection) -> Result<Answer<Option<String>>, CrmError> {
        task_status::first_closed(&self.transport, connection).await
    }

    async fn look(
        &self,
        connection: &Connection,
        call_id: &CallId,
        who_ids: &[SalesforceId],
        since: DateTime<Utc>,
        may_be_older: bool,
    ) -> Result<Answer<Look>, CrmError> {
        look::look(&self.transport, connection, call_id, who_ids, since, may_be_older).await
    }
}
