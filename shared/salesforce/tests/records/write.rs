//! Creating, reading and updating.

use std::{collections::BTreeMap, time::Duration};

use calls::ids::SalesforceId;
use chrono::Utc;
use crm::{Duplicates, FaultClass, Omitted, WrittenObject, lead::LeadDraft};
use salesforce::Timeouts;
use salesforce_sim::{Effect, NewRecord, PersonAction, Preset, RouteKind, Settings, TaskStatus};
use secrecy::ExposeSecret;
use serde_json::json;
use worker::ports::Crm;

use crate::support::{
    event, task,
    world::{World, class_and_code},
};

#[tokio::test]
async fn task_and_event_are_written_in_one_request() {
    let world = World::new().await;
    let written = world.create_both("call-1").await.unwrap();
    let (tasks, events) = (world.salesforce.records("Task"), world.salesforce.records("Event"));
    assert_eq!((tasks.len(), events.len()), (1, 1));
    assert_eq!(tasks[0]["Id"], written.task_id.unwrap().as_str());
    assert_eq!(events[0]["Id"], written.event_id.unwrap().as_str());
    assert_eq!((&tasks[0]["TaskSubtype"], &tasks[0]["CallObject"]), (&json!("Call"), &json!("call-1")));
    assert_eq!(world.salesforce.count(RouteKind::Composite), 1);
}

#[tokio::test]
async fn a_task_or_an_event_can_be_written_alone() {
    let world = World::new().await;
    let who = world.ada().await;
    let task_draft = task(&who, "call-1");
    let written = world.client.create(&world.connection, Some(&task_draft), None).await.unwrap();
    assert!(written.value.task_id.is_some() && written.value.event_id.is_none());
    assert!(written.api_usage.is_some());
    let written = world.client.create(&world.connection, None, Some(&event(&who, "call-1"))).await.unwrap();
    assert!(written.value.task_id.is_none() && written.value.event_id.is_some());
    assert_eq!((world.salesforce.records("Task").len(), world.salesforce.records("Event").len()), (1, 1));
}

#[tokio::test]
async fn a_refused_event_rolls_back_the_task_and_is_named() {
    let world = World::new().await;
    world.refuse("Event", "FIELD_CUSTOM_VALIDATION_EXCEPTION", "Not on Sundays", &["StartDateTime"]);
    let error = world.create_both("call-1").await.unwrap_err();
    assert_eq!(class_and_code(&error), (FaultClass::Permanent, "FIELD_CUSTOM_VALIDATION_EXCEPTION"));
    assert_eq!((error.object, error.message.as_str()), (Some(WrittenObject::Event), "Not on Sundays"));
    assert_eq!((error.fields, error.status), (vec!["StartDateTime".to_owned()], Some(400)));
    assert_eq!((world.salesforce.records("Task").len(), world.salesforce.records("Event").len()), (0, 0));
}

#[tokio::test]
async fn a_refused_task_is_named() {
    let world = World::new().await;
    world.refuse("Task", "CANNOT_UPDATE_CONVERTED_LEAD", "cannot reference converted lead", &[]);
    let error = world.create_both("call-1").await.unwrap_err();
    assert_eq!((error.class, error.object), (FaultClass::RecordGone, Some(WrittenObject::Task)));
}

#[tokio::test]
async fn a_refused_lead_is_named() {
    let world = World::new().await;
    world.refuse(
        "Lead",
        "REQUIRED_FIELD_MISSING",
        "Required fields are missing: [Region__c]",
        &["Region__c"],
    );
    let error =
        world.client.create_lead(&world.connection, &new_lead(), Duplicates::Refuse).await.unwrap_err();
    assert_eq!((error.code.as_str(), error.object), ("REQUIRED_FIELD_MISSING", Some(WrittenObject::Lead)));
}

#[tokio::test]
async fn refused_fields_are_named() {
    let world = World::new().await;
    for hide in [
        |settings: &mut Settings| settings.hidden_fields = vec!["Task.Type".into()],
        |settings: &mut Settings| settings.read_only_fields = vec!["Task.Type".into()],
    ] {
        world.salesforce.set(|settings| *settings = Settings::default());
        world.salesforce.set(hide);
        let error = world.create_both("call-1").await.unwrap_err();
        assert_eq!((error.class, error.object), (FaultClass::FieldRefused, Some(WrittenObject::Task)));
        assert_eq!(error.fields, ["Type"], "{}", error.message);
    }
}

