//! Lambda `sync`: takes calls from the queue and logs them in Salesforce.

mod handler;
#[cfg(test)]
mod tests;

use aws_lambda_events::event::sqs::SqsEvent;
use lambda_runtime::{Error, LambdaEvent};
use platform::lambda::{deadline, serve};
use wiring::Wiring;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let wiring = Wiring::new(env!("CARGO_CRATE_NAME"))?;
    let sync = handler::Sync { worker: wiring.worker()?, queue: wiring.queue()? };
    let sync = &sync;
    serve(|event: LambdaEvent<SqsEvent>| async move {
        sync.batch(event.payload, deadline(&event.context)).await.map_err(Error::from)
    })
    .await
}
