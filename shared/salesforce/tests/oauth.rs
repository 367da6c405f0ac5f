//! Connecting, refreshing and disconnecting, against the simulator.

#![allow(clippy::unwrap_used, reason = "a test's helpers are read as tests")]

mod support;

use calls::time_zone::TimeZone;
use chrono::Utc;
use crm::FaultClass;
use salesforce::{Timeouts, pkce::Verifier};
use salesforce_sim::{Preset, RouteKind, Settings};
use secrecy::{ExposeSecret, SecretString};
use worker::ports::TokenEndpoint;

use support::{
    client_with,
    world::{World, class_and_code, parameter},
};

#[tokio::test]
async fn after_a_user_allows_the_code_is_exchanged_for_tokens_once() {
    let world = World::new().await;
    let verifier = Verifier::generate().unwrap();
    let callback = world.decide("allow", &verifier).await;
    assert_eq!(parameter(&callback, "state"), "sample state");
    let login = world.client.hosts().deployment();
    let code = parameter(&callback, "code");
    let grant = world.client.exchange(login, &code, &world.callback(), &verifier).await.unwrap();
    assert_eq!(grant.tokens.instance_url, world.salesforce.url());
    assert!(grant.tokens.refresh_token.is_some());
    assert!((Utc::now().timestamp() - grant.tokens.issued_at).abs() < 60);
    assert_eq!(grant.identity.org_id, world.connection.org_id);

    let again = world.client.exchange(login, &code, &world.callback(), &verifier).await.unwrap_err();
    assert_eq!(class_and_code(&again), (FaultClass::GrantEnded, "invalid_grant"));
}

#[tokio::test]
async fn a_denial_is_reported_to_the_callback() {
    let world = World::new().await;
    let callback = world.decide("deny", &Verifier::generate().unwrap()).await;
    assert_eq!(parameter(&callback, "error"), "access_denied");
}

#[tokio::test]
async fn a_code_is_worthless_without_its_verifier() {
    let world = World::new().await;
    let code = parameter(&world.decide("allow", &Verifier::generate().unwrap()).await, "code");
    let (login, other) = (world.client.hosts().deployment(), Verifier::generate().unwrap());
    let error = world.client.exchange(login, &code, &world.callback(), &other).await.unwrap_err();
    assert_eq!(error.code, "invalid_request");
}

#[tokio::test]
async fn identity_has_the_users_name_and_time_zone() {
    let world = World::new().await;
    let identity = world.client.identity(&world.grant().await).await.unwrap();
    assert_eq!(identity.time_zone.map(TimeZone::name), Some("America/New_York"));
    assert_eq!(identity.display_name.as_deref(), Some("Sam Admin"));
    assert_eq!(identity.username, "sam.admin@ringlog.example");
}

#[tokio::test]
async fn the_orgs_country_is_read_if_it_has_one() {
    let world = World::new().await;
    let grant = world.grant().await;
    for country in [Some("US"), Some("United Kingdom"), None] {
        let country = country.map(str::to_owned);
        world.salesforce.set(|settings| settings.organization_country.clone_from(&country));
        assert_eq!(world.client.country(&grant).await.unwrap(), country);
    }
    world.salesforce.set(|settings| settings.hidden_objects = vec!["Organization".to_owned()]);
    let error = world.client.country(&grant).await.unwrap_err();
    assert_eq!(class_and_code(&error), (FaultClass::Permanent, "NOT_FOUND"));
}

#[tokio::test]
async fn identity_with_an_expired_session_is_a_session_fault() {
    let world = World::new().await;
    let grant = world.grant().await;
    world.salesforce.expire_sessions();
    let error = world.client.identity(&grant).await.unwrap_err();
    assert_eq!(class_and_code(&error), (FaultClass::Session, "Bad_OAuth_Token"));
}

