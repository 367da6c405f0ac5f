//! Errors as RFC 9457 `application/problem+json`: the only form of an error, created in one place.

use std::borrow::Cow;

use calls::timings::FLOW_LASTS;
use lambda_http::{Body, Response};
use serde::Serialize;
use worker::ports::StoreError;

use crate::{sealing::SealError, stores::TakeError, webhook_token::TokenError};

use super::{problem_code::ProblemCode, response::response};

/// An error response. `detail` is for people and says what to do; the [`ProblemCode`] is for programs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    code: ProblemCode,
    detail: Cow<'static, str>,
    errors: Vec<FieldError>,
    /// Logged with the code; never sent.
    cause: Option<String>,
}

/// What is wrong with one field of a body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(rename = "FieldProblem"))]
pub struct FieldError {
    /// The field's name, as sent.
    pub field: String,
    /// What the field must be, for people.
    pub detail: String,
}

/// A problem (RFC 9457).
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(rename = "Problem"))]
pub struct WrittenProblem<'a> {
    /// `urn:ringlog:problem:` and the code.
    #[cfg_attr(feature = "openapi", schemars(example = &"urn:ringlog:problem:not_connected"))]
    r#type: String,
    /// A short title, shared by similar problems.
    title: &'a str,
    /// The HTTP status.
    #[cfg_attr(feature = "openapi", schemars(range(min = 400, max = 599)))]
    status: u16,
    /// What happened and what to do, for people.
    detail: &'a str,
    /// The stable code, for programs.
    code: &'a str,
    /// What is wrong, field by field.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    errors: &'a [FieldError],
}

impl Problem {
    /// A problem with this code.
    pub fn new(code: ProblemCode, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { code, detail: detail.into(), errors: Vec::new(), cause: None }
    }

    /// `not_connected`: the workspace is not connected to Salesforce.
    pub fn not_connected() -> Self {
        Self::new(ProblemCode::NotConnected, "Salesforce is not connected. An admin has to connect it first.")
    }

    /// `newer_version`: a newer version wrote the call's row, and only that version may change it.
    pub fn newer_version() -> Self {
        Self::new(
            ProblemCode::NewerVersion,
            "A newer version of Ringlog processed this call. It stays unchanged until that version is back.",
        )
    }

    /// `unavailable`: one of our own services failed temporarily.
    pub fn unavailable(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ProblemCode::Unavailable, detail)
    }

    /// `internal`: a bug or misconfiguration of ours.
    pub fn internal() -> Self {
        Self::new(ProblemCode::Internal, "Something went wrong in Ringlog. Its log has the details.")
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
        self.code.status()
    }

    /// The stable code.
    pub fn code(&self) -> &str {
        self.code.as_str()
    }

    /// What happened and what to do, for people.
    pub fn detail(&self) -> &str {
        &self.detail
    }

    /// Logs the problem, because it is handled here, and converts it to a response.
    pub fn into_response(self) -> Response<Body> {
        self.log();
        response(
            self.status(),
            "application/problem+json",
            &WrittenProblem {
                r#type: format!("urn:ringlog:problem:{}", self.code()),
                title: self.code.title(),
                status: self.status(),
                detail: &self.detail,
                code: self.code(),
                errors: &self.errors,
            },
        )
    }

    /// Logs the problem: as an error if it is ours, otherwise as information. For responses that are created
    /// elsewhere.
    pub fn log(&self) {
        let (code, status, cause) = (self.code(), self.status(), self.cause.as_deref());
        if status >= 500 {
            tracing::error!(error.code = code, error.cause = cause, http.status = status, "request failed");
        } else {
            tracing::info!(error.code = code, error.cause = cause, http.status = status, "request refused");
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
            TokenError::Refused => Self::new(
                ProblemCode::InvalidWebhookToken,
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
            TakeError::Unknown => Self::new(
                ProblemCode::StateUnknown,
                "This connect flow is unknown or has already finished. Connect again from the dashboard.",
            ),
            TakeError::WrongBrowser => Self::new(
                ProblemCode::StateOfAnotherBrowser,
                "This connect flow was not started in this browser, or its cookie was not sent. If you did start it \
                 here, the API and the dashboard are probably not on the same site: Ringlog needs a custom domain \
                 (PublicBaseUrl) next to the dashboard's.",
            ),
            TakeError::Expired => Self::new(
                ProblemCode::StateExpired,
                format!(
                    "This connect flow took longer than {} minutes. Connect again from the dashboard.",
                    FLOW_LASTS.as_secs() / 60,
                ),
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
        let response = Problem::new(ProblemCode::NoSuchCall, "No such call.").into_response();
        assert_eq!(response.status(), 404);
        assert_eq!(response.headers()["content-type"], "application/problem+json");
        assert_eq!(response.headers()["cache-control"], "no-store");
        assert_eq!(
            body(&response),
            json!({
                "type": "urn:ringlog:problem:no_such_call",
                "title": "Not found",
                "status": 404,
                "detail": "No such call.",
                "code": "no_such_call",
            })
        );
    }

    #[test]
    fn wrong_fields_are_named_one_by_one() {
        let field = FieldError { field: "retentionDays".to_owned(), detail: "must be a number".to_owned() };
        let response =
            Problem::new(ProblemCode::InvalidSettings, "…").with_errors(vec![field]).into_response();
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
    fn each_refused_connect_flow_has_its_own_code_and_another_browsers_names_the_likely_cause() {
        let problems = [TakeError::Unknown, TakeError::WrongBrowser, TakeError::Expired].map(Problem::from);
        let codes: Vec<_> = problems.iter().map(|p| (p.status(), p.code())).collect();
        assert_eq!(
            codes,
            [(400, "state_unknown"), (403, "state_of_another_browser"), (400, "state_expired")]
        );
        assert!(problems[1].detail().contains("PublicBaseUrl"));
    }
}
