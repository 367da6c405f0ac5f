//! Tests of test calls.

use calls::{ids::SalesforceId, reason::Reason, status::SyncStatus};
use crm::{
    CrmError, FaultClass,
    lease::Lease,
    ledger::{Row, TriedWith, WriteId},
    workspace::{NoMatch, Workspace},
};
use lambda_http::{Body, Response};
use platform::{
    http::CallerRules,
    testing::{
        When,
        request::{ApiRequest, body_of, from_event},
        samples,
    },
};
use serde_json::{Value, json};

use crate::handler::TestSync;
use worker::testing::{
    org::PANICS,
    sample::{LEAD, NOW, NUMBER, TestPorts, call, connected, worker, workspace_id},
};

const PATH: &str = "/api/salesforce/test-sync";
const UNKNOWN_NUMBER: &str = "+12345550177";

type World = TestSync<TestPorts>;

fn world() -> World {
    let rules = [("WORKSPACE_CLAIM", "workspace_id"), ("ADMIN_CLAIM", "role"), ("ADMIN_VALUE", "admin")];
    TestSync { callers: CallerRules::from_env(&rules).unwrap(), worker: worker() }
}

impl World {
    async fn post(&self, body: &str) -> Response<Body> {
        let request = ApiRequest::post(PATH, body).of_workspace("acme").claim("role", "admin");
        self.handle(request.build()).await
    }

    async fn try_call(&self, call_id: &str, number: &str) -> Response<Body> {
        self.post(&json!({ "callId": call_id, "phoneNumber": number }).to_string()).await
    }

    async fn dry_run(&self, call_id: &str, number: &str) -> Response<Body> {
        self.post(&json!({ "callId": call_id, "phoneNumber": number, "dryRun": true }).to_string()).await
    }

    fn searches(&self) -> usize {
        self.worker.salesforce.count("search")
    }

    fn tasks(&self) -> usize {
        self.worker.salesforce.tasks().len()
    }

    /// A reported call with the Lead's number that failed.
    fn reported(&self, call_id: &str) {
        let mut row = Row::accepted(workspace_id("acme"), call(call_id, NUMBER), NOW);
        row.finish(SyncStatus::Error, None, None, 90, NOW);
        row.write_id = Some(WriteId("stored".to_owned()));
        self.worker.ledger.insert(row);
    }

    fn is_untouched(&self) -> bool {
        self.worker.ledger.rows().is_empty() && self.tasks() == 0
    }
}

fn outcome(response: &Response<Body>) -> (u16, String) {
    let code = body_of(response)["code"].as_str().unwrap_or_default().to_owned();
    (response.status().as_u16(), code)
}

fn refused(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}

#[tokio::test]
async fn samples_get_the_expected_responses() {
    let expected =
        [("dry-run", (200, "", 0)), ("no-number", (400, "invalid_body", 0)), ("real", (200, "", 1))];
    for (case, event, (status, code, tasks)) in samples::of("test-sync", &expected) {
        let mut world = world();
        world.callers = CallerRules::from_env(&[("WORKSPACE_CLAIM", "workspace_id")]).unwrap();
        let response = world.handle(from_event(&event)).await;
        assert_eq!(outcome(&response), refused(status, code), "{case}");
        assert_eq!((world.tasks(), world.worker.ledger.rows().len()), (tasks, tasks), "{case}");
    }
}

#[tokio::test]
async fn a_dry_run_shows_the_decision_and_what_would_be_written_and_writes_nothing() {
    let world = world();
    // Not even a failing write is attempted.
    world.worker.ledger.faults.fail_always("swap", When::Before);
    let response = world.dry_run("try-1", NUMBER).await;
    let answer = body_of(&response);
    assert_eq!(response.status(), 200);
    assert_eq!((&answer["success"], &answer["dryRun"]), (&json!(true), &json!(true)));
    assert_eq!(answer["callId"], "test-try-1");
    assert_eq!((&answer["salesforceRecordId"], &answer["recordType"]), (&json!(LEAD), &json!("Lead")));
    assert_eq!(answer["salesforceTaskId"], Value::Null);
    let candidates = answer["candidates"].as_array().unwrap();
    assert_eq!(candidates.len(), 1);
    assert_eq!((&candidates[0]["id"], &candidates[0]["field"]), (&json!(LEAD), &json!("MobilePhone")));
    assert_eq!(answer["decision"]["rule"], "only_candidate");
    assert!(answer["payloads"]["task"].as_object().is_some_and(|task| !task.is_empty()), "{answer}");
    assert!(answer["payloads"]["task"].to_string().contains(LEAD), "{answer}");
    assert!(world.is_untouched());
}

