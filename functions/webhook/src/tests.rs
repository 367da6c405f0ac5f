//! The webhook, from a request to the queue.

use calls::{
    codes::reasons::WEBHOOK_SECRET_REVOKED,
    ids::{CallId, WorkspaceId},
    status::SyncStatus,
};
use crm::workspace::{WebhookSecretVersions, Workspace};
use lambda_http::{Body, Response};
use platform::{
    testing::{
        FixedClock, MemoryLedger, MemoryQueue, MemoryWorkspaces, SeededRandom, When, keys,
        request::{ApiRequest, body_of, from_event},
        samples,
    },
    webhook_token::{TokenSigner, WebhookTokenIssuer},
};
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use worker::jobs::{Job, Report};

use crate::handler::Webhook;

const NOW: i64 = 1_800_457_200;

type World =
    Webhook<TokenSigner<keys::Fixed>, MemoryQueue, MemoryLedger, MemoryWorkspaces, FixedClock, SeededRandom>;

fn world() -> World {
    Webhook {
        tokens: TokenSigner::new(keys::Fixed::default()),
        queue: MemoryQueue::default(),
        ledger: MemoryLedger::default(),
        workspaces: MemoryWorkspaces::default(),
        clock: FixedClock::at(NOW),
        random: SeededRandom::new(1),
    }
}

fn acme() -> WorkspaceId {
    WorkspaceId::parse("acme").unwrap()
}

async fn token(version: u64) -> String {
    let signer = TokenSigner::new(keys::Fixed::default());
    signer.issue(&acme(), version).await.unwrap().expose_secret().to_owned()
}

fn report() -> Value {
    json!({ "message": {
        "type": "end-of-call-report",
        "timestamp": NOW * 1000,
        "call": { "id": "call-1", "type": "inboundPhoneCall", "customer": { "number": "+12345550123" } },
        "analysis": { "summary": "An offer for twelve licences." },
    } })
}

fn message(kind: &str) -> String {
    json!({ "message": { "type": kind, "timestamp": NOW * 1000, "call": { "id": "call-1" } } }).to_string()
}

impl World {
    async fn post(&self, token: &str, body: &str) -> Response<Body> {
        self.handle(ApiRequest::post("/webhook/vapi", body).header("x-vapi-secret", token).build()).await
    }

    /// Reports a call with version 3 of the workspace's secret.
    async fn reported(&self) -> Response<Body> {
        self.post(&token(3).await, &report().to_string()).await
    }

    fn secret_versions(&self, current: u64, oldest_valid: u64) {
        let mut workspace = Workspace::unknown(acme());
        workspace.webhook_secret = WebhookSecretVersions { current, oldest_valid };
        self.workspaces.insert(workspace);
    }
}

fn outcome(response: &Response<Body>) -> (u16, String) {
    let code = body_of(response)["code"].as_str().unwrap_or_default().to_owned();
    (response.status().as_u16(), code)
}

fn refused(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}

#[test]
fn every_sample_belongs_to_a_function() {
    let functions = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
    for file in samples::files() {
        let parts: Vec<_> = file.split('.').collect();
        let [function, _case, "json"] = parts[..] else { panic!("{file} is not <function>.<case>.json") };
        assert!(std::path::Path::new(functions).join(function).join("src/tests.rs").exists(), "{file}");
    }
}

