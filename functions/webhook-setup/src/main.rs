//! Lambda `webhook-setup`: shows and rotates what a workspace pastes into Vapi.

mod handler;
#[cfg(test)]
mod tests;

use lambda_http::{Error, Request, run, service_fn};
use platform::{
    aws::Aws,
    config::ProcessEnv,
    dynamo::SettingsTable,
    http::{CallerRules, PublicAddress},
    secrets::KeysSecret,
    telemetry,
    webhook_token::TokenSigner,
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::init(env!("CARGO_CRATE_NAME"));
    let env = ProcessEnv;
    let aws = Aws::from_env(&env)?;
    let setup = handler::WebhookSetup {
        callers: CallerRules::from_env(&env)?,
        address: PublicAddress::from_env(&env),
        secrets: SettingsTable::from_env(&env, &aws)?,
        tokens: TokenSigner::new(KeysSecret::from_env(&env, &aws)?),
    };
    run(service_fn(async |request: Request| Ok::<_, Error>(setup.handle(request).await))).await
}
