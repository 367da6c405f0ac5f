//! Times everything except the network that a worker's first call waits for, phase by phase, once per process:
//! `cargo run --release -p sync --example phases`. docs/performance.md has the medians of several runs.

use std::{
    hint::black_box,
    io::{Write as _, stdout},
    time::Instant,
};

use crm::phone::PhoneNumber;
use lambda_runtime::Error;
use platform::{aws::Aws, telemetry};
use wiring::Wiring;

/// No requests are sent, so none of this has to exist.
const ENV: [(&str, &str); 11] = [
    ("AWS_REGION", "us-east-1"),
    ("AWS_ACCESS_KEY_ID", "phases"),
    ("AWS_SECRET_ACCESS_KEY", "phases"),
    ("WORKSPACE_SETTINGS_TABLE", "settings"),
    ("SYNC_LOGS_TABLE", "logs"),
    ("CALL_QUEUE_URL", "https://sqs.us-east-1.amazonaws.com/123456789012/calls"),
    ("KEYS_SECRET_ARN", "keys"),
    ("SALESFORCE_CLIENT_ID", "phases"),
    ("SALESFORCE_CLIENT_SECRET_ARN", "client-secret"),
    ("SALESFORCE_LOGIN_URL", "https://login.salesforce.com"),
    ("SALESFORCE_SETTLE_SECONDS", "600"),
];

fn main() -> Result<(), Error> {
    phase("logging and metrics", || telemetry::init("sync"))?;
    let wiring = phase("AWS's configuration", || Wiring::from_env(ENV))??;
    phase("Salesforce's client", || wiring.salesforce())??;
    let _worker = phase("the worker, with a client", || wiring.worker())??;
    let _queue = phase("the queue", || wiring.queue())??;
    let aws = Aws::from_env(&ENV)?;
    phase("DynamoDB's client, the first", || drop(aws.dynamodb().config().clone()))?;
    phase("Secrets Manager's client", || drop(aws.secrets_manager().config().clone()))?;
    phase("SQS's client", || drop(aws.sqs().config().clone()))?;
    for state in ["for the first time", "warm"] {
        let number =
            phase(&format!("a number {state}"), || PhoneNumber::parse_caller("+12345550123", "US"))??;
        phase(&format!("its search {state}"), || drop(black_box(number.query())))?;
        phase(&format!("a comparison {state}"), || black_box(number.same_as("+12345550123", None, "US")))?;
    }
    phase("a number of a second country", || PhoneNumber::parse_caller("+442079460123", "US"))??;
    Ok(())
}

/// Prints how long something took.
fn phase<T>(name: &str, work: impl FnOnce() -> T) -> Result<T, Error> {
    let start = Instant::now();
    let done = work();
    let elapsed = start.elapsed();
    writeln!(stdout(), "{:7.3} ms  {name}", 1000.0 * elapsed.as_secs_f64())?;
    Ok(done)
}
