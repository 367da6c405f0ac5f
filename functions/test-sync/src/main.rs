//! Lambda `test-sync`: logs one call immediately, or shows what would be written.

mod handler;
#[cfg(test)]
mod tests;

use lambda_http::Error;
use platform::lambda::serve_http;
use wiring::Wiring;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let wiring = Wiring::new(env!("CARGO_CRATE_NAME"))?;
    let test = handler::TestSync { callers: wiring.callers()?, worker: wiring.worker()? };
    serve_http(|request| test.handle(request)).await
}
