//! Tests of a workspace's settings.

use calls::ids::WorkspaceId;
use crm::workspace::Settings;
use lambda_http::{Body, Response};
use platform::{
    http::CallerRules,
    stores::{Connections as _, NewConnection, WebhookSecrets as _},
    testing::{
        MemoryWorkspaces, When,
        request::{ApiRequest, body_of, from_event},
        samples,
    },
};
use salesforce::hosts::Hosts;
use serde_json::{Value, json};
use worker::ports::{ConnectionStore as _, Tokens};

use crate::handler::WorkspaceSettings;

const PATH: &str = "/api/salesforce/settings";

type World = WorkspaceSettings<MemoryWorkspaces>;

fn world() -> World {
    let rules = [("WORKSPACE_CLAIM", "workspace_id"), ("ADMIN_CLAIM", "role"), ("ADMIN_VALUE", "admin")];
    WorkspaceSettings {
        callers: CallerRules::from_env(&rules).unwrap(),
        hosts: Hosts::of_deployment("https://login.salesforce.com").unwrap(),
        store: MemoryWorkspaces::default(),
    }
}

fn acme() -> WorkspaceId {
    WorkspaceId::parse("acme").unwrap()
}

/// The defaults, with one setting changed.
fn with(field: &str, value: impl Into<Value>) -> Value {
    let mut settings = serde_json::to_value(Settings::default()).unwrap();
    settings[field] = value.into();
    settings
}

fn etag(response: &Response<Body>) -> String {
    response.headers()["etag"].to_str().unwrap().to_owned()
}

fn outcome(response: &Response<Body>) -> (u16, String) {
    let code = body_of(response)["code"].as_str().unwrap_or_default().to_owned();
    (response.status().as_u16(), code)
}

fn refused(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}

impl World {
    async fn get(&self) -> Response<Body> {
        self.handle(ApiRequest::get(PATH).of_workspace("acme").claim("role", "user").build()).await
    }

    async fn put(&self, settings: &Value, if_match: &str) -> Response<Body> {
        let request = ApiRequest::put(PATH, &settings.to_string()).header("if-match", if_match);
        self.handle(request.of_workspace("acme").claim("role", "admin").build()).await
    }

    fn stored(&self) -> Settings {
        self.store.workspace(&acme()).settings
    }

    async fn connect(&self) {
        let connection = NewConnection {
            instance_url: "https://acme.my.salesforce.com".to_owned(),
            login_url: "https://login.salesforce.com".to_owned(),
            org_id: calls::ids::SalesforceId::parse("00D000000000001EAA").unwrap(),
            user_id: calls::ids::SalesforceId::parse("005000000000001AAA").unwrap(),
            user_name: None,
            access_token: "access".into(),
            refresh_token: "refresh".into(),
            issued_at: 1000,
            time_zone: Some("Europe/Berlin".parse().unwrap()),
            country: Some("DE".to_owned()),
        };
        self.store.connect(&acme(), &connection, 1000).await.unwrap();
    }
}

#[tokio::test]
async fn samples_get_the_expected_responses() {
    let expected = [
        ("get", (200, "", 90)),
        ("put", (200, "", 365)),
        ("put-invalid", (400, "invalid_settings", 90)),
        ("put-stale", (412, "precondition_failed", 90)),
        ("put-without-if-match", (428, "precondition_required", 90)),
    ];
    for (case, event, (status, code, retention_days)) in samples::of("settings", &expected) {
        let mut world = world();
        world.callers = CallerRules::from_env(&[("WORKSPACE_CLAIM", "workspace_id")]).unwrap();
        let response = world.handle(from_event(&event)).await;
        assert_eq!(outcome(&response), refused(status, code), "{case}");
        assert_eq!(world.stored().retention_days, retention_days, "{case}");
    }
}

