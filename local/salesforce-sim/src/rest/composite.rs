//! `POST /composite`: up to 25 subrequests in one request, all or none if requested (docs/salesforce-api.md#composite).

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::request::{DataRequest, Headers};
use crate::{
    error::{ApiError, Reply},
    objects::write::Context,
    requests::API_PATH,
};

/// Maximum number of subrequests.
const MAX_SUBREQUESTS: usize = 25;
/// Maximum number of queries and collections among them.
const MAX_QUERIES: usize = 5;

/// Executes one request.
type Dispatch = fn(&mut Context<'_>, &DataRequest) -> Reply;

struct Subrequest<'a> {
    reference: &'a str,
    method: &'a str,
    url: &'a str,
    headers: Headers,
    body: Option<&'a Value>,
}

/// Executes the subrequests in order. The status of the whole is 200 even if some fail.
pub(super) fn run(
    context: &mut Context<'_>,
    envelope: &Map<String, Value>,
    dispatch: Dispatch,
) -> Result<Reply, ApiError> {
    let all_or_none = flag(envelope, "allOrNone")?;
    flag(envelope, "collateSubrequests")?;
    let subrequests = subrequests(envelope)?;
    let before = context.org.records.clone();
    let mut done: Vec<(&str, Reply)> = vec![];
    for subrequest in &subrequests {
        let reply = execute(context, subrequest, &done, dispatch);
        let halts = all_or_none && reply.failed();
        done.push((subrequest.reference, reply));
        if halts {
            context.org.records = before;
            done = rolled_back(&subrequests, done);
            break;
        }
    }
    let entries: Vec<Value> = done.iter().map(|(reference, reply)| entry(reference, reply)).collect();
    Ok(Reply::ok(json!({"compositeResponse": entries})))
}

/// The replies after a rollback: the last one, which failed, keeps its error.
fn rolled_back<'a>(subrequests: &[Subrequest<'a>], done: Vec<(&'a str, Reply)>) -> Vec<(&'a str, Reply)> {
    let failed = done.len() - 1;
    let mut failure = done.into_iter().next_back();
    let entries = subrequests.iter().enumerate().map(|(index, subrequest)| {
        let message =
            "The transaction was rolled back since another operation in the same transaction failed.";
        let halted = || (subrequest.reference, ApiError::new(400, "PROCESSING_HALTED", message).into());
        if index == failed { failure.take().unwrap_or_else(halted) } else { halted() }
    });
    entries.collect()
}

fn entry(reference: &str, reply: &Reply) -> Value {
    let headers = reply.location.as_ref().map_or(json!({}), |location| json!({"Location": location}));
    json!({
        "body": reply.body,
        "httpHeaders": headers,
        "httpStatusCode": reply.status,
        "referenceId": reference,
    })
}

fn execute(
    context: &mut Context<'_>,
    subrequest: &Subrequest<'_>,
    done: &[(&str, Reply)],
    dispatch: Dispatch,
) -> Reply {
    let resolved = resolve_text(subrequest.url, done)
        .and_then(|url| Ok((url, subrequest.body.map(|body| resolve(body, done)).transpose()?)));
    let (url, body) = match resolved {
        Ok(resolved) => resolved,
        Err(error) => return error.into(),
    };
    let Some(request) =
        DataRequest::new(subrequest.method, &url, subrequest.headers.clone(), body).filter(is_allowed)
    else {
        let message = "Only sobject, query, queryAll and composite/sobjects resources can be subrequests";
        return ApiError::new(400, "INVALID_OPERATION", message).into();
    };
    dispatch(context, &request)
}

/// Neither `search` nor a nested composite request is allowed.
fn is_allowed(request: &DataRequest) -> bool {
    let mut path = request.path.split('/').filter(|part| !part.is_empty());
    match path.next() {
        Some("sobjects" | "query" | "queryAll") => true,
        Some("composite") => path.next() == Some("sobjects"),
        _ => false,
    }
}

fn malformed(message: impl Into<String>) -> ApiError {
    ApiError::new(400, "JSON_PARSER_ERROR", message)
}

