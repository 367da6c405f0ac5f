//! Rows: who holds them, what is merged into them, and what leaves them unchanged.

use super::world::*;
use crate::{claim, testing::When};
use calls::status::SyncStatus;
use crm::{
    lease::Lease,
    ledger::{Row, WriteId},
};

#[tokio::test]
async fn a_report_for_a_row_that_another_worker_holds_is_merged() {
    let world = world();
    world.ledger.insert(held_by_another(&world));

    let mut second = call(5);
    second.summary = Some(fact(5, "Wants an offer.".to_owned()));
    world.reported(&second).await.unwrap();
    let row = world.ledger.row("call-1");
    assert_eq!(row.revision, 2);
    assert!(row.call.summary.is_some());
    assert_eq!(row.lease.unwrap().owner, "another worker");
    assert!(world.requests().is_empty());
}

fn held_by_another(world: &crate::worker::Worker<World>) -> Row {
    let mut row = Row::accepted(world.workspace().id, call(0), START);
    row.lease = Some(Lease { owner: "another worker".to_owned(), until: START + 90 });
    row.due_at = Some(START + 90);
    row.write_id = Some(WriteId("theirs".to_owned()));
    row
}

#[tokio::test]
async fn a_report_that_the_queue_refused_is_merged_and_leaves_another_workers_lease() {
    let world = world();
    world.ledger.insert(held_by_another(&world));
    let mut second = call(5);
    second.summary = Some(fact(5, "Wants an offer.".to_owned()));
    let report = world.report_of(&second, START + 5);
    report.keep(&world.ledger, &world.random, &world.workspace(), START + 5).await.unwrap();
    let row = world.ledger.row("call-1");
    assert_eq!((row.revision, row.due_at), (2, Some(START + 90)));
    assert_eq!(row.lease.unwrap().owner, "another worker");
}

#[tokio::test]
async fn a_repeated_report_claims_a_row_that_is_only_queued() {
    let world = world();
    let report = world.report_of(&call(0), START);
    report.keep(&world.ledger, &world.random, &world.workspace(), START).await.unwrap();
    assert_eq!(world.status(), SyncStatus::Queued);
    world.reported(&call(0)).await.unwrap();
    assert_eq!(world.status(), SyncStatus::Success);
}

#[tokio::test]
async fn a_wake_of_a_call_that_waits_for_nothing_does_nothing() {
    let world = world();
    world.reported(&call(0)).await.unwrap();
    let before = world.ledger.row("call-1");
    world.requests();
    world.woken().await.unwrap();
    assert_eq!(world.ledger.row("call-1"), before);
    assert!(world.requests().is_empty());
}

/// Otherwise DynamoDB would delete a row while a worker holds it.
#[tokio::test]
async fn a_row_that_is_claimed_again_does_not_expire() {
    let world = world();
    world.reported(&call(0)).await.unwrap();
    assert!(world.ledger.row("call-1").expires_at.is_some());
    let mut second = call(5);
    second.summary = Some(fact(5, "Wants an offer.".to_owned()));
    // The first swap guesses that there is no row; then come the claim and the outcome, which fails.
    world.ledger.faults.fail_later("swap", 2, When::Before);
    world.reported(&second).await.unwrap_err();
    let row = world.ledger.row("call-1");
    assert!(row.expires_at.is_none() && row.due_at.is_some());
}

/// A worker may have finished the row between the sweep's query and its write.
#[tokio::test]
async fn a_row_that_is_no_longer_due_is_not_postponed() {
    let world = world();
    let mut row = held_by_another(&world);
    row.lease = None;
    row.due_at = Some(START + 500);
    world.ledger.insert(row.clone());
    let key = crm::ledger::RowKey { workspace_id: row.workspace_id.clone(), call_id: row.call_id.clone() };
    let postponed = claim::postpone(&world.ledger, &world.random, &key, START, START + 600).await.unwrap();
    assert_eq!(postponed, claim::Postponed::NotDue);
    assert_eq!(world.ledger.row("call-1"), row);
}

#[tokio::test]
async fn a_worker_that_lost_its_row_does_not_overwrite_the_winner() {
    let world = world();
    world.reported(&call(0)).await.unwrap();
    let mut stale = world.ledger.row("call-1");
    stale.lease = Some(Lease { owner: "winner".to_owned(), until: START + 300 });
    world.ledger.insert(stale.clone());
    let claimed = claim::Claimed { row: stale.clone(), owner: "loser".to_owned(), unsettled_until: None };
    let mut outcome = stale.clone();
    outcome.status = SyncStatus::Error;
    let recorded = claim::record(&world.ledger, &world.random, &claimed, outcome, START).await.unwrap();
    assert_eq!(recorded, claim::Recorded::Lost);
    assert_eq!(world.ledger.row("call-1"), stale);
}

#[tokio::test]
async fn a_call_reported_with_a_revoked_secret_is_skipped_until_a_valid_report_arrives() {
    let world = world();
    world.reported_under(1, &call(0)).await.unwrap();
    assert_eq!(world.status(), SyncStatus::Skipped);
    assert!(world.requests().is_empty());

    world.reported(&call(0)).await.unwrap();
    assert_eq!(world.status(), SyncStatus::Success);

    let mut forged = call(9);
    forged.summary = Some(fact(9, "forged".to_owned()));
    world.reported_under(1, &forged).await.unwrap();
    assert_eq!(world.ledger.row("call-1").call.summary, None);
}

#[tokio::test]
async fn two_valid_reports_after_a_refused_one_merge() {
    let world = world();
    world.reported_under(1, &call(0)).await.unwrap();
    world.pass(60);
    let mut rich = call(1);
    rich.summary = Some(fact(1, "Wants an offer.".to_owned()));
    // The worker with the first valid report dies.
    world.ledger.faults.fail_later("swap", 2, When::Before);
    world.reported(&rich).await.unwrap_err();
    world.reported(&call(2)).await.unwrap();
    let row = world.ledger.row("call-1");
    assert_eq!(row.call.summary.as_ref().unwrap().value, "Wants an offer.");
    assert_eq!((row.status, row.reason, row.created_at), (SyncStatus::Queued, None, START + 60));
}
