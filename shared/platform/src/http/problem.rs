//! Errors as RFC 9457 `application/problem+json`: the only form of an error, created in one place.

use std::borrow::Cow;

use calls::ports::StoreError;
use lambda_http::{Body, Response};
use serde::Serialize;

use super::response::response;
use crate::{sealing::SealError, stores::TakeError, webhook_token::TokenError};

/// An error response. `detail` is for people and says what to do; `code` is for programs and never changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    status: u16,
    code: Cow<'static, str>,
    title: &'static str,
    detail: Cow<'static, str>,
    errors: Vec<FieldError>,
    /// Logged with the code; never sent.
    cause: Option<String>,
}

/// What is wrong with one field of a body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FieldError {
    /// Its name, as it was sent.
    pub field: String,
    /// What it must be, for people.
    pub detail: String,
}

#[derive(Serialize)]
struct ProblemJson<'a> {
    r#type: String,
    title: &'a str,
    status: u16,
    detail: &'a str,
    code: &'a str,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    errors: &'a [FieldError],
}

impl Problem {
    /// A problem with any status.
    pub fn new(
        status: u16,
        code: impl Into<Cow<'static, str>>,
        title: &'static str,
        detail: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self { status, code: code.into(), title, detail: detail.into(), errors: Vec::new(), cause: None }
    }

    /// 400: a bad parameter or body.
    pub fn bad_request(code: impl Into<Cow<'static, str>>, detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(400, code, "Bad request", detail)
    }

    /// 401: the sender is unknown.
    pub fn unauthorized(code: impl Into<Cow<'static, str>>, detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(401, code, "Not authenticated", detail)
    }

    /// 403: the sender is known, but not allowed.
    pub fn forbidden(code: impl Into<Cow<'static, str>>, detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(403, code, "Not allowed", detail)
    }

    /// 404: not found.
    pub fn not_found(code: impl Into<Cow<'static, str>>, detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(404, code, "Not found", detail)
    }

    /// 409: it conflicts with the current state.
    pub fn conflict(code: impl Into<Cow<'static, str>>, detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(409, code, "Conflict", detail)
    }

    /// 409 `not_connected`: the workspace is not connected to Salesforce.
    pub fn not_connected() -> Self {
        Self::conflict("not_connected", "Salesforce is not connected. An admin has to connect it first.")
    }

    /// 412 `precondition_failed`: what was to be changed has changed in the meantime.
    pub fn precondition_failed(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(412, "precondition_failed", "Precondition failed", detail)
    }

    /// 502: Salesforce failed, or refused.
    pub fn bad_gateway(code: impl Into<Cow<'static, str>>, detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(502, code, "Salesforce error", detail)
    }

    /// 503 `unavailable`: one of our own services failed temporarily.
    pub fn unavailable(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(503, "unavailable", "Temporarily unavailable", detail)
    }

    /// 500 `internal`: a bug or misconfiguration of ours.
    pub fn internal() -> Self {
        Self::new(
            500,
            "internal",
            "Internal error",
            "Something went wrong in Ringlog. Its log has the details.",
        )
    }

    /// Adds what is wrong, field by field (an extension member, RFC 9457 §3.2).
    #[must_use]
    pub fn with_errors(mut self, errors: Vec<FieldError>) -> Self {
        self.errors = errors;
        self
    }

    /// Adds the cause to log for whoever operates Ringlog: an error's text, never content.
    #[must_use]
    #[expect(clippy::needless_pass_by_value, reason = "an error is at its end here")]
    pub fn because(mut self, cause: impl ToString) -> Self {
        self.cause = Some(cause.to_string());
        self
    }

    /// The HTTP status.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// The stable code.
    pub fn code(&self) -> &str {
        &self.code
    }

    /// What happened and what to do, for people.
    pub fn detail(&self) -> &str {
        &self.detail
    }

    /// Logs the problem, because it is handled here, and converts it to a response.
    pub fn into_response(self) -> Response<Body> {
        self.log();
        response(
            self.status,
            "application/problem+json",
            &ProblemJson {
                r#type: format!("urn:ringlog:problem:{}", self.code),
                title: self.title,
                status: self.status,
                detail: &self.detail,
                code: &self.code,
                errors: &self.errors,
            },
        )
    }

