//! People who edit what Ringlog wrote: what they change, move and delete stays as they left it.

use super::{appointment, booked_call, reason, world::*};
use crate::{QueuedAgain, Worker, claim, testing::When};
use calls::{appointment::AppointmentRequest, call::Call, ids::CallId, status::SyncStatus};
use crm::{
    FaultClass,
    activity::{EventDraft, TaskDraft},
};
use serde_json::json;

/// A second report of the call, with a summary and an appointment.
fn second(summary: &str, time: &str) -> Call {
    let mut second = call(5);
    second.summary = Some(fact(5, summary.to_owned()));
    second.appointment = Some(fact(5, AppointmentRequest { time: Some(time.to_owned()), ..appointment() }));
    second
}

impl Worker<World> {
    fn task(&self) -> TaskDraft {
        let state = self.salesforce.state();
        assert_eq!(state.tasks.len(), 1);
        state.tasks[0].1.clone()
    }

    fn event(&self) -> EventDraft {
        let state = self.salesforce.state();
        assert_eq!(state.events.len(), 1);
        state.events[0].1.clone()
    }

    /// A person changes the Task.
    fn edit_task(&self, fields: serde_json::Value) {
        let mut state = self.salesforce.state();
        let id = state.tasks[0].0.clone();
        state.edit(&id, fields);
    }

    /// A person changes the Event.
    fn edit_event(&self, fields: serde_json::Value) {
        let mut state = self.salesforce.state();
        let id = state.events[0].0.clone();
        state.edit(&id, fields);
    }

    /// A person retries the call. Returns the requests.
    async fn retried(&self) -> Vec<&'static str> {
        self.requests();
        let id = CallId::parse("call-1").unwrap();
        let (workspace, now) = (self.workspace(), START + 100);
        let queued =
            claim::queue_again(&self.ledger, &self.random, &workspace.id, &id, |_| true, now).await.unwrap();
        assert_eq!(queued, QueuedAgain::Queued);
        self.woken().await.unwrap();
        self.requests()
    }

    fn message(&self) -> String {
        self.ledger.row("call-1").reason.map(|reason| reason.message).unwrap_or_default()
    }
}

#[tokio::test]
async fn a_retry_sends_nothing_if_nobody_changed_anything() {
    let world = world();
    world.reported(&booked_call()).await.unwrap();
    assert_eq!(world.retried().await, ["read"]);
    assert_eq!((world.status(), world.ledger.row("call-1").reason), (SyncStatus::Success, None));
}

#[tokio::test]
async fn a_second_report_sends_only_what_changed() {
    let world = world();
    world.reported(&booked_call()).await.unwrap();
    world.requests();
    world.reported(&second("Wants an offer.", "2:00 PM")).await.unwrap();
    assert_eq!(world.requests(), ["read", "update_task", "update_event"]);
    for sent in &world.salesforce.state().sent {
        assert_eq!(sent.keys().collect::<Vec<_>>(), ["Description"]);
    }
}

/// The report has a new fact, but not one that Salesforce gets.
#[tokio::test]
async fn a_report_that_changes_no_field_sends_no_requests() {
    let world = world();
    world.reported(&booked_call()).await.unwrap();
    world.requests();
    let mut named = call(5);
    named.customer_name = Some(fact(5, "Ada Sample".to_owned()));
    world.reported(&named).await.unwrap();
    assert!(world.requests().is_empty());
    assert_eq!(world.status(), SyncStatus::Success);
}

