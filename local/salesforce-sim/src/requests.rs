//! The log of requests: which routes were asked when, and what tells that a client refreshed twice at once.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What a request is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum RouteKind {
    /// `/services/oauth2/authorize`.
    Authorize,
    /// `/services/oauth2/token`.
    Token,
    /// `/services/oauth2/revoke`.
    Revoke,
    /// `/services/oauth2/introspect`.
    Introspect,
    /// `/id/…` and `/services/oauth2/userinfo`.
    Identity,
    /// `/services/data/`: the versions and their resources.
    Versions,
    /// `…/search/`.
    Search,
    /// `…/query/` and `…/queryAll/`.
    Query,
    /// `…/composite` and `…/composite/sobjects`.
    Composite,
    /// `…/sobjects/…`.
    Sobject,
    /// Another route of the REST API.
    OtherData,
    /// `/_sim/…`.
    Control,
    /// The page for people, and whatever else.
    Page,
}

impl RouteKind {
    /// The kind of a path.
    pub(crate) fn of(path: &str) -> Self {
        if let Some(data) = path.strip_prefix("/services/data") {
            let mut parts = data.split('/').filter(|part| !part.is_empty()).skip(1);
            return match parts.next() {
                None => Self::Versions,
                Some("search") => Self::Search,
                Some("query" | "queryAll") => Self::Query,
                Some("composite") => Self::Composite,
                Some("sobjects") => Self::Sobject,
                Some(_) => Self::OtherData,
            };
        }
        match path.trim_end_matches('/') {
            "/services/oauth2/authorize" => Self::Authorize,
            "/services/oauth2/token" => Self::Token,
            "/services/oauth2/revoke" => Self::Revoke,
            "/services/oauth2/introspect" => Self::Introspect,
            "/services/oauth2/userinfo" => Self::Identity,
            path if path.starts_with("/id/") => Self::Identity,
            path if path.starts_with("/_sim") => Self::Control,
            _ => Self::Page,
        }
    }

    pub(crate) fn is_data(self) -> bool {
        matches!(self, Self::Search | Self::Query | Self::Composite | Self::Sobject | Self::OtherData)
    }

    pub(crate) fn is_salesforce(self) -> bool {
        !matches!(self, Self::Control | Self::Page)
    }
}

/// A request that was seen. Neither query nor body nor header is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SeenRequest {
    /// When, by the virtual clock, RFC 3339.
    pub at: String,
    /// `POST`.
    pub method: String,
    /// What for.
    pub kind: RouteKind,
    /// Without the query.
    pub path: String,
}

/// What the token endpoint saw. Single-flight refresh means that the last two are 0.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TokenCounts {
    /// Token requests, of both grant types.
    pub requests: u64,
    /// Refresh requests.
    pub refreshes: u64,
    /// Refresh requests that came while another one with the same refresh token was not answered yet.
    pub concurrent_refreshes: u64,
    /// Refresh requests with a token that had been rotated away.
    pub reused_refresh_tokens: u64,
}

/// The requests seen since the start or the last reset.
#[derive(Debug, Default)]
pub(crate) struct RequestLog {
    seen: Vec<SeenRequest>,
    pub(crate) tokens: TokenCounts,
    refreshing: BTreeMap<String, u32>,
}

impl RequestLog {
    pub(crate) fn add(&mut self, request: SeenRequest) {
        if request.kind.is_salesforce() {
            self.seen.push(request);
        }
    }

    pub(crate) fn seen(&self) -> &[SeenRequest] {
        &self.seen
    }

    pub(crate) fn counts(&self) -> BTreeMap<RouteKind, usize> {
        let mut counts = BTreeMap::new();
        for request in &self.seen {
            *counts.entry(request.kind).or_default() += 1;
        }
        counts
    }

    pub(crate) fn clear(&mut self) {
        self.seen.clear();
        self.tokens = TokenCounts::default();
    }

    /// A refresh with this token begins. `false`: another one is under way.
    pub(crate) fn refresh_begins(&mut self, token: &str) -> bool {
        let under_way = self.refreshing.entry(token.to_owned()).or_default();
        *under_way += 1;
        let alone = *under_way == 1;
        self.tokens.concurrent_refreshes += u64::from(!alone);
        alone
    }

    /// A refresh with this token is done.
    pub(crate) fn refresh_ends(&mut self, token: &str) {
        if let Some(under_way) = self.refreshing.get_mut(token) {
            *under_way -= 1;
            if *under_way == 0 {
                self.refreshing.remove(token);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_tells_its_kind() {
        for (path, kind) in [
            ("/services/oauth2/token", RouteKind::Token),
            ("/services/data/", RouteKind::Versions),
            ("/services/data/v60.0/search/", RouteKind::Search),
            ("/services/data/v60.0/queryAll", RouteKind::Query),
            ("/services/data/v60.0/composite/sobjects", RouteKind::Composite),
            ("/services/data/v60.0/sobjects/Task", RouteKind::Sobject),
            ("/services/data/v60.0/limits", RouteKind::OtherData),
            ("/id/00D/005", RouteKind::Identity),
            ("/_sim/state", RouteKind::Control),
            ("/", RouteKind::Page),
        ] {
            assert_eq!(RouteKind::of(path), kind, "{path}");
        }
    }

    #[test]
    fn two_refreshes_with_one_token_at_once_are_counted() {
        let mut log = RequestLog::default();
        assert!(log.refresh_begins("one"));
        assert!(log.refresh_begins("another"));
        assert_eq!(log.tokens.concurrent_refreshes, 0);
        assert!(!log.refresh_begins("one"));
        assert_eq!(log.tokens.concurrent_refreshes, 1);
        log.refresh_ends("one");
        log.refresh_ends("one");
        assert!(log.refresh_begins("one"));
        assert_eq!(log.tokens.concurrent_refreshes, 1);
    }
}