fn flag(envelope: &Map<String, Value>, name: &str) -> Result<bool, ApiError> {
    match envelope.get(name) {
        None => Ok(false),
        Some(Value::Bool(flag)) => Ok(*flag),
        Some(_) => Err(malformed(format!("{name} must be true or false at [line:1, column:1]"))),
    }
}

fn subrequests(envelope: &Map<String, Value>) -> Result<Vec<Subrequest<'_>>, ApiError> {
    const KEYS: &[&str] = &["allOrNone", "collateSubrequests", "compositeRequest"];
    if let Some(unknown) = envelope.keys().find(|key| !KEYS.contains(&key.as_str())) {
        return Err(malformed(format!("Unrecognized field \"{unknown}\" at [line:1, column:1]")));
    }
    let list =
        envelope.get("compositeRequest").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    if list.is_empty() {
        return Err(malformed("compositeRequest: at least one subrequest is required at [line:1, column:1]"));
    }
    let subrequests: Vec<Subrequest<'_>> = list.iter().map(subrequest).collect::<Result<_, _>>()?;
    let queries = subrequests.iter().filter(|subrequest| is_query(subrequest.url)).count();
    if subrequests.len() > MAX_SUBREQUESTS || queries > MAX_QUERIES {
        let message = format!(
            "The limit is {MAX_SUBREQUESTS} subrequests, {MAX_QUERIES} of them queries or collections"
        );
        return Err(ApiError::new(400, "LIMIT_EXCEEDED", message));
    }
    let references: BTreeSet<&str> = subrequests.iter().map(|subrequest| subrequest.reference).collect();
    if references.len() < subrequests.len() {
        return Err(malformed("Duplicate referenceId at [line:1, column:1]"));
    }
    Ok(subrequests)
}

fn is_query(url: &str) -> bool {
    let path = url.strip_prefix(API_PATH).unwrap_or(url);
    path.starts_with("/query") || path.starts_with("/composite")
}

fn subrequest(value: &Value) -> Result<Subrequest<'_>, ApiError> {
    const KEYS: &[&str] = &["method", "url", "referenceId", "body", "httpHeaders"];
    let parts =
        value.as_object().ok_or_else(|| malformed("Subrequest is not an object at [line:1, column:1]"))?;
    if let Some(unknown) = parts.keys().find(|key| !KEYS.contains(&key.as_str())) {
        return Err(malformed(format!("Unrecognized field \"{unknown}\" at [line:1, column:1]")));
    }
    let text = |name: &str| {
        let found = parts.get(name).and_then(Value::as_str);
        found.ok_or_else(|| malformed(format!("Subrequest needs {name} at [line:1, column:1]")))
    };
    let reference = text("referenceId")?;
    let starts_well = reference.starts_with(|c: char| c.is_ascii_alphabetic());
    if !starts_well || !reference.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
        return Err(malformed(format!("Invalid referenceId '{reference}' at [line:1, column:1]")));
    }
    let headers = Headers::of_subrequest(parts.get("httpHeaders"))
        .map_err(|error| malformed(format!("{error} at [line:1, column:1]")))?;
    Ok(Subrequest { reference, method: text("method")?, url: text("url")?, headers, body: parts.get("body") })
}

/// Replaces references to earlier replies in a body.
fn resolve(value: &Value, done: &[(&str, Reply)]) -> Result<Value, ApiError> {
    Ok(match value {
        Value::String(text) => Value::String(resolve_text(text, done)?),
        Value::Array(items) => items.iter().map(|item| resolve(item, done)).collect::<Result<_, _>>()?,
        Value::Object(parts) => {
            let resolved = parts.iter().map(|(key, part)| Ok((key.clone(), resolve(part, done)?)));
            Value::Object(resolved.collect::<Result<_, ApiError>>()?)
        }
        other => other.clone(),
    })
}

