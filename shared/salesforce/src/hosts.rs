//! Where credentials may go (docs/contract.md#where-credentials-may-go): the one place that decides whether a host may
//! receive a user's login, a token or our client secret.

use calls::{codes::faults, ids::SalesforceId};
use url::{Host, Url};

/// A URL that credentials may not go to. The text states the rule but not the URL, which may contain credentials.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RefusedHost {
    /// Users may not log in there.
    #[error(
        "the login URL must be https://login.salesforce.com, https://test.salesforce.com, or an address of the org: its My Domain (https://<name>.my.salesforce.com) or the address of a page in Lightning or Setup"
    )]
    Login,
    /// Access tokens may not go there.
    #[error("the instance URL is not an https address of Salesforce")]
    Instance,
    /// It is not the URL of a Salesforce user.
    #[error("the identity URL is not that of a Salesforce user")]
    Identity,
}

impl RefusedHost {
    /// A stable code for responses and logs.
    pub fn code(self) -> &'static str {
        match self {
            Self::Login => faults::LOGIN_URL_REFUSED.code,
            Self::Instance => faults::INSTANCE_URL_REFUSED.code,
            Self::Identity => faults::IDENTITY_URL_REFUSED.code,
        }
    }
}

/// The origin where users log in and tokens are issued, refreshed and revoked: `https://login.salesforce.com`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoginUrl(String);

/// The origin of an org's data: `https://acme.my.salesforce.com`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstanceUrl(String);

impl LoginUrl {
    /// The origin, without a trailing slash.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether users of every org log in there. Any other host is the My Domain of one org.
    pub fn is_shared(&self) -> bool {
        ["https://login.salesforce.com", "https://test.salesforce.com"].contains(&self.as_str())
    }
}

impl InstanceUrl {
    /// The origin, without a trailing slash.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The `id` URL of a token response, which names the user: `https://login.salesforce.com/id/<org>/<user>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdentityUrl {
    url: Url,
    /// The org.
    pub org_id: SalesforceId,
    /// The user.
    pub user_id: SalesforceId,
}

impl IdentityUrl {
    /// The URL.
    pub fn url(&self) -> &Url {
        &self.url
    }
}

/// The rules of this deployment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hosts {
    deployment: LoginUrl,
    /// Whether plain http to this machine is allowed: only if the deployment's own login URL is there.
    loopback: bool,
}

impl Hosts {
    /// The rules of a deployment whose `SalesforceLoginUrl` is `text`.
    pub fn of_deployment(text: &str) -> Result<Self, RefusedHost> {
        let url = parse(text).ok_or(RefusedHost::Login)?;
        let loopback = is_loopback(&url);
        if !loopback && !is_login(&url) {
            return Err(RefusedHost::Login);
        }
        let deployment = LoginUrl(origin(&url).ok_or(RefusedHost::Login)?);
        Ok(Self { deployment, loopback })
    }

    /// The deployment's login URL, for workspaces that have set no other.
    pub fn deployment(&self) -> &LoginUrl {
        &self.deployment
    }

    /// Parses a login URL. People may also type a bare host (`acme.my.salesforce.com`), which means https, or paste the
    /// address of any page of the org (`https://acme.lightning.force.com/lightning/page/home`), which becomes the org's
    /// My Domain.
    pub fn login(&self, text: &str) -> Result<LoginUrl, RefusedHost> {
        let text = text.trim();
        let url = if has_scheme(text) { parse_page(text) } else { parse_page(&format!("https://{text}")) };
        let url = url.ok_or(RefusedHost::Login)?;
        my_domain(&url).or_else(|| self.login_page(&url)).map(LoginUrl).ok_or(RefusedHost::Login)
    }

    /// The origin, if the URL is that of a login page, or of this machine, and nothing more.
    fn login_page(&self, url: &Url) -> Option<String> {
        let is_allowed = is_login(url) || self.is_own_loopback(url);
        if is_allowed && url.fragment().is_none() { origin(url) } else { None }
    }

