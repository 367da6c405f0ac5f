//! Waking all calls that wait for a workspace's connection, a page a message: thousands of them need no long worker.

use calls::ids::WorkspaceId;
use serde::{Deserialize, Serialize};

use crate::{
    message::Queued,
    ports::{Queue, StoreError, WaitingRows},
};

use super::Wake;

/// Rows a page.
const PAGE: u32 = 100;

/// All rows that wait for this workspace's connection are to be woken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Resume {
    /// Whose calls.
    pub workspace_id: WorkspaceId,
    /// Where the page before ended; absent: the first page.
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
    /// From the first page on.
    pub fn all(workspace_id: WorkspaceId) -> Self {
        Self { workspace_id, after: None }
    }

    /// Puts a wake message into the queue for each row of one page, and a message for the next page. Says how many rows
    /// it woke. A page that comes again wakes rows twice, which are worked on once: their lease decides.
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