#[tokio::test]
async fn a_refresh_returns_a_session_and_the_next_refresh_token() {
    let mut world = World::new().await;
    world.salesforce.expire_sessions();
    let expired = world.search("2345550123").await.unwrap_err();
    assert_eq!(class_and_code(&expired), (FaultClass::Session, "INVALID_SESSION_ID"));

    let tokens = world.refresh(&world.connection).await.unwrap();
    let stale = world.connection.clone();
    world.connection.access_token = tokens.access_token;
    world.connection.refresh_token = tokens.refresh_token.unwrap();
    assert_ne!(world.connection.refresh_token.expose_secret(), stale.refresh_token.expose_secret());
    assert_eq!(world.search("2345550123").await.unwrap().len(), 1);

    let error = world.refresh(&stale).await.unwrap_err();
    assert_eq!(class_and_code(&error), (FaultClass::GrantEnded, "invalid_grant"));
}

#[tokio::test]
async fn without_rotation_the_refresh_token_stays_valid() {
    let world = World::with(Settings { rotation: false, ..Settings::default() }, Timeouts::default()).await;
    assert!(world.refresh(&world.connection).await.unwrap().refresh_token.is_none());
    assert!(world.refresh(&world.connection).await.is_ok());
}

#[tokio::test]
async fn a_failed_refresh_ends_a_grant_only_if_salesforce_says_so() {
    let world = World::new().await;
    for (preset, class) in [
        (Preset::ExpiredRefreshToken, FaultClass::GrantEnded),
        (Preset::InvalidGrantWithoutDescription, FaultClass::GrantEnded),
        (Preset::InactiveUser, FaultClass::GrantEnded),
        (Preset::InactiveOrganization, FaultClass::GrantEnded),
        (Preset::IpRestricted, FaultClass::Passing),
        (Preset::TokenRequestInProcess, FaultClass::Passing),
        (Preset::LoginRateExceeded, FaultClass::Passing),
        (Preset::EdgeBusyHtml, FaultClass::Passing),
        (Preset::InvalidClient, FaultClass::OwnConfiguration),
        (Preset::ServerUnavailable, FaultClass::Ambiguous),
        (Preset::BadGatewayHtml, FaultClass::Ambiguous),
    ] {
        world.fault(RouteKind::Token, preset);
        let error = world.refresh(&world.connection).await.unwrap_err();
        assert_eq!(error.class, class, "{preset:?}");
    }
    assert!(world.refresh(&world.connection).await.is_ok());
}

#[tokio::test]
async fn an_instance_outside_salesforce_is_refused() {
    let instance_url = Some("https://acme.my.salesforce.com.evil.example".to_owned());
    let world = World::with(Settings { instance_url, ..Settings::default() }, Timeouts::default()).await;
    let error = world.refresh(&world.connection).await.unwrap_err();
    assert_eq!(class_and_code(&error), (FaultClass::Permanent, "instance_url_refused"));
}

#[tokio::test]
async fn a_wrong_client_secret_is_our_own_misconfiguration() {
    let world = World::new().await;
    let config = world.salesforce.config();
    for (id, secret, code) in
        [(config.client_id.as_str(), "wrong", "invalid_client"), ("wrong", "wrong", "invalid_client_id")]
    {
        let client = client_with(world.salesforce.url(), id, secret, Timeouts::default());
        let error = client.refresh(&world.connection, &secret.into()).await.unwrap_err();
        assert_eq!(class_and_code(&error), (FaultClass::OwnConfiguration, code));
    }
}

#[tokio::test]
async fn revoking_a_grant_twice_succeeds() {
    for revoke_errors_urlencoded in [false, true] {
        let settings = Settings { revoke_errors_urlencoded, ..Settings::default() };
        let world = World::with(settings, Timeouts::default()).await;
        let login_url = world.salesforce.url();
        for _ in 0..2 {
            world.client.revoke(login_url, &world.connection.refresh_token).await.unwrap();
        }
        let error = world.search("2345550123").await.unwrap_err();
        assert_eq!(error.class, FaultClass::Session, "its sessions end with it");
        assert_eq!(world.refresh(&world.connection).await.unwrap_err().class, FaultClass::GrantEnded);
    }
}

#[tokio::test]
async fn a_failed_revocation_is_an_error() {
    let world = World::new().await;
    world.fault(RouteKind::Revoke, Preset::ServerUnavailable);
    let error = world.client.revoke(world.salesforce.url(), &SecretString::from("sample")).await.unwrap_err();
    assert_eq!(error.class, FaultClass::Passing);
}
