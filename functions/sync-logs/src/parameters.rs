//! The request's parameters: each is parsed once, and refused with its name and rule.

use api::sync_logs::DEFAULT_LIMIT;
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use calls::{ids::CallId, limits::LISTED_CALLS, status::SyncStatus};
use lambda_http::{Request, RequestExt as _};
use platform::{
    http::{Problem, ProblemCode},
    routes,
    stores::Position,
};

/// The requested part of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListQuery {
    /// Only rows with this status.
    pub status: Option<SyncStatus>,
    /// The maximum number of rows.
    pub limit: u32,
    /// Only rows after this position.
    pub after: Option<Position>,
}

impl ListQuery {
    /// Reads `status`, `limit` and `cursor`.
    pub fn of(request: &Request) -> Result<Self, Problem> {
        Ok(Self {
            status: read(request, "status", status)?,
            limit: read(request, "limit", limit)?.unwrap_or(DEFAULT_LIMIT),
            after: read(request, "cursor", position)?,
        })
    }
}

/// Reads `since`, Unix seconds.
pub fn since(request: &Request) -> Result<Option<i64>, Problem> {
    read(request, "since", |text| {
        let since = text.parse().ok().filter(|since| *since >= 0);
        since.ok_or_else(|| {
            Problem::new(ProblemCode::InvalidSince, "since must be a time in Unix seconds, 0 or later.")
        })
    })
}

/// Reads the call's id from the path.
pub fn call_id(request: &Request) -> Result<CallId, Problem> {
    let text = routes::SYNC_LOGS_RETRY.segment(request, "callId").unwrap_or_default();
    CallId::parse(text).map_err(|error| Problem::new(ProblemCode::InvalidCallId, format!("callId: {error}.")))
}

/// The cursor of the page after a position. It contains only the position; the workspace and the filter come from the
/// next request.
pub fn cursor(position: &Position) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(format!("{}/{}", position.created_at, position.call_id))
}

/// A query parameter, if it is present.
fn read<T>(
    request: &Request,
    name: &str,
    parse: impl FnOnce(&str) -> Result<T, Problem>,
) -> Result<Option<T>, Problem> {
    request.query_string_parameters().first(name).map(parse).transpose()
}

fn status(text: &str) -> Result<SyncStatus, Problem> {
    let known = SyncStatus::ALL.into_iter().find(|status| status.as_str() == text);
    known.ok_or_else(|| {
        let names = SyncStatus::ALL.map(SyncStatus::as_str).join(", ");
        Problem::new(ProblemCode::InvalidStatus, format!("status must be one of {names}."))
    })
}

fn limit(text: &str) -> Result<u32, Problem> {
    let limit = text.parse().ok().filter(|limit| LISTED_CALLS.contains(limit));
    limit.ok_or_else(|| {
        let (least, most) = (LISTED_CALLS.start(), LISTED_CALLS.end());
        Problem::new(ProblemCode::InvalidLimit, format!("limit must be a number from {least} to {most}."))
    })
}

fn position(cursor: &str) -> Result<Position, Problem> {
    decode(cursor).ok_or_else(|| {
        Problem::new(
            ProblemCode::InvalidCursor,
            "cursor must be the nextCursor of an earlier response. Without it, the list starts with the newest call.",
        )
    })
}

fn decode(cursor: &str) -> Option<Position> {
    let text = String::from_utf8(BASE64_URL_SAFE_NO_PAD.decode(cursor).ok()?).ok()?;
    let (created_at, call_id) = text.split_once('/')?;
    Some(Position { created_at: created_at.parse().ok()?, call_id: CallId::parse(call_id).ok()? })
}

#[cfg(test)]
mod tests {
    use platform::testing::request::ApiRequest;

    use super::*;

    fn list(query: &str) -> Result<ListQuery, Problem> {
        ListQuery::of(&ApiRequest::get(&format!("/api/salesforce/sync-logs?{query}")).build())
    }

    fn refusal<T: std::fmt::Debug>(result: Result<T, Problem>) -> (u16, String) {
        let problem = result.unwrap_err();
        (problem.status(), problem.code().to_owned())
    }

    #[test]
    fn the_default_is_the_newest_fifty() {
        assert_eq!(list(""), Ok(ListQuery { status: None, limit: 50, after: None }));
    }

    #[test]
    fn a_limit_is_one_to_a_hundred() {
        assert_eq!((list("limit=1").unwrap().limit, list("limit=100").unwrap().limit), (1, 100));
        for bad in ["0", "101", "-1", "ten", "", "1.5", "99999999999"] {
            let problem = list(&format!("limit={bad}")).unwrap_err();
            assert_eq!((problem.status(), problem.code()), (400, "invalid_limit"), "{bad}");
            assert_eq!(problem.detail(), "limit must be a number from 1 to 100.");
        }
    }

    #[test]
    fn a_status_is_one_of_the_contracts_words() {
        for status in SyncStatus::ALL {
            assert_eq!(list(&format!("status={}", status.as_str())).unwrap().status, Some(status));
        }
        for bad in ["", "Error", "failed", "error,skipped"] {
            let problem = list(&format!("status={bad}")).unwrap_err();
            assert_eq!((problem.status(), problem.code()), (400, "invalid_status"), "{bad}");
            assert!(problem.detail().contains("queued, success, not_found"), "{}", problem.detail());
        }
    }

    #[test]
    fn a_cursor_leads_back_to_its_position_and_anything_else_is_refused() {
        let position = Position { created_at: 1_800_000_000, call_id: CallId::parse("call-1").unwrap() };
        assert_eq!(list(&format!("cursor={}", cursor(&position))).unwrap().after, Some(position));
        let encoded = |text: &str| BASE64_URL_SAFE_NO_PAD.encode(text);
        let bad =
            ["", "%20", "1/call-1", "AA==", &encoded("call-1"), &encoded("1/a b"), &encoded("1/acme/call-1")];
        for bad in bad {
            assert_eq!(refusal(list(&format!("cursor={bad}"))), (400, "invalid_cursor".to_owned()), "{bad}");
        }
    }

    #[test]
    fn a_time_is_unix_seconds() {
        let of = |query: &str| {
            since(&ApiRequest::get(&format!("/api/salesforce/sync-logs/summary{query}")).build())
        };
        assert_eq!(
            (of(""), of("?since=0"), of("?since=1800000000")),
            (Ok(None), Ok(Some(0)), Ok(Some(1_800_000_000)))
        );
        for bad in ["-1", "", "yesterday", "1.5", "2027-01-20"] {
            assert_eq!(refusal(of(&format!("?since={bad}"))), (400, "invalid_since".to_owned()), "{bad}");
        }
    }
}
