//! From a code to a connection: exchanges it, reads user and org, and checks that the org has the API.

use std::{future::Future, time::Duration};

use calls::{codes::faults, ids::WorkspaceId};
use crm::{CrmError, FaultClass, phone};
use platform::stores::{NewConnection, OAuthFlow};
use salesforce::{Client, Grant, Identity, hosts::RefusedHost, pkce::Verifier};
use worker::ports::{ClientSecretSource, TokenEndpoint};

use crate::refusal;

/// How long a connect waits for the org's country: it is optional, and somebody is waiting for the popup.
const COUNTRY_TIMEOUT: Duration = Duration::from_secs(5);

/// Turns a code into a connection.
pub trait Grants: Send + Sync {
    /// Exchanges the flow's code, and reads who granted it and whether the API is available.
    fn grant(
        &self,
        flow: &OAuthFlow,
        code: &str,
    ) -> impl Future<Output = Result<NewConnection, CrmError>> + Send;
}

impl<S: ClientSecretSource> Grants for Client<S> {
    async fn grant(&self, flow: &OAuthFlow, code: &str) -> Result<NewConnection, CrmError> {
        let login = self.hosts().login(&flow.login_url).map_err(refused)?;
        let verifier = Verifier::parse(flow.code_verifier.clone()).map_err(|error| unusable(&error))?;
        let grant = self.exchange(&login, code, &flow.redirect_uri, &verifier).await?;
        let Some(refresh_token) = grant.tokens.refresh_token.clone() else {
            return Err(unusable(&"Salesforce gave no refresh token"));
        };
        let (identity, country) = match user_and_country(self, &flow.workspace_id, &grant).await {
            Ok(user_and_country) => user_and_country,
            Err(error) => {
                // The grant will not be used, and each user has only five: unused ones displace others.
                if let Err(error) = self.revoke(login.as_str(), &refresh_token).await {
                    tracing::warn!(
                        workspace.id = %flow.workspace_id, error.code = %error.code,
                        "an unused grant could not be revoked; it ends when it has been idle long enough"
                    );
                }
                return Err(error);
            }
        };
        Ok(NewConnection {
            login_url: login.as_str().to_owned(),
            org_id: grant.identity.org_id,
            user_id: grant.identity.user_id,
            user_name: identity.display_name.or(Some(identity.username)),
            instance_url: grant.tokens.instance_url,
            access_token: grant.tokens.access_token,
            refresh_token,
            issued_at: grant.tokens.issued_at,
            time_zone: identity.time_zone,
            country,
        })
    }
}

/// The user who granted access, and the org's country. A user or org without the API is an error, because no call
/// could be logged.
async fn user_and_country<S: ClientSecretSource>(
    salesforce: &Client<S>,
    id: &WorkspaceId,
    grant: &Grant,
) -> Result<(Identity, Option<String>), CrmError> {
    let (identity, country) =
        tokio::join!(salesforce.identity(grant), default_country(salesforce, id, grant));
    let country = country?;
    Ok((identity?, country))
}

/// The org's country, if it has phone numbers of its own. This is the first read through the API, so it shows whether
/// org and user have the API. Any other failure only leaves the country unknown.
async fn default_country<S: ClientSecretSource>(
    salesforce: &Client<S>,
    id: &WorkspaceId,
    grant: &Grant,
) -> Result<Option<String>, CrmError> {
    let code = match tokio::time::timeout(COUNTRY_TIMEOUT, salesforce.country(grant)).await {
        Ok(Ok(country)) => return Ok(country.and_then(|country| phone::country_code(&country))),
        Ok(Err(error)) if refusal::lacks_api(&error) => return Err(error),
        Ok(Err(error)) => error.code,
        Err(_) => faults::TIMEOUT.code.to_owned(),
    };
    tracing::warn!(workspace.id = %id, error.code = code, "the org's country could not be read");
    Ok(None)
}

fn refused(error: RefusedHost) -> CrmError {
    CrmError { code: error.code().to_owned(), ..unusable(&error) }
}

fn unusable(why: &dyn std::fmt::Display) -> CrmError {
    CrmError {
        class: FaultClass::Permanent,
        code: "unusable_flow".to_owned(),
        message: why.to_string(),
        fields: Vec::new(),
        status: None,
        object: None,
        records: Vec::new(),
    }
}

#[cfg(test)]
mod tests;