#[tokio::test]
async fn a_call_of_a_newer_version_is_not_changed() {
    let world = world();
    let row = Row::accepted(workspace_id("acme"), call("call-1", NUMBER), NOW);
    world.worker.ledger.insert_newer(row, "undoing");
    let before = world.worker.ledger.rows();
    for response in [world.dry_run("call-1", NUMBER).await, world.try_call("call-1", NUMBER).await] {
        assert_eq!(outcome(&response), refused(409, "newer_version"));
    }
    assert_eq!((world.worker.ledger.rows(), world.tasks(), world.searches()), (before, 0, 0));
}

#[tokio::test]
async fn a_dry_run_for_an_unknown_number_says_so() {
    let world = world();
    let answer = body_of(&world.dry_run("try-1", UNKNOWN_NUMBER).await);
    assert_eq!((&answer["success"], &answer["payloads"]["task"]), (&json!(false), &Value::Null));
    assert_eq!(answer["candidates"], json!([]));
    assert_eq!(
        (&answer["decision"]["rule"], &answer["errorCode"]),
        (&json!("no_candidate"), &json!("not_found"))
    );
    assert!(world.is_untouched());
}

#[tokio::test]
async fn a_dry_run_shows_the_lead_that_a_new_caller_would_become() {
    let world = world();
    let mut workspace = connected("acme");
    workspace.settings.no_match = NoMatch::CreateLead;
    world.worker.workspaces.insert(workspace);
    let answer = body_of(&world.dry_run("try-1", UNKNOWN_NUMBER).await);
    assert_eq!(
        answer["payloads"]["lead"],
        json!({
            "LastName": format!("Unknown caller {UNKNOWN_NUMBER}"), "Company": "Unknown",
            "Phone": UNKNOWN_NUMBER, "LeadSource": "Voice AI",
        })
    );
    assert_eq!(answer["payloads"]["task"]["WhoId"], Value::Null);
    assert_eq!(answer["payloads"]["task"]["Subject"], "Inbound Call");
    assert_eq!((&answer["success"], &answer["salesforceRecordId"]), (&json!(true), &Value::Null));
    assert!(world.is_untouched());
}

#[tokio::test]
async fn a_dry_run_of_a_known_call_shows_that_call_and_does_not_change_it() {
    let world = world();
    world.reported("call-1");
    let before = world.worker.ledger.rows();
    assert_eq!(body_of(&world.dry_run("call-1", NUMBER).await)["callId"], "call-1");
    assert_eq!(world.worker.ledger.rows(), before);
    assert_eq!(world.tasks(), 0);
}

#[tokio::test]
async fn the_response_for_a_call_that_another_worker_holds_is_its_row() {
    let world = world();
    let mut row = Row::accepted(workspace_id("acme"), call("call-1", NUMBER), NOW);
    row.lease = Some(Lease { owner: "another".to_owned(), until: NOW + 60 });
    row.write_id = Some(WriteId("stored".to_owned()));
    world.worker.ledger.insert(row);
    let answer = body_of(&world.try_call("call-1", NUMBER).await);
    assert_eq!((&answer["success"], &answer["status"]), (&json!(false), &json!("queued")));
    assert_eq!(world.tasks(), 0);
}

#[tokio::test]
async fn a_dry_run_of_a_logged_call_shows_its_task_and_nothing_to_write() {
    let world = world();
    let done = body_of(&world.try_call("try-1", NUMBER).await);
    let searches = world.searches();
    let answer = body_of(&world.dry_run("try-1", NUMBER).await);
    assert_eq!((&answer["success"], &answer["callId"]), (&json!(true), &json!("test-try-1")));
    for field in ["salesforceRecordId", "salesforceTaskId", "salesforceEventId", "recordType"] {
        assert_eq!(answer[field], done[field], "{field}");
    }
    assert_eq!(answer["salesforceRecordId"], LEAD);
    assert_eq!(answer["candidates"][0]["id"], LEAD);
    assert_eq!(answer["decision"]["rule"], "only_candidate");
    assert_eq!(answer["payloads"], json!({ "lead": null, "task": null, "event": null }));
    assert_eq!((world.searches(), world.tasks()), (searches, 1));
}

