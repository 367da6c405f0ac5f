//! How many of its daily API requests an org has used: a header of every response.

use crm::ApiUsage;
use reqwest::header::HeaderMap;

/// Parses `Sforce-Limit-Info: api-usage=25/5000; per-app-api-usage=17/250(appName=sample)` (REST API Developer Guide,
/// "Limit Info Header").
pub(crate) fn api_usage(headers: &HeaderMap) -> Option<ApiUsage> {
    let header = headers.get("sforce-limit-info")?.to_str().ok()?;
    let (used, limit) =
        header.split([';', ',']).find_map(|part| part.trim().strip_prefix("api-usage="))?.split_once('/')?;
    Some(ApiUsage { used: used.trim().parse().ok()?, limit: limit.trim().parse().ok()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usage(header: &str) -> Option<(u64, u64)> {
        let headers = HeaderMap::from_iter([("sforce-limit-info".parse().unwrap(), header.parse().unwrap())]);
        api_usage(&headers).map(|usage| (usage.used, usage.limit))
    }

    #[test]
    fn the_orgs_usage_is_parsed() {
        assert_eq!(usage("api-usage=18/5000"), Some((18, 5000)));
        assert_eq!(usage("api-usage=25/5000; per-app-api-usage=17/250(appName=sample)"), Some((25, 5000)));
        assert_eq!(usage("per-app-api-usage=17/250(appName=sample); api-usage=25/5000"), Some((25, 5000)));
    }

    #[test]
    fn a_header_without_the_orgs_usage_is_ignored() {
        for header in ["", "per-app-api-usage=17/250(appName=sample)", "api-usage=many/5000", "api-usage=5"] {
            assert_eq!(usage(header), None, "{header:?}");
        }
        assert_eq!(api_usage(&HeaderMap::new()), None);
    }
}
