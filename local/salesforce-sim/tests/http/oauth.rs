//! OAuth over HTTP.

use crate::support::{REDIRECT_URI, World, body, location, oauth_error, query};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use ring::hmac;
use salesforce_sim::{Effect, Fault, RouteKind};
use serde_json::json;

#[tokio::test]
async fn after_a_user_allows_the_code_is_exchanged_for_tokens() {
    let world = World::start().await;
    let page = world.client.get(world.authorize_url(&[])).send().await.unwrap();
    assert_eq!(page.status(), 200);
    let html = page.text().await.unwrap();
    assert!(html.contains("Allow") && html.contains("Deny") && html.contains("refresh_token"));

    let response = world.decide(&world.authorize_url(&[]), &[("decision", "allow")]).await;
    assert_eq!(response.status(), 302);
    let callback = location(&response);
    assert!(callback.as_str().starts_with(REDIRECT_URI));
    assert_eq!(query(&callback)["state"], "a state & more");
    let code = query(&callback)["code"].clone();
    assert!(code.ends_with("==") && callback.as_str().contains("%3D%3D"));

    let response = world.exchange(&code, &[]).await;
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["cache-control"], "no-store");
    let tokens = body(response).await;
    assert!(tokens.get("expires_in").is_none());
    let issued_at = tokens["issued_at"].as_str().unwrap();
    assert!(issued_at.parse::<i64>().unwrap() > 1_700_000_000_000);
    assert_eq!(tokens["instance_url"], world.simulator.url());
    assert_eq!(tokens["scope"], "api refresh_token");
    assert_eq!(tokens["token_type"], "Bearer");
    assert!(tokens["access_token"].as_str().unwrap().contains('!'));
    assert!(tokens["refresh_token"].is_string());

    let id = tokens["id"].as_str().unwrap();
    let key = hmac::Key::new(hmac::HMAC_SHA256, world.simulator.config().client_secret.as_bytes());
    let signature = STANDARD.decode(tokens["signature"].as_str().unwrap()).unwrap();
    assert!(hmac::verify(&key, format!("{id}{issued_at}").as_bytes(), &signature).is_ok());

    let identity = world.client.get(id).bearer_auth(tokens["access_token"].as_str().unwrap());
    let identity = body(identity.send().await.unwrap()).await;
    assert_eq!(identity["timezone"], "America/New_York");
    assert_eq!(identity["utcOffset"], -18_000_000);
    assert!(id.ends_with(&format!(
        "/id/{}/{}",
        identity["organization_id"].as_str().unwrap(),
        identity["user_id"].as_str().unwrap()
    )));
}

#[tokio::test]
async fn a_denial_is_reported_to_the_callback() {
    let world = World::start().await;
    let response = world.decide(&world.authorize_url(&[]), &[("decision", "deny")]).await;
    let callback = location(&response);
    assert!(
        callback
            .as_str()
            .contains("error=access_denied&error_description=end-user+denied+authorization&state=")
    );
}

#[tokio::test]
async fn a_user_of_another_org_can_allow() {
    let world = World::start().await;
    let state = world.simulator.state();
    let user = state["orgs"][1]["users"][0]["id"].as_str().unwrap();
    let response = world.decide(&world.authorize_url(&[]), &[("decision", "allow"), ("user", user)]).await;
    let tokens = body(world.exchange(&query(&location(&response))["code"], &[]).await).await;
    let id = tokens["id"].as_str().unwrap();
    assert!(id.contains(state["orgs"][1]["id"].as_str().unwrap()) && id.ends_with(user));

    let response =
        world.decide(&world.authorize_url(&[]), &[("decision", "allow"), ("user", "005nobody")]).await;
    assert_eq!(response.status(), 400);
}

