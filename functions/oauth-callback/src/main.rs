//! Lambda `oauth-callback`: finishes the connect flow.

mod grants;
mod handler;
mod popup;
mod refusal;
#[cfg(test)]
mod tests;

use lambda_http::Error;
use platform::{clock::SystemClock, lambda::serve_http};
use wiring::Wiring;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let wiring = Wiring::new(env!("CARGO_CRATE_NAME"))?;
    let callback = handler::Callback {
        states: wiring.oauth_states()?,
        connections: wiring.workspaces()?,
        salesforce: wiring.salesforce()?,
        queue: wiring.queue()?,
        dashboard_url: wiring.dashboard_url()?,
        clock: SystemClock,
    };
    serve_http(|request| callback.handle(request)).await
}
