//! Tests of the start of a connect flow.

use calls::ids::WorkspaceId;
use crm::workspace::{Settings, Workspace};
use lambda_http::{Body, Request, Response};
use platform::{
    hashed::Hashed,
    http::{CallerRules, PublicAddress},
    stores::NewState,
    testing::{
        FixedClock, MemoryOAuthStates, MemoryWorkspaces, SeededRandom, When,
        request::{ApiRequest, body_of, from_event},
        samples,
    },
};
use salesforce::hosts::Hosts;
use secrecy::ExposeSecret;
use url::Url;

use crate::handler::Initiate;

const NOW: i64 = 1_800_457_200;
const PATH: &str = "/api/salesforce/oauth/initiate";

type World = Initiate<MemoryWorkspaces, MemoryOAuthStates, FixedClock, SeededRandom>;

fn world() -> World {
    let rules = [("WORKSPACE_CLAIM", "workspace_id"), ("ADMIN_CLAIM", "role"), ("ADMIN_VALUE", "admin")];
    Initiate {
        callers: CallerRules::from_env(&rules).unwrap(),
        address: PublicAddress::from_env(&[("PUBLIC_BASE_URL", "https://api.example.com")]),
        hosts: Hosts::of_deployment("https://login.salesforce.com").unwrap(),
        client_id: "3MVG9sample".to_owned(),
        settings: MemoryWorkspaces::default(),
        states: MemoryOAuthStates::default(),
        clock: FixedClock::at(NOW),
        random: SeededRandom::new(1),
    }
}

fn admin(path: &str) -> Request {
    ApiRequest::get(path).of_workspace("acme").claim("role", "admin").build()
}

fn auth_url(response: &Response<Body>) -> Url {
    Url::parse(body_of(response)["authUrl"].as_str().unwrap_or_else(|| panic!("{response:?}"))).unwrap()
}

fn parameter(url: &Url, name: &str) -> String {
    let values: Vec<_> = url.query_pairs().filter(|(key, _)| key == name).map(|(_, value)| value).collect();
    let [value] = &values[..] else { panic!("not one `{name}` in {url}") };
    value.clone().into_owned()
}

fn set_cookie(response: &Response<Body>) -> &str {
    response.headers()["set-cookie"].to_str().unwrap()
}

fn outcome(response: &Response<Body>) -> (u16, String) {
    let code = body_of(response)["code"].as_str().unwrap_or_default().to_owned();
    (response.status().as_u16(), code)
}

fn only_state(world: &World) -> NewState {
    let [state] = &world.states.states()[..] else { panic!("not one state") };
    state.clone()
}

#[tokio::test]
async fn samples_get_the_expected_responses() {
    let expected = [
        ("default", (200, "")),
        ("foreign-login-url", (400, "login_url_refused")),
        ("no-workspace", (403, "no_workspace")),
        ("sandbox", (200, "")),
    ];
    for (case, event, (status, code)) in samples::of("oauth-initiate", &expected) {
        let mut world = world();
        world.callers = CallerRules::from_env(&[("WORKSPACE_CLAIM", "workspace_id")]).unwrap();
        let response = world.handle(from_event(&event)).await;
        assert_eq!(outcome(&response), (status, code.to_owned()), "{case}");
        assert_eq!(world.states.states().len(), usize::from(status == 200), "{case}");
        assert_eq!(response.headers().contains_key("set-cookie"), status == 200, "{case}");
    }
}

#[tokio::test]
async fn the_user_is_sent_to_salesforce_with_the_parameters_of_the_flow() {
    let world = world();
    let url = auth_url(&world.handle(admin(PATH)).await);
    assert!(url.as_str().starts_with("https://login.salesforce.com/services/oauth2/authorize?"), "{url}");
    for (name, value) in [
        ("response_type", "code"),
        ("client_id", "3MVG9sample"),
        ("redirect_uri", "https://api.example.com/api/salesforce/oauth/callback"),
        ("scope", "api refresh_token"),
        ("code_challenge_method", "S256"),
    ] {
        assert_eq!(parameter(&url, name), value);
    }
    let state = only_state(&world);
    assert_eq!(Hashed::of(&parameter(&url, "state")), state.state_hash);
    let verifier = state.flow.code_verifier.expose_secret();
    assert_eq!(parameter(&url, "code_challenge"), Hashed::of(verifier).as_str());
    assert_eq!(parameter(&url, "redirect_uri"), state.flow.redirect_uri);
    assert_eq!(state.flow.workspace_id.as_str(), "acme");
    assert_eq!(state.expires_at, NOW + 600);
}

#[tokio::test]
async fn the_cookie_binds_the_flow_to_this_browser_for_ten_minutes() {
    let world = world();
    let response = world.handle(admin(PATH)).await;
    let (cookie, attributes) = set_cookie(&response).split_once("; ").unwrap();
    let value = cookie.strip_prefix("__Host-salesforce_oauth=").unwrap();
    assert_eq!(attributes, "Path=/; Max-Age=600; HttpOnly; Secure; SameSite=Lax");
    assert_eq!(Hashed::of(value), only_state(&world).cookie_hash);
}

