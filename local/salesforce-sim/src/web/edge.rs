//! The middleware of every request: logging, delays, faults.

use std::io::Write as _;

use axum::{
    body::{Body, to_bytes},
    extract::{Request, State},
    http::{HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse as _, Response},
};

use crate::{
    control::PersonAction,
    error::{ApiError, Reply},
    faults::{CannedResponse, End, Plan, Preset},
    oauth::token::parse_form,
    requests::RouteKind,
    world::Shared,
};

/// Maximum size of a request body.
pub(crate) const MAX_BODY: usize = 16 * 1024 * 1024;

/// Marks a response that must not reach the client: the connection closes instead.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Dropped;

/// Handles a request. Like Salesforce, executes it to the end even if the client is gone.
pub(crate) async fn handle(State(shared): State<Shared>, request: Request, next: Next) -> Response {
    let (method, path) = (request.method().to_string(), request.uri().path().to_owned());
    let kind = RouteKind::of(&path);
    let (plan, log) = {
        let mut world = shared.lock();
        world.record_request(&method, kind, &path);
        let org = world.org_number(request.headers());
        (world.faults.plan(kind, org), world.config.log)
    };
    let task = tokio::spawn(async move {
        if kind == RouteKind::Token {
            handle_token_request(&shared, request, next, plan).await
        } else {
            execute(&shared, request, next, plan).await
        }
    });
    let response = task.await.unwrap_or_else(|_| StatusCode::INTERNAL_SERVER_ERROR.into_response());
    if log {
        print_line(&method, &path, &response);
    }
    response
}

async fn execute(shared: &Shared, request: Request, next: Next, plan: Plan) -> Response {
    tokio::time::sleep(plan.delay).await;
    if let Err(error) = let_people_act(shared, &plan.before, plan.org) {
        return Reply::from(error).into_response();
    }
    let response = end(request, next, plan.end).await;
    match let_people_act(shared, &plan.after, plan.org) {
        Ok(()) => response,
        Err(error) => Reply::from(error).into_response(),
    }
}

/// Lets people act. If they cannot, the request fails, so that the test notices.
fn let_people_act(shared: &Shared, actions: &[PersonAction], org: Option<usize>) -> Result<(), ApiError> {
    let mut world = shared.lock();
    let result = actions.iter().try_for_each(|action| world.person_acts(action, org));
    result.map_err(|error| ApiError::not_simulated(&format!("what this person does: {error}")))
}

async fn end(request: Request, next: Next, end: End) -> Response {
    match end {
        End::Normal => next.run(request).await,
        End::Answer(response) => response.into_response(),
        End::AnswerAfter(response) => {
            next.run(request).await;
            response.into_response()
        }
        End::DropBefore => dropped(),
        End::DropAfter => {
            next.run(request).await;
            dropped()
        }
    }
}

/// Handles a token request. Counts concurrent refreshes with one token, and refuses the second unless that is switched off.
async fn handle_token_request(shared: &Shared, request: Request, next: Next, plan: Plan) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, MAX_BODY).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let refresh_token = parse_form(&body).remove("refresh_token");
    let refused = {
        let mut world = shared.lock();
        world.requests.tokens.requests += 1;
        let is_only_one = refresh_token.as_deref().is_none_or(|token| {
            world.requests.tokens.refreshes += 1;
            world.requests.refresh_started(token)
        });
        !is_only_one && world.settings.block_concurrent_refreshes
    };
    let response = if refused {
        Preset::TokenRequestInProcess.response().into_response()
    } else {
        execute(shared, Request::from_parts(parts, Body::from(body)), next, plan).await
    };
    if let Some(token) = refresh_token {
        shared.lock().requests.refresh_finished(&token);
    }
    response
}

impl CannedResponse {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, self.body).into_response();
        if let Ok(content_type) = HeaderValue::from_str(&self.content_type) {
            response.headers_mut().insert(header::CONTENT_TYPE, content_type);
        }
        response.headers_mut().extend(self.headers);
        response
    }
}

fn dropped() -> Response {
    let mut response = StatusCode::NO_CONTENT.into_response();
    response.extensions_mut().insert(Dropped);
    response
}

/// Prints a line for a request, without its query, body and headers.
fn print_line(method: &str, path: &str, response: &Response) {
    let outcome = match response.extensions().get::<Dropped>() {
        Some(_) => "dropped".to_owned(),
        None => response.status().as_u16().to_string(),
    };
    // The simulator keeps running even if nothing reads its output.
    writeln!(std::io::stdout(), "{method} {path} {outcome}").ok();
}
