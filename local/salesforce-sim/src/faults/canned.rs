//! Canned responses, including those that Salesforce is known to send on a bad day.

use std::collections::BTreeMap;

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use serde::{Deserialize, Deserializer, Serialize, de::Error as _};
use serde_json::{Value, json};

use crate::error::ApiError;

/// Responses that Salesforce is known to send (docs/salesforce-api.md#refresh, docs/salesforce-api.md#errors).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Preset {
    /// 401 `INVALID_SESSION_ID`: a refresh may help.
    SessionExpired,
    /// 401 `INVALID_SESSION_ID`: a refresh does not help.
    SessionNotForRest,
    /// 403: the requests of the last 24 hours are used up.
    TotalRequestsLimit,
    /// 403: too many long-running requests at once.
    ConcurrentRequestsLimit,
    /// 403: the user has no access to the API.
    ApiDisabled,
    /// 400 `UNABLE_TO_LOCK_ROW`.
    UnableToLockRow,
    /// 500 `UNKNOWN_EXCEPTION`.
    UnknownException,
    /// 503 `SERVER_UNAVAILABLE`.
    ServerUnavailable,
    /// 503: read-only mode.
    Maintenance,
    /// 502 with a page from Salesforce Edge.
    BadGatewayHtml,
    /// 420 with a page from Salesforce Edge.
    EdgeBusyHtml,
    /// Token: the refresh token is revoked, expired or rotated out.
    ExpiredRefreshToken,
    /// Token: `invalid_grant` without a description.
    InvalidGrantWithoutDescription,
    /// Token: the user is deactivated.
    InactiveUser,
    /// Token: the org is locked or closed.
    InactiveOrganization,
    /// Token: the client secret is wrong.
    InvalidClient,
    /// Token: another request with this token is in progress.
    TokenRequestInProcess,
    /// Token: more than 3,600 logins in an hour.
    LoginRateExceeded,
    /// Token: the IP address is not allowed.
    IpRestricted,
}

fn header(name: &str, value: &str) -> Option<(HeaderName, HeaderValue)> {
    Some((name.parse().ok()?, value.parse().ok()?))
}

/// Deserializes headers, refusing invalid ones.
pub(super) fn headers<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<BTreeMap<String, String>, D::Error> {
    let headers = BTreeMap::<String, String>::deserialize(deserializer)?;
    match headers.iter().find(|(name, value)| header(name, value).is_none()) {
        Some((name, _)) => Err(D::Error::custom(format!("{name:?} or its value is not a valid header"))),
        None => Ok(headers),
    }
}

/// A response that is sent instead of the real one.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct CannedResponse {
    pub(crate) status: u16,
    pub(crate) content_type: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl CannedResponse {
    pub(super) fn new(status: u16, body: &Value, content_type: Option<String>) -> Self {
        let (default_type, body) = match body {
            Value::Null => ("text/plain", String::new()),
            Value::String(text) => ("text/plain", text.clone()),
            json => ("application/json", json.to_string()),
        };
        let content_type = content_type.unwrap_or_else(|| default_type.to_owned());
        Self { status, content_type, headers: HeaderMap::new(), body }
    }

    /// Adds headers, which override its own.
    pub(super) fn with_headers(mut self, headers: &BTreeMap<String, String>) -> Self {
        self.headers.extend(headers.iter().filter_map(|(name, value)| header(name, value)));
        self
    }

    fn rest(status: u16, code: &str, message: &str) -> Self {
        Self::new(status, &json!([ApiError::new(status, code, message).entry()]), None)
    }

    fn oauth(error: &str, description: &str) -> Self {
        Self::new(400, &json!({"error": error, "error_description": description}), None)
    }

    fn page(status: u16, text: &str) -> Self {
        let page = format!("<html><head><title>{text}</title></head><body><h1>{text}</h1></body></html>");
        Self::new(status, &json!(page), Some("text/html".to_owned()))
    }
}

impl Preset {
    pub(crate) fn response(self) -> CannedResponse {
        match self {
            Self::SessionExpired => {
                CannedResponse::rest(401, "INVALID_SESSION_ID", "Session expired or invalid")
            }
            Self::SessionNotForRest => CannedResponse::rest(
                401,
                "INVALID_SESSION_ID",
                "This session is not valid for use with the REST API",
            ),
            Self::TotalRequestsLimit => {
                CannedResponse::rest(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")
            }
            Self::ConcurrentRequestsLimit => CannedResponse::rest(
                403,
                "REQUEST_LIMIT_EXCEEDED",
                "ConcurrentRequests (Concurrent API Requests) Limit exceeded.",
            ),
            Self::ApiDisabled => {
                CannedResponse::rest(403, "API_CURRENTLY_DISABLED", "API is disabled for this User")
            }
            Self::UnableToLockRow => CannedResponse::rest(
                400,
                "UNABLE_TO_LOCK_ROW",
                "unable to obtain exclusive access to this record or 1 records: 00QSm0010000001EAA",
            ),
            Self::UnknownException => CannedResponse::rest(
                500,
                "UNKNOWN_EXCEPTION",
                "An unexpected error occurred. ErrorId: 1234567-8 (1)",
            ),
            Self::ServerUnavailable => CannedResponse::rest(503, "SERVER_UNAVAILABLE", "server too busy"),
            Self::Maintenance => CannedResponse::rest(
                503,
                "INSERT_UPDATE_DELETE_NOT_ALLOWED_DURING_MAINTENANCE",
                "read-only mode",
            ),
            Self::BadGatewayHtml => CannedResponse::page(502, "Bad Gateway"),
            Self::EdgeBusyHtml => CannedResponse::page(420, "Enhance Your Calm"),
            Self::ExpiredRefreshToken => {
                CannedResponse::oauth("invalid_grant", "expired access/refresh token")
            }
            Self::InvalidGrantWithoutDescription => {
                CannedResponse::new(400, &json!({"error": "invalid_grant"}), None)
            }
            Self::InactiveUser => CannedResponse::oauth("invalid_grant", "inactive user"),
            Self::InactiveOrganization => CannedResponse::oauth("invalid_grant", "inactive organization"),
            Self::InvalidClient => CannedResponse::oauth("invalid_client", "invalid client credentials"),
            Self::TokenRequestInProcess => {
                CannedResponse::oauth("invalid_grant", "token request is already being processed")
            }
            Self::LoginRateExceeded => CannedResponse::oauth("invalid_grant", "login rate exceeded"),
            Self::IpRestricted => CannedResponse::oauth("invalid_grant", "ip restricted"),
        }
    }
}
