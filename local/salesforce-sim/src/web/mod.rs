//! HTTP: the routes, what happens to every request, and the pages.

pub(crate) mod control;
pub(crate) mod data;
pub(crate) mod edge;
pub(crate) mod login;
pub(crate) mod page;
pub(crate) mod style;

use axum::{
    Router,
    extract::DefaultBodyLimit,
    middleware,
    routing::{any, get, post},
};

use crate::world::Shared;

/// The largest body that is read.
const LARGEST_BODY: usize = 16 * 1024 * 1024;

/// All routes.
pub(crate) fn router(shared: Shared) -> Router {
    Router::new()
        .route("/services/oauth2/authorize", get(login::authorize).post(login::decide))
        .route("/services/oauth2/token", any(login::token))
        .route("/services/oauth2/revoke", any(login::revoke))
        .route("/services/oauth2/introspect", post(login::introspect))
        .route("/services/oauth2/userinfo", get(login::userinfo))
        .route("/id/{org}/{user}", get(login::identity))
        .route("/services/data", get(data::versions))
        .route("/services/data/", get(data::versions))
        .route("/services/data/{version}", any(data::answer))
        .route("/services/data/{version}/{*rest}", any(data::answer))
        .nest("/_sim", control::routes())
        .route("/", get(page::people))
        .route("/{id}", get(page::record))
        .layer(middleware::from_fn_with_state(shared.clone(), edge::pass))
        .layer(DefaultBodyLimit::max(LARGEST_BODY))
        .with_state(shared)
}
