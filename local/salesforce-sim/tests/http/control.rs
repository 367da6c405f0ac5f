//! The control routes and the pages.

use crate::support::{World, body, task_composite};
use serde_json::{Value, json};

async fn get(world: &World, path: &str) -> Value {
    body(world.client.get(world.url(path)).send().await.unwrap()).await
}

async fn page(world: &World, path: &str) -> (u16, String) {
    let response = world.client.get(world.url(path)).send().await.unwrap();
    (response.status().as_u16(), response.text().await.unwrap())
}

#[tokio::test]
async fn requests_are_listed_without_secrets() {
    let world = World::start().await;
    let tokens = world.connect();
    world.get(&tokens.access_token, "/services/data/v60.0/query/", &[("q", "SELECT Id FROM Lead")]).await;
    world.refresh(&tokens.refresh_token).await;
    let log = get(&world, "/_sim/requests").await;
    assert_eq!(log["counts"], json!({"query": 1, "token": 1}));
    assert_eq!(log["tokens"]["refreshes"], 1);
    let first = &log["requests"][0];
    assert_eq!((first["method"].as_str(), first["kind"].as_str()), (Some("GET"), Some("query")));
    assert_eq!(first["path"], "/services/data/v60.0/query/");
    let all = log.to_string() + &get(&world, "/_sim/state").await.to_string();
    assert!(!all.contains(&tokens.access_token) && !all.contains(&tokens.refresh_token));
    assert!(!all.contains(&world.simulator.config().client_secret));

    world.client.delete(world.url("/_sim/requests")).send().await.unwrap();
    assert_eq!(get(&world, "/_sim/requests").await["counts"], json!({}));
}

#[tokio::test]
async fn the_state_has_records_and_the_number_of_grants() {
    let world = World::start().await;
    let tokens = world.connect();
    world.post(&tokens.access_token, "/services/data/v60.0/composite", &task_composite("c1")).await;
    let state = get(&world, "/_sim/state").await;
    let org = &state["orgs"][0];
    assert_eq!(org["records"]["Lead"].as_array().unwrap().len(), 6);
    assert_eq!(org["records"]["Contact"].as_array().unwrap().len(), 6);
    assert_eq!(org["records"]["Task"][0]["CallObject"], "c1");
    assert_eq!(org["records"]["Event"], json!([]));
    assert_eq!(org["apiUsed"], 1);
    assert_eq!(state["grants"], json!({ tokens.user_id.clone(): 1 }));
    world.control("/revoke-grants", &json!({})).await;
    assert_eq!(get(&world, "/_sim/state").await["grants"], json!({}));
    let response = world.get(&tokens.access_token, "/services/data/v60.0/query/", &[("q", "x")]).await;
    assert_eq!(response.status(), 401);
}

#[tokio::test]
async fn sessions_can_be_ended_without_the_refresh_token() {
    let world = World::start().await;
    let tokens = world.connect();
    world.control("/expire-sessions", &json!({})).await;
    let response = world.get(&tokens.access_token, "/services/data/v60.0/query/", &[("q", "x")]).await;
    assert_eq!(response.status(), 401);
    assert_eq!(world.refresh(&tokens.refresh_token).await.status(), 200);
}

#[tokio::test]
async fn records_can_be_added_changed_and_converted() {
    let world = World::start().await;
    let response = world
        .control(
            "/records",
            &json!({"object": "Lead", "indexed": true,
                "fields": {"FirstName": "Zoe", "LastName": "New", "Phone": "2345550190", "CreatedDate": "2026-01-01T00:00:00.000+0000"}}),
        )
        .await;
    assert_eq!(response.status(), 201);
    let id = body(response).await["id"].as_str().unwrap().to_owned();
    world.control(&format!("/records/{id}"), &json!({"Company": "Changed"})).await;
    let converted = body(world.control(&format!("/records/{id}/convert"), &json!({})).await).await;
    let lead = world.simulator.records("Lead").into_iter().find(|lead| lead["Id"] == *id).unwrap();
    assert_eq!(lead["Name"], "Zoe New");
    assert_eq!(lead["CreatedDate"], "2026-01-01T00:00:00.000+0000");
    assert_eq!(lead["Company"], "Changed");
    assert_eq!(lead["ConvertedContactId"], converted["contactId"]);

    for (path, invalid) in [
        ("/records", json!({"object": "Nothing", "fields": {}})),
        ("/records", json!({"object": "Lead", "fields": {"Foo": 1}})),
        ("/records", json!({"object": "Lead", "fields": {}, "org": 9})),
        ("/records/nothing", json!({})),
        ("/settings", json!({"noSuchSetting": 1})),
        ("/faults", json!({"route": "search"})),
        ("/clock", json!({"advanceSeconds": -1})),
    ] {
        let response = world.control(path, &invalid).await;
        assert!(response.status().is_client_error(), "{path} {invalid}");
    }
}

