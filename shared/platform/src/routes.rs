//! The routes of this API: the one place where they are named (design.md §3).

use lambda_http::{Request, http::Method};

/// A route: what API Gateway calls its route key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// The method.
    pub method: Method,
    /// The path.
    pub path: &'static str,
}

impl Route {
    /// Whether a request came on this route.
    pub fn is(&self, request: &Request) -> bool {
        request.method() == self.method && request.uri().path() == self.path
    }

    /// The route's URL, on an origin without a slash at its end.
    pub fn on(&self, origin: &str) -> String {
        format!("{origin}{}", self.path)
    }
}

/// Begins a connect flow.
pub const OAUTH_INITIATE: Route = Route { method: Method::GET, path: "/api/salesforce/oauth/initiate" };
/// Where Salesforce sends the browser back to; registered with the Salesforce app.
pub const OAUTH_CALLBACK: Route = Route { method: Method::GET, path: "/api/salesforce/oauth/callback" };
/// How the connection is.
pub const STATUS: Route = Route { method: Method::GET, path: "/api/salesforce/status" };
/// Forgets the connection.
pub const DISCONNECT: Route = Route { method: Method::DELETE, path: "/api/salesforce/disconnect" };
/// What is to be pasted into Vapi.
pub const WEBHOOK_SETUP: Route = Route { method: Method::GET, path: "/api/salesforce/webhook" };
/// A new webhook secret.
pub const WEBHOOK_ROTATE: Route = Route { method: Method::POST, path: "/api/salesforce/webhook/rotate" };
/// Logs one call at once.
pub const TEST_SYNC: Route = Route { method: Method::POST, path: "/api/salesforce/test-sync" };
/// Where Vapi sends its messages.
pub const WEBHOOK: Route = Route { method: Method::POST, path: "/webhook/vapi" };

/// The cookie that binds a connect flow to the browser that began it (design.md §4).
pub const OAUTH_COOKIE: &str = "__Host-salesforce_oauth";

/// All of them.
pub const ALL: [Route; 8] =
    [OAUTH_INITIATE, OAUTH_CALLBACK, STATUS, DISCONNECT, WEBHOOK_SETUP, WEBHOOK_ROTATE, TEST_SYNC, WEBHOOK];

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
}
