//! Tests of the end of a connect flow.

use std::{sync::Mutex, time::Duration};

use calls::ids::{SalesforceId, WorkspaceId};
use crm::{
    CrmError, FaultClass,
    workspace::{Connection, ConnectionState},
};
use lambda_http::{Body, Response};
use platform::{
    hashed::Hashed,
    stores::{NewConnection, NewState, OAuthFlow, OAuthStates},
    testing::{
        FixedClock, MemoryOAuthStates, MemoryQueue, MemoryWorkspaces, When,
        request::{ApiRequest, body_of, from_event},
        samples,
    },
};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use worker::{
    jobs::{Job, Resume},
    ports::{TokenEndpoint, Tokens},
};

use crate::{grants::Grants, handler::Callback};

const NOW: i64 = 1_800_457_200;
/// The values in the sample events.
const STATE: &str = "c2FtcGxlLXN0YXRlLXNhbXBsZS1zdGF0ZS1zYW1wbGU";
const COOKIE: &str = "c2FtcGxlLWNvb2tpZS1zYW1wbGUtY29va2llLXNhbXA";
const COOKIE_NAME: &str = "__Host-salesforce_oauth";
const REDIRECT_URI: &str = "https://api.example.com/api/salesforce/oauth/callback";

/// A Salesforce that grants tokens, starting with `refresh-1`, and records the requests.
#[derive(Default)]
struct Salesforce {
    /// The workspaces, to see what was stored when a grant was revoked.
    connections: MemoryWorkspaces,
    refuses: Option<CrmError>,
    codes: Mutex<Vec<String>>,
    /// Revoked tokens, each with the refresh token that was stored at that time.
    revoked: Mutex<Vec<(String, Option<String>)>>,
}

impl Grants for Salesforce {
    async fn grant(&self, flow: &OAuthFlow, code: &str) -> Result<NewConnection, CrmError> {
        assert_eq!(flow.code_verifier.expose_secret(), "the verifier");
        assert_eq!(flow.redirect_uri, REDIRECT_URI);
        let mut codes = self.codes.lock().unwrap();
        codes.push(code.to_owned());
        if let Some(error) = &self.refuses {
            return Err(error.clone());
        }
        Ok(NewConnection {
            instance_url: "https://acme.my.salesforce.com".to_owned(),
            login_url: flow.login_url.clone(),
            org_id: SalesforceId::parse("00D000000000001EAA").unwrap(),
            user_id: SalesforceId::parse("005000000000001AAA").unwrap(),
            user_name: Some("Ada Sample".to_owned()),
            access_token: format!("access-{}", codes.len()).into(),
            refresh_token: format!("refresh-{}", codes.len()).into(),
            issued_at: NOW,
            time_zone: Some("Europe/Berlin".parse().unwrap()),
            country: Some("DE".to_owned()),
        })
    }
}

impl TokenEndpoint for Salesforce {
    async fn client_secret(&self) -> Result<SecretString, CrmError> {
        panic!("nothing is refreshed here")
    }

    async fn refresh(&self, _: &Connection, _: &SecretString) -> Result<Tokens, CrmError> {
        panic!("nothing is refreshed here")
    }

    async fn revoke(&self, login_url: &str, token: &SecretString) -> Result<(), CrmError> {
        assert_eq!(login_url, "https://login.salesforce.com");
        let stored = stored_token(&self.connections);
        self.revoked.lock().unwrap().push((token.expose_secret().to_owned(), stored));
        Ok(())
    }
}

fn stored_token(connections: &MemoryWorkspaces) -> Option<String> {
    let connection = connections.workspace(&acme()).connection?;
    Some(connection.refresh_token.expose_secret().to_owned())
}

fn acme() -> WorkspaceId {
    WorkspaceId::parse("acme").unwrap()
}

type World = Callback<MemoryOAuthStates, MemoryWorkspaces, Salesforce, MemoryQueue, FixedClock>;

/// A world in which `acme` has started a flow.
async fn world() -> World {
    let connections = MemoryWorkspaces::default();
    let world = Callback {
        states: MemoryOAuthStates::default(),
        connections: connections.clone(),
        salesforce: Salesforce { connections, ..Salesforce::default() },
        queue: MemoryQueue::default(),
        dashboard_url: "https://app.example.com".to_owned(),
        clock: FixedClock::at(NOW),
    };
    world.start(STATE, COOKIE).await;
    world
}