#[tokio::test]
async fn samples_get_the_expected_responses() {
    let expected = [
        ("appointment", (200, "", 1)),
        ("appointment-datetime", (200, "", 1)),
        ("appointments-list", (200, "", 1)),
        ("assistant-request", (422, "unsupported_message", 0)),
        ("booked-in-other-words", (200, "", 1)),
        ("cancelled-by-status", (200, "", 1)),
        ("date-instant-and-time", (200, "", 1)),
        ("doubled-prefix", (200, "", 1)),
        ("duration-with-unit", (200, "", 1)),
        ("inbound-call", (200, "", 1)),
        ("json-text", (200, "", 1)),
        ("lead-name-from-data", (200, "", 1)),
        ("local-datetime-as-date", (200, "", 1)),
        ("local-datetime-as-time", (200, "", 1)),
        ("malformed", (400, "malformed_json", 0)),
        ("midnight-z-without-time", (200, "", 1)),
        ("nested-appointment", (200, "", 1)),
        ("no-call-id", (400, "missing_field", 0)),
        ("no-token", (401, "invalid_webhook_token", 0)),
        ("not-provided", (200, "", 1)),
        ("outbound-call", (200, "", 1)),
        ("report-without-call", (200, "", 0)),
        ("rescheduled", (200, "", 1)),
        ("rfc3339-time", (200, "", 1)),
        ("scheduled-false", (200, "", 1)),
        ("status-update", (200, "", 0)),
        ("structured-outputs", (200, "", 1)),
        ("stub-report", (200, "", 1)),
        ("time-instant-of-another-day", (200, "", 1)),
        ("time-with-zone-word", (200, "", 1)),
        ("transcript-as-list", (200, "", 1)),
        ("type-not-provided", (200, "", 1)),
        ("unanswered-sent-again", (200, "", 1)),
        ("values-in-lists", (200, "", 1)),
        ("voicemail-with-appointment", (200, "", 1)),
        ("web-call", (200, "", 1)),
        ("withheld-but-told", (200, "", 1)),
        ("wrong-token", (401, "invalid_webhook_token", 0)),
    ];
    let token = token(1).await;
    for (case, event, (status, code, enqueued)) in samples::of("webhook", &expected) {
        let world = world();
        let response = world.handle(from_event(&event.replace("<webhook token>", &token))).await;
        assert_eq!(outcome(&response), refused(status, code), "{case}");
        assert_eq!(world.queue.sent().len(), enqueued, "{case}");
        assert_eq!(response.headers()["cache-control"], "no-store", "{case}");
    }
}

#[tokio::test]
async fn a_report_becomes_one_message_in_its_workspaces_group() {
    let world = world();
    let response = world.reported().await;
    assert_eq!(response.status(), 200);
    assert_eq!(body_of(&response), json!({ "received": true }));
    let [job] = &world.queue.sent()[..] else { panic!("not one message") };
    // The queue uses the workspace as the message group.
    assert_eq!(world.queue.messages()[0].workspace_id, acme());
    let Job::Report(Report { secret_version, received_at, call, .. }) = job else { panic!("{job:?}") };
    assert_eq!((*secret_version, *received_at), (3, NOW));
    assert_eq!(call.id, CallId::parse("call-1").unwrap());
    assert_eq!(call.customer_number.as_ref().unwrap().value, "+12345550123");
    assert!(world.ledger.rows().is_empty());
}

#[tokio::test]
async fn the_token_may_be_a_bearer_token() {
    let world = world();
    let bearer = format!("Bearer {}", token(1).await);
    let request = ApiRequest::post("/webhook/vapi", &report().to_string()).header("authorization", &bearer);
    assert_eq!(world.handle(request.build()).await.status(), 200);
    assert_eq!(world.queue.sent().len(), 1);
}

#[tokio::test]
async fn without_a_valid_token_nothing_is_enqueued() {
    let world = world();
    let good = token(1).await;
    for bad in [good.replace("acme", "globex"), good.replace("acme.1", "acme.2"), String::new()] {
        let response = world.post(&bad, &report().to_string()).await;
        assert_eq!(outcome(&response), refused(401, "invalid_webhook_token"), "{bad}");
    }
    let without = ApiRequest::post("/webhook/vapi", &report().to_string()).build();
    assert_eq!(world.handle(without).await.status(), 401);
    assert!(world.queue.sent().is_empty());
}

#[tokio::test]
async fn without_a_valid_token_the_body_is_not_parsed() {
    let response = world().post("no token", "{not json").await;
    assert_eq!(response.status(), 401);
}

#[tokio::test]
async fn a_message_that_expects_a_response_is_refused_by_name() {
    for kind in ["assistant-request", "tool-calls", "transfer-destination-request"] {
        let world = world();
        let response = world.post(&token(1).await, &message(kind)).await;
        assert_eq!(outcome(&response), refused(422, "unsupported_message"));
        assert!(body_of(&response)["detail"].as_str().unwrap().contains(kind), "{kind}");
        assert!(world.queue.sent().is_empty());
    }
}

