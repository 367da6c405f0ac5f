//! Responses that Salesforce can send and the simulator does not: redirects, truncated bodies, lost connections, pages.

#![allow(clippy::unwrap_used, clippy::needless_pass_by_value, reason = "helpers of tests")]

mod support;

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    http::{Response, StatusCode, header},
};
use calls::{
    ids::{CallId, SalesforceId},
    time_zone::TimeZone,
};
use chrono::{DateTime, Utc};
use crm::{FaultClass, Omitted, PhoneQuery, RecordType, WrittenObject};
use salesforce::Grant;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpSocket, TcpStream},
    time::timeout,
};
use worker::ports::{Crm, TokenEndpoint, Tokens};

use support::{client, connection, impatient, task};

/// A server that sends its responses in turn, and records the requests.
#[derive(Clone, Default)]
struct Script {
    responses: Arc<Mutex<VecDeque<Response<Body>>>>,
    requests: Arc<Mutex<Vec<Received>>>,
}

/// A request that was received.
#[derive(Debug, Clone)]
struct Received {
    /// Method, path and query.
    line: String,
    user_agent: String,
    unmodified_since: Option<String>,
    authorized: bool,
    body: Value,
}

impl Script {
    fn then(self, status: u16, body: impl ToString) -> Self {
        self.then_response(Response::builder().status(status).body(Body::from(body.to_string())).unwrap())
    }

    fn then_redirect(self, to: &str) -> Self {
        let response = Response::builder().status(302).header(header::LOCATION, to);
        self.then_response(response.body(Body::empty()).unwrap())
    }

    fn then_response(self, response: Response<Body>) -> Self {
        self.responses.lock().unwrap().push_back(response);
        self
    }

    /// Starts the server; returns its URL.
    async fn start(&self) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let app = Router::new().fallback(respond).with_state(self.clone());
        tokio::spawn(async move { axum::serve(listener, app).await });
        url
    }

    fn requests(&self) -> Vec<Received> {
        self.requests.lock().unwrap().clone()
    }
}

async fn respond(State(script): State<Script>, request: Request) -> Response<Body> {
    let (head, body) = request.into_parts();
    let body = axum::body::to_bytes(body, 1_000_000).await.unwrap();
    let text =
        |name| head.headers.get(name).map(|value: &header::HeaderValue| value.to_str().unwrap().to_owned());
    script.requests.lock().unwrap().push(Received {
        line: format!("{} {}", head.method, head.uri),
        user_agent: text(header::USER_AGENT).unwrap_or_default(),
        unmodified_since: text(header::IF_UNMODIFIED_SINCE),
        authorized: text(header::AUTHORIZATION).is_some_and(|value| value.starts_with("Bearer ")),
        body: serde_json::from_slice(&body).unwrap_or_default(),
    });
    let next = script.responses.lock().unwrap().pop_front();
    next.unwrap_or_else(|| {
        Response::builder().status(StatusCode::NOT_IMPLEMENTED).body(Body::empty()).unwrap()
    })
}

/// A server that accepts each connection, runs `serve` on it, and closes it.
async fn raw_server<F>(serve: impl Fn(usize, TcpStream) -> F + Send + 'static) -> String
where
    F: Future<Output = ()> + Send,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        for n in 0.. {
            let Ok((stream, _)) = listener.accept().await else { return };
            serve(n, stream).await;
        }
    });
    url
}

/// Waits for a request and ignores it.
async fn receive_request(stream: &mut TcpStream) {
    assert!(stream.read(&mut [0; 4096]).await.unwrap() > 0);
}

fn who() -> SalesforceId {
    SalesforceId::parse("00Q000000000001").unwrap()
}

fn query() -> PhoneQuery {
    PhoneQuery { national: "2345550123".to_owned(), international: "12345550123".to_owned(), others: vec![] }
}

const NOTHING_FOUND: &str = r#"{"searchRecords":[]}"#;

