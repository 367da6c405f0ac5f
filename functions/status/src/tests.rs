//! Tests of the connection's status.

use calls::{
    call::Call,
    ids::{CallId, SalesforceId, WorkspaceId},
    status::SyncStatus,
};
use crm::{ApiUsage, ledger::Row};
use lambda_http::{Body, Response};
use platform::{
    http::CallerRules,
    stores::{Connections, NewConnection},
    testing::{
        MemoryLedger, MemoryWorkspaces, When,
        request::{ApiRequest, body_of, from_event},
        samples,
    },
};
use serde_json::{Value, json};
use worker::ports::ConnectionStore;

use crate::handler::Status;

const NOW: i64 = 1_800_457_200;
const PATH: &str = "/api/salesforce/status";

type World = Status<MemoryWorkspaces, MemoryLedger>;

fn world() -> World {
    Status {
        callers: CallerRules::from_env(&[("WORKSPACE_CLAIM", "workspace_id")]).unwrap(),
        connections: MemoryWorkspaces::default(),
        ledger: MemoryLedger::default(),
    }
}

fn acme() -> WorkspaceId {
    WorkspaceId::parse("acme").unwrap()
}

impl World {
    async fn connect(&self) {
        let connection = NewConnection {
            instance_url: "https://acme.my.salesforce.com".to_owned(),
            login_url: "https://login.salesforce.com".to_owned(),
            org_id: SalesforceId::parse("00D000000000001EAA").unwrap(),
            user_id: SalesforceId::parse("005000000000001AAA").unwrap(),
            user_name: Some("Ada Sample".to_owned()),
            access_token: "the-access-token".into(),
            refresh_token: "the-refresh-token".into(),
            issued_at: NOW,
            time_zone: None,
            country: None,
        };
        self.connections.connect(&acme(), &connection, NOW).await.unwrap();
    }

    /// A call of `acme` that was received at `NOW + at`.
    fn logged(&self, call_id: &str, status: SyncStatus, at: i64, used: Option<u64>) {
        let mut row = Row::accepted(acme(), Call::new(CallId::parse(call_id).unwrap()), NOW + at);
        row.finish(status, None, None, 90, NOW + at);
        row.updated_at = NOW + at + 7;
        row.api_usage = used.map(|used| ApiUsage { used, limit: 15_000 });
        self.ledger.insert(row);
    }

    async fn get(&self) -> Response<Body> {
        self.handle(ApiRequest::get(PATH).of_workspace("acme").build()).await
    }
}

fn no_details() -> Value {
    json!({
        "connected": false, "state": "disconnected", "reason": null, "instanceUrl": null,
        "organizationId": null, "userName": null, "connectedAt": null, "lastSync": null, "apiUsage": null,
    })
}

#[tokio::test]
async fn samples_get_the_expected_responses() {
    for (case, event, status) in samples::of("status", &[("get", 200)]) {
        assert_eq!(world().handle(from_event(&event)).await.status(), status, "{case}");
    }
}

#[tokio::test]
async fn a_workspace_that_never_connected_has_no_details() {
    assert_eq!(body_of(&world().get().await), no_details());
}

#[tokio::test]
async fn a_connection_is_shown_without_its_tokens() {
    let world = world();
    world.connect().await;
    let response = world.get().await;
    assert_eq!(
        body_of(&response),
        json!({
            "connected": true, "state": "connected", "reason": null,
            "instanceUrl": "https://acme.my.salesforce.com", "organizationId": "00D000000000001EAA",
            "userName": "Ada Sample", "connectedAt": NOW, "lastSync": null, "apiUsage": null,
        })
    );
    assert!(!String::from_utf8_lossy(response.body()).contains("-token"));
}

#[tokio::test]
async fn an_ended_connection_says_why_and_names_its_org() {
    let world = world();
    world.connect().await;
    assert!(world.connections.require_reconnect(&acme(), 1, "The user was frozen.").await.unwrap());
    let body = body_of(&world.get().await);
    assert_eq!(body["connected"], false);
    assert_eq!(body["state"], "reconnect_required");
    assert_eq!(body["reason"], "The user was frozen.");
    assert_eq!(body["organizationId"], "00D000000000001EAA");
}

#[tokio::test]
async fn a_disconnected_workspace_has_no_details() {
    let world = world();
    world.connect().await;
    world.connections.disconnect(&acme()).await.unwrap();
    assert_eq!(body_of(&world.get().await), no_details());
}

#[tokio::test]
async fn the_last_sync_and_the_api_usage_come_from_the_newest_logged_call() {
    let world = world();
    world.logged("call-1", SyncStatus::Success, 100, Some(18));
    world.logged("call-2", SyncStatus::Success, 200, Some(21));
    world.logged("call-3", SyncStatus::Error, 300, Some(99));
    let body = body_of(&world.get().await);
    assert_eq!(body["lastSync"], NOW + 207);
    assert_eq!(body["apiUsage"], json!({ "used": 21, "limit": 15_000 }));
}

#[tokio::test]
async fn an_unknown_api_usage_is_null() {
    let world = world();
    world.logged("call-1", SyncStatus::Success, 100, None);
    let body = body_of(&world.get().await);
    assert_eq!((&body["lastSync"], &body["apiUsage"]), (&json!(NOW + 107), &Value::Null));
}

#[tokio::test]
async fn a_workspace_sees_only_itself() {
    let world = world();
    world.connect().await;
    world.logged("call-1", SyncStatus::Success, 100, Some(18));
    let response = world.handle(ApiRequest::get(PATH).of_workspace("globex").build()).await;
    assert_eq!(body_of(&response), no_details());
    assert_eq!(world.handle(ApiRequest::get(PATH).build()).await.status(), 401);
}

#[tokio::test]
async fn while_a_table_is_down_the_status_is_unavailable_and_not_disconnected() {
    for operation in ["status", "newest"] {
        let world = world();
        world.connections.faults.fail_next(operation, When::Before);
        world.ledger.faults.fail_next(operation, When::Before);
        let response = world.get().await;
        assert_eq!((response.status().as_u16(), &body_of(&response)["code"]), (503, &json!("unavailable")));
    }
}
