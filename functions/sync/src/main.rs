//! Lambda `sync`: takes calls from the queue and logs them in Salesforce.

mod handler;
#[cfg(test)]
mod tests;

use aws_lambda_events::event::sqs::SqsEvent;
use lambda_runtime::{Error, LambdaEvent};
use platform::{
    aws::Aws,
    config::{ProcessEnv, SalesforceClientId, SalesforceLoginUrl},
    lambda::{deadline, serve},
    queue::SqsQueue,
    secrets::{CachedSecret, ClientSecret, KeysSecret},
    telemetry,
    worker::worker,
};
use salesforce::{Client, Config, Timeouts, hosts::Hosts};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::init(env!("CARGO_CRATE_NAME"));
    let env = ProcessEnv;
    let aws = Aws::from_env(&env)?;
    let salesforce = Client::new(Config {
        client_id: SalesforceClientId::from_env(&env)?.0,
        client_secret: CachedSecret::<ClientSecret>::from_env(&env, &aws)?,
        hosts: Hosts::of_deployment(&SalesforceLoginUrl::from_env(&env)?.0)?,
        timeouts: Timeouts::default(),
    })?;
    let sync = handler::Sync {
        worker: worker(&env, &aws, KeysSecret::from_env(&env, &aws)?, salesforce)?,
        queue: SqsQueue::from_env(&env, &aws)?,
    };
    let sync = &sync;
    serve(|event: LambdaEvent<SqsEvent>| async move {
        sync.batch(event.payload, deadline(&event.context)).await.map_err(Error::from)
    })
    .await
}