#[tokio::test]
async fn an_unknown_workspace_has_the_defaults() {
    let response = world().get().await;
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["cache-control"], "no-store");
    assert_eq!(
        body_of(&response),
        json!({
            "timeZone": "UTC",
            "defaultCountry": "US",
            "loginUrl": null,
            "matchOrder": ["Lead", "Contact"],
            "multipleMatches": "most_recent",
            "noMatch": "skip",
            "appointmentDurationMinutes": 60,
            "includeTranscript": false,
            "callTypes": ["inbound", "outbound"],
            "retentionDays": 90,
        })
    );
}

#[tokio::test]
async fn a_put_returns_the_new_settings_and_the_tag_that_a_get_gives_them() {
    let world = world();
    let before = etag(&world.get().await);
    let put = world.put(&with("loginUrl", "acme.my.salesforce.com"), &before).await;
    assert_eq!(put.status(), 200);
    assert_eq!(body_of(&put)["loginUrl"], "https://acme.my.salesforce.com");
    assert_ne!(etag(&put), before);
    let get = world.get().await;
    assert_eq!((etag(&get), body_of(&get)), (etag(&put), body_of(&put)));
    assert_eq!(world.stored().login_url.as_deref(), Some("https://acme.my.salesforce.com"));
}

#[tokio::test]
async fn a_pasted_address_is_stored_and_shown_as_the_orgs_my_domain() {
    let world = world();
    let typed = world.put(&with("loginUrl", "acme.my.salesforce.com"), "*").await;
    let page = "https://acme.lightning.force.com/lightning/page/home";
    let pasted = world.put(&with("loginUrl", page), &etag(&typed)).await;
    assert_eq!(body_of(&pasted)["loginUrl"], "https://acme.my.salesforce.com");
    assert_eq!(etag(&pasted), etag(&typed), "they are the same settings");
    assert_eq!(body_of(&world.get().await)["loginUrl"], "https://acme.my.salesforce.com");
    assert_eq!(world.stored().login_url.as_deref(), Some("https://acme.my.salesforce.com"));
}

#[tokio::test]
async fn the_second_of_two_concurrent_changes_has_to_read_again() {
    let world = world();
    let seen = etag(&world.get().await);
    assert_eq!(world.put(&with("retentionDays", 31), &seen).await.status(), 200);
    let late = world.put(&with("retentionDays", 32), &seen).await;
    assert_eq!(outcome(&late), refused(412, "precondition_failed"));
    assert!(body_of(&late)["detail"].as_str().unwrap().contains("Read them again"));
    assert_eq!(world.stored().retention_days, 31);
    let seen = etag(&world.get().await);
    assert_eq!(world.put(&with("retentionDays", 32), &seen).await.status(), 200);
}

#[tokio::test]
async fn a_put_repeated_after_a_lost_response_succeeds() {
    let world = world();
    let seen = etag(&world.get().await);
    world.store.faults.fail_next("replace", When::After);
    let change = with("retentionDays", 31);
    assert_eq!(outcome(&world.put(&change, &seen).await), refused(503, "unavailable"));
    assert_eq!(world.put(&change, &seen).await.status(), 200);
    assert_eq!(world.stored().retention_days, 31);
}

#[tokio::test]
async fn a_star_replaces_any_settings() {
    let world = world();
    for days in [31, 32] {
        assert_eq!(world.put(&with("retentionDays", days), "*").await.status(), 200);
        assert_eq!(world.stored().retention_days, days);
    }
}

#[tokio::test]
async fn the_tag_depends_only_on_the_settings() {
    let world = world();
    let unconnected = etag(&world.get().await);
    world.connect().await;
    let connected = etag(&world.get().await);
    assert_ne!(connected, unconnected, "the first connect sets time zone and country");
    let late = world.put(&with("retentionDays", 31), &unconnected).await;
    assert_eq!(late.status(), 412, "otherwise it would reset the time zone");

    world.connect().await;
    world.store.rotate(&acme(), true).await.unwrap();
    assert!(world.store.acquire_refresh_lease(&acme(), 2, "worker", 1000, 1045).await.unwrap());
    let tokens = Tokens {
        access_token: "access-2".into(),
        refresh_token: None,
        instance_url: "https://acme-2.my.salesforce.com".to_owned(),
        issued_at: 1000,
    };
    assert!(world.store.store_refreshed(&acme(), 2, "worker", &tokens).await.unwrap());
    world.store.disconnect(&acme()).await.unwrap();
    assert_eq!(etag(&world.get().await), connected);
    let mut settings = body_of(&world.get().await);
    settings["retentionDays"] = json!(31);
    assert_eq!(world.put(&settings, &connected).await.status(), 200);
    assert_eq!((world.stored().time_zone.name(), world.stored().retention_days), ("Europe/Berlin", 31));
}

