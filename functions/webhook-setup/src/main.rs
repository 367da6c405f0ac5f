//! Lambda `webhook-setup`: shows and rotates what a workspace pastes into Vapi.

mod handler;
#[cfg(test)]
mod tests;

use lambda_http::Error;
use platform::{
    aws::Aws,
    config::ProcessEnv,
    dynamo::SettingsTable,
    http::{CallerRules, PublicAddress},
    lambda::serve_http,
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
    serve_http(|request| setup.handle(request)).await
}
