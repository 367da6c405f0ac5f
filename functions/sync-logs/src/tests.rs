//! The ledger as people see it.

use std::{collections::BTreeSet, time::Duration};

use calls::{
    call::Call,
    ids::{CallId, ErrorCode, SalesforceId, WorkspaceId},
    reason::Reason,
    status::SyncStatus,
};
use chrono::{DateTime, Utc};
use crm::{
    Record, RecordType,
    lease::Lease,
    ledger::Row,
    matching::{Candidate, Decision, Rule, TurnedDown},
    phone::Exactness,
};
use lambda_http::{Body, Response};
use platform::{
    http::CallerRules,
    testing::{
        FixedClock, MemoryLedger, MemoryQueue, SeededRandom, When,
        request::{ApiRequest, body_of, from_event},
        samples,
    },
};
use serde_json::{Value, json};
use worker::{
    jobs::{Job, Retry},
    ports::Clock,
};

use crate::handler::SyncLogs;

const NOW: i64 = 1_800_457_200;
const PATH: &str = "/api/salesforce/sync-logs";
const REFUSED: &str = "FIELD_CUSTOM_VALIDATION_EXCEPTION";

/// A clock that advances every time it is read.
#[derive(Clone)]
struct Ticking {
    clock: FixedClock,
    by: Duration,
}

impl Clock for Ticking {
    fn now(&self) -> DateTime<Utc> {
        self.clock.advance(self.by);
        self.clock.now()
    }

    async fn sleep(&self, duration: Duration) {
        self.clock.sleep(duration).await;
    }
}

type World = SyncLogs<MemoryLedger, MemoryQueue, Ticking, SeededRandom>;

fn world() -> World {
    world_ticking(Duration::ZERO)
}

fn world_ticking(by: Duration) -> World {
    let rules = [("WORKSPACE_CLAIM", "workspace_id"), ("ADMIN_CLAIM", "role"), ("ADMIN_VALUE", "admin")];
    SyncLogs {
        callers: CallerRules::from_env(&rules).unwrap(),
        ledger: MemoryLedger::default(),
        queue: MemoryQueue::default(),
        clock: Ticking { clock: FixedClock::at(NOW), by },
        random: SeededRandom::new(1),
    }
}

fn call_id(id: &str) -> CallId {
    CallId::parse(id).unwrap()
}

fn workspace_id(id: &str) -> WorkspaceId {
    WorkspaceId::parse(id).unwrap()
}

/// A row of this workspace that was created this many seconds ago.
fn row(workspace: &str, id: &str, age: i64) -> Row {
    Row::accepted(workspace_id(workspace), Call::new(call_id(id)), NOW - age)
}

/// A row that ended with this status and reason.
fn ended(id: &str, age: i64, status: SyncStatus, code: &str) -> Row {
    let mut row = row("acme", id, age);
    let reason =
        (!code.is_empty()).then(|| Reason { code: code.to_owned(), message: "What to do.".to_owned() });
    row.finish(status, reason, None, 90, NOW);
    row
}

fn refused(id: &str, age: i64) -> Row {
    ended(id, age, SyncStatus::Error, REFUSED)
}

fn outcome(response: &Response<Body>) -> (u16, String) {
    let code = body_of(response)["code"].as_str().unwrap_or_default().to_owned();
    (response.status().as_u16(), code)
}

fn problem(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}

fn call_ids(list: &Value) -> Vec<&str> {
    list["items"].as_array().unwrap().iter().map(|item| item["callId"].as_str().unwrap()).collect()
}

impl World {
    fn with(self, rows: impl IntoIterator<Item = Row>) -> Self {
        for row in rows {
            self.ledger.insert(row);
        }
        self
    }

    async fn get(&self, rest: &str) -> Response<Body> {
        self.handle(ApiRequest::get(&format!("{PATH}{rest}")).of_workspace("acme").build()).await
    }

    async fn listed(&self, query: &str) -> Value {
        let response = self.get(query).await;
        assert_eq!(response.status(), 200, "{query}");
        body_of(&response)
    }

