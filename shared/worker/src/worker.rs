//! The sync algorithm (docs/contract.md#the-sync-algorithm): for every accepted call exactly one Task, and for every
//! valid appointment exactly one Event.
//!
//! A [`Worker`] takes one row at a time: a job *claims* it (`claim`), the worker *attempts* to log the call
//! (`attempt`), and *records* the outcome, if the row is still its own. It rests on one stated bound: a write that
//! Salesforce has received commits within [`Worker::settle_seconds`] or never. Until then a write without an answer is
//! only looked for, never made again.

use std::borrow::Cow;

use calls::{ids::CallId, status::SyncStatus};
use chrono::{DateTime, Utc};
use crm::{ledger::Row, workspace::Workspace};

use crate::{
    claim::{Claim, Recorded},
    measure,
    ports::{
        Clock, ConnectionStore, Crm, Ledger, NumberClaims, OrgMemory, Random, StoreError, TokenEndpoint,
        Workspaces as _,
    },
};

/// How often one piece of work goes round again for reports that came meanwhile; after that the sweep goes on.
const ROUNDS: u32 = 3;

/// The adapters that a worker works with.
pub trait Ports {
    /// The ledger, and the claims of numbers beside it.
    type Ledger: Ledger + NumberClaims;
    /// The settings table.
    type Workspaces: ConnectionStore + OrgMemory;
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
    /// Within how many seconds a write that Salesforce received commits or never does.
    pub settle_seconds: i64,
}

/// Delivery context.
#[derive(Debug, Clone, Copy)]
pub struct Turn {
    /// When this process must have finished.
    pub deadline: DateTime<Utc>,
    /// Whether the call may have been worked on without the row telling of it: then look before writing, whatever the
    /// row says (see [`crate::message::is_fresh`]).
    pub look_first: bool,
}

impl Turn {
    /// The first turn of a piece of work.
    pub fn until(deadline: DateTime<Utc>) -> Self {
        Self { deadline, look_first: false }
    }
}

/// What a piece of work came to.
#[derive(Debug)]
pub enum Done {
    /// It was attempted; the row says with what outcome. In the ledger it may be in line again already, for what came meanwhile.
    Attempted(Box<Row>),
    /// Another worker has the call, and will see what was new.
    Elsewhere,
    /// Nothing was to be done.
    Nothing,
}

impl<P: Ports> Worker<P> {
    /// Claims a row that exists. `force`: also if its status is final, because a person asked.
    pub(crate) async fn claim_row(
        &self,
        workspace: &Workspace,
        call_id: &CallId,
        force: bool,
    ) -> Result<Claim, StoreError> {
        let now = self.now();
        crate::claim::claim_row(
            &self.ledger,
            &self.random,
            workspace,
            call_id,
            force,
            now,
            self.settle_seconds,
        )
        .await
    }

    /// Attempts the claimed row and records the outcome; again for what came meanwhile: a report, or a connection.
    pub(crate) async fn work(
        &self,
        workspace: &Workspace,
        mut claim: Claim,
        turn: Turn,
    ) -> Result<Done, StoreError> {
        let mut workspace = Cow::Borrowed(workspace);
        for round in 1.. {
            let claimed = match claim {
                Claim::Ours(claimed) => claimed,
                Claim::Elsewhere => return Ok(Done::Elsewhere),
                Claim::Nothing => return Ok(Done::Nothing),
            };
            // Boxed: a future of this size would be moved about by every caller.
            let outcome = Box::pin(crate::attempt::attempt(self, &workspace, &claimed, turn)).await?;
            let recorded =
                crate::claim::record(&self.ledger, &self.random, &claimed, outcome.clone(), self.now())
                    .await?;
            if recorded == Recorded::Lost {
                return Ok(Done::Elsewhere);
            }
            measure::tried(&claimed.row, &outcome, self.clock.now().timestamp_millis());
            let again =
                recorded == Recorded::NewsMeanwhile || self.has_connected(&mut workspace, &outcome).await?;
            if !again || round == ROUNDS {
                return Ok(Done::Attempted(Box::new(outcome)));
            }
            claim = self.claim_row(&workspace, &claimed.row.call_id, false).await?;
        }
        Ok(Done::Nothing)
    }

    /// Whether somebody connected the workspace while its call was put among those that wait. The `resume` of that
    /// connect may have come too early for this row.
    async fn has_connected(
        &self,
        workspace: &mut Cow<'_, Workspace>,
        outcome: &Row,
    ) -> Result<bool, StoreError> {
        if outcome.status != SyncStatus::WaitingForConnection {
            return Ok(false);
        }
        let newer = self.workspaces.load(&workspace.id).await?;
        let connected = newer.connection.is_some() && newer.connection_version > workspace.connection_version;
        if connected {
            *workspace = Cow::Owned(newer);
        }
        Ok(connected)
    }

    pub(crate) fn now(&self) -> i64 {
        self.clock.now().timestamp()
    }
}
