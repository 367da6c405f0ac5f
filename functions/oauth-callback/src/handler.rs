//! The end of a connect: Salesforce sends the user back here with a code, or with a refusal.

use std::time::Duration;

use calls::{
    connection::end_grant,
    ids::WorkspaceId,
    jobs::Resume,
    message::Queued as _,
    ports::{Clock, Queue, TokenEndpoint},
};
use chrono::{DateTime, Utc};
use lambda_http::{
    Body, Request, RequestExt, Response,
    aws_lambda_events::query_map::QueryMap,
    http::{StatusCode, header},
};
use platform::{
    hashed::Hashed,
    http::{Problem, cookie, host_cookie, json},
    lambda::request_deadline,
    routes::OAUTH_COOKIE,
    stores::{Connections, NewConnection, OAuthFlow, OAuthStates, OldGrant, TakeError},
};
use serde::Serialize;

use crate::{
    grants::Grants,
    popup::{self, Outcome},
    refusal,
};

/// What the end of a flow works with.
pub struct Callback<S, C, G, Q, K> {
    /// The flows under way.
    pub states: S,
    /// The settings table.
    pub connections: C,
    /// Salesforce.
    pub salesforce: G,
    /// Where the calls that waited for the connection are woken.
    pub queue: Q,
    /// The only origin that is told how it went.
    pub dashboard_url: String,
    /// The time.
    pub clock: K,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    success: bool,
    instance_url: String,
}

impl<S, C, G, Q, K> Callback<S, C, G, Q, K>
where
    S: OAuthStates,
    C: Connections,
    G: Grants + TokenEndpoint,
    Q: Queue,
    K: Clock,
{
    /// Answers a request: a page for a popup, JSON for a program.
    pub async fn handle(&self, request: Request) -> Response<Body> {
        let flow = self.take(&request).await;
        // Only a flow that is taken is done with its cookie: a callback of another flow must not end the one under way.
        let taken = flow.is_ok();
        let finished = match flow {
            Ok(flow) => self.finish(&request, &flow).await,
            Err(problem) => Err(problem),
        };
        let mut response = if prefers_html(&request) {
            self.page(&finished)
        } else {
            match finished {
                Ok(instance_url) => json(200, &Answer { success: true, instance_url }),
                Err(problem) => problem.into_response(),
            }
        };
        if let Some(forget) = host_cookie(OAUTH_COOKIE, "", Duration::ZERO).filter(|_| taken) {
            response.headers_mut().insert(header::SET_COOKIE, forget);
        }
        response
    }

    fn page(&self, finished: &Result<String, Problem>) -> Response<Body> {
        let (status, outcome) = match finished {
            Ok(_) => {
                let detail = "Calls are logged in Salesforce from now on.";
                (StatusCode::OK, Outcome { success: true, code: None, detail })
            }
            Err(problem) => {
                problem.log();
                let status = StatusCode::from_u16(problem.status()).unwrap_or(StatusCode::BAD_REQUEST);
                (status, Outcome { success: false, code: Some(problem.code()), detail: problem.detail() })
            }
        };
        popup::page(status, &outcome, &self.dashboard_url)
    }

    /// Takes the flow that the request belongs to. It can be taken once.
    async fn take(&self, request: &Request) -> Result<OAuthFlow, Problem> {
        let query = request.query_string_parameters();
        let state = parameter(&query, "state").ok_or_else(|| missing("state"))?;
        let cookie = cookie(request, OAUTH_COOKIE).ok_or(TakeError::WrongBrowser)?;
        let now = self.clock.now().timestamp();
        Ok(self.states.take(&Hashed::of(state), &Hashed::of(cookie), now).await?)
    }

    /// Connects the workspace of the flow. Answers with the org's address.
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

    /// Stores the connection, then wakes what waited for it and revokes what it replaces.
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
            // The waiting rows have their own due time; they only come later.
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

/// A query parameter that is there and not empty.
fn parameter<'a>(query: &'a QueryMap, name: &str) -> Option<&'a str> {
    query.first(name).filter(|value| !value.is_empty())
}

fn missing(parameter: &str) -> Problem {
    Problem::bad_request("missing_parameter", format!("The query parameter `{parameter}` is missing."))
}

/// Whether `Accept` names HTML, and not JSON before it.
fn prefers_html(request: &Request) -> bool {
    let accept =
        request.headers().get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let quality = |wanted: &str| {
        accept.split(',').enumerate().find_map(|(place, range)| {
            let mut parts = range.split(';').map(str::trim);
            let same = parts.next().is_some_and(|range| range.eq_ignore_ascii_case(wanted));
            let q = parts
                .find_map(|part| part.strip_prefix("q="))
                .and_then(|q| q.parse().ok())
                .unwrap_or(1.0_f32);
            (same && q > 0.0).then_some((q, std::cmp::Reverse(place)))
        })
    };
    quality("text/html") > quality("application/json")
}
