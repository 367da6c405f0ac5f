//! A queue that records messages.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use crate::{
    jobs::Job,
    message::Message,
    ports::{Earlier, Queue, Requeue, StoreError},
};

use super::{faults::Faults, lock::lock};

/// A queue in memory. Its operations are `send` and `send_back`. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct MemoryQueue {
    sent: Arc<Mutex<Vec<Message>>>,
    back: Arc<Mutex<Vec<(Message, Earlier, Duration)>>>,
    /// What fails.
    pub faults: Faults,
}

impl MemoryQueue {
    /// The sent messages, in order.
    pub fn messages(&self) -> Vec<Message> {
        lock(&self.sent).clone()
    }

    /// The messages that were sent back, in order.
    pub fn sent_back(&self) -> Vec<(Message, Earlier, Duration)> {
        lock(&self.back).clone()
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

impl Requeue for MemoryQueue {
    async fn send_back(
        &self,
        message: &Message,
        earlier: Earlier,
        delay: Duration,
    ) -> Result<(), StoreError> {
        self.faults.run("send_back", || lock(&self.back).push((message.clone(), earlier, delay)))
    }
}
