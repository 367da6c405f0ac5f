//! Sweeps.

use std::{collections::BTreeSet, time::Duration};

use calls::{
    call::Call,
    ids::{CallId, WorkspaceId},
    ledger::{Row, SyncStatus, WriteId},
    message::Work,
    ports::{Clock, Queue, StoreError},
    sync::Woken,
};
use chrono::TimeDelta;
use platform::testing::{FixedClock, MemoryLedger, MemoryQueue, SeededRandom, When, samples};
use serde_json::Value;

use crate::handler::Sweep;

const NOW: i64 = 1_800_457_200;
/// A row that was woken is left alone for this long.
const WAKE_TAKES: Duration = Duration::from_mins(10);

type World<Q = MemoryQueue> = Sweep<MemoryLedger, Q, FixedClock, SeededRandom>;

fn world() -> World {
    Sweep {
        ledger: MemoryLedger::default(),
        queue: MemoryQueue::default(),
        clock: FixedClock::at(NOW),
        random: SeededRandom::new(1),
    }
}

fn row(call_id: &str, status: SyncStatus, due_at: Option<i64>) -> Row {
    let workspace_id = WorkspaceId::parse("acme").unwrap();
    let mut row = Row::accepted(workspace_id, Call::new(CallId::parse(call_id).unwrap()), NOW - 1000);
    row.finish(status, None, due_at, 90, NOW - 1000);
    row.write_id = Some(WriteId("stored".to_owned()));
    row
}

impl<Q: Queue> World<Q> {
    fn due(&self, call_id: &str, due_at: i64) {
        self.ledger.insert(row(call_id, SyncStatus::Retrying, Some(due_at)));
    }

    async fn sweep(&self) -> Result<Woken, StoreError> {
        self.run(self.clock.now() + TimeDelta::seconds(60)).await
    }
}

fn woken(queue: &MemoryQueue) -> Vec<String> {
    let call_id = |work: Work| match work {
        Work::Wake { call_id, .. } => call_id.to_string(),
        work => panic!("{work:?}"),
    };
    queue.sent().into_iter().map(call_id).collect()
}

#[tokio::test]
async fn samples_make_a_sweep() {
    for (case, event, expected) in samples::of("sweep", &[("scheduled", ["call-1"])]) {
        // The schedule's event says nothing but that it is time.
        assert_eq!(serde_json::from_str::<Value>(&event).unwrap()["source"], "aws.events", "{case}");
        let world = world();
        world.due("call-1", NOW);
        world.sweep().await.unwrap();
        assert_eq!(woken(&world.queue), expected, "{case}");
    }
}

#[tokio::test]
async fn what_is_due_is_woken_and_nothing_else() {
    let world = world();
    for (call_id, status, due_at) in [
        ("queued", SyncStatus::Queued, Some(NOW - 1)),
        ("retrying", SyncStatus::Retrying, Some(NOW)),
        ("waiting", SyncStatus::WaitingForConnection, Some(NOW - 3600)),
        ("late", SyncStatus::NotFound, Some(NOW)),
        ("not-yet", SyncStatus::Retrying, Some(NOW + 1)),
        ("success", SyncStatus::Success, None),
        ("error", SyncStatus::Error, None),
    ] {
        world.ledger.insert(row(call_id, status, due_at));
    }
    assert_eq!(world.sweep().await.unwrap(), Woken { woken: 4, unfinished: false });
    let woken: BTreeSet<_> = woken(&world.queue).into_iter().collect();
    assert_eq!(woken, ["queued", "retrying", "waiting", "late"].map(str::to_owned).into());
}

#[tokio::test]
async fn a_wake_names_the_calls_own_workspace() {
    let world = world();
    let mut other = row("call-1", SyncStatus::Retrying, Some(NOW));
    other.workspace_id = WorkspaceId::parse("globex").unwrap();
    world.ledger.insert(other);
    world.sweep().await.unwrap();
    assert_eq!(world.queue.sent()[0].workspace_id().as_str(), "globex");
}

#[tokio::test]
async fn two_sweeps_wake_a_row_once() {
    let world = world();
    world.due("call-1", NOW);
    let (one, other) = tokio::join!(world.sweep(), world.sweep());
    assert_eq!(one.unwrap().woken + other.unwrap().woken, 1);
    assert_eq!(world.sweep().await.unwrap(), Woken::default());
    assert_eq!(woken(&world.queue), ["call-1"]);
}

