//! Lambda `sync-logs`: shows the ledger to people, and retries its calls.

mod handler;
mod parameters;
#[cfg(test)]
mod tests;

use lambda_http::Error;
use platform::{clock::SystemClock, lambda::serve_http, random::SystemRandom};
use wiring::Wiring;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let wiring = Wiring::new(env!("CARGO_CRATE_NAME"))?;
    let logs = handler::SyncLogs {
        callers: wiring.callers()?,
        ledger: wiring.ledger()?,
        queue: wiring.queue()?,
        clock: SystemClock,
        random: SystemRandom,
    };
    serve_http(|request| logs.handle(request)).await
}