impl World {
    async fn start(&self, state: &str, cookie: &str) {
        let flow = OAuthFlow {
            workspace_id: acme(),
            code_verifier: "the verifier".into(),
            redirect_uri: REDIRECT_URI.to_owned(),
            login_url: "https://login.salesforce.com".to_owned(),
        };
        let (state_hash, cookie_hash) = (Hashed::of(state), Hashed::of(cookie));
        self.states.put(&NewState { state_hash, cookie_hash, flow, expires_at: NOW + 600 }).await.unwrap();
    }

    async fn send(&self, request: ApiRequest) -> Response<Body> {
        self.handle(request.build()).await
    }

    fn is_connected(&self) -> bool {
        self.connections.workspace(&acme()).state == ConnectionState::Connected
    }

    fn revoked(&self) -> Vec<(String, Option<String>)> {
        self.salesforce.revoked.lock().unwrap().clone()
    }
}

/// A callback in the browser that started the flow, with its cookie.
fn callback(query: &str) -> ApiRequest {
    without_cookie(query).cookie(COOKIE_NAME, COOKIE)
}

fn without_cookie(query: &str) -> ApiRequest {
    ApiRequest::get(&format!("/api/salesforce/oauth/callback?{query}"))
}

fn allowed() -> ApiRequest {
    callback(&format!("code=the-code&state={STATE}"))
}

fn outcome(response: &Response<Body>) -> (u16, String) {
    let code = body_of(response)["code"].as_str().unwrap_or_default().to_owned();
    (response.status().as_u16(), code)
}

fn refused(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}

fn detail(response: &Response<Body>) -> String {
    body_of(response)["detail"].as_str().unwrap().to_owned()
}

fn failure(class: FaultClass, message: &str) -> CrmError {
    let (code, message) = ("the_code".to_owned(), message.to_owned());
    CrmError { class, code, message, fields: Vec::new(), status: None, object: None, records: Vec::new() }
}

#[tokio::test]
async fn samples_get_the_expected_responses() {
    let expected = [
        ("allowed", (200, "")),
        ("denied", (400, "access_denied")),
        ("no-cookie", (403, "state_of_another_browser")),
        ("no-state", (400, "missing_parameter")),
        ("popup", (200, "a page")),
    ];
    for (case, event, (status, code)) in samples::of("oauth-callback", &expected) {
        let world = world().await;
        let response = world.handle(from_event(&event)).await;
        if code == "a page" {
            assert_eq!(response.headers()["content-type"], "text/html; charset=utf-8", "{case}");
        } else {
            assert_eq!(outcome(&response), refused(status, code), "{case}");
        }
        assert_eq!(world.is_connected(), status == 200, "{case}");
        assert_eq!(response.headers()["cache-control"], "no-store", "{case}");
    }
}

#[tokio::test]
async fn a_code_becomes_a_connection_and_waiting_calls_are_resumed() {
    let world = world().await;
    let response = world.send(allowed()).await;
    assert_eq!(
        body_of(&response),
        json!({ "success": true, "instanceUrl": "https://acme.my.salesforce.com" })
    );
    let workspace = world.connections.workspace(&acme());
    assert_eq!(workspace.state, ConnectionState::Connected);
    assert_eq!(stored_token(&world.connections).as_deref(), Some("refresh-1"));
    assert_eq!(workspace.settings.time_zone.name(), "Europe/Berlin");
    assert_eq!(workspace.settings.default_country, "DE");
    assert_eq!(*world.salesforce.codes.lock().unwrap(), ["the-code"]);
    assert_eq!(world.queue.sent(), [Job::Resume(Resume::all(acme()))]);
    assert!(world.revoked().is_empty());
}

#[tokio::test]
async fn a_popup_gets_a_page_and_a_program_gets_json() {
    for (accept, page) in [
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", true),
        ("text/html", true),
        ("application/json;q=0.5, text/html", true),
        ("application/json", false),
        ("application/json, text/html", false),
        ("text/html;q=0.5, application/json", false),
        ("text/html;q=0", false),
        ("*/*", false),
    ] {
        let response = world().await.send(allowed().header("accept", accept)).await;
        assert_eq!(response.status(), 200);
        let kind = response.headers()["content-type"].to_str().unwrap();
        assert_eq!(kind, if page { "text/html; charset=utf-8" } else { "application/json" }, "{accept}");
    }
}