#[tokio::test]
async fn an_event_that_a_person_moved_is_not_moved_back() {
    let world = world();
    world.reported(&booked_call()).await.unwrap();
    let moved = json!({
        "StartDateTime": "2027-01-22T09:00:00Z", "EndDateTime": "2027-01-22T10:00:00Z",
        "IsReminderSet": false, "ReminderDateTime": null,
    });
    world.edit_event(moved);
    // A retry, a new summary, and another time: none of them moves it back.
    assert_eq!(world.retried().await, ["read"]);
    assert_eq!(reason(&world.ledger.row("call-1")), "kept_by_person");
    for (summary, time) in [("Wants an offer.", "2:00 PM"), ("Wants two offers.", "4:00 PM")] {
        world.reported(&second(summary, time)).await.unwrap();
        let event = world.event();
        assert_eq!(event.start_date_time, "2027-01-22T09:00:00Z");
        assert_eq!(
            (event.end_date_time.as_str(), event.is_reminder_set),
            ("2027-01-22T10:00:00Z", Some(false))
        );
        assert_eq!(reason(&world.ledger.row("call-1")), "kept_by_person");
        world.pass(1);
    }
    assert!(world.message().contains("Event.StartDateTime"), "{}", world.message());
}

/// Start and end belong together.
#[tokio::test]
async fn an_event_that_a_person_extended_is_not_moved() {
    let world = world();
    world.reported(&booked_call()).await.unwrap();
    world.edit_event(json!({ "EndDateTime": "2027-01-20T17:00:00Z" }));
    world.reported(&second("Wants an offer.", "6:00 PM")).await.unwrap();
    let event = world.event();
    assert_eq!(
        (event.start_date_time.as_str(), event.end_date_time.as_str()),
        ("2027-01-20T14:00:00Z", "2027-01-20T17:00:00Z")
    );
    assert!(event.description.contains("Wants an offer."));
}

#[tokio::test]
async fn an_event_whose_time_nobody_changed_is_moved_with_its_reminder() {
    let world = world();
    world.reported(&booked_call()).await.unwrap();
    world.edit_event(json!({ "Location": "Room 1" }));
    world.reported(&second("Wants an offer.", "4:00 PM")).await.unwrap();
    let event = world.event();
    assert_eq!(event.start_date_time, "2027-01-20T16:00:00Z");
    assert_eq!(event.reminder_date_time.as_deref(), Some("2027-01-20T15:00:00Z"));
    assert_eq!(world.ledger.row("call-1").reason, None);
}

#[tokio::test]
async fn a_reminder_in_the_past_is_no_reason_to_write() {
    let world = world();
    world.reported(&booked_call()).await.unwrap();
    world.pass(30 * 86_400);
    assert_eq!(world.retried().await, ["read"]);
}

#[tokio::test]
async fn notes_in_a_description_stay_and_new_facts_are_added_below_them_once() {
    let world = world();
    world.reported(&call(0)).await.unwrap();
    let edited = "Called back, wants a demo.\r\n\r\nCall call-1\r\n\r\nAda: done";
    world.edit_task(json!({ "Description": edited }));
    world.reported(&second("Wants an offer.", "2:00 PM")).await.unwrap();
    let expected = "Called back, wants a demo.\n\nCall call-1\n\nAda: done\n\nWants an offer.\n\nCall call-1";
    assert_eq!(world.task().description, expected);
    assert_eq!(reason(&world.ledger.row("call-1")), "kept_by_person");
    assert_eq!(world.task().subject, "Inbound Call - Scheduled Appointment", "nobody changed it");
    // Only once: a retry does not add them again, not even if somebody removed them.
    assert_eq!(world.retried().await, ["read"]);
    assert_eq!(world.task().description, expected);
    world.edit_task(json!({ "Description": "All done." }));
    assert_eq!(world.retried().await, ["read"]);
    assert_eq!(world.task().description, "All done.");
    // Later facts are new.
    let mut third = call(9);
    third.recording_url = Some(fact(9, "https://storage.example.com/mono.wav".to_owned()));
    world.reported(&third).await.unwrap();
    assert_eq!(
        world.task().description,
        "All done.\n\nRecording: https://storage.example.com/mono.wav\n\nCall call-1"
    );
}