#[tokio::test]
async fn requests_carry_user_agent_token_and_api_version() {
    let script = Script::default().then(200, NOTHING_FOUND);
    let url = script.start().await;
    client(&url).search(&connection(&url), &RecordType::ALL, &query(), &Omitted::default()).await.unwrap();
    let request = &script.requests()[0];
    assert!(
        request.line.starts_with("GET /services/data/v60.0/search/?q=FIND+%7B2345550123+OR"),
        "{}",
        request.line
    );
    assert_eq!(request.user_agent, concat!("Ringlog/", env!("CARGO_PKG_VERSION")));
    assert!(request.authorized);
}

#[tokio::test]
async fn a_redirect_is_a_session_fault_and_the_token_does_not_follow_it() {
    let elsewhere = Script::default();
    let other = elsewhere.start().await;
    let script = Script::default().then_redirect(&other);
    let url = script.start().await;
    let error = client(&url)
        .search(&connection(&url), &RecordType::ALL, &query(), &Omitted::default())
        .await
        .unwrap_err();
    assert_eq!((error.class, error.code.as_str()), (FaultClass::Session, "http_302"));
    assert!(elsewhere.requests().is_empty());
}

#[tokio::test]
async fn no_token_is_sent_to_a_stored_host_that_the_rules_refuse() {
    let script = Script::default();
    let url = script.start().await;
    // The deployment's login URL is Salesforce's, so loopback is not allowed.
    let client = client("https://login.salesforce.com");
    let error =
        client.search(&connection(&url), &RecordType::ALL, &query(), &Omitted::default()).await.unwrap_err();
    assert_eq!((error.class, error.code.as_str()), (FaultClass::Permanent, "instance_url_refused"));
    let error = client.refresh(&connection(&url), &"client-secret".into()).await.unwrap_err();
    assert_eq!(error.code, "login_url_refused");
    assert_eq!(client.revoke(&url, &"sample".into()).await.unwrap_err().code, "login_url_refused");
    assert!(script.requests().is_empty());
}

#[tokio::test]
async fn a_refused_connection_is_a_passing_fault_even_for_writes() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let error =
        client(&url).create(&connection(&url), Some(&task(&who(), "call-1")), None).await.unwrap_err();
    assert_eq!((error.class, error.code.as_str()), (FaultClass::Passing, "connection"));
}

#[tokio::test]
async fn a_connection_that_closes_during_a_write_is_ambiguous() {
    let url = raw_server(|_, mut stream| async move {
        receive_request(&mut stream).await;
    })
    .await;
    let (client, connection) = (client(&url), connection(&url));
    let error = client.create(&connection, Some(&task(&who(), "call-1")), None).await.unwrap_err();
    assert_eq!((error.class, error.code.as_str()), (FaultClass::Ambiguous, "connection"));
    let id = SalesforceId::parse("00T000000000001").unwrap();
    let error =
        client.update(&connection, WrittenObject::Task, &id, &subject(), Utc::now()).await.unwrap_err();
    assert_eq!(error.class, FaultClass::Ambiguous);
    let error = client.refresh(&connection, &"client-secret".into()).await.unwrap_err();
    assert_eq!(error.class, FaultClass::Ambiguous);
}

#[tokio::test]
async fn a_read_on_a_dead_connection_is_sent_again() {
    let url = raw_server(|n, mut stream| async move {
        receive_request(&mut stream).await;
        if n > 0 {
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", NOTHING_FOUND.len());
            stream.write_all(head.as_bytes()).await.unwrap();
            stream.write_all(NOTHING_FOUND.as_bytes()).await.unwrap();
        }
    })
    .await;
    let found = client(&url)
        .search(&connection(&url), &RecordType::ALL, &query(), &Omitted::default())
        .await
        .unwrap();
    assert!(found.value.records.is_empty());
}

