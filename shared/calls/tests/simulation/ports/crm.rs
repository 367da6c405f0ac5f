//! Salesforce's ports: records and activities.

use calls::{
    activity::{EventDraft, TaskDraft},
    crm::{Answer, CrmError, FaultClass, Found, FoundRecord, PhoneQuery, Written, WrittenObject},
    ids::{CallId, SalesforceId},
    lead::LeadDraft,
    ports::{Crm, Look},
    workspace::{Connection, RecordType},
};
use chrono::{DateTime, Utc};
use secrecy::ExposeSecret;

use crate::{
    invariants,
    salesforce::Activity,
    world::{Broken, Failed, State, World},
};

use super::crm_error;

impl World {
    /// A request with a session. `writes`: whether a lost answer leaves a doubt.
    async fn request<T: Send + 'static>(
        &self,
        name: &str,
        connection: &Connection,
        writes: bool,
        effect: impl FnOnce(&mut State, &SalesforceId) -> Result<T, CrmError> + Send + 'static,
    ) -> Result<Answer<T>, CrmError> {
        let session = connection.access_token.expose_secret().to_owned();
        {
            let mut state = self.state();
            invariants::not_paused(&mut state, &connection.org_id);
            let now = state.now;
            state.salesforce.requests.push((connection.org_id.clone(), now));
        }
        let answer = self
            .call(name, move |state| {
                let Some((org_id, _)) = state.salesforce.sessions.get(&session).cloned() else {
                    return Err(crm_error(FaultClass::Session, "INVALID_SESSION_ID"));
                };
                if state.now < state.salesforce.down_until {
                    return Err(crm_error(FaultClass::Passing, "SERVER_UNAVAILABLE"));
                }
                if let Some(class) = state.salesforce.limited.get(&org_id) {
                    return Err(crm_error(*class, "REQUEST_LIMIT_EXCEEDED"));
                }
                effect(state, &org_id)
            })
            .await;
        match answer {
            Ok(answer) => answer.map(|value| Answer { value, api_usage: None }),
            Err(Failed::NoAnswer) if writes => Err(crm_error(FaultClass::Ambiguous, "timeout")),
            Err(_) => Err(crm_error(FaultClass::Passing, "connection")),
        }
    }
}

/// The call that a description belongs to: its last line.
fn call_of(description: &str) -> CallId {
    CallId::parse(description.rsplit("Call ").next().unwrap()).unwrap()
}

impl Crm for World {
    async fn search(
        &self,
        connection: &Connection,
        objects: &[RecordType],
        query: &PhoneQuery,
    ) -> Result<Answer<Found>, CrmError> {
        let (objects, query) = (objects.to_vec(), query.clone());
        self.request("search", connection, false, move |state, org_id| {
            let now = state.now;
            let has_number = |phone: &str| {
                let digits: String = phone.chars().filter(char::is_ascii_digit).collect();
                digits == query.national || digits == query.international
            };
            let records = state.salesforce.records.get(org_id).into_iter().flatten();
            let found = records
                .filter(|(record, indexed_at)| {
                    *indexed_at <= now && record.phones.iter().any(|(_, phone)| has_number(phone))
                })
                .filter(|(record, _)| objects.contains(&record.record_type))
                .map(|(record, _)| record.clone());
            Ok(Found { records: found.collect(), full: None })
        })
        .await
    }

    async fn create(
        &self,
        connection: &Connection,
        task: Option<&TaskDraft>,
        event: Option<&EventDraft>,
    ) -> Result<Answer<Written>, CrmError> {
        let (task, event) = (task.cloned(), event.cloned());
        let name = match (&task, &event) {
            (Some(_), Some(_)) => "create task and event",
            (Some(_), None) => "create task",
            _ => "create event",
        };
        self.request(name, connection, true, move |state, org_id| {
            let mut written = Written::default();
            let writes_call_object = task.as_ref().is_some_and(|task| task.call_object.is_some());
            if state.salesforce.hides_call_object && writes_call_object {
                let mut refusal = crm_error(FaultClass::FieldRefused, "INVALID_FIELD_FOR_INSERT_UPDATE");
                refusal.fields = vec!["CallObject".to_owned()];
                refusal.object = Some(WrittenObject::Task);
                return Err(refusal);
            }
            if let Some(task) = task {
                let id = state.salesforce.id("00T");
                let call_id = call_of(&task.description);
                let (id_of, org_id, at) = (id.clone(), org_id.clone(), state.now);
                let call_object = task.call_object.is_some();
                let activity = Activity { id: id_of, org_id, who_id: task.who_id, call_id, call_object, at };
                state.salesforce.tasks.push(activity);
                written.task_id = Some(id);
            }
            if let Some(event) = event {
                let id = state.salesforce.id("00U");
                let call_id = call_of(&event.description);
                let (id_of, org_id, at) = (id.clone(), org_id.clone(), state.now);
                let activity =
                    Activity { id: id_of, org_id, who_id: event.who_id, call_id, call_object: false, at };
                state.salesforce.events.push(activity);
                written.event_id = Some(id);
            }
            Ok(written)
        })
        .await
    }

