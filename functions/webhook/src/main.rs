//! Lambda `webhook`: receives Vapi's server messages and puts reports into the calls queue.

mod handler;
#[cfg(test)]
mod tests;

use lambda_http::Error;
use platform::{
    aws::Aws,
    clock::SystemClock,
    config::ProcessEnv,
    dynamo::{LedgerTable, WorkspaceTable},
    lambda::serve_http,
    queue::SqsQueue,
    random::SystemRandom,
    secrets::KeysSecret,
    telemetry,
    webhook_token::TokenSigner,
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::init(env!("CARGO_CRATE_NAME"));
    let env = ProcessEnv;
    let aws = Aws::from_env(&env)?;
    let keys = KeysSecret::from_env(&env, &aws)?;
    let webhook = handler::Webhook {
        tokens: TokenSigner::new(keys.clone()),
        queue: SqsQueue::from_env(&env, &aws)?,
        ledger: LedgerTable::from_env(&env, &aws)?,
        workspaces: WorkspaceTable::from_env(&env, &aws, keys)?,
        clock: SystemClock,
        random: SystemRandom,
    };
    serve_http(|request| webhook.handle(request)).await
}
