//! A call that waits for Salesforce takes one of its workspace's places, or gives way.

use calls::{call::Call, ids::CallId, status::SyncStatus};
use crm::{FaultClass, places::Places};
use futures_util::future::join_all;

use crate::{
    jobs::LogNow,
    worker::{Turn, Worker},
};

use super::{reason, world::*};

impl Worker<World> {
    fn impatient(&self) -> Turn {
        Turn { gives_way: true, ..self.turn(55) }
    }

    /// Every read makes the worker wait.
    fn slow(self) -> Self {
        self.salesforce.state().yields = 3;
        self
    }

    async fn in_turn(&self, call_id: &str) {
        let call = Call { id: CallId::parse(call_id).unwrap(), ..call(0) };
        self.report_of(&call, START).run(self, &self.workspace(), self.impatient()).await.unwrap();
    }

    /// Workers elsewhere have taken places of the workspace.
    fn taken_elsewhere(&self, owners: &[&str]) {
        let until = self.now() + 60;
        let mut places = Places::default();
        for owner in owners {
            places = places.take(owner, until, usize::MAX, self.now()).unwrap();
        }
        self.edit_workspace().places = places;
    }
}

#[tokio::test]
async fn a_call_that_waits_takes_a_place_and_leaves_it() {
    let world = world().slow();
    world.taken_elsewhere(&["another worker"]);
    world.in_turn("call-1").await;
    assert_eq!(world.status(), SyncStatus::Success);
    assert_eq!(world.workspaces.faults.calls("swap_places"), 2);
    assert_eq!(world.workspace().places.taken(world.now()), 1);
}

#[tokio::test]
async fn a_call_without_a_place_gives_way_and_comes_again_within_a_minute() {
    let world = world().slow();
    world.taken_elsewhere(&["one", "another"]);
    world.in_turn("call-1").await;
    let row = world.ledger.row("call-1");
    assert_eq!((row.status, reason(&row), row.failing), (SyncStatus::Retrying, "crowded", None));
    assert_eq!(row.due_at, Some(world.now() + 15 + 22));
    assert!(world.salesforce.tasks().is_empty());
    // It is not held against it: nothing may have been written.
    assert_eq!(row.unsettled_until, None);
}

#[tokio::test]
async fn the_places_of_workers_that_died_are_free_again() {
    let world = world().slow();
    world.taken_elsewhere(&["one", "another"]);
    world.pass(60);
    world.in_turn("call-1").await;
    assert_eq!(world.status(), SyncStatus::Success);
}

#[tokio::test]
async fn all_calls_of_one_worker_need_one_place() {
    let world = world().slow();
    world.taken_elsewhere(&["another worker"]);
    join_all(["call-1", "call-2", "call-3"].map(|id| world.in_turn(id))).await;
    assert_eq!(world.workspaces.faults.calls("swap_places"), 2);
    assert_eq!(world.salesforce.state().tasks.len(), 3);
    assert_eq!(world.workspace().places.taken(world.now()), 1);
}

/// Its worker serves only this person.
#[tokio::test]
async fn a_call_that_a_person_waits_for_does_not_give_way() {
    let world = world().slow();
    world.fail_for_good("search", FaultClass::Permanent, "INVALID_SEARCH");
    world.reported(&call(0)).await.unwrap();
    world.salesforce.state().faults.clear();
    world.taken_elsewhere(&["one", "another"]);
    LogNow { call_id: &call(0).id }.run(&world, &world.workspace(), world.turn(25)).await.unwrap();
    assert_eq!(world.status(), SyncStatus::Success);
}

/// A refresh that hangs would make each of its calls hold a worker for most of a minute.
#[tokio::test]
async fn a_call_that_waits_for_another_workers_refresh_gives_way() {
    let world = world();
    world.salesforce.state().good_access_token = "another".to_owned();
    world.edit_workspace().refresh_lease =
        Some(crm::lease::Lease { owner: "another worker".to_owned(), until: START + 45 });
    world.taken_elsewhere(&["one", "another"]);
    world.in_turn("call-1").await;
    assert_eq!(reason(&world.ledger.row("call-1")), "crowded");
    assert!(world.now() <= START + 3, "{}", world.now() - START);
}