#[tokio::test]
async fn a_dry_run_says_why_a_call_would_not_be_logged_without_a_request_to_salesforce() {
    let world = world();
    let finished = |code: &str, status| {
        let mut row = Row::accepted(workspace_id("acme"), call(code, NUMBER), NOW);
        row.finish(status, Some(Reason { code: code.to_owned(), message: "Why.".to_owned() }), None, 90, NOW);
        row.write_id = Some(WriteId("stored".to_owned()));
        row
    };
    world.worker.ledger.insert(finished("webhook_secret_revoked", SyncStatus::Skipped));
    let mut elsewhere = finished("org_changed", SyncStatus::Error);
    let other = SalesforceId::parse("00D000000000009").unwrap();
    elsewhere.tried_with = Some(TriedWith { org_id: other.clone(), user_id: other });
    world.worker.ledger.insert(elsewhere);
    for code in ["webhook_secret_revoked", "org_changed"] {
        let answer = body_of(&world.dry_run(code, NUMBER).await);
        assert_eq!((&answer["success"], &answer["errorCode"]), (&json!(false), &json!(code)), "{answer}");
        assert_eq!(answer["payloads"], json!({ "lead": null, "task": null, "event": null }));
        assert_eq!(body_of(&world.try_call(code, NUMBER).await)["errorCode"], code);
    }
    let mut paused = connected("acme");
    paused.paused_until = Some(NOW + 600);
    world.worker.workspaces.insert(paused);
    for answer in [world.dry_run("try-1", NUMBER).await, world.try_call("try-1", NUMBER).await] {
        let answer = body_of(&answer);
        assert_eq!(
            (&answer["success"], &answer["errorCode"]),
            (&json!(false), &json!("REQUEST_LIMIT_EXCEEDED"))
        );
    }
    assert_eq!((world.searches(), world.tasks()), (0, 0));
}

#[tokio::test]
async fn a_repeated_test_creates_only_one_test_call() {
    let world = world();
    for _ in 0..2 {
        let answer = body_of(&world.try_call("try-1", NUMBER).await);
        assert_eq!((&answer["success"], &answer["status"]), (&json!(true), &json!("success")), "{answer}");
        assert_eq!(answer["callId"], "test-try-1");
        assert_eq!((&answer["salesforceRecordId"], &answer["recordType"]), (&json!(LEAD), &json!("Lead")));
        assert!(answer["salesforceTaskId"].as_str().unwrap().starts_with("00T"));
    }
    assert_eq!(world.tasks(), 1);
    assert_eq!(world.worker.ledger.rows().len(), 1);
}

/// Two extensions of one switchboard are two callers.
#[tokio::test]
async fn the_extension_of_a_test_number_counts() {
    for (number, kept) in [
        ("+12345550123 x456", "+12345550123;ext=456"),
        ("(234) 555-0123 ext. 456", "+12345550123;ext=456"),
        ("(234) 555-0123", NUMBER),
    ] {
        let world = world();
        world.try_call("try-1", number).await;
        let rows = world.worker.ledger.rows();
        let reported = rows[0].call.customer_number.as_ref().unwrap();
        assert_eq!(reported.value, kept, "{number}");
    }
}

#[tokio::test]
async fn a_known_call_is_logged_itself_even_if_it_failed_permanently_before() {
    let world = world();
    world.reported("call-1");
    // The same number, in the local format.
    let answer = body_of(&world.try_call("call-1", "(234) 555-0123").await);
    assert_eq!((&answer["success"], &answer["callId"]), (&json!(true), &json!("call-1")), "{answer}");
    let tasks = world.worker.salesforce.tasks();
    assert_eq!(tasks[0].call_object.as_deref(), Some("call-1"));
}

#[tokio::test]
async fn a_known_call_with_another_number_is_a_conflict() {
    let world = world();
    world.reported("call-1");
    for response in
        [world.try_call("call-1", UNKNOWN_NUMBER).await, world.dry_run("call-1", UNKNOWN_NUMBER).await]
    {
        assert_eq!(outcome(&response), refused(409, "other_number"));
    }
    assert_eq!(world.tasks(), 0);
}

#[tokio::test]
async fn a_test_call_is_not_logged_for_another_number_later() {
    let world = world();
    world.try_call("try-1", NUMBER).await;
    assert_eq!(outcome(&world.try_call("try-1", UNKNOWN_NUMBER).await), refused(409, "other_number"));
}

