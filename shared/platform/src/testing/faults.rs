//! Faults of a store, planned by a test.

use std::sync::{Arc, Mutex};

use calls::ports::StoreError;

use super::lock::lock;

/// When an operation fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// Nothing has happened.
    Before,
    /// It has happened; only the answer is lost.
    After,
}

/// The faults that are planned for a store: operations by the name of their trait's method. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct Faults(Arc<Mutex<Vec<Fault>>>);

#[derive(Debug, Clone, Copy)]
struct Fault {
    operation: &'static str,
    when: When,
    again: bool,
}

impl Faults {
    /// The next such operation fails; the one after it does not.
    pub fn fail_next(&self, operation: &'static str, when: When) {
        lock(&self.0).push(Fault { operation, when, again: false });
    }

    /// Every such operation fails, until [`Faults::heal`].
    pub fn fail_always(&self, operation: &'static str, when: When) {
        lock(&self.0).push(Fault { operation, when, again: true });
    }

    /// Nothing fails any more.
    pub fn heal(&self) {
        lock(&self.0).clear();
    }

    /// Runs an operation, unless a fault comes before it.
    pub(super) fn around<T>(
        &self,
        operation: &'static str,
        effect: impl FnOnce() -> T,
    ) -> Result<T, StoreError> {
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
        if !fault.again {
            faults.remove(at);
        }
        Some(fault.when)
    }
}
