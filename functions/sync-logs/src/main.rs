//! Lambda `sync-logs`: shows the ledger to people, and retries its calls.

mod handler;
mod parameters;
mod summary;
#[cfg(test)]
mod tests;

use lambda_http::Error;
use platform::{
    aws::Aws, clock::SystemClock, config::ProcessEnv, dynamo::LedgerTable, http::CallerRules,
    lambda::serve_http, queue::SqsQueue, random::SystemRandom, telemetry,
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::init(env!("CARGO_CRATE_NAME"));
    let env = ProcessEnv;
    let aws = Aws::from_env(&env)?;
    let logs = handler::SyncLogs {
        callers: CallerRules::from_env(&env)?,
        ledger: LedgerTable::from_env(&env, &aws)?,
        queue: SqsQueue::from_env(&env, &aws)?,
        clock: SystemClock,
        random: SystemRandom,
    };
    serve_http(|request| logs.handle(request)).await
}
