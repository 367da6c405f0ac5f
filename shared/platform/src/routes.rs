//! This API's routes: the only place that names them (docs/contract.md#routes).

use lambda_http::{Request, http::Method};

/// A route, like API Gateway's route key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// The method.
    pub method: Method,
    /// The path. A segment in braces matches any segment: `{callId}`.
    pub path: &'static str,
}

impl Route {
    /// Whether a request matches this route.
    pub fn is(&self, request: &Request) -> bool {
        request.method() == self.method && matches(self.path, request.uri().path())
    }

    /// The segment of a request's path that the route calls `name`, as sent.
    pub fn segment<'a>(&self, request: &'a Request, name: &str) -> Option<&'a str> {
        let mut segments = self.path.split('/').zip(request.uri().path().split('/'));
        segments.find(|(named, _)| placeholder(named) == Some(name)).map(|(_, sent)| sent)
    }

    /// The route's URL at an origin without a trailing slash.
    pub fn on(&self, origin: &str) -> String {
        format!("{origin}{}", self.path)
    }
}

fn matches(path: &str, sent: &str) -> bool {
    let (path, sent) = (path.split('/'), sent.split('/'));
    path.clone().count() == sent.clone().count()
        && path
            .zip(sent)
            .all(|(named, sent)| named == sent || placeholder(named).is_some() && !sent.is_empty())
}

/// The name of a segment in braces.
fn placeholder(segment: &str) -> Option<&str> {
    segment.strip_prefix('{')?.strip_suffix('}')
}

/// Starts a connect flow.
pub const OAUTH_INITIATE: Route = Route { method: Method::GET, path: "/api/salesforce/oauth/initiate" };
/// Where Salesforce redirects the browser; registered with the Salesforce app.
pub const OAUTH_CALLBACK: Route = Route { method: Method::GET, path: "/api/salesforce/oauth/callback" };
/// The status of the connection.
pub const STATUS: Route = Route { method: Method::GET, path: "/api/salesforce/status" };
/// Disconnects.
pub const DISCONNECT: Route = Route { method: Method::DELETE, path: "/api/salesforce/disconnect" };
/// A workspace's settings.
pub const SETTINGS: Route = Route { method: Method::GET, path: "/api/salesforce/settings" };
/// Replaces them.
pub const SETTINGS_REPLACE: Route = Route { method: Method::PUT, path: "/api/salesforce/settings" };
/// What to paste into Vapi.
pub const WEBHOOK_SETUP: Route = Route { method: Method::GET, path: "/api/salesforce/webhook" };
/// Rotates the webhook secret.
pub const WEBHOOK_ROTATE: Route = Route { method: Method::POST, path: "/api/salesforce/webhook/rotate" };
/// Lists calls.
pub const SYNC_LOGS: Route = Route { method: Method::GET, path: "/api/salesforce/sync-logs" };
/// Counts calls.
pub const SYNC_LOGS_SUMMARY: Route = Route { method: Method::GET, path: "/api/salesforce/sync-logs/summary" };
/// Retries a call.
pub const SYNC_LOGS_RETRY: Route =
    Route { method: Method::POST, path: "/api/salesforce/sync-logs/{callId}/retry" };
/// Retries all calls with an error code.
pub const SYNC_LOGS_RETRY_ALL: Route =
    Route { method: Method::POST, path: "/api/salesforce/sync-logs/retry" };
/// Logs one call immediately.
pub const TEST_SYNC: Route = Route { method: Method::POST, path: "/api/salesforce/test-sync" };
/// Where Vapi sends its messages.
pub const WEBHOOK: Route = Route { method: Method::POST, path: "/webhook/vapi" };

/// The cookie that binds a connect flow to the browser that started it (docs/contract.md#the-connect-flow).
pub const OAUTH_COOKIE: &str = "__Host-salesforce_oauth";

/// All routes.
pub const ALL: [Route; 14] = [
    OAUTH_INITIATE,
    OAUTH_CALLBACK,
    STATUS,
    DISCONNECT,
    SETTINGS,
    SETTINGS_REPLACE,
    WEBHOOK_SETUP,
    WEBHOOK_ROTATE,
    SYNC_LOGS,
    SYNC_LOGS_SUMMARY,
    SYNC_LOGS_RETRY,
    SYNC_LOGS_RETRY_ALL,
    TEST_SYNC,
    WEBHOOK,
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::request::ApiRequest;

    #[test]
    fn a_route_is_its_method_and_its_path() {
        assert!(WEBHOOK_ROTATE.is(&ApiRequest::post("/api/salesforce/webhook/rotate", "").build()));
        assert!(!WEBHOOK_ROTATE.is(&ApiRequest::get("/api/salesforce/webhook/rotate").build()));
        assert!(!WEBHOOK_SETUP.is(&ApiRequest::get("/api/salesforce/webhook/rotate").build()));
        assert!(WEBHOOK_SETUP.is(&ApiRequest::get("/api/salesforce/webhook?x=1").build()));
        assert_eq!(WEBHOOK.on("https://api.example.com"), "https://api.example.com/webhook/vapi");
    }

    #[test]
    fn a_segment_in_braces_matches_exactly_one_segment() {
        let to = |path: &str| ApiRequest::post(path, "").build();
        let request = to("/api/salesforce/sync-logs/call-1/retry?x=1");
        assert!(SYNC_LOGS_RETRY.is(&request) && !SYNC_LOGS_RETRY_ALL.is(&request));
        assert_eq!(SYNC_LOGS_RETRY.segment(&request, "callId"), Some("call-1"));
        assert_eq!(SYNC_LOGS_RETRY.segment(&request, "other"), None);
        let all = to("/api/salesforce/sync-logs/retry");
        assert!(SYNC_LOGS_RETRY_ALL.is(&all) && !SYNC_LOGS_RETRY.is(&all));
        for other in ["//retry", "/a/b/retry", "/a/retry/", "/a/retries"] {
            assert!(!SYNC_LOGS_RETRY.is(&to(&format!("/api/salesforce/sync-logs{other}"))), "{other}");
        }
    }
}
