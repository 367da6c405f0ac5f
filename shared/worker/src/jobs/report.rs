//! Merges a report into its call's row, and logs the call.

use calls::{call::Call, ids::WorkspaceId};
use crm::{ledger::Row, workspace::Workspace};
use serde::{Deserialize, Serialize};

use crate::{
    claim,
    message::Queued,
    ports::{Ledger, Random, StoreError},
    rounds::Done,
    worker::{Ports, Turn, Worker},
};

/// A report that the webhook accepted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// The call's workspace.
    pub workspace_id: WorkspaceId,
    /// The version of the webhook secret that it came with.
    pub secret_version: u64,
    /// When the webhook accepted it, Unix seconds: the call's arrival, however late it is processed.
    pub received_at: i64,
    /// What it says about the call.
    pub call: Box<Call>,
}

impl Queued for Report {
    const KIND: &'static str = "report";

    fn workspace_id(&self) -> &WorkspaceId {
        &self.workspace_id
    }
}

impl Report {
    /// Merges the report and logs the call. A report with a revoked secret is recorded as such.
    pub async fn run<P: Ports>(
        &self,
        worker: &Worker<P>,
        workspace: &Workspace,
        turn: Turn,
    ) -> Result<Done, StoreError> {
        let Worker { ledger, random, settle_seconds, .. } = worker;
        let now = worker.now();
        if self.is_refused_by(workspace) {
            claim::refuse_report(ledger, random, workspace, self.row(), now).await?;
            return Ok(Done::Nothing);
        }
        let claim = claim::claim_report(ledger, random, workspace, self.row(), now, *settle_seconds).await?;
        worker.work(workspace, claim, turn).await
    }

    /// Puts the report into the ledger as `queued`, due now, because the queue refused its message
    /// (docs/contract.md#how-a-call-is-logged). A report with a revoked secret is recorded as such.
    pub async fn keep<L: Ledger, R: Random>(
        &self,
        ledger: &L,
        random: &R,
        workspace: &Workspace,
        now: i64,
    ) -> Result<(), StoreError> {
        if self.is_refused_by(workspace) {
            return claim::refuse_report(ledger, random, workspace, self.row(), now).await;
        }
        claim::accept_report(ledger, random, self.row(), now).await
    }

    fn is_refused_by(&self, workspace: &Workspace) -> bool {
        self.secret_version < workspace.webhook_secret.oldest_valid
    }

    /// The row that this report alone would create.
    fn row(&self) -> Row {
        Row::accepted(self.workspace_id.clone(), Call::clone(&self.call), self.received_at)
    }
}
