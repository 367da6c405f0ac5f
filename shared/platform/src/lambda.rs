//! What Lambda says about an invocation.

use chrono::{DateTime, TimeDelta, Utc};
use lambda_http::{Context, Request, RequestExt as _};

/// When this process is stopped.
pub fn deadline(context: &Context) -> DateTime<Utc> {
    i64::try_from(context.deadline).ok().and_then(DateTime::from_timestamp_millis).unwrap_or_default()
}

/// API Gateway's own limit: nobody waits for a later answer.
const GATEWAY_WAITS: TimeDelta = TimeDelta::seconds(29);

/// When the answer to a request must be there.
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
    fn a_request_ends_with_its_process_or_when_the_gateway_stops_waiting() {
        assert_eq!(seconds_left(&request_until(1_800_000_010)), 10);
        assert_eq!(seconds_left(&request_until(1_800_000_060)), 29);
    }

    #[test]
    fn without_a_deadline_of_its_process_it_is_the_gateways() {
        assert_eq!(seconds_left(&Request::default()), 29);
        assert_eq!(seconds_left(&request_until(0)), 29);
    }
}
