//! Temporary faults, limits that pause a workspace, and calls that are given up.

use calls::{codes, status::SyncStatus};
use crm::{FaultClass, workspace::ConnectionState};

use super::{reason, world::*};

#[tokio::test]
async fn a_failed_search_is_a_fault_not_a_missing_record() {
    let world = world();
    world.fail_for_good("search", FaultClass::Passing, "SERVER_UNAVAILABLE");
    world.reported(&call(0)).await.unwrap();
    let row = world.ledger.row("call-1");
    assert_eq!((row.status, reason(&row)), (SyncStatus::Retrying, "SERVER_UNAVAILABLE"));
    // The quick retries waited 250 ms and 1 s; then half a minute, because the world's jitter is always 0.5.
    assert_eq!(row.due_at, Some(START + 1 + 30));
    assert_eq!(row.unsettled_until, None);
    assert_eq!(world.requests(), ["search"; 3]);
}

#[tokio::test]
async fn a_fault_that_passes_at_once_does_not_make_the_row_retry() {
    let world = world();
    world.salesforce.fail("search", Fault::Before(error(FaultClass::Passing, "SERVER_UNAVAILABLE")));
    world.salesforce.fail("create", Fault::Before(error(FaultClass::Passing, "UNABLE_TO_LOCK_ROW")));
    world.reported(&call(0)).await.unwrap();
    assert_eq!((world.status(), world.ledger.row("call-1").failing), (SyncStatus::Success, None));
    assert_eq!(world.requests(), ["search", "search", "create", "create"]);
    assert_eq!(world.salesforce.state().tasks.len(), 1);
}

#[tokio::test]
async fn there_is_no_quick_retry_after_an_ambiguous_response_or_without_time() {
    let world = world();
    world.salesforce.fail("create", Fault::Before(error(FaultClass::Ambiguous, "timeout")));
    world.reported(&call(0)).await.unwrap();
    assert_eq!(world.requests(), ["search", "create"]);

    let world = super::world::world();
    world.salesforce.fail("search", Fault::Before(error(FaultClass::Passing, "SERVER_UNAVAILABLE")));
    let report = world.report_of(&call(0), START);
    report.run(&world, &world.workspace(), world.turn(25)).await.unwrap();
    assert_eq!(world.requests(), ["search"]);
    assert_eq!(world.status(), SyncStatus::Retrying);
}

/// It would block the batch while other workspaces' calls wait.
#[tokio::test]
async fn there_is_no_quick_retry_after_a_timeout() {
    let world = world();
    world.salesforce.fail("search", Fault::Before(error(FaultClass::Passing, "timeout")));
    world.reported(&call(0)).await.unwrap();
    assert_eq!(world.requests(), ["search"]);
    let row = world.ledger.row("call-1");
    assert_eq!((row.status, reason(&row)), (SyncStatus::Retrying, "timeout"));
}

#[tokio::test]
async fn faults_that_do_not_pass_within_three_days_are_an_error() {
    let world = world();
    // The call waits for three days before its first fault; the time counts from the fault.
    {
        let mut workspace = world.edit_workspace();
        workspace.state = ConnectionState::Disconnected;
    }
    world.reported(&call(0)).await.unwrap();
    world.edit_workspace().state = ConnectionState::Connected;
    world.pass(3 * 86_400);
    world.fail_for_good("search", FaultClass::Passing, "SERVER_UNAVAILABLE");
    let mut dues = Vec::new();
    while dues.len() < 100 {
        world.woken().await.unwrap();
        let row = world.ledger.row("call-1");
        let Some(due_at) = row.due_at else { break };
        assert_eq!(row.status, SyncStatus::Retrying);
        assert!(row.reason.unwrap().message.ends_with(codes::RETRIES));
        let now = crate::ports::Clock::now(&world.clock).timestamp();
        dues.push(due_at - now);
        world.pass(due_at - now);
    }
    let row = world.ledger.row("call-1");
    assert_eq!((row.status, reason(&row)), (SyncStatus::Error, "SERVER_UNAVAILABLE"));
    assert!(row.reason.unwrap().message.ends_with(codes::RETRIED));
    // Half of one, two, four … minutes, and finally half of six hours, for three days.
    assert_eq!(dues[..4], [30, 60, 120, 240]);
    assert_eq!(dues.last(), Some(&(3 * 3600)));
    assert!((3 * 86_400..3 * 86_400 + 6 * 3600).contains(&dues.iter().sum::<i64>()), "{dues:?}");
}