#[tokio::test]
async fn an_invalid_request_returns_to_the_callback_with_an_error() {
    let world = World::start().await;
    for (changes, error) in [
        ([("response_type", Some("token"))], "unsupported_response_type"),
        ([("code_challenge", None)], "invalid_request"),
        ([("code_challenge", Some("short"))], "invalid_request"),
        ([("code_challenge_method", Some("plain"))], "invalid_request"),
        ([("scope", Some("api full"))], "invalid_scope"),
    ] {
        let response = world.client.get(world.authorize_url(&changes)).send().await.unwrap();
        assert_eq!(response.status(), 302, "{changes:?}");
        let callback = query(&location(&response));
        assert_eq!(callback["error"], error, "{changes:?}");
        assert_eq!(callback["state"], "a state & more");
        // Clicking Allow without having seen the page makes no difference.
        let response = world.decide(&world.authorize_url(&changes), &[("decision", "allow")]).await;
        assert_eq!(query(&location(&response))["error"], error);
    }
    world.simulator.set(|settings| settings.require_pkce = false);
    let response = world.client.get(world.authorize_url(&[("code_challenge", None)])).send().await.unwrap();
    assert_eq!(response.status(), 200);
}

#[tokio::test]
async fn the_browser_is_never_returned_to_an_unknown_app_or_callback() {
    let world = World::start().await;
    for (changes, error) in [
        ([("client_id", Some("another"))], "invalid_client_id"),
        ([("redirect_uri", None)], "redirect_uri_missing"),
        (
            [("redirect_uri", Some("http://localhost:8080/api/salesforce/oauth/callback/"))],
            "redirect_uri_mismatch",
        ),
        ([("redirect_uri", Some("https://evil.example/"))], "redirect_uri_mismatch"),
    ] {
        let response = world.client.get(world.authorize_url(&changes)).send().await.unwrap();
        assert_eq!(response.status(), 400, "{changes:?}");
        assert!(response.headers().get("location").is_none());
        assert!(response.text().await.unwrap().contains(error), "{changes:?}");
    }
}

#[tokio::test]
async fn a_code_is_valid_once_and_for_fifteen_minutes() {
    let world = World::start().await;
    let expired = (400, "invalid_grant".to_owned(), "expired authorization code".to_owned());
    let code = world.code().await;
    assert_eq!(world.exchange(&code, &[]).await.status(), 200);
    assert_eq!(oauth_error(world.exchange(&code, &[]).await).await, expired);

    let code = world.code().await;
    world.control("/clock", &json!({"advanceSeconds": 15 * 60})).await;
    assert_eq!(oauth_error(world.exchange(&code, &[]).await).await, expired);
}

#[tokio::test]
async fn a_code_needs_the_app_the_callback_and_the_verifier() {
    let world = World::start().await;
    for (change, error) in [
        (("client_id", Some("another")), "invalid_client_id"),
        (("client_secret", Some("wrong")), "invalid_client"),
        (("client_secret", None), "invalid_client"),
        (("redirect_uri", Some("http://localhost:8080/")), "redirect_uri_mismatch"),
        (("redirect_uri", None), "redirect_uri_missing"),
        (("code_verifier", Some("another-verifier-of-at-least-43-characters-012345")), "invalid_request"),
        (("code_verifier", Some("short")), "invalid_request"),
        (("code_verifier", None), "invalid_grant"),
        (("code", None), "invalid_request"),
        (("grant_type", Some("password")), "unsupported_grant_type"),
        (("grant_type", None), "unsupported_grant_type"),
    ] {
        let code = world.code().await;
        let (status, found, _) = oauth_error(world.exchange(&code, &[change]).await).await;
        assert_eq!((status, found.as_str()), (400, error), "{change:?}");
    }
}

#[tokio::test]
async fn the_token_endpoint_accepts_only_forms() {
    let world = World::start().await;
    let url = world.url("/services/oauth2/token");
    let json = world.client.post(&url).json(&json!({"grant_type": "refresh_token"})).send().await.unwrap();
    assert_eq!(oauth_error(json).await.1, "unsupported_grant_type");
    let get = world.client.get(&url).send().await.unwrap();
    assert_eq!(oauth_error(get).await, (400, "invalid_request".into(), "must use HTTP POST".into()));
}

