//! A worker and its adapters.

use chrono::{DateTime, Utc};

use crate::{
    places::Taken,
    ports::{
        Breakers, Clock, ConnectionStore, Crm, Ledger, NumberClaims, OrgMemory, Places, Random, TokenEndpoint,
    },
};

/// A worker's adapters.
pub trait Ports {
    /// The ledger, including the claims on numbers.
    type Ledger: Ledger + NumberClaims;
    /// The settings table.
    type Workspaces: ConnectionStore + OrgMemory + Breakers + Places;
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
    /// The places that this process has taken.
    pub places: Taken,
}

/// Delivery context.
#[derive(Debug, Clone, Copy)]
pub struct Turn {
    /// When this process must have finished.
    pub deadline: DateTime<Utc>,
    /// Whether its calls give way to those of other workspaces if its own takes too many places.
    pub gives_way: bool,
    /// Whether an earlier delivery may have written without the row saying so: then look before writing, whatever the
    /// row says (see [`crate::message::is_fresh`]).
    pub look_first: bool,
}

impl Turn {
    /// A turn that need not look first and does not give way, because a person waits for it.
    pub fn until(deadline: DateTime<Utc>) -> Self {
        Self { deadline, gives_way: false, look_first: false }
    }
}

impl<P: Ports> Worker<P> {
    pub(crate) fn now(&self) -> i64 {
        self.clock.now().timestamp()
    }
}
