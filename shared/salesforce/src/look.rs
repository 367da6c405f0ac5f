//! The look: which activities of a call earlier attempts without a response have created (docs/contract.md#the-look).
//!
//! One composite request of up to three queries, all bounded by time, so that none outlasts the others. `CallObject`
//! finds the Task even if a person moved it to another record. The last line of the description finds the Task if
//! `CallObject` could not be written, and finds the Event, which has no such field. SOQL cannot filter by `Description`
//! and ignores case, so the comparison is made here.

use calls::ids::{CallId, SalesforceId};
use chrono::{DateTime, Utc};
use crm::{Answer, CrmError, FaultClass, workspace::Connection};
use serde::Deserialize;
use worker::ports::Look;

use crate::{
    composite::{self, Parts, Subrequest},
    errors::{self, Effect},
    time,
    transport::{self, RestRequest, Transport},
};

const TASK_BY_CALL: &str = "taskByCall";
const TASK_BY_TEXT: &str = "taskByText";
const EVENT_BY_TEXT: &str = "eventByText";
/// Salesforce's error code for a query that takes too long.
const QUERY_TIMEOUT: &str = "QUERY_TIMEOUT";

/// A Task or an Event.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Activity {
    id: SalesforceId,
    who_id: Option<SalesforceId>,
    call_object: Option<String>,
    description: Option<String>,
}

impl Activity {
    fn is_of(&self, call_id: &CallId) -> bool {
        self.call_object.as_deref() == Some(call_id.as_str())
            || self.description.as_deref().is_some_and(|text| names(text, call_id))
    }
}

/// Whether a description names the call: in its last line, or further up if a person has added text below. A last line
/// that names another call rules this one out.
fn names(description: &str, call_id: &CallId) -> bool {
    let named = |line: &str| line.trim().strip_prefix("Call ").map(str::to_owned);
    let mut lines = description.trim_end().lines().rev();
    let last = lines.next().and_then(|line| CallId::parse(named(line)?).ok());
    // A prefix of no known platform: a person wrote it.
    let last = last.filter(|last| last.source().is_some());
    match last {
        Some(last) => last == *call_id,
        None => lines.any(|line| named(line).as_deref() == Some(call_id.as_str())),
    }
}

/// A page of a query's results.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    records: Vec<Activity>,
    next_records_url: Option<String>,
}

/// Looks in one request, plus one for each further page of results, and one if the Task may be older than `since`.
pub(crate) async fn look(
    transport: &Transport,
    connection: &Connection,
    call_id: &CallId,
    who_ids: &[SalesforceId],
    since: DateTime<Utc>,
    may_be_older: bool,
) -> Result<Answer<Look>, CrmError> {
    let mut requests = vec![Subrequest::query_all(TASK_BY_CALL, &by_call(call_id, Some(since)))];
    if !who_ids.is_empty() {
        requests.push(Subrequest::query_all(TASK_BY_TEXT, &by_text("Task", who_ids, since)));
        requests.push(Subrequest::query_all(EVENT_BY_TEXT, &by_text("Event", who_ids, since)));
    }
    let response = composite::send(transport, connection, "look", Effect::Nothing, false, &requests).await?;
    let parts = response.value;
    let by_call_only = who_ids.is_empty();
    let mut task = match find(transport, connection, &parts, TASK_BY_CALL, call_id).await {
        Ok(Some(task)) => Some(task),
        by_call if by_call_only => either(by_call, Ok(None), by_call_only)?,
        by_call => {
            let by_call = match by_call {
                // Retried on its own; if that fails too, the other query decides.
                Err(error) if error.code == QUERY_TIMEOUT => {
                    task_by_call(transport, connection, call_id, Some(since)).await
                }
                by_call => by_call,
            };
            let by_text = find(transport, connection, &parts, TASK_BY_TEXT, call_id).await;
            either(by_call, by_text, by_call_only)?
        }
    };
    if task.is_none() && may_be_older {
        task = task_by_call(transport, connection, call_id, None).await?;
    }
    let event = if by_call_only {
        Ok(None)
    } else {
        find(transport, connection, &parts, EVENT_BY_TEXT, call_id).await
    };
    let look = Look {
        task: task.map(|task| (task.id, task.who_id)),
        // A user who may not read descriptions has not written one either, and so no Event.
        event_id: unless_refused(event)?.flatten().map(|event| event.id),
    };
    Ok(Answer { value: look, api_usage: response.api_usage })
}

/// Finds the call's Task by `CallObject`, of any age if there is no `since`. Also `None` if Salesforce cannot finish the
/// query: an org may have millions of Tasks, and no index is guaranteed to help.
async fn task_by_call(
    transport: &Transport,
    connection: &Connection,
    call_id: &CallId,
    since: Option<DateTime<Utc>>,
) -> Result<Option<Activity>, CrmError> {
    let soql = by_call(call_id, since);
    let response = transport.rest(connection, RestRequest::get("look", "/queryAll", &[("q", &soql)])).await;
    let page = match response {
        Err(error) if error.timed_out() || error.code == QUERY_TIMEOUT || is_refused(&error) => {
            tracing::warn!(error.code = %error.code, "could not query Tasks by call");
            return Ok(None);
        }
        response => transport::parse::<Page>(&response?.value, Effect::Nothing)?,
    };
    Ok(page.records.into_iter().find(|task| task.is_of(call_id)))
}