    /// Parses an instance URL.
    pub fn instance(&self, text: &str) -> Result<InstanceUrl, RefusedHost> {
        parse(text)
            .filter(|url| self.is_instance(url))
            .and_then(|url| origin(&url))
            .map(InstanceUrl)
            .ok_or(RefusedHost::Instance)
    }

    /// Parses the `id` of a token response: a Salesforce host and exactly the path `/id/<org>/<user>`.
    pub fn identity(&self, text: &str) -> Result<IdentityUrl, RefusedHost> {
        let url = parse(text).filter(|url| self.is_instance(url)).ok_or(RefusedHost::Identity)?;
        let ids = url.path().strip_prefix("/id/").and_then(|ids| ids.split_once('/'));
        let (org, user) = ids.ok_or(RefusedHost::Identity)?;
        let org_id = SalesforceId::parse(org).map_err(|_| RefusedHost::Identity)?;
        let user_id = SalesforceId::parse(user).map_err(|_| RefusedHost::Identity)?;
        if org_id.key_prefix() != "00D" || user_id.key_prefix() != "005" {
            return Err(RefusedHost::Identity);
        }
        Ok(IdentityUrl { url, org_id, user_id })
    }

    fn is_instance(&self, url: &Url) -> bool {
        const SUFFIXES: [&str; 4] = [".salesforce.com", ".force.com", ".salesforce.mil", ".cloudforce.com"];
        let under = |host| SUFFIXES.iter().any(|suffix| is_under(host, suffix));
        https_host(url).is_some_and(under) || self.is_own_loopback(url)
    }

    fn is_own_loopback(&self, url: &Url) -> bool {
        self.loopback && is_loopback(url)
    }
}

/// Whether a text begins with a scheme, rather than having a URL somewhere in its path or query.
fn has_scheme(text: &str) -> bool {
    text.find("://").is_some_and(|end| !text[..end].contains(['/', '?', '#']))
}

/// Parses a URL that has no fragment.
fn parse(text: &str) -> Option<Url> {
    parse_page(text).filter(|url| url.fragment().is_none())
}

/// Parses a URL that leads where it seems to lead. Like a browser, the `url` crate drops tabs and line breaks, reads `\`
/// as `/`, and accepts `https:/host`. Nobody writes those on purpose, so they are refused.
fn parse_page(text: &str) -> Option<Url> {
    let plain = text.bytes().all(|b| b.is_ascii_graphic() && b != b'\\');
    let url = Url::parse(text).ok().filter(|_| plain)?;
    let (scheme, rest) = text.split_once("://")?;
    // Parsing drops an empty userinfo (`https://@host`).
    let authority = rest.split(['/', '?', '#']).next()?;
    let is_honest = scheme.eq_ignore_ascii_case(url.scheme())
        && !authority.is_empty()
        && !authority.contains('@')
        && !rest.contains("..");
    is_honest.then_some(url)
}

/// The origin of the My Domain that a page belongs to (Help, "My Domain URL Formats"): `acme.lightning.force.com`,
/// `acme--dev.sandbox.my.salesforce-setup.com`.
fn my_domain(url: &Url) -> Option<String> {
    const PAGES: [&str; 3] = [".my.salesforce.com", ".lightning.force.com", ".my.salesforce-setup.com"];
    let host = https_host(url)?;
    let suffix = PAGES.into_iter().find(|suffix| is_under(host, suffix))?;
    Some(format!("https://{}.my.salesforce.com", host.strip_suffix(suffix)?))
}

/// The origin of a URL that has neither path nor query.
fn origin(url: &Url) -> Option<String> {
    (url.path() == "/" && url.query().is_none()).then(|| url.origin().ascii_serialization())
}

/// The host name of an https URL on the default port.
fn https_host(url: &Url) -> Option<&str> {
    match url.host() {
        Some(Host::Domain(host)) if url.scheme() == "https" && url.port().is_none() => Some(host),
        _ => None,
    }
}

fn is_login(url: &Url) -> bool {
    https_host(url).is_some_and(|host| {
        matches!(host, "login.salesforce.com" | "test.salesforce.com") || is_under(host, ".my.salesforce.com")
    })
}

