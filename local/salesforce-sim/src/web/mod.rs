//! HTTP: the routes, the middleware, and the pages.

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
    routing::{any, get},
};

use crate::world::Shared;

/// All routes.
pub(crate) fn router(shared: Shared) -> Router {
    Router::new()
        .route("/services/oauth2/authorize", get(login::authorize).post(login::decide))
        .route("/services/oauth2/token", any(login::token))
        .route("/services/oauth2/revoke", any(login::revoke))
        .route("/id/{org}/{user}", get(login::identity))
        .route("/services/data", get(data::versions))
        .route("/services/data/", get(data::versions))
        .route("/services/data/{version}", any(data::resource))
        .route("/services/data/{version}/{*rest}", any(data::resource))
        .nest("/_sim", control::routes())
        .route("/", get(page::people))
        .route("/{id}", get(page::record))
        .layer(middleware::from_fn_with_state(shared.clone(), edge::handle))
        .layer(DefaultBodyLimit::max(edge::MAX_BODY))
        .with_state(shared)
}
