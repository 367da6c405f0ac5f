//! Lambda `oauth-callback`: finishes the connect flow.

mod grants;
mod handler;
mod popup;
mod refusal;
#[cfg(test)]
mod tests;

use lambda_http::Error;
use platform::{
    aws::Aws,
    clock::SystemClock,
    config::{DashboardUrl, ProcessEnv, SalesforceClientId, SalesforceLoginUrl},
    dynamo::{OAuthStateTable, WorkspaceTable},
    lambda::serve_http,
    queue::SqsQueue,
    secrets::{CachedSecret, ClientSecret, KeysSecret},
    telemetry,
};
use salesforce::{Client, Config, Timeouts, hosts::Hosts};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::init(env!("CARGO_CRATE_NAME"));
    let env = ProcessEnv;
    let aws = Aws::from_env(&env)?;
    let keys = KeysSecret::from_env(&env, &aws)?;
    let salesforce = Client::new(Config {
        client_id: SalesforceClientId::from_env(&env)?.0,
        client_secret: CachedSecret::<ClientSecret>::from_env(&env, &aws)?,
        hosts: Hosts::of_deployment(&SalesforceLoginUrl::from_env(&env)?.0)?,
        timeouts: Timeouts::default(),
    })?;
    let callback = handler::Callback {
        states: OAuthStateTable::from_env(&env, &aws, keys.clone())?,
        connections: WorkspaceTable::from_env(&env, &aws, keys)?,
        salesforce,
        queue: SqsQueue::from_env(&env, &aws)?,
        dashboard_url: DashboardUrl::from_env(&env)?.0,
        clock: SystemClock,
    };
    serve_http(|request| callback.handle(request)).await
}
