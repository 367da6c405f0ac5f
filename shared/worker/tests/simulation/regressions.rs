//! Worlds in which a promise was once broken. A failing plan is printed with its trace: copy it here, describe the bug,
//! and keep it.

use crate::{
    plan::{Action, Plan},
    run::explore,
    world::Fault,
};

fn promises_hold(plan: &Plan) {
    for seed in 0..20 {
        explore(&plan.clone().seeded(seed), None).unwrap_or_else(|failure| panic!("{failure}"));
    }
}

/// A worker claimed a logged call for a second report and died: `success` stayed, with a due time that every wake
/// skipped.
#[test]
fn a_worker_that_dies_on_the_second_report_of_a_logged_call() {
    let plan = Plan::of(1, [(1, Action::report(0, 2)), (60, Action::report(0, 3))]);
    for point in 10..16 {
        promises_hold(&plan.clone().with(point, Fault::CrashAfter));
    }
}

/// The table deleted the connection, but the response was lost: the grant stayed alive and nobody knew it.
#[test]
fn a_disconnect_without_a_response() {
    let plan = Plan::of(0, [(1, Action::Disconnect { workspace: 0 })]);
    for point in 3..6 {
        promises_hold(&plan.clone().with(point, Fault::After));
    }
}

/// If `CallObject` could not be written and somebody edited another record with the number, a new search chose that
/// record, and the look found nothing on it.
#[test]
fn a_task_without_call_object_on_a_record_that_is_no_longer_the_best() {
    let script = [
        (0, Action::AddTwin { workspace: 0, call: 0 }),
        (1, Action::report(0, 1)),
        (5, Action::Edit { workspace: 0, call: 0 }),
        (30, Action::Edit { workspace: 0, call: 0 }),
    ];
    let plan = Plan { hides_call_object: true, ..Plan::of(1, script) };
    for point in 3..16 {
        promises_hold(&plan.clone().with(point, Fault::After));
        promises_hold(&plan.clone().with(point, Fault::CrashAfter));
    }
}

/// A worker died before it could record what it had written, and the next one's change got no response: the change
/// was then mistaken for the write that created the Task, and never sent again.
#[test]
fn a_change_without_a_response_to_an_unrecorded_task() {
    let plan = Plan::of(1, [(1, Action::report(0, 1)), (2, Action::report(0, 3))]);
    for died in 6..12 {
        for lost in 12..26 {
            promises_hold(&plan.clone().with(died, Fault::CrashBefore).with(lost, Fault::Late));
        }
    }
}
