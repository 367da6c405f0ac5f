//! Lambda `disconnect`: deletes a workspace's connection and revokes the grant.

mod handler;
#[cfg(test)]
mod tests;

use lambda_http::Error;
use platform::{clock::SystemClock, lambda::serve_http};
use wiring::Wiring;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let wiring = Wiring::new(env!("CARGO_CRATE_NAME"))?;
    let disconnect = handler::Disconnect {
        callers: wiring.callers()?,
        connections: wiring.workspaces()?,
        tokens: wiring.salesforce()?,
        clock: SystemClock,
    };
    serve_http(|request| disconnect.handle(request)).await
}
