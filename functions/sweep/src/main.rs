//! Lambda `sweep`: wakes every call that is due, each minute.

mod handler;
#[cfg(test)]
mod tests;

use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use platform::{
    aws::Aws, clock::SystemClock, config::ProcessEnv, dynamo::LedgerTable, lambda::deadline, queue::SqsQueue,
    random::SystemRandom, telemetry,
};
use serde_json::Value;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::init(env!("CARGO_CRATE_NAME"));
    let env = ProcessEnv;
    let aws = Aws::from_env(&env)?;
    let sweep = handler::Sweep {
        ledger: LedgerTable::from_env(&env, &aws)?,
        queue: SqsQueue::from_env(&env, &aws)?,
        clock: SystemClock,
        random: SystemRandom,
    };
    run(service_fn(async |event: LambdaEvent<Value>| {
        sweep.run(deadline(&event.context)).await.map(|_| ()).map_err(Error::from)
    }))
    .await
}
