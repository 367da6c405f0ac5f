//! Starts a connect flow: creates a state, a verifier and a cookie, and sends the user to Salesforce.

use api::oauth_initiate::Authorization;
use calls::{ids::WorkspaceId, timings::FLOW_LASTS};
use lambda_http::{Body, Request, RequestExt, Response, http::header};
use platform::{
    hashed::Hashed,
    http::{CallerRules, Problem, ProblemCode, PublicAddress, host_cookie, json},
    routes::{self, OAUTH_COOKIE},
    stores::{NewState, OAuthFlow, OAuthStates, SettingsView},
};
use salesforce::{
    hosts::{Hosts, LoginUrl, RefusedHost},
    oauth::{Flow, authorize_url},
    pkce::Verifier,
};
use worker::ports::{Clock, Random};

/// The handler's dependencies.
pub struct Initiate<W, S, K, R> {
    /// Who may connect.
    pub callers: CallerRules,
    /// The address that Salesforce redirects the user to.
    pub address: PublicAddress,
    /// Where users may log in.
    pub hosts: Hosts,
    /// Our consumer key.
    pub client_id: String,
    /// The workspaces' own login URLs.
    pub settings: W,
    /// Flows in progress.
    pub states: S,
    /// The time.
    pub clock: K,
    /// Randomness.
    pub random: R,
}

impl<W: SettingsView, S: OAuthStates, K: Clock, R: Random> Initiate<W, S, K, R> {
    /// Handles a request.
    pub async fn handle(&self, request: Request) -> Response<Body> {
        self.start(&request).await.unwrap_or_else(Problem::into_response)
    }

    async fn start(&self, request: &Request) -> Result<Response<Body>, Problem> {
        let workspace_id = self.callers.admin(request)?.workspace_id;
        let login = self.login_url(request, &workspace_id).await?;
        let redirect_uri = routes::OAUTH_CALLBACK.on(&self.address.of(request)?);
        let verifier = Verifier::generate().map_err(|error| Problem::internal().because(error))?;
        let (state, cookie) = (self.random.id(), self.random.id());
        let challenge = verifier.challenge();
        let flow = Flow { redirect_uri: &redirect_uri, state: &state, challenge: &challenge };
        let auth_url = authorize_url(&self.client_id, &login, &flow);
        self.states
            .put(&NewState {
                state_hash: Hashed::of(&state),
                cookie_hash: Hashed::of(&cookie),
                flow: OAuthFlow {
                    workspace_id,
                    code_verifier: verifier.secret().clone(),
                    redirect_uri: redirect_uri.clone(),
                    login_url: login.as_str().to_owned(),
                },
                expires_at: (self.clock.now() + FLOW_LASTS).timestamp(),
            })
            .await?;
        let mut response = json(200, &Authorization { auth_url });
        let set_cookie = host_cookie(OAUTH_COOKIE, &cookie, FLOW_LASTS)
            .ok_or_else(|| Problem::internal().because("the random cookie has an invalid character"))?;
        response.headers_mut().insert(header::SET_COOKIE, set_cookie);
        Ok(response)
    }

    /// The requested login host, or the workspace's, or the deployment's.
    async fn login_url(&self, request: &Request, id: &WorkspaceId) -> Result<LoginUrl, Problem> {
        let query = request.query_string_parameters_ref();
        let refused = |error: RefusedHost| {
            Problem::new(ProblemCode::LoginUrlRefused, format!("loginUrl is refused: {error}."))
        };
        if let Some(requested) =
            query.and_then(|query| query.first("loginUrl")).filter(|requested| !requested.is_empty())
        {
            return self.hosts.login(requested).map_err(refused);
        }
        match self.settings.settings(id).await?.login_url {
            Some(own) => self.hosts.login(&own).map_err(refused),
            None => Ok(self.hosts.deployment().clone()),
        }
    }
}
