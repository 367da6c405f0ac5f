//! The sync algorithm (docs/contract.md#the-sync-algorithm): exactly one Task for every accepted call, and exactly one
//! Event for every valid appointment.
//!
//! A [`Worker`] takes one row at a time: a job *claims* it (`claim`), the worker *attempts* to log the call
//! (`attempt`), and *records* the outcome if it still holds the row. This relies on one bound: a write that Salesforce
//! has received commits within [`Worker::settle_seconds`] or never. Until then, a write without a response is only
//! looked for, never repeated.

use std::borrow::Cow;

use calls::{ids::CallId, status::SyncStatus};
use crm::{ledger::Row, workspace::Workspace};

use crate::{
    attempt,
    claim::{self, Claim, Recorded},
    measure,
    ports::{Clock as _, StoreError, Workspaces as _},
    worker::{Ports, Turn, Worker},
};

/// How many attempts one job makes if reports keep arriving in the meantime. After that, the sweep continues.
const ROUNDS: u32 = 3;

/// The result of working on a call.
#[derive(Debug)]
pub enum Done {
    /// It was attempted; the row has the outcome. In the ledger, it may already be queued again because of a report
    /// that arrived in the meantime.
    Attempted(Box<Row>),
    /// Another worker holds the call, and will see any news.
    Elsewhere,
    /// There was nothing to do.
    Nothing,
}

impl<P: Ports> Worker<P> {
    /// Claims an existing row. `force`: even if its status is final, because a person asked.
    pub(crate) async fn claim_row(
        &self,
        workspace: &Workspace,
        call_id: &CallId,
        force: bool,
    ) -> Result<Claim, StoreError> {
        let now = self.now();
        claim::claim_row(&self.ledger, &self.random, workspace, call_id, force, now, self.settle_seconds)
            .await
    }

    /// Attempts to log the claimed row's call and records the outcome; again if a report or a connection arrived in the
    /// meantime.
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
            // Boxed, so that callers do not move a future of this size.
            let outcome = Box::pin(attempt::attempt(self, &workspace, &claimed, turn)).await?;
            let recorded =
                claim::record(&self.ledger, &self.random, &claimed, outcome.clone(), self.now()).await?;
            if recorded == Recorded::Lost {
                return Ok(Done::Elsewhere);
            }
            measure::attempted(&claimed.row, &outcome, self.clock.now().timestamp_millis());
            let again =
                recorded == Recorded::NewsMeanwhile || self.has_connected(&mut workspace, &outcome).await?;
            if !again || round == ROUNDS {
                return Ok(Done::Attempted(Box::new(outcome)));
            }
            claim = self.claim_row(&workspace, &claimed.row.call_id, false).await?;
        }
        Ok(Done::Nothing)
    }

    /// Whether somebody connected the workspace while its call was marked as waiting. The `resume` of that connect
    /// may have run before this row was waiting.
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
}
