//! Lambda `sweep`: every minute, wakes all due calls and keeps idle connections alive.

mod handler;
#[cfg(test)]
mod tests;

use lambda_runtime::{Error, LambdaEvent};
use platform::{
    clock::SystemClock,
    lambda::{deadline, serve},
    random::SystemRandom,
};
use serde_json::Value;
use wiring::Wiring;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let wiring = Wiring::new(env!("CARGO_CRATE_NAME"))?;
    let sweep = handler::Sweep {
        ledger: wiring.ledger()?,
        queue: wiring.queue()?,
        workspaces: wiring.workspaces()?,
        tokens: wiring.salesforce()?,
        clock: SystemClock,
        random: SystemRandom,
    };
    let sweep = &sweep;
    serve(|event: LambdaEvent<Value>| async move {
        sweep.run(deadline(&event.context)).await.map(|_| ()).map_err(Error::from)
    })
    .await
}
