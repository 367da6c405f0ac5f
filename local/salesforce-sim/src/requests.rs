//! The log of requests, and the detection of concurrent refreshes.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The path of the REST API.
pub(crate) const API_PATH: &str = "/services/data/v60.0";

/// The kind of a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum RouteKind {
    /// `/services/oauth2/authorize`.
    Authorize,
    /// `/services/oauth2/token`.
    Token,
    /// `/services/oauth2/revoke`.
    Revoke,
    /// `/id/…`.
    Identity,
    /// `/services/data/`: the versions and their resources.
    Versions,
    /// `…/search/`.
    Search,
    /// `…/query/` and `…/queryAll/`.
    Query,
    /// `…/composite`.
    Composite,
    /// `…/sobjects/…`.
    Sobject,
    /// Another route of the REST API.
    OtherData,
    /// `/_sim/…`.
    Control,
    /// The pages, and everything else.
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

/// A request that was received, without its query, body and headers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ReceivedRequest {
    /// When, by the virtual clock (RFC 3339).
    pub at: String,
    /// `POST`.
    pub method: String,
    /// The kind of route.
    pub kind: RouteKind,
    /// Without the query.
    pub path: String,
}

/// Counts of the token endpoint. A client that refreshes single-flight leaves the last two at 0.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TokenCounts {
    /// Token requests of both grant types.
    pub requests: u64,
    /// Refresh requests.
    pub refreshes: u64,
    /// Refresh requests that arrived while another one with the same refresh token was in progress.
    pub concurrent_refreshes: u64,
    /// Refresh requests with a token that had been rotated out.
    pub reused_refresh_tokens: u64,
}

/// The requests received since the start or the last reset.
#[derive(Debug, Default)]
pub(crate) struct RequestLog {
    received: Vec<ReceivedRequest>,
    pub(crate) tokens: TokenCounts,
    refreshing: BTreeMap<String, u32>,
}

impl RequestLog {
    pub(crate) fn add(&mut self, request: ReceivedRequest) {
        if request.kind.is_salesforce() {
            self.received.push(request);
        }
    }

    pub(crate) fn received(&self) -> &[ReceivedRequest] {
        &self.received
    }

    pub(crate) fn counts(&self) -> BTreeMap<RouteKind, usize> {
        let mut counts = BTreeMap::new();
        for request in &self.received {
            *counts.entry(request.kind).or_default() += 1;
        }
        counts
    }

    pub(crate) fn clear(&mut self) {
        self.received.clear();
        self.tokens = TokenCounts::default();
    }

    /// Records that a refresh with this token starts. Returns `false` if another one is in progress.
    pub(crate) fn refresh_started(&mut self, token: &str) -> bool {
        let in_progress = self.refreshing.entry(token.to_owned()).or_default();
        *in_progress += 1;
        let is_only_one = *in_progress == 1;
        self.tokens.concurrent_refreshes += u64::from(!is_only_one);
        is_only_one
    }

    /// Records that a refresh with this token has finished.
    pub(crate) fn refresh_finished(&mut self, token: &str) {
        if let Some(in_progress) = self.refreshing.get_mut(token) {
            *in_progress -= 1;
            if *in_progress == 0 {
                self.refreshing.remove(token);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_path_has_its_kind() {
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
    fn concurrent_refreshes_with_one_token_are_counted() {
        let mut log = RequestLog::default();
        assert!(log.refresh_started("one"));
        assert!(log.refresh_started("another"));
        assert_eq!(log.tokens.concurrent_refreshes, 0);
        assert!(!log.refresh_started("one"));
        assert_eq!(log.tokens.concurrent_refreshes, 1);
        log.refresh_finished("one");
        log.refresh_finished("one");
        assert!(log.refresh_started("one"));
        assert_eq!(log.tokens.concurrent_refreshes, 1);
    }
}
