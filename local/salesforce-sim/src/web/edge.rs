//! What happens to every request before and after it is answered: it is noted, delayed, struck by faults, printed.

use std::io::Write as _;

use axum::{
    body::{Body, to_bytes},
    extract::{Request, State},
    http::{HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse as _, Response},
};

use super::LARGEST_BODY;
use crate::{
    error::{ApiError, Reply},
    faults::{Answer, End, Plan, Preset},
    oauth::token::form,
    people::PersonAction,
    requests::RouteKind,
    world::Shared,
};

/// Marks an answer that must not reach the client: the connection ends instead.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Dropped;

/// Passes a request on. It is done to its end even if its client goes away, as Salesforce does.
pub(crate) async fn pass(State(shared): State<Shared>, request: Request, next: Next) -> Response {
    let (method, path) = (request.method().to_string(), request.uri().path().to_owned());
    let kind = RouteKind::of(&path);
    let (plan, log) = {
        let mut world = shared.lock();
        world.see(&method, kind, &path);
        let org = world.org_of(request.headers());
        (world.faults.plan(kind, org), world.config.log)
    };
    let done = tokio::spawn(async move {
        if kind == RouteKind::Token {
            token_request(&shared, request, next, plan).await
        } else {
            run(&shared, request, next, plan).await
        }
    });
    let response = done.await.unwrap_or_else(|_| StatusCode::INTERNAL_SERVER_ERROR.into_response());
    if log {
        print_line(&method, &path, &response);
    }
    response
}

async fn run(shared: &Shared, request: Request, next: Next, plan: Plan) -> Response {
    tokio::time::sleep(plan.delay).await;
    if let Err(error) = people(shared, &plan.before, plan.org) {
        return Reply::from(error).into_response();
    }
    let response = end(request, next, plan.end).await;
    match people(shared, &plan.after, plan.org) {
        Ok(()) => response,
        Err(error) => Reply::from(error).into_response(),
    }
}

/// Lets people act. What they cannot do fails the request, so that a test notices.
fn people(shared: &Shared, actions: &[PersonAction], org: Option<usize>) -> Result<(), ApiError> {
    let mut world = shared.lock();
    let done = actions.iter().try_for_each(|action| world.person_acts(action, org));
    done.map_err(|error| ApiError::not_simulated(&format!("a person who acts so: {error}")))
}

async fn end(request: Request, next: Next, end: End) -> Response {
    match end {
        End::Normal => next.run(request).await,
        End::Answer(answer) => answer.into_response(),
        End::AnswerAfter(answer) => {
            next.run(request).await;
            answer.into_response()
        }
        End::DropBefore => dropped(),
        End::DropAfter => {
            next.run(request).await;
            dropped()
        }
    }
}

/// A token request: two refreshes with one token at once are counted, and refused unless that is switched off.
async fn token_request(shared: &Shared, request: Request, next: Next, plan: Plan) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, LARGEST_BODY).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let refresh_token = form(&body).remove("refresh_token");
    let refused = {
        let mut world = shared.lock();
        world.requests.tokens.requests += 1;
        let alone = refresh_token.as_deref().is_none_or(|token| {
            world.requests.tokens.refreshes += 1;
            world.requests.refresh_begins(token)
        });
        !alone && world.settings.block_concurrent_refreshes
    };
    let response = if refused {
        Preset::TokenRequestInProcess.answer().into_response()
    } else {
        run(shared, Request::from_parts(parts, Body::from(body)), next, plan).await
    };
    if let Some(token) = refresh_token {
        shared.lock().requests.refresh_ends(&token);
    }
    response
}

impl Answer {
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

/// One line for a request: no query, no body, no header.
fn print_line(method: &str, path: &str, response: &Response) {
    let outcome = match response.extensions().get::<Dropped>() {
        Some(_) => "dropped".to_owned(),
        None => response.status().as_u16().to_string(),
    };
    // Nobody reads the output any more: that is no reason to stop.
    writeln!(std::io::stdout(), "{method} {path} {outcome}").ok();
}