#[tokio::test]
async fn an_informational_message_is_received_and_dropped() {
    for kind in ["status-update", "speech-update", "something-of-next-year"] {
        let world = world();
        assert_eq!(world.post(&token(1).await, &message(kind)).await.status(), 200, "{kind}");
        assert!(world.queue.sent().is_empty());
    }
}

#[tokio::test]
async fn a_malformed_body_is_refused_without_echoing_it() {
    let response = world().post(&token(1).await, r#"{"message": {"summary": "a secret matter""#).await;
    assert_eq!(outcome(&response), refused(400, "malformed_json"));
    assert!(!String::from_utf8_lossy(response.body()).contains("secret matter"));
}

#[tokio::test]
async fn a_report_of_4_mb_becomes_a_message_that_fits_the_queue() {
    // The longest characters in JSON (a control character: six bytes) and in UTF-8 (an emoji: four).
    for filling in ["\u{1}", "\"\n", "🙂", "a word "] {
        let mut report = report();
        let length = json!(filling).to_string().len() - 2;
        let long = filling.repeat(1_000_000 / length + 1);
        report["message"]["artifact"]["transcript"] = json!(long[..]);
        report["message"]["analysis"]["summary"] = json!(long[..]);
        report["message"]["customer"]["name"] = json!(long[..]);
        report["message"]["endedReason"] = json!(long[..]);
        let body = report.to_string();
        assert!(body.len() > 4_000_000);
        let world = world();
        assert_eq!(world.post(&token(1).await, &body).await.status(), 200);
        let length = world.queue.messages()[0].body.len();
        assert!(length < 256 * 1024, "{length} bytes of {filling:?}");
    }
}

#[tokio::test]
async fn while_the_queue_is_down_the_call_goes_into_the_ledger_due_now() {
    let world = world();
    world.secret_versions(3, 3);
    world.queue.faults.fail_always("send", When::Before);
    let response = world.reported().await;
    assert_eq!(body_of(&response), json!({ "received": true }));
    let [row] = &world.ledger.rows()[..] else { panic!("not one row") };
    assert_eq!((row.workspace_id.as_str(), row.call_id.as_str()), ("acme", "call-1"));
    assert_eq!((row.status, row.due_at), (SyncStatus::Queued, Some(NOW)));
    assert_eq!(row.call.customer_number.as_ref().unwrap().value, "+12345550123");
}

#[tokio::test]
async fn a_report_whose_queue_response_was_lost_is_in_the_queue_and_in_the_ledger() {
    let world = world();
    world.queue.faults.fail_next("send", When::After);
    assert_eq!(world.reported().await.status(), 200);
    assert_eq!((world.queue.sent().len(), world.ledger.rows().len()), (1, 1));
}

#[tokio::test]
async fn a_revoked_secret_is_refused_while_the_queue_is_down_too() {
    let world = world();
    world.secret_versions(4, 4);
    world.queue.faults.fail_always("send", When::Before);
    assert_eq!(world.reported().await.status(), 200);
    let [row] = &world.ledger.rows()[..] else { panic!("not one row") };
    assert_eq!(row.status, SyncStatus::Skipped);
    assert_eq!(row.reason.as_ref().unwrap().code, WEBHOOK_SECRET_REVOKED.code);
}

#[tokio::test]
async fn while_the_queue_is_down_a_call_of_a_newer_version_is_not_acknowledged() {
    let world = world();
    let call = calls::call::Call::new(CallId::parse("call-1").unwrap());
    world.ledger.insert_newer(crm::ledger::Row::accepted(acme(), call, NOW), "undoing");
    let before = world.ledger.rows();
    world.queue.faults.fail_always("send", When::Before);
    assert_eq!(outcome(&world.reported().await), refused(503, "unavailable"));
    assert_eq!(world.ledger.rows(), before);
}

#[tokio::test]
async fn a_call_that_cannot_be_stored_is_not_acknowledged() {
    for store in ["ledger", "workspaces"] {
        let world = world();
        world.queue.faults.fail_always("send", When::Before);
        match store {
            "ledger" => world.ledger.faults.fail_always("swap", When::Before),
            _ => world.workspaces.faults.fail_always("load", When::Before),
        }
        let response = world.reported().await;
        assert_eq!(outcome(&response), refused(503, "unavailable"), "{store}");
        assert!(world.ledger.rows().is_empty());
    }
}
