//! Lambda `settings`: shows and replaces a workspace's settings.

mod form;
mod handler;
#[cfg(test)]
mod tests;

use lambda_http::Error;
use platform::lambda::serve_http;
use wiring::Wiring;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let wiring = Wiring::new(env!("CARGO_CRATE_NAME"))?;
    let settings = handler::WorkspaceSettings {
        callers: wiring.callers()?,
        hosts: wiring.salesforce_hosts()?,
        store: wiring.settings()?,
    };
    serve_http(|request| settings.handle(request)).await
}