#[tokio::test]
async fn a_lead_that_was_converted_in_the_meantime_is_gone() {
    let world = World::new().await;
    let who = world.ada().await;
    world.salesforce.convert_lead(who.as_str()).unwrap();
    let error = world.client.create(&world.connection, Some(&task(&who, "call-1")), None).await.unwrap_err();
    assert_eq!(error.class, FaultClass::RecordGone);
}

#[tokio::test]
async fn a_failed_create_says_whether_it_may_have_taken_effect() {
    let world = World::new().await;
    for (effect, class) in [
        (Effect::from(Preset::SessionExpired), FaultClass::Session),
        (Preset::UnableToLockRow.into(), FaultClass::Passing),
        (Preset::Maintenance.into(), FaultClass::Passing),
        (Preset::EdgeBusyHtml.into(), FaultClass::Passing),
        (Preset::ConcurrentRequestsLimit.into(), FaultClass::ConcurrentLimit),
        (Preset::UnknownException.into(), FaultClass::Ambiguous),
        (Preset::ServerUnavailable.into(), FaultClass::Ambiguous),
        (Preset::BadGatewayHtml.into(), FaultClass::Ambiguous),
        (Effect::DropBefore, FaultClass::Ambiguous),
    ] {
        let name = format!("{effect:?}");
        world.fault(RouteKind::Composite, effect);
        assert_eq!(world.create_both("call-1").await.unwrap_err().class, class, "{name}");
    }
    assert!(world.salesforce.records("Task").is_empty());
}

#[tokio::test]
async fn the_status_of_closed_tasks_is_read_from_the_org() {
    let world = World::new().await;
    let who = world.ada().await;
    let status = |name: &str, is_closed| TaskStatus { name: name.into(), is_closed, is_default: !is_closed };
    world
        .salesforce
        .set(|settings| settings.task_statuses = vec![status("Offen", false), status("Erledigt", true)]);
    let mut draft = task(&who, "call-1");
    let refusal = world.client.create(&world.connection, Some(&draft), None).await.unwrap_err();
    assert_eq!((refusal.class, refusal.fields), (FaultClass::FieldRefused, vec!["Status".to_owned()]));
    let closed = world.client.closed_task_status(&world.connection).await.unwrap().value;
    assert_eq!(closed.as_deref(), Some("Erledigt"));
    draft.status = closed.unwrap();
    world.client.create(&world.connection, Some(&draft), None).await.unwrap();

    world.salesforce.set(|settings| settings.task_statuses = vec![status("Offen", false)]);
    assert_eq!(world.client.closed_task_status(&world.connection).await.unwrap().value, None);
}

fn fields(json: serde_json::Value) -> crm::Fields {
    json.as_object().unwrap().clone()
}

#[tokio::test]
async fn an_update_does_not_move_the_activity_to_another_record() {
    let world = World::new().await;
    let written = world.create_both("call-1").await.unwrap();
    let contact = world.salesforce.convert_lead(world.ada().await.as_str()).unwrap();

    let activities = world.read(&written).await;
    let subject = "Inbound Call - Scheduled Appointment";
    let times = json!({ "StartDateTime": "2026-01-21T19:00:00Z", "EndDateTime": "2026-01-21T20:00:00Z" });
    for (object, changed, activity) in [
        (WrittenObject::Task, json!({ "Subject": subject }), activities.task.unwrap()),
        (WrittenObject::Event, times, activities.event.unwrap()),
    ] {
        let changed = fields(changed);
        let (id, at) = (&activity.id, activity.modified_at);
        let response = world.client.update(&world.connection, object, id, &changed, at).await.unwrap();
        assert!(response.api_usage.is_some());
    }

    let (tasks, events) = (world.salesforce.records("Task"), world.salesforce.records("Event"));
    assert_eq!(tasks[0]["Subject"], subject);
    assert_eq!(events[0]["StartDateTime"], "2026-01-21T19:00:00.000+0000");
    assert_eq!((&tasks[0]["WhoId"], &events[0]["WhoId"]), (&json!(contact), &json!(contact)));
}