/// Whether `host` is one or more valid labels followed by `suffix`.
fn is_under(host: &str, suffix: &str) -> bool {
    let label = |l: &str| !l.is_empty() && l.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    host.strip_suffix(suffix).is_some_and(|labels| labels.split('.').all(label))
}

fn is_loopback(url: &Url) -> bool {
    url.scheme() == "http"
        && match url.host() {
            Some(Host::Domain(name)) => name == "localhost",
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn production() -> Hosts {
        Hosts::of_deployment("https://login.salesforce.com").unwrap()
    }

    fn local() -> Hosts {
        Hosts::of_deployment("http://127.0.0.1:8081").unwrap()
    }

    /// Never a login URL or an instance URL, wherever the deployment logs in.
    const NEVER: &[&str] = &[
        "",
        "https://",
        "https://evil.example",
        "https://login.salesforce.com.evil.example",
        "https://evillogin.salesforce.com.",
        "https://evilsalesforce.com",
        "https://salesforce.com",
        "https://my-salesforce.com",
        "https://.my.salesforce.com",
        "https://a..my.salesforce.com",
        "https://login.salesforce.com@evil.example",
        "https://user@login.salesforce.com",
        "https://user:pass@login.salesforce.com",
        "https://@login.salesforce.com",
        "https://:@login.salesforce.com",
        "https://evil.example/login.salesforce.com",
        "https://evil.example?login.salesforce.com",
        "https://evil.example#login.salesforce.com",
        "https://evil.example\\.my.salesforce.com",
        "https://login.salesforce.com\\@evil.example",
        "https://login.salesforce.com:8443",
        "https://login.salesforce.com/services",
        "https://login.salesforce.com//evil.example",
        "https://login.salesforce.com/..;/x",
        "https://login.salesforce.com?x=1",
        "https://login.salesforce.com#x",
        "https://login.sales\nforce.com",
        "https://login.\tsalesforce.com",
        "https://login.salesforce.com%2eevil.example",
        "https://acme_x.my.salesforce.com",
        "http://login.salesforce.com",
        "http://acme.my.salesforce.com",
        "ftp://login.salesforce.com",
        "javascript://login.salesforce.com/%0aalert(1)",
        "data:text/html,x",
        "//login.salesforce.com",
        "https://127.0.0.1",
        "https://localhost",
        "https://[::1]",
        "http://169.254.169.254",
        "http://10.0.0.1",
        "http://0.0.0.0",
        "http://localhost.evil.example",
        "http://localhost@evil.example",
        "http://127.0.0.1.evil.example",
        "http://user@127.0.0.1:8081",
        "http://127.0.0.1:8081/x",
        "http://[::ffff:10.0.0.1]",
        "ｈttps://login.salesforce.com",
        "https://lögin.my.salesforce.com",
    ];

    #[test]
    fn hosts_that_only_look_like_salesforce_are_refused() {
        for hosts in [production(), local()] {
            for text in NEVER {
                assert_eq!(hosts.login(text), Err(RefusedHost::Login), "login {text:?}");
                assert_eq!(hosts.instance(text), Err(RefusedHost::Instance), "instance {text:?}");
            }
        }
        for text in NEVER {
            assert!(Hosts::of_deployment(text).is_err(), "deployment {text:?}");
        }
    }

    #[test]
    fn login_hosts_are_salesforces_own_and_my_domains() {
        for (text, origin) in [
            ("https://login.salesforce.com", "https://login.salesforce.com"),
            ("https://login.salesforce.com/", "https://login.salesforce.com"),
            ("https://login.salesforce.com:443", "https://login.salesforce.com"),
            ("HTTPS://Login.Salesforce.com", "https://login.salesforce.com"),
            ("https://test.salesforce.com", "https://test.salesforce.com"),
            ("https://acme.my.salesforce.com", "https://acme.my.salesforce.com"),
            ("https://acme--uat.sandbox.my.salesforce.com", "https://acme--uat.sandbox.my.salesforce.com"),
            ("acme.my.salesforce.com", "https://acme.my.salesforce.com"),
            (" acme.my.salesforce.com/ ", "https://acme.my.salesforce.com"),
        ] {
            assert_eq!(production().login(text).map(|url| url.0), Ok(origin.to_owned()), "{text:?}");
        }
    }

    #[test]
    fn a_pasted_address_of_an_org_becomes_its_my_domain() {
        for (text, name) in [
            ("https://acme.lightning.force.com/lightning/page/home", "acme"),
            ("https://acme.lightning.force.com", "acme"),
            ("acme.lightning.force.com/lightning/o/Lead/list?filterName=Recent", "acme"),
            ("HTTPS://Acme.Lightning.Force.com/", "acme"),
            (
                "https://acme--dev.sandbox.lightning.force.com/lightning/setup/SetupOneHome/home",
                "acme--dev.sandbox",
            ),
            (
                "https://acme-dev-ed.develop.lightning.force.com/one/one.app#/sObject/001/view",
                "acme-dev-ed.develop",
            ),
            ("https://acme.my.salesforce-setup.com/lightning/setup/SetupOneHome/home", "acme"),
            (
                "https://acme--dev.sandbox.my.salesforce-setup.com/lightning/setup/OrgDomain/home",
                "acme--dev.sandbox",
            ),
            ("https://acme.my.salesforce.com/setup/forcecomHomepage.apexp?x=1#y", "acme"),
            ("https://acme.my.salesforce.com?ec=302", "acme"),
            ("https://acme.my.salesforce.com#y", "acme"),
            ("acme.my.salesforce.com/?startURL=https://evil.example/", "acme"),
            (" https://acme--uat.sandbox.my.salesforce.com/home/home.jsp ", "acme--uat.sandbox"),
        ] {
            let origin = format!("https://{name}.my.salesforce.com");
            assert_eq!(production().login(text).map(|url| url.0), Ok(origin), "{text:?}");
            assert!(
                Hosts::of_deployment(text.trim()).is_err(),
                "the deployment's own URL must be exact: {text:?}"
            );
        }
    }

    /// Looks like the address of an org's page, but is not.
    const NEARLY_PASTED: &[&str] = &[
        "http://acme.lightning.force.com/lightning/page/home",
        "https://lightning.force.com/lightning/page/home",
        "https://.lightning.force.com",
        "https://a..lightning.force.com",
        "https://acme_x.lightning.force.com",
        "https://acme.lightning.force.com.",
        "https://acme.lightning.force.com:8443/lightning",
        "https://acme.lightning.force.com.evil.example/lightning",
        "https://evillightning.force.com/lightning",
        "https://acme.force.com/lightning",
        "https://acme.my.salesforce-setup.com.evil.example",
        "https://my.salesforce-setup.com",
        "https://acme.salesforce-setup.com",
        "https://acme.my.site.com/lightning",
        "https://acme--c.vf.force.com/apex/page",
        "https://na1.salesforce.com/home/home.jsp",
        "https://test.salesforce.com/?un=x",
        "https://user@acme.lightning.force.com/lightning",
        "https://@acme.lightning.force.com/lightning",
        "https://acme.lightning.force.com@evil.example/lightning",
        "https:/user@acme.my.salesforce.com/x://y",
        "https:acme.my.salesforce.com/x://y",
        "https:///acme.my.salesforce.com/x",
        "//acme.my.salesforce.com/x",
        "https://evil.example/acme.lightning.force.com",
        "https://evil.example?acme.lightning.force.com",
        "https://evil.example#.my.salesforce.com",
        "https://evil.example\\.my.salesforce.com/x",
        "https://acme.my.salesforce.com\\@evil.example",
        "https://acme.my.salesforce.com/x\\y",
        "https://acme.my.salesforce.com/\tx",
        "https://acme.my.sales\nforce.com/x",
        "https://acme.my.salesforce.com/a b",
        "https://acme.my.salesforce.com/../x",
        "https://acme.my.salesforce.com/..;/x",
        "https://acme.my.salesforce.com%2fevil.example/x",
        "https://acme.my.salesforce.com%00.evil.example/x",
        "javascript://acme.my.salesforce.com/%0aalert(1)",
        "data:text/html,//acme.my.salesforce.com/x",
        "https://äcme.my.salesforce.com/x",
    ];

    #[test]
    fn an_address_that_only_looks_like_an_orgs_page_is_refused() {
        for hosts in [production(), local()] {
            for text in NEARLY_PASTED {
                assert_eq!(hosts.login(text), Err(RefusedHost::Login), "{text:?}");
            }
        }
    }

    proptest! {
        #[test]
        fn an_accepted_login_url_is_a_bare_login_origin(
            parts in prop::collection::vec(
                prop_oneof![
                    prop::sample::select(vec![
                        "https://", "http://", "https:", "//", "/", "\\", "@", ":", ":443", ":8443", "?", "#", ".", "..", "%2e",
                        "acme", "a--b.sandbox", "user", "evil.example", "login.salesforce.com", "test.salesforce.com",
                        ".my.salesforce.com", ".lightning.force.com", ".my.salesforce-setup.com", "lightning/page/home",
                        "\t", "\u{202e}", "。", "[::1]", "127.0.0.1",
                    ])
                    .prop_map(str::to_owned),
                    "[ -~]{0,3}",
                ],
                1..9,
            ),
        ) {
            let text = parts.concat();
            if let Ok(url) = production().login(&text) {
                prop_assert!(Hosts::of_deployment(url.as_str()).is_ok(), "{text:?} became {url:?}");
                prop_assert_eq!(production().login(url.as_str()), Ok(url));
            }
        }
    }

    #[test]
    fn instances_outside_my_salesforce_com_are_not_login_hosts() {
        for text in
            ["https://na1.salesforce.com", "https://acme.salesforce.mil", "https://acme.cloudforce.com"]
        {
            assert_eq!(production().login(text), Err(RefusedHost::Login), "{text:?}");
            assert_eq!(production().instance(text).map(|url| url.0), Ok(text.to_owned()));
        }
        assert!(production().instance("acme.my.salesforce.com").is_err(), "Salesforce sends the scheme");
    }

    #[test]
    fn loopback_is_accepted_only_where_the_deployment_logs_in_there() {
        for text in ["http://127.0.0.1:8081", "http://localhost:9", "http://[::1]:8081", "http://127.0.0.1"] {
            assert!(production().login(text).is_err(), "{text:?}");
            assert!(production().instance(text).is_err(), "{text:?}");
            assert_eq!(local().login(text).map(|url| url.0), Ok(text.to_owned()));
            assert_eq!(local().instance(text).map(|url| url.0), Ok(text.to_owned()));
            assert!(Hosts::of_deployment(text).is_ok());
        }
        assert!(local().login("https://login.salesforce.com").is_ok());
    }

    #[test]
    fn an_identity_url_names_an_org_and_a_user() {
        let good = "https://login.salesforce.com/id/00Dxx0000000001EAA/005xx000001Sv6AAAS";
        let identity = production().identity(good).unwrap();
        assert_eq!(identity.org_id.key_prefix(), "00D");
        assert_eq!(identity.user_id.key_prefix(), "005");
        for bad in [
            "https://login.salesforce.com.evil.example/id/00Dxx0000000001EAA/005xx000001Sv6AAAS",
            "http://login.salesforce.com/id/00Dxx0000000001EAA/005xx000001Sv6AAAS",
            "https://login.salesforce.com:8443/id/00Dxx0000000001EAA/005xx000001Sv6AAAS",
            "https://x@login.salesforce.com/id/00Dxx0000000001EAA/005xx000001Sv6AAAS",
            "https://login.salesforce.com/id/00Dxx0000000001EAA/005xx000001Sv6AAAS/more",
            "https://login.salesforce.com/id/00Dxx0000000001EAA",
            "https://login.salesforce.com/id/005xx000001Sv6AAAS/00Dxx0000000001EAA",
            "https://login.salesforce.com/redirect/00Dxx0000000001EAA/005xx000001Sv6AAAS",
            "http://127.0.0.1:8081/id/00Dxx0000000001EAA/005xx000001Sv6AAAS",
        ] {
            assert_eq!(production().identity(bad), Err(RefusedHost::Identity), "{bad:?}");
        }
        assert!(local().identity("http://127.0.0.1:8081/id/00Dxx0000000001EAA/005xx000001Sv6AAAS").is_ok());
    }
}
