//! The scenarios that people ask about first, simulated: each with several seeds, some with every fault at every point.

use std::collections::BTreeMap;

use calls::{status::SyncStatus, timings};
use crm::FaultClass;

use crate::{
    plan::{Action, Plan},
    print,
    run::{explore, world_after},
    samples::{org_id, workspace_id},
    world::{Fault, START, World},
};

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
/// Seeds per scenario.
const SEEDS: u64 = 200;

/// Every promise holds with every seed, and with one fault of every kind at every point.
fn promises_hold(name: &str, plan: &Plan) {
    for seed in 0..SEEDS {
        explore(&plan.clone().seeded(seed), None).unwrap_or_else(|failure| panic!("{name}: {failure}"));
    }
    let points = explore(plan, None).map_or(0, |totals| totals.calls);
    for point in 0..points {
        for fault in Fault::ALL {
            let plan = plan.clone().with(point, fault);
            explore(&plan, None).unwrap_or_else(|failure| panic!("{name}: {failure}"));
        }
    }
    print(&format!(
        "simulation: {name}: {SEEDS} seeds, {points} points, {} runs with one fault",
        points * Fault::ALL.len() as u64
    ));
}

fn tasks(world: &World) -> usize {
    world.state().salesforce.tasks.len()
}

/// Seconds from the start to each Task.
fn logged_at(world: &World) -> Vec<i64> {
    let state = world.state();
    state.salesforce.tasks.iter().map(|task| task.at / 1000 - START).collect()
}

/// A worker once died on the second report of a logged call, which left the row `success` and due forever.
#[test]
fn a_second_report_of_a_logged_call() {
    let reports = [(1, Action::report(0, 2)), (60, Action::report(0, 3))];
    promises_hold("a second report", &Plan::of(1, reports));
}

#[test]
fn twenty_identical_reports_at_once_create_one_task() {
    let plan = Plan::of(1, (0..20).map(|_| (1, Action::report(0, 1))));
    for seed in 0..SEEDS {
        assert_eq!(tasks(&world_after(&plan.clone().seeded(seed))), 1);
    }
}

#[test]
fn ten_calls_at_once_on_an_expired_session_cause_one_refresh() {
    let calls = (0..10).map(|call| (1, Action::report(call, 1)));
    let plan = Plan::of(10, [(1, Action::ExpireSessions)].into_iter().chain(calls));
    for seed in 0..SEEDS {
        let world = world_after(&plan.clone().seeded(seed));
        assert_eq!((tasks(&world), world.state().salesforce.refreshes), (10, 1));
    }
}

#[test]
fn calls_of_a_revoked_connection_are_logged_after_one_reconnect() {
    let calls = (0..10).map(|call| (MINUTE + 20 * i64::try_from(call).unwrap(), Action::report(call, 1)));
    let around = [(30, Action::RevokeGrants), (HOUR, Action::Connect { workspace: 0, org: 0 })];
    let plan = Plan::of(10, around.into_iter().chain(calls));
    for seed in 0..SEEDS {
        let world = world_after(&plan.clone().seeded(seed));
        assert_eq!(tasks(&world), 10);
        // The reconnect's messages wake them all, long before they would be due.
        let logged = logged_at(&world);
        assert!(logged.iter().all(|at| (HOUR..HOUR + 5 * MINUTE).contains(at)), "{logged:?}");
    }
}

#[test]
fn calls_that_arrive_during_a_connect_do_not_wait_until_due() {
    let calls = (0..10).map(|call| (HOUR, Action::report(call, 1)));
    let around = [(1, Action::Disconnect { workspace: 0 }), (HOUR, Action::Connect { workspace: 0, org: 0 })];
    let plan = Plan::of(10, around.into_iter().chain(calls));
    for seed in 0..SEEDS {
        let logged = logged_at(&world_after(&plan.clone().seeded(seed)));
        assert!(logged.len() == 10 && logged.iter().all(|at| *at < HOUR + MINUTE), "{seed}: {logged:?}");
    }
}

#[test]
fn a_disconnect_during_a_refresh() {
    let script = [
        (1, Action::ExpireSessions),
        (1, Action::report(0, 1)),
        (1, Action::report(1, 1)),
        (1, Action::Disconnect { workspace: 0 }),
        (2, Action::report(2, 1)),
        (HOUR, Action::Connect { workspace: 0, org: 0 }),
    ];
    promises_hold("a disconnect during a refresh", &Plan::of(3, script));
}