#[tokio::test]
async fn activities_are_read_in_one_request_as_they_were_sent() {
    let world = World::new().await;
    let written = world.create_both("call-1").await.unwrap();
    world.salesforce.set(|settings| settings.hidden_fields = vec!["Task.CallDisposition".into()]);
    world.salesforce.clear_requests();
    let activities = world.read(&written).await;
    assert_eq!(world.salesforce.count(RouteKind::Composite), 1);
    let (task, event) = (activities.task.unwrap(), activities.event.unwrap());
    assert!(task.is_untouched && event.is_untouched);
    assert_eq!(task.who_id, Some(world.ada().await));
    assert_eq!(event.fields["StartDateTime"], "2026-01-20T19:00:00Z");
    assert_eq!(task.fields["CallDurationInSeconds"], 63);
    assert!(!task.fields.contains_key("CallDisposition"), "hidden fields are missing");
    assert_eq!(event.fields["Location"], serde_json::Value::Null, "empty fields are null");
}

#[tokio::test]
async fn a_record_that_somebody_changed_since_it_was_read_is_not_updated() {
    let world = World::new().await;
    let written = world.create_both("call-1").await.unwrap();
    let task = world.read(&written).await.task.unwrap();
    let edit = json!({ "edit": { "id": task.id, "fields": { "Subject": "Quote for Ada" } } });
    world.salesforce.person_acts(&serde_json::from_value::<PersonAction>(edit).unwrap()).unwrap();
    let changed = fields(json!({ "Subject": "Inbound Call" }));
    let update = |at| world.client.update(&world.connection, WrittenObject::Task, &task.id, &changed, at);
    let error = update(task.modified_at).await.unwrap_err();
    assert_eq!(error.class, FaultClass::Stale, "{error}");
    assert_eq!(world.salesforce.records("Task")[0]["Subject"], "Quote for Ada");
    let again = world.read(&written).await.task.unwrap();
    assert!(!again.is_untouched);
    update(again.modified_at).await.unwrap();
    assert_eq!(world.salesforce.records("Task")[0]["Subject"], "Inbound Call");
}

#[tokio::test]
async fn an_activity_that_a_person_deleted_is_gone() {
    let world = World::new().await;
    let written = world.create_both("call-1").await.unwrap();
    let (task_id, event_id) = (written.task_id.clone().unwrap(), written.event_id.clone().unwrap());
    world.salesforce.change_record(task_id.as_str(), &json!({"IsDeleted": true})).unwrap();
    let activities = world.read(&written).await;
    assert_eq!((activities.task, activities.event.map(|event| event.id)), (None, Some(event_id)));
    let never = SalesforceId::parse("00T000000000999").unwrap();
    for id in [task_id, never] {
        let changed = fields(json!({ "Subject": "Inbound Call" }));
        let at = Utc::now();
        let error = world.client.update(&world.connection, WrittenObject::Task, &id, &changed, at).await;
        let error = error.unwrap_err();
        assert_eq!((error.class, error.object), (FaultClass::RecordGone, Some(WrittenObject::Task)));
    }
}

#[tokio::test]
async fn an_update_without_permission_is_a_permanent_error() {
    let world = World::new().await;
    let task_id = world.create_both("call-1").await.unwrap().task_id.unwrap();
    world.salesforce.set(|settings| settings.denied = vec!["Task.update".into()]);
    let changed = fields(json!({ "Subject": "Inbound Call" }));
    let at = Utc::now();
    let error = world.client.update(&world.connection, WrittenObject::Task, &task_id, &changed, at).await;
    assert_eq!(error.unwrap_err().class, FaultClass::Permanent);
}

#[tokio::test]
async fn a_response_after_the_timeout_is_ambiguous_for_writes() {
    let timeouts = Timeouts { connect: Duration::from_secs(1), request: Duration::from_millis(300) };
    let world = World::with(Settings::default(), timeouts).await;
    world.fault(RouteKind::Composite, Effect::Delay { milliseconds: 600 });
    let error = world.create_both("call-1").await.unwrap_err();
    assert_eq!(class_and_code(&error), (FaultClass::Ambiguous, "timeout"));
    world.fault(RouteKind::Search, Effect::Delay { milliseconds: 600 });
    let error = world.search("2345550123").await.unwrap_err();
    assert_eq!(class_and_code(&error), (FaultClass::Passing, "timeout"));
    world.fault(RouteKind::Token, Effect::Delay { milliseconds: 600 });
    assert_eq!(world.refresh(&world.connection).await.unwrap_err().class, FaultClass::Ambiguous);
}

