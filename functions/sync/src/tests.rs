//! Batches from the calls queue.

use std::collections::BTreeSet;

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent};
use calls::{ids::CallId, status::SyncStatus};
use chrono::TimeDelta;
use crm::{
    ledger::{Row, WriteId},
    workspace::Workspace,
};
use platform::testing::{MemoryQueue, When, samples};
use serde_json::json;
use worker::{
    jobs::{Job, Report, Resume, Wake},
    message::Queued as _,
    ports::Clock,
};

use crate::handler::Sync;
use worker::testing::{
    org::PANICS,
    sample::{LEAD, NOW, NUMBER, TestPorts, call, connected, task_of, worker, workspace_id},
};

type World = Sync<TestPorts, MemoryQueue>;

fn world() -> World {
    Sync { worker: worker(), queue: MemoryQueue::default() }
}

/// A message that reports a call.
fn report(workspace: &str, call_id: &str, number: &str) -> String {
    let report = Report {
        workspace_id: workspace_id(workspace),
        secret_version: 1,
        received_at: NOW,
        call: Box::new(call(call_id, number)),
    };
    report.message().body
}

fn resume() -> String {
    Resume::all(workspace_id("acme")).message().body
}

/// A batch of messages with these bodies and the ids `0`, `1`, …
fn batch(bodies: &[String]) -> SqsEvent {
    let record = |(n, body)| json!({ "messageId": format!("{n}"), "body": body, "attributes": {}, "messageAttributes": {} });
    let records: Vec<_> = bodies.iter().enumerate().map(record).collect();
    serde_json::from_value(json!({ "Records": records })).unwrap()
}

fn failed(response: &SqsBatchResponse) -> BTreeSet<&str> {
    response.batch_item_failures.iter().map(|failure| failure.item_identifier.as_str()).collect()
}

impl World {
    async fn work(&self, bodies: &[String]) -> SqsBatchResponse {
        self.work_within(bodies, 60).await
    }

    async fn work_within(&self, bodies: &[String], seconds: i64) -> SqsBatchResponse {
        let deadline = self.worker.clock.now() + TimeDelta::seconds(seconds);
        self.batch(batch(bodies), deadline).await.unwrap()
    }

    /// The calls that the org has Tasks for.
    fn logged(&self) -> Vec<String> {
        self.worker.salesforce.tasks().into_iter().filter_map(|task| task.call_object).collect()
    }

    fn wait_for_connection(&self, workspace: &str, call_id: &str) {
        let mut row = Row::accepted(workspace_id(workspace), call(call_id, NUMBER), NOW);
        row.finish(SyncStatus::WaitingForConnection, None, Some(NOW + 3600), 90, NOW);
        row.write_id = Some(WriteId("stored".to_owned()));
        self.worker.ledger.insert(row);
    }
}

#[tokio::test]
async fn only_the_unreadable_messages_of_the_samples_fail() {
    /// Failed messages, Tasks, and sent messages.
    type Expected = (&'static [&'static str], usize, usize);
    let expected: [(&str, Expected); 4] = [
        (
            "one-unreadable",
            (&["00000000-0000-4000-8000-000000000002", "00000000-0000-4000-8000-000000000003"], 1, 0),
        ),
        ("report", (&[], 1, 0)),
        ("resume", (&[], 0, 1)),
        ("wake", (&[], 1, 0)),
    ];
    let waiting = "019a8a2b-0000-7000-8000-000000000001";
    for (case, event, (unreadable, logged, woken)) in samples::of("sync", &expected) {
        let world = world();
        if matches!(case, "resume" | "wake") {
            world.wait_for_connection("acme", waiting);
        }
        let deadline = world.worker.clock.now() + TimeDelta::seconds(60);
        let response = world.batch(serde_json::from_str(&event).unwrap(), deadline).await.unwrap();
        assert_eq!(failed(&response), unreadable.iter().copied().collect(), "{case}");
        assert_eq!(world.logged(), vec![waiting; logged], "{case}");
        assert_eq!(world.queue.sent().len(), woken, "{case}");
    }
}

