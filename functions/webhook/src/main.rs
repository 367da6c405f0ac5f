//! Lambda `webhook`: receives Vapi's server messages and puts reports into the calls queue.

mod handler;
#[cfg(test)]
mod tests;

use lambda_http::Error;
use platform::{clock::SystemClock, lambda::serve_http, random::SystemRandom};
use wiring::Wiring;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let wiring = Wiring::new(env!("CARGO_CRATE_NAME"))?;
    let webhook = handler::Webhook {
        tokens: wiring.webhook_tokens()?,
        queue: wiring.queue()?,
        ledger: wiring.ledger()?,
        workspaces: wiring.workspaces()?,
        clock: SystemClock,
        random: SystemRandom,
    };
    serve_http(|request| webhook.handle(request)).await
}
