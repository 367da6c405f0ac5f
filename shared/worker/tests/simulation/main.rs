//! Deterministic simulation: the real algorithm in an in-memory world with a seeded scheduler
//! (docs/contract.md#the-sync-algorithm).
//!
//! Workers, sweeps, people and Salesforce take turns in an order determined by the seed. Every port call can fail
//! before its effect or after it, lose its response, take effect late, or be its worker's last. The [`invariants`] are
//! checked after every step.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::cast_possible_truncation,
    missing_docs
)]

mod functions;
mod invariants;
mod newer;
mod plan;
mod ports;
mod regressions;
mod run;
mod salesforce;
mod samples;
mod scenarios;
mod world;

use std::io::Write as _;

use plan::{Plan, Totals};
use run::explore;
use world::{Broken, Fault};

/// Random worlds per run. `SIMULATED_WORLDS=1000000` runs more.
const WORLDS: u64 = 20_000;
/// The checker must detect a removed guard within this many worlds.
const FOUND_WITHIN: u64 = 1_000;

/// Prints even if the test passes and its output is captured.
fn print(line: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}").unwrap();
}

fn worlds() -> u64 {
    std::env::var("SIMULATED_WORLDS").ok().and_then(|n| n.parse().ok()).unwrap_or(WORLDS)
}

#[test]
fn one_call_survives_every_fault_at_every_point() {
    let points = explore(&Plan::one_call(), None).unwrap_or_else(|failure| panic!("{failure}")).calls;
    let mut runs = 0;
    for point in 0..points {
        for fault in Fault::ALL {
            let plan = Plan::one_call().with(point, fault);
            explore(&plan, None).unwrap_or_else(|failure| panic!("{failure}"));
            runs += 1;
        }
    }
    print(&format!(
        "simulation: {points} points, {runs} runs with one fault, {} invariants",
        invariants::COUNT
    ));
}

#[test]
fn one_call_survives_every_pair_of_faults() {
    let points = explore(&Plan::one_call(), None).unwrap_or_else(|failure| panic!("{failure}")).calls;
    let mut runs = 0;
    for first in 0..points {
        for one in Fault::ALL {
            let after =
                explore(&Plan::one_call().with(first, one), None).map_or(points, |totals| totals.calls);
            for second in first + 1..after {
                for other in Fault::ALL {
                    let plan = Plan::one_call().with(first, one).with(second, other);
                    explore(&plan, None).unwrap_or_else(|failure| panic!("{failure}"));
                    runs += 1;
                }
            }
        }
    }
    print(&format!("simulation: {points} points, {runs} runs with two faults"));
}

#[test]
fn random_worlds_keep_every_promise() {
    let cores = std::thread::available_parallelism().map_or(1, |cores| cores.get() as u64);
    let all = std::thread::scope(|scope| {
        let share = |core| {
            let mut totals = Totals::default();
            for seed in (core..worlds()).step_by(cores as usize) {
                totals += explore(&Plan::random(seed), None).unwrap_or_else(|failure| panic!("{failure}"));
            }
            totals
        };
        let shares: Vec<_> = (0..cores).map(|core| scope.spawn(move || share(core))).collect();
        shares.into_iter().fold(Totals::default(), |mut all, share| {
            all += share.join().unwrap();
            all
        })
    });
    print(&format!(
        "simulation: {} worlds, {} port calls, {} faults, {} reports, {} tasks, {} invariants",
        worlds(),
        all.calls,
        all.faults,
        all.reports,
        all.tasks,
        invariants::COUNT
    ));
}

#[test]
fn the_checker_detects_a_world_without_leases() {
    assert!(is_detected(Broken::Lease));
}

#[test]
fn the_checker_detects_a_world_without_looks() {
    assert!(is_detected(Broken::Look));
}

#[test]
fn the_checker_detects_a_world_without_conditional_token_stores() {
    assert!(is_detected(Broken::TokenStore));
}

#[test]
fn the_checker_detects_a_world_without_pauses() {
    assert!(is_detected(Broken::Pause));
}

#[test]
fn the_checker_detects_a_world_where_every_worker_tests_an_org_that_does_not_answer() {
    assert!(is_detected(Broken::Breaker));
}

#[test]
fn the_checker_detects_a_world_without_revocations() {
    assert!(is_detected(Broken::Revoke));
}

#[test]
fn the_checker_detects_a_world_where_reads_hide_peoples_edits() {
    assert!(is_detected(Broken::Read));
}

#[test]
fn the_checker_detects_a_world_without_conditional_updates() {
    assert!(is_detected(Broken::Precondition));
}

#[test]
fn the_checker_detects_a_world_where_every_duplicate_seems_to_have_the_callers_number() {
    assert!(is_detected(Broken::Comparison));
}

#[test]
fn the_checker_detects_a_world_where_rows_of_a_newer_version_look_like_any_other_row() {
    assert!(is_detected(Broken::Foreign));
}

fn is_detected(broken: Broken) -> bool {
    let broken_at = |seed| {
        let plan = Plan::random(seed);
        let promise = explore(&plan, Some(broken)).err()?;
        let promise = promise.lines().next_back().unwrap_or_default().trim().to_owned();
        explore(&plan, None).is_ok().then_some((seed, promise))
    };
    let found = (0..FOUND_WITHIN).find_map(broken_at);
    print(&format!("simulation: {broken:?} removed: {found:?}"));
    found.is_some()
}
