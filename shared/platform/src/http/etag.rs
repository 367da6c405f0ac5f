//! Conditional requests: `ETag` and `If-Match` (RFC 9110 §8.8.3, §13.1.1), so that nobody overwrites what they have
//! not seen.

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use lambda_http::{
    Body, Request, Response,
    http::{HeaderValue, header},
};
use ring::digest::{SHA256, digest};
use serde::Serialize;

use super::{problem::Problem, problem_code::ProblemCode, response::json};

/// A strong entity tag: a digest of the content, so that it changes exactly when the content does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ETag(String);

impl ETag {
    /// The tag of a response's content.
    pub fn of(content: &impl Serialize) -> Self {
        // As in `json`, serializing our responses cannot fail.
        let text = serde_json::to_vec(content).unwrap_or_default();
        Self(format!("\"{}\"", BASE64_URL_SAFE_NO_PAD.encode(digest(&SHA256, &text))))
    }

    /// The tag as in a header, including quotes.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A JSON response with its entity tag.
pub fn tagged_json(status: u16, content: &impl Serialize) -> Response<Body> {
    let mut response = json(status, content);
    if let Ok(tag) = HeaderValue::from_str(ETag::of(content).as_str()) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    response
}

/// What a request says its sender has seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IfMatch {
    /// `*`: replaces whatever there is.
    Any,
    /// One of these tags.
    OneOf(Vec<String>),
}

impl IfMatch {
    /// Parses `If-Match`; 428 if it is missing (RFC 6585 §3).
    pub fn required(request: &Request) -> Result<Self, Problem> {
        let values = request.headers().get_all(header::IF_MATCH).into_iter();
        let tags = values.filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(','));
        let tags: Vec<_> = tags.map(str::trim).filter(|tag| !tag.is_empty()).map(str::to_owned).collect();
        match tags.as_slice() {
            [] => Err(Problem::new(
                ProblemCode::PreconditionRequired,
                "Send `If-Match` with the `ETag` of the GET that you changed, so that nobody's change is lost; or \
                 `If-Match: *` to replace whatever there is.",
            )),
            [any] if any == "*" => Ok(Self::Any),
            _ => Ok(Self::OneOf(tags)),
        }
    }

    /// Whether the sender has seen the content with this tag. A weak tag (`W/"…"`) never matches.
    pub fn allows(&self, tag: &ETag) -> bool {
        match self {
            Self::Any => true,
            Self::OneOf(tags) => tags.iter().any(|seen| seen == tag.as_str()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::request::ApiRequest;

    fn of(value: &str) -> Result<IfMatch, Problem> {
        IfMatch::required(&ApiRequest::put("/", "{}").header("if-match", value).build())
    }

    #[test]
    fn a_tag_is_quoted_and_depends_on_the_content() {
        let tag = ETag::of(&"content");
        assert_eq!(tag, ETag::of(&"content"));
        assert_ne!(tag, ETag::of(&"other content"));
        assert!(tag.as_str().starts_with('"') && tag.as_str().ends_with('"'), "{tag:?}");
        assert_eq!(tagged_json(200, &"content").headers()["etag"], tag.as_str());
    }

    #[test]
    fn a_change_needs_the_current_tag() {
        let tag = ETag::of(&1);
        let other = ETag::of(&2);
        let (tag_text, other_text) = (tag.as_str(), other.as_str());
        for seen in [tag_text, &format!("{other_text}, {tag_text}"), " * "] {
            assert!(of(seen).unwrap().allows(&tag), "{seen}");
        }
        for unseen in [other_text, &format!("W/{tag_text}"), tag_text.trim_matches('"'), "\"\"", "\"*\""] {
            assert!(!of(unseen).unwrap().allows(&tag), "{unseen}");
        }
    }

    #[test]
    fn without_a_precondition_it_is_428() {
        let without = IfMatch::required(&ApiRequest::put("/", "{}").build());
        for missing in [without, of(""), of(" , ")] {
            let problem = missing.unwrap_err();
            assert_eq!((problem.status(), problem.code()), (428, "precondition_required"));
        }
    }
}
