//! A wake: a row that is due, or that somebody put in line, is worked on.

use calls::ids::{CallId, WorkspaceId};
use crm::workspace::Workspace;
use serde::{Deserialize, Serialize};

use crate::{
    message::Queued,
    ports::{Queue, StoreError},
    worker::{Done, Ports, Turn, Worker},
};

/// A row that is to be worked on, if it waits for something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Wake {
    /// Whose call.
    pub workspace_id: WorkspaceId,
    /// Which call.
    pub call_id: CallId,
}

impl Queued for Wake {
    const KIND: &'static str = "wake";

    fn workspace_id(&self) -> &WorkspaceId {
        &self.workspace_id
    }
}

impl Wake {
    /// Logs the row's call.
    pub async fn run<P: Ports>(
        &self,
        worker: &Worker<P>,
        workspace: &Workspace,
        turn: Turn,
    ) -> Result<Done, StoreError> {
        let claim = worker.claim_row(workspace, &self.call_id, false).await?;
        worker.work(workspace, claim, turn).await
    }

    /// Wakes a row that was put in line. If its message does not get into the queue, the sweep wakes it: it is due.
    pub(super) async fn send_for_queued<Q: Queue>(&self, queue: &Q) {
        if let Err(error) = queue.send(&self.message()).await {
            tracing::warn!(
                workspace.id = %self.workspace_id, call.id = %self.call_id, error = %error,
                "a queued call is not woken now; the sweep will"
            );
        }
    }
}
