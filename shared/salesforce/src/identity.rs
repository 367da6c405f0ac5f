//! The user behind a grant: the identity service (Salesforce Help, "Identity URLs").

use calls::{ids::SalesforceId, time_zone::TimeZone};
use crm::CrmError;
use reqwest::header::{ACCEPT, LOCATION};
use secrecy::ExposeSecret as _;
use serde::Deserialize;

use crate::{
    errors::{self, Effect},
    hosts::{IdentityUrl, RefusedHost},
    token_response::Grant,
    transport::{self, Response, Transport},
};

/// How many redirects to follow: one, from the login host to the org's own.
const REDIRECTS: u32 = 1;

/// The Salesforce user on whose behalf Ringlog writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Full name.
    pub display_name: Option<String>,
    /// Login name, which looks like an e-mail address.
    pub username: String,
    /// The user's time zone; `None` if the tz database does not have it. (`utcOffset` is no substitute: it ignores
    /// daylight saving time.)
    pub time_zone: Option<TimeZone>,
}

#[derive(Deserialize)]
struct IdentityResponse {
    user_id: String,
    organization_id: String,
    username: String,
    display_name: Option<String>,
    timezone: Option<String>,
}

/// Fetches the user that a grant belongs to.
pub(crate) async fn fetch(transport: &Transport, grant: &Grant) -> Result<Identity, CrmError> {
    let mut url = grant.identity.clone();
    for _ in 0..=REDIRECTS {
        let response = get(transport, &url, grant).await?;
        if !response.status.is_redirection() {
            return parse(&response, &grant.identity);
        }
        url = redirect_target(transport, &response, &url)?;
    }
    Err(errors::unexpected(Effect::Nothing))
}

async fn get(transport: &Transport, url: &IdentityUrl, grant: &Grant) -> Result<Response, CrmError> {
    let request = transport
        .http
        .get(url.url().clone())
        .bearer_auth(grant.tokens.access_token.expose_secret())
        .header(ACCEPT, "application/json");
    transport.send("identity", Effect::Nothing, request).await
}

/// The target of a redirect. As the token goes along, it must be the same user on a host of Salesforce.
fn redirect_target(
    transport: &Transport,
    response: &Response,
    from: &IdentityUrl,
) -> Result<IdentityUrl, CrmError> {
    let location = response.headers.get(LOCATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let target = from.url().join(location).ok().and_then(|url| transport.hosts.identity(url.as_str()).ok());
    target
        .filter(|target| target.org_id == from.org_id && target.user_id == from.user_id)
        .ok_or_else(|| transport::refused(RefusedHost::Identity))
}

fn parse(response: &Response, expected: &IdentityUrl) -> Result<Identity, CrmError> {
    if !response.status.is_success() {
        return Err(errors::rest(response.status, &response.body, Effect::Nothing));
    }
    let identity: IdentityResponse = transport::parse(&response.body, Effect::Nothing)?;
    let same = |id: String, expected: &SalesforceId| SalesforceId::parse(id).is_ok_and(|id| id == *expected);
    if !same(identity.user_id, &expected.user_id) || !same(identity.organization_id, &expected.org_id) {
        return Err(errors::unexpected(Effect::Nothing));
    }
    Ok(Identity {
        display_name: identity.display_name.filter(|name| !name.is_empty()),
        username: identity.username,
        time_zone: identity.timezone.and_then(|name| name.parse().ok()),
    })
}
