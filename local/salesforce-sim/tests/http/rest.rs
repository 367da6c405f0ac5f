//! The REST API over HTTP: sessions, headers, errors, and faults.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use crate::support::{World, body, location, query, task_composite};
use reqwest::Client;
use salesforce_sim::{Effect, Fault, Preset, RecordFault, RouteKind, Target};
use serde_json::{Value, json};

const SEARCH: &str = "/services/data/v60.0/search/";
const QUERY: &str = "/services/data/v60.0/query/";
const COMPOSITE: &str = "/services/data/v60.0/composite";
const TASK: &str = "/services/data/v60.0/sobjects/Task";

const ADA: [(&str, &str); 1] =
    [("q", "FIND {2345550123} IN PHONE FIELDS RETURNING Lead(Id, Name, Phone WHERE IsConverted = false)")];

#[tokio::test]
async fn a_response_has_the_orgs_api_usage() {
    let world = World::start().await;
    let token = world.connect().access_token;
    let response = world.get(&token, SEARCH, &ADA).await;
    assert_eq!(response.headers()["sforce-limit-info"], "api-usage=1/15000");
    assert!(response.headers()["content-type"].to_str().unwrap().starts_with("application/json"));
    let found = body(response).await;
    assert_eq!(found["searchRecords"][0]["Name"], "Ada Sample");
    assert_eq!(found["searchRecords"][0]["Phone"], "(234) 555-0123");
    assert_eq!(world.get(&token, SEARCH, &ADA).await.headers()["sforce-limit-info"], "api-usage=2/15000");
}

#[tokio::test]
async fn a_session_expires_after_two_hours_without_use() {
    let world = World::start().await;
    let token = world.connect().access_token;
    world.simulator.advance(Duration::from_secs(7199));
    assert_eq!(world.get(&token, SEARCH, &ADA).await.status(), 200);
    world.simulator.advance(Duration::from_hours(2));
    let response = world.get(&token, SEARCH, &ADA).await;
    assert_eq!(response.status(), 401);
    assert!(response.headers().get("sforce-limit-info").is_none());
    assert_eq!(
        body(response).await,
        json!([{"message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID"}])
    );
}

#[tokio::test]
async fn requests_without_a_bearer_token_are_refused() {
    let world = World::start().await;
    for (header, code) in [(None, "INVALID_SESSION_ID"), (Some("Basic eDp5"), "INVALID_AUTH_HEADER")] {
        let mut request = world.client.get(world.url(QUERY));
        if let Some(header) = header {
            request = request.header("authorization", header);
        }
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 401);
        assert_eq!(body(response).await[0]["errorCode"], code);
    }
    let versions = body(world.client.get(world.url("/services/data/")).send().await.unwrap()).await;
    assert_eq!(versions[0]["version"], "60.0");
}

#[tokio::test]
async fn a_session_without_the_api_scope_is_refused() {
    let world = World::start().await;
    let url = world.authorize_url(&[("scope", Some("id refresh_token"))]);
    let response = world.decide(&url, &[("decision", "allow")]).await;
    let tokens = body(world.exchange(&query(&location(&response))["code"], &[]).await).await;
    let response = world.get(tokens["access_token"].as_str().unwrap(), SEARCH, &ADA).await;
    assert_eq!(response.status(), 401);
    assert_eq!(body(response).await[0]["message"], "This session is not valid for use with the REST API");
}

#[tokio::test]
async fn a_record_is_created_updated_read_and_deleted() {
    let world = World::start().await;
    let token = world.connect().access_token;
    let response = world.post(&token, TASK, &json!({"Subject": "Call", "CallObject": "c1"})).await;
    assert_eq!(response.status(), 201);
    let path = response.headers()["location"].to_str().unwrap().to_owned();
    let created = body(response).await;
    assert_eq!(created["success"], true);
    assert_eq!(path, format!("{TASK}/{}", created["id"].as_str().unwrap()));

    let url = world.url(&path);
    let update = |body: Value| world.client.patch(&url).bearer_auth(&token).json(&body).send();
    let response = update(json!({"Subject": "Changed"})).await.unwrap();
    assert_eq!(response.status(), 204);
    let response = update(json!({"Nothing": 1})).await.unwrap();
    assert_eq!(response.status(), 400);
    let task = body(world.get(&token, &path, &[("fields", "Subject,CallObject")]).await).await;
    assert_eq!((task["Subject"].as_str(), task["CallObject"].as_str()), (Some("Changed"), Some("c1")));
    assert_eq!(world.client.delete(&url).bearer_auth(&token).send().await.unwrap().status(), 204);
    let response = world.get(&token, &path, &[]).await;
    assert_eq!(response.status(), 404);
    assert_eq!(body(response).await[0]["errorCode"], "ENTITY_IS_DELETED");
}

