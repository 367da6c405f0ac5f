//! Works on a row that is due or that somebody queued again.

use calls::ids::{CallId, WorkspaceId};
use crm::workspace::Workspace;
use serde::{Deserialize, Serialize};

use crate::{
    message::Queued,
    ports::{Queue, StoreError},
    rounds::Done,
    worker::{Ports, Turn, Worker},
};

/// Works on a row, unless its status is final.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Wake {
    /// The call's workspace.
    pub workspace_id: WorkspaceId,
    /// The call.
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

    /// Sends the wake message of a row that was just queued. If that fails, the sweep wakes the row, because it is due.
    pub(super) async fn send_for_queued<Q: Queue>(&self, queue: &Q) {
        if let Err(error) = queue.send(&self.message()).await {
            tracing::warn!(
                workspace.id = %self.workspace_id, call.id = %self.call_id, error = %error,
                "a queued call could not be woken; the sweep will wake it"
            );
        }
    }
}
