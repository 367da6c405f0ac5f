//! Wakes all calls that wait for a workspace's connection. Each message covers one page, so that thousands of calls do
//! not keep one worker busy for long.

use calls::ids::WorkspaceId;
use serde::{Deserialize, Serialize};

use crate::{
    message::Queued,
    ports::{Queue, StoreError, WaitingRows},
};

use super::Wake;

/// Rows per page.
const PAGE: u32 = 100;

/// Wakes all rows that wait for this workspace's connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Resume {
    /// The workspace.
    pub workspace_id: WorkspaceId,
    /// Where the previous page ended; absent: the first page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
}

impl Queued for Resume {
    const KIND: &'static str = "resume";

    fn workspace_id(&self) -> &WorkspaceId {
        &self.workspace_id
    }
}

impl Resume {
    /// Starts with the first page.
    pub fn all(workspace_id: WorkspaceId) -> Self {
        Self { workspace_id, after: None }
    }

    /// Queues a wake message for each row of one page, and a message for the next page. Returns how many rows it
    /// woke. A page that is delivered again wakes its rows twice, but the claim lets only one worker process each.
    pub async fn run<W: WaitingRows, Q: Queue>(&self, rows: &W, queue: &Q) -> Result<usize, StoreError> {
        let (call_ids, next) = rows.waiting(&self.workspace_id, PAGE, self.after.clone()).await?;
        let woken = call_ids.len();
        for call_id in call_ids {
            queue.send(&Wake { workspace_id: self.workspace_id.clone(), call_id }.message()).await?;
        }
        if next.is_some() {
            queue.send(&Self { workspace_id: self.workspace_id.clone(), after: next }.message()).await?;
        }
        Ok(woken)
    }
}
