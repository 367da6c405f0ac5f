//! Waking all calls that wait for a workspace's connection, a page a message: thousands of them need no long worker.

use crate::{
    ids::WorkspaceId,
    message::Work,
    ports::{Queue, StoreError, WaitingRows},
};

/// Rows a page.
const PAGE: u32 = 100;

/// Puts a wake message into the queue for each row of one page, and a message for the next page. Says how many rows
/// it woke. A page that comes again wakes rows twice, which are worked on once: their lease decides.
pub async fn resume<W: WaitingRows, Q: Queue>(
    rows: &W,
    queue: &Q,
    workspace_id: &WorkspaceId,
    after: Option<String>,
) -> Result<usize, StoreError> {
    let (call_ids, next) = rows.waiting(workspace_id, PAGE, after).await?;
    let woken = call_ids.len();
    for call_id in call_ids {
        queue.send(&Work::Wake { workspace_id: workspace_id.clone(), call_id }).await?;
    }
    if next.is_some() {
        queue
            .send(&Work::Resume { workspace_id: workspace_id.clone(), after: next, error_code: None })
            .await?;
    }
    Ok(woken)
}
