//! Store faults that a test plans.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use crate::ports::StoreError;

use super::{clock_and_random::FixedClock, lock::lock};

/// When an operation fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// Before its effect.
    Before,
    /// After its effect; only the response is lost.
    After,
}

/// The planned faults of a store, by the name of its trait's method. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct Faults(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    faults: Vec<Fault>,
    delays: Vec<(&'static str, FixedClock, Duration)>,
    calls: BTreeMap<&'static str, u64>,
}

#[derive(Debug, Clone, Copy)]
struct Fault {
    operation: &'static str,
    when: When,
    /// How many calls succeed before.
    after: u64,
    is_permanent: bool,
}

impl Faults {
    /// Makes the next call of this operation fail.
    pub fn fail_next(&self, operation: &'static str, when: When) {
        self.fail_later(operation, 0, when);
    }

    /// Makes a call of this operation fail, after this many calls that succeed.
    pub fn fail_later(&self, operation: &'static str, after: u64, when: When) {
        lock(&self.0).faults.push(Fault { operation, when, after, is_permanent: false });
    }

    /// Makes every call of this operation fail, until [`Faults::heal`].
    pub fn fail_always(&self, operation: &'static str, when: When) {
        lock(&self.0).faults.push(Fault { operation, when, after: 0, is_permanent: true });
    }

    /// Makes every call of this operation take this long on the clock.
    pub fn delay(&self, operation: &'static str, clock: &FixedClock, by: Duration) {
        lock(&self.0).delays.push((operation, clock.clone(), by));
    }

    /// How often this operation has been called.
    pub fn calls(&self, operation: &str) -> u64 {
        lock(&self.0).calls.get(operation).copied().unwrap_or_default()
    }

    /// Removes all faults.
    pub fn heal(&self) {
        lock(&self.0).faults.clear();
    }

    /// Runs an operation, with its planned fault.
    pub fn run<T>(&self, operation: &'static str, effect: impl FnOnce() -> T) -> Result<T, StoreError> {
        let fault = lock(&self.0).start(operation);
        let failure = || StoreError { operation, cause: "a fault that the test planned".to_owned() };
        match fault {
            Some(When::Before) => Err(failure()),
            Some(When::After) => {
                effect();
                Err(failure())
            }
            None => Ok(effect()),
        }
    }
}

impl State {
    fn start(&mut self, operation: &'static str) -> Option<When> {
        *self.calls.entry(operation).or_default() += 1;
        for (_, clock, by) in self.delays.iter().filter(|(delayed, ..)| *delayed == operation) {
            clock.advance(*by);
        }
        let due = self.faults.iter().position(|fault| fault.operation == operation && fault.after == 0);
        for fault in self.faults.iter_mut().filter(|fault| fault.operation == operation) {
            fault.after = fault.after.saturating_sub(1);
        }
        let fault = self.faults[due?];
        if !fault.is_permanent {
            self.faults.remove(due?);
        }
        Some(fault.when)
    }
}
