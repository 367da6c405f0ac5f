//! Lambda `sync`: takes calls from the queue and logs them in Salesforce.

mod handler;

use aws_lambda_events::event::sqs::SqsEvent;
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use platform::{
    aws::Aws, config::ProcessEnv, lambda, queue::SqsQueue, secrets::KeysSecret, telemetry, worker::worker,
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::init();
    let env = ProcessEnv;
    let aws = Aws::from_env(&env)?;
    let salesforce = platform::salesforce::client(&env, &aws)?;
    let keys = KeysSecret::from_env(&env, &aws)?;
    let sync = handler::Sync {
        worker: worker(&env, &aws, keys, salesforce)?,
        queue: SqsQueue::from_env(&env, &aws)?,
    };
    run(service_fn(async |event: LambdaEvent<SqsEvent>| {
        Ok::<_, Error>(sync.batch(event.payload, lambda::deadline(&event.context)).await)
    }))
    .await
}
