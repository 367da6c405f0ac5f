//! Worlds in which a promise was once broken. A plan that fails is printed with its trace: it is copied here, with what
//! was wrong, and stays.

use crate::{
    plan::{Action, Plan},
    run::explore,
    world::Fault,
};

fn holds(plan: &Plan) {
    for seed in 0..20 {
        explore(&plan.clone().seeded(seed), None).unwrap_or_else(|failure| panic!("{failure}"));
    }
}

/// A worker took up a logged call for a second report, and died: `success` stayed, with a due time that every wake
/// skipped.
#[test]
fn a_worker_that_dies_on_the_second_report_of_a_logged_call() {
    let plan = Plan::of(1, [(1, Action::report(0, 2)), (60, Action::report(0, 3))]);
    for point in 10..16 {
        holds(&plan.clone().with(point, Fault::CrashAfter));
    }
}

/// The table forgot the connection and did not answer: the grant stayed alive, and nobody knew it.
#[test]
fn a_disconnect_that_is_not_answered() {
    let plan = Plan::of(0, [(1, Action::Disconnect { workspace: 0 })]);
    for point in 3..6 {
        holds(&plan.clone().with(point, Fault::After));
    }
}

/// Where `CallObject` may not be written, and somebody edits another record with the number, a new search chose that one,
/// and the look saw nothing there.
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
        holds(&plan.clone().with(point, Fault::After));
        holds(&plan.clone().with(point, Fault::CrashAfter));
    }
}

/// A worker died before it could note what it had written, and the next one's change had no answer: that change was then
/// taken for what made the Task, and never sent again.
#[test]
fn a_change_without_an_answer_to_a_task_that_nobody_noted() {
    let plan = Plan::of(1, [(1, Action::report(0, 1)), (2, Action::report(0, 3))]);
    for died in 6..12 {
        for lost in 12..26 {
            holds(&plan.clone().with(died, Fault::CrashBefore).with(lost, Fault::Late));
        }
    }
}
