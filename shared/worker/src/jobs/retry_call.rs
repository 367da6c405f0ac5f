//! Putting one call in line again, for a person who asks.

use calls::ids::{CallId, WorkspaceId};

use crate::{
    claim,
    claim::QueuedAgain,
    ports::{Ledger, Queue, Random, StoreError},
};

use super::Wake;

/// A row that is to be worked on again, whatever its status.
#[derive(Debug, Clone, Copy)]
pub struct RetryCall<'a> {
    /// Whose call.
    pub workspace_id: &'a WorkspaceId,
    /// Which call.
    pub call_id: &'a CallId,
}

impl RetryCall<'_> {
    /// Puts the row in line, due now, and wakes it.
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
