//! A queue that keeps what it was sent.

use std::sync::{Arc, Mutex};

use calls::{
    jobs::Job,
    message::Message,
    ports::{Queue, StoreError},
};

use super::{Faults, lock};

/// A queue in memory. Its operation is `send`. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct MemoryQueue {
    sent: Arc<Mutex<Vec<Message>>>,
    /// What fails.
    pub faults: Faults,
}

impl MemoryQueue {
    /// The messages that were sent, in order.
    pub fn messages(&self) -> Vec<Message> {
        lock(&self.sent).clone()
    }

    /// What they ask for.
    ///
    /// # Panics
    ///
    /// If one cannot be read.
    pub fn sent(&self) -> Vec<Job> {
        self.messages()
            .iter()
            .map(|message| Job::decode(&message.body).unwrap_or_else(|error| panic!("{error}")))
            .collect()
    }
}

impl Queue for MemoryQueue {
    async fn send(&self, message: &Message) -> Result<(), StoreError> {
        self.faults.around("send", || lock(&self.sent).push(message.clone()))
    }
}