#[tokio::test]
async fn invalid_requests_get_salesforces_errors() {
    let world = World::start().await;
    let token = world.connect().access_token;
    let post = || world.client.post(world.url(TASK)).bearer_auth(&token);
    let json_type = ("content-type", "application/json");
    let malformed = post().header(json_type.0, json_type.1).body("{\"Subject\":").send().await.unwrap();
    let text = post().header("content-type", "text/plain").body("{}").send().await.unwrap();
    let list = post().json(&json!([])).send().await.unwrap();
    let method = world.client.put(world.url(COMPOSITE)).bearer_auth(&token).send().await.unwrap();
    let unknown = world.get(&token, "/services/data/v60.0/nothing", &[]).await;
    let retired = world.get(&token, "/services/data/v30.0/query", &[]).await;
    let future = world.get(&token, "/services/data/v99.0/query", &[]).await;
    let unsimulated = world.get(&token, "/services/data/v60.0/limits", &[]).await;
    for (response, status, code) in [
        (malformed, 400, "JSON_PARSER_ERROR"),
        (text, 415, "UNSUPPORTED_MEDIA_TYPE"),
        (list, 400, "JSON_PARSER_ERROR"),
        (method, 405, "METHOD_NOT_ALLOWED"),
        (unknown, 404, "NOT_FOUND"),
        (retired, 410, "GONE"),
        (future, 404, "NOT_FOUND"),
        (unsimulated, 501, "NOT_SIMULATED"),
    ] {
        assert_eq!(response.status(), status, "{code}");
        assert_eq!(body(response).await[0]["errorCode"], code);
    }
}

#[tokio::test]
async fn the_daily_limit_is_enforced() {
    let world = World::start().await;
    let token = world.connect().access_token;
    world.control("/settings", &json!({"apiLimit": 100, "apiUsed": 99})).await;
    let response = world.get(&token, SEARCH, &ADA).await;
    assert_eq!(response.headers()["sforce-limit-info"], "api-usage=100/100");
    let response = world.get(&token, SEARCH, &ADA).await;
    assert_eq!(response.status(), 403);
    assert_eq!(response.headers()["sforce-limit-info"], "api-usage=100/100");
    assert_eq!(
        body(response).await,
        json!([{"message": "TotalRequests Limit exceeded.", "errorCode": "REQUEST_LIMIT_EXCEEDED"}])
    );
    world.simulator.set(|settings| settings.api_used = 0);
    world.simulator.advance(Duration::from_hours(1));
    assert_eq!(world.get(&token, SEARCH, &ADA).await.headers()["sforce-limit-info"], "api-usage=2/100");
}

#[tokio::test]
async fn a_composite_request_counts_as_one() {
    let world = World::start().await;
    let token = world.connect().access_token;
    let response = world.post(&token, COMPOSITE, &task_composite("c1")).await;
    assert_eq!(
        (response.status().as_u16(), &response.headers()["sforce-limit-info"]),
        (200, &"api-usage=1/15000".parse().unwrap())
    );
    assert_eq!(body(response).await["compositeResponse"][0]["httpStatusCode"], 201);
    assert_eq!(world.simulator.count(RouteKind::Composite), 1);
}

#[tokio::test]
async fn a_preset_strikes_once_and_the_request_is_not_executed() {
    let world = World::start().await;
    let token = world.connect().access_token;
    for (preset, status, content_type) in [
        (Preset::SessionExpired, 401, "application/json"),
        (Preset::SessionNotForRest, 401, "application/json"),
        (Preset::TotalRequestsLimit, 403, "application/json"),
        (Preset::ConcurrentRequestsLimit, 403, "application/json"),
        (Preset::UnableToLockRow, 400, "application/json"),
        (Preset::ServerUnavailable, 503, "application/json"),
        (Preset::BadGatewayHtml, 502, "text/html"),
        (Preset::EdgeBusyHtml, 420, "text/html"),
    ] {
        world.simulator.add_fault(Fault::once(Target::Data, preset));
        let response = world.post(&token, COMPOSITE, &task_composite("c1")).await;
        assert_eq!(response.status(), status, "{preset:?}");
        assert!(response.headers()["content-type"].to_str().unwrap().starts_with(content_type), "{preset:?}");
    }
    assert!(world.simulator.records("Task").is_empty());
    assert_eq!(world.post(&token, COMPOSITE, &task_composite("c1")).await.status(), 200);
}