#[tokio::test]
async fn state_cookie_and_verifier_are_not_stored_in_plain_text() {
    let world = world();
    let response = world.handle(admin(PATH)).await;
    let state = parameter(&auth_url(&response), "state");
    let cookie = set_cookie(&response).split(['=', ';']).nth(1).unwrap();
    assert_ne!(state, cookie);
    let stored = only_state(&world);
    let text = format!("{stored:?}");
    for secret in [state.as_str(), cookie, stored.flow.code_verifier.expose_secret()] {
        assert!(!text.contains(secret), "{text}");
    }
}

#[tokio::test]
async fn two_flows_share_nothing() {
    let world = world();
    let urls = [world.handle(admin(PATH)).await, world.handle(admin(PATH)).await].map(|r| auth_url(&r));
    for name in ["state", "code_challenge"] {
        assert_ne!(parameter(&urls[0], name), parameter(&urls[1], name));
    }
    let states = world.states.states();
    assert_ne!(states[0].cookie_hash, states[1].cookie_hash);
}

#[tokio::test]
async fn a_my_domain_may_be_requested_without_its_scheme() {
    let world = world();
    let url = auth_url(&world.handle(admin(&format!("{PATH}?loginUrl=acme.my.salesforce.com"))).await);
    assert_eq!(url.host_str(), Some("acme.my.salesforce.com"));
    assert_eq!(only_state(&world).flow.login_url, "https://acme.my.salesforce.com");
}

#[tokio::test]
async fn a_pasted_address_of_the_org_leads_to_its_my_domain() {
    let world = world();
    let pasted = "https://acme--dev.sandbox.lightning.force.com/lightning/setup/OrgDomain/home?x=1%23y";
    let url = auth_url(&world.handle(admin(&format!("{PATH}?loginUrl={pasted}"))).await);
    assert!(
        url.as_str().starts_with("https://acme--dev.sandbox.my.salesforce.com/services/oauth2/authorize?")
    );
    assert_eq!(only_state(&world).flow.login_url, "https://acme--dev.sandbox.my.salesforce.com");
}

#[tokio::test]
async fn the_workspaces_own_login_url_is_used_if_none_is_requested() {
    let world = world();
    let mut workspace = Workspace::unknown(WorkspaceId::parse("acme").unwrap());
    workspace.settings =
        Settings { login_url: Some("https://test.salesforce.com".to_owned()), ..Settings::default() };
    world.settings.insert(workspace);
    for (query, host) in [
        ("", "test.salesforce.com"),
        ("?loginUrl=", "test.salesforce.com"),
        ("?loginUrl=https://login.salesforce.com", "login.salesforce.com"),
    ] {
        let url = auth_url(&world.handle(admin(&format!("{PATH}{query}"))).await);
        assert_eq!(url.host_str(), Some(host), "{query}");
    }
}

#[tokio::test]
async fn a_foreign_login_url_is_refused_and_starts_nothing() {
    for foreign in [
        "https://evil.example",
        "https://login.salesforce.com.evil.example",
        "https://evil.example%23.my.salesforce.com",
        "http://login.salesforce.com",
        "http://127.0.0.1:8081",
        "https://user@login.salesforce.com",
    ] {
        let world = world();
        let response = world.handle(admin(&format!("{PATH}?loginUrl={foreign}"))).await;
        assert_eq!(outcome(&response), (400, "login_url_refused".to_owned()), "{foreign}");
        assert!(world.states.states().is_empty());
    }
}

#[tokio::test]
async fn only_an_admin_of_a_workspace_may_connect() {
    let world = world();
    for (request, status, code) in [
        (ApiRequest::get(PATH).of_workspace("acme").claim("role", "user"), 403, "admin_required"),
        (ApiRequest::get(PATH).claim("role", "admin"), 403, "no_workspace"),
        (ApiRequest::get(PATH), 401, "unauthenticated"),
    ] {
        assert_eq!(outcome(&world.handle(request.build()).await), (status, code.to_owned()));
    }
    assert!(world.states.states().is_empty());
}

#[tokio::test]
async fn without_a_public_base_url_salesforce_redirects_to_the_gateway() {
    let mut world = world();
    world.address = PublicAddress::from_env(&[("PUBLIC_BASE_URL", "")]);
    let request = ApiRequest::get(PATH).of_workspace("acme").claim("role", "admin");
    let response =
        world.handle(request.domain_name("a1b2.execute-api.us-east-1.amazonaws.com").build()).await;
    assert_eq!(
        parameter(&auth_url(&response), "redirect_uri"),
        "https://a1b2.execute-api.us-east-1.amazonaws.com/api/salesforce/oauth/callback"
    );
}

#[tokio::test]
async fn a_flow_that_cannot_be_stored_is_not_started() {
    let world = world();
    world.states.faults.fail_next("put", When::Before);
    let response = world.handle(admin(PATH)).await;
    assert_eq!(outcome(&response), (503, "unavailable".to_owned()));
    assert!(!response.headers().contains_key("set-cookie"));
}