#[tokio::test]
async fn a_truncated_response_is_ambiguous_for_writes() {
    let url = raw_server(|_, mut stream| async move {
        receive_request(&mut stream).await;
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{\"compositeResp").await.unwrap();
    })
    .await;
    let (client, connection) = (client(&url), connection(&url));
    let error = client.create(&connection, Some(&task(&who(), "call-1")), None).await.unwrap_err();
    assert_eq!(error.class, FaultClass::Ambiguous);
    let error =
        client.search(&connection, &RecordType::ALL, &query(), &Omitted::default()).await.unwrap_err();
    assert_eq!(error.class, FaultClass::Passing, "a truncated response says nothing about what was found");
}

#[tokio::test]
async fn a_timeout_is_ambiguous_for_writes_and_passing_for_reads() {
    // The listener's backlog accepts the connection; nothing ever responds.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (client, connection) = (impatient(&url), connection(&url));
    let error = client.create(&connection, Some(&task(&who(), "call-1")), None).await.unwrap_err();
    assert_eq!((error.class, error.code.as_str()), (FaultClass::Ambiguous, "timeout"));
    let error =
        client.search(&connection, &RecordType::ALL, &query(), &Omitted::default()).await.unwrap_err();
    assert_eq!((error.class, error.code.as_str()), (FaultClass::Passing, "timeout"));
    assert_eq!(client.revoke(&url, &"sample".into()).await.unwrap_err().class, FaultClass::Passing);
    drop(listener);
}

/// Nothing was sent, so it is certain that nothing was written; but the org does not respond in time.
#[tokio::test]
async fn a_connection_that_is_not_established_in_time_is_a_timeout_that_wrote_nothing() {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(1).unwrap();
    let address = listener.local_addr().unwrap();
    // Fills the backlog, so that the next connection gets no answer.
    let mut waiting = Vec::new();
    while let Ok(stream) = timeout(Duration::from_millis(100), TcpStream::connect(address)).await {
        waiting.push(stream.unwrap());
    }
    let url = format!("http://{address}");
    let (client, connection) = (impatient(&url), connection(&url));
    let error = client.create(&connection, Some(&task(&who(), "call-1")), None).await.unwrap_err();
    assert_eq!((error.class, error.code.as_str()), (FaultClass::Passing, "timeout"));
    assert!(error.timed_out());
}

#[tokio::test]
async fn a_response_without_the_promised_ids_is_ambiguous() {
    for body in [json!({}), json!({"compositeResponse": []}), json!("done")] {
        let script = Script::default().then(200, body);
        let url = script.start().await;
        let created = client(&url).create(&connection(&url), Some(&task(&who(), "call-1")), None).await;
        assert_eq!(created.unwrap_err().class, FaultClass::Ambiguous);
    }
}

#[tokio::test]
async fn nothing_to_write_sends_no_request() {
    let script = Script::default();
    let url = script.start().await;
    client(&url).create(&connection(&url), None, None).await.unwrap();
    assert!(script.requests().is_empty());
}

fn subject() -> crm::Fields {
    json!({ "Subject": "Inbound Call" }).as_object().unwrap().clone()
}

#[tokio::test]
async fn an_update_sends_the_given_fields_unless_the_record_was_modified() {
    let script = Script::default().then(204, "").then(204, "");
    let url = script.start().await;
    let (client, connection) = (client(&url), connection(&url));
    let id = SalesforceId::parse("00T000000000001").unwrap();
    let read_at = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
    for object in [WrittenObject::Task, WrittenObject::Event] {
        client.update(&connection, object, &id, &subject(), read_at).await.unwrap();
    }
    let requests = script.requests();
    for (request, object) in requests.iter().zip(["Task", "Event"]) {
        assert_eq!(request.line, format!("PATCH /services/data/v60.0/sobjects/{object}/{id}"));
        assert_eq!(request.body, json!({ "Subject": "Inbound Call" }));
        assert_eq!(request.unmodified_since.as_deref(), Some("Fri, 15 Jan 2027 08:00:00 GMT"));
    }
}

