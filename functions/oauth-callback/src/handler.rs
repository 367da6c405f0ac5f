//! Finishes a connect flow: Salesforce redirects the user here with a code, or with an error.

use std::time::Duration;

use api::oauth_callback::{ConnectMessage, Connected};
use calls::ids::WorkspaceId;
use chrono::{DateTime, Utc};
use lambda_http::{
    Body, Request, RequestExt, Response,
    aws_lambda_events::query_map::QueryMap,
    http::{StatusCode, header},
};
use platform::{
    hashed::Hashed,
    http::{Problem, ProblemCode, cookie, host_cookie, json},
    lambda::request_deadline,
    routes::OAUTH_COOKIE,
    stores::{Connections, NewConnection, OAuthFlow, OAuthStates, OldGrant, TakeError},
};
use worker::{
    connection::end_grant,
    jobs::Resume,
    message::Queued as _,
    ports::{Clock, Queue, TokenEndpoint},
};

use crate::{grants::Grants, popup, refusal};

/// The handler's dependencies.
pub struct Callback<S, C, G, Q, K> {
    /// Flows in progress.
    pub states: S,
    /// The settings table.
    pub connections: C,
    /// Salesforce.
    pub salesforce: G,
    /// The calls queue, to wake calls that waited for the connection.
    pub queue: Q,
    /// The only origin that receives the result.
    pub dashboard_url: String,
    /// The time.
    pub clock: K,
}

impl<S, C, G, Q, K> Callback<S, C, G, Q, K>
where
    S: OAuthStates,
    C: Connections,
    G: Grants + TokenEndpoint,
    Q: Queue,
    K: Clock,
{
    /// Handles a request. Responds with a page for a popup, and with JSON for a program.
    pub async fn handle(&self, request: Request) -> Response<Body> {
        let flow = self.take(&request).await;
        // Only a taken flow has no more use for its cookie: a callback of another flow must not end the one in
        // progress.
        let taken = flow.is_ok();
        let finished = match flow {
            Ok(flow) => self.finish(&request, &flow).await,
            Err(problem) => Err(problem),
        };
        let mut response = if prefers_html(&request) {
            self.page(&finished)
        } else {
            match finished {
                Ok(instance_url) => json(200, &Connected { success: true, instance_url }),
                Err(problem) => problem.into_response(),
            }
        };
        if let Some(expired_cookie) = host_cookie(OAUTH_COOKIE, "", Duration::ZERO).filter(|_| taken) {
            response.headers_mut().insert(header::SET_COOKIE, expired_cookie);
        }
        response
    }

    fn page(&self, finished: &Result<String, Problem>) -> Response<Body> {
        let (status, message) = match finished {
            Ok(_) => {
                (StatusCode::OK, ConnectMessage::connected("Calls are logged in Salesforce from now on."))
            }
            Err(problem) => {
                problem.log();
                let status = StatusCode::from_u16(problem.status()).unwrap_or(StatusCode::BAD_REQUEST);
                (status, ConnectMessage::refused(problem.code(), problem.detail()))
            }
        };
        popup::page(status, &message, &self.dashboard_url)
    }

    /// Takes the request's flow. It can be taken only once.
    async fn take(&self, request: &Request) -> Result<OAuthFlow, Problem> {
        let query = request.query_string_parameters();
        let state = parameter(&query, "state").ok_or_else(|| missing("state"))?;
        let cookie = cookie(request, OAUTH_COOKIE).ok_or(TakeError::WrongBrowser)?;
        let now = self.clock.now().timestamp();
        Ok(self.states.take(&Hashed::of(state), &Hashed::of(cookie), now).await?)
    }

    /// Connects the flow's workspace. Returns the org's URL.
    async fn finish(&self, request: &Request, flow: &OAuthFlow) -> Result<String, Problem> {
        let query = request.query_string_parameters();
        if let Some(error) = parameter(&query, "error") {
            tracing::info!(workspace.id = %flow.workspace_id, "Salesforce refused the authorization");
            return Err(refusal::of_redirect(error, parameter(&query, "error_description")));
        }
        let code = parameter(&query, "code").ok_or_else(|| missing("code"))?;
        let connection = self.salesforce.grant(flow, code).await.map_err(|error| {
            tracing::warn!(
                workspace.id = %flow.workspace_id, error.code = %error.code, error.status = error.status,
                "Salesforce did not grant tokens"
            );
            refusal::of_exchange(&error)
        })?;
        let deadline = request_deadline(request, self.clock.now());
        self.connect(&flow.workspace_id, &connection, deadline).await?;
        Ok(connection.instance_url)
    }

    /// Stores the connection, then wakes the waiting calls and revokes the replaced grant.
    async fn connect(
        &self,
        id: &WorkspaceId,
        connection: &NewConnection,
        deadline: DateTime<Utc>,
    ) -> Result<(), Problem> {
        let stored = self.connections.connect(id, connection, self.clock.now().timestamp()).await;
        let replaced = match stored {
            Ok(replaced) => replaced,
            Err(error) => {
                let unused = OldGrant {
                    login_url: connection.login_url.clone(),
                    refresh_token: connection.refresh_token.clone(),
                };
                self.revoke(id, &unused, deadline).await;
                return Err(error.into());
            }
        };
        tracing::info!(workspace.id = %id, salesforce.org_id = %connection.org_id, "connected");
        if let Err(error) = self.queue.send(&Resume::all(id.clone()).message()).await {
            // The waiting rows have their own due times; they are only logged later.
            tracing::error!(workspace.id = %id, error = %error, "waiting calls could not be woken at once");
        }
        if let Some(grant) = replaced {
            self.revoke(id, &grant, deadline).await;
        }
        Ok(())
    }

    async fn revoke(&self, id: &WorkspaceId, grant: &OldGrant, deadline: DateTime<Utc>) {
        let OldGrant { login_url, refresh_token } = grant;
        end_grant(&self.salesforce, &self.clock, id, login_url, refresh_token, deadline).await;
    }
}

/// A query parameter, if it is present and not empty.
fn parameter<'a>(query: &'a QueryMap, name: &str) -> Option<&'a str> {
    query.first(name).filter(|value| !value.is_empty())
}

fn missing(parameter: &str) -> Problem {
    Problem::new(ProblemCode::MissingParameter, format!("The query parameter `{parameter}` is missing."))
}

/// Whether `Accept` prefers HTML over JSON.
fn prefers_html(request: &Request) -> bool {
    let accept =
        request.headers().get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let quality = |wanted: &str| {
        accept.split(',').enumerate().find_map(|(index, range)| {
            let mut parts = range.split(';').map(str::trim);
            let is_wanted = parts.next().is_some_and(|range| range.eq_ignore_ascii_case(wanted));
            let q = parts
                .find_map(|part| part.strip_prefix("q="))
                .and_then(|q| q.parse().ok())
                .unwrap_or(1.0_f32);
            (is_wanted && q > 0.0).then_some((q, std::cmp::Reverse(index)))
        })
    };
    quality("text/html") > quality("application/json")
}
