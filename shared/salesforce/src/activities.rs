//! Tasks and Events: creating both or neither, reading, updating.

use calls::ids::SalesforceId;
use chrono::{DateTime, Utc};
use crm::{
    Activities, Activity, Answer, CrmError, FaultClass, Fields, Written, WrittenObject,
    activity::{EventDraft, TaskDraft},
    workspace::Connection,
};
use reqwest::Method;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    composite::{self, Parts, Subrequest},
    errors::{self, Effect},
    time,
    transport::{RestRequest, Transport},
};

const TASK: &str = "task";
const EVENT: &str = "event";

#[derive(Deserialize)]
struct Created {
    id: SalesforceId,
}

/// Creates a Task, an Event or both, all or none. A single record goes through a composite request too, so that there
/// is one way to write.
pub(crate) async fn create(
    transport: &Transport,
    connection: &Connection,
    task: Option<&TaskDraft>,
    event: Option<&EventDraft>,
) -> Result<Answer<Written>, CrmError> {
    let mut requests = Vec::new();
    if let Some(task) = task {
        requests.push(Subrequest::create(TASK, "Task", to_json(task)?));
    }
    if let Some(event) = event {
        requests.push(Subrequest::create(EVENT, "Event", to_json(event)?));
    }
    if requests.is_empty() {
        return Ok(Answer { value: Written::default(), api_usage: None });
    }
    let response = composite::send(transport, connection, "create", Effect::Creates, true, &requests).await?;
    let parts = response.value;
    if let Some((reference, error)) = parts.cause() {
        return Err(CrmError { object: object(reference), ..error });
    }
    let written = Written {
        task_id: task.map(|_| created_id(&parts, TASK)).transpose()?,
        event_id: event.map(|_| created_id(&parts, EVENT)).transpose()?,
    };
    Ok(Answer { value: written, api_usage: response.api_usage })
}

/// Reads a Task and an Event in one request. One that is deleted, or that the user cannot see, is left out.
pub(crate) async fn read(
    transport: &Transport,
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
    let response = composite::send(transport, connection, "read", Effect::Nothing, false, &requests).await?;
    let activities = Activities {
        task: task_id.map(|_| existing(&response.value, TASK)).transpose()?.flatten(),
        event: event_id.map(|_| existing(&response.value, EVENT)).transpose()?.flatten(),
    };
    Ok(Answer { value: activities, api_usage: response.api_usage })
}

/// Updates a Task or an Event, unless somebody has changed it since (REST API Developer Guide, "Conditional Request
/// Headers"; Salesforce compares whole seconds).
pub(crate) async fn update(
    transport: &Transport,
    connection: &Connection,
    object: WrittenObject,
    id: &SalesforceId,
    fields: &Fields,
    unmodified_since: DateTime<Utc>,
) -> Result<Answer<()>, CrmError> {
    let operation = if object == WrittenObject::Event { "update_event" } else { "update_task" };
    let request = RestRequest {
        operation,
        effect: Effect::Changes,
        method: Method::PATCH,
        path: &format!("/sobjects/{object:?}/{id}"),
        query: &[],
        body: Some(Value::Object(fields.clone())),
        headers: &[("If-Unmodified-Since", &time::http_date(unmodified_since))],
    };
    let response = transport.rest(connection, request).await;
    let response = response.map_err(|error| CrmError { object: Some(object), ..error })?;
    Ok(Answer { value: (), api_usage: response.api_usage })
}

/// The system fields that tell whether anybody has changed the record.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SystemFields {
    id: SalesforceId,
    who_id: Option<SalesforceId>,
    created_date: String,
    last_modified_date: String,
    created_by_id: Option<SalesforceId>,
    last_modified_by_id: Option<SalesforceId>,
}

/// An activity that was read, or `None` if it does not exist any more.
fn existing(parts: &Parts, reference: &str) -> Result<Option<Activity>, CrmError> {
    let fields: Fields = match parts.part(reference) {
        Err(error) if error.class == FaultClass::RecordGone || error.status == Some(404) => return Ok(None),
        fields => fields?,
    };
    parse(fields).map(Some).ok_or_else(|| errors::unexpected(Effect::Nothing))
}

fn parse(mut fields: Fields) -> Option<Activity> {
    let system: SystemFields = serde_json::from_value(Value::Object(fields.clone())).ok()?;
    let modified_at = time::parse(&system.last_modified_date)?;
    let is_untouched = time::parse(&system.created_date)? == modified_at
        && system.created_by_id == system.last_modified_by_id;
    fields.remove("attributes");
    for value in fields.values_mut() {
        if let Some(instant) = value.as_str().and_then(time::parse) {
            *value = time::literal(instant).into();
        }
    }
    Some(Activity { id: system.id, who_id: system.who_id, fields, modified_at, is_untouched })
}

fn created_id(parts: &Parts, reference: &str) -> Result<SalesforceId, CrmError> {
    parts.part::<Created>(reference).map(|created| created.id)
}

fn object(reference: &str) -> Option<WrittenObject> {
    match reference {
        TASK => Some(WrittenObject::Task),
        EVENT => Some(WrittenObject::Event),
        _ => None,
    }
}

fn to_json(draft: &impl Serialize) -> Result<Value, CrmError> {
    serde_json::to_value(draft).map_err(|_| errors::unexpected(Effect::Nothing))
}
