//! Serves invocations, and reads their deadlines and trace headers.

use calls::timings::GATEWAY_WAITS;
use chrono::{DateTime, Utc};
use lambda_http::{Body, Context, Error, Request, RequestExt as _, Response};
use lambda_runtime::{LambdaEvent, service_fn};
use serde::{Serialize, de::DeserializeOwned};

use crate::metrics;

/// Handles HTTP requests until the process ends.
pub async fn serve_http<F>(handle: impl Fn(Request) -> F + Send + Sync) -> Result<(), Error>
where
    F: Future<Output = Response<Body>> + Send,
{
    lambda_http::run(service_fn(async |request| {
        let response = handle(request).await;
        metrics::flush();
        Ok::<_, Error>(response)
    }))
    .await
}

/// Handles events until the process ends.
pub async fn serve<E, A, F>(handle: impl Fn(LambdaEvent<E>) -> F) -> Result<(), Error>
where
    E: DeserializeOwned,
    A: Serialize,
    F: Future<Output = Result<A, Error>>,
{
    lambda_runtime::run(service_fn(async |event| {
        // Boxed, because a function's future nested in the runtime's exceeds the compiler's recursion limit.
        let response = Box::pin(handle(event)).await;
        metrics::flush();
        response
    }))
    .await
}

/// The X-Ray header of the current invocation, which Lambda sets for the process. Whatever is called with it appears
/// in the same trace. `None` if there is none.
pub(crate) fn trace_header() -> Option<String> {
    std::env::var("_X_AMZN_TRACE_ID").ok().filter(|header| header.starts_with("Root=1-"))
}

/// When Lambda stops this process.
pub fn deadline(context: &Context) -> DateTime<Utc> {
    i64::try_from(context.deadline).ok().and_then(DateTime::from_timestamp_millis).unwrap_or_default()
}

/// When the response to a request has to be ready.
pub fn request_deadline(request: &Request, now: DateTime<Utc>) -> DateTime<Utc> {
    let gateway = now + GATEWAY_WAITS;
    request
        .lambda_context_ref()
        .map(deadline)
        .filter(|deadline| *deadline > now)
        .map_or(gateway, |d| d.min(gateway))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_800_000_000;

    fn request_until(seconds: u64) -> Request {
        let mut context = Context::default();
        context.deadline = seconds * 1000;
        Request::default().with_lambda_context(context)
    }

    fn seconds_left(request: &Request) -> i64 {
        let now = DateTime::from_timestamp(NOW, 0).unwrap();
        (request_deadline(request, now) - now).num_seconds()
    }

    #[test]
    fn a_request_ends_with_its_process_or_the_gateways_timeout() {
        assert_eq!(seconds_left(&request_until(1_800_000_010)), 10);
        assert_eq!(seconds_left(&request_until(1_800_000_060)), 29);
    }

    #[test]
    fn without_a_process_deadline_it_is_the_gateways() {
        assert_eq!(seconds_left(&Request::default()), 29);
        assert_eq!(seconds_left(&request_until(0)), 29);
    }
}
