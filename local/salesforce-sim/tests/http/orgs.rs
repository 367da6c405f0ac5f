//! Real-world orgs: people at work, custom fields and duplicate rules, no API, redirects.

use crate::support::{World, body};
use salesforce_sim::PersonAction;
use serde_json::{Value, json};

const TASK: &str = "/services/data/v60.0/sobjects/Task";
const QUERY: &str = "/services/data/v60.0/query";

async fn create_task(world: &World, token: &str) -> String {
    let created = body(world.post(token, TASK, &json!({"Subject": "ours"})).await).await;
    created["id"].as_str().unwrap().to_owned()
}

async fn read(world: &World, token: &str, id: &str) -> Value {
    body(world.get(token, &format!("{TASK}/{id}"), &[]).await).await
}

/// Updates the subject unless the Task was modified after it was read.
async fn update(world: &World, token: &str, task: &Value) -> (u16, String) {
    let modified = task["LastModifiedDate"].as_str().unwrap();
    let modified = chrono::DateTime::parse_from_str(modified, "%Y-%m-%dT%H:%M:%S%.3f%z").unwrap();
    let url = world.url(&format!("{TASK}/{}", task["Id"].as_str().unwrap()));
    let request = world.client.patch(url).bearer_auth(token).json(&json!({"Subject": "ours again"}));
    let since = modified.format("%a, %d %b %Y %H:%M:%S GMT").to_string();
    let response = request.header("if-unmodified-since", since).send().await.unwrap();
    (response.status().as_u16(), response.text().await.unwrap())
}

#[tokio::test]
async fn a_persons_edit_between_two_requests_is_detected() {
    let world = World::start().await;
    let tokens = world.connect();
    let token = &tokens.access_token;
    let id = create_task(&world, token).await;
    let ours = read(&world, token, &id).await;
    assert_eq!(update(&world, token, &ours).await, (204, String::new()));

    let ours = read(&world, token, &id).await;
    let edit = json!({"id": id, "fields": {"Subject": "theirs"}});
    assert_eq!(world.control("/people/edit", &edit).await.status(), 204);
    let (status, refused) = update(&world, token, &ours).await;
    assert_eq!(status, 412);
    assert!(refused.contains("PRECONDITION_FAILED"), "{refused}");
    let theirs = read(&world, token, &id).await;
    assert_eq!(theirs["Subject"], "theirs");
    assert_eq!(ours["LastModifiedById"], tokens.user_id.as_str());
    assert_ne!(theirs["LastModifiedById"], tokens.user_id.as_str());
}

#[tokio::test]
async fn a_person_can_act_just_before_or_just_after_a_request() {
    let world = World::start().await;
    let token = world.connect().access_token;
    let id = create_task(&world, &token).await;
    let ours = read(&world, &token, &id).await;
    let edit = |before| {
        json!({"route": "sobject", "effect": {"kind": "person", "before": before,
        "action": {"edit": {"id": "newest:Task", "fields": {"Subject": "theirs"}}}}})
    };
    assert_eq!(world.control("/faults", &edit(true)).await.status(), 201);
    assert_eq!(update(&world, &token, &ours).await.0, 412);

    world.control("/faults", &edit(false)).await;
    let theirs = read(&world, &token, &id).await;
    assert_eq!(update(&world, &token, &theirs).await.0, 412, "the Task was modified just after it was read");

    let delete = json!({"route": "sobject", "effect": {"kind": "person", "action": {"delete": {"id": id}}}});
    world.control("/faults", &delete).await;
    assert_eq!(read(&world, &token, &id).await[0]["errorCode"], "ENTITY_IS_DELETED");

    world.control("/faults", &delete).await;
    assert_eq!(world.get(&token, &format!("{TASK}/{id}"), &[]).await.status(), 501, "it is deleted already");
}

#[tokio::test]
async fn people_can_move_delete_and_restore() {
    let world = World::start().await;
    let token = world.connect().access_token;
    let id = create_task(&world, &token).await;
    let leads = world.simulator.records("Lead");
    for (action, request, status) in [
        ("move", json!({"id": id, "whoId": leads[0]["Id"]}), 204),
        ("delete", json!({"id": "newest:Task"}), 204),
        ("restore", json!({"id": id}), 204),
        ("restore", json!({"id": id}), 400),
        ("edit", json!({"id": id, "fields": {"Nothing": 1}}), 400),
        ("delete", json!({"id": "newest:Nothing"}), 400),
        ("promote", json!({"id": id}), 400),
    ] {
        let response = world.control(&format!("/people/{action}"), &request).await;
        assert_eq!(response.status(), status, "{action} {request}");
    }
    assert_eq!(read(&world, &token, &id).await["WhoId"], leads[0]["Id"]);
    let action: PersonAction = serde_json::from_value(json!({"delete": {"id": id}})).unwrap();
    world.simulator.person_acts(&action).unwrap();
    assert_eq!(world.simulator.records("Task")[0]["IsDeleted"], true);
}