#[tokio::test]
async fn without_a_precondition_nothing_is_replaced() {
    let world = world();
    let response = world.put(&with("retentionDays", 31), "").await;
    assert_eq!(outcome(&response), refused(428, "precondition_required"));
    assert_eq!(world.stored(), Settings::default());
}

#[tokio::test]
async fn all_wrong_fields_are_named_and_nothing_is_replaced() {
    let world = world();
    let mut settings = with("retentionDays", 29);
    settings["timeZone"] = json!("Mars/Olympus");
    settings["colour"] = json!("red");
    let response = world.put(&settings, "*").await;
    assert_eq!(outcome(&response), refused(400, "invalid_settings"));
    assert_eq!(response.headers()["content-type"], "application/problem+json");
    let body = body_of(&response);
    let detail = "timeZone must be an IANA time zone, like America/New_York. (3 fields are wrong; `errors` names all.)";
    assert_eq!(body["detail"], detail);
    let fields: Vec<_> = body["errors"].as_array().unwrap().iter().map(|error| &error["field"]).collect();
    assert_eq!(fields, ["timeZone", "retentionDays", "colour"]);
    assert_eq!(world.stored(), Settings::default());
}

#[tokio::test]
async fn if_one_field_is_wrong_the_detail_is_about_it_alone() {
    let body = body_of(&world().put(&with("retentionDays", 29), "*").await);
    assert_eq!(body["detail"], "retentionDays must be a whole number from 30 to 3650.");
    assert_eq!(body["errors"], json!([{ "field": "retentionDays", "detail": body["detail"] }]));
}

#[tokio::test]
async fn a_body_that_is_not_an_object_is_refused() {
    for body in ["", "[]", "null", "{", "\"UTC\""] {
        let request = ApiRequest::put(PATH, body).header("if-match", "*");
        let response = world().handle(request.of_workspace("acme").claim("role", "admin").build()).await;
        assert_eq!(outcome(&response), refused(400, "invalid_body"), "{body}");
    }
}

#[tokio::test]
async fn every_member_may_read_and_only_an_admin_may_change() {
    let world = world();
    let put = ApiRequest::put(PATH, &with("retentionDays", 31).to_string()).header("if-match", "*");
    let by_user = put.clone().of_workspace("acme").claim("role", "user").build();
    assert_eq!(outcome(&world.handle(by_user).await), refused(403, "admin_required"));
    for anonymous in [put, ApiRequest::get(PATH)] {
        assert_eq!(world.handle(anonymous.build()).await.status(), 401);
    }
    assert_eq!(world.get().await.status(), 200);
    assert_eq!(world.stored(), Settings::default());
}

#[tokio::test]
async fn a_workspace_changes_its_own_settings_only() {
    let world = world();
    assert_eq!(world.put(&with("retentionDays", 31), "*").await.status(), 200);
    let globex = world.store.workspace(&WorkspaceId::parse("globex").unwrap());
    assert_eq!(globex.settings, Settings::default());
}

#[tokio::test]
async fn while_the_table_is_down_it_is_unavailable() {
    let world = world();
    world.store.faults.fail_next("settings", When::Before);
    assert_eq!(outcome(&world.get().await), refused(503, "unavailable"));
    world.store.faults.fail_next("replace", When::Before);
    let response = world.put(&with("retentionDays", 31), "*").await;
    assert_eq!(outcome(&response), refused(503, "unavailable"));
    assert_eq!(world.stored(), Settings::default());
}
