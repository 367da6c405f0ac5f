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
