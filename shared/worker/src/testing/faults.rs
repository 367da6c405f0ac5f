//! Store faults that a test plans.

use std::sync::{Arc, Mutex};

use crate::ports::StoreError;

use super::lock::lock;

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
pub struct Faults(Arc<Mutex<Vec<Fault>>>);

#[derive(Debug, Clone, Copy)]
struct Fault {
    operation: &'static str,
    when: When,
    is_permanent: bool,
}

impl Faults {
    /// Makes the next call of this operation fail.
    pub fn fail_next(&self, operation: &'static str, when: When) {
        lock(&self.0).push(Fault { operation, when, is_permanent: false });
    }

    /// Makes every call of this operation fail, until [`Faults::heal`].
    pub fn fail_always(&self, operation: &'static str, when: When) {
        lock(&self.0).push(Fault { operation, when, is_permanent: true });
    }

    /// Removes all faults.
    pub fn heal(&self) {
        lock(&self.0).clear();
    }

    /// Runs an operation, with its planned fault.
    pub fn run<T>(&self, operation: &'static str, effect: impl FnOnce() -> T) -> Result<T, StoreError> {
        let fault = self.take(operation);
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

    fn take(&self, operation: &str) -> Option<When> {
        let mut faults = lock(&self.0);
        let at = faults.iter().position(|fault| fault.operation == operation)?;
        let fault = faults[at];
        if !fault.is_permanent {
            faults.remove(at);
        }
        Some(fault.when)
    }
}
