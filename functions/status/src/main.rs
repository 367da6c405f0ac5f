//! Lambda `status`: says where a workspace stands with Salesforce.

mod handler;
#[cfg(test)]
mod tests;

use lambda_http::{Error, Request, run, service_fn};
use platform::{
    aws::Aws,
    config::ProcessEnv,
    dynamo::{LedgerTable, SettingsTable},
    http::CallerRules,
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
    run(service_fn(async |request: Request| Ok::<_, Error>(status.handle(request).await))).await
}
