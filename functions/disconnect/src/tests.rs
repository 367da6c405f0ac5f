//! Tests of disconnecting.

use std::sync::Mutex;

use calls::ids::WorkspaceId;
use crm::{
    CrmError, FaultClass,
    workspace::{Connection, ConnectionState},
};
use lambda_http::{Body, Request, Response};
use platform::{
    http::CallerRules,
    testing::{
        FixedClock, MemoryWorkspaces, When, connected,
        request::{ApiRequest, body_of, from_event},
        samples,
    },
};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use worker::ports::{TokenEndpoint, Tokens};

use crate::handler::Disconnect;

const PATH: &str = "/api/salesforce/disconnect";

/// Salesforce's revoke endpoint: records revocations, and does not respond if it is down.
#[derive(Default)]
struct Revocations {
    revoked: Mutex<Vec<(String, String)>>,
    down: bool,
}

impl TokenEndpoint for Revocations {
    async fn client_secret(&self) -> Result<SecretString, CrmError> {
        panic!("nothing is refreshed here")
    }

    async fn refresh(&self, _: &Connection, _: &SecretString) -> Result<Tokens, CrmError> {
        panic!("nothing is refreshed here")
    }

    async fn revoke(&self, login_url: &str, token: &SecretString) -> Result<(), CrmError> {
        self.revoked.lock().unwrap().push((login_url.to_owned(), token.expose_secret().to_owned()));
        if self.down {
            return Err(CrmError {
                class: FaultClass::Passing,
                code: "timeout".to_owned(),
                message: String::new(),
                fields: Vec::new(),
                status: None,
                object: None,
                records: Vec::new(),
            });
        }
        Ok(())
    }
}

type World = Disconnect<MemoryWorkspaces, Revocations, FixedClock>;

/// A world in which the workspace `acme` is connected.
fn world() -> World {
    let connections = MemoryWorkspaces::default();
    connections.insert(connected("acme"));
    let rules = [("WORKSPACE_CLAIM", "workspace_id"), ("ADMIN_CLAIM", "role"), ("ADMIN_VALUE", "admin")];
    Disconnect {
        callers: CallerRules::from_env(&rules).unwrap(),
        connections,
        tokens: Revocations::default(),
        clock: FixedClock::at(1_800_000_000),
    }
}

fn acme() -> WorkspaceId {
    WorkspaceId::parse("acme").unwrap()
}

fn admin() -> Request {
    ApiRequest::delete(PATH).of_workspace("acme").claim("role", "admin").build()
}

impl World {
    fn is_connected(&self) -> bool {
        self.connections.workspace(&acme()).connection.is_some()
    }

    fn revoked(&self) -> Vec<(String, String)> {
        self.tokens.revoked.lock().unwrap().clone()
    }
}

fn assert_disconnected(response: &Response<Body>) {
    assert_eq!(response.status(), 200);
    assert_eq!(body_of(response), json!({ "success": true, "message": "Salesforce disconnected" }));
}

#[tokio::test]
async fn samples_get_the_expected_responses() {
    for (case, event, status) in samples::of("disconnect", &[("delete", 200)]) {
        let mut world = world();
        world.callers = CallerRules::from_env(&[("WORKSPACE_CLAIM", "workspace_id")]).unwrap();
        let response = world.handle(from_event(&event)).await;
        assert_eq!(response.status(), status, "{case}");
        assert!(!world.is_connected(), "{case}");
    }
}

#[tokio::test]
async fn the_tokens_are_deleted_and_the_grant_is_revoked_where_it_was_issued() {
    let world = world();
    assert_disconnected(&world.handle(admin()).await);
    let workspace = world.connections.workspace(&acme());
    assert_eq!(workspace.state, ConnectionState::Disconnected);
    assert!(workspace.connection.is_none());
    assert!(workspace.connection_version > 1, "a refresh in progress must not bring tokens back");
    assert_eq!(world.revoked(), [("https://login.salesforce.com".to_owned(), "refresh-1".to_owned())]);
}

#[tokio::test]
async fn the_tokens_are_deleted_even_if_salesforce_does_not_revoke_them() {
    let mut world = world();
    world.tokens.down = true;
    assert_disconnected(&world.handle(admin()).await);
    assert!(!world.is_connected());
    assert_eq!(world.revoked().len(), 3, "it is tried three times, because nothing retries it later");
}

#[tokio::test]
async fn disconnecting_again_changes_nothing() {
    let world = world();
    assert_disconnected(&world.handle(admin()).await);
    assert_disconnected(&world.handle(admin()).await);
    assert_eq!(world.revoked().len(), 1);
}

#[tokio::test]
async fn a_workspace_that_never_connected_gets_the_same_response() {
    let world = world();
    let request = ApiRequest::delete(PATH).of_workspace("globex").claim("role", "admin").build();
    assert_disconnected(&world.handle(request).await);
    assert!(world.revoked().is_empty());
    assert!(world.is_connected());
}

#[tokio::test]
async fn only_an_admin_may_disconnect() {
    let world = world();
    for (request, status, code) in [
        (ApiRequest::delete(PATH).of_workspace("acme").claim("role", "user"), 403, "admin_required"),
        (ApiRequest::delete(PATH).of_workspace("acme"), 403, "admin_required"),
        (ApiRequest::delete(PATH), 401, "unauthenticated"),
    ] {
        let response = world.handle(request.build()).await;
        assert_eq!((response.status().as_u16(), &body_of(&response)["code"]), (status, &json!(code)));
    }
    assert!(world.is_connected());
}

#[tokio::test]
async fn while_the_table_is_down_nothing_is_revoked() {
    let world = world();
    world.connections.faults.fail_next("disconnect", When::Before);
    assert_eq!(world.handle(admin()).await.status(), 503);
    assert!(world.is_connected());
    assert!(world.revoked().is_empty());
}

#[tokio::test]
async fn a_grant_that_may_have_been_deleted_is_revoked_even_if_the_table_does_not_respond() {
    let world = world();
    world.connections.faults.fail_next("disconnect", When::After);
    assert_eq!(world.handle(admin()).await.status(), 503);
    assert!(!world.is_connected());
    assert_eq!(world.revoked().len(), 1);
    assert_disconnected(&world.handle(admin()).await);
}
