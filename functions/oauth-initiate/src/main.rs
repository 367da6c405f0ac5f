//! Lambda `oauth-initiate`: starts the connect flow.

mod handler;
#[cfg(test)]
mod tests;

use lambda_http::Error;
use platform::{
    aws::Aws,
    clock::SystemClock,
    config::{ProcessEnv, SalesforceClientId, SalesforceLoginUrl},
    dynamo::{OAuthStateTable, SettingsTable},
    http::{CallerRules, PublicAddress},
    lambda::serve_http,
    random::SystemRandom,
    secrets::KeysSecret,
    telemetry,
};
use salesforce::hosts::Hosts;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::init(env!("CARGO_CRATE_NAME"));
    let env = ProcessEnv;
    let aws = Aws::from_env(&env)?;
    let initiate = handler::Initiate {
        callers: CallerRules::from_env(&env)?,
        address: PublicAddress::from_env(&env),
        hosts: Hosts::of_deployment(&SalesforceLoginUrl::from_env(&env)?.0)?,
        client_id: SalesforceClientId::from_env(&env)?.0,
        settings: SettingsTable::from_env(&env, &aws)?,
        states: OAuthStateTable::from_env(&env, &aws, KeysSecret::from_env(&env, &aws)?)?,
        clock: SystemClock,
        random: SystemRandom,
    };
    serve_http(|request| initiate.handle(request)).await
}
