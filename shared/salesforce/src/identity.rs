//! Who connected: the identity service (Salesforce Help, "Identity URLs").

use calls::ports::ClientSecretSource;
use calls::{crm::CrmError, ids::SalesforceId, time_zone::TimeZone};
use reqwest::header::{ACCEPT, LOCATION};
use secrecy::ExposeSecret as _;
use serde::Deserialize;

use crate::{
    client::Client,
    errors::{self, Effect},
    hosts::{IdentityUrl, RefusedHost},
    token_answer::Grant,
    transport::{self, Response},
};

/// How often the identity service may send us on: once, from the login host to the org's own.
const REDIRECTS: u32 = 1;

/// The Salesforce user in whose name Ringlog writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Name for people.
    pub display_name: Option<String>,
    /// Login name, which looks like an e-mail address.
    pub username: String,
    /// The user's time zone. `None` where Salesforce names one that the tz database does not have. (`utcOffset` is no
    /// help: it knows no daylight saving time.)
    pub time_zone: Option<TimeZone>,
}

#[derive(Deserialize)]
struct Answer {
    user_id: String,
    organization_id: String,
    username: String,
    display_name: Option<String>,
    timezone: Option<String>,
}

impl<S: ClientSecretSource> Client<S> {
    /// Asks who the user of a grant is.
    pub async fn identity(&self, grant: &Grant) -> Result<Identity, CrmError> {
        let mut at = grant.identity.clone();
        for _ in 0..=REDIRECTS {
            let response = self.ask_identity(&at, grant).await?;
            if !response.status.is_redirection() {
                return read(&response, &grant.identity);
            }
            at = self.next(&response, &at)?;
        }
        Err(errors::unexpected(Effect::Nothing))
    }

    async fn ask_identity(&self, at: &IdentityUrl, grant: &Grant) -> Result<Response, CrmError> {
        let request = self
            .http
            .get(at.url().clone())
            .bearer_auth(grant.tokens.access_token.expose_secret())
            .header(ACCEPT, "application/json");
        self.send("identity", Effect::Nothing, request).await
    }

    /// Where a redirect leads, if it leads to the same user at a host of Salesforce: the token goes along.
    fn next(&self, response: &Response, from: &IdentityUrl) -> Result<IdentityUrl, CrmError> {
        let location =
            response.headers.get(LOCATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let next = from.url().join(location).ok().and_then(|url| self.hosts().identity(url.as_str()).ok());
        next.filter(|next| next.org_id == from.org_id && next.user_id == from.user_id)
            .ok_or_else(|| transport::refused(RefusedHost::Identity))
    }
}

fn read(response: &Response, of: &IdentityUrl) -> Result<Identity, CrmError> {
    if !response.status.is_success() {
        return Err(errors::rest(response.status, &response.body, Effect::Nothing));
    }
    let answer: Answer = transport::parse(&response.body, Effect::Nothing)?;
    let same = |id: String, expected: &SalesforceId| SalesforceId::parse(id).is_ok_and(|id| id == *expected);
    if !same(answer.user_id, &of.user_id) || !same(answer.organization_id, &of.org_id) {
        return Err(errors::unexpected(Effect::Nothing));
    }
    Ok(Identity {
        display_name: answer.display_name.filter(|name| !name.is_empty()),
        username: answer.username,
        time_zone: answer.timezone.and_then(|name| name.parse().ok()),
    })
}