#[tokio::test]
async fn a_call_of_another_workspace_is_unknown() {
    let world = world();
    let mut row = Row::accepted(workspace_id("globex"), call("call-1", UNKNOWN_NUMBER), NOW);
    row.finish(SyncStatus::Error, None, None, 90, NOW);
    world.worker.ledger.insert(row);
    assert_eq!(body_of(&world.try_call("call-1", NUMBER).await)["callId"], "test-call-1");
}

#[tokio::test]
async fn a_test_that_finds_nobody_says_so() {
    let world = world();
    let answer = body_of(&world.try_call("try-1", UNKNOWN_NUMBER).await);
    assert_eq!((&answer["success"], &answer["status"]), (&json!(false), &json!("not_found")));
    assert_eq!(world.tasks(), 0);
}

#[tokio::test]
async fn invalid_tests_are_refused() {
    let world = world();
    for (body, code) in [
        (r#"{"callId":"try-1","phoneNumber":"hello"}"#, "invalid_phone_number"),
        (r#"{"callId":"try-1","phoneNumber":""}"#, "invalid_phone_number"),
        (r#"{"callId":"a b","phoneNumber":"+12345550123"}"#, "invalid_body"),
        (r#"{"phoneNumber":"+12345550123"}"#, "invalid_body"),
        (r#"{"callId":"try-1","phoneNumber":"+12345550123","dryrun":true}"#, "invalid_body"),
        ("{", "invalid_body"),
        ("", "invalid_body"),
    ] {
        assert_eq!(outcome(&world.post(body).await), refused(400, code), "{body}");
    }
    let response = world.post(r#"{"callId":"try-1","phoneNumber":"unknown"}"#).await;
    assert!(body_of(&response)["detail"].as_str().unwrap().starts_with("phoneNumber must be a phone number"));
    let longest = "x".repeat(128);
    for unusable in [longest.as_str(), "other~call-1"] {
        assert_eq!(outcome(&world.try_call(unusable, NUMBER).await), refused(400, "invalid_call_id"));
    }
    assert!(world.is_untouched());
}

#[tokio::test]
async fn without_a_connection_nothing_is_attempted() {
    let world = world();
    let mut ended = connected("acme");
    ended.state = crm::workspace::ConnectionState::ReconnectRequired;
    ended.connection = None;
    for workspace in [Workspace::unknown(workspace_id("acme")), ended] {
        world.worker.workspaces.insert(workspace);
        for response in [world.try_call("try-1", NUMBER).await, world.dry_run("try-1", NUMBER).await] {
            assert_eq!(outcome(&response), refused(409, "not_connected"));
        }
    }
    assert!(world.is_untouched());
}

#[tokio::test]
async fn salesforces_refusal_is_shown_in_its_own_words() {
    let world = world();
    world.worker.salesforce.state().down = Some(CrmError {
        class: FaultClass::Permanent,
        code: "INSUFFICIENT_ACCESS".to_owned(),
        message: "insufficient access rights".to_owned(),
        fields: Vec::new(),
        status: Some(403),
        object: None,
        records: Vec::new(),
    });
    let response = world.dry_run("try-1", NUMBER).await;
    assert_eq!(outcome(&response), refused(502, "INSUFFICIENT_ACCESS"));
    let answer = body_of(&world.try_call("try-1", NUMBER).await);
    assert_eq!((&answer["success"], &answer["errorCode"]), (&json!(false), &json!("INSUFFICIENT_ACCESS")));
    assert!(answer["errorMessage"].as_str().unwrap().contains("insufficient access rights"));
}

#[tokio::test]
async fn only_an_admin_may_test() {
    let world = world();
    let body = json!({ "callId": "try-1", "phoneNumber": PANICS }).to_string();
    let user = ApiRequest::post(PATH, &body).of_workspace("acme").claim("role", "user");
    assert_eq!(outcome(&world.handle(user.build()).await), refused(403, "admin_required"));
    let nobody = ApiRequest::post(PATH, &body);
    assert_eq!(outcome(&world.handle(nobody.build()).await), refused(401, "unauthenticated"));
}

#[tokio::test]
async fn while_a_table_is_down_a_test_is_unavailable() {
    let world = world();
    world.worker.ledger.faults.fail_next("load", When::Before);
    assert_eq!(outcome(&world.try_call("try-1", NUMBER).await), refused(503, "unavailable"));
    world.worker.workspaces.faults.fail_next("load", When::Before);
    assert_eq!(outcome(&world.try_call("try-1", NUMBER).await), refused(503, "unavailable"));
}