#[test]
fn another_org_with_calls_in_flight() {
    let script = [
        (1, Action::report(0, 1)),
        (1, Action::Connect { workspace: 0, org: 1 }),
        (1, Action::report(1, 1)),
        (5, Action::ExpireSessions),
        (5, Action::report(2, 1)),
    ];
    promises_hold("another org", &Plan::of(3, script));
}

#[test]
fn a_record_that_appears_after_its_call_is_found_by_the_late_match() {
    let plan = |seed| {
        let late = [
            (1, Action::report(0, 1)),
            (3 * MINUTE, Action::AddRecord { workspace: 0, call: 0, indexed_after: 60 }),
        ];
        Plan::of(0, late).seeded(seed)
    };
    for seed in 0..SEEDS {
        let logged = logged_at(&world_after(&plan(seed)));
        assert!(logged.len() == 1 && (5 * MINUTE..7 * MINUTE).contains(&logged[0]), "{logged:?}");
    }
    // Search finds the record only half an hour later, but the query for recent records needs no index.
    let slow = Action::AddRecord { workspace: 0, call: 0, indexed_after: 30 * MINUTE };
    let logged = logged_at(&world_after(&Plan::of(0, [(1, Action::report(0, 1)), (2, slow.clone())])));
    assert!(logged.len() == 1 && (5 * MINUTE..7 * MINUTE).contains(&logged[0]), "{logged:?}");
    let logged = logged_at(&world_after(&Plan::of(0, [(1, Action::report(0, 1)), (6 * MINUTE, slow)])));
    assert!(logged.len() == 1 && (HOUR..HOUR + 2 * MINUTE).contains(&logged[0]), "{logged:?}");
}

/// Two calls from one new caller create one Lead, whatever happens to either call.
#[test]
fn two_calls_of_a_new_caller_create_one_lead() {
    for seconds_apart in [0, 1, MINUTE] {
        let script = [
            (0, Action::WantLeads { workspace: 0 }),
            (1, Action::report(0, 1)),
            (1 + seconds_apart, Action::report(1, 1)),
        ];
        let plan = Plan::of(0, script);
        promises_hold(&format!("two calls of a new caller {seconds_apart} s apart"), &plan);
        let world = world_after(&plan);
        assert_eq!((tasks(&world), world.state().salesforce.leads.len()), (2, 1));
    }
}

#[test]
fn calls_of_a_days_outage_are_logged_without_a_flood() {
    const CALLS: usize = 240;
    let interval = DAY / i64::try_from(CALLS).unwrap();
    let calls = (0..CALLS).map(|call| (1 + interval * i64::try_from(call).unwrap(), Action::report(call, 1)));
    let plan = Plan::of(CALLS, [(0, Action::Outage(DAY))].into_iter().chain(calls));
    for seed in 0..3 {
        let world = world_after(&plan.clone().seeded(seed));
        let logged = logged_at(&world);
        assert_eq!(logged.len(), CALLS);
        let mut minutes: BTreeMap<i64, usize> = BTreeMap::new();
        for at in &logged {
            *minutes.entry(at / MINUTE).or_default() += 1;
        }
        let busiest = minutes.values().max().copied().unwrap_or_default();
        let last = logged.iter().max().copied().unwrap_or_default() - DAY;
        print(&format!(
            "simulation: {CALLS} calls in a day's outage: at most {busiest} a minute, the last one {last} s after its end"
        ));
        assert!(busiest <= CALLS / 10, "{busiest}");
        // A call waits six hours at most, plus a moment in the queue.
        assert!(last <= 6 * HOUR + 5 * MINUTE, "{last}");
    }
}