#[tokio::test]
async fn new_facts_are_added_once_even_if_the_response_was_lost_or_the_worker_died() {
    for recorded in [true, false] {
        let world = world();
        world.reported(&call(0)).await.unwrap();
        world.edit_task(json!({ "Description": "My note." }));
        if recorded {
            world.salesforce.fail("update_task", Fault::After(error(FaultClass::Ambiguous, "timeout")));
        } else {
            world.ledger.faults.fail_later("swap", 2, When::Before);
        }
        let mut second = call(5);
        second.summary = Some(fact(5, "Wants an offer.".to_owned()));
        world.reported(&second).await.ok();
        world.edit_task(json!({ "Subject": "Mine" }));
        world.pass(700);
        world.woken().await.unwrap();
        let task = world.task();
        assert_eq!(task.description, "My note.\n\nWants an offer.\n\nCall call-1", "{recorded}");
        assert_eq!((task.subject.as_str(), world.status()), ("Mine", SyncStatus::Success));
    }
}

#[tokio::test]
async fn a_field_that_a_person_changed_stays_and_the_others_are_updated() {
    let world = world();
    world.reported(&call(0)).await.unwrap();
    world.edit_task(json!({ "Subject": "Quote for Ada", "Priority": "High" }));
    let mut report = second("Wants an offer.", "2:00 PM");
    report.ended_reason = Some(fact(5, "customer-ended-call".to_owned()));
    world.reported(&report).await.unwrap();
    let task = world.task();
    assert_eq!((task.subject.as_str(), task.priority.as_deref()), ("Quote for Ada", Some("High")));
    assert!(task.description.contains("Wants an offer."));
    assert_eq!(task.call_disposition.as_deref(), Some("customer-ended-call"));
    let message = world.message();
    assert!(message.contains("Task.Priority, Task.Subject"), "{message}");
}