#[tokio::test]
async fn the_page_runs_only_its_own_script_and_reports_only_to_the_dashboard() {
    let response = world().await.send(allowed().header("accept", "text/html")).await;
    let headers = response.headers();
    let policy = headers["content-security-policy"].to_str().unwrap();
    assert!(policy.starts_with("default-src 'none'; script-src 'sha256-"), "{policy}");
    assert!(policy.contains("frame-ancestors 'none'") && !policy.contains("unsafe"), "{policy}");
    assert_eq!(headers["referrer-policy"], "no-referrer");
    assert_eq!(headers["x-content-type-options"], "nosniff");
    let page = String::from_utf8(response.body().to_vec()).unwrap();
    assert!(page.contains(r#"data-origin="https://app.example.com""#), "{page}");
    for secret in ["access-1", "refresh-1", "the-code", STATE] {
        assert!(!page.contains(secret), "{page}");
    }
}

#[tokio::test]
async fn salesforces_text_is_shown_but_never_as_markup() {
    let query =
        format!("error=other&error_description=%22%3E%3Cscript%3Ealert(1)%3C/script%3E&state={STATE}");
    let response = world().await.send(callback(&query).header("accept", "text/html")).await;
    assert_eq!(response.status(), 400);
    let page = String::from_utf8(response.body().to_vec()).unwrap();
    assert_eq!(page.matches("<script").count(), 1);
    assert!(page.contains("&lt;script&gt;alert(1)"), "{page}");
}

#[tokio::test]
async fn a_state_can_be_used_once() {
    let world = world().await;
    assert_eq!(world.send(allowed()).await.status(), 200);
    assert_eq!(outcome(&world.send(allowed()).await), refused(400, "state_unknown"));
    assert_eq!(world.salesforce.codes.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn a_forged_state_connects_nothing() {
    let world = world().await;
    let response = world.send(callback("code=the-code&state=forged")).await;
    assert_eq!(outcome(&response), refused(400, "state_unknown"));
    assert!(!world.is_connected());
    assert!(world.salesforce.codes.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_flow_expires_after_ten_minutes() {
    let world = world().await;
    world.clock.advance(Duration::from_mins(10));
    assert_eq!(outcome(&world.send(allowed()).await), refused(400, "state_expired"));
    assert!(!world.is_connected());
}

#[tokio::test]
async fn another_browser_is_refused_and_the_flow_stays_valid() {
    let world = world().await;
    let query = format!("code=the-code&state={STATE}");
    for wrong in [without_cookie(&query), without_cookie(&query).cookie(COOKIE_NAME, "another")] {
        let response = world.send(wrong).await;
        assert_eq!(outcome(&response), refused(403, "state_of_another_browser"));
        assert!(detail(&response).contains("PublicBaseUrl"));
        assert!(!world.is_connected());
    }
    assert_eq!(world.send(allowed()).await.status(), 200);
}

#[tokio::test]
async fn the_cookie_is_deleted_with_its_flow_and_not_before() {
    let world = world().await;
    // Two flows were started: the cookie is the second flow's, but the first flow's callback comes first.
    world.start("first", "overwritten").await;
    let first = world.send(callback("code=the-code&state=first")).await;
    assert_eq!(first.status(), 403);
    assert!(!first.headers().contains_key("set-cookie"));
    let second = world.send(allowed()).await;
    assert_eq!(second.status(), 200);
    assert!(second.headers()["set-cookie"].to_str().unwrap().contains("Max-Age=0"));
}

#[tokio::test]
async fn a_user_who_denies_access_is_told_so_and_the_flow_ends() {
    let world = world().await;
    let query = format!("error=access_denied&error_description=end-user+denied+authorization&state={STATE}");
    assert_eq!(outcome(&world.send(callback(&query)).await), refused(400, "access_denied"));
    assert_eq!(outcome(&world.send(allowed()).await), refused(400, "state_unknown"));
    assert!(!world.is_connected());
}

#[tokio::test]
async fn if_the_app_is_not_installed_the_response_says_who_can_help() {
    for query in [
        "error=OAUTH_EC_APP_NOT_FOUND&error_description=External+client+app+is+not+installed+in+this+org",
        "error=OAUTH_EC_APP_NOT_FOUND",
    ] {
        let response = world().await.send(callback(&format!("{query}&state={STATE}"))).await;
        assert_eq!(outcome(&response), refused(400, "app_not_installed"));
        assert!(detail(&response).contains("Salesforce admin"));
    }
}

#[tokio::test]
async fn a_callback_without_a_code_says_what_is_missing() {
    let response = world().await.send(callback(&format!("state={STATE}&code="))).await;
    assert_eq!(outcome(&response), refused(400, "missing_parameter"));
    assert!(detail(&response).contains("`code`"));
}

#[tokio::test]
async fn a_failed_exchange_says_who_has_to_act() {
    for (class, status, code) in [
        (FaultClass::Passing, 502, "salesforce_unavailable"),
        (FaultClass::Ambiguous, 502, "salesforce_unavailable"),
        (FaultClass::ConcurrentLimit, 502, "salesforce_unavailable"),
        (FaultClass::DailyLimit, 502, "salesforce_unavailable"),
        (FaultClass::OwnConfiguration, 502, "own_configuration"),
        (FaultClass::GrantEnded, 400, "salesforce_refused"),
        (FaultClass::Permanent, 400, "salesforce_refused"),
        (FaultClass::Session, 400, "salesforce_refused"),
    ] {
        let mut world = world().await;
        world.salesforce.refuses = Some(failure(class, "expired authorization code"));
        let response = world.send(allowed()).await;
        assert_eq!(outcome(&response), refused(status, code), "{class:?}");
        assert!(!world.is_connected());
        assert!(world.queue.sent().is_empty());
    }
}

#[tokio::test]
async fn a_login_url_without_an_org_must_be_corrected() {
    let mut world = world().await;
    let nowhere = CrmError { code: "http_404".to_owned(), ..failure(FaultClass::AddressGone, "Not an org.") };
    world.salesforce.refuses = Some(nowhere);
    let response = world.send(allowed()).await;
    assert_eq!(outcome(&response), refused(400, "login_address_gone"));
    assert!(detail(&response).contains("Setup > My Domain"), "{}", detail(&response));
    assert!(!world.is_connected() && world.queue.sent().is_empty());
}

#[tokio::test]
async fn without_api_access_the_response_says_how_to_get_it() {
    for (code, words) in [
        ("API_DISABLED_FOR_ORG", "This Salesforce edition has no API, or the user lacks “API Enabled”"),
        ("API_CURRENTLY_DISABLED", "The user lacks the permission “API Enabled”"),
    ] {
        let mut world = world().await;
        let failure = failure(FaultClass::Permanent, "The REST API is not enabled for this Organization.");
        world.salesforce.refuses = Some(CrmError { code: code.to_owned(), ..failure });
        let response = world.send(allowed()).await;
        assert_eq!(outcome(&response), refused(400, "api_disabled"), "{code}");
        assert!(detail(&response).contains(words), "{}", detail(&response));
        assert!(!world.is_connected() && world.queue.sent().is_empty());

        world.start("again", COOKIE).await;
        let page = callback("code=the-code&state=again").header("accept", "text/html");
        let page = String::from_utf8(world.send(page).await.body().to_vec()).unwrap();
        assert!(page.contains("api_disabled") && page.contains(words), "{page}");
    }
}

#[tokio::test]
async fn if_the_org_restricts_ip_addresses_salesforces_text_is_shown() {
    let mut world = world().await;
    let code = "invalid_grant".to_owned();
    world.salesforce.refuses = Some(CrmError { code, ..failure(FaultClass::Passing, "ip restricted") });
    let response = world.send(allowed()).await;
    assert_eq!(outcome(&response), refused(400, "salesforce_refused"));
    assert!(detail(&response).contains("ip restricted"));
}

#[tokio::test]
async fn a_grant_that_cannot_be_stored_is_revoked() {
    let world = world().await;
    world.connections.faults.fail_next("connect", When::Before);
    assert_eq!(outcome(&world.send(allowed()).await), refused(503, "unavailable"));
    assert_eq!(world.revoked(), [("refresh-1".to_owned(), None)]);
    assert!(world.queue.sent().is_empty());
}

#[tokio::test]
async fn a_reconnect_revokes_the_replaced_grant_once_the_new_one_is_stored() {
    let world = world().await;
    world.send(allowed()).await;
    world.start("again", COOKIE).await;
    assert_eq!(world.send(callback("code=the-code&state=again")).await.status(), 200);
    assert_eq!(world.revoked(), [("refresh-1".to_owned(), Some("refresh-2".to_owned()))]);
}

#[tokio::test]
async fn a_workspace_is_connected_even_if_waiting_calls_cannot_be_resumed() {
    let world = world().await;
    world.queue.faults.fail_next("send", When::Before);
    assert_eq!(world.send(allowed()).await.status(), 200);
    assert!(world.is_connected());
}

#[tokio::test]
async fn while_the_states_cannot_be_read_the_flow_is_kept() {
    let world = world().await;
    world.states.faults.fail_next("take", When::Before);
    let response = world.send(allowed()).await;
    assert_eq!(outcome(&response), refused(503, "unavailable"));
    assert!(!response.headers().contains_key("set-cookie"));
    assert_eq!(world.send(allowed()).await.status(), 200);
}