    /// The whole list, page by page.
    async fn all(&self, query: &str) -> Vec<Vec<String>> {
        let (mut pages, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = self.listed(&format!("{query}{cursor}")).await;
            pages.push(call_ids(&page).into_iter().map(str::to_owned).collect());
            match page["nextCursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return pages,
            }
        }
    }

    async fn post(&self, rest: &str, body: &str) -> Response<Body> {
        let request = ApiRequest::post(&format!("{PATH}{rest}"), body).of_workspace("acme");
        self.handle(request.claim("role", "admin").build()).await
    }

    async fn request_retry(&self, code: &str) -> Response<Body> {
        self.post("/retry", &json!({ "errorCode": code }).to_string()).await
    }

    fn row(&self, id: &str) -> Row {
        self.ledger.rows().into_iter().find(|row| row.call_id.as_str() == id).unwrap()
    }

    fn queued(&self) -> usize {
        self.ledger.rows().iter().filter(|row| row.status == SyncStatus::Queued).count()
    }

    /// The calls that were woken.
    fn woken(&self) -> BTreeSet<String> {
        let woken = |job| match job {
            Job::Wake(wake) => {
                assert_eq!(wake.workspace_id.as_str(), "acme");
                Some(wake.call_id.to_string())
            }
            _ => None,
        };
        self.queue.sent().into_iter().filter_map(woken).collect()
    }
}

