//! The calls queue on SQS.

use std::collections::HashMap;

use aws_sdk_sqs::{
    Client,
    types::{MessageSystemAttributeNameForSends, MessageSystemAttributeValue},
};
use worker::{
    message::Message,
    ports::{Queue, StoreError},
};

use crate::{
    aws::{Aws, LazyClient, store_error},
    config::{CallQueueUrl, ConfigError, Env},
    lambda::trace_header,
};

/// A standard SQS queue. Each message's group is its workspace: with such fair queues, SQS serves quiet workspaces
/// before a noisy one, without the ordering and the throughput limit of a FIFO queue.
#[derive(Debug, Clone)]
pub struct SqsQueue {
    client: LazyClient<Client>,
    url: String,
    trace: fn() -> Option<String>,
}

impl SqsQueue {
    /// Uses this queue and client. `trace` returns the X-Ray header to send with a message, so that one trace shows
    /// the webhook and the worker.
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
    async fn send(&self, Message { workspace_id, body }: &Message) -> Result<(), StoreError> {
        let mut message = self
            .client
            .send_message()
            .queue_url(&self.url)
            .message_group_id(workspace_id.as_str())
            .message_body(body);
        if let Some(header) = (self.trace)() {
            let value = MessageSystemAttributeValue::builder().data_type("String").string_value(header);
            // The one required part is set.
            message =
                message.set_message_system_attributes(value.build().ok().map(|value| {
                    HashMap::from([(MessageSystemAttributeNameForSends::AwsTraceHeader, value)])
                }));
        }
        let sent = message.send().await;
        sent.map(drop).map_err(|error| store_error("SQS SendMessage", &error))
    }
}
