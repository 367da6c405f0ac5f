//! Cookies: read by name, set host-only.

use std::time::Duration;

use lambda_http::{
    Request,
    http::{HeaderValue, header},
};

/// The cookie with this name (RFC 6265 §5.4), if the browser sent it.
pub fn cookie<'a>(request: &'a Request, name: &str) -> Option<&'a str> {
    let headers = request.headers().get_all(header::COOKIE).into_iter();
    let pairs = headers.filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(';'));
    pairs.filter_map(|pair| pair.trim().split_once('=')).find(|(key, _)| *key == name).map(|(_, value)| value)
}

/// The value of a `Set-Cookie` header for only this host, only https, without access for scripts, and sent on
/// navigation from other sites (Salesforce redirects the browser back). `name` starts with `__Host-`, so that no
/// other host of the domain can set it. `None` if a character is not allowed.
pub fn host_cookie(name: &str, value: &str, lives: Duration) -> Option<HeaderValue> {
    debug_assert!(name.starts_with("__Host-"));
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"-_.~".contains(&b);
    if !value.bytes().all(allowed) {
        return None;
    }
    let seconds = lives.as_secs();
    let text = format!("{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; Secure; SameSite=Lax");
    HeaderValue::from_str(&text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::request::ApiRequest;

    #[test]
    fn a_cookie_is_found_by_its_whole_name() {
        let request = ApiRequest::get("/")
            .cookie("x__Host-flow", "no")
            .cookie("__Host-flow", "yes")
            .cookie("__Host-flow2", "no")
            .build();
        assert_eq!(cookie(&request, "__Host-flow"), Some("yes"));
        assert_eq!(cookie(&request, "other"), None);
        assert_eq!(cookie(&ApiRequest::get("/").build(), "__Host-flow"), None);
    }

    #[test]
    fn a_cookie_is_set_for_this_host_and_browser_only() {
        let header = host_cookie("__Host-flow", "abc-_1", Duration::from_mins(10)).unwrap();
        assert_eq!(header, "__Host-flow=abc-_1; Path=/; Max-Age=600; HttpOnly; Secure; SameSite=Lax");
        assert_eq!(host_cookie("__Host-flow", "a; Domain=example.com", Duration::ZERO), None);
    }
}
