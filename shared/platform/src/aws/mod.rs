//! AWS clients from explicit configuration: no files, no metadata service and no trust store on disk, because each of
//! them makes cold starts slower.

mod connector;

use std::{
    ops::Deref,
    sync::{Arc, LazyLock, OnceLock},
    time::Duration,
};

use aws_credential_types::{Credentials, provider::SharedCredentialsProvider};
use aws_smithy_async::rt::sleep::TokioSleep;
use aws_smithy_runtime_api::client::{behavior_version::BehaviorVersion, result::SdkError};
use aws_smithy_types::{error::metadata::ProvideErrorMetadata, retry::RetryConfig, timeout::TimeoutConfig};
use aws_types::{SdkConfig, region::Region};
use calls::timings::{AWS_ATTEMPT, AWS_OPERATION, QUEUE_SEND};
use worker::ports::StoreError;

use crate::config::{ConfigError, Env, required};

/// The AWS clients, one of each kind. Each is created only if it is requested, so that functions do not link clients
/// they do not use.
#[derive(Debug)]
pub struct Aws {
    config: SdkConfig,
    dynamodb: OnceLock<LazyClient<aws_sdk_dynamodb::Client>>,
    secrets_manager: OnceLock<LazyClient<aws_sdk_secretsmanager::Client>>,
}

impl Aws {
    /// Reads the region and credentials that Lambda sets, and `AWS_ENDPOINT_URL` for a local stack.
    pub fn from_env(env: &impl Env) -> Result<Self, ConfigError> {
        let region = required(env, "AWS_REGION", "the AWS region, us-east-1")?;
        let credentials = Credentials::new(
            required(env, "AWS_ACCESS_KEY_ID", "an AWS access key id (Lambda sets it)")?,
            required(env, "AWS_SECRET_ACCESS_KEY", "an AWS secret access key (Lambda sets it)")?,
            env.get("AWS_SESSION_TOKEN"),
            None,
            "environment",
        );
        let mut config = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(region))
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .http_client(connector::client())
            .sleep_impl(TokioSleep::new())
            .retry_config(RetryConfig::standard())
            .timeout_config(timeouts(AWS_OPERATION));
        config.set_endpoint_url(env.get("AWS_ENDPOINT_URL"));
        Ok(Self { config: config.build(), dynamodb: OnceLock::new(), secrets_manager: OnceLock::new() })
    }

    /// The DynamoDB client.
    pub fn dynamodb(&self) -> LazyClient<aws_sdk_dynamodb::Client> {
        self.dynamodb.get_or_init(|| self.lazy(aws_sdk_dynamodb::Client::new)).clone()
    }

    /// An SQS client. Functions need only one.
    pub fn sqs(&self) -> LazyClient<aws_sdk_sqs::Client> {
        self.lazy(|config| {
            let config = aws_sdk_sqs::config::Builder::from(config).timeout_config(timeouts(QUEUE_SEND));
            aws_sdk_sqs::Client::from_conf(config.build())
        })
    }

    /// The Secrets Manager client.
    pub fn secrets_manager(&self) -> LazyClient<aws_sdk_secretsmanager::Client> {
        self.secrets_manager.get_or_init(|| self.lazy(aws_sdk_secretsmanager::Client::new)).clone()
    }

    fn lazy<C>(&self, make: impl FnOnce(&SdkConfig) -> C + Send + 'static) -> LazyClient<C> {
        let config = self.config.clone();
        LazyClient(Arc::new(LazyLock::new(Box::new(move || make(&config)))))
    }
}

/// A client that is created on first use, so that a start does not wait for it, and a client that is only needed
/// after failures (the webhook's for DynamoDB) is rarely created. Clones share it.
#[derive(Debug)]
pub struct LazyClient<C>(Arc<LazyLock<C, Box<dyn FnOnce() -> C + Send>>>);

impl<C> Clone for LazyClient<C> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<C> Deref for LazyClient<C> {
    type Target = C;

    fn deref(&self) -> &C {
        &self.0
    }
}

fn timeouts(operation: Duration) -> TimeoutConfig {
    TimeoutConfig::builder()
        .operation_attempt_timeout(AWS_ATTEMPT.min(operation / 2))
        .operation_timeout(operation)
        .build()
}

/// The cause of a failed request: AWS's error code or the network failure; never content.
pub(crate) fn store_error<E, R>(operation: &'static str, error: &SdkError<E, R>) -> StoreError
where
    E: ProvideErrorMetadata,
{
    let cause = match error {
        SdkError::ServiceError(context) => context.err().code().unwrap_or("unknown service error"),
        SdkError::TimeoutError(_) => "timeout",
        SdkError::DispatchFailure(failure) if failure.is_timeout() => "timeout",
        SdkError::DispatchFailure(failure) if failure.is_io() => "connection failed",
        SdkError::DispatchFailure(_) => "request could not be sent",
        SdkError::ResponseError(_) => "unreadable response",
        SdkError::ConstructionFailure(_) => "request could not be built",
        _ => "unknown failure",
    };
    StoreError { operation, cause: cause.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENV: [(&str, &str); 3] = [
        ("AWS_REGION", "us-east-1"),
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test-secret"),
    ];

    #[test]
    fn clients_are_built_without_a_runtime_disk_or_network() {
        let aws = Aws::from_env(&ENV).unwrap();
        // Accessing the config creates the client.
        drop((
            aws.dynamodb().config().clone(),
            aws.sqs().config().clone(),
            aws.secrets_manager().config().clone(),
        ));
        assert!(!format!("{aws:?}").contains("test-secret"));
    }

    #[test]
    fn a_process_has_one_client_of_a_kind() {
        let aws = Aws::from_env(&ENV).unwrap();
        assert!(Arc::ptr_eq(&aws.dynamodb().0, &aws.dynamodb().0));
        assert!(Arc::ptr_eq(&aws.secrets_manager().0, &aws.secrets_manager().0));
    }

    #[test]
    fn a_missing_region_or_credential_is_named() {
        for missing in 0..ENV.len() {
            let mut env = ENV;
            env[missing].1 = "";
            let error = Aws::from_env(&env).unwrap_err().to_string();
            assert!(error.starts_with(ENV[missing].0), "{error}");
        }
    }

    #[tokio::test]
    async fn an_unreachable_endpoint_is_a_store_error_without_content() {
        let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let endpoint = format!("http://{closed}");
        let env = [ENV[0], ENV[1], ENV[2], ("AWS_ENDPOINT_URL", endpoint.as_str())];
        let client = Aws::from_env(&env).unwrap().sqs();
        let error = client.send_message().queue_url("http://q/q").message_body("m").send().await.unwrap_err();
        let error = store_error("SQS SendMessage", &error);
        assert_eq!(error.to_string(), "SQS SendMessage failed: connection failed");
    }
}
