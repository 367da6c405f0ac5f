//! Fields, statuses and Events that Salesforce refuses, and retries after a person has fixed the cause.

use calls::{appointment::AppointmentRequest, status::SyncStatus};
use crm::{FaultClass, WrittenObject};

use crate::{QueuedAgain, claim, jobs::LogNow};

use super::{appointment, booked_call, reason, refused_field, world::*};

#[tokio::test]
async fn a_refused_event_does_not_prevent_the_task() {
    let world = world();
    let mut refusal = error(FaultClass::Permanent, "FIELD_CUSTOM_VALIDATION_EXCEPTION");
    refusal.object = Some(WrittenObject::Event);
    world.salesforce.fail("create", Fault::Before(refusal));
    let booked = booked_call();
    world.reported(&booked).await.unwrap();
    let row = world.ledger.row("call-1");
    assert_eq!((row.status, reason(&row)), (SyncStatus::Success, "event_refused"));
    assert!(row.task_id.is_some() && row.event_id.is_none());
}

impl crate::worker::Worker<World> {
    /// The Task says what to book by hand, and why Ringlog could not.
    fn assert_task_asks_to_book_by_hand(&self) {
        let state = self.salesforce.state();
        assert_eq!((state.tasks.len(), state.events.len()), (1, 0));
        let task = &state.tasks[0].1;
        assert_eq!(task.subject, "Inbound Call");
        for text in ["Appointment to book by hand", "happened", "Date: 2027-01-20", "Time: 2:00 PM"] {
            assert!(task.description.contains(text), "{text}: {}", task.description);
        }
    }

    fn refuse_event(&self) {
        let mut refusal = error(FaultClass::Permanent, "FIELD_CUSTOM_VALIDATION_EXCEPTION");
        refusal.object = Some(WrittenObject::Event);
        self.salesforce.fail("create", Fault::Before(refusal));
    }
}