#[tokio::test]
async fn a_fault_can_redirect_before_or_after_the_request() {
    let world = World::start().await;
    let tokens = world.connect();
    let moved = |route: &str, kind: &str, status: u16| {
        json!({"route": route, "effect": {"kind": kind, "status": status,
        "body": "<html>Moved</html>",
        "headers": {"Location": "https://elsewhere.example/", "Content-Type": "text/html"}}})
    };
    world.control("/faults", &moved("token", "answer", 301)).await;
    let response = world.refresh(&tokens.refresh_token).await;
    assert_eq!(response.status(), 301);
    assert_eq!(response.headers()["location"], "https://elsewhere.example/");
    assert_eq!(response.headers()["content-type"], "text/html");
    assert_eq!(response.text().await.unwrap(), "<html>Moved</html>");
    assert_eq!(world.refresh(&tokens.refresh_token).await.status(), 200, "the request was not executed");

    world.control("/faults", &moved("sobject", "answerAfter", 307)).await;
    let token = world.connect().access_token;
    let response = world.post(&token, TASK, &json!({})).await;
    assert_eq!(
        (response.status().as_u16(), response.headers()["content-type"].to_str().unwrap()),
        (307, "text/html")
    );
    assert_eq!(world.simulator.records("Task").len(), 1, "the request was executed");

    let mut invalid = moved("token", "answer", 301);
    invalid["effect"]["headers"] = json!({"No header": "x"});
    assert!(world.control("/faults", &invalid).await.status().is_client_error());
}

#[tokio::test]
async fn an_edition_without_the_api_can_still_connect() {
    let world = World::start().await;
    world.control("/settings", &json!({"apiDisabled": true})).await;
    let code = world.code().await;
    let tokens = body(world.exchange(&code, &[]).await).await;
    let token = tokens["access_token"].as_str().unwrap();
    for path in [TASK, QUERY, "/services/data/v60.0/search/", "/services/data/v60.0/limits"] {
        let response = world.get(token, path, &[("q", "SELECT Id FROM Task")]).await;
        assert_eq!(response.status(), 403, "{path}");
        assert_eq!(
            body(response).await,
            json!([{"message": "The REST API is not enabled for this Organization.", "errorCode": "API_DISABLED_FOR_ORG"}])
        );
    }
    let identity = tokens["id"].as_str().unwrap();
    let response = world.client.get(identity).bearer_auth(token).send().await.unwrap();
    assert_eq!(response.status(), 200);
}

#[tokio::test]
async fn duplicate_rules_and_custom_fields_can_be_set() {
    let world = World::start().await;
    let token = world.connect().access_token;
    let settings = json!({
        "customFields": [{"object": "Contact", "name": "Direct_Line__c", "type": "phone"}],
        "unfilterableFields": ["Contact.Phone"],
        "duplicateRules": [{"object": "Lead", "by": "phone", "action": "alert", "name": "Lead_DR"}],
        "duplicateResultSpelling": "duplicateResult",
    });
    assert_eq!(world.control("/settings", &settings).await.status(), 200);
    let contact = json!({"object": "Contact", "fields": {"LastName": "D", "Direct_Line__c": "2345550190"}});
    assert_eq!(world.control("/records", &contact).await.status(), 201);
    let found = body(
        world.get(&token, QUERY, &[("q", "SELECT Direct_Line__c FROM Contact WHERE LastName = 'D'")]).await,
    )
    .await;
    assert_eq!(found["records"][0]["Direct_Line__c"], "2345550190");
    let response = world.get(&token, QUERY, &[("q", "SELECT Id FROM Contact WHERE Phone = '1'")]).await;
    assert_eq!(response.status(), 400);

    let lead = world.client.post(world.url("/services/data/v60.0/sobjects/Lead")).bearer_auth(&token);
    let lead = lead.json(&json!({"LastName": "L", "Company": "C", "Phone": "2345550123"}));
    let refused = lead.try_clone().unwrap().send().await.unwrap();
    assert_eq!(refused.status(), 400);
    assert_eq!(body(refused).await[0]["duplicateResult"]["duplicateRule"], "Lead_DR");
    let saved = lead.header("sforce-duplicate-rule-header", "allowSave=true").send().await.unwrap();
    assert_eq!(saved.status(), 201);

    for invalid in [
        json!({"customFields": [{"object": "Contact", "name": "Direct_Line", "type": "phone"}]}),
        json!({"duplicateRules": [{"object": "Lead", "by": "shoe size", "action": "alert"}]}),
        json!({"duplicateResultSpelling": "duplicateResutl"}),
    ] {
        assert_eq!(world.control("/settings", &invalid).await.status(), 400, "{invalid}");
    }
}
