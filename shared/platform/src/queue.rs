//! The calls queue on SQS.

use aws_sdk_sqs::Client;
use calls::{
    message::Work,
    ports::{Queue, StoreError},
};

use crate::{
    aws::{Aws, store_error},
    config::{CallQueueUrl, ConfigError, Env},
};

/// A standard SQS queue. The workspace is each message's group: SQS then serves a quiet workspace before a noisy
/// one ("fair queues"), without the order and the throughput of a FIFO queue.
#[derive(Debug, Clone)]
pub struct SqsQueue {
    client: Client,
    url: String,
}

impl SqsQueue {
    /// This queue, through this client.
    pub fn new(client: Client, url: impl Into<String>) -> Self {
        Self { client, url: url.into() }
    }

    /// The queue that `CALL_QUEUE_URL` names.
    pub fn from_env(env: &impl Env, aws: &Aws) -> Result<Self, ConfigError> {
        let CallQueueUrl(url) = CallQueueUrl::from_env(env)?;
        Ok(Self::new(aws.sqs(), url))
    }
}

impl Queue for SqsQueue {
    async fn send(&self, work: &Work) -> Result<(), StoreError> {
        let sent = self
            .client
            .send_message()
            .queue_url(&self.url)
            .message_group_id(work.workspace_id().as_str())
            .message_body(work.encode())
            .send()
            .await;
        sent.map(drop).map_err(|error| store_error("SQS SendMessage", &error))
    }
}
