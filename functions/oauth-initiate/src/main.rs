//! Lambda `oauth-initiate`: starts the connect flow.

mod handler;
#[cfg(test)]
mod tests;

use lambda_http::Error;
use platform::{clock::SystemClock, lambda::serve_http, random::SystemRandom};
use wiring::Wiring;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let wiring = Wiring::new(env!("CARGO_CRATE_NAME"))?;
    let initiate = handler::Initiate {
        callers: wiring.callers()?,
        address: wiring.address(),
        hosts: wiring.salesforce_hosts()?,
        client_id: wiring.salesforce_client_id()?,
        settings: wiring.settings()?,
        states: wiring.oauth_states()?,
        clock: SystemClock,
        random: SystemRandom,
    };
    serve_http(|request| initiate.handle(request)).await
}