#[tokio::test]
async fn a_connection_can_close_before_and_after_the_commit() {
    let world = World::start().await;
    let token = world.connect().access_token;
    // A new connection for each request, so that the client does not retry.
    let client = Client::builder().pool_max_idle_per_host(0).build().unwrap();
    let post =
        |id: &str| client.post(world.url(COMPOSITE)).bearer_auth(&token).json(&task_composite(id)).send();
    world.simulator.add_fault(Fault::once(RouteKind::Composite, Effect::DropBefore));
    assert!(post("before").await.unwrap_err().status().is_none());
    assert!(world.simulator.records("Task").is_empty());

    world.simulator.add_fault(Fault::once(RouteKind::Composite, Effect::DropAfter));
    assert!(post("after").await.unwrap_err().status().is_none());
    assert_eq!(world.simulator.records("Task")[0]["CallObject"], "after");

    let effect = Effect::AnswerAfter { status: 502, body: json!("Bad Gateway"), headers: BTreeMap::new() };
    world.simulator.add_fault(Fault::once(RouteKind::Composite, effect));
    assert_eq!(post("answered").await.unwrap().status(), 502);
    assert_eq!(world.simulator.records("Task").len(), 2);
}

#[tokio::test]
async fn a_request_is_executed_even_if_its_client_is_gone() {
    let world = World::start().await;
    let token = world.connect().access_token;
    world.simulator.add_fault(Fault::once(RouteKind::Composite, Effect::Delay { milliseconds: 200 }));
    let client = Client::builder().timeout(Duration::from_millis(50)).build().unwrap();
    let request = client.post(world.url(COMPOSITE)).bearer_auth(&token).json(&task_composite("late"));
    assert!(request.send().await.unwrap_err().is_timeout());
    assert!(world.simulator.records("Task").is_empty(), "it is still in progress");
    let deadline = Instant::now() + Duration::from_secs(10);
    while world.simulator.records("Task").is_empty() {
        assert!(Instant::now() < deadline, "it was never executed");
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_refused_event_rolls_back_the_task() {
    let world = World::start().await;
    let token = world.connect().access_token;
    world.simulator.add_record_fault(RecordFault {
        object: "Event".into(),
        operation: None,
        times: Some(1),
        status: 400,
        error_code: "FIELD_CUSTOM_VALIDATION_EXCEPTION".into(),
        message: "Appointments need a location".into(),
        fields: vec!["Location".into()],
    });
    let mut both = task_composite("c1");
    both["compositeRequest"].as_array_mut().unwrap().push(json!({
        "method": "POST", "url": "/services/data/v60.0/sobjects/Event", "referenceId": "event",
        "body": {"StartDateTime": "2026-01-15T19:00:00Z", "DurationInMinutes": 60},
    }));
    let response = body(world.post(&token, COMPOSITE, &both).await).await;
    assert_eq!(response["compositeResponse"][0]["body"][0]["errorCode"], "PROCESSING_HALTED");
    assert_eq!(
        response["compositeResponse"][1]["body"],
        json!([{"message": "Appointments need a location", "errorCode": "FIELD_CUSTOM_VALIDATION_EXCEPTION", "fields": ["Location"]}])
    );
    assert!(world.simulator.records("Task").is_empty());
    let response = body(world.post(&token, COMPOSITE, &both).await).await;
    assert_eq!(response["compositeResponse"][1]["httpStatusCode"], 201);
}

#[tokio::test]
async fn a_session_sees_only_its_own_orgs_records() {
    let world = World::start().await;
    let other = world.simulator.state()["orgs"][1]["users"][0]["id"].as_str().unwrap().to_owned();
    let other = world.simulator.connect_as(Some(&other)).unwrap();
    let found = body(world.get(&other.access_token, QUERY, &[("q", "SELECT Name FROM Contact")]).await).await;
    assert_eq!(found["totalSize"], 1);
    assert_eq!(found["records"][0]["Name"], "Olga Elsewhere");
}
