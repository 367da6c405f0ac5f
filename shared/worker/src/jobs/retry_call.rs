//! Queues one call again because a person asked.

use calls::ids::{CallId, WorkspaceId};

use crate::{
    claim,
    claim::QueuedAgain,
    ports::{Ledger, Queue, Random, StoreError},
};

use super::Wake;

/// Queues a row again, whatever its status.
#[derive(Debug, Clone, Copy)]
pub struct RetryCall<'a> {
    /// The call's workspace.
    pub workspace_id: &'a WorkspaceId,
    /// The call.
    pub call_id: &'a CallId,
}

impl RetryCall<'_> {
    /// Queues the row, due now, and wakes it.
    pub async fn run<L: Ledger, Q: Queue, R: Random>(
        &self,
        ledger: &L,
        queue: &Q,
        random: &R,
        now: i64,
    ) -> Result<QueuedAgain, StoreError> {
        let Self { workspace_id, call_id } = *self;
        let queued = claim::queue_again(ledger, random, workspace_id, call_id, |_| true, now).await?;
        if queued == QueuedAgain::Queued {
            let wake = Wake { workspace_id: workspace_id.clone(), call_id: call_id.clone() };
            wake.send_for_queued(queue).await;
        }
        Ok(queued)
    }
}
