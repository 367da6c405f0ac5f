//! From a code to a connection: the exchange, who the user is, and where the org is.

use std::{future::Future, time::Duration};

use calls::{
    crm::{CrmError, FaultClass},
    ids::WorkspaceId,
    phone,
    ports::{ClientSecretSource, TokenEndpoint},
};
use platform::stores::{NewConnection, OAuthFlow};
use salesforce::{Client, Grant, hosts::RefusedHost, pkce::Verifier};

/// How long a connect waits for the org's country: it is good to have, and somebody waits for the popup.
const COUNTRY_WITHIN: Duration = Duration::from_secs(5);

/// Turns a code into a connection.
pub trait Grants: Send + Sync {
    /// Exchanges the code of a flow, and asks who granted it.
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
        let (identity, country) =
            tokio::join!(self.identity(&grant), default_country(self, &flow.workspace_id, &grant));
        let identity = match identity {
            Ok(identity) => identity,
            Err(error) => {
                // Nobody will use the grant, and each user has five: unused ones push out others.
                if let Err(error) = self.revoke(login.as_str(), &refresh_token).await {
                    tracing::warn!(
                        workspace.id = %flow.workspace_id, error.code = %error.code,
                        "an unused grant could not be revoked; it ends when it is not used"
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

/// The org's country, if it has numbers of its own. Whatever goes wrong, the connect goes on without it.
async fn default_country<S: ClientSecretSource>(
    salesforce: &Client<S>,
    id: &WorkspaceId,
    grant: &Grant,
) -> Option<String> {
    let warn = |code: &str| {
        tracing::warn!(workspace.id = %id, error.code = code, "the org's country could not be read");
    };
    match tokio::time::timeout(COUNTRY_WITHIN, salesforce.country(grant)).await {
        Ok(Ok(country)) => phone::country_code(&country?),
        Ok(Err(error)) => {
            warn(&error.code);
            None
        }
        Err(_) => {
            warn("timeout");
            None
        }
    }
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