    /// Logs the problem: as an error if it is ours, otherwise as information. For responses that are created
    /// elsewhere.
    pub fn log(&self) {
        let (code, cause) = (self.code.as_ref(), self.cause.as_deref());
        if self.status >= 500 {
            tracing::error!(
                error.code = code,
                error.cause = cause,
                http.status = self.status,
                "request failed"
            );
        } else {
            tracing::info!(
                error.code = code,
                error.cause = cause,
                http.status = self.status,
                "request refused"
            );
        }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        Self::unavailable("Ringlog could not reach its own storage. Try again in a moment.").because(error)
    }
}

impl From<TokenError> for Problem {
    fn from(error: TokenError) -> Self {
        match error {
            TokenError::Refused => Self::unauthorized(
                "invalid_webhook_token",
                "The webhook secret is missing or not valid. Copy it again from Ringlog's webhook settings into Vapi.",
            ),
            TokenError::Keys(error) => error.into(),
        }
    }
}

impl From<SealError> for Problem {
    fn from(error: SealError) -> Self {
        match error {
            SealError::Keys(error) => error.into(),
            error => Self::internal().because(error),
        }
    }
}

impl From<TakeError> for Problem {
    fn from(error: TakeError) -> Self {
        match error {
            TakeError::Unknown => Self::bad_request(
                "state_unknown",
                "This connect flow is unknown or has already finished. Connect again from the dashboard.",
            ),
            TakeError::WrongBrowser => Self::forbidden(
                "state_of_another_browser",
                "This connect flow was not started in this browser, or its cookie was not sent. If you did start it \
                 here, the API and the dashboard are probably not on the same site: Ringlog needs a custom domain \
                 (PublicBaseUrl) next to the dashboard's.",
            ),
            TakeError::Expired => Self::bad_request(
                "state_expired",
                "This connect flow took longer than 10 minutes. Connect again from the dashboard.",
            ),
            TakeError::Store(error) => error.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn body(response: &Response<Body>) -> Value {
        serde_json::from_slice(response.body()).unwrap()
    }

    #[test]
    fn a_problem_has_the_five_members_and_is_not_stored() {
        let response = Problem::not_found("call_unknown", "No such call.").into_response();
        assert_eq!(response.status(), 404);
        assert_eq!(response.headers()["content-type"], "application/problem+json");
        assert_eq!(response.headers()["cache-control"], "no-store");
        assert_eq!(
            body(&response),
            json!({
                "type": "urn:ringlog:problem:call_unknown",
                "title": "Not found",
                "status": 404,
                "detail": "No such call.",
                "code": "call_unknown",
            })
        );
    }

    #[test]
    fn wrong_fields_are_named_one_by_one() {
        let field = FieldError { field: "retentionDays".to_owned(), detail: "must be a number".to_owned() };
        let response = Problem::bad_request("invalid_settings", "…").with_errors(vec![field]).into_response();
        let errors = json!([{ "field": "retentionDays", "detail": "must be a number" }]);
        assert_eq!(body(&response)["errors"], errors);
    }

    #[test]
    fn the_cause_is_not_sent() {
        let error = StoreError { operation: "DynamoDB GetItem", cause: "AccessDenied".to_owned() };
        let response = Problem::from(error).into_response();
        assert_eq!(response.status(), 503);
        assert!(!String::from_utf8_lossy(response.body()).contains("AccessDenied"));
    }

    #[test]
    fn each_refusal_of_a_flow_has_its_own_code_and_another_browsers_names_the_likely_cause() {
        let problems = [TakeError::Unknown, TakeError::WrongBrowser, TakeError::Expired].map(Problem::from);
        let codes: Vec<_> = problems.iter().map(|p| (p.status(), p.code())).collect();
        assert_eq!(
            codes,
            [(400, "state_unknown"), (403, "state_of_another_browser"), (400, "state_expired")]
        );
        assert!(problems[1].detail().contains("PublicBaseUrl"));
    }
}
