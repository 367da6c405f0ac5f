//! An org or a login host that does not answer in time is left alone, by all workers at once.

use std::time::Duration;

use calls::{
    call::Call,
    ids::{CallId, WorkspaceId},
    status::SyncStatus,
};
use chrono::TimeDelta;
use crm::{FaultClass, breaker::Breaker, ledger::Row};

use crate::{
    connection::{SessionError, Sessions},
    jobs::{Report, Wake},
    ports::{BreakerOf, Breakers, Clock},
    testing::connected,
    worker::Worker,
};

use super::{reason, world::*};

fn timeout() -> Fault {
    Fault::Before(error(FaultClass::Passing, "timeout"))
}

impl Worker<World> {
    /// Another call of the same caller.
    async fn other(&self, n: usize) -> Row {
        let id = format!("call-{n}");
        let other = Call { id: CallId::parse(id.clone()).unwrap(), ..call(0) };
        self.reported(&other).await.unwrap();
        self.ledger.row(&id)
    }

    /// The org has not answered two calls.
    async fn left_alone(&self) -> Breaker {
        for n in [2, 3] {
            self.salesforce.fail("search", timeout());
            self.other(n).await;
        }
        self.requests();
        self.workspace().breaker.unwrap()
    }
}

#[tokio::test]
async fn one_call_without_an_answer_changes_nothing_for_the_others() {
    let world = world();
    world.salesforce.fail("search", timeout());
    assert_eq!(reason(&world.other(2).await), "timeout");
    assert_eq!(world.other(3).await.status, SyncStatus::Success);
}

#[tokio::test]
async fn after_two_no_call_is_tried() {
    let world = world();
    let until = world.left_alone().await.until.unwrap();
    let row = world.other(4).await;
    assert_eq!((row.status, reason(&row)), (SyncStatus::Retrying, "timeout"));
    // Half a minute after the time ends, because the world's jitter is always 0.5.
    assert_eq!(row.due_at, Some(until + 30));
    assert!(world.requests().is_empty());
}

#[tokio::test]
async fn two_that_are_a_minute_apart_do_not_count() {
    let world = world();
    for n in [2, 3] {
        world.salesforce.fail("search", timeout());
        world.other(n).await;
        world.pass(60);
    }
    assert_eq!(world.other(4).await.status, SyncStatus::Success);
}

#[tokio::test]
async fn the_first_answer_ends_it() {
    let world = world();
    world.left_alone().await;
    world.pass(30);
    assert_eq!(world.other(4).await.status, SyncStatus::Success);
    assert_eq!(world.workspace().breaker, None);
}

/// Even a refusal is an answer.
#[tokio::test]
async fn a_test_without_an_answer_makes_it_longer() {
    let world = world();
    world.left_alone().await;
    world.pass(30);
    world.salesforce.fail("search", timeout());
    let now = world.now();
    world.other(4).await;
    assert_eq!(world.workspace().breaker.unwrap().until, Some(now + 60));
    world.pass(60);
    world.salesforce.fail("search", Fault::Before(error(FaultClass::Permanent, "INVALID_SEARCH")));
    assert_eq!(world.other(5).await.status, SyncStatus::Error);
    assert_eq!(world.workspace().breaker, None);
}

#[tokio::test]
async fn only_one_call_at_a_time_tests_it() {
    let world = world();
    world.left_alone().await;
    world.pass(30);
    // Both workers read the workspace before either asks.
    let as_read = world.workspace();
    world.salesforce.fail("search", timeout());
    for n in [4, 5] {
        let other = Call { id: CallId::parse(format!("call-{n}")).unwrap(), ..call(0) };
        let report: Report = world.report_of(&other, START);
        report.run(&world, &as_read, world.turn(55)).await.unwrap();
    }
    assert_eq!(world.requests(), ["search"]);
}

#[tokio::test]
async fn a_worker_that_dies_while_testing_it_is_followed_by_another() {
    let world = world();
    let breaker = world.left_alone().await;
    world.pass(30);
    let workspace = world.workspace();
    let org = BreakerOf::Org(&workspace.id, &workspace.connection.as_ref().unwrap().org_id);
    let testing = breaker.testing(world.now());
    assert!(world.workspaces.swap_breaker(org, Some(&breaker), Some(&testing)).await.unwrap());
    world.other(4).await;
    assert!(world.requests().is_empty());
    world.pass(90);
    assert_eq!(world.other(5).await.status, SyncStatus::Success);
}

