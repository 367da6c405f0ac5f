//! Logs one call while a person waits for the result.

use calls::ids::CallId;
use crm::workspace::Workspace;

use crate::{
    ports::StoreError,
    rounds::Done,
    worker::{Ports, Turn, Worker},
};

/// Works on a row at once, whatever its status.
#[derive(Debug, Clone, Copy)]
pub struct LogNow<'a> {
    /// The call.
    pub call_id: &'a CallId,
}

impl LogNow<'_> {
    /// Logs the row's call.
    pub async fn run<P: Ports>(
        &self,
        worker: &Worker<P>,
        workspace: &Workspace,
        turn: Turn,
    ) -> Result<Done, StoreError> {
        let claim = worker.claim_row(workspace, self.call_id, true).await?;
        worker.work(workspace, claim, turn).await
    }
}