/// Somebody has filled a field that was left out.
#[tokio::test]
async fn a_left_out_field_that_a_person_filled_is_not_overwritten() {
    let world = world();
    let refusal = super::refused_field(crm::WrittenObject::Task, "Type");
    world.salesforce.fail("create", Fault::Before(refusal));
    world.reported(&call(0)).await.unwrap();
    world.edit_task(json!({ "Type": "Meeting" }));
    world.retried().await;
    assert_eq!(world.task().r#type.as_deref(), Some("Meeting"));
    assert_eq!(reason(&world.ledger.row("call-1")), "kept_by_person");
}

#[tokio::test]
async fn a_change_between_the_read_and_the_update_is_noticed() {
    let world = world();
    world.reported(&booked_call()).await.unwrap();
    world.requests();
    world.salesforce.state().before_update.push(Box::new(|state| {
        let id = state.tasks[0].0.clone();
        state.edit(&id, json!({ "Description": "My note." }));
    }));
    world.reported(&second("Wants an offer.", "2:00 PM")).await.unwrap();
    assert_eq!(world.requests(), ["read", "update_task", "read", "update_task", "update_event"]);
    assert_eq!(world.task().description, "My note.\n\nWants an offer.\n\nCall call-1");
    assert_eq!(world.status(), SyncStatus::Success);
}

#[tokio::test]
async fn a_task_that_keeps_changing_is_retried_later() {
    let world = world();
    world.reported(&call(0)).await.unwrap();
    for _ in 0..10 {
        world.salesforce.fail("update_task", Fault::Before(error(FaultClass::Stale, "PRECONDITION_FAILED")));
    }
    let mut second = call(5);
    second.summary = Some(fact(5, "Wants an offer.".to_owned()));
    world.reported(&second).await.unwrap();
    assert_eq!(world.status(), SyncStatus::Retrying);
    world.salesforce.state().faults.clear();
    world.pass(60);
    world.woken().await.unwrap();
    assert!(world.task().description.contains("Wants an offer."));
}

#[tokio::test]
async fn a_task_that_a_person_moved_to_another_record_stays_there_and_the_event_follows() {
    let world = world();
    world.reported(&call(0)).await.unwrap();
    world.edit_task(json!({ "WhoId": OTHER_LEAD }));
    world.reported(&second("Wants an offer.", "2:00 PM")).await.unwrap();
    assert_eq!((world.task().who_id, world.event().who_id), (sf(OTHER_LEAD), sf(OTHER_LEAD)));
    assert_eq!(world.ledger.row("call-1").record.unwrap().id, sf(OTHER_LEAD));
    // Then somebody moves the Event; it stays there too.
    world.edit_event(json!({ "WhoId": LEAD }));
    let mut third = call(9);
    third.appointment = Some(fact(9, AppointmentRequest { time: Some("4 PM".to_owned()), ..appointment() }));
    world.reported(&third).await.unwrap();
    assert_eq!((world.task().who_id, world.event().who_id), (sf(OTHER_LEAD), sf(LEAD)));
    assert_eq!(world.event().start_date_time, "2027-01-20T16:00:00Z");
}

#[tokio::test]
async fn if_the_task_was_removed_from_its_record_the_appointment_has_to_be_booked_by_hand() {
    let world = world();
    world.reported(&call(0)).await.unwrap();
    world.edit_task(json!({ "WhoId": NOBODY }));
    world.reported(&second("Wants an offer.", "2:00 PM")).await.unwrap();
    assert_eq!(reason(&world.ledger.row("call-1")), "task_taken_off");
    assert!(world.salesforce.state().events.is_empty());
    assert!(world.task().description.contains("Appointment to book by hand"));
}

#[tokio::test]
async fn an_activity_that_a_person_deleted_is_not_created_again() {
    let world = world();
    world.reported(&booked_call()).await.unwrap();
    for deleted in ["00U000000000000EAA", "00T000000000000EAA"] {
        world.salesforce.state().delete(&sf(deleted));
        assert_eq!(world.retried().await, ["read"]);
        assert_eq!(reason(&world.ledger.row("call-1")), "activity_deleted");
    }
    let state = world.salesforce.state();
    assert!(state.tasks.is_empty() && state.events.is_empty());
}

/// If an earlier version wrote the row, or the worker died, it is unknown what was sent.
#[tokio::test]
async fn without_a_journal_an_untouched_activity_is_ours_and_an_edited_one_is_the_persons() {
    for touched in [false, true] {
        let world = world();
        world.reported(&call(0)).await.unwrap();
        let mut row = world.ledger.row("call-1");
        row.journal = crm::journal::Journal::default();
        world.ledger.insert(row);
        if touched {
            world.edit_task(json!({ "Priority": "High" }));
        }
        world.reported(&second("Wants an offer.", "2:00 PM")).await.unwrap();
        let task = world.task();
        assert_eq!(task.subject == "Inbound Call", touched);
        let description = if touched {
            "Call call-1\n\nWants an offer.\n\nCall call-1"
        } else {
            "Wants an offer.\n\nCall call-1"
        };
        assert_eq!(task.description, description);
        assert_eq!(world.ledger.row("call-1").reason.is_some(), touched);
    }
}

#[tokio::test]
async fn what_an_attempt_without_a_response_wrote_is_recognised_as_ours() {
    let world = world();
    world.salesforce.fail("create", Fault::After(error(FaultClass::Ambiguous, "timeout")));
    world.reported(&call(0)).await.unwrap();
    world.edit_task(json!({ "Priority": "High" }));
    world.pass(700);
    let mut second = call(5);
    second.summary = Some(fact(5, "Wants an offer.".to_owned()));
    world.reported(&second).await.unwrap();
    let task = world.task();
    assert_eq!(
        (task.priority.as_deref(), task.description.as_str()),
        (Some("High"), "Wants an offer.\n\nCall call-1")
    );
}

#[tokio::test]
async fn a_field_that_is_still_hidden_on_a_retry_is_still_left_out() {
    let world = world();
    let refusal = super::refused_field(crm::WrittenObject::Task, "Type");
    world.salesforce.fail("create", Fault::Before(refusal));
    world.reported(&call(0)).await.unwrap();
    world.salesforce.state().hidden = vec!["Type"];
    assert_eq!(world.retried().await, ["read"]);
    assert_eq!(reason(&world.ledger.row("call-1")), "fields_left_out");
    world.salesforce.state().hidden.clear();
    assert_eq!(world.retried().await, ["read", "update_task"]);
    assert_eq!(world.ledger.row("call-1").reason, None);
}

/// Only the start changes, but both are sent, or Salesforce would compute one of them.
#[tokio::test]
async fn start_and_end_are_sent_together_even_if_the_end_stays_the_same() {
    let world = world();
    world.reported(&booked_call()).await.unwrap();
    let end = world.event().end_date_time;
    let mut later = call(5);
    let half_an_hour = AppointmentRequest {
        time: Some("2:30 PM".to_owned()),
        duration: Some("30".to_owned()),
        ..appointment()
    };
    later.appointment = Some(fact(5, half_an_hour));
    world.reported(&later).await.unwrap();
    let sent = world.salesforce.state().sent.last().unwrap().clone();
    assert_eq!(
        (&sent["StartDateTime"], &sent["EndDateTime"]),
        (&json!("2027-01-20T14:30:00Z"), &json!("2027-01-20T15:00:00Z"))
    );
    assert_eq!(world.event().end_date_time, end);
}

/// Once a reminder has fired, Salesforce turns it off and keeps its time.
#[tokio::test]
async fn a_reminder_that_has_fired_is_set_again_for_a_new_time_and_one_that_a_person_turned_off_is_not() {
    for (passed, is_set_again) in [(86_400 * 30, true), (0, false)] {
        let world = world();
        world.reported(&booked_call()).await.unwrap();
        world.pass(passed);
        world.edit_event(json!({ "IsReminderSet": false }));
        let mut later = call(5);
        let in_spring = AppointmentRequest { date: Some("2027-04-20".to_owned()), ..appointment() };
        later.appointment = Some(fact(5, in_spring));
        world.reported(&later).await.unwrap();
        let event = world.event();
        assert!(event.start_date_time.starts_with("2027-04-20T"), "{}", event.start_date_time);
        assert_eq!(event.is_reminder_set, Some(is_set_again), "{passed}");
    }
}

/// A rep who chose an earlier reminder keeps it, even if the Event moves.
#[tokio::test]
async fn a_reminder_that_a_person_chose_stays() {
    let world = world();
    world.reported(&booked_call()).await.unwrap();
    world.edit_event(json!({ "ReminderDateTime": "2027-01-19T08:00:00Z" }));
    world.reported(&second("Wants an offer.", "4:00 PM")).await.unwrap();
    let event = world.event();
    assert_eq!(event.start_date_time, "2027-01-20T16:00:00Z");
    assert_eq!(event.reminder_date_time.as_deref(), Some("2027-01-19T08:00:00Z"));
    assert!(world.message().contains("Event.ReminderDateTime"), "{}", world.message());
}

/// The field's value is the org's default and not a person's edit.
#[tokio::test]
async fn a_left_out_field_with_the_orgs_default_is_filled_once_it_is_writable() {
    let world = world();
    let refusal = super::refused_field(crm::WrittenObject::Task, "Priority");
    world.salesforce.fail("create", Fault::Before(refusal));
    world.reported(&call(0)).await.unwrap();
    world.salesforce.state().tasks[0].1.priority = Some("Low".to_owned());
    assert_eq!(world.retried().await, ["read", "update_task"]);
    assert_eq!(world.task().priority.as_deref(), Some("Normal"));
    assert_eq!(world.ledger.row("call-1").reason, None);
}

/// A paragraph is new even if a person's text contains its words.
#[tokio::test]
async fn a_fact_whose_words_are_part_of_a_note_is_added_anyway() {
    let world = world();
    world.reported(&call(0)).await.unwrap();
    world.edit_task(json!({ "Description": "Not sure: Wants an offer. Ask again." }));
    let mut second = call(5);
    second.summary = Some(fact(5, "Wants an offer.".to_owned()));
    world.reported(&second).await.unwrap();
    let expected = "Not sure: Wants an offer. Ask again.\n\nWants an offer.\n\nCall call-1";
    assert_eq!(world.task().description, expected);
}
