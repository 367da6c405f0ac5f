//! The calls queue on SQS.

use std::{collections::HashMap, time::Duration};

use aws_sdk_sqs::{
    Client,
    operation::send_message::builders::SendMessageFluentBuilder,
    types::{MessageAttributeValue, MessageSystemAttributeNameForSends, MessageSystemAttributeValue},
};
use worker::{
    message::Message,
    ports::{Earlier, Queue, Requeue, StoreError},
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

/// The message attributes of a message that was sent back: Unix milliseconds, and how often it was delivered before.
pub const FIRST_SENT_AT: &str = "FirstSentAt";
/// See [`FIRST_SENT_AT`].
pub const RECEIVES: &str = "Receives";

impl SqsQueue {
    fn message(&self, Message { workspace_id, body }: &Message) -> SendMessageFluentBuilder {
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
        message
    }
}

async fn sent(message: SendMessageFluentBuilder) -> Result<(), StoreError> {
    message.send().await.map(drop).map_err(|error| store_error("SQS SendMessage", &error))
}

impl Queue for SqsQueue {
    async fn send(&self, message: &Message) -> Result<(), StoreError> {
        sent(self.message(message)).await
    }
}

impl Requeue for SqsQueue {
    async fn send_back(
        &self,
        message: &Message,
        earlier: Earlier,
        delay: Duration,
    ) -> Result<(), StoreError> {
        let number = |number: i64| {
            MessageAttributeValue::builder().data_type("Number").string_value(number.to_string()).build().ok()
        };
        let attributes =
            [(FIRST_SENT_AT, earlier.sent_at.and_then(number)), (RECEIVES, number(earlier.receives.into()))];
        let attributes = attributes.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
        let seconds = i32::try_from(delay.as_secs()).unwrap_or(i32::MAX);
        let message = self.message(message).delay_seconds(seconds);
        sent(message.set_message_attributes(Some(attributes.collect()))).await
    }
}
