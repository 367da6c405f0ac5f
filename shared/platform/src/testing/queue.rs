//! A queue that records messages.

use std::sync::{Arc, Mutex};

use calls::{
    message::Work,
    ports::{Queue, StoreError},
};

use super::{faults::Faults, lock::lock};

/// A queue in memory. Its operation is `send`. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct MemoryQueue {
    sent: Arc<Mutex<Vec<Work>>>,
    /// What fails.
    pub faults: Faults,
}

impl MemoryQueue {
    /// The sent messages, in order.
    pub fn sent(&self) -> Vec<Work> {
        lock(&self.sent).clone()
    }
}

impl Queue for MemoryQueue {
    async fn send(&self, work: &Work) -> Result<(), StoreError> {
        self.faults.run("send", || lock(&self.sent).push(work.clone()))
    }
}
