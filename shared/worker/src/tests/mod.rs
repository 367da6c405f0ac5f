//! The sync algorithm in an in-memory world.

mod breakers;
mod faults;
mod gone;
mod leads;
mod looks;
mod measures;
mod newer;
mod orgs;
mod people;
mod places;
mod preview_matches_run;
mod previews;
mod refusals;
mod reports;
mod rows;
mod sessions;
mod settings;
mod world;

use calls::{appointment::AppointmentRequest, call::Call, ids::SalesforceId, status::SyncStatus};
use crm::{CrmError, FaultClass, WrittenObject, ledger::Row, workspace::ConnectionState};

use world::*;

fn reason(row: &Row) -> &str {
    row.reason.as_ref().map_or("", |reason| reason.code.as_str())
}

/// Salesforce's error if the user may not write a field.
fn refused_field(object: WrittenObject, field: &str) -> CrmError {
    let refusal = error(FaultClass::FieldRefused, "INVALID_FIELD_FOR_INSERT_UPDATE");
    CrmError { fields: vec![field.to_owned()], object: Some(object), ..refusal }
}

fn appointment() -> AppointmentRequest {
    AppointmentRequest {
        date: Some("2027-01-20".to_owned()),
        time: Some("2:00 PM".to_owned()),
        ..AppointmentRequest::default()
    }
}

/// A call with a valid appointment.
fn booked_call() -> Call {
    let mut booked = call(0);
    booked.appointment = Some(fact(0, appointment()));
    booked
}

#[tokio::test]
async fn a_plain_call_is_two_requests_and_two_writes_and_reads_nothing_more() {
    let world = world();
    world.reported(&call(0)).await.unwrap();

    let row = world.ledger.row("call-1");
    assert_eq!(row.status, SyncStatus::Success);
    assert_eq!(row.record.unwrap().id.as_str(), LEAD);
    assert_eq!(row.phone_number.as_deref(), Some(NUMBER));
    assert_eq!(row.due_at, None);
    assert_eq!(row.expires_at, Some(START + 90 * 86_400));
    assert_eq!(world.requests(), ["search", "create"]);
    assert_eq!(world.ledger.faults.calls("swap"), 2);
    // The function's one read is the workspace's settings.
    assert_eq!((world.ledger.faults.calls("load"), world.workspaces.faults.calls("load")), (0, 0));
    assert_eq!(world.salesforce.state().tasks.len(), 1);
}

#[tokio::test]
async fn the_same_report_again_does_nothing() {
    let world = world();
    world.reported(&call(0)).await.unwrap();
    world.requests();
    world.reported(&call(0)).await.unwrap();
    assert!(world.requests().is_empty());
    assert_eq!(world.salesforce.state().tasks.len(), 1);
}

#[tokio::test]
async fn a_second_report_updates_the_task_and_adds_the_event() {
    let world = world();
    world.reported(&call(0)).await.unwrap();
    let mut second = call(5);
    second.summary = Some(fact(5, "Wants an offer.".to_owned()));
    second.appointment = Some(fact(5, appointment()));
    world.requests();
    world.reported(&second).await.unwrap();

    assert_eq!(world.requests(), ["read", "create", "update_task"]);
    let state = world.salesforce.state();
    assert_eq!((state.tasks.len(), state.events.len()), (1, 1));
    assert!(state.tasks[0].1.description.contains("Wants an offer."));
    assert_eq!(state.events[0].1.start_date_time, "2027-01-20T14:00:00Z");
}

#[tokio::test]
async fn a_later_time_moves_the_event() {
    let world = world();
    let first = booked_call();
    world.reported(&first).await.unwrap();
    let mut second = call(5);
    second.appointment = Some(fact(5, AppointmentRequest { time: Some("3 PM".to_owned()), ..appointment() }));
    world.reported(&second).await.unwrap();
    let state = world.salesforce.state();
    assert_eq!(state.events.len(), 1);
    assert_eq!(state.events[0].1.start_date_time, "2027-01-20T15:00:00Z");
}

#[tokio::test]
async fn a_cancelled_appointment_keeps_its_event_and_the_row_and_task_say_so() {
    let not_booked = AppointmentRequest { booked: Some(false), ..AppointmentRequest::default() };
    let other_intent =
        AppointmentRequest { intent: Some("Support".to_owned()), ..AppointmentRequest::default() };
    for later in [not_booked, other_intent] {
        let world = world();
        let first = booked_call();
        world.reported(&first).await.unwrap();
        let event = world.salesforce.state().events[0].clone();
        let mut second = call(5);
        second.appointment = Some(fact(5, later));
        world.reported(&second).await.unwrap();
        let row = world.ledger.row("call-1");
        assert_eq!((row.status, reason(&row)), (SyncStatus::Success, "appointment_withdrawn"));
        assert_eq!(row.event_id.as_ref(), Some(&event.0));
        {
            let state = world.salesforce.state();
            assert_eq!((&state.events[..], state.tasks.len()), (&[event][..], 1));
            let task = &state.tasks[0].1;
            assert_eq!(task.subject, "Inbound Call");
            assert!(task.description.contains(&row.reason.unwrap().message), "{}", task.description);
        }

        // Booked after all: nothing is left to do by hand.
        let mut third = call(9);
        let booked =
            AppointmentRequest { booked: Some(true), intent: Some("Scheduling".to_owned()), ..appointment() };
        third.appointment = Some(fact(9, booked));
        world.reported(&third).await.unwrap();
        let state = world.salesforce.state();
        assert_eq!((state.events.len(), world.ledger.row("call-1").reason), (1, None));
        assert!(!state.tasks[0].1.description.contains("delete"));
    }
}