#[tokio::test]
async fn a_limit_pauses_the_workspace_and_no_requests_are_sent_meanwhile() {
    let world = world();
    world.salesforce.fail("search", Fault::Before(error(FaultClass::DailyLimit, "REQUEST_LIMIT_EXCEEDED")));
    world.reported(&call(0)).await.unwrap();
    let row = world.ledger.row("call-1");
    assert_eq!((row.status, reason(&row)), (SyncStatus::Retrying, "REQUEST_LIMIT_EXCEEDED"));
    assert_eq!(world.workspace().paused_until, Some(START + 3600));
    assert_eq!(row.due_at, Some(START + 3600 + 30));
    assert_eq!(world.requests(), ["search"]);

    world.pass(1800);
    world.woken().await.unwrap();
    let row = world.ledger.row("call-1");
    assert_eq!((row.due_at, row.unsettled_until), (Some(START + 3600 + 30), None));
    assert!(world.requests().is_empty());

    world.pass(1830);
    world.woken().await.unwrap();
    assert_eq!(world.status(), SyncStatus::Success);
}

#[tokio::test]
async fn too_many_concurrent_requests_pause_the_workspace_for_minutes() {
    let world = world();
    world
        .salesforce
        .fail("create", Fault::Before(error(FaultClass::ConcurrentLimit, "REQUEST_LIMIT_EXCEEDED")));
    world.reported(&call(0)).await.unwrap();
    assert_eq!(world.workspace().paused_until, Some(START + 180));
    assert_eq!(world.ledger.row("call-1").unsettled_until, None);
}

#[tokio::test]
async fn a_limit_that_lasts_three_days_is_an_error() {
    let world = world();
    let limited = || Fault::Before(error(FaultClass::DailyLimit, "REQUEST_LIMIT_EXCEEDED"));
    world.salesforce.fail("search", limited());
    world.reported(&call(0)).await.unwrap();
    world.pass(3 * 86_400);
    world.salesforce.fail("search", limited());
    world.woken().await.unwrap();
    assert_eq!(world.status(), SyncStatus::Error);
}

#[tokio::test]
async fn a_permanent_fault_ends_the_row_with_a_remedy() {
    let world = world();
    world
        .salesforce
        .fail("create", Fault::Before(error(FaultClass::Permanent, "FIELD_CUSTOM_VALIDATION_EXCEPTION")));
    world.reported(&call(0)).await.unwrap();
    let row = world.ledger.row("call-1");
    assert_eq!((row.status, row.due_at), (SyncStatus::Error, None));
    assert!(row.reason.unwrap().message.contains("validation rule"));
}

#[tokio::test]
async fn an_outcome_resets_the_fault_count() {
    let world = world();
    world.fail_for_good("search", FaultClass::Passing, "SERVER_UNAVAILABLE");
    world.reported(&call(0)).await.unwrap();
    assert_eq!(world.ledger.row("call-1").failing.unwrap().times, 1);
    world.pass(60);
    world.woken().await.unwrap();
    assert_eq!(world.ledger.row("call-1").failing.unwrap().times, 2);
    world.salesforce.state().faults.clear();
    world.salesforce.state().records.clear();
    world.pass(120);
    world.woken().await.unwrap();
    let row = world.ledger.row("call-1");
    assert_eq!((row.status, row.failing), (SyncStatus::NotFound, None));
}
