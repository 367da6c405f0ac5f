//! Rows that a newer version wrote before it was rolled back: they are not written to, and nothing is lost.

use calls::{ids::CallId, status::SyncStatus};

use crate::{Done, QueuedAgain, Worker, claim, jobs::LogNow};

use super::world::*;

/// A world in which a newer version has written the row of a logged call. The row is due.
async fn rolled_back() -> Worker<World> {
    let world = world();
    world.reported(&call(0)).await.unwrap();
    let mut row = world.ledger.row("call-1");
    row.due_at = Some(START);
    world.ledger.insert(row);
    world.ledger.newer_from(Some(0));
    world.requests();
    world
}

/// Does something with such a row and returns the result. The row stays as it is, and no requests are sent to
/// Salesforce.
macro_rules! leaves_alone {
    (|$world:ident| $does:expr) => {{
        let $world = rolled_back().await;
        let before = $world.ledger.row("call-1");
        let done = $does.await;
        assert_eq!($world.ledger.row("call-1"), before);
        assert!($world.requests().is_empty());
        done
    }};
}

/// A report with more facts than the row has.
fn news() -> calls::call::Call {
    let mut news = call(5);
    news.summary = Some(fact(5, "Wants an offer.".to_owned()));
    news
}

#[tokio::test]
async fn a_report_stays_in_the_queue_until_the_newer_version_is_back() {
    let error = leaves_alone!(|world| world.reported(&news())).unwrap_err();
    let why = "merging the report failed: a newer version wrote the call's row: column status cannot be read";
    assert_eq!(error.to_string(), why);
}

#[tokio::test]
async fn a_report_that_the_queue_refused_is_not_accepted() {
    let kept = leaves_alone!(|world| async {
        let report = world.report_of(&news(), START + 5);
        report.keep(&world.ledger, &world.random, &world.workspace(), START + 5).await
    });
    assert!(kept.is_err());
}

#[tokio::test]
async fn a_report_with_a_revoked_secret_is_done() {
    assert!(matches!(leaves_alone!(|world| world.reported_under(1, &news())), Ok(Done::Nothing)));
}

/// The row has its own `due_at`.
#[tokio::test]
async fn a_wake_is_done() {
    assert!(matches!(leaves_alone!(|world| world.woken()), Ok(Done::Nothing)));
}

#[tokio::test]
async fn log_now_does_nothing() {
    let done = leaves_alone!(|world| async {
        let id = CallId::parse("call-1").unwrap();
        LogNow { call_id: &id }.run(&world, &world.workspace(), world.turn(50)).await
    });
    assert!(matches!(done, Ok(Done::Nothing)));
}

#[tokio::test]
async fn a_retry_is_refused() {
    let queued = leaves_alone!(|world| async {
        let (id, workspace_id) = (CallId::parse("call-1").unwrap(), world.workspace().id);
        claim::queue_again(&world.ledger, &world.random, &workspace_id, &id, |_| true, START).await
    });
    assert_eq!(queued, Ok(QueuedAgain::Foreign));
}

/// Its row still says that something may have been written, so the next worker looks first.
#[tokio::test]
async fn an_attempt_loses_a_row_that_a_newer_version_takes() {
    let world = world();
    world.ledger.newer_from(Some(1));
    assert!(matches!(world.reported(&call(0)).await, Ok(Done::Elsewhere)));
    let row = world.ledger.row("call-1");
    assert_eq!((row.task_id, row.lease.is_some()), (None, true));
    // The newer version is back.
    world.ledger.newer_from(None);
    world.pass(91);
    world.woken().await.unwrap();
    assert_eq!((world.status(), world.salesforce.state().tasks.len()), (SyncStatus::Success, 1));
}
