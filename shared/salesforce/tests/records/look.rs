//! The look: whether a call is in Salesforce already.

use std::collections::BTreeMap;

use calls::ids::CallId;
use chrono::{DateTime, Utc};
use crm::FaultClass;
use salesforce_sim::{Effect, RouteKind};
use serde_json::json;
use worker::ports::{Crm, Look};

use crate::support::{
    task,
    world::{World, class_and_code},
};

#[tokio::test]
async fn a_look_finds_what_a_write_without_a_response_created() {
    let world = World::new().await;
    assert_eq!(world.look("call-1").await.unwrap(), Look::default());
    world.fault(RouteKind::Composite, Effect::DropAfter);
    let error = world.create_both("call-1").await.unwrap_err();
    assert_eq!(class_and_code(&error), (FaultClass::Ambiguous, "connection"));

    world.salesforce.clear_requests();
    let look = world.look("call-1").await.unwrap();
    let (task_id, who) = look.task.unwrap();
    assert_eq!(task_id.as_str(), world.salesforce.records("Task")[0]["Id"]);
    assert_eq!(who, Some(world.ada().await));
    assert_eq!(look.event_id.unwrap().as_str(), world.salesforce.records("Event")[0]["Id"]);
    assert_eq!(world.salesforce.count(RouteKind::Composite), 1, "a look is one request");
    assert_eq!(world.look("call-2").await.unwrap(), Look::default());
}

#[tokio::test]
async fn a_look_compares_call_ids_case_sensitively() {
    let world = World::new().await;
    world.create_both("Call-A").await.unwrap();
    assert_eq!(world.look("call-a").await.unwrap(), Look::default());
    assert!(world.look("Call-A").await.unwrap().task.is_some());
}

#[tokio::test]
async fn a_task_without_call_object_is_found_by_its_last_line() {
    let world = World::new().await;
    let who = world.ada().await;
    let mut draft = task(&who, "call-1");
    draft.call_object = None;
    world.client.create(&world.connection, Some(&draft), None).await.unwrap();
    assert!(world.look("call-1").await.unwrap().task.is_some());
    world.salesforce.set(|settings| settings.hidden_fields = vec!["Task.CallObject".into()]);
    assert!(world.look("call-1").await.unwrap().task.is_some());
}

#[tokio::test]
async fn archived_moved_and_deleted_tasks_are_found() {
    let world = World::new().await;
    let written = world.create_both("call-1").await.unwrap();
    let task_id = written.task_id.unwrap();
    let other = world.found("2345550147").await;
    for change in [json!({"IsArchived": true}), json!({"WhoId": other}), json!({"IsDeleted": true})] {
        world.salesforce.change_record(task_id.as_str(), &change).unwrap();
        let found = world.look("call-1").await.unwrap().task.map(|(id, _)| id);
        assert_eq!(found.as_ref(), Some(&task_id), "{change}");
    }
}

#[tokio::test]
async fn a_look_without_record_ids_finds_the_task() {
    let world = World::new().await;
    world.create_both("call-1").await.unwrap();
    let call_id = CallId::parse("call-1").unwrap();
    let look =
        world.client.look(&world.connection, &call_id, &[], DateTime::UNIX_EPOCH, false).await.unwrap().value;
    assert!(look.task.is_some() && look.event_id.is_none());
}

/// In an org with millions of Tasks, the query without a time limit may never finish.
#[tokio::test]
async fn an_older_task_is_looked_for_last_and_a_timeout_does_not_fail_the_look() {
    let world = World::new().await;
    let written = world.create_both("call-1").await.unwrap();
    let task_id = written.task_id.unwrap();
    let old = json!({ "CreatedDate": "2020-01-02T03:04:05.000+0000" });
    world.salesforce.change_record(task_id.as_str(), &old).unwrap();
    let (call_id, since) = (CallId::parse("call-1").unwrap(), Utc::now() - chrono::TimeDelta::hours(1));
    let who_ids = [world.ada().await];
    let look = async |may_be_older| {
        world.salesforce.clear_requests();
        let look = world.client.look(&world.connection, &call_id, &who_ids, since, may_be_older).await;
        let requests = [RouteKind::Composite, RouteKind::Query].map(|kind| world.salesforce.count(kind));
        (look.unwrap().value, requests)
    };
    let (found, requests) = look(false).await;
    assert_eq!((found.task, found.event_id.clone(), requests), (None, written.event_id.clone(), [1, 0]));
    let (found, requests) = look(true).await;
    assert_eq!((found.task.map(|(id, _)| id), requests), (Some(task_id), [1, 1]));
    world.fault(
        RouteKind::Query,
        Effect::Answer {
            status: 400,
            body: json!([{ "errorCode": "QUERY_TIMEOUT", "message": "Your query request was running for too long." }]),
            content_type: None,
            headers: BTreeMap::new(),
        },
    );
    let (found, _) = look(true).await;
    assert_eq!((found.task, found.event_id), (None, written.event_id));
}
