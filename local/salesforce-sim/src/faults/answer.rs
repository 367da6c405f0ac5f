//! Answers that stand for the real one, among them those that Salesforce is known to give on a bad day.

use std::collections::BTreeMap;

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use serde::{Deserialize, Deserializer, Serialize, de::Error as _};
use serde_json::{Value, json};

use super::Effect;
use crate::error::ApiError;

/// Answers that Salesforce is known to give (docs/salesforce-api.md#refresh, docs/salesforce-api.md#errors).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Preset {
    /// 401 `INVALID_SESSION_ID`: a refreshed token may be good.
    SessionExpired,
    /// 401 `INVALID_SESSION_ID` that no refresh mends.
    SessionNotForRest,
    /// 403: the requests of 24 hours are used up.
    TotalRequestsLimit,
    /// 403: too many long requests at once.
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
    /// 502 with a page of Salesforce Edge.
    BadGatewayHtml,
    /// 420 with a page of Salesforce Edge.
    EdgeBusyHtml,
    /// Token: the refresh token is revoked, expired or rotated away.
    ExpiredRefreshToken,
    /// Token: `invalid_grant` without a description.
    InvalidGrantWithoutDescription,
    /// Token: the user is deactivated.
    InactiveUser,
    /// Token: the org is locked or closed.
    InactiveOrganization,
    /// Token: our secret is wrong.
    InvalidClient,
    /// Token: another request with this token is under way.
    TokenRequestInProcess,
    /// Token: more than 3,600 logins in an hour.
    LoginRateExceeded,
    /// Token: outside of the allowed addresses.
    IpRestricted,
}

impl From<Preset> for Effect {
    fn from(name: Preset) -> Self {
        Self::Preset { name }
    }
}

fn header(name: &str, value: &str) -> Option<(HeaderName, HeaderValue)> {
    Some((name.parse().ok()?, value.parse().ok()?))
}

/// Reads headers that can be sent.
pub(super) fn headers<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<BTreeMap<String, String>, D::Error> {
    let headers = BTreeMap::<String, String>::deserialize(deserializer)?;
    match headers.iter().find(|(name, value)| header(name, value).is_none()) {
        Some((name, _)) => Err(D::Error::custom(format!("{name:?} is no header, or its value is none"))),
        None => Ok(headers),
    }
}

/// An answer that stands for the real one.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) content_type: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Answer {
    pub(super) fn new(status: u16, body: &Value, content_type: Option<String>) -> Self {
        let (default_type, body) = match body {
            Value::Null => ("text/plain", String::new()),
            Value::String(text) => ("text/plain", text.clone()),
            json => ("application/json", json.to_string()),
        };
        let content_type = content_type.unwrap_or_else(|| default_type.to_owned());
        Self { status, content_type, headers: HeaderMap::new(), body }
    }

    /// The same answer with more headers, which go before its own.
    pub(super) fn with(mut self, headers: &BTreeMap<String, String>) -> Self {
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
    pub(crate) fn answer(self) -> Answer {
        match self {
            Self::SessionExpired => Answer::rest(401, "INVALID_SESSION_ID", "Session expired or invalid"),
            Self::SessionNotForRest => {
                Answer::rest(401, "INVALID_SESSION_ID", "This session is not valid for use with the REST API")
            }
            Self::TotalRequestsLimit => {
                Answer::rest(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")
            }
            Self::ConcurrentRequestsLimit => Answer::rest(
                403,
                "REQUEST_LIMIT_EXCEEDED",
                "ConcurrentRequests (Concurrent API Requests) Limit exceeded.",
            ),
            Self::ApiDisabled => Answer::rest(403, "API_CURRENTLY_DISABLED", "API is disabled for this User"),
            Self::UnableToLockRow => Answer::rest(
                400,
                "UNABLE_TO_LOCK_ROW",
                "unable to obtain exclusive access to this record or 1 records: 00QSm0010000001EAA",
            ),
            Self::UnknownException => {
                Answer::rest(500, "UNKNOWN_EXCEPTION", "An unexpected error occurred. ErrorId: 1234567-8 (1)")
            }
            Self::ServerUnavailable => Answer::rest(503, "SERVER_UNAVAILABLE", "server too busy"),
            Self::Maintenance => {
                Answer::rest(503, "INSERT_UPDATE_DELETE_NOT_ALLOWED_DURING_MAINTENANCE", "read-only mode")
            }
            Self::BadGatewayHtml => Answer::page(502, "Bad Gateway"),
            Self::EdgeBusyHtml => Answer::page(420, "Enhance Your Calm"),
            Self::ExpiredRefreshToken => Answer::oauth("invalid_grant", "expired access/refresh token"),
            Self::InvalidGrantWithoutDescription => {
                Answer::new(400, &json!({"error": "invalid_grant"}), None)
            }
            Self::InactiveUser => Answer::oauth("invalid_grant", "inactive user"),
            Self::InactiveOrganization => Answer::oauth("invalid_grant", "inactive organization"),
            Self::InvalidClient => Answer::oauth("invalid_client", "invalid client credentials"),
            Self::TokenRequestInProcess => {
                Answer::oauth("invalid_grant", "token request is already being processed")
            }
            Self::LoginRateExceeded => Answer::oauth("invalid_grant", "login rate exceeded"),
            Self::IpRestricted => Answer::oauth("invalid_grant", "ip restricted"),
        }
    }
}