/// It could not know, and what it knows is not news: the others learned it from somebody else.
#[tokio::test]
async fn a_test_that_asks_nothing_leaves_the_test_to_others() {
    let world = world();
    world.left_alone().await;
    world.pass(30);
    // Too little time is left to ask for a new session.
    world.salesforce.state().good_access_token = "another".to_owned();
    let other = Call { id: CallId::parse("call-4").unwrap(), ..call(0) };
    let report = world.report_of(&other, START);
    report.run(&world, &world.workspace(), world.turn(10)).await.unwrap();
    world.salesforce.state().good_access_token = "access-1".to_owned();
    assert_eq!(world.other(5).await.status, SyncStatus::Success);
}

#[tokio::test]
async fn a_preview_does_not_ask_an_org_that_is_left_alone() {
    let world = world();
    world.left_alone().await;
    let row = Row::accepted(world.workspace().id, call(0), START);
    let until = world.clock.now() + TimeDelta::seconds(25);
    let preview = world.preview(&world.workspace(), row, until).await.unwrap();
    assert_eq!((preview.status, preview.reason.unwrap().code.as_str()), (SyncStatus::Retrying, "timeout"));
    assert!(world.requests().is_empty());
}

/// An org that was left alone for three days is like one that failed for three days.
#[tokio::test]
async fn calls_of_an_org_that_never_answers_end_after_three_days() {
    let world = world();
    world.left_alone().await;
    let wake = Wake { workspace_id: world.workspace().id, call_id: CallId::parse("call-2").unwrap() };
    world.pass(3 * 86_400);
    let mut workspace = world.workspace();
    workspace.breaker = Some(Breaker { unanswered_at: 0, until: Some(world.now() + 60), times: 9 });
    wake.run(&world, &workspace, world.turn(55)).await.unwrap();
    assert_eq!(world.ledger.row("call-2").status, SyncStatus::Error);
}

/// The workspaces that have valid sessions go on.
#[tokio::test]
async fn a_login_host_that_does_not_answer_is_left_alone_by_all_workspaces() {
    let world = world();
    for id in ["globex", "initech", "umbrella"] {
        world.workspaces.insert(connected(id));
    }
    let sessions = Sessions {
        store: &world.workspaces,
        tokens: &world.salesforce,
        clock: &world.clock,
        random: &world.random,
    };
    let renew = async |id: &str| {
        let deadline = world.clock.now() + TimeDelta::seconds(55);
        sessions.renew(&WorkspaceId::parse(id).unwrap(), 1, deadline).await
    };
    for _ in 0..2 {
        world.salesforce.fail("refresh", timeout());
    }
    assert!(matches!(renew("globex").await, Err(SessionError::Salesforce(_))));
    let until = world.now() + 30;
    for id in ["initech", "umbrella"] {
        assert_eq!(renew(id).await.unwrap_err(), SessionError::LeftAlone { until });
        world.requests();
    }
    assert_eq!(renew("umbrella").await.unwrap_err(), SessionError::LeftAlone { until });
    assert!(world.requests().is_empty());
    assert_eq!(world.other(2).await.status, SyncStatus::Success);

    world.clock.advance(Duration::from_secs(30));
    renew("umbrella").await.unwrap();
    renew("globex").await.unwrap();
}

/// Otherwise, each of them would take the lease, and wait for the timeout in turn.
#[tokio::test]
async fn workers_that_wait_for_a_refresh_stop_when_it_fails() {
    let world = world();
    world.salesforce.state().good_access_token = "another".to_owned();
    for _ in 0..10 {
        world.salesforce.fail("refresh", Fault::Before(error(FaultClass::Ambiguous, "timeout")));
    }
    let calls: Vec<_> =
        (2..6).map(|n| Call { id: CallId::parse(format!("call-{n}")).unwrap(), ..call(0) }).collect();
    let workspace = world.workspace();
    let reports = calls.iter().map(|call| {
        let report = world.report_of(call, START);
        let (world, workspace) = (&world, &workspace);
        async move { report.run(world, workspace, world.turn(55)).await.unwrap() }
    });
    futures_util::future::join_all(reports).await;
    // One worker's two requests.
    assert_eq!(world.requests().iter().filter(|request| **request == "refresh").count(), 2);
    for n in 2..6 {
        let row = world.ledger.row(&format!("call-{n}"));
        assert_eq!((row.status, reason(&row)), (SyncStatus::Retrying, "timeout"));
    }
}
