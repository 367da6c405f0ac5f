//! Lambda `settings`: shows and replaces a workspace's settings.

mod form;
mod handler;
#[cfg(test)]
mod tests;

use lambda_http::Error;
use platform::{
    aws::Aws,
    config::{ProcessEnv, SalesforceLoginUrl},
    dynamo::SettingsTable,
    http::CallerRules,
    lambda::serve_http,
    telemetry,
};
use salesforce::hosts::Hosts;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::init(env!("CARGO_CRATE_NAME"));
    let env = ProcessEnv;
    let aws = Aws::from_env(&env)?;
    let settings = handler::WorkspaceSettings {
        callers: CallerRules::from_env(&env)?,
        hosts: Hosts::of_deployment(&SalesforceLoginUrl::from_env(&env)?.0)?,
        store: SettingsTable::from_env(&env, &aws)?,
    };
    serve_http(|request| settings.handle(request)).await
}
