//! The look: what earlier attempts without an answer wrote for a call (design.md §6.4).
//!
//! One composite request of up to three queries. `CallObject` finds the Task even where a person moved it to another
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
use reqwest::Method;
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
        let last_line = self.description.as_deref().and_then(|text| text.trim_end().lines().next_back());
        let named = last_line.and_then(|line| line.trim().strip_prefix("Call "));
        self.call_object.as_deref() == Some(call_id.as_str()) || named == Some(call_id.as_str())
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
    /// Looks in one request, unless a record has so many activities that Salesforce pages them.
    pub(crate) async fn look_for(
        &self,
        connection: &Connection,
        call_id: &CallId,
        who_ids: &[SalesforceId],
        since: DateTime<Utc>,
    ) -> Result<Answer<Look>, CrmError> {
        let mut requests = vec![Subrequest::query_all(TASK_BY_CALL, &by_call(call_id))];
        if !who_ids.is_empty() {
            requests.push(Subrequest::query_all(TASK_BY_TEXT, &by_text("Task", who_ids, since)));
            requests.push(Subrequest::query_all(EVENT_BY_TEXT, &by_text("Event", who_ids, since)));
        }
        let answer = self.composite(connection, "look", Effect::Nothing, false, &requests).await?;
        let parts = answer.value;
        let mut look = Look::default();
        let by_call = self.find(connection, &parts, TASK_BY_CALL, call_id).await;
        let task = match by_call {
            Ok(Some(task)) => Some(task),
            by_call if who_ids.is_empty() => by_call?,
            by_call => {
                let by_text = self.find(connection, &parts, TASK_BY_TEXT, call_id).await;
                either(by_call, by_text)?
            }
        };
        look.task = task.map(|task| (task.id, task.who_id));
        if !who_ids.is_empty() {
            look.event_id =
                self.find(connection, &parts, EVENT_BY_TEXT, call_id).await?.map(|event| event.id);
        }
        Ok(Answer { value: look, api_usage: answer.api_usage })
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
        let request = Rest {
            operation: "look",
            effect: Effect::Nothing,
            method: Method::GET,
            path,
            query: &[],
            body: None,
        };
        transport::parse(&self.rest(connection, request).await?.value, Effect::Nothing)
    }
}

/// A field that the user may not read makes one query fail; then the other alone decides.
fn either(
    by_call: Result<Option<Activity>, CrmError>,
    by_text: Result<Option<Activity>, CrmError>,
) -> Result<Option<Activity>, CrmError> {
    match (by_call, by_text) {
        (Err(error), by_text) if error.class == FaultClass::FieldRefused => by_text,
        (by_call, Err(error)) if error.class == FaultClass::FieldRefused => by_call,
        (by_call, by_text) => Ok(by_call?.or(by_text?)),
    }
}

/// The values in these queries are ids whose types admit letters, digits, `_` and `-` only, and an instant.
fn by_call(call_id: &CallId) -> String {
    format!("SELECT Id, WhoId, CallObject FROM Task WHERE CallObject = '{call_id}' ORDER BY CreatedDate DESC")
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
            by_call(&call_id("call-1")),
            "SELECT Id, WhoId, CallObject FROM Task WHERE CallObject = 'call-1' ORDER BY CreatedDate DESC"
        );
        let who_id = SalesforceId::parse("00Q000000000001").unwrap();
        let since = time::parse("2026-11-02T15:00:00Z").unwrap();
        assert_eq!(
            by_text("Event", &[who_id.clone(), who_id], since),
            "SELECT Id, WhoId, Description FROM Event WHERE WhoId IN ('00Q000000000001EAA', '00Q000000000001EAA') AND CreatedDate >= 2026-11-02T15:00:00Z ORDER BY CreatedDate DESC"
        );
    }
}