#[tokio::test]
async fn calls_wait_for_a_connection() {
    let world = world();
    {
        let mut workspace = world.edit_workspace();
        workspace.state = ConnectionState::Disconnected;
        workspace.connection = None;
    }
    world.reported(&call(0)).await.unwrap();
    let row = world.ledger.row("call-1");
    assert_eq!((row.status, reason(&row)), (SyncStatus::WaitingForConnection, "not_connected"));
    assert_eq!(row.due_at, Some(START + 3600));
    assert_eq!(row.unsettled_until, None);
}

/// The connect's `resume` looked for waiting rows before this row was waiting.
#[tokio::test]
async fn a_call_that_starts_waiting_while_somebody_connects_is_logged() {
    let world = world();
    let mut as_read = world.workspace();
    as_read.state = ConnectionState::Disconnected;
    as_read.connection = None;
    as_read.connection_version = 0;
    let report = world.report_of(&call(0), START);
    report.run(&world, &as_read, world.turn(50)).await.unwrap();
    assert_eq!(world.status(), SyncStatus::Success);
    assert_eq!(world.salesforce.state().tasks.len(), 1);
}

#[tokio::test]
async fn a_call_without_a_number_is_skipped() {
    let world = world();
    let mut web = call(0);
    web.customer_number = None;
    world.reported(&web).await.unwrap();
    let row = world.ledger.row("call-1");
    assert_eq!(row.status, SyncStatus::Skipped);
    assert!(row.reason.is_some());
    assert!(world.requests().is_empty());
}

#[tokio::test]
async fn an_unknown_caller_is_looked_for_again() {
    let world = world();
    world.salesforce.state().records.clear();
    world.reported(&call(0)).await.unwrap();
    let row = world.ledger.row("call-1");
    assert_eq!((row.status, row.due_at), (SyncStatus::NotFound, Some(START + 300)));

    world.salesforce.state().records.push(lead(LEAD, NUMBER));
    world.pass(300);
    world.woken().await.unwrap();
    assert_eq!(world.status(), SyncStatus::Success);
}

#[tokio::test]
async fn an_appointment_is_judged_by_the_day_of_the_calls_arrival() {
    let world = world();
    let booked = booked_call();
    world.pass(30 * 86_400);
    let report = world.report_of(&booked, START);
    report.run(&world, &world.workspace(), world.turn(50)).await.unwrap();
    let row = world.ledger.row("call-1");
    assert_eq!((row.status, row.created_at), (SyncStatus::Success, START));
    assert_eq!(world.salesforce.state().events.len(), 1);
}

#[tokio::test]
async fn a_call_that_was_attempted_with_another_org_is_not_written_to_this_one() {
    let world = world();
    world.fail_for_good("search", FaultClass::Passing, "SERVER_UNAVAILABLE");
    world.reported(&call(0)).await.unwrap();
    {
        let mut workspace = world.edit_workspace();
        workspace.connection.as_mut().unwrap().org_id = SalesforceId::parse("00D000000000002").unwrap();
    }
    world.pass(60);
    world.woken().await.unwrap();
    let row = world.ledger.row("call-1");
    assert_eq!((row.status, reason(&row)), (SyncStatus::Error, "org_changed"));
    assert!(world.salesforce.state().tasks.is_empty());
}

#[tokio::test]
async fn no_write_starts_without_time_to_store_the_outcome() {
    let world = world();
    let report = world.report_of(&call(0), START);
    report.run(&world, &world.workspace(), world.turn(10)).await.unwrap();
    let row = world.ledger.row("call-1");
    assert_eq!((row.status, reason(&row)), (SyncStatus::Retrying, "out_of_time"));
    assert_eq!(world.requests(), ["search"]);
}

/// The HTTP handlers need futures that can move between threads.
#[test]
fn futures_can_move_between_threads() {
    fn movable<T: Send>(_: T) {}
    let world = world();
    let turn = world.turn(0);
    let (workspace, call) = (world.workspace(), call(0));
    let report = world.report_of(&call, START);
    movable(report.run(&world, &workspace, turn));
    movable(world.preview(
        &workspace,
        Row::accepted(workspace.id.clone(), call.clone(), START),
        turn.deadline,
    ));
}
