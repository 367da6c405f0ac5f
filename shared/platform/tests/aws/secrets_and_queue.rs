//! Secrets Manager and SQS.

use aws_sdk_sqs::types::MessageSystemAttributeName;
use calls::ids::{CallId, WorkspaceId};
use platform::{
    keys::Keys,
    queue::SqsQueue,
    secrets::{CachedSecret, ClientSecret, SecretsManager},
};
use secrecy::ExposeSecret as _;
use worker::{
    jobs::{Job, Resume, Wake},
    message::Queued as _,
    ports::Queue as _,
};

use crate::{contract::workspace_id, emulator, template};

const TRACE: &str = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1";

#[tokio::test]
async fn a_message_arrives_unchanged_with_its_workspaces_group_and_our_trace() {
    let client = emulator::aws().sqs();
    let queue = client.create_queue().queue_name("calls-of-a-test").send().await.unwrap();
    let url = queue.queue_url.unwrap();
    let wake = Wake { workspace_id: workspace_id(), call_id: CallId::parse("call-1").unwrap() };
    SqsQueue::new(client.clone(), &url, || Some(TRACE.to_owned())).send(&wake.message()).await.unwrap();

    let received = client
        .receive_message()
        .queue_url(&url)
        .message_system_attribute_names(MessageSystemAttributeName::All)
        .send()
        .await
        .unwrap();
    let message = &received.messages()[0];
    assert_eq!(Job::decode(message.body().unwrap()), Ok(Job::Wake(wake)));
    let attribute = |name| message.attributes().and_then(|all| all.get(&name)).map(String::as_str);
    assert_eq!(attribute(MessageSystemAttributeName::MessageGroupId), Some("acme"));
    assert_eq!(attribute(MessageSystemAttributeName::AwsTraceHeader), Some(TRACE));
}

#[tokio::test]
async fn a_queue_that_does_not_exist_is_a_store_error_with_its_code() {
    let queue = SqsQueue::new(emulator::aws().sqs(), "http://localhost/000000000000/nowhere", || None);
    let workspace_id = WorkspaceId::parse("acme").unwrap();
    let error = queue.send(&Resume::all(workspace_id).message()).await.unwrap_err();
    assert_eq!(error.operation, "SQS SendMessage");
    assert!(error.cause.contains("NonExistentQueue") || error.cause.contains("QueueDoesNotExist"), "{error}");
}

#[tokio::test]
async fn the_keys_secret_that_the_template_generates_is_read() {
    let generated = &template::resources()["KeysSecret"]["Properties"]["GenerateSecretString"];
    let text = |name: &str| generated[name].as_str().unwrap().to_owned();
    let mut secret: serde_json::Value = serde_json::from_str(&text("SecretStringTemplate")).unwrap();
    let length = usize::try_from(generated["PasswordLength"].as_u64().unwrap()).unwrap();
    secret[text("GenerateStringKey")] = "x".repeat(length).into();

    let client = emulator::aws().secrets_manager();
    let created = client.create_secret().name("keys-of-a-test").secret_string(secret.to_string());
    let arn = created.send().await.unwrap().arn.unwrap();
    let keys = CachedSecret::<Keys>::new(SecretsManager::new(client), arn).get().await.unwrap();
    assert_eq!((keys.sealing.current().id(), keys.webhook.current().id()), ("1", "1"));
}

#[tokio::test]
async fn the_client_secret_is_read_as_plain_text() {
    let client = emulator::aws().secrets_manager();
    let created = client.create_secret().name("client-secret-of-a-test").secret_string("hush\n");
    let arn = created.send().await.unwrap().arn.unwrap();
    let secret = CachedSecret::<ClientSecret>::new(SecretsManager::new(client), arn).get().await.unwrap();
    assert_eq!(secret.0.expose_secret(), "hush");
}

#[tokio::test]
async fn a_secret_that_does_not_exist_is_a_store_error_with_its_code() {
    let reader = SecretsManager::new(emulator::aws().secrets_manager());
    let error = CachedSecret::<Keys>::new(reader, "nowhere").get().await.unwrap_err();
    assert_eq!(error.to_string(), "Secrets Manager GetSecretValue failed: ResourceNotFoundException");
}