#[tokio::test]
async fn a_reported_call_is_logged() {
    let world = world();
    assert!(failed(&world.work(&[report("acme", "call-1", NUMBER)]).await).is_empty());
    let [row] = &world.worker.ledger.rows()[..] else { panic!("not one row") };
    assert_eq!(row.status, SyncStatus::Success);
    assert_eq!(row.record.as_ref().unwrap().id.as_str(), LEAD);
    assert_eq!(world.logged(), ["call-1"]);
}

#[tokio::test]
async fn an_unreadable_message_fails_alone() {
    let world = world();
    let bodies =
        ["hello".to_owned(), report("acme", "call-1", NUMBER), r#"{"v":2}"#.to_owned(), String::new()];
    assert_eq!(failed(&world.work(&bodies).await), ["0", "2", "3"].into());
    assert_eq!(world.logged(), ["call-1"]);
}

/// It stays in the queue, and then in the dead-letter queue, until the newer version is back.
#[tokio::test]
async fn a_message_from_a_newer_version_fails_alone() {
    let world = world();
    let bodies = [
        r#"{"v":1,"kind":"later","workspaceId":"acme","callId":"call-1"}"#.to_owned(),
        report("acme", "call-1", NUMBER),
        report("acme", "call-2", NUMBER).replace("inbound", "video"),
        report("acme", "other~call-3", NUMBER),
    ];
    assert_eq!(failed(&world.work(&bodies).await), ["0", "2", "3"].into());
    assert_eq!(world.logged(), ["call-1"]);
}

/// The report exists nowhere else; the wake can be dropped, because the row has its own `due_at`.
#[tokio::test]
async fn a_report_for_a_newer_versions_row_is_delivered_again_and_a_wake_is_done() {
    let world = world();
    let row = Row::accepted(workspace_id("acme"), call("call-1", NUMBER), NOW);
    world.worker.ledger.insert_newer(row, "undoing");
    let before = world.worker.ledger.rows();
    let wake = Wake { workspace_id: workspace_id("acme"), call_id: CallId::parse("call-1").unwrap() };
    let bodies = [report("acme", "call-1", NUMBER), wake.message().body, report("acme", "call-2", NUMBER)];
    assert_eq!(failed(&world.work(&bodies).await), ["0"].into());
    assert_eq!(world.logged(), ["call-2"]);
    assert_eq!(world.worker.ledger.rows()[..1], before);
}

#[tokio::test]
async fn a_panic_fails_only_its_own_message() {
    let world = world();
    let bodies = [
        report("acme", "call-1", NUMBER),
        report("acme", "call-2", PANICS),
        report("acme", "call-3", NUMBER),
    ];
    assert_eq!(failed(&world.work(&bodies).await), ["1"].into());
    assert_eq!(world.logged().len(), 2);
}

#[tokio::test]
async fn twenty_identical_reports_become_one_task() {
    let world = world();
    let ten = vec![report("acme", "call-1", NUMBER); 10];
    let (one, other) = tokio::join!(world.work(&ten), world.work(&ten));
    assert!(failed(&one).is_empty() && failed(&other).is_empty());
    assert!(failed(&world.work(&ten).await).is_empty());
    assert_eq!(world.logged(), ["call-1"]);
    assert_eq!(world.worker.salesforce.count("update_task"), 0);
    assert_eq!(world.worker.ledger.rows().len(), 1);
}

#[tokio::test]
async fn a_resume_wakes_all_waiting_calls_of_its_workspace_page_by_page() {
    let world = world();
    for n in 0..250 {
        world.wait_for_connection("acme", &format!("call-{n}"));
    }
    world.wait_for_connection("globex", "another");
    assert!(failed(&world.work(&[resume()]).await).is_empty());
    let mut woken = Vec::new();
    let mut read = 0;
    while let Some(job) = world.queue.sent().get(read) {
        read += 1;
        match job {
            Job::Wake(wake) if wake.workspace_id.as_str() == "acme" => {
                woken.push(wake.call_id.to_string());
            }
            Job::Resume(next) if next.after.is_some() => {
                assert!(failed(&world.work(&[next.message().body]).await).is_empty());
            }
            job => panic!("{job:?}"),
        }
    }
    assert_eq!((woken.len(), woken.into_iter().collect::<BTreeSet<_>>().len(), read), (250, 250, 252));
}

#[tokio::test]
async fn a_woken_call_is_logged_and_the_second_message_finds_nothing_to_do() {
    let world = world();
    world.wait_for_connection("acme", "call-1");
    let call_id = CallId::parse("call-1").unwrap();
    let wake = Wake { workspace_id: workspace_id("acme"), call_id }.message().body;
    assert!(failed(&world.work(&[wake.clone(), wake]).await).is_empty());
    assert_eq!(world.logged(), ["call-1"]);
}

#[tokio::test]
async fn an_interrupted_resume_is_delivered_again() {
    let world = world();
    world.wait_for_connection("acme", "call-1");
    world.queue.faults.fail_next("send", When::Before);
    assert_eq!(failed(&world.work(&[resume()]).await), ["0"].into());
    assert!(failed(&world.work(&[resume()]).await).is_empty());
    assert_eq!(world.queue.sent().len(), 1);
}

#[tokio::test]
async fn a_message_whose_store_fails_is_delivered_again() {
    let world = world();
    let bodies = [report("acme", "call-1", NUMBER), report("acme", "call-2", NUMBER)];
    world.worker.ledger.faults.fail_next("swap", When::Before);
    assert_eq!(failed(&world.work(&bodies).await).len(), 1);
    assert_eq!(world.logged().len(), 1);
    assert!(failed(&world.work(&bodies).await).is_empty());
    assert_eq!(world.logged().into_iter().collect::<BTreeSet<_>>().len(), 2);
    assert_eq!(world.logged().len(), 2);
}

#[tokio::test]
async fn with_too_little_time_left_nothing_is_started_and_all_messages_are_delivered_again() {
    let world = world();
    let bodies = [report("acme", "call-1", NUMBER), resume()];
    assert_eq!(failed(&world.work_within(&bodies, 15).await), ["0", "1"].into());
    assert!(world.worker.ledger.rows().is_empty());
    assert_eq!(world.worker.salesforce.count("search"), 0);
}

#[tokio::test]
async fn a_batch_reads_each_of_its_workspaces_once() {
    let world = world();
    world.worker.workspaces.insert(connected("globex"));
    let bodies: Vec<_> = (0..6)
        .map(|n| report(if n % 2 == 0 { "acme" } else { "globex" }, &format!("call-{n}"), NUMBER))
        .collect();
    // One read fails: if each message had its own read, one message would fail.
    world.worker.workspaces.faults.fail_next("load", When::Before);
    let response = world.work(&bodies).await;
    assert!([["0", "2", "4"].into(), ["1", "3", "5"].into()].contains(&failed(&response)), "{response:?}");
    assert_eq!(world.logged().len(), 3);
}

#[tokio::test]
async fn a_call_of_a_disconnected_workspace_waits_and_its_message_is_done() {
    let world = world();
    world.worker.workspaces.insert(Workspace::unknown(workspace_id("globex")));
    assert!(failed(&world.work(&[report("globex", "call-1", NUMBER)]).await).is_empty());
    assert_eq!(world.worker.ledger.rows()[0].status, SyncStatus::WaitingForConnection);
}

/// Delivers a message that was sent this many seconds ago, for the `receives`-th time.
async fn delivered(world: &World, body: &str, receives: u32, seconds_ago: i64) {
    let record = json!({
        "messageId": "0", "body": body, "messageAttributes": {},
        "attributes": {
            "ApproximateReceiveCount": receives.to_string(),
            "SentTimestamp": ((NOW - seconds_ago) * 1000).to_string(),
        },
    });
    let batch = serde_json::from_value(json!({ "Records": [record] })).unwrap();
    let deadline = world.worker.clock.now() + TimeDelta::seconds(60);
    assert!(failed(&world.batch(batch, deadline).await.unwrap()).is_empty());
}

/// The Task is in Salesforce, but the ledger has lost the call.
#[tokio::test]
async fn a_message_that_was_delivered_before_or_is_old_creates_no_second_task() {
    for (receives, seconds_ago) in [(2, 1), (6, 1), (1, 86_401), (1, 1800)] {
        let world = world();
        world.worker.salesforce.add_task(task_of(&call("call-1", NUMBER)));
        delivered(&world, &report("acme", "call-1", NUMBER), receives, seconds_ago).await;
        assert_eq!(world.logged(), ["call-1"], "{receives} {seconds_ago}");
        assert_eq!(world.worker.ledger.rows()[0].status, SyncStatus::Success);
        assert_eq!(world.worker.salesforce.count("look"), 1);
    }
}

/// Its row says that nothing was written, but the message may be older than the backup from which the row was
/// restored.
#[tokio::test]
async fn an_old_wake_looks_first() {
    for (seconds_ago, looks) in [(1, 0), (86_401, 1)] {
        let world = world();
        world.wait_for_connection("acme", "call-1");
        let wake = Wake { workspace_id: workspace_id("acme"), call_id: CallId::parse("call-1").unwrap() };
        delivered(&world, &wake.message().body, 1, seconds_ago).await;
        assert_eq!((world.logged().len(), world.worker.salesforce.count("look")), (1, looks));
    }
}

#[tokio::test]
async fn a_fresh_message_needs_no_look() {
    let world = world();
    delivered(&world, &report("acme", "call-1", NUMBER), 1, 1).await;
    assert_eq!((world.logged(), world.worker.salesforce.count("look")), (vec!["call-1".to_owned()], 0));
}

#[tokio::test]
async fn a_message_without_an_id_is_never_reported_as_failed() {
    let world = world();
    for id in [json!(null), json!("")] {
        let record =
            json!({ "messageId": id, "body": "not a message", "attributes": {}, "messageAttributes": {} });
        let batch = serde_json::from_value(json!({ "Records": [record] })).unwrap();
        let deadline = world.worker.clock.now() + TimeDelta::seconds(60);
        assert!(world.batch(batch, deadline).await.is_err());
    }
}

#[tokio::test]
async fn a_retry_queues_and_wakes_only_the_calls_with_its_error_code() {
    let world = world();
    let reason =
        |code: &str| Some(calls::reason::Reason { code: code.to_owned(), message: "Fix it.".to_owned() });
    for n in 0..600 {
        let code = if n % 2 == 0 { "STORAGE_LIMIT_EXCEEDED" } else { "INSUFFICIENT_ACCESS" };
        let mut row = Row::accepted(workspace_id("acme"), call(&format!("call-{n}"), NUMBER), NOW - n);
        row.finish(SyncStatus::Error, reason(code), None, 90, NOW);
        world.worker.ledger.insert(row);
    }
    let retry = r#"{"v":1,"kind":"resume","workspaceId":"acme","errorCode":"STORAGE_LIMIT_EXCEEDED"}"#;
    assert!(failed(&world.work(&[retry.to_owned()]).await).is_empty());
    let (queued, left): (Vec<_>, Vec<_>) =
        world.worker.ledger.rows().into_iter().partition(|row| row.status == SyncStatus::Queued);
    assert_eq!((queued.len(), left.len(), world.queue.sent().len()), (300, 300, 300));
    assert!(left.iter().all(|row| row.reason == reason("INSUFFICIENT_ACCESS")));
    let wake = world.queue.messages()[0].body.clone();
    assert!(failed(&world.work(&[wake]).await).is_empty());
    assert_eq!(world.logged().len(), 1);
}

#[tokio::test]
async fn an_interrupted_retry_starts_over_and_queues_nothing_twice() {
    let world = world();
    for n in 0..3 {
        let mut row = Row::accepted(workspace_id("acme"), call(&format!("call-{n}"), NUMBER), NOW);
        row.finish(
            SyncStatus::Error,
            Some(calls::reason::Reason { code: "X".to_owned(), message: String::new() }),
            None,
            90,
            NOW,
        );
        world.worker.ledger.insert(row);
    }
    let retry = vec![r#"{"v":1,"kind":"resume","workspaceId":"acme","errorCode":"X"}"#.to_owned()];
    world.worker.ledger.faults.fail_next("with_error", When::Before);
    assert_eq!(failed(&world.work(&retry).await), ["0"].into());
    assert!(world.queue.sent().is_empty());
    world.worker.ledger.faults.fail_next("swap", When::Before);
    for _ in 0..2 {
        assert!(failed(&world.work(&retry).await).is_empty());
        assert_eq!(world.queue.sent().len(), 3);
    }
}

/// Workers elsewhere have taken all of the workspace's places.
fn crowd(world: &World, workspace: &str) {
    let mut crowded = connected(workspace);
    for n in 0..5 {
        crowded.places = crowded.places.take(&format!("worker-{n}"), NOW + 60, 5, NOW).unwrap();
    }
    world.worker.workspaces.insert(crowded);
}

#[tokio::test]
async fn the_messages_of_a_workspace_without_places_go_back_and_others_are_processed() {
    let world = world();
    world.worker.workspaces.insert(connected("globex"));
    crowd(&world, "acme");
    let bodies = [report("acme", "call-1", NUMBER), report("globex", "call-2", NUMBER), resume()];
    assert!(failed(&world.work(&bodies).await).is_empty());
    assert_eq!(world.logged(), ["call-2"]);
    let [(message, earlier, delay)] = &world.queue.sent_back()[..] else { panic!("not one message") };
    assert_eq!((&message.body, message.workspace_id.as_str()), (&bodies[0], "acme"));
    assert_eq!((earlier.receives, earlier.sent_at, delay.as_secs()), (1, None, 2));
    // It was not worked on.
    assert_eq!(world.worker.ledger.rows().len(), 1);
}

#[tokio::test]
async fn a_message_that_waits_longer_goes_back_and_forth_less_often() {
    for (waited, seconds) in [(1, 2), (20, 10), (600, 30)] {
        let world = world();
        crowd(&world, "acme");
        delivered(&world, &report("acme", "call-1", NUMBER), 1, waited).await;
        let sent_at = Some((NOW - waited) * 1000);
        let [(_, earlier, delay)] = world.queue.sent_back()[..] else { panic!("not one message") };
        assert_eq!((earlier.sent_at, delay.as_secs()), (sent_at, seconds));
    }
}

/// If it cannot go back, it is delivered again, and it is not lost.
#[tokio::test]
async fn a_message_that_cannot_go_back_is_delivered_again() {
    let world = world();
    crowd(&world, "acme");
    world.queue.faults.fail_next("send_back", When::Before);
    assert_eq!(failed(&world.work(&[report("acme", "call-1", NUMBER)]).await), ["0"].into());
}

/// Before it was sent back, somebody may have worked on it.
#[tokio::test]
async fn a_message_that_was_sent_back_keeps_its_deliveries_and_its_age() {
    for (receives, seconds_ago, looks) in [("1", 1, 0), ("2", 1, 1), ("1", 86_401, 1)] {
        let world = world();
        world.wait_for_connection("acme", "call-1");
        let wake = Wake { workspace_id: workspace_id("acme"), call_id: CallId::parse("call-1").unwrap() };
        let number = |value: String| json!({ "dataType": "Number", "stringValue": value });
        let record = json!({
            "messageId": "0",
            "body": wake.message().body,
            "attributes": { "ApproximateReceiveCount": "1", "SentTimestamp": (NOW * 1000).to_string() },
            "messageAttributes": {
                "FirstSentAt": number(((NOW - seconds_ago) * 1000).to_string()),
                "Receives": number(receives.to_owned()),
            },
        });
        let batch = serde_json::from_value(json!({ "Records": [record] })).unwrap();
        let deadline = world.worker.clock.now() + TimeDelta::seconds(60);
        assert!(failed(&world.batch(batch, deadline).await.unwrap()).is_empty());
        assert_eq!(world.worker.salesforce.count("look"), looks, "{receives} {seconds_ago}");
    }
}