/// Finds the newest activity of the call in the results of one query.
async fn find(
    transport: &Transport,
    connection: &Connection,
    parts: &Parts,
    reference: &str,
    call_id: &CallId,
) -> Result<Option<Activity>, CrmError> {
    let mut page: Page = parts.part(reference)?;
    loop {
        if let Some(activity) = page.records.into_iter().find(|activity| activity.is_of(call_id)) {
            return Ok(Some(activity));
        }
        let Some(next) = page.next_records_url else { return Ok(None) };
        page = next_page(transport, connection, &next).await?;
    }
}

async fn next_page(transport: &Transport, connection: &Connection, path: &str) -> Result<Page, CrmError> {
    if !path.starts_with("/services/data/") {
        return Err(errors::unexpected(Effect::Nothing));
    }
    let response = transport.rest(connection, RestRequest::get("look", path, &[])).await?;
    transport::parse(&response.value, Effect::Nothing)
}

/// Whether Salesforce will never run this query: the user may not read or filter by a field, or it is too expensive.
fn is_refused(error: &CrmError) -> bool {
    matches!(error.class, FaultClass::FieldRefused | FaultClass::Permanent)
}

/// What a query found; `None` if Salesforce refuses the query.
fn unless_refused<T>(found: Result<T, CrmError>) -> Result<Option<T>, CrmError> {
    match found {
        Err(error) if is_refused(&error) => Ok(None),
        found => found.map(Some),
    }
}

/// The Task that either query found. If one is refused, the other decides; with `by_call_only`, there is no other.
fn either(
    by_call: Result<Option<Activity>, CrmError>,
    by_text: Result<Option<Activity>, CrmError>,
    by_call_only: bool,
) -> Result<Option<Activity>, CrmError> {
    let no_other = by_call_only || by_text.as_ref().is_err_and(is_refused);
    match by_call {
        Err(error) if no_other || !is_refused(&error) => {
            by_text.ok().flatten().map_or(Err(error), |task| Ok(Some(task)))
        }
        by_call => Ok(unless_refused(by_call)?.flatten().or(unless_refused(by_text)?.flatten())),
    }
}

/// Safe to interpolate: ids consist of letters, digits, `_` and `-` by their types.
fn by_call(call_id: &CallId, since: Option<DateTime<Utc>>) -> String {
    let since =
        since.map(|since| format!(" AND CreatedDate >= {}", time::literal(since))).unwrap_or_default();
    format!(
        "SELECT Id, WhoId, CallObject FROM Task WHERE CallObject = '{call_id}'{since} ORDER BY CreatedDate DESC"
    )
}

fn by_text(object: &str, who_ids: &[SalesforceId], since: DateTime<Utc>) -> String {
    let since = time::literal(since);
    let who_ids: Vec<_> = who_ids.iter().map(|id| format!("'{id}'")).collect();
    let who_ids = who_ids.join(", ");
    format!(
        "SELECT Id, WhoId, Description FROM {object} WHERE WhoId IN ({who_ids}) AND CreatedDate >= {since} ORDER BY CreatedDate DESC"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call_id(text: &str) -> CallId {
        CallId::parse(text).unwrap()
    }

    fn activity(call_object: Option<&str>, description: &str) -> Activity {
        Activity {
            id: SalesforceId::parse("00T000000000001").unwrap(),
            who_id: None,
            call_object: call_object.map(str::to_owned),
            description: Some(description.to_owned()),
        }
    }

    #[test]
    fn an_activity_is_matched_by_its_last_line_or_its_call_object() {
        let id = call_id("call-1");
        assert!(activity(Some("call-1"), "").is_of(&id));
        assert!(activity(None, "Wants a quote.\n\nCall call-1").is_of(&id));
        assert!(activity(None, "Wants a quote.\r\nCall call-1\r\n").is_of(&id));
        assert!(activity(None, "Call call-1").is_of(&id));
        assert!(activity(None, "Wants a quote.\n\nCall call-1\n\nAda: done, see mail").is_of(&id));
        assert!(activity(None, "Wants a quote.\n\nCall call-1\n\nCall back~tomorrow").is_of(&id));
    }

    #[test]
    fn a_similar_id_or_an_earlier_line_is_a_different_call() {
        let id = call_id("call-1");
        assert!(!activity(Some("CALL-1"), "").is_of(&id), "SOQL ignores case, call ids do not");
        assert!(!activity(None, "Call call-12").is_of(&id));
        assert!(!activity(None, "Call Call-1").is_of(&id));
        assert!(!activity(None, "Call call-1\nCall call-2").is_of(&id));
        assert!(!activity(None, "").is_of(&id));
    }

    #[test]
    fn queries_are_as_salesforce_documents_them() {
        assert_eq!(
            by_call(&call_id("call-1"), None),
            "SELECT Id, WhoId, CallObject FROM Task WHERE CallObject = 'call-1' ORDER BY CreatedDate DESC"
        );
        let since = time::parse("2026-11-02T15:00:00Z").unwrap();
        assert_eq!(
            by_call(&call_id("call-1"), Some(since)),
            "SELECT Id, WhoId, CallObject FROM Task WHERE CallObject = 'call-1' AND CreatedDate >= 2026-11-02T15:00:00Z ORDER BY CreatedDate DESC"
        );
        let who_id = SalesforceId::parse("00Q000000000001").unwrap();
        assert_eq!(
            by_text("Event", &[who_id.clone(), who_id], since),
            "SELECT Id, WhoId, Description FROM Event WHERE WhoId IN ('00Q000000000001EAA', '00Q000000000001EAA') AND CreatedDate >= 2026-11-02T15:00:00Z ORDER BY CreatedDate DESC"
        );
    }
}
