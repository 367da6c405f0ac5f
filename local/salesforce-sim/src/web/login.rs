//! OAuth over HTTP: the Allow page, token, revoke, identity.

use axum::{
    body::Bytes,
    extract::{Path, RawQuery, State},
    http::{HeaderMap, Method, StatusCode, header},
    response::{Html, IntoResponse, Redirect, Response},
};
use maud::{Markup, html};
use serde_json::Value;

use super::{data::json, style};
use crate::{
    oauth::{
        authorize::{AuthorizeRequest, Refusal},
        grants::Session,
        identity,
        token::{self, Form, OAuthError, basic_credentials, parse_form},
    },
    world::{Shared, World},
};

/// The page on which a user allows or denies.
pub(crate) async fn authorize(State(shared): State<Shared>, RawQuery(query): RawQuery) -> Response {
    let world = shared.lock();
    match AuthorizeRequest::parse(&world, &parse_form(query.unwrap_or_default().as_bytes())) {
        Ok(request) => page(&approval(&world, &request)).into_response(),
        Err(refusal) => refused(refusal),
    }
}

/// Handles the user's choice: the form has `decision` (`allow` or `deny`) and `user`, and the query the request.
pub(crate) async fn decide(State(shared): State<Shared>, RawQuery(query): RawQuery, body: Bytes) -> Response {
    let mut world = shared.lock();
    let request = match AuthorizeRequest::parse(&world, &parse_form(query.unwrap_or_default().as_bytes())) {
        Ok(request) => request,
        Err(refusal) => return refused(refusal),
    };
    let decision = parse_form(&body);
    match decision.get("decision").map(String::as_str) {
        Some("allow") => match request.allow(&mut world, decision.get("user").map(String::as_str)) {
            Some(url) => redirect(url.as_str()),
            None => error_page("invalid_grant", "invalid user credentials"),
        },
        Some("deny") => redirect(request.deny().as_str()),
        _ => error_page("invalid_request", "the form needs decision=allow or decision=deny"),
    }
}

fn refused(refusal: Refusal) -> Response {
    match refusal {
        Refusal::Page { error, description } => error_page(error, description),
        Refusal::Redirect(url) => redirect(url.as_str()),
    }
}

fn redirect(url: &str) -> Response {
    // After a POST, the browser must follow with a GET.
    let mut response = Redirect::to(url).into_response();
    *response.status_mut() = StatusCode::FOUND;
    response
}

fn error_page(error: &str, description: &str) -> Response {
    let body = html! {
        h1 { "Simulated Salesforce cannot continue" }
        p { code { "error=" (error) "&error_description=" (description) } }
        p { "You will not be returned to the app. Close this window." }
    };
    (StatusCode::BAD_REQUEST, page(&body)).into_response()
}

fn page(body: &Markup) -> Html<String> {
    Html(style::document("Allow access", &html! { main class="narrow" { (body) } }, false).into_string())
}

fn approval(world: &World, request: &AuthorizeRequest) -> Markup {
    html! {
        p class="kicker" { "Simulated Salesforce with invented people" }
        h1 { "Allow access?" }
        p { strong { "Ringlog" } " asks to:" }
        ul {
            @for scope in &request.scopes {
                li { (meaning(scope)) " " code { (scope) } }
            }
        }
        form method="post" {
            fieldset {
                legend { "Who approves" }
                @for (index, (org, user)) in
                    world.orgs.iter().flat_map(|org| org.users.iter().map(move |user| (org, user))).enumerate()
                {
                    label class="choice" {
                        input type="radio" name="user" value=(user.id) checked[index == 0];
                        span { strong { (user.name) } " · " (org.name) br; small { (user.username) " · " (user.timezone) } }
                    }
                }
            }
            div class="buttons" {
                button type="submit" name="decision" value="allow" class="primary" { "Allow" }
                button type="submit" name="decision" value="deny" { "Deny" }
            }
        }
    }
}

fn meaning(scope: &str) -> &'static str {
    match scope {
        "api" => "Manage user data via APIs",
        "refresh_token" | "offline_access" => "Perform requests at any time",
        "id" => "Access the identity URL service",
        _ => "Access",
    }
}

/// The token endpoint. Takes a form by POST.
pub(crate) async fn token(
    State(shared): State<Shared>,
    method: Method,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    if method != Method::POST {
        return oauth_response(Err(OAuthError::new("invalid_request", "must use HTTP POST")));
    }
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let is_form = content_type
        .is_some_and(|content_type| content_type.starts_with("application/x-www-form-urlencoded"));
    let form = if is_form { parse_form(&body) } else { Form::new() };
    let authorization = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    oauth_response(token::token(&mut shared.lock(), &form, basic_credentials(authorization)))
}

fn oauth_response(result: Result<Value, OAuthError>) -> Response {
    let mut response = match result {
        Ok(body) => json(StatusCode::OK, &body),
        Err(error) => json(StatusCode::BAD_REQUEST, &error.body()),
    };
    response.headers_mut().insert(header::CACHE_CONTROL, header::HeaderValue::from_static("no-store"));
    response
}

/// Revokes `token`, which is in the form or, with GET, in the query. The second time, it is invalid.
pub(crate) async fn revoke(
    State(shared): State<Shared>,
    method: Method,
    RawQuery(query): RawQuery,
    body: Bytes,
) -> Response {
    let form = match method {
        Method::GET => parse_form(query.unwrap_or_default().as_bytes()),
        _ => parse_form(&body),
    };
    let mut world = shared.lock();
    if form.get("token").is_some_and(|token| world.grants.revoke(token)) {
        return StatusCode::OK.into_response();
    }
    let error = OAuthError::new("invalid_token", "the token is not valid");
    if !world.settings.revoke_errors_urlencoded {
        return json(StatusCode::BAD_REQUEST, &error.body());
    }
    let body = "error=invalid_token&error_description=the+token+is+not+valid";
    let content_type = [(header::CONTENT_TYPE, "application/x-www-form-urlencoded")];
    (StatusCode::BAD_REQUEST, content_type, body).into_response()
}

/// The identity URL.
pub(crate) async fn identity(
    State(shared): State<Shared>,
    Path((org, user)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    let mut world = shared.lock();
    let Some(session) = bearer(&mut world, &headers) else {
        return (StatusCode::FORBIDDEN, "Bad_OAuth_Token").into_response();
    };
    match identity::identity(&world, &session, &org, &user) {
        Some(body) => json(StatusCode::OK, &body),
        None => (StatusCode::FORBIDDEN, "Bad_Id").into_response(),
    }
}

fn bearer(world: &mut World, headers: &HeaderMap) -> Option<Session> {
    let token = headers.get(header::AUTHORIZATION)?.to_str().ok()?.strip_prefix("Bearer ")?;
    let now = world.clock.now();
    world.grants.use_session(token, now, &world.settings)
}
