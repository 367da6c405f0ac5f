//! Tasks and Events: created together or not at all, and updated.

use calls::ports::ClientSecretSource;
use calls::{
    activity::{EventDraft, TaskDraft},
    crm::{Activities, Activity, Answer, CrmError, FaultClass, Fields, Written, WrittenObject},
    ids::SalesforceId,
    workspace::Connection,
};
use chrono::{DateTime, Utc};
use reqwest::Method;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    client::Client,
    composite::{Parts, Subrequest},
    errors::{self, Effect},
    time,
    transport::Rest,
};

const TASK: &str = "task";
const EVENT: &str = "event";

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

    /// Reads what stands. What is deleted, or out of the user's reach, is left out.
    pub(crate) async fn read_activities(
        &self,
        connection: &Connection,
        task_id: Option<&SalesforceId>,
        event_id: Option<&SalesforceId>,
    ) -> Result<Answer<Activities>, CrmError> {
        let mut requests = Vec::new();
        requests.extend(task_id.map(|id| Subrequest::read(TASK, "Task", id)));
        requests.extend(event_id.map(|id| Subrequest::read(EVENT, "Event", id)));
        if requests.is_empty() {
            return Ok(Answer { value: Activities::default(), api_usage: None });
        }
        let answer = self.composite(connection, "read", Effect::Nothing, false, &requests).await?;
        let activities = Activities {
            task: task_id.map(|_| standing(&answer.value, TASK)).transpose()?.flatten(),
            event: event_id.map(|_| standing(&answer.value, EVENT)).transpose()?.flatten(),
        };
        Ok(Answer { value: activities, api_usage: answer.api_usage })
    }

    /// Changes a record in place, unless somebody has changed it since (REST API Developer Guide, "Conditional Request
    /// Headers": to the second).
    pub(crate) async fn update_activity(
        &self,
        connection: &Connection,
        object: WrittenObject,
        id: &SalesforceId,
        fields: &Fields,
        unmodified_since: DateTime<Utc>,
    ) -> Result<Answer<()>, CrmError> {
        let operation = if object == WrittenObject::Event { "update_event" } else { "update_task" };
        let request = Rest {
            operation,
            effect: Effect::Changes,
            method: Method::PATCH,
            path: &format!("/sobjects/{object:?}/{id}"),
            query: &[],
            body: Some(Value::Object(fields.clone())),
            headers: &[("If-Unmodified-Since", &time::http_date(unmodified_since))],
        };
        let answer = self.rest(connection, request).await;
        let answer = answer.map_err(|error| CrmError { object: Some(object), ..error })?;
        Ok(Answer { value: (), api_usage: answer.api_usage })
    }
}

/// What Salesforce says of a record's past.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Stamps {
    id: SalesforceId,
    who_id: Option<SalesforceId>,
    created_date: String,
    last_modified_date: String,
    created_by_id: Option<SalesforceId>,
    last_modified_by_id: Option<SalesforceId>,
}

fn standing(parts: &Parts, reference: &str) -> Result<Option<Activity>, CrmError> {
    let fields: Fields = match parts.part(reference) {
        Err(error) if error.class == FaultClass::RecordGone || error.status == Some(404) => return Ok(None),
        fields => fields?,
    };
    activity(fields).map(Some).ok_or_else(|| errors::unexpected(Effect::Nothing))
}

fn activity(mut fields: Fields) -> Option<Activity> {
    let stamps: Stamps = serde_json::from_value(Value::Object(fields.clone())).ok()?;
    let modified_at = time::parse(&stamps.last_modified_date)?;
    let is_untouched = time::parse(&stamps.created_date)? == modified_at
        && stamps.created_by_id == stamps.last_modified_by_id;
    fields.remove("attributes");
    for value in fields.values_mut() {
        if let Some(instant) = value.as_str().and_then(time::parse) {
            *value = time::literal(instant).into();
        }
    }
    Some(Activity { id: stamps.id, who_id: stamps.who_id, fields, modified_at, is_untouched })
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