#[tokio::test]
async fn faults_are_added_listed_and_cleared() {
    let world = World::start().await;
    let token = world.connect().access_token;
    let fault = json!({"route": "search", "times": 1,
        "effect": {"kind": "answer", "status": 503, "body": [{"errorCode": "SERVER_UNAVAILABLE", "message": "busy"}]}});
    assert_eq!(world.control("/faults", &fault).await.status(), 201);
    assert_eq!(get(&world, "/_sim/faults").await.as_array().unwrap().len(), 1);
    let response = world.get(&token, "/services/data/v60.0/search/", &[("q", "x")]).await;
    assert_eq!(response.status(), 503);
    assert_eq!(body(response).await[0]["message"], "busy");
    assert_eq!(get(&world, "/_sim/faults").await, json!([]));

    let write_fault =
        json!({"object": "Task", "times": null, "errorCode": "UNABLE_TO_LOCK_ROW", "message": "locked"});
    world.control("/write-faults", &write_fault).await;
    let response =
        body(world.post(&token, "/services/data/v60.0/composite", &task_composite("c1")).await).await;
    assert_eq!(response["compositeResponse"][0]["body"][0]["errorCode"], "UNABLE_TO_LOCK_ROW");
    world.client.delete(world.url("/_sim/write-faults")).send().await.unwrap();
    assert_eq!(get(&world, "/_sim/write-faults").await, json!([]));
}

#[tokio::test]
async fn a_fault_of_one_org_strikes_only_its_sessions() {
    let world = World::start().await;
    let token = world.connect().access_token;
    for (org, status) in [(2, 200), (1, 503)] {
        let fault = json!({"route": "search", "org": org, "effect": {"kind": "answer", "status": 503, "body": "down"}});
        assert_eq!(world.control("/faults", &fault).await.status(), 201);
        let term = [("q", "FIND {2345550123} RETURNING Lead(Id)")];
        let response = world.get(&token, "/services/data/v60.0/search/", &term).await;
        assert_eq!(response.status(), status, "{org}");
    }
}

#[tokio::test]
async fn a_reset_restores_the_initial_state() {
    let world = World::start().await;
    let token = world.connect().access_token;
    world.post(&token, "/services/data/v60.0/composite", &task_composite("c1")).await;
    world.control("/settings", &json!({"rotation": false})).await;
    assert_eq!(world.control("/reset", &json!({})).await.status(), 204);
    let state = get(&world, "/_sim/state").await;
    assert_eq!(state["orgs"][0]["records"]["Task"], json!([]));
    assert_eq!((state["settings"]["rotation"].clone(), state["grants"].clone()), (json!(true), json!({})));
}

#[tokio::test]
async fn the_pages_show_people_and_their_timelines() {
    let world = World::start().await;
    let token = world.connect().access_token;
    let (status, people) = page(&world, "/").await;
    assert_eq!(status, 200);
    assert!(
        people.contains("Ada Sample")
            && people.contains("Grace Example")
            && people.contains("(234) 555-0123")
    );

    let leads = world.simulator.records("Lead");
    let ada = leads.iter().find(|lead| lead["Name"] == "Ada Sample").unwrap()["Id"].as_str().unwrap();
    let mut request = task_composite("call-77");
    request["compositeRequest"][0]["body"]["WhoId"] = json!(ada);
    request["compositeRequest"][0]["body"]["Description"] = json!("<script>alert(1)</script> & more");
    world.post(&token, "/services/data/v60.0/composite", &request).await;
    let (status, timeline) = page(&world, &format!("/{ada}")).await;
    assert_eq!(status, 200);
    assert!(timeline.contains("Inbound Call") && timeline.contains("call-77"));
    assert!(timeline.contains("&lt;script&gt;alert(1)&lt;/script&gt; &amp; more"), "it is escaped");
    assert_eq!(page(&world, "/00QSm0019999999AAA").await.0, 404);
    assert_eq!(page(&world, "/nothing").await.0, 404);
}

#[tokio::test]
async fn dropping_the_simulator_stops_it() {
    let world = World::start().await;
    let url = world.url("/");
    drop(world.simulator);
    tokio::task::yield_now().await;
    assert!(world.client.get(url).send().await.is_err());
}