#[tokio::test]
async fn a_refresh_rotates_the_token_and_reuse_ends_the_grant() {
    let world = World::start().await;
    let first = world.connect();
    let response = body(world.refresh(&first.refresh_token).await).await;
    let second = response["refresh_token"].as_str().unwrap().to_owned();
    assert_ne!(second, first.refresh_token);
    let expired = (400, "invalid_grant".to_owned(), "expired access/refresh token".to_owned());
    assert_eq!(oauth_error(world.refresh(&first.refresh_token).await).await, expired);
    assert_eq!(oauth_error(world.refresh(&second).await).await, expired);
    let response =
        world.get(&first.access_token, "/services/data/v60.0/query", &[("q", "SELECT Id FROM Lead")]).await;
    assert_eq!(response.status(), 401);

    let counts = world.simulator.token_counts();
    assert_eq!((counts.requests, counts.refreshes, counts.reused_refresh_tokens), (3, 3, 1));
}

#[tokio::test]
async fn without_rotation_no_refresh_token_is_returned() {
    let world = World::start().await;
    world.control("/settings", &json!({"rotation": false})).await;
    let tokens = world.connect();
    let response = body(world.refresh(&tokens.refresh_token).await).await;
    assert!(response.get("refresh_token").is_none());
    assert_eq!(world.refresh(&tokens.refresh_token).await.status(), 200);
}

#[tokio::test]
async fn concurrent_refreshes_are_counted_and_the_second_is_refused() {
    let world = World::start().await;
    let tokens = world.connect();
    world.simulator.add_fault(Fault::every(RouteKind::Token, Effect::Delay { milliseconds: 150 }));
    let (one, two) = tokio::join!(world.refresh(&tokens.refresh_token), world.refresh(&tokens.refresh_token));
    let mut statuses = [one.status().as_u16(), two.status().as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 400]);
    let refused = if one.status() == 400 { one } else { two };
    assert_eq!(oauth_error(refused).await.2, "token request is already being processed");
    assert_eq!(world.simulator.token_counts().concurrent_refreshes, 1);
    assert_eq!(world.simulator.token_counts().reused_refresh_tokens, 0);
}

#[tokio::test]
async fn a_second_revocation_is_refused() {
    let world = World::start().await;
    let tokens = world.connect();
    let url = world.url("/services/oauth2/revoke");
    let revoke = || world.client.post(&url).form(&[("token", &tokens.refresh_token)]).send();
    let response = revoke().await.unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(response.text().await.unwrap(), "");
    let (status, error, _) = oauth_error(revoke().await.unwrap()).await;
    assert_eq!((status, error.as_str()), (400, "invalid_token"));
    assert_eq!(oauth_error(world.refresh(&tokens.refresh_token).await).await.1, "invalid_grant");

    world.control("/settings", &json!({"revokeErrorsUrlencoded": true})).await;
    let text = revoke().await.unwrap().text().await.unwrap();
    assert!(text.starts_with("error=invalid_token&"), "{text}");
}

#[tokio::test]
async fn identity_refuses_an_invalid_token_in_plain_text() {
    let world = World::start().await;
    let tokens = world.connect();
    let identity = format!("/id/{}/{}", tokens.organization_id, tokens.user_id);
    assert_eq!(world.get(&tokens.access_token, &identity, &[]).await.status(), 200);
    let response = world.get("bad", &identity, &[]).await;
    assert_eq!(response.status(), 403);
    assert!(response.headers()["content-type"].to_str().unwrap().starts_with("text/plain"));
    assert_eq!(response.text().await.unwrap(), "Bad_OAuth_Token");
    world.simulator.set(|settings| settings.identity_timezone = Some("Europe/Berlin".into()));
    assert_eq!(
        body(world.get(&tokens.access_token, &identity, &[]).await).await["timezone"],
        "Europe/Berlin"
    );
    let other = format!("/id/{}/005Sm0010000002AAA", tokens.organization_id);
    assert_eq!(world.get(&tokens.access_token, &other, &[]).await.status(), 403);
}

#[tokio::test]
async fn without_the_refresh_scope_there_is_no_refresh_token() {
    let world = World::start().await;
    let response =
        world.decide(&world.authorize_url(&[("scope", Some("api"))]), &[("decision", "allow")]).await;
    let tokens = body(world.exchange(&query(&location(&response))["code"], &[]).await).await;
    assert!(tokens.get("refresh_token").is_none());
}
