//! Lambda `status`: shows the status of a workspace's connection to Salesforce.

mod handler;
#[cfg(test)]
mod tests;

use lambda_http::Error;
use platform::lambda::serve_http;
use wiring::Wiring;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let wiring = Wiring::new(env!("CARGO_CRATE_NAME"))?;
    let status = handler::Status {
        callers: wiring.callers()?,
        connections: wiring.settings()?,
        ledger: wiring.ledger()?,
    };
    serve_http(|request| status.handle(request)).await
}