#[tokio::test]
async fn no_error_contains_the_number_or_a_token() {
    let world = World::new().await;
    let body = json!([{
        "errorCode": "MALFORMED_SEARCH",
        "message": format!("no row for 2345550123 with {}", world.connection.access_token.expose_secret()),
    }]);
    world.fault(
        RouteKind::Search,
        Effect::Answer { status: 400, body, content_type: None, headers: BTreeMap::new() },
    );
    let text = format!("{:?}", world.search("2345550123").await.unwrap_err());
    assert!(
        !text.contains("0123") && !text.contains(world.connection.access_token.expose_secret()),
        "{text}"
    );
}

fn new_lead() -> LeadDraft {
    LeadDraft {
        last_name: "Unknown caller +12345550173".into(),
        first_name: None,
        company: "Unknown".into(),
        phone: "+12345550173".into(),
        lead_source: Some("Voice AI".into()),
    }
}

#[tokio::test]
async fn a_refused_duplicate_lead_names_the_existing_records() {
    let world = World::new().await;
    let rules = json!([{ "object": "Lead", "by": "phone", "action": "alert" }]);
    let rules = serde_json::from_value(rules).unwrap();
    world.salesforce.set(|settings: &mut Settings| settings.duplicate_rules = rules);
    let mut known = Vec::new();
    for object in ["Contact", "Lead"] {
        let fields = json!({ "LastName": "Known", "Phone": "(234) 555-0173" });
        let record = NewRecord::indexed(object, fields).unindexed();
        known.insert(0, SalesforceId::parse(world.salesforce.add_record(&record).unwrap()).unwrap());
    }
    let error =
        world.client.create_lead(&world.connection, &new_lead(), Duplicates::Refuse).await.unwrap_err();
    assert_eq!(class_and_code(&error), (FaultClass::Permanent, "DUPLICATES_DETECTED"));
    assert_eq!(error.records, known);
}

/// The rule compares names. The records that it names are read with their numbers, and the header saves a Lead despite an
/// alert.
#[tokio::test]
async fn allowing_duplicates_overrides_an_alert_but_not_a_block() {
    let world = World::new().await;
    let rule = |action: &str| json!([{ "object": "Lead", "by": "name", "action": action }]);
    let lead = LeadDraft { first_name: Some("Ada".into()), last_name: "Sample".into(), ..new_lead() };
    for action in ["alert", "block"] {
        let rules = serde_json::from_value(rule(action)).unwrap();
        world.salesforce.set(|settings| settings.duplicate_rules = rules);
        let create = |duplicates| world.client.create_lead(&world.connection, &lead, duplicates);
        let error = create(Duplicates::Refuse).await.unwrap_err();
        assert_eq!(error.code, "DUPLICATES_DETECTED");
        let named = world.client.records(&world.connection, &error.records, &Omitted::default()).await;
        let named = named.unwrap().value.records;
        assert_eq!(named[0].id, world.ada().await);
        assert_eq!(named[0].phones[0].1, "(234) 555-0123");
        assert_eq!(create(Duplicates::Allow).await.is_ok(), action == "alert");
    }
}

/// The page comes from the host, not from the API: the org may have moved.
#[tokio::test]
async fn a_page_instead_of_json_is_a_session_fault() {
    let world = World::new().await;
    for status in [403, 404] {
        let page = Effect::Answer {
            status,
            body: json!("<html><title>URL No Longer Exists</title></html>"),
            content_type: Some("text/html".to_owned()),
            headers: BTreeMap::new(),
        };
        world.fault(RouteKind::Search, page);
        assert_eq!(world.search("2345550123").await.unwrap_err().class, FaultClass::Session);
    }
}

#[tokio::test]
async fn a_converted_lead_leads_to_its_contact() {
    let world = World::new().await;
    let id =
        world.client.create_lead(&world.connection, &new_lead(), Duplicates::Refuse).await.unwrap().value;
    assert_eq!(id.key_prefix(), "00Q");
    let contact = world.client.converted_to(&world.connection, &id).await.unwrap().value;
    assert_eq!(contact, None);
    world.salesforce.convert_lead(id.as_str()).unwrap();
    let contact = world.client.converted_to(&world.connection, &id).await.unwrap().value;
    assert_eq!(contact.unwrap().key_prefix(), "003");
}
