//! Tests of what a workspace pastes into Vapi.

use calls::ids::WorkspaceId;
use crm::workspace::WebhookSecretVersions;
use lambda_http::{Body, Response};
use platform::{
    http::{CallerRules, PublicAddress},
    testing::{
        MemoryWorkspaces, When, keys,
        request::{ApiRequest, body_of, from_event},
        samples,
    },
    webhook_token::{TokenSigner, WebhookTokens},
};
use serde_json::json;

use crate::handler::WebhookSetup;

const SETUP: &str = "/api/salesforce/webhook";
const ROTATE: &str = "/api/salesforce/webhook/rotate";

type World = WebhookSetup<MemoryWorkspaces, TokenSigner<keys::Fixed>>;

fn world() -> World {
    let rules = [("WORKSPACE_CLAIM", "workspace_id"), ("ADMIN_CLAIM", "role"), ("ADMIN_VALUE", "admin")];
    WebhookSetup {
        callers: CallerRules::from_env(&rules).unwrap(),
        address: PublicAddress::from_env(&[("PUBLIC_BASE_URL", "https://api.example.com")]),
        secrets: MemoryWorkspaces::default(),
        tokens: TokenSigner::new(keys::Fixed::default()),
    }
}

fn by_admin(request: ApiRequest) -> ApiRequest {
    request.of_workspace("acme").claim("role", "admin")
}

impl World {
    async fn get(&self) -> Response<Body> {
        self.handle(by_admin(ApiRequest::get(SETUP)).build()).await
    }

    async fn rotated(&self, body: &str) -> Response<Body> {
        self.handle(by_admin(ApiRequest::post(ROTATE, body)).build()).await
    }

    fn versions(&self) -> WebhookSecretVersions {
        self.secrets.workspace(&WorkspaceId::parse("acme").unwrap()).webhook_secret
    }

    /// The secret in a response, as the webhook reads it: workspace and version.
    async fn read(&self, response: &Response<Body>) -> (String, u64) {
        let body = body_of(response);
        let token = self.tokens.verify(body["secret"].as_str()).await.unwrap();
        (token.workspace_id.to_string(), token.secret_version)
    }
}

#[tokio::test]
async fn samples_get_the_expected_responses() {
    let expected = [
        ("get", WebhookSecretVersions { current: 1, oldest_valid: 1 }),
        ("rotate", WebhookSecretVersions { current: 2, oldest_valid: 1 }),
        ("rotate-and-revoke", WebhookSecretVersions { current: 2, oldest_valid: 2 }),
    ];
    for (case, event, versions) in samples::of("webhook-setup", &expected) {
        let mut world = world();
        world.callers = CallerRules::from_env(&[("WORKSPACE_CLAIM", "workspace_id")]).unwrap();
        let existing = ApiRequest::get(SETUP).of_workspace("acme").build();
        assert_eq!(world.handle(existing).await.status(), 200);
        assert_eq!(world.handle(from_event(&event)).await.status(), 200, "{case}");
        assert_eq!(world.versions(), versions, "{case}");
    }
}

#[tokio::test]
async fn the_first_request_creates_version_1_and_the_next_returns_it_again() {
    let world = world();
    let first = world.get().await;
    assert_eq!(world.versions(), WebhookSecretVersions { current: 1, oldest_valid: 1 });
    let body = body_of(&first);
    assert_eq!(body["url"], "https://api.example.com/webhook/vapi");
    assert_eq!(body["header"], "X-Vapi-Secret");
    assert_eq!(body.as_object().unwrap().len(), 3);
    assert_eq!(body_of(&world.get().await), body);
}

#[tokio::test]
async fn the_secret_is_the_workspaces_token() {
    let world = world();
    let response = world.get().await;
    assert_eq!(world.read(&response).await, ("acme".to_owned(), 1));
    assert_eq!(response.headers()["cache-control"], "no-store");
}

#[tokio::test]
async fn rotating_creates_a_new_secret_and_the_previous_one_stays_valid() {
    for body in ["", "{}", r#"{"revokePrevious":false}"#] {
        let world = world();
        let before = world.get().await;
        let after = world.rotated(body).await;
        assert_ne!(body_of(&before)["secret"], body_of(&after)["secret"]);
        assert_eq!(world.read(&after).await.1, 2);
        assert!(world.read(&before).await.1 >= world.versions().oldest_valid, "{body}");
        assert_eq!(body_of(&world.get().await), body_of(&after));
    }
}

#[tokio::test]
async fn only_the_two_newest_secrets_are_valid() {
    let world = world();
    let first = world.get().await;
    world.rotated("").await;
    world.rotated("").await;
    assert!(world.read(&first).await.1 < world.versions().oldest_valid);
}

#[tokio::test]
async fn the_previous_secret_can_be_revoked_with_the_rotation() {
    let world = world();
    let before = world.get().await;
    world.rotated(r#"{"revokePrevious":true}"#).await;
    assert_eq!(world.versions(), WebhookSecretVersions { current: 2, oldest_valid: 2 });
    assert!(world.read(&before).await.1 < world.versions().oldest_valid);
}

#[tokio::test]
async fn an_invalid_body_rotates_nothing() {
    let world = world();
    world.get().await;
    for body in [r#"{"revoke_previous":true}"#, r#"{"revokePrevious":"yes"}"#, "{", "[]x"] {
        let response = world.rotated(body).await;
        assert_eq!((response.status().as_u16(), &body_of(&response)["code"]), (400, &json!("invalid_body")));
    }
    assert_eq!(world.versions().current, 1);
}

#[tokio::test]
async fn only_an_admin_sees_the_secret_or_rotates_it() {
    let world = world();
    for request in [ApiRequest::get(SETUP), ApiRequest::post(ROTATE, "")] {
        let by_user = request.clone().of_workspace("acme").claim("role", "user").build();
        let response = world.handle(by_user).await;
        assert_eq!(body_of(&response)["code"], "admin_required");
        assert_eq!(response.status(), 403);
        assert_eq!(world.handle(request.build()).await.status(), 401);
    }
    assert_eq!(world.versions(), WebhookSecretVersions::default());
}

#[tokio::test]
async fn without_a_public_base_url_the_url_is_the_gateways() {
    let mut world = world();
    world.address = PublicAddress::from_env(&[("PUBLIC_BASE_URL", "")]);
    let domain = "a1b2.execute-api.us-east-1.amazonaws.com";
    let response = world.handle(by_admin(ApiRequest::get(SETUP)).domain_name(domain).build()).await;
    assert_eq!(body_of(&response)["url"], format!("https://{domain}/webhook/vapi"));
}

#[tokio::test]
async fn while_the_table_is_down_no_secret_is_shown() {
    let world = world();
    world.secrets.faults.fail_next("ensure", When::Before);
    let response = world.get().await;
    assert_eq!((response.status().as_u16(), &body_of(&response)["code"]), (503, &json!("unavailable")));
}