/// The token endpoint of an org whose My Domain was renamed.
#[tokio::test]
async fn a_gone_address_is_distinguished_from_an_ended_grant() {
    for (status, body, class) in [
        (301, "", FaultClass::AddressGone),
        (307, "<html></html>", FaultClass::AddressGone),
        (404, "<html>URL No Longer Exists</html>", FaultClass::AddressGone),
        (503, "<html></html>", FaultClass::Ambiguous),
        (
            400,
            r#"{"error":"invalid_grant","error_description":"expired access/refresh token"}"#,
            FaultClass::GrantEnded,
        ),
        (
            400,
            r#"{"error":"invalid_grant","error_description":"authentication failure"}"#,
            FaultClass::GrantDoubtful,
        ),
    ] {
        let script = Script::default().then(status, body);
        let url = script.start().await;
        let error = client(&url).refresh(&connection(&url), &"client-secret".into()).await.unwrap_err();
        assert_eq!(error.class, class, "{status} {body}");
    }
}

fn part(reference: &str, status: u16, body: Value) -> Value {
    json!({ "referenceId": reference, "httpStatusCode": status, "httpHeaders": {}, "body": body })
}

fn page(records: Value, next: Option<&str>) -> Value {
    json!({ "totalSize": 1, "done": next.is_none(), "records": records, "nextRecordsUrl": next })
}

fn no_such_column() -> Value {
    json!([{"errorCode": "INVALID_FIELD", "message": "No such column 'CallObject' on entity 'Task'."}])
}

const TASK_ID: &str = "00T000000000001";
const EVENT_ID: &str = "00U000000000001";

async fn look(script: &Script) -> Result<worker::ports::Look, crm::CrmError> {
    let url = script.start().await;
    let since = DateTime::from_timestamp(1_700_000_000, 0).unwrap();
    let (call_id, who_ids) = (CallId::parse("call-1").unwrap(), [who()]);
    client(&url)
        .look(&connection(&url), &call_id, &who_ids, since, false)
        .await
        .map(|response| response.value)
}

#[tokio::test]
async fn a_look_reads_all_pages() {
    let task = json!([{"Id": TASK_ID, "WhoId": who(), "CallObject": "call-1"}]);
    let other = json!([{"Id": EVENT_ID, "WhoId": who(), "Description": "Call call-2"}]);
    let event = json!([{"Id": EVENT_ID, "WhoId": who(), "Description": "Notes\nCall call-1"}]);
    let script = Script::default()
        .then(
            200,
            json!({"compositeResponse": [
                part("taskByCall", 200, page(task, None)),
                part("taskByText", 200, page(json!([]), None)),
                part("eventByText", 200, page(other, Some("/services/data/v60.0/query/01gx-200"))),
            ]}),
        )
        .then(200, page(event, None));
    let look = look(&script).await.unwrap();
    assert_eq!(look.task, Some((SalesforceId::parse(TASK_ID).unwrap(), Some(who()))));
    assert_eq!(look.event_id, Some(SalesforceId::parse(EVENT_ID).unwrap()));
    let lines: Vec<_> = script.requests().into_iter().map(|request| request.line).collect();
    assert_eq!(lines, ["POST /services/data/v60.0/composite", "GET /services/data/v60.0/query/01gx-200"]);
}

#[tokio::test]
async fn a_next_page_on_another_host_is_not_fetched() {
    let script = Script::default().then(
        200,
        json!({"compositeResponse": [
            part("taskByCall", 200, page(json!([]), Some("@evil.example/services/data/"))),
            part("taskByText", 200, page(json!([]), None)),
            part("eventByText", 200, page(json!([]), None)),
        ]}),
    );
    assert_eq!(look(&script).await.unwrap_err().code, "unreadable_answer");
    assert_eq!(script.requests().len(), 1);
}

