//! Tasks and Events: created together or not at all, and updated.

use calls::ports::ClientSecretSource;
use calls::{
    activity::{EventDraft, TaskDraft},
    crm::{Answer, CrmError, Written, WrittenObject},
    ids::SalesforceId,
    workspace::Connection,
};
use reqwest::Method;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    client::Client,
    composite::{Parts, Subrequest},
    errors::{self, Effect},
    transport::Rest,
};

const TASK: &str = "task";
const EVENT: &str = "event";

/// What an update leaves alone. `TaskSubtype` can be set at creation only. `WhoId` stays because Salesforce and people
/// move activities, from a converted Lead to its Contact for one; an update must not move them back. `Status` stays
/// because the Task was written closed, and whatever it is now is somebody's wish.
const KEPT_ON_UPDATE: [&str; 3] = ["Status", "TaskSubtype", "WhoId"];

#[derive(Deserialize)]
struct Created {
    id: SalesforceId,
}

impl<S: ClientSecretSource> Client<S> {
    /// One composite request, also for one record: one way to write, all or none.
    pub(crate) async fn create_activities(
        &self,
        connection: &Connection,
        task: Option<&TaskDraft>,
        event: Option<&EventDraft>,
    ) -> Result<Answer<Written>, CrmError> {
        let mut requests = Vec::new();
        if let Some(task) = task {
            requests.push(Subrequest::create(TASK, "Task", record(task)?));
        }
        if let Some(event) = event {
            requests.push(Subrequest::create(EVENT, "Event", record(event)?));
        }
        if requests.is_empty() {
            return Ok(Answer { value: Written::default(), api_usage: None });
        }
        let answer = self.composite(connection, "create", Effect::Creates, true, &requests).await?;
        let parts = answer.value;
        if let Some((reference, error)) = parts.cause() {
            return Err(CrmError { object: object(reference), ..error });
        }
        let written = Written {
            task_id: task.map(|_| created(&parts, TASK)).transpose()?,
            event_id: event.map(|_| created(&parts, EVENT)).transpose()?,
        };
        Ok(Answer { value: written, api_usage: answer.api_usage })
    }

    /// Changes a record in place.
    pub(crate) async fn update_activity(
        &self,
        connection: &Connection,
        object: WrittenObject,
        id: &SalesforceId,
        draft: &impl Serialize,
    ) -> Result<Answer<()>, CrmError> {
        let (operation, name) = match object {
            WrittenObject::Task => ("update_task", "Task"),
            WrittenObject::Event => ("update_event", "Event"),
            WrittenObject::Lead => ("update_lead", "Lead"),
        };
        let mut body = record(draft)?;
        if let Some(fields) = body.as_object_mut() {
            fields.retain(|field, _| !KEPT_ON_UPDATE.contains(&field.as_str()));
        }
        let request = Rest {
            operation,
            effect: Effect::Changes,
            method: Method::PATCH,
            path: &format!("/sobjects/{name}/{id}"),
            query: &[],
            body: Some(body),
        };
        let answer = self.rest(connection, request).await;
        let answer = answer.map_err(|error| CrmError { object: Some(object), ..error })?;
        Ok(Answer { value: (), api_usage: answer.api_usage })
    }
}

fn created(parts: &Parts, reference: &str) -> Result<SalesforceId, CrmError> {
    parts.part::<Created>(reference).map(|created| created.id)
}

fn object(reference: &str) -> Option<WrittenObject> {
    match reference {
        TASK => Some(WrittenObject::Task),
        EVENT => Some(WrittenObject::Event),
        _ => None,
    }
}

fn record(draft: &impl Serialize) -> Result<Value, CrmError> {
    serde_json::to_value(draft).map_err(|_| errors::unexpected(Effect::Nothing))
}
