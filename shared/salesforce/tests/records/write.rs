//! What is created, read, and changed.

use std::{collections::BTreeMap, time::Duration};

use calls::{
    crm::{Duplicates, FaultClass, Omitted, WrittenObject},
    ids::SalesforceId,
    lead::LeadDraft,
    ports::Crm,
};
use chrono::Utc;
use salesforce::Timeouts;
use salesforce_sim::{Effect, NewRecord, PersonAction, Preset, RouteKind, Settings, TaskStatus};
use secrecy::ExposeSecret;
use serde_json::json;

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
async fn one_of_them_is_written_alone() {
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
async fn a_refused_event_takes_the_task_with_it_and_is_named() {
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
async fn a_lead_that_was_converted_meanwhile_is_gone() {
    let world = World::new().await;
    let who = world.ada().await;
    world.salesforce.convert_lead(who.as_str()).unwrap();
    let error = world.client.create(&world.connection, Some(&task(&who, "call-1")), None).await.unwrap_err();
    assert_eq!(error.class, FaultClass::RecordGone);
}

#[tokio::test]
async fn failures_of_a_create_say_whether_it_may_have_been_done() {
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
async fn an_org_says_which_status_its_closed_tasks_have() {
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

/// Fields that are to be changed.
fn fields(json: serde_json::Value) -> calls::crm::Fields {
    json.as_object().unwrap().clone()
}

#[tokio::test]
async fn updates_change_facts_and_leave_the_record_alone() {
    let world = World::new().await;
    let written = world.create_both("call-1").await.unwrap();
    let contact = world.salesforce.convert_lead(world.ada().await.as_str()).unwrap();

    let standing = world.read(&written).await;
    let subject = "Inbound Call - Scheduled Appointment";
    let times = json!({ "StartDateTime": "2026-01-21T19:00:00Z", "EndDateTime": "2026-01-21T20:00:00Z" });
    for (object, changed, standing) in [
        (WrittenObject::Task, json!({ "Subject": subject }), standing.task.unwrap()),
        (WrittenObject::Event, times, standing.event.unwrap()),
    ] {
        let changed = fields(changed);
        let (id, at) = (&standing.id, standing.modified_at);
        let answer = world.client.update(&world.connection, object, id, &changed, at).await.unwrap();
        assert!(answer.api_usage.is_some());
    }

    let (tasks, events) = (world.salesforce.records("Task"), world.salesforce.records("Event"));
    assert_eq!(tasks[0]["Subject"], subject);
    assert_eq!(events[0]["StartDateTime"], "2026-01-21T19:00:00.000+0000");
    assert_eq!((&tasks[0]["WhoId"], &events[0]["WhoId"]), (&json!(contact), &json!(contact)));
}

#[tokio::test]
async fn what_stands_is_read_as_it_was_sent_in_one_request() {
    let world = World::new().await;
    let written = world.create_both("call-1").await.unwrap();
    world.salesforce.set(|settings| settings.hidden_fields = vec!["Task.CallDisposition".into()]);
    world.salesforce.clear_requests();
    let standing = world.read(&written).await;
    assert_eq!(world.salesforce.count(RouteKind::Composite), 1);
    let (task, event) = (standing.task.unwrap(), standing.event.unwrap());
    assert!(task.is_untouched && event.is_untouched);
    assert_eq!(task.who_id, Some(world.ada().await));
    assert_eq!(event.fields["StartDateTime"], "2026-01-20T19:00:00Z");
    assert_eq!(task.fields["CallDurationInSeconds"], 63);
    assert!(!task.fields.contains_key("CallDisposition"), "what is hidden is not there");
    assert_eq!(event.fields["Location"], serde_json::Value::Null, "what is empty is");
}

#[tokio::test]
async fn a_record_that_somebody_changed_since_it_was_read_is_not_changed() {
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
    let standing = world.read(&written).await;
    assert_eq!((standing.task, standing.event.map(|event| event.id)), (None, Some(event_id)));
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
async fn an_update_that_is_not_allowed_is_permanent() {
    let world = World::new().await;
    let task_id = world.create_both("call-1").await.unwrap().task_id.unwrap();
    world.salesforce.set(|settings| settings.denied = vec!["Task.update".into()]);
    let changed = fields(json!({ "Subject": "Inbound Call" }));
    let at = Utc::now();
    let error = world.client.update(&world.connection, WrittenObject::Task, &task_id, &changed, at).await;
    assert_eq!(error.unwrap_err().class, FaultClass::Permanent);
}

#[tokio::test]
async fn an_answer_that_comes_too_late_leaves_open_what_a_write_did() {
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
async fn no_error_text_carries_the_number_or_a_token() {
    let world = World::new().await;
    let answer = json!([{
        "errorCode": "MALFORMED_SEARCH",
        "message": format!("no row for 2345550123 with {}", world.connection.access_token.expose_secret()),
    }]);
    world.fault(
        RouteKind::Search,
        Effect::Answer { status: 400, body: answer, content_type: None, headers: BTreeMap::new() },
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
async fn a_lead_that_salesforce_takes_for_a_duplicate_comes_back_with_the_records() {
    let world = World::new().await;
    world.salesforce.set(|settings: &mut Settings| settings.refuse_duplicate_leads = true);
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

/// A rule that goes by names: its records are read with their numbers, and the header lets a Lead through that it only
/// warns of.
#[tokio::test]
async fn a_rule_that_alerts_lets_a_lead_through_where_that_is_asked_for() {
    let world = World::new().await;
    let rule = |action: &str| json!([{ "object": "Lead", "by": "name", "action": action }]);
    let lead = LeadDraft { first_name: Some("Ada".into()), last_name: "Sample".into(), ..new_lead() };
    for action in ["alert", "block"] {
        let rules = serde_json::from_value(rule(action)).unwrap();
        world.salesforce.set(|settings| settings.duplicate_rules = rules);
        let make = |duplicates| world.client.create_lead(&world.connection, &lead, duplicates);
        let error = make(Duplicates::Refuse).await.unwrap_err();
        assert_eq!(error.code, "DUPLICATES_DETECTED");
        let named = world.client.records(&world.connection, &error.records, &Omitted::default()).await;
        let named = named.unwrap().value.records;
        assert_eq!(named[0].id, world.ada().await);
        assert_eq!(named[0].phones[0].1, "(234) 555-0123");
        assert_eq!(make(Duplicates::Allow).await.is_ok(), action == "alert");
    }
}

/// Words of the host, not of the API: the org may have moved.
#[tokio::test]
async fn a_page_in_place_of_an_answer_is_first_a_matter_of_the_session() {
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
async fn a_lead_is_made_and_leads_to_its_contact_when_it_is_converted() {
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