    async fn recent(
        &self,
        connection: &Connection,
        objects: &[RecordType],
        _: &PhoneQuery,
        since: DateTime<Utc>,
    ) -> Result<Answer<Found>, CrmError> {
        let (objects, since) = (objects.to_vec(), since.timestamp_millis());
        self.request("recent", connection, false, move |state, org_id| {
            let records = state.salesforce.records.get(org_id).into_iter().flatten();
            let found = records
                .filter(|(record, _)| record.created_at.timestamp_millis() >= since)
                .filter(|(record, _)| objects.contains(&record.record_type));
            Ok(Found { records: found.map(|(record, _)| record.clone()).collect(), full: None })
        })
        .await
    }

    async fn converted_to(
        &self,
        connection: &Connection,
        _: &SalesforceId,
    ) -> Result<Answer<Option<SalesforceId>>, CrmError> {
        self.request("converted to", connection, false, |_, _| Ok(None)).await
    }

    async fn create_lead(
        &self,
        connection: &Connection,
        lead: &LeadDraft,
    ) -> Result<Answer<SalesforceId>, CrmError> {
        let lead = lead.clone();
        self.request("create lead", connection, true, move |state, org_id| {
            let id = state.salesforce.id("00Q");
            let created_at = DateTime::from_timestamp_millis(state.now).unwrap();
            let record = FoundRecord {
                id: id.clone(),
                record_type: RecordType::Lead,
                name: Some(lead.last_name),
                phones: vec![("Phone".to_owned(), lead.phone.clone())],
                country: None,
                created_at,
                modified_at: created_at,
            };
            let indexed_at = state.now + state.rng.i64(0..600_000);
            state.salesforce.leads.push((id.clone(), org_id.clone(), lead.phone));
            state.salesforce.records.entry(org_id.clone()).or_default().push((record, indexed_at));
            Ok(id)
        })
        .await
    }

    async fn update_task(
        &self,
        connection: &Connection,
        _: &SalesforceId,
        _: &TaskDraft,
    ) -> Result<Answer<()>, CrmError> {
        self.request("update task", connection, true, |_, _| Ok(())).await
    }

    async fn update_event(
        &self,
        connection: &Connection,
        _: &SalesforceId,
        _: &EventDraft,
    ) -> Result<Answer<()>, CrmError> {
        self.request("update event", connection, true, |_, _| Ok(())).await
    }

    async fn closed_task_status(&self, connection: &Connection) -> Result<Answer<Option<String>>, CrmError> {
        self.request("closed task status", connection, false, |_, _| Ok(Some("Completed".to_owned()))).await
    }

    async fn look(
        &self,
        connection: &Connection,
        call_id: &CallId,
        who_ids: &[SalesforceId],
        _: DateTime<Utc>,
    ) -> Result<Answer<Look>, CrmError> {
        let (call_id, who_ids) = (call_id.clone(), who_ids.to_vec());
        self.request("look", connection, false, move |state, org_id| {
            if state.broken == Some(Broken::Look) {
                return Ok(Look::default());
            }
            let ours = |activity: &&Activity| activity.call_id == call_id && activity.org_id == *org_id;
            let there = |activity: &&Activity| ours(activity) && who_ids.contains(&activity.who_id);
            let task =
                state.salesforce.tasks.iter().find(|task| there(task) || ours(task) && task.call_object);
            let event = state.salesforce.events.iter().find(there);
            Ok(Look {
                task: task.map(|task| (task.id.clone(), Some(task.who_id.clone()))),
                event_id: event.map(|event| event.id.clone()),
            })
        })
        .await
    }
}