/// The org gets the requests of one call every quarter of an hour, instead of those of all calls.
#[test]
fn an_org_that_hangs_for_a_day_is_left_alone_and_others_continue() {
    const CALLS: usize = 48;
    let interval = DAY / i64::try_from(CALLS).unwrap();
    let mut script =
        vec![(0, Action::Connect { workspace: 1, org: 0 }), (0, Action::Hang { workspace: 0, seconds: DAY })];
    for call in 0..CALLS {
        let at = 1 + interval * i64::try_from(call).unwrap();
        script.push((0, Action::AddRecord { workspace: 1, call, indexed_after: 0 }));
        script.push((at, Action::report(call, 1)));
        script.push((at, Action::Report { workspace: 1, call, report: 1, revoked: false }));
    }
    let plan = Plan::of(CALLS, script);
    for seed in 0..2 {
        let world = world_after(&plan.clone().seeded(seed));
        let state = world.state();
        let (ours, others): (Vec<_>, Vec<_>) =
            state.salesforce.tasks.iter().partition(|task| task.org_id == org_id(0, 0));
        assert_eq!((ours.len(), others.len()), (CALLS, CALLS));
        let unanswered = |(org, at): &&_| *org == org_id(0, 0) && *at / 1000 - START < DAY;
        let requests = state.salesforce.requests.iter().filter(unanswered).count();
        let last = ours.iter().map(|task| task.at / 1000 - START - DAY).max().unwrap_or_default();
        let slowest = others.iter().map(|task| {
            let row = &state.rows[&(workspace_id(1), task.call_id.clone())];
            task.at / 1000 - row.created_at
        });
        let slowest = slowest.max().unwrap_or_default();
        print(&format!(
            "simulation: {CALLS} calls while an org hangs for a day: {requests} requests to it, the last call \
             {last} s after its end, another org's slowest call {slowest} s"
        ));
        let tests = DAY / timings::BREAKER_LONGEST.num_seconds();
        assert!(requests <= usize::try_from(tests).unwrap() + 10, "{requests}");
        assert!(last <= timings::BREAKER_LONGEST.num_seconds() + 5 * MINUTE, "{last}");
        assert!(slowest <= 15, "{slowest}");
    }
}

#[test]
fn a_limited_workspace_pauses_and_others_continue() {
    let limited_for = 10 * HOUR;
    let mut script = vec![
        (0, Action::Connect { workspace: 1, org: 0 }),
        (1, Action::Limit { workspace: 0, reached: Some(FaultClass::DailyLimit) }),
        (limited_for, Action::Limit { workspace: 0, reached: None }),
    ];
    for call in 0..50 {
        let at = 10 + MINUTE * i64::try_from(call).unwrap();
        script.push((0, Action::AddRecord { workspace: 1, call, indexed_after: 0 }));
        script.push((at, Action::report(call, 1)));
        script.push((at, Action::Report { workspace: 1, call, report: 1, revoked: false }));
    }
    let plan = Plan::of(50, script);
    for seed in 0..10 {
        let world = world_after(&plan.clone().seeded(seed));
        let state = world.state();
        assert_eq!(state.salesforce.tasks.len(), 100);
        for task in &state.salesforce.tasks {
            let row =
                &state.rows[&(workspace_id(usize::from(task.org_id != org_id(0, 0))), task.call_id.clone())];
            let took = task.at / 1000 - row.created_at;
            let bound = if task.org_id == org_id(0, 0) { limited_for + 2 * HOUR } else { 10 };
            assert!(took <= bound, "{} took {took} s", task.call_id);
        }
        let while_limited = |(org, at): &&_| *org == org_id(0, 0) && *at / 1000 - START < limited_for;
        let requests = state.salesforce.requests.iter().filter(while_limited).count();
        // Each hour, one call finds out that the limit is reached; more only if they could not know yet.
        assert!(requests <= 30, "{requests} requests while the limit was reached");
    }
}

/// Two calls while a newer version is rolled back: the one that it worked on waits for it, the other does not.
#[test]
fn a_newer_version_is_rolled_back_and_redeployed() {
    for (after, redeployed_after) in [(1, 10 * MINUTE), (3 * MINUTE, 10 * MINUTE), (3 * MINUTE, 3 * HOUR)] {
        let newer_at = 1 + after;
        let script = [
            (1, Action::report(0, 2)),
            (newer_at, Action::Newer { workspace: 0, call: 0 }),
            (newer_at + 1, Action::report(0, 3)),
            (newer_at + 1, Action::report(1, 1)),
            (newer_at + 30, Action::Retry { workspace: 0 }),
            (newer_at + redeployed_after, Action::RollForward),
        ];
        let plan = Plan::of(2, script);
        promises_hold(&format!("a rollback of {redeployed_after} s"), &plan);
        let world = world_after(&plan);
        let state = world.state();
        let other = state.salesforce.tasks.iter().find(|task| task.call_id.as_str() == "call-0-1").unwrap();
        assert!(other.at / 1000 - START < newer_at + MINUTE);
    }
}

/// Salesforce ends refresh tokens that are unused for 30 days.
#[test]
fn an_idle_connection_stays_alive() {
    for days in [29, 31, 70] {
        let plan = Plan::of(1, [(days * DAY, Action::report(0, 1))]);
        let world = world_after(&plan);
        let logged = logged_at(&world);
        assert!(logged.len() == 1 && (0..10).contains(&(logged[0] - days * DAY)), "{logged:?}");
        assert!(world.state().rows.values().all(|row| row.status == SyncStatus::Success));
    }
}
