//! From a report to what is written: denials, voicemails, several appointments, and callers without a number.

use calls::{
    appointment::{AppointmentRequest, Verdict},
    call::Call,
    status::SyncStatus,
};

use crate::worker::Worker;

use super::{appointment, booked_call, reason, world::*};

fn denied() -> AppointmentRequest {
    AppointmentRequest {
        booked: Some(false),
        stated: Some("appointment_status: cancelled".to_owned()),
        verdict: Some(Verdict::CalledOff),
        ..appointment()
    }
}

/// How many Events there are, and what the Task says.
fn written(world: &Worker<World>) -> (usize, String, String) {
    let state = world.salesforce.state();
    assert_eq!(state.tasks.len(), 1);
    let (_, task) = &state.tasks[0];
    (state.events.len(), task.subject.clone(), task.description.clone())
}

#[tokio::test]
async fn an_appointment_that_the_report_denies_is_no_event_but_is_mentioned() {
    let doubtful = AppointmentRequest {
        stated: Some("appointment_booked: Nein".to_owned()),
        verdict: Some(Verdict::Unclear),
        ..denied()
    };
    let rescheduled = AppointmentRequest { intent: Some("Rescheduling".to_owned()), ..appointment() };
    for (request, code, words) in [
        (denied(), "appointment_not_made", "cancelled"),
        (doubtful, "appointment_unclear", "Nein"),
        (rescheduled, "appointment_other_intent", "Rescheduling"),
    ] {
        let world = world();
        let mut noted = call(0);
        noted.appointment = Some(fact(0, request));
        world.reported(&noted).await.unwrap();
        let row = world.ledger.row("call-1");
        assert_eq!((row.status, reason(&row)), (SyncStatus::Success, code));
        assert!(row.reason.unwrap().message.contains(words), "{code}");
        let (events, subject, description) = written(&world);
        assert_eq!((events, subject.as_str()), (0, "Inbound Call"), "{code}");
        for text in [words, "Date: 2027-01-20", "Time: 2:00 PM"] {
            assert!(description.contains(text), "{description}");
        }
    }
}

#[tokio::test]
async fn an_appointment_that_a_later_report_denies_keeps_its_event_and_the_row_says_so() {
    let world = world();
    world.reported(&booked_call()).await.unwrap();
    let mut second = call(5);
    second.appointment = Some(fact(5, denied()));
    world.reported(&second).await.unwrap();
    assert_eq!(reason(&world.ledger.row("call-1")), "appointment_withdrawn");
    assert_eq!(world.salesforce.state().events.len(), 1);
}

#[tokio::test]
async fn an_appointment_in_a_voicemail_is_not_booked() {
    for ended in ["voicemail", "customer-ended-call"] {
        let world = world();
        let mut booked = booked_call();
        booked.ended_reason = Some(fact(0, ended.to_owned()));
        world.reported(&booked).await.unwrap();
        let (events, _, description) = written(&world);
        let is_voicemail = ended == "voicemail";
        assert_eq!(events, usize::from(!is_voicemail), "{ended}");
        assert_eq!(
            description.contains("Appointment to book by hand. The call reached a voicemail"),
            is_voicemail
        );
        let code = if is_voicemail { "appointment_in_voicemail" } else { "" };
        assert_eq!(reason(&world.ledger.row("call-1")), code);
    }
}

#[tokio::test]
async fn one_of_several_appointments_is_an_event_and_the_task_lists_the_others() {
    let world = world();
    let mut booked = call(0);
    let later = AppointmentRequest { date: Some("2027-01-27".to_owned()), ..appointment() };
    booked.appointment = Some(fact(0, AppointmentRequest { others: Some(vec![appointment()]), ..later }));
    world.reported(&booked).await.unwrap();
    let (events, subject, description) = written(&world);
    assert_eq!((events, subject.as_str()), (1, "Inbound Call - Scheduled Appointment"));
    assert_eq!(world.salesforce.state().events[0].1.start_date_time, "2027-01-20T14:00:00Z");
    assert!(description.contains("More appointments to book by hand:\nDate: 2027-01-27, Time: 2:00 PM"));
    assert_eq!(reason(&world.ledger.row("call-1")), "more_appointments");
}

/// A call whose caller withheld the number but said it.
fn spoken_number() -> Call {
    let mut spoken = call(0);
    spoken.customer_number = Some(fact(0, "anonymous".to_owned()));
    spoken.given_number = Some(fact(0, "(234) 555-0123".to_owned()));
    spoken
}

#[tokio::test]
async fn a_number_that_the_caller_gave_is_used_if_the_workspace_allows_it() {
    for allowed in [true, false] {
        let world = world();
        world.edit_workspace().settings.use_given_number = allowed;
        world.reported(&spoken_number()).await.unwrap();
        let row = world.ledger.row("call-1");
        if allowed {
            assert_eq!((row.status, reason(&row)), (SyncStatus::Success, "number_given_by_caller"));
            assert_eq!((world.who(), row.phone_number.as_deref()), (sf(LEAD), Some(NUMBER)));
            assert!(written(&world).2.contains("number given by the caller"));
        } else {
            assert_eq!((row.status, reason(&row)), (SyncStatus::Skipped, "phone_number_withheld"));
            assert!(world.requests().is_empty());
        }
    }
}

/// A web call whose metadata names a record.
fn named(id: &str) -> Call {
    let mut named = call(0);
    named.customer_number = None;
    named.record_id = Some(fact(0, id.to_owned()));
    named
}

#[tokio::test]
async fn a_record_that_the_call_names_is_used_if_the_org_has_it() {
    let world = world();
    world.salesforce.state().records.push(lead(OTHER_LEAD, "+12345550199"));
    world.reported(&named(OTHER_LEAD)).await.unwrap();
    assert_eq!((world.status(), world.who()), (SyncStatus::Success, sf(OTHER_LEAD)));
    assert_eq!(world.requests(), ["records", "create"]);
    let decision = world.ledger.row("call-1").decision.unwrap();
    assert_eq!(decision.candidates[0].field, "metadata.salesforceRecordId");
}

#[tokio::test]
async fn a_named_record_that_the_org_does_not_have_is_not_found() {
    for id in [THIRD_LEAD, CONTACT] {
        let world = new_caller();
        world.reported(&named(id)).await.unwrap();
        let row = world.ledger.row("call-1");
        assert_eq!((row.status, reason(&row)), (SyncStatus::NotFound, "record_not_found"), "{id}");
        let state = world.salesforce.state();
        assert!(state.tasks.is_empty() && state.leads.is_empty(), "no Lead is created for a web call");
        assert!(row.due_at.is_some());
    }
    let world = world();
    world.reported(&named("001000000000001AAA")).await.unwrap();
    assert_eq!(reason(&world.ledger.row("call-1")), "record_id_unreadable");
}

#[tokio::test]
async fn a_named_lead_that_was_converted_leads_to_its_contact() {
    let world = world();
    world.salesforce.state().records.clear();
    world.salesforce.state().converted.insert(sf(LEAD), sf(CONTACT));
    world.reported(&named(LEAD)).await.unwrap();
    assert_eq!((world.status(), world.who()), (SyncStatus::Success, sf(CONTACT)));
}
