//! Waking all calls that wait for a workspace's connection, page by page.

use crate::{
    ids::WorkspaceId,
    message::Work,
    ports::{Queue, StoreError, WaitingRows},
};

/// Rows a page.
const PAGE: u32 = 100;

/// Puts a wake message into the queue for every waiting row of the workspace. Says how many. A row that is woken
/// twice is worked on once: its lease decides.
pub async fn resume<W: WaitingRows, Q: Queue>(
    rows: &W,
    queue: &Q,
    workspace_id: &WorkspaceId,
) -> Result<usize, StoreError> {
    let mut woken = 0;
    let mut after = None;
    loop {
        let (call_ids, next) = rows.waiting(workspace_id, PAGE, after).await?;
        woken += call_ids.len();
        for call_id in call_ids {
            queue.send(&Work::Wake { workspace_id: workspace_id.clone(), call_id }).await?;
        }
        match next {
            Some(_) => after = next,
            None => return Ok(woken),
        }
    }
}
