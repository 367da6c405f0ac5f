//! Lambda `status`: shows the status of a workspace's connection to Salesforce.

mod handler;
#[cfg(test)]
mod tests;

use lambda_http::Error;
use platform::{
    aws::Aws,
    config::ProcessEnv,
    dynamo::{LedgerTable, SettingsTable},
    http::CallerRules,
    lambda::serve_http,
    telemetry,
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::init(env!("CARGO_CRATE_NAME"));
    let env = ProcessEnv;
    let aws = Aws::from_env(&env)?;
    let status = handler::Status {
        callers: CallerRules::from_env(&env)?,
        connections: SettingsTable::from_env(&env, &aws)?,
        ledger: LedgerTable::from_env(&env, &aws)?,
    };
    serve_http(|request| status.handle(request)).await
}
