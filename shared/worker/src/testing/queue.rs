//! A queue that records messages.

use std::sync::{Arc, Mutex};

use crate::{
    jobs::Job,
    message::Message,
    ports::{Queue, StoreError},
};

use super::{faults::Faults, lock::lock};

/// A queue in memory. Its operation is `send`. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct MemoryQueue {
    sent: Arc<Mutex<Vec<Message>>>,
    /// What fails.
    pub faults: Faults,
}

impl MemoryQueue {
    /// The sent messages, in order.
    pub fn messages(&self) -> Vec<Message> {
        lock(&self.sent).clone()
    }

    /// The jobs in the sent messages.
    ///
    /// # Panics
    ///
    /// If a message cannot be decoded.
    pub fn sent(&self) -> Vec<Job> {
        self.messages()
            .iter()
            .map(|message| Job::decode(&message.body).unwrap_or_else(|error| panic!("{error}")))
            .collect()
    }
}

impl Queue for MemoryQueue {
    async fn send(&self, message: &Message) -> Result<(), StoreError> {
        self.faults.run("send", || lock(&self.sent).push(message.clone()))
    }
}
