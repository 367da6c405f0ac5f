//! Lambda `disconnect`: deletes a workspace's connection and revokes the grant.

mod handler;
#[cfg(test)]
mod tests;

use lambda_http::Error;
use platform::{
    aws::Aws,
    clock::SystemClock,
    config::{ProcessEnv, SalesforceClientId, SalesforceLoginUrl},
    dynamo::WorkspaceTable,
    http::CallerRules,
    lambda::serve_http,
    secrets::{CachedSecret, ClientSecret, KeysSecret},
    telemetry,
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
    let disconnect = handler::Disconnect {
        callers: CallerRules::from_env(&env)?,
        connections: WorkspaceTable::from_env(&env, &aws, KeysSecret::from_env(&env, &aws)?)?,
        tokens: salesforce,
        clock: SystemClock,
    };
    serve_http(|request| disconnect.handle(request)).await
}
