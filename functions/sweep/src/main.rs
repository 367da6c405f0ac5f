//! Lambda `sweep`: every minute, wakes all due calls and keeps idle connections alive.

mod handler;
#[cfg(test)]
mod tests;

use lambda_runtime::{Error, LambdaEvent};
use platform::{
    aws::Aws,
    clock::SystemClock,
    config::{ProcessEnv, SalesforceClientId, SalesforceLoginUrl},
    dynamo::{LedgerTable, WorkspaceTable},
    lambda::{deadline, serve},
    queue::SqsQueue,
    random::SystemRandom,
    secrets::{CachedSecret, ClientSecret, KeysSecret},
    telemetry,
};
use salesforce::{Client, Config, Timeouts, hosts::Hosts};
use serde_json::Value;

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
    let sweep = handler::Sweep {
        ledger: LedgerTable::from_env(&env, &aws)?,
        queue: SqsQueue::from_env(&env, &aws)?,
        workspaces: WorkspaceTable::from_env(&env, &aws, KeysSecret::from_env(&env, &aws)?)?,
        tokens: salesforce,
        clock: SystemClock,
        random: SystemRandom,
    };
    let sweep = &sweep;
    serve(|event: LambdaEvent<Value>| async move {
        sweep.run(deadline(&event.context)).await.map(|_| ()).map_err(Error::from)
    })
    .await
}
