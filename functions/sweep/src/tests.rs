//! Tests of the sweep.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, Mutex},
    time::Duration,
};

use calls::{
    call::Call,
    ids::{CallId, WorkspaceId},
    status::SyncStatus,
};
use chrono::TimeDelta;
use crm::{
    CrmError, FaultClass,
    ledger::{Row, WriteId},
    workspace::{Connection, ConnectionState},
};
use platform::testing::{
    FixedClock, MemoryLedger, MemoryQueue, MemoryWorkspaces, SeededRandom, When, connected, samples,
};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use worker::{
    jobs::{Job, KeptAlive, Woken},
    message::Message,
    ports::{Clock, Queue, StoreError, TokenEndpoint},
};

use crate::handler::Sweep;

const NOW: i64 = 1_800_457_200;
/// How long after a wake a row may be woken again.
const WAKE_DELAY: Duration = Duration::from_mins(10);

type World<Q = MemoryQueue> = Sweep<MemoryLedger, Q, MemoryWorkspaces, Tokens, FixedClock, SeededRandom>;

/// Salesforce's token endpoint: records refreshes, and refuses some tokens.
#[derive(Clone, Default)]
struct Tokens {
    refreshed: Arc<Mutex<Vec<String>>>,
    refused: HashMap<&'static str, FaultClass>,
}

impl TokenEndpoint for Tokens {
    async fn client_secret(&self) -> Result<SecretString, CrmError> {
        Ok("client-secret".into())
    }

    async fn refresh(
        &self,
        connection: &Connection,
        _: &SecretString,
    ) -> Result<worker::ports::Tokens, CrmError> {
        let token = connection.refresh_token.expose_secret().to_owned();
        self.refreshed.lock().unwrap().push(token.clone());
        tokio::task::yield_now().await;
        if let Some(class) = self.refused.get(token.as_str()) {
            return Err(CrmError {
                class: *class,
                code: "invalid_grant".to_owned(),
                message: "expired access/refresh token".to_owned(),
                fields: Vec::new(),
                status: Some(400),
                object: None,
                records: Vec::new(),
            });
        }
        Ok(worker::ports::Tokens {
            access_token: "access-2".into(),
            refresh_token: Some(SecretString::from(format!("{token}-2"))),
            instance_url: connection.instance_url.clone(),
            issued_at: NOW,
        })
    }

    async fn revoke(&self, _: &str, token: &SecretString) -> Result<(), CrmError> {
        assert!(self.refused.contains_key(token.expose_secret()), "only ended grants are revoked");
        Ok(())
    }
}

fn world() -> World {
    Sweep {
        ledger: MemoryLedger::default(),
        queue: MemoryQueue::default(),
        workspaces: MemoryWorkspaces::default(),
        tokens: Tokens::default(),
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
        self.run(self.clock.now() + TimeDelta::seconds(60)).await.map(|(woken, _)| woken)
    }
}

fn woken(queue: &MemoryQueue) -> Vec<String> {
    let call_id = |job: Job| match job {
        Job::Wake(wake) => wake.call_id.to_string(),
        job => panic!("{job:?}"),
    };
    queue.sent().into_iter().map(call_id).collect()
}

#[tokio::test]
async fn samples_start_a_sweep() {
    for (case, event, expected) in samples::of("sweep", &[("scheduled", ["call-1"])]) {
        // A scheduled event contains nothing else of use.
        assert_eq!(serde_json::from_str::<Value>(&event).unwrap()["source"], "aws.events", "{case}");
        let world = world();
        world.due("call-1", NOW);
        world.sweep().await.unwrap();
        assert_eq!(woken(&world.queue), expected, "{case}");
    }
}