#[tokio::test]
async fn a_row_that_its_worker_has_just_claimed_is_left_to_it() {
    let world = world();
    let mut claimed = row("call-1", SyncStatus::Queued, Some(NOW));
    claimed.lease = Some(calls::workspace::Lease { owner: "a worker".to_owned(), until: NOW + 90 });
    world.ledger.insert(claimed);
    assert_eq!(world.sweep().await.unwrap(), Woken::default());
    assert!(world.queue.sent().is_empty());
}

#[tokio::test]
async fn a_wake_message_that_was_lost_comes_again() {
    let world = world();
    world.due("call-1", NOW);
    world.sweep().await.unwrap();
    // The message is lost: the row stays as the sweep left it.
    world.clock.advance(WAKE_TAKES);
    assert_eq!(world.sweep().await.unwrap().woken, 1);
    assert_eq!(woken(&world.queue), ["call-1", "call-1"]);
}

#[tokio::test]
async fn a_wake_message_that_the_queue_refused_comes_again() {
    let world = world();
    world.due("call-1", NOW);
    world.queue.faults.fail_next("send", When::Before);
    assert_eq!(world.sweep().await.unwrap_err().operation, "send");
    world.clock.advance(WAKE_TAKES);
    assert_eq!(world.sweep().await.unwrap().woken, 1);
    assert_eq!(woken(&world.queue), ["call-1"]);
}

#[tokio::test]
async fn a_row_whose_claim_failed_is_still_due() {
    let world = world();
    world.due("call-1", NOW);
    world.ledger.faults.fail_next("swap", When::Before);
    assert!(world.sweep().await.is_err());
    assert!(world.queue.sent().is_empty());
    assert_eq!(world.sweep().await.unwrap().woken, 1);
}

#[tokio::test]
async fn a_row_that_fails_keeps_no_other_from_being_woken() {
    let world = world();
    world.due("call-1", NOW - 2);
    world.due("call-2", NOW - 1);
    world.ledger.faults.fail_next("load", When::Before);
    assert!(world.sweep().await.is_err());
    assert_eq!(woken(&world.queue), ["call-2"]);
}

#[tokio::test]
async fn all_pages_of_due_rows_are_woken() {
    let world = world();
    for n in 0..250 {
        world.due(&format!("call-{n}"), NOW - n);
    }
    assert_eq!(world.sweep().await.unwrap(), Woken { woken: 250, unfinished: false });
    assert_eq!(woken(&world.queue).into_iter().collect::<BTreeSet<_>>().len(), 250);
}

/// A queue that takes 50 ms for each message.
struct SlowQueue(MemoryQueue, FixedClock);

impl Queue for SlowQueue {
    async fn send(&self, work: &Work) -> Result<(), StoreError> {
        self.1.advance(Duration::from_millis(50));
        self.0.send(work).await
    }
}

#[tokio::test]
async fn a_sweep_ends_before_its_process_does_and_the_next_one_goes_on() {
    let clock = FixedClock::at(NOW);
    let queue = MemoryQueue::default();
    let world: World<SlowQueue> = Sweep {
        ledger: MemoryLedger::default(),
        queue: SlowQueue(queue.clone(), clock.clone()),
        clock: clock.clone(),
        random: SeededRandom::new(1),
    };
    for n in 0..250 {
        world.due(&format!("call-{n}"), NOW - n);
    }
    let deadline = clock.now() + TimeDelta::seconds(12);
    let first = world.run(deadline).await.unwrap();
    assert!(first.unfinished && first.woken < 250, "{first:?}");
    assert!(clock.now() < deadline);
    // Every row that was postponed has its message.
    assert_eq!(woken(&queue).len(), first.woken);
    let second = world.sweep().await.unwrap();
    assert_eq!(first.woken + second.woken, 250);
    assert_eq!(woken(&queue).into_iter().collect::<BTreeSet<_>>().len(), 250);
}

#[tokio::test]
async fn without_time_nothing_is_begun() {
    let world = world();
    world.due("call-1", NOW);
    let woken = world.run(world.clock.now() + TimeDelta::seconds(5)).await.unwrap();
    assert_eq!(woken, Woken { woken: 0, unfinished: true });
    assert_eq!(world.ledger.rows()[0].due_at, Some(NOW));
}