#[tokio::test]
async fn the_task_has_the_appointment_of_a_refused_event() {
    let world = world();
    let booked = booked_call();
    // Other refused fields stay left out.
    world.salesforce.fail("create", Fault::Before(refused_field(WrittenObject::Task, "Type")));
    world.refuse_event();
    world.reported(&booked).await.unwrap();
    world.assert_task_asks_to_book_by_hand();
    assert_eq!(world.salesforce.state().tasks[0].1.r#type, None);
}

#[tokio::test]
async fn the_task_has_the_appointment_of_a_later_reports_refused_event() {
    for refusal in [FaultClass::Permanent, FaultClass::RecordGone] {
        let world = world();
        world.reported(&call(0)).await.unwrap();
        let mut second = call(5);
        second.appointment = Some(fact(5, appointment()));
        world.salesforce.fail("create", Fault::Before(error(refusal, "ENTITY_IS_DELETED")));
        world.reported(&second).await.unwrap();
        assert_eq!(reason(&world.ledger.row("call-1")), "event_refused");
        world.assert_task_asks_to_book_by_hand();
    }
}

#[tokio::test]
async fn an_event_that_is_no_longer_refused_need_not_be_booked_by_hand() {
    let world = world();
    let booked = booked_call();
    world.refuse_event();
    world.reported(&booked).await.unwrap();
    let id = calls::ids::CallId::parse("call-1").unwrap();
    LogNow { call_id: &id }.run(&world, &world.workspace(), world.turn(50)).await.unwrap();
    let state = world.salesforce.state();
    assert_eq!((state.tasks.len(), state.events.len()), (1, 1));
    assert_eq!(state.tasks[0].1.subject, "Inbound Call - Scheduled Appointment");
    assert!(!state.tasks[0].1.description.contains("by hand"));
}

#[tokio::test]
async fn a_refused_optional_field_is_left_out() {
    let world = world();
    let refusal = refused_field(WrittenObject::Task, "Type");
    world.salesforce.fail("create", Fault::Before(refusal));
    world.reported(&call(0)).await.unwrap();
    let row = world.ledger.row("call-1");
    assert_eq!((row.status, reason(&row)), (SyncStatus::Success, "fields_left_out"));
    assert_eq!(world.salesforce.state().tasks[0].1.r#type, None);
}

#[tokio::test]
async fn a_refused_field_is_left_out_for_a_day_and_then_tried_again() {
    let world = world();
    let refusal = refused_field(WrittenObject::Task, "Type");
    world.salesforce.fail("create", Fault::Before(refusal));
    world.reported(&call(0)).await.unwrap();
    world.requests();
    for (seconds, kind) in [(86_300, None), (200, Some("Call"))] {
        world.pass(seconds);
        let mut next = call(seconds);
        next.id = calls::ids::CallId::parse(format!("call-{seconds}")).unwrap();
        world.reported(&next).await.unwrap();
        assert_eq!(world.requests(), ["search", "create"]);
        let row = world.ledger.row(next.id.as_str());
        assert_eq!((row.status, reason(&row) == "fields_left_out"), (SyncStatus::Success, kind.is_none()));
        assert_eq!(world.salesforce.state().tasks.last().unwrap().1.r#type.as_deref(), kind);
    }
}

#[tokio::test]
async fn an_update_leaves_out_the_refused_fields_of_the_task_and_of_the_event() {
    let world = world();
    let first = booked_call();
    world.reported(&first).await.unwrap();
    let refused = |object, field: &str| Fault::Before(refused_field(object, field));
    world.salesforce.fail("update_task", refused(WrittenObject::Task, "CallDisposition"));
    world.salesforce.fail("update_event", refused(WrittenObject::Event, "ReminderDateTime"));
    let mut second = call(5);
    second.ended_reason = Some(fact(5, "customer-ended-call".to_owned()));
    second.appointment = Some(fact(5, AppointmentRequest { time: Some("3 PM".to_owned()), ..appointment() }));
    world.reported(&second).await.unwrap();
    let row = world.ledger.row("call-1");
    assert_eq!((row.status, reason(&row)), (SyncStatus::Success, "fields_left_out"));
    let state = world.salesforce.state();
    assert_eq!(state.tasks[0].1.call_disposition, None);
    assert_eq!(state.events[0].1.start_date_time, "2027-01-20T15:00:00Z");
    let remembered = world.workspace().learned.unwritable;
    assert_eq!(remembered.at(START).collect::<Vec<_>>(), ["Event.ReminderDateTime", "Task.CallDisposition"]);
}

#[tokio::test]
async fn an_org_without_completed_gets_another_closed_status() {
    let world = world();
    let mut refusal = error(FaultClass::FieldRefused, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST");
    refusal.fields = vec!["Status".to_owned()];
    world.salesforce.fail("create", Fault::Before(refusal.clone()));
    world.reported(&call(0)).await.unwrap();
    assert_eq!(world.status(), SyncStatus::Success);
    assert_eq!(world.salesforce.state().tasks[0].1.status, "Erledigt");
    assert_eq!(world.requests(), ["search", "create", "closed_task_status", "create"]);
}

#[tokio::test]
async fn an_org_whose_closed_status_is_refused_too_is_an_error_and_no_loop() {
    let world = world();
    let mut refusal = error(FaultClass::FieldRefused, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST");
    refusal.fields = vec!["Status".to_owned()];
    for _ in 0..2 {
        world.salesforce.fail("create", Fault::Before(refusal.clone()));
    }
    world.reported(&call(0)).await.unwrap();
    assert_eq!(world.status(), SyncStatus::Error);
    assert!(world.salesforce.state().tasks.is_empty());
}

#[tokio::test]
async fn a_task_is_written_and_found_without_its_call_object() {
    let world = world();
    let refusal = refused_field(WrittenObject::Task, "CallObject");
    world.salesforce.fail("create", Fault::Before(refusal));
    world.reported(&call(0)).await.unwrap();
    assert_eq!(world.status(), SyncStatus::Success);
    let state = world.salesforce.state();
    assert_eq!(state.tasks[0].1.call_object, None);
    assert!(state.tasks[0].1.description.ends_with("Call call-1"));
}

impl crate::worker::Worker<World> {
    /// A person retries the call.
    async fn retried_by_person(&self) -> QueuedAgain {
        let id = calls::ids::CallId::parse("call-1").unwrap();
        let now = crate::ports::Clock::now(&self.clock).timestamp();
        let workspace_id = self.workspace().id;
        let queued = claim::queue_again(&self.ledger, &self.random, &workspace_id, &id, |_| true, now).await;
        self.woken().await.unwrap();
        queued.unwrap()
    }
}

#[tokio::test]
async fn a_retry_makes_an_update_that_was_refused() {
    let world = world();
    world.reported(&call(0)).await.unwrap();
    let mut second = call(5);
    second.summary = Some(fact(5, "Wants a quote.".to_owned()));
    world.salesforce.fail("update_task", Fault::Before(error(FaultClass::Permanent, "INSUFFICIENT_ACCESS")));
    world.reported(&second).await.unwrap();
    assert_eq!(reason(&world.ledger.row("call-1")), "activity_not_updated");
    assert_eq!(world.retried_by_person().await, QueuedAgain::Queued);
    assert!(world.salesforce.state().tasks[0].1.description.contains("Wants a quote."));
    assert_eq!((world.status(), world.ledger.row("call-1").reason), (SyncStatus::Success, None));
}

/// Even within the day in which refused fields are left out.
#[tokio::test]
async fn a_retry_fills_fields_that_were_left_out() {
    let world = world();
    let refusal = refused_field(WrittenObject::Task, "Type");
    world.salesforce.fail("create", Fault::Before(refusal));
    world.reported(&call(0)).await.unwrap();
    assert_eq!(reason(&world.ledger.row("call-1")), "fields_left_out");
    world.pass(60);
    world.retried_by_person().await;
    assert_eq!(world.salesforce.state().tasks[0].1.r#type.as_deref(), Some("Call"));
    assert_eq!(world.ledger.row("call-1").reason, None);
}

#[tokio::test]
async fn a_report_with_a_revoked_secret_is_not_logged_even_if_a_person_asks() {
    let world = world();
    world.reported_under(1, &call(0)).await.unwrap();
    assert_eq!(world.retried_by_person().await, QueuedAgain::Refused);
    let id = calls::ids::CallId::parse("call-1").unwrap();
    LogNow { call_id: &id }.run(&world, &world.workspace(), world.turn(50)).await.unwrap();
    assert_eq!(world.status(), SyncStatus::Skipped);
    assert!(world.requests().is_empty());
}

#[tokio::test]
async fn the_task_stays_logged_if_the_record_is_gone_for_a_later_event() {
    let world = world();
    world.reported(&call(0)).await.unwrap();
    let mut second = call(5);
    second.appointment = Some(fact(5, appointment()));
    world.salesforce.fail("create", Fault::Before(error(FaultClass::RecordGone, "ENTITY_IS_DELETED")));
    world.reported(&second).await.unwrap();
    let row = world.ledger.row("call-1");
    assert_eq!((row.status, reason(&row)), (SyncStatus::Success, "event_refused"));
}
