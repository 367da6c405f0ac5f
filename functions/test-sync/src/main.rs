//! Lambda `test-sync`: logs one call immediately, or shows what would be written.

mod handler;
#[cfg(test)]
mod tests;

use lambda_http::Error;
use platform::{
    aws::Aws,
    config::{ProcessEnv, SalesforceClientId, SalesforceLoginUrl},
    http::CallerRules,
    lambda::serve_http,
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
    let test = handler::TestSync {
        callers: CallerRules::from_env(&env)?,
        worker: worker(&env, &aws, KeysSecret::from_env(&env, &aws)?, salesforce)?,
    };
    serve_http(|request| test.handle(request)).await
}