#[tokio::test]
async fn only_due_rows_are_woken() {
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
    assert_eq!(world.sweep().await.unwrap(), Woken { woken: 4, ..Woken::default() });
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
async fn a_row_that_a_worker_holds_is_not_woken() {
    let world = world();
    let mut claimed = row("call-1", SyncStatus::Queued, Some(NOW));
    claimed.lease = Some(crm::lease::Lease { owner: "a worker".to_owned(), until: NOW + 90 });
    world.ledger.insert(claimed);
    assert_eq!(world.sweep().await.unwrap(), Woken::default());
    assert!(world.queue.sent().is_empty());
}

#[tokio::test]
async fn a_lost_wake_message_is_sent_again() {
    let world = world();
    world.due("call-1", NOW);
    world.sweep().await.unwrap();
    // The message is lost, so nothing changes the row.
    world.clock.advance(WAKE_DELAY);
    assert_eq!(world.sweep().await.unwrap().woken, 1);
    assert_eq!(woken(&world.queue), ["call-1", "call-1"]);
}

#[tokio::test]
async fn a_refused_wake_message_is_sent_again() {
    let world = world();
    world.due("call-1", NOW);
    world.queue.faults.fail_next("send", When::Before);
    assert_eq!(world.sweep().await.unwrap_err().operation, "send");
    world.clock.advance(WAKE_DELAY);
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
async fn a_row_that_fails_does_not_stop_others_from_being_woken() {
    let world = world();
    world.due("call-1", NOW - 2);
    world.due("call-2", NOW - 1);
    world.ledger.faults.fail_next("load", When::Before);
    assert!(world.sweep().await.is_err());
    assert_eq!(woken(&world.queue), ["call-2"]);
}

#[tokio::test]
async fn a_row_of_a_newer_version_is_not_changed_and_does_not_stop_others_from_being_woken() {
    let world = world();
    for n in 0..150 {
        let newer = row(&format!("newer-{n}"), SyncStatus::Retrying, Some(NOW - 1000));
        world.ledger.insert_newer(newer, "undoing");
    }
    world.due("call-1", NOW);
    let before: Vec<_> =
        world.ledger.rows().into_iter().filter(|row| row.call_id.as_str() != "call-1").collect();
    assert_eq!(world.sweep().await.unwrap(), Woken { woken: 1, foreign: 150, ..Woken::default() });
    assert_eq!(woken(&world.queue), ["call-1"]);
    assert!(before.iter().all(|row| world.ledger.rows().contains(row)));
}

#[tokio::test]
async fn all_pages_of_due_rows_are_woken() {
    let world = world();
    for n in 0..250 {
        world.due(&format!("call-{n}"), NOW - n);
    }
    assert_eq!(world.sweep().await.unwrap(), Woken { woken: 250, ..Woken::default() });
    assert_eq!(woken(&world.queue).into_iter().collect::<BTreeSet<_>>().len(), 250);
}

/// A queue that takes 50 ms per message.
struct SlowQueue(MemoryQueue, FixedClock);

impl Queue for SlowQueue {
    async fn send(&self, message: &Message) -> Result<(), StoreError> {
        self.1.advance(Duration::from_millis(50));
        self.0.send(message).await
    }
}

#[tokio::test]
async fn a_sweep_ends_before_its_deadline_and_the_next_one_continues() {
    let clock = FixedClock::at(NOW);
    let queue = MemoryQueue::default();
    let world: World<SlowQueue> = Sweep {
        ledger: MemoryLedger::default(),
        queue: SlowQueue(queue.clone(), clock.clone()),
        workspaces: MemoryWorkspaces::default(),
        tokens: Tokens::default(),
        clock: clock.clone(),
        random: SeededRandom::new(1),
    };
    for n in 0..250 {
        world.due(&format!("call-{n}"), NOW - n);
    }
    let deadline = clock.now() + TimeDelta::seconds(12);
    let (first, _) = world.run(deadline).await.unwrap();
    assert!(first.unfinished && first.woken < 250, "{first:?}");
    assert!(clock.now() < deadline);
    // Every postponed row has its message.
    assert_eq!(woken(&queue).len(), first.woken);
    let second = world.sweep().await.unwrap();
    assert_eq!(first.woken + second.woken, 250);
    assert_eq!(woken(&queue).into_iter().collect::<BTreeSet<_>>().len(), 250);
}

#[tokio::test]
async fn without_enough_time_nothing_is_started() {
    let world = world();
    world.due("call-1", NOW);
    let (woken, _) = world.run(world.clock.now() + TimeDelta::seconds(5)).await.unwrap();
    assert_eq!(woken, Woken { unfinished: true, ..Woken::default() });
    assert_eq!(world.ledger.rows()[0].due_at, Some(NOW));
}

const DAY: i64 = 24 * 60 * 60;

impl World {
    /// A workspace that was connected or refreshed this many seconds ago.
    fn connected(&self, id: &str, seconds_ago: i64) {
        let mut workspace = connected(id);
        if let Some(connection) = &mut workspace.connection {
            connection.refresh_token = SecretString::from(id);
        }
        let id = workspace.id.clone();
        self.workspaces.insert(workspace);
        self.workspaces.issued_at(&id, NOW - seconds_ago);
    }

    fn state(&self, id: &str) -> ConnectionState {
        self.workspaces.workspace(&WorkspaceId::parse(id).unwrap()).state
    }

    fn refreshed(&self) -> Vec<String> {
        self.tokens.refreshed.lock().unwrap().clone()
    }

    async fn kept_alive(&self) -> KeptAlive {
        self.run(self.clock.now() + TimeDelta::seconds(60)).await.unwrap().1
    }
}

#[tokio::test]
async fn connections_that_were_idle_for_two_weeks_are_refreshed() {
    let world = world();
    world.connected("idle", 14 * DAY);
    world.connected("busy", 14 * DAY - 1);
    assert_eq!(world.kept_alive().await, KeptAlive { refreshed: 1, ..KeptAlive::default() });
    assert_eq!(world.refreshed(), ["idle"]);
    assert_eq!(world.kept_alive().await, KeptAlive::default());
}

#[tokio::test]
async fn two_sweeps_refresh_a_connection_once() {
    let world = world();
    world.connected("idle", 20 * DAY);
    let (one, other) = tokio::join!(world.kept_alive(), world.kept_alive());
    assert_eq!(one.refreshed + other.refreshed, 1);
    assert_eq!(world.refreshed(), ["idle"]);
}

#[tokio::test]
async fn a_failed_refresh_is_retried_after_an_hour_and_does_not_hold_up_others() {
    let mut world = world();
    world.tokens.refused.insert("down", FaultClass::Passing);
    world.connected("down", 16 * DAY);
    world.connected("idle", 15 * DAY);
    assert_eq!(world.kept_alive().await, KeptAlive { refreshed: 1, failed: 1, ended: 0 });
    assert_eq!(world.state("down"), ConnectionState::Connected);
    world.clock.advance(Duration::from_mins(59));
    assert_eq!(world.kept_alive().await, KeptAlive::default());
    world.clock.advance(Duration::from_mins(1));
    assert_eq!(world.kept_alive().await, KeptAlive { failed: 1, ..KeptAlive::default() });
}

#[tokio::test]
async fn an_ended_grant_is_noticed_before_a_call_needs_it() {
    let mut world = world();
    world.tokens.refused.insert("ended", FaultClass::GrantEnded);
    world.connected("ended", 31 * DAY);
    assert_eq!(world.kept_alive().await, KeptAlive { ended: 1, ..KeptAlive::default() });
    assert_eq!(world.state("ended"), ConnectionState::ReconnectRequired);
    assert_eq!(world.kept_alive().await, KeptAlive::default());
}

#[tokio::test]
async fn all_pages_of_idle_connections_are_refreshed() {
    let world = world();
    for n in 0..60 {
        world.connected(&format!("idle-{n}"), 15 * DAY + n);
    }
    assert_eq!(world.kept_alive().await.refreshed, 60);
    assert_eq!(world.refreshed().into_iter().collect::<BTreeSet<_>>().len(), 60);
}

#[tokio::test]
async fn no_refresh_starts_without_time_to_store_it() {
    let world = world();
    world.connected("idle", 20 * DAY);
    world.run(world.clock.now() + TimeDelta::seconds(20)).await.unwrap();
    assert!(world.refreshed().is_empty());
}

#[tokio::test]
async fn a_ledger_failure_does_not_let_connections_die() {
    let world = world();
    world.connected("idle", 20 * DAY);
    world.ledger.faults.fail_next("due", When::Before);
    assert!(world.run(world.clock.now() + TimeDelta::seconds(60)).await.is_err());
    assert_eq!(world.refreshed(), ["idle"]);
}