#[tokio::test]
async fn without_access_to_call_object_the_description_decides() {
    let task = json!([{"Id": TASK_ID, "WhoId": who(), "Description": "Summary\n\nCall call-1"}]);
    let script = Script::default().then(
        200,
        json!({"compositeResponse": [
            part("taskByCall", 400, no_such_column()),
            part("taskByText", 200, page(task, None)),
            part("eventByText", 200, page(json!([]), None)),
        ]}),
    );
    assert!(look(&script).await.unwrap().task.is_some());
}

#[tokio::test]
async fn a_look_that_may_read_neither_is_an_error_and_not_a_miss() {
    let script = Script::default().then(
        200,
        json!({"compositeResponse": [
            part("taskByCall", 400, no_such_column()),
            part("taskByText", 400, no_such_column()),
            part("eventByText", 200, page(json!([]), None)),
        ]}),
    );
    assert_eq!(look(&script).await.unwrap_err().class, FaultClass::FieldRefused);
    let script = Script::default().then(
        200,
        json!({"compositeResponse": [
            part("taskByCall", 200, page(json!([]), None)),
            part("taskByText", 500, json!([{"errorCode": "UNKNOWN_EXCEPTION", "message": ""}])),
            part("eventByText", 200, page(json!([]), None)),
        ]}),
    );
    assert_eq!(look(&script).await.unwrap_err().class, FaultClass::Passing);
}

fn grant(url: &str) -> Grant {
    let hosts = salesforce::hosts::Hosts::of_deployment(url).unwrap();
    Grant {
        tokens: Tokens {
            access_token: "sample-access".into(),
            refresh_token: None,
            instance_url: url.to_owned(),
            issued_at: 0,
        },
        identity: hosts.identity(&format!("{url}{IDENTITY_PATH}")).unwrap(),
    }
}

const IDENTITY_PATH: &str = "/id/00D000000000001EAA/005000000000001AAA";

fn identity() -> Value {
    json!({
        "user_id": "005000000000001AAA", "organization_id": "00D000000000001EAA", "username": "ada@sample.example",
        "display_name": "Ada Sample", "timezone": "America/New_York", "utcOffset": -18_000_000,
    })
}

#[tokio::test]
async fn identity_follows_a_redirect_to_the_same_user() {
    let org = Script::default().then(200, identity());
    let instance = org.start().await;
    let login = Script::default().then_redirect(&format!("{instance}{IDENTITY_PATH}"));
    let url = login.start().await;
    let identity = client(&url).identity(&grant(&url)).await.unwrap();
    assert_eq!(identity.time_zone.map(TimeZone::name), Some("America/New_York"));
    assert_eq!(identity.display_name.as_deref(), Some("Ada Sample"));
    assert!(org.requests()[0].authorized);
}

#[tokio::test]
async fn the_token_follows_no_redirect_to_another_host_or_user() {
    for location in [
        "https://login.salesforce.com.evil.example/id/00D000000000001EAA/005000000000001AAA",
        "/id/00D000000000001EAA/005000000000002AAA",
        "/id/00D000000000002EAA/005000000000001AAA",
        "/elsewhere",
    ] {
        let login = Script::default().then_redirect(location).then(200, identity());
        let url = login.start().await;
        let error = client(&url).identity(&grant(&url)).await.unwrap_err();
        assert_eq!(error.code, "identity_url_refused", "{location}");
        assert_eq!(login.requests().len(), 1, "{location}");
    }
}

#[tokio::test]
async fn the_identity_of_another_user_is_refused() {
    let mut other = identity();
    other["organization_id"] = "00D000000000002EAA".into();
    let script = Script::default().then(200, other);
    let url = script.start().await;
    assert_eq!(client(&url).identity(&grant(&url)).await.unwrap_err().code, "unreadable_answer");
}

#[tokio::test]
async fn an_unknown_time_zone_is_ignored() {
    let mut response = identity();
    response["timezone"] = "Mars/Olympus".into();
    let script = Script::default().then(200, response);
    let url = script.start().await;
    assert_eq!(client(&url).identity(&grant(&url)).await.unwrap().time_zone, None);
}
