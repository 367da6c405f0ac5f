//! A worker and its adapters.

use chrono::{DateTime, Utc};

use crate::ports::{
    Breakers, Clock, ConnectionStore, Crm, Ledger, NumberClaims, OrgMemory, Random, TokenEndpoint,
};

/// A worker's adapters.
pub trait Ports {
    /// The ledger, including the claims on numbers.
    type Ledger: Ledger + NumberClaims;
    /// The settings table.
    type Workspaces: ConnectionStore + OrgMemory + Breakers;
    /// Salesforce.
    type Salesforce: Crm + TokenEndpoint;
    /// The time.
    type Clock: Clock;
    /// Randomness.
    type Random: Random;
}

/// Logs calls.
pub struct Worker<P: Ports> {
    /// The ledger.
    pub ledger: P::Ledger,
    /// The settings table.
    pub workspaces: P::Workspaces,
    /// Salesforce.
    pub salesforce: P::Salesforce,
    /// The time.
    pub clock: P::Clock,
    /// Randomness.
    pub random: P::Random,
    /// A write that Salesforce has received commits within this many seconds or never.
    pub settle_seconds: i64,
}

/// Delivery context.
#[derive(Debug, Clone, Copy)]
pub struct Turn {
    /// When this process must have finished.
    pub deadline: DateTime<Utc>,
    /// Whether an earlier delivery may have written without the row saying so: then look before writing, whatever the
    /// row says (see [`crate::message::is_fresh`]).
    pub look_first: bool,
}

impl Turn {
    /// A turn that need not look first.
    pub fn until(deadline: DateTime<Utc>) -> Self {
        Self { deadline, look_first: false }
    }
}

impl<P: Ports> Worker<P> {
    pub(crate) fn now(&self) -> i64 {
        self.clock.now().timestamp()
    }
}
