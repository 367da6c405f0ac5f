//! The look: what earlier attempts without an answer wrote for a call (docs/contract.md#the-look).
//!
//! One composite request of up to three queries, each bounded by time and so none that outlasts the others. `CallObject` finds the Task even where a person moved it to another
//! record; the last line of the description finds it where `CallObject` could not be written, and finds the Event,
//! which has no such field. SOQL cannot filter by `Description`, and compares text without regard to case, so that
//! the comparison is made here.

use calls::ports::ClientSecretSource;
use calls::{
    crm::{Answer, CrmError, FaultClass},
    ids::{CallId, SalesforceId},
    ports::Look,
    workspace::Connection,
};
use chrono::{DateTime, Utc};
use serde::Deserialize;

use crate::{
    client::Client,
    composite::{Parts, Subrequest},
    errors::{self, Effect},
    time,
    transport::{self, Rest},
};

const TASK_BY_CALL: &str = "taskByCall";
const TASK_BY_TEXT: &str = "taskByText";
const EVENT_BY_TEXT: &str = "eventByText";
/// What Salesforce says of a query that takes it too long.
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

/// Whether a Description names the call: in its last line, or above what a person has added below that. A last line that
/// names another call decides against it.
fn names(description: &str, call_id: &CallId) -> bool {
    let calls = |line: &str| line.trim().strip_prefix("Call ").map(str::to_owned);
    let mut lines = description.trim_end().lines().rev();
    let last = lines.next().and_then(|line| CallId::parse(calls(line)?).ok());
    // A word that names no platform is a person's.
    let last = last.filter(|named| named.source().is_some());
    match last {
        Some(named) => named == *call_id,
        None => lines.any(|line| calls(line).as_deref() == Some(call_id.as_str())),
    }
}

/// A page of a query's answer.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    records: Vec<Activity>,
    next_records_url: Option<String>,
}

impl<S: ClientSecretSource> Client<S> {
    /// Looks in one request, unless a record has so many activities that Salesforce pages them, or the Task may be older.
    pub(crate) async fn look_for(
        &self,
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
        let answer = self.composite(connection, "look", Effect::Nothing, false, &requests).await?;
        let parts = answer.value;
        let alone = who_ids.is_empty();
        let mut task = match self.find(connection, &parts, TASK_BY_CALL, call_id).await {
            Ok(Some(task)) => Some(task),
            by_call if alone => either(by_call, Ok(None), alone)?,
            by_call => {
                let by_call = match by_call {
                    // Once more by itself; then the other query decides.
                    Err(error) if error.code == QUERY_TIMEOUT => {
                        self.task_by_call(connection, call_id, Some(since)).await
                    }
                    by_call => by_call,
                };
                let by_text = self.find(connection, &parts, TASK_BY_TEXT, call_id).await;
                either(by_call, by_text, alone)?
            }
        };
        if task.is_none() && may_be_older {
            task = self.task_by_call(connection, call_id, None).await?;
        }
        let event =
            if alone { Ok(None) } else { self.find(connection, &parts, EVENT_BY_TEXT, call_id).await };
        let look = Look {
            task: task.map(|task| (task.id, task.who_id)),
            // Who may not read descriptions has written none, and so no Event.
            event_id: answered(event)?.flatten().map(|event| event.id),
        };
        Ok(Answer { value: look, api_usage: answer.api_usage })
    }

    /// The call's Task by `CallObject`, however old without `since`. `None` also where Salesforce does not get the query done:
    /// an org may have millions of Tasks, and no index promises to help.
    async fn task_by_call(
        &self,
        connection: &Connection,
        call_id: &CallId,
        since: Option<DateTime<Utc>>,
    ) -> Result<Option<Activity>, CrmError> {
        let soql = by_call(call_id, since);
        let answer = self.rest(connection, Rest::get("look", "/queryAll", &[("q", &soql)])).await;
        let page = match answer {
            Err(error) if error.timed_out() || error.code == QUERY_TIMEOUT || is_refused(&error) => {
                tracing::warn!(error.code = %error.code, "Tasks could not be looked through by call");
                return Ok(None);
            }
            answer => transport::parse::<Page>(&answer?.value, Effect::Nothing)?,
        };
        Ok(page.records.into_iter().find(|task| task.is_of(call_id)))
    }

    /// The newest activity of the call in one query's answer.
    async fn find(
        &self,
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
            page = self.next_page(connection, &next).await?;
        }
    }

    async fn next_page(&self, connection: &Connection, path: &str) -> Result<Page, CrmError> {
        if !path.starts_with("/services/data/") {
            return Err(errors::unexpected(Effect::Nothing));
        }
        let request = Rest::get("look", path, &[]);
        transport::parse(&self.rest(connection, request).await?.value, Effect::Nothing)
    }
}

/// Whether Salesforce refuses a query for good: a field that the user may not read or filter by, more than it will do.
fn is_refused(error: &CrmError) -> bool {
    matches!(error.class, FaultClass::FieldRefused | FaultClass::Permanent)
}

/// What a query found; `None` where it cannot be asked.
fn answered<T>(found: Result<T, CrmError>) -> Result<Option<T>, CrmError> {
    match found {
        Err(error) if is_refused(&error) => Ok(None),
        found => found.map(Some),
    }
}

/// The Task by either query: where one cannot be asked, the other decides alone. `alone`: there is no other.
fn either(
    by_call: Result<Option<Activity>, CrmError>,
    by_text: Result<Option<Activity>, CrmError>,
    alone: bool,
) -> Result<Option<Activity>, CrmError> {
    let neither = alone || by_text.as_ref().is_err_and(is_refused);
    match by_call {
        Err(error) if neither || !is_refused(&error) => {
            by_text.ok().flatten().map_or(Err(error), |task| Ok(Some(task)))
        }
        by_call => Ok(answered(by_call)?.flatten().or(answered(by_text)?.flatten())),
    }
}

/// The values in these queries are ids whose types admit letters, digits, `_` and `-` only, and an instant.
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
    fn an_activity_is_told_by_its_last_line_or_its_call_object() {
        let id = call_id("call-1");
        assert!(activity(Some("call-1"), "").is_of(&id));
        assert!(activity(None, "Wants a quote.\n\nCall call-1").is_of(&id));
        assert!(activity(None, "Wants a quote.\r\nCall call-1\r\n").is_of(&id));
        assert!(activity(None, "Call call-1").is_of(&id));
        assert!(activity(None, "Wants a quote.\n\nCall call-1\n\nAda: done, see mail").is_of(&id));
        assert!(activity(None, "Wants a quote.\n\nCall call-1\n\nCall back~tomorrow").is_of(&id));
    }

    #[test]
    fn a_similar_id_or_an_earlier_line_is_another_call() {
        let id = call_id("call-1");
        assert!(!activity(Some("CALL-1"), "").is_of(&id), "SOQL ignores case, ids do not");
        assert!(!activity(None, "Call call-12").is_of(&id));
        assert!(!activity(None, "Call Call-1").is_of(&id));
        assert!(!activity(None, "Call call-1\nCall call-2").is_of(&id));
        assert!(!activity(None, "").is_of(&id));
    }

    #[test]
    fn queries_are_what_salesforce_documents() {
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
