//! The calls queue on SQS.

use std::collections::HashMap;

use aws_sdk_sqs::{
    Client,
    types::{MessageSystemAttributeNameForSends, MessageSystemAttributeValue},
};
use calls::{
    message::Work,
    ports::{Queue, StoreError},
};

use crate::{
    aws::{Aws, LazyClient, store_error},
    config::{CallQueueUrl, ConfigError, Env},
    lambda::trace_header,
};

/// A standard SQS queue. The workspace is each message's group: SQS then serves a quiet workspace before a noisy
/// one ("fair queues"), without the order and the throughput of a FIFO queue.
#[derive(Debug, Clone)]
pub struct SqsQueue {
    client: LazyClient<Client>,
    url: String,
    trace: fn() -> Option<String>,
}

impl SqsQueue {
    /// This queue, through this client. `trace` gives the X-Ray header that a message carries on, so that one trace
    /// shows the webhook and the worker.
    pub fn new(client: LazyClient<Client>, url: impl Into<String>, trace: fn() -> Option<String>) -> Self {
        Self { client, url: url.into(), trace }
    }

    /// The queue that `CALL_QUEUE_URL` names.
    pub fn from_env(env: &impl Env, aws: &Aws) -> Result<Self, ConfigError> {
        let CallQueueUrl(url) = CallQueueUrl::from_env(env)?;
        Ok(Self::new(aws.sqs(), url, trace_header))
    }
}

impl Queue for SqsQueue {
    async fn send(&self, work: &Work) -> Result<(), StoreError> {
        let mut message = self
            .client
            .send_message()
            .queue_url(&self.url)
            .message_group_id(work.workspace_id().as_str())
            .message_body(work.encode());
        if let Some(header) = (self.trace)() {
            let value = MessageSystemAttributeValue::builder().data_type("String").string_value(header);
            // It has its one required part.
            message =
                message.set_message_system_attributes(value.build().ok().map(|value| {
                    HashMap::from([(MessageSystemAttributeNameForSends::AwsTraceHeader, value)])
                }));
        }
        let sent = message.send().await;
        sent.map(drop).map_err(|error| store_error("SQS SendMessage", &error))
    }
}
