//! Lambda `webhook-setup`: shows and rotates what a workspace pastes into Vapi.

mod handler;
#[cfg(test)]
mod tests;

use lambda_http::Error;
use platform::lambda::serve_http;
use wiring::Wiring;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let wiring = Wiring::new(env!("CARGO_CRATE_NAME"))?;
    let setup = handler::WebhookSetup {
        callers: wiring.callers()?,
        address: wiring.address(),
        secrets: wiring.settings()?,
        tokens: wiring.webhook_tokens()?,
    };
    serve_http(|request| setup.handle(request)).await
}