/// Replaces each `@{reference.path}`.
fn resolve_text(text: &str, done: &[(&str, Reply)]) -> Result<String, ApiError> {
    let mut resolved = String::new();
    let mut rest = text;
    while let Some((before, tail)) = rest.split_once("@{") {
        let Some((expression, after)) = tail.split_once('}') else { break };
        resolved.push_str(before);
        resolved.push_str(&look_up(expression, done)?);
        rest = after;
    }
    resolved.push_str(rest);
    Ok(resolved)
}

fn look_up(expression: &str, done: &[(&str, Reply)]) -> Result<String, ApiError> {
    let no_value = || {
        let reference = expression.split(['.', '[']).next().unwrap_or_default();
        let message = format!("Invalid reference specified. No value for {expression} found in {reference}");
        ApiError::new(400, "PROCESSING_HALTED", message)
    };
    let mut parts = expression.split(['.', '[']).map(|part| part.trim_end_matches(']'));
    let reference = parts.next().unwrap_or_default();
    let (_, reply) = done.iter().find(|(name, _)| *name == reference).ok_or_else(no_value)?;
    let body = reply.body.as_ref().filter(|_| !reply.failed()).ok_or_else(no_value)?;
    let found = parts.try_fold(body, |value, part| match value {
        Value::Array(items) => items.get(part.parse::<usize>().ok()?),
        other => other.get(part),
    });
    match found {
        Some(Value::String(text)) => Ok(text.clone()),
        Some(value @ (Value::Number(_) | Value::Bool(_))) => Ok(value.to_string()),
        _ => Err(no_value()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::testing::{Bench, outcome};

    const EVENT: &str = "/services/data/v60.0/sobjects/Event";
    const TASK: &str = "/services/data/v60.0/sobjects/Task";

    fn create(reference: &str, url: &str, body: &Value) -> Value {
        json!({"method": "POST", "url": url, "referenceId": reference, "body": body})
    }

    fn good_event() -> Value {
        json!({"Subject": "E", "StartDateTime": "2026-01-15T19:00:00Z", "DurationInMinutes": 60})
    }

    fn run(bench: &mut Bench, all_or_none: bool, subrequests: &[Value]) -> Vec<Value> {
        let body = json!({"allOrNone": all_or_none, "compositeRequest": subrequests});
        let response = outcome(bench.post("/composite", body)).unwrap();
        response["compositeResponse"].as_array().unwrap().clone()
    }

    #[test]
    fn a_task_and_an_event_are_created_together() {
        let mut bench = Bench::new();
        let parts =
            run(&mut bench, true, &[create("task", TASK, &json!({})), create("event", EVENT, &good_event())]);
        assert_eq!(parts.len(), 2);
        let id = parts[0]["body"]["id"].as_str().unwrap();
        assert_eq!(
            parts[0],
            json!({"body": {"id": id, "success": true, "errors": []}, "httpHeaders": {"Location": format!("{TASK}/{id}")},
                "httpStatusCode": 201, "referenceId": "task"})
        );
        assert_eq!((bench.count("Task"), bench.count("Event")), (1, 1));
    }

    #[test]
    fn all_or_none_leaves_nothing_behind() {
        let mut bench = Bench::new();
        let parts = run(
            &mut bench,
            true,
            &[
                create("task", TASK, &json!({})),
                create("event", EVENT, &json!({"Subject": "no time"})),
                create("last", TASK, &json!({})),
            ],
        );
        let codes: Vec<&str> =
            parts.iter().map(|part| part["body"][0]["errorCode"].as_str().unwrap()).collect();
        assert_eq!(codes, ["PROCESSING_HALTED", "REQUIRED_FIELD_MISSING", "PROCESSING_HALTED"]);
        assert!(parts.iter().all(|part| part["httpStatusCode"] == 400));
        assert_eq!(
            parts[0]["body"][0]["message"],
            "The transaction was rolled back since another operation in the same transaction failed."
        );
        assert_eq!((bench.count("Task"), bench.count("Event")), (0, 0));
    }

    #[test]
    fn all_or_none_rolls_back_updates_too() {
        let mut bench = Bench::new();
        let id = bench.create("Task", json!({"Subject": "before"})).unwrap();
        let update = json!({"method": "PATCH", "url": format!("{TASK}/{id}"), "referenceId": "a", "body": {"Subject": "after"}});
        run(&mut bench, true, &[update, create("b", EVENT, &json!({}))]);
        assert_eq!(bench.record(&id).text("Subject"), Some("before"));
    }

    #[test]
    fn without_all_or_none_successful_subrequests_are_kept() {
        let mut bench = Bench::new();
        let parts =
            run(&mut bench, false, &[create("event", EVENT, &json!({})), create("task", TASK, &json!({}))]);
        assert_eq!(
            (parts[0]["httpStatusCode"].clone(), parts[1]["httpStatusCode"].clone()),
            (json!(400), json!(201))
        );
        assert_eq!(bench.count("Task"), 1);
    }

    #[test]
    fn a_later_subrequest_can_refer_to_an_earlier_one() {
        let mut bench = Bench::new();
        let lead = "/services/data/v60.0/sobjects/Lead";
        let query = "/services/data/v60.0/query?q=SELECT+Id+FROM+Lead+WHERE+Id='@{lead.id}'";
        let parts = run(
            &mut bench,
            true,
            &[
                create("lead", lead, &json!({"LastName": "New", "Company": "X"})),
                json!({"method": "GET", "url": query, "referenceId": "found"}),
                create("task", TASK, &json!({"WhoId": "@{found.records[0].Id}"})),
            ],
        );
        assert_eq!(parts[2]["httpStatusCode"], 201, "{parts:?}");
        let task = bench.record(parts[2]["body"]["id"].as_str().unwrap());
        assert_eq!(task.text("WhoId"), parts[0]["body"]["id"].as_str());
    }

    #[test]
    fn a_reference_to_a_failed_subrequest_is_an_error() {
        let mut bench = Bench::new();
        let parts = run(
            &mut bench,
            false,
            &[
                create("event", EVENT, &json!({})),
                create("task", TASK, &json!({"CallObject": "@{event.id}"})),
            ],
        );
        assert_eq!(parts[1]["body"][0]["errorCode"], "PROCESSING_HALTED");
        assert_eq!(
            parts[1]["body"][0]["message"],
            "Invalid reference specified. No value for event.id found in event"
        );
        assert_eq!(bench.count("Task"), 0);
    }

    #[test]
    fn search_cannot_be_a_subrequest() {
        let mut bench = Bench::new();
        let search =
            json!({"method": "GET", "url": "/services/data/v60.0/search/?q=FIND+{abc}", "referenceId": "s"});
        let parts = run(&mut bench, false, &[search]);
        assert_eq!(parts[0]["httpStatusCode"], 400);
    }

    #[test]
    fn malformed_and_oversized_composite_requests_are_refused() {
        let many =
            |count: usize| (0..count).map(|n| create(&format!("r{n}"), TASK, &json!({}))).collect::<Vec<_>>();
        let queries: Vec<Value> = (0..6)
            .map(|n| json!({"method": "GET", "url": "/services/data/v60.0/query?q=x", "referenceId": format!("q{n}")}))
            .collect();
        let mut twice = many(2);
        twice[1]["referenceId"] = json!("r0");
        for body in [
            json!({}),
            json!({"compositeRequest": []}),
            json!({"compositeRequest": many(26)}),
            json!({"compositeRequest": queries}),
            json!({"compositeRequest": twice}),
            json!({"compositeRequest": [create("0", TASK, &json!({}))]}),
            json!({"compositeRequest": [{"method": "POST", "url": TASK}]}),
            json!({"compositeRequest": many(1), "allOrNothing": true}),
            json!({"compositeRequest": many(1), "allOrNone": "true"}),
        ] {
            let mut bench = Bench::new();
            assert_eq!(bench.post("/composite", body.clone()).status, 400, "{body}");
            assert_eq!(bench.count("Task"), 0);
        }
        assert_eq!(Bench::new().post("/composite", json!({"compositeRequest": many(25)})).status, 200);
    }
}