#[tokio::test]
async fn samples_get_the_expected_responses() {
    const CALL: &str = "019a8a2b-0000-7000-8000-000000000001";
    /// The response's status, a pointer into its body with the value there, and how many calls are woken.
    type Expected = (u16, &'static str, &'static str, usize);
    let expected: [(&str, Expected); 6] = [
        ("list", (200, "/items/1/callId", r#""019a8a2b-0000-7000-8000-000000000001""#, 0)),
        ("list-status", (200, "/items/0/errorCode", r#""FIELD_CUSTOM_VALIDATION_EXCEPTION""#, 0)),
        ("retry", (202, "/status", r#""queued""#, 1)),
        ("retry-all", (202, "/queued", "1", 1)),
        ("summary", (200, "/statuses/error", "1", 0)),
        ("unknown-call", (404, "/code", r#""no_such_call""#, 0)),
    ];
    for (case, event, (status, pointer, value, woken)) in samples::of("sync-logs", &expected) {
        let mut world = world().with([refused(CALL, 10), ended("call-2", 5, SyncStatus::Success, "")]);
        world.callers = CallerRules::from_env(&[("WORKSPACE_CLAIM", "workspace_id")]).unwrap();
        let response = world.handle(from_event(&event)).await;
        assert_eq!(response.status(), status, "{case}");
        assert_eq!(body_of(&response).pointer(pointer).unwrap().to_string(), value, "{case}");
        assert_eq!(world.woken().len(), woken, "{case}");
    }
}

#[tokio::test]
async fn an_item_has_the_rows_columns_and_null_for_missing_ones() {
    let id = |id: &str| SalesforceId::parse(id).unwrap();
    let mut full = refused("call-1", 20);
    full.record = Record::of(&id("00Q000000000001EAA"));
    full.decision = Some(Decision {
        rule: Rule::OnlyCandidate,
        chosen: full.record.clone(),
        candidates: vec![Candidate {
            id: id("00Q000000000001EAA"),
            record_type: RecordType::Lead,
            name: Some("Ada Sample".to_owned()),
            field: "MobilePhone".to_owned(),
            exactness: Exactness::National,
        }],
        turned_down: vec![TurnedDown {
            id: id("003000000000001AAA"),
            record_type: RecordType::Contact,
            name: None,
            why: "ENTITY_IS_DELETED".to_owned(),
        }],
    });
    (full.task_id, full.event_id) = (Some(id("00T000000000001EAA")), Some(id("00U000000000001EAA")));
    (full.phone_number, full.attempts, full.updated_at) = (Some("+12345550123".to_owned()), 3, NOW - 5);
    let world = world().with([full, row("acme", "call-2", 10)]);
    let list = world.listed("").await;
    assert_eq!(
        list,
        json!({
            "items": [
                {
                    "callId": "call-2", "status": "queued",
                    "salesforceRecordId": null, "salesforceRecordType": null,
                    "salesforceTaskId": null, "salesforceEventId": null, "appointmentCreated": false,
                    "decision": null,
                    "errorCode": null, "errorMessage": null, "phoneNumber": null, "attempts": 0,
                    "createdAt": NOW - 10, "updatedAt": NOW - 10, "dueAt": NOW - 10,
                },
                {
                    "callId": "call-1", "status": "error",
                    "salesforceRecordId": "00Q000000000001EAA", "salesforceRecordType": "Lead",
                    "salesforceTaskId": "00T000000000001EAA", "salesforceEventId": "00U000000000001EAA",
                    "appointmentCreated": true,
                    "decision": {
                        "rule": "only_candidate",
                        "chosen": { "recordType": "Lead", "id": "00Q000000000001EAA" },
                        "candidates": [{
                            "id": "00Q000000000001EAA", "recordType": "Lead", "name": "Ada Sample",
                            "field": "MobilePhone", "exactness": "national",
                        }],
                        "candidateCount": 1,
                        "turnedDown": [{
                            "id": "003000000000001AAA", "recordType": "Contact", "name": null,
                            "why": "ENTITY_IS_DELETED",
                        }],
                    },
                    "errorCode": REFUSED, "errorMessage": "What to do.", "phoneNumber": "+12345550123",
                    "attempts": 3, "createdAt": NOW - 20, "updatedAt": NOW - 5, "dueAt": null,
                },
            ],
            "nextCursor": null,
        })
    );
}

#[tokio::test]
async fn the_best_of_many_candidates_are_listed_and_all_are_counted() {
    let mut many = row("acme", "call-1", 10);
    let candidate = |n: u32| Candidate {
        id: SalesforceId::parse(format!("00Q{n:012}")).unwrap(),
        record_type: RecordType::Lead,
        name: None,
        field: "Phone".to_owned(),
        exactness: Exactness::Exact,
    };
    many.decision = Some(Decision { candidates: (0..398).map(candidate).collect(), ..Decision::default() });
    let world = world().with([many]);
    let decision = &world.listed("").await["items"][0]["decision"];
    assert_eq!(
        (decision["candidates"].as_array().unwrap().len(), &decision["candidateCount"]),
        (10, &json!(398))
    );
    assert_eq!(decision["candidates"][0]["id"], candidate(0).id.as_str());
}

#[tokio::test]
async fn the_newest_calls_come_first_fifty_at_a_time() {
    let world = world().with((0..60).map(|n| row("acme", &format!("call-{n:02}"), n)));
    let first = world.listed("").await;
    assert_eq!(call_ids(&first).len(), 50);
    assert_eq!((call_ids(&first)[0], call_ids(&first)[49]), ("call-00", "call-49"));
    let pages = world.all("?limit=50").await;
    assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [50, 10]);
}

#[tokio::test]
async fn a_list_that_ends_with_a_full_page_has_no_empty_page_after_it() {
    // Some were created in the same second.
    let world = world().with((0..6).map(|n| row("acme", &format!("call-{n}"), n / 3)));
    let pages = world.all("?limit=3").await;
    assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [3, 3]);
    let all: BTreeSet<_> = world.all("?limit=1").await.concat().into_iter().collect();
    assert_eq!(all.len(), 6);
    assert_eq!(
        SyncLogs { ledger: MemoryLedger::default(), ..world }.all("?limit=3").await,
        [Vec::<String>::new()]
    );
}

#[tokio::test]
async fn a_status_lists_only_its_own_rows_page_by_page() {
    let rows = (0..9).map(|n| {
        if n % 2 == 0 { refused(&format!("call-{n}"), n) } else { row("acme", &format!("call-{n}"), n) }
    });
    let world = world().with(rows);
    assert_eq!(
        world.all("?status=error&limit=2").await,
        [vec!["call-0", "call-2"], vec!["call-4", "call-6"], vec!["call-8"]]
    );
    assert_eq!(world.all("?status=skipped&limit=2").await, [Vec::<String>::new()]);
}

#[tokio::test]
async fn a_cursor_does_not_open_another_list() {
    let world = world().with([
        row("globex", "theirs-1", 1),
        row("globex", "theirs-2", 2),
        row("globex", "theirs-3", 3),
    ]);
    let world = world.with([refused("call-1", 1), row("acme", "call-2", 2), refused("call-3", 3)]);
    let theirs = ApiRequest::get(&format!("{PATH}?limit=1")).of_workspace("globex").build();
    let theirs = body_of(&world.handle(theirs).await);
    assert_eq!(call_ids(&theirs), ["theirs-1"]);
    let cursor = theirs["nextCursor"].as_str().unwrap();
    let own = world.listed(&format!("?cursor={cursor}")).await;
    assert!(call_ids(&own).iter().all(|id| id.starts_with("call-")), "{own}");
    let errors = world.listed("?limit=1&status=error").await;
    let cursor = errors["nextCursor"].as_str().unwrap();
    let queued = world.listed(&format!("?status=queued&cursor={cursor}")).await;
    assert_eq!(call_ids(&queued), ["call-2"]);
}

#[tokio::test]
async fn invalid_parameters_are_refused_by_name() {
    let world = world();
    for (request, code) in [
        ("?limit=0", "invalid_limit"),
        ("?limit=101", "invalid_limit"),
        ("?status=broken", "invalid_status"),
        ("?cursor=broken", "invalid_cursor"),
        ("/summary?since=-1", "invalid_since"),
    ] {
        assert_eq!(outcome(&world.get(request).await), problem(400, code), "{request}");
    }
}

/// A world with a call whose row a newer version wrote, between two others.
fn rolled_back() -> World {
    let world = world().with([refused("call-1", 10), refused("call-3", 30)]);
    world.ledger.insert_newer(refused("call-2", 20), "undoing");
    world
}

#[tokio::test]
async fn a_call_of_a_newer_version_is_listed_and_counted_as_it_is() {
    let world = rolled_back();
    let list = world.listed("").await;
    assert_eq!(call_ids(&list), ["call-1", "call-2", "call-3"]);
    assert_eq!(list["items"][1]["status"], "undoing");
    assert_eq!(call_ids(&world.listed("?status=error").await), ["call-1", "call-3"]);
    let summary = world.listed("/summary").await;
    assert_eq!((&summary["total"], &summary["statuses"]["error"]), (&json!(3), &json!(2)));
    assert_eq!(summary["statuses"]["undoing"], 1);
}

#[tokio::test]
async fn a_call_of_a_newer_version_is_not_retried_and_does_not_stop_the_others() {
    let world = rolled_back();
    let before = world.row("call-2");
    assert_eq!(outcome(&world.post("/call-2/retry", "").await), problem(409, "newer_version"));
    assert_eq!(body_of(&world.request_retry(REFUSED).await), json!({ "queued": 2 }));
    assert_eq!(world.woken(), ["call-1".to_owned(), "call-3".to_owned()].into());
    assert_eq!(world.row("call-2"), before);
}

#[tokio::test]
async fn a_summary_counts_statuses_and_error_codes_over_several_pages() {
    let rows = (0..2500).map(|n| match n % 5 {
        0 => refused(&format!("call-{n}"), n),
        1 => ended(&format!("call-{n}"), n, SyncStatus::Skipped, "no_phone_number"),
        _ => ended(&format!("call-{n}"), n, SyncStatus::Success, ""),
    });
    let world = world().with(rows).with([row("globex", "theirs", 1)]);
    let all = world.listed("/summary").await;
    assert_eq!(
        all,
        json!({
            "since": null,
            "total": 2500,
            "statuses": {
                "queued": 0, "success": 1500, "not_found": 0, "retrying": 0, "waiting_for_connection": 0,
                "error": 500, "skipped": 500,
            },
            "errorCodes": { REFUSED: 500, "no_phone_number": 500 },
        })
    );
    let since = NOW - 9;
    let some = world.listed(&format!("/summary?since={since}")).await;
    assert_eq!((&some["since"], &some["total"]), (&json!(since), &json!(10)));
    assert_eq!(some["errorCodes"], json!({ REFUSED: 2, "no_phone_number": 2 }));
    assert_eq!(world.listed(&format!("/summary?since={}", NOW + 1)).await["total"], 0);
}

#[tokio::test]
async fn a_summary_that_takes_too_long_suggests_a_shorter_period() {
    let rows = || (0..1500).map(|n| row("acme", &format!("call-{n}"), n));
    let slow = world_ticking(Duration::from_secs(15)).with(rows());
    assert_eq!(slow.listed("/summary").await["total"], 1500);
    let slower = world_ticking(Duration::from_secs(27)).with(rows());
    let response = slower.get("/summary").await;
    assert_eq!(outcome(&response), problem(503, "too_many_calls"));
    assert!(body_of(&response)["detail"].as_str().unwrap().contains("since"));
    assert_eq!(slower.listed(&format!("/summary?since={}", NOW - 10)).await["total"], 11);
}

#[tokio::test]
async fn a_retried_call_is_due_now_and_woken() {
    let world = world().with([refused("call-1", 100), refused("call-2", 100)]);
    let response = world.post("/call-1/retry", "").await;
    assert_eq!((response.status().as_u16(), body_of(&response)), (202, json!({ "status": "queued" })));
    let row = world.row("call-1");
    assert_eq!((row.status, row.due_at, row.expires_at), (SyncStatus::Queued, Some(NOW), None));
    assert_eq!(world.woken(), ["call-1".to_owned()].into());
    assert_eq!(world.row("call-2").status, SyncStatus::Error);
}

#[tokio::test]
async fn a_retried_call_whose_message_is_refused_is_left_to_the_sweep() {
    let world = world().with([refused("call-1", 100)]);
    world.queue.faults.fail_next("send", When::Before);
    assert_eq!(world.post("/call-1/retry", "").await.status(), 202);
    assert_eq!(world.row("call-1").due_at, Some(NOW));
    assert!(world.woken().is_empty());
}

#[tokio::test]
async fn a_call_that_a_worker_holds_is_not_changed() {
    let mut held = refused("call-1", 100);
    held.lease = Some(Lease { owner: "worker".to_owned(), until: NOW + 60 });
    let world = world().with([held]);
    let before = world.row("call-1");
    assert_eq!(world.post("/call-1/retry", "").await.status(), 202);
    assert_eq!(world.row("call-1"), before);
}

#[tokio::test]
async fn an_unknown_call_cannot_be_retried() {
    let world = world().with([row("globex", "theirs", 1)]);
    for (path, refusal) in [
        ("/call-1/retry", problem(404, "no_such_call")),
        ("/theirs/retry", problem(404, "no_such_call")),
        ("/a%20b/retry", problem(400, "invalid_call_id")),
        ("/a.b/retry", problem(400, "invalid_call_id")),
        (&format!("/{}/retry", "x".repeat(129)), problem(400, "invalid_call_id")),
    ] {
        assert_eq!(outcome(&world.post(path, "").await), refusal, "{path}");
    }
    assert!(world.queue.sent().is_empty());
}

#[tokio::test]
async fn all_calls_with_an_error_code_are_queued_whatever_their_status() {
    let world = world().with((0..1200).map(|n| {
        let status = if n % 2 == 0 { SyncStatus::Error } else { SyncStatus::Skipped };
        ended(&format!("call-{n}"), n / 2, status, REFUSED)
    }));
    let mut theirs = row("globex", "theirs", 1);
    theirs.reason = Some(Reason { code: REFUSED.to_owned(), message: String::new() });
    theirs.status = SyncStatus::Error;
    let world = world.with([ended("other-1", 3, SyncStatus::Error, "org_changed"), theirs]);
    let response = world.request_retry(REFUSED).await;
    assert_eq!((response.status().as_u16(), body_of(&response)), (202, json!({ "queued": 1200 })));
    assert_eq!((world.queued(), world.woken().len(), world.queue.sent().len()), (1200, 1200, 1200));
    assert_eq!(
        (world.row("other-1").status, world.row("theirs").status),
        (SyncStatus::Error, SyncStatus::Error)
    );
    assert_eq!(body_of(&world.request_retry(REFUSED).await), json!({ "queued": 0 }));
}

/// A world with this many failed calls, in which a page of a retry takes two seconds.
fn slow_world(calls: i64) -> World {
    world_ticking(Duration::from_secs(1)).with((0..calls).map(|n| refused(&format!("call-{n}"), n)))
}

#[tokio::test]
async fn calls_that_time_does_not_allow_for_are_left_to_the_queue_and_counted() {
    let world = slow_world(4000);
    assert_eq!(body_of(&world.request_retry(REFUSED).await), json!({ "queued": 4000 }));
    let done = world.queued();
    assert!((2000..4000).contains(&done), "{done}");
    assert_eq!(world.woken().len(), done);
    let rest = world.queue.sent().pop().unwrap();
    let Job::Retry(Retry { workspace_id, after: Some(_), error_code }) = rest else { panic!("{rest:?}") };
    assert_eq!((workspace_id.as_str(), error_code), ("acme", ErrorCode::parse(REFUSED).unwrap()));
}

#[tokio::test]
async fn counting_the_remaining_calls_ends_in_time() {
    let world = slow_world(9000);
    let queued = body_of(&world.request_retry(REFUSED).await)["queued"].as_u64().unwrap();
    assert!((4000..9000).contains(&queued), "{queued}");
    assert!(world.clock.clock.now().timestamp() < NOW + 29);
}

#[tokio::test]
async fn calls_that_cannot_be_counted_are_retried_anyway() {
    let world = slow_world(4000);
    world.ledger.faults.fail_always("count_with_error", When::Before);
    let response = world.request_retry(REFUSED).await;
    assert_eq!(response.status(), 202);
    assert_eq!(body_of(&response)["queued"], world.queued());
    assert!(matches!(world.queue.sent().pop(), Some(Job::Retry(_))));
}

#[tokio::test]
async fn if_the_queue_refuses_the_rest_it_is_an_error_and_can_be_retried() {
    let world = slow_world(4000);
    world.queue.faults.fail_always("send", When::Before);
    assert_eq!(outcome(&world.request_retry(REFUSED).await), problem(503, "unavailable"));
    let left = 4000 - world.queued();
    assert!((1..2000).contains(&left), "{left}");
    world.queue.faults.heal();
    assert_eq!(body_of(&world.request_retry(REFUSED).await), json!({ "queued": left }));
}

#[tokio::test]
async fn calls_whose_messages_are_refused_are_queued_and_left_to_the_sweep() {
    let world = world().with((0..20).map(|n| refused(&format!("call-{n}"), n)));
    world.queue.faults.fail_always("send", When::Before);
    assert_eq!(body_of(&world.request_retry(REFUSED).await), json!({ "queued": 20 }));
    assert!(world.ledger.rows().iter().all(|row| row.due_at == Some(NOW)));
}

#[tokio::test]
async fn if_no_row_can_be_written_it_is_an_error_and_all_keep_their_error_code() {
    let world = world().with((0..20).map(|n| refused(&format!("call-{n}"), n)));
    world.ledger.faults.fail_always("swap", When::Before);
    assert_eq!(outcome(&world.request_retry(REFUSED).await), problem(503, "unavailable"));
    assert_eq!(world.queued(), 0);
    world.ledger.faults.heal();
    assert_eq!(body_of(&world.request_retry(REFUSED).await), json!({ "queued": 20 }));
}

#[tokio::test]
async fn a_retry_without_a_usable_error_code_queues_nothing() {
    let world = world().with([refused("call-1", 1)]);
    let long = format!(r#"{{"errorCode":"{}"}}"#, "x".repeat(81));
    for body in [
        "",
        "{}",
        r#"{"errorCode":""}"#,
        r#"{"errorCode":"a b"}"#,
        &long,
        r#"{"errorCode":null}"#,
        r#"{"error_code":"x"}"#,
    ] {
        assert_eq!(outcome(&world.post("/retry", body).await), problem(400, "invalid_body"), "{body}");
    }
    let more = format!(r#"{{"errorCode":"{REFUSED}","status":"error"}}"#);
    assert_eq!(outcome(&world.post("/retry", &more).await), problem(400, "invalid_body"));
    assert_eq!(world.queued(), 0);
}

#[tokio::test]
async fn every_member_may_read_and_only_an_admin_may_retry() {
    let world = world().with([refused("call-1", 1)]);
    let body = json!({ "errorCode": REFUSED }).to_string();
    for (path, status) in [("", 200), ("/summary", 200)] {
        let request = ApiRequest::get(&format!("{PATH}{path}"));
        assert_eq!(outcome(&world.handle(request.clone().build()).await), problem(401, "unauthenticated"));
        let user = request.of_workspace("acme").claim("role", "user").build();
        assert_eq!(world.handle(user).await.status(), status);
    }
    for path in ["/call-1/retry", "/retry"] {
        let request = ApiRequest::post(&format!("{PATH}{path}"), &body);
        assert_eq!(outcome(&world.handle(request.clone().build()).await), problem(401, "unauthenticated"));
        let user = request.of_workspace("acme").claim("role", "user").build();
        assert_eq!(outcome(&world.handle(user).await), problem(403, "admin_required"));
    }
    assert_eq!(world.row("call-1").status, SyncStatus::Error);
}

#[tokio::test]
async fn while_the_table_is_down_it_is_unavailable() {
    let world = world().with([refused("call-1", 1)]);
    for operation in ["list", "outcomes", "load", "with_error"] {
        world.ledger.faults.fail_always(operation, When::Before);
    }
    for response in [
        world.get("").await,
        world.get("/summary").await,
        world.post("/call-1/retry", "").await,
        world.request_retry(REFUSED).await,
    ] {
        assert_eq!(outcome(&response), problem(503, "unavailable"));
        assert_eq!(response.headers()["cache-control"], "no-store");
    }
}

#[tokio::test]
async fn a_row_that_fails_does_not_stop_later_pages() {
    let world = world().with((0..600).map(|n| refused(&format!("call-{n}"), n)));
    world.ledger.faults.fail_next("swap", When::Before);
    world.ledger.faults.fail_next("swap", When::Before);
    let body = json!({ "errorCode": REFUSED }).to_string();
    let request =
        ApiRequest::post(&format!("{PATH}/retry"), &body).of_workspace("acme").claim("role", "admin");
    let response = world.handle(request.build()).await;
    assert_eq!((response.status().as_u16(), body_of(&response)), (202, json!({ "queued": 600 })));
}

#[tokio::test]
async fn a_call_reported_with_a_revoked_secret_is_not_retried() {
    let world = world().with([ended(
        "call-1",
        1,
        SyncStatus::Skipped,
        calls::codes::reasons::WEBHOOK_SECRET_REVOKED.code,
    )]);
    let request =
        ApiRequest::post(&format!("{PATH}/call-1/retry"), "").of_workspace("acme").claim("role", "admin");
    assert_eq!(outcome(&world.handle(request.build()).await), problem(409, "webhook_secret_revoked"));
    let body = json!({ "errorCode": "webhook_secret_revoked" }).to_string();
    let request =
        ApiRequest::post(&format!("{PATH}/retry"), &body).of_workspace("acme").claim("role", "admin");
    assert_eq!(body_of(&world.handle(request.build()).await), json!({ "queued": 0 }));
    assert_eq!(world.ledger.rows()[0].status, SyncStatus::Skipped);
}
