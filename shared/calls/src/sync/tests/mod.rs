//! The algorithm in an in-memory world.

mod leads;
mod world;

use crate::{
    appointment::AppointmentRequest,
    crm::{CrmError, FaultClass, WrittenObject},
    ids::SalesforceId,
    ledger::{Row, SyncStatus, WriteId},
    workspace::{ConnectionState, Lease},
};
use std::sync::atomic::Ordering;

use super::{QueuedAgain, Report};
use world::*;

fn reason(row: &Row) -> &str {
    row.reason.as_ref().map_or("", |reason| reason.code.as_str())
}

/// What Salesforce says where the user may not write a field.
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

#[tokio::test]
async fn a_plain_call_is_two_requests_and_two_writes() {
    let world = world();
    world.reported(&call(0)).await.unwrap();

    let row = world.ledger.row("call-1");
    assert_eq!(row.status, SyncStatus::Success);
    assert_eq!(row.record.unwrap().1.as_str(), LEAD);
    assert_eq!(row.phone_number.as_deref(), Some(NUMBER));
    assert_eq!(row.due_at, None);
    assert_eq!(row.expires_at, Some(START + 90 * 86_400));
    assert_eq!(world.requests(), ["search", "create"]);
    assert_eq!(world.ledger.writes.load(Ordering::Relaxed), 2);
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

    assert_eq!(world.requests(), ["update_task", "create"]);
    let state = world.salesforce.state();
    assert_eq!((state.tasks.len(), state.events.len()), (1, 1));
    assert!(state.tasks[0].1.description.contains("Wants an offer."));
    assert_eq!(state.events[0].1.start_date_time, "2027-01-20T14:00:00Z");
}

#[tokio::test]
async fn a_later_time_moves_the_event() {
    let world = world();
    let mut first = call(0);
    first.appointment = Some(fact(0, appointment()));
    world.reported(&first).await.unwrap();
    let mut second = call(5);
    second.appointment = Some(fact(5, AppointmentRequest { time: Some("3 PM".to_owned()), ..appointment() }));
    world.reported(&second).await.unwrap();
    let state = world.salesforce.state();
    assert_eq!(state.events.len(), 1);
    assert_eq!(state.events[0].1.start_date_time, "2027-01-20T15:00:00Z");
}

#[tokio::test]
async fn an_unwritten_outcome_is_found_again_not_written_again() {
    let world = world();
    world.ledger.failing.lock().unwrap().push(1);
    world.reported(&call(0)).await.unwrap_err();
    assert_eq!(world.salesforce.state().tasks.len(), 1);

    world.pass(91);
    world.requests();
    world.woken().await.unwrap();
    assert_eq!(world.status(), SyncStatus::Success);
    assert_eq!(world.salesforce.state().tasks.len(), 1);
    assert!(!world.requests().contains(&"create"));
}

#[tokio::test]
async fn a_committed_write_without_an_answer_is_one_task() {
    let world = world();
    world.salesforce.fail("create", Fault::After(error(FaultClass::Ambiguous, "timeout")));
    world.reported(&call(0)).await.unwrap();
    assert_eq!(world.status(), SyncStatus::Retrying);

    world.pass(60);
    world.woken().await.unwrap();
    let row = world.ledger.row("call-1");
    assert_eq!((row.status, row.unsettled_until), (SyncStatus::Success, None));
    assert_eq!(world.salesforce.state().tasks.len(), 1);
}

#[tokio::test]
async fn a_write_without_an_answer_is_made_again_only_after_the_settle_time() {
    let world = world();
    world.salesforce.fail("create", Fault::Before(error(FaultClass::Ambiguous, "timeout")));
    world.reported(&call(0)).await.unwrap();

    world.pass(60);
    world.woken().await.unwrap();
    let row = world.ledger.row("call-1");
    assert_eq!((row.status, reason(&row), row.due_at), (SyncStatus::Retrying, "settling", Some(START + 600)));
    assert!(world.salesforce.state().tasks.is_empty());

    world.pass(540);
    world.woken().await.unwrap();
    assert_eq!(world.status(), SyncStatus::Success);
    assert_eq!(world.salesforce.state().tasks.len(), 1);
}

#[tokio::test]
async fn a_task_alone_proves_nothing_about_its_event() {
    let world = world();
    world.reported(&call(0)).await.unwrap();
    let mut second = call(5);
    second.appointment = Some(fact(5, appointment()));
    world.salesforce.fail("create", Fault::After(error(FaultClass::Ambiguous, "timeout")));
    world.salesforce.state().hidden_events = true;
    world.reported(&second).await.unwrap();

    world.pass(60);
    world.woken().await.unwrap();
    let row = world.ledger.row("call-1");
    assert_eq!((row.status, reason(&row)), (SyncStatus::Retrying, "settling"));
    assert_eq!(world.salesforce.state().events.len(), 1);

    world.salesforce.state().hidden_events = false;
    world.pass(540);
    world.woken().await.unwrap();
    assert_eq!(world.status(), SyncStatus::Success);
    assert_eq!(world.salesforce.state().events.len(), 1);
}

#[tokio::test]
async fn a_report_for_a_row_in_other_hands_is_merged_and_seen_by_them() {
    let world = world();
    world.ledger.put(held_by_another(&world));

    let mut second = call(5);
    second.summary = Some(fact(5, "Wants an offer.".to_owned()));
    world.reported(&second).await.unwrap();
    let row = world.ledger.row("call-1");
    assert_eq!(row.revision, 2);
    assert!(row.call.summary.is_some());
    assert_eq!(row.lease.unwrap().owner, "another worker");
    assert!(world.requests().is_empty());
}

fn held_by_another(world: &crate::sync::Worker<World>) -> Row {
    let mut row = Row::accepted(world.workspace().id, call(0), START);
    row.lease = Some(Lease { owner: "another worker".to_owned(), until: START + 90 });
    row.due_at = Some(START + 90);
    row.write_id = Some(WriteId("theirs".to_owned()));
    row
}

#[tokio::test]
async fn a_report_that_the_queue_refused_leaves_a_row_in_other_hands_to_them() {
    let world = world();
    world.ledger.put(held_by_another(&world));
    let mut second = call(5);
    second.summary = Some(fact(5, "Wants an offer.".to_owned()));
    let report = Report { call: &second, secret_version: 2, received_at: START + 5 };
    super::accept(&world.ledger, &world.random, &world.workspace(), &report, START + 5).await.unwrap();
    let row = world.ledger.row("call-1");
    assert_eq!((row.revision, row.due_at), (2, Some(START + 90)));
    assert_eq!(row.lease.unwrap().owner, "another worker");
}

#[tokio::test]
async fn a_report_that_comes_again_takes_up_a_row_that_only_stands_in_line() {
    let world = world();
    let report = Report { call: &call(0), secret_version: 2, received_at: START };
    super::accept(&world.ledger, &world.random, &world.workspace(), &report, START).await.unwrap();
    assert_eq!(world.status(), SyncStatus::Queued);
    world.reported(&call(0)).await.unwrap();
    assert_eq!(world.status(), SyncStatus::Success);
}

#[tokio::test]
async fn a_wake_of_a_call_that_waits_for_nothing_does_nothing() {
    let world = world();
    world.reported(&call(0)).await.unwrap();
    let before = world.ledger.row("call-1");
    world.requests();
    world.woken().await.unwrap();
    assert_eq!(world.ledger.row("call-1"), before);
    assert!(world.requests().is_empty());
}

/// Else DynamoDB deletes a row that is being worked on.
#[tokio::test]
async fn a_row_that_is_taken_up_again_does_not_expire() {
    let world = world();
    world.reported(&call(0)).await.unwrap();
    assert!(world.ledger.row("call-1").expires_at.is_some());
    let mut second = call(5);
    second.summary = Some(fact(5, "Wants an offer.".to_owned()));
    // A guess that there is no row, the claim, and the outcome.
    let dies_at = world.ledger.writes.load(Ordering::Relaxed) + 2;
    world.ledger.failing.lock().unwrap().push(dies_at);
    world.reported(&second).await.unwrap_err();
    let row = world.ledger.row("call-1");
    assert!(row.expires_at.is_none() && row.due_at.is_some());
}

/// Between the sweep's query and its write a worker may have finished with the row.
#[tokio::test]
async fn a_row_that_is_not_due_any_more_is_not_postponed() {
    let world = world();
    let mut row = held_by_another(&world);
    row.lease = None;
    row.due_at = Some(START + 500);
    world.ledger.put(row.clone());
    let key = crate::ledger::RowKey { workspace_id: row.workspace_id.clone(), call_id: row.call_id.clone() };
    let postponed =
        super::claim::postpone(&world.ledger, &world.random, &key, START, START + 600).await.unwrap();
    assert!(!postponed);
    assert_eq!(world.ledger.row("call-1"), row);
}

#[tokio::test]
async fn an_event_that_is_known_is_not_forgotten_where_a_look_misses_it() {
    let world = world();
    let mut first = call(0);
    first.appointment = Some(fact(0, appointment()));
    world.reported(&first).await.unwrap();
    world.salesforce.fail("update_task", Fault::After(error(FaultClass::Ambiguous, "timeout")));
    world.salesforce.state().hidden_events = true;
    let mut second = call(5);
    second.summary = Some(fact(5, "Wants an offer.".to_owned()));
    world.reported(&second).await.unwrap();
    world.pass(60);
    world.woken().await.unwrap();
    assert_eq!(world.status(), SyncStatus::Success);
    assert_eq!(world.salesforce.state().events.len(), 1);
}

#[tokio::test]
async fn a_worker_that_lost_its_row_does_not_overwrite_the_winner() {
    let world = world();
    world.reported(&call(0)).await.unwrap();
    let mut stale = world.ledger.row("call-1");
    stale.lease = Some(Lease { owner: "winner".to_owned(), until: START + 300 });
    world.ledger.put(stale.clone());
    let claimed =
        super::claim::Claimed { row: stale.clone(), owner: "loser".to_owned(), unsettled_until: None };
    let mut outcome = stale.clone();
    outcome.status = SyncStatus::Error;
    let recorded =
        super::claim::record(&world.ledger, &world.random, &claimed, outcome, START).await.unwrap();
    assert_eq!(recorded, super::claim::Recorded::Lost);
    assert_eq!(world.ledger.row("call-1"), stale);
}

#[tokio::test]
async fn calls_wait_for_a_connection() {
    let world = world();
    {
        let mut workspace = world.workspaces.0.lock().unwrap();
        workspace.state = ConnectionState::Disconnected;
        workspace.connection = None;
    }
    world.reported(&call(0)).await.unwrap();
    let row = world.ledger.row("call-1");
    assert_eq!((row.status, reason(&row)), (SyncStatus::WaitingForConnection, "not_connected"));
    assert_eq!(row.due_at, Some(START + 3600));
    assert_eq!(row.unsettled_until, None);
}

/// The connect's `resume` looked for waiting rows before this one was among them.
#[tokio::test]
async fn a_call_that_began_to_wait_while_somebody_connected_does_not_wait() {
    let world = world();
    let mut as_read = world.workspace();
    as_read.state = ConnectionState::Disconnected;
    as_read.connection = None;
    as_read.connection_version = 0;
    let report = Report { call: &call(0), secret_version: 2, received_at: START };
    world.report(&as_read, &report, world.turn(50)).await.unwrap();
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
async fn a_failed_search_is_a_fault_not_a_missing_record() {
    let world = world();
    world.fail_for_good("search", FaultClass::Passing, "SERVER_UNAVAILABLE");
    world.reported(&call(0)).await.unwrap();
    let row = world.ledger.row("call-1");
    assert_eq!((row.status, reason(&row)), (SyncStatus::Retrying, "SERVER_UNAVAILABLE"));
    // The quick tries took 250 ms and a second; then half of a minute, by the world's chance.
    assert_eq!(row.due_at, Some(START + 1 + 30));
    assert_eq!(row.unsettled_until, None);
    assert_eq!(world.requests(), ["search"; 3]);
}

#[tokio::test]
async fn a_fault_that_passes_at_once_needs_no_retry() {
    let world = world();
    world.salesforce.fail("search", Fault::Before(error(FaultClass::Passing, "SERVER_UNAVAILABLE")));
    world.salesforce.fail("create", Fault::Before(error(FaultClass::Passing, "UNABLE_TO_LOCK_ROW")));
    world.reported(&call(0)).await.unwrap();
    assert_eq!((world.status(), world.ledger.row("call-1").failing), (SyncStatus::Success, None));
    assert_eq!(world.requests(), ["search", "search", "create", "create"]);
    assert_eq!(world.salesforce.state().tasks.len(), 1);
}

#[tokio::test]
async fn no_quick_try_follows_an_ambiguous_answer_or_a_lack_of_time() {
    let world = world();
    world.salesforce.fail("create", Fault::Before(error(FaultClass::Ambiguous, "timeout")));
    world.reported(&call(0)).await.unwrap();
    assert_eq!(world.requests(), ["search", "create"]);

    let world = self::world();
    world.salesforce.fail("search", Fault::Before(error(FaultClass::Passing, "SERVER_UNAVAILABLE")));
    let report = Report { call: &call(0), secret_version: 2, received_at: START };
    world.report(&world.workspace(), &report, world.turn(25)).await.unwrap();
    assert_eq!(world.requests(), ["search"]);
    assert_eq!(world.status(), SyncStatus::Retrying);
}

#[tokio::test]
async fn faults_that_do_not_pass_within_three_days_are_an_error() {
    let world = world();
    // The call waited for three days before its first fault: they count from there.
    {
        let mut workspace = world.workspaces.0.lock().unwrap();
        workspace.state = ConnectionState::Disconnected;
    }
    world.reported(&call(0)).await.unwrap();
    world.workspaces.0.lock().unwrap().state = ConnectionState::Connected;
    world.pass(3 * 86_400);
    world.fail_for_good("search", FaultClass::Passing, "SERVER_UNAVAILABLE");
    let mut dues = Vec::new();
    while dues.len() < 100 {
        world.woken().await.unwrap();
        let row = world.ledger.row("call-1");
        let Some(due_at) = row.due_at else { break };
        assert_eq!(row.status, SyncStatus::Retrying);
        let now = crate::ports::Clock::now(&world.clock).timestamp();
        dues.push(due_at - now);
        world.pass(due_at - now);
    }
    let row = world.ledger.row("call-1");
    assert_eq!((row.status, reason(&row)), (SyncStatus::Error, "SERVER_UNAVAILABLE"));
    // Half of one, two, four … minutes, and at last half of six hours, for three days.
    assert_eq!(dues[..4], [30, 60, 120, 240]);
    assert_eq!(dues.last(), Some(&(3 * 3600)));
    assert!((3 * 86_400..3 * 86_400 + 6 * 3600).contains(&dues.iter().sum::<i64>()), "{dues:?}");
}

#[tokio::test]
async fn a_limit_pauses_the_workspace_and_nothing_asks_meanwhile() {
    let world = world();
    world.salesforce.fail("search", Fault::Before(error(FaultClass::DailyLimit, "REQUEST_LIMIT_EXCEEDED")));
    world.reported(&call(0)).await.unwrap();
    let row = world.ledger.row("call-1");
    assert_eq!((row.status, reason(&row)), (SyncStatus::Retrying, "REQUEST_LIMIT_EXCEEDED"));
    assert_eq!(world.workspace().paused_until, Some(START + 3600));
    assert_eq!(row.due_at, Some(START + 3600 + 30));
    assert_eq!(world.requests(), ["search"]);

    world.pass(1800);
    world.woken().await.unwrap();
    let row = world.ledger.row("call-1");
    assert_eq!((row.due_at, row.unsettled_until), (Some(START + 3600 + 30), None));
    assert!(world.requests().is_empty());

    world.pass(1830);
    world.woken().await.unwrap();
    assert_eq!(world.status(), SyncStatus::Success);
}

#[tokio::test]
async fn too_many_requests_at_once_pause_for_minutes() {
    let world = world();
    world
        .salesforce
        .fail("create", Fault::Before(error(FaultClass::ConcurrentLimit, "REQUEST_LIMIT_EXCEEDED")));
    world.reported(&call(0)).await.unwrap();
    assert_eq!(world.workspace().paused_until, Some(START + 180));
    assert_eq!(world.ledger.row("call-1").unsettled_until, None);
}

#[tokio::test]
async fn a_limit_that_lasts_three_days_is_an_error() {
    let world = world();
    let limited = || Fault::Before(error(FaultClass::DailyLimit, "REQUEST_LIMIT_EXCEEDED"));
    world.salesforce.fail("search", limited());
    world.reported(&call(0)).await.unwrap();
    world.pass(3 * 86_400);
    world.salesforce.fail("search", limited());
    world.woken().await.unwrap();
    assert_eq!(world.status(), SyncStatus::Error);
}

#[tokio::test]
async fn a_message_that_may_have_been_worked_on_looks_first() {
    let world = world();
    world.reported(&call(0)).await.unwrap();
    // The row is lost, and the message comes again after a day.
    let forgetful = self::world();
    forgetful.salesforce.state().tasks.clone_from(&world.salesforce.state().tasks);
    let report = Report { call: &call(0), secret_version: 2, received_at: START };
    let turn = super::Turn { look_first: true, ..forgetful.turn(50) };
    forgetful.report(&forgetful.workspace(), &report, turn).await.unwrap();
    assert_eq!(forgetful.requests(), ["search", "look", "update_task"]);
    assert_eq!(forgetful.salesforce.state().tasks.len(), 1);
    assert_eq!(forgetful.status(), SyncStatus::Success);
}

#[tokio::test]
async fn a_look_that_finds_nothing_to_wait_for_is_followed_by_the_write() {
    let world = world();
    let report = Report { call: &call(0), secret_version: 2, received_at: START };
    let turn = super::Turn { look_first: true, ..world.turn(50) };
    world.report(&world.workspace(), &report, turn).await.unwrap();
    assert_eq!(world.requests(), ["search", "look", "create"]);
    assert_eq!(world.status(), SyncStatus::Success);
}

#[tokio::test]
async fn a_permanent_fault_ends_the_row_with_a_remedy() {
    let world = world();
    world
        .salesforce
        .fail("create", Fault::Before(error(FaultClass::Permanent, "FIELD_CUSTOM_VALIDATION_EXCEPTION")));
    world.reported(&call(0)).await.unwrap();
    let row = world.ledger.row("call-1");
    assert_eq!((row.status, row.due_at), (SyncStatus::Error, None));
    assert!(row.reason.unwrap().message.contains("validation rule"));
}

#[tokio::test]
async fn a_refused_event_does_not_cost_the_task() {
    let world = world();
    let mut refusal = error(FaultClass::Permanent, "FIELD_CUSTOM_VALIDATION_EXCEPTION");
    refusal.object = Some(WrittenObject::Event);
    world.salesforce.fail("create", Fault::Before(refusal));
    let mut booked = call(0);
    booked.appointment = Some(fact(0, appointment()));
    world.reported(&booked).await.unwrap();
    let row = world.ledger.row("call-1");
    assert_eq!((row.status, reason(&row)), (SyncStatus::Success, "event_refused"));
    assert!(row.task_id.is_some() && row.event_id.is_none());
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
async fn a_refused_field_is_left_out_unasked_for_a_day_and_then_tried_again() {
    let world = world();
    let refusal = refused_field(WrittenObject::Task, "Type");
    world.salesforce.fail("create", Fault::Before(refusal));
    world.reported(&call(0)).await.unwrap();
    world.requests();
    for (seconds, kind) in [(86_300, None), (200, Some("Call"))] {
        world.pass(seconds);
        let mut next = call(seconds);
        next.id = crate::ids::CallId::parse(format!("call-{seconds}")).unwrap();
        world.reported(&next).await.unwrap();
        assert_eq!(world.requests(), ["search", "create"]);
        let row = world.ledger.row(next.id.as_str());
        assert_eq!((row.status, reason(&row) == "fields_left_out"), (SyncStatus::Success, kind.is_none()));
        assert_eq!(world.salesforce.state().tasks.last().unwrap().1.r#type.as_deref(), kind);
    }
}

#[tokio::test]
async fn an_update_leaves_out_what_is_refused_for_task_and_event_each() {
    let world = world();
    let mut first = call(0);
    first.appointment = Some(fact(0, appointment()));
    world.reported(&first).await.unwrap();
    let refused = |object, field: &str| Fault::Before(refused_field(object, field));
    world.salesforce.fail("update_task", refused(WrittenObject::Task, "Priority"));
    world.salesforce.fail("update_event", refused(WrittenObject::Event, "ShowAs"));
    let mut second = call(5);
    second.appointment = Some(fact(5, AppointmentRequest { time: Some("3 PM".to_owned()), ..appointment() }));
    world.reported(&second).await.unwrap();
    let row = world.ledger.row("call-1");
    assert_eq!((row.status, reason(&row)), (SyncStatus::Success, "fields_left_out"));
    let state = world.salesforce.state();
    assert_eq!((state.tasks[0].1.priority.as_deref(), state.events[0].1.show_as.as_deref()), (None, None));
    assert_eq!(state.events[0].1.start_date_time, "2027-01-20T15:00:00Z");
    let remembered = world.workspace().refused_fields;
    assert_eq!(remembered.at(START).collect::<Vec<_>>(), ["Event.ShowAs", "Task.Priority"]);
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
async fn an_org_without_any_other_closed_status_is_an_error_and_no_loop() {
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

/// Neither by `CallObject` nor by the record that a new search would choose.
#[tokio::test]
async fn a_task_without_its_call_object_is_found_though_another_record_is_the_best_by_now() {
    let world = world();
    world.salesforce.state().records.push(lead("00Q000000000002EAA", NUMBER));
    world.salesforce.state().records[0].modified_at += chrono::TimeDelta::seconds(1);
    let refusal = refused_field(WrittenObject::Task, "CallObject");
    world.salesforce.fail("create", Fault::Before(refusal));
    world.salesforce.fail("create", Fault::After(error(FaultClass::Ambiguous, "timeout")));
    world.reported(&call(0)).await.unwrap();
    // Somebody edits the other Lead.
    world.salesforce.state().records[1].modified_at += chrono::TimeDelta::seconds(60);
    world.pass(700);
    world.woken().await.unwrap();
    let row = world.ledger.row("call-1");
    assert_eq!((row.status, row.record.unwrap().1.as_str()), (SyncStatus::Success, LEAD));
    assert_eq!(world.salesforce.state().tasks.len(), 1);
}

#[tokio::test]
async fn an_event_is_found_though_somebody_moved_its_task() {
    let world = world();
    let mut first = call(0);
    first.appointment = Some(fact(0, appointment()));
    world.salesforce.fail("create", Fault::After(error(FaultClass::Ambiguous, "timeout")));
    world.reported(&first).await.unwrap();
    world.salesforce.state().tasks[0].1.who_id = SalesforceId::parse("00Q000000000002EAA").unwrap();
    world.pass(700);
    world.woken().await.unwrap();
    let state = world.salesforce.state();
    assert_eq!((state.tasks.len(), state.events.len()), (1, 1));
    assert!(world.ledger.row("call-1").event_id.is_some());
}

impl crate::sync::Worker<World> {
    /// A person asks for the call again.
    async fn asked_again(&self) -> QueuedAgain {
        let id = crate::ids::CallId::parse("call-1").unwrap();
        let now = crate::ports::Clock::now(&self.clock).timestamp();
        let queued = super::queue_again(&self.ledger, &self.random, &self.workspace().id, &id, now).await;
        self.woken().await.unwrap();
        queued.unwrap()
    }
}

#[tokio::test]
async fn asked_again_an_update_that_was_refused_is_made() {
    let world = world();
    world.reported(&call(0)).await.unwrap();
    let mut second = call(5);
    second.summary = Some(fact(5, "Wants a quote.".to_owned()));
    world.salesforce.fail("update_task", Fault::Before(error(FaultClass::Permanent, "INSUFFICIENT_ACCESS")));
    world.reported(&second).await.unwrap();
    assert_eq!(reason(&world.ledger.row("call-1")), "activity_not_updated");
    assert_eq!(world.asked_again().await, QueuedAgain::Queued);
    assert!(world.salesforce.state().tasks[0].1.description.contains("Wants a quote."));
    assert_eq!((world.status(), world.ledger.row("call-1").reason), (SyncStatus::Success, None));
}

/// Also within the day in which refused fields are left out unasked.
#[tokio::test]
async fn asked_again_fields_that_were_left_out_are_filled() {
    let world = world();
    let refusal = refused_field(WrittenObject::Task, "Type");
    world.salesforce.fail("create", Fault::Before(refusal));
    world.reported(&call(0)).await.unwrap();
    assert_eq!(reason(&world.ledger.row("call-1")), "fields_left_out");
    world.pass(60);
    world.asked_again().await;
    assert_eq!(world.salesforce.state().tasks[0].1.r#type.as_deref(), Some("Call"));
    assert_eq!(world.ledger.row("call-1").reason, None);
}

#[tokio::test]
async fn a_report_under_a_revoked_secret_is_not_logged_though_a_person_asks() {
    let world = world();
    world.reported_under(1, &call(0)).await.unwrap();
    assert_eq!(world.asked_again().await, QueuedAgain::Refused);
    let id = crate::ids::CallId::parse("call-1").unwrap();
    world.wake(&world.workspace(), &id, true, world.turn(50)).await.unwrap();
    assert_eq!(world.status(), SyncStatus::Skipped);
    assert!(world.requests().is_empty());
}

#[tokio::test]
async fn a_session_that_is_refused_again_after_its_renewal_ends_the_attempt() {
    let world = world();
    for _ in 0..10 {
        world.salesforce.fail("search", Fault::Before(error(FaultClass::Session, "INVALID_SESSION_ID")));
    }
    world.reported(&call(0)).await.unwrap();
    assert_eq!(world.requests(), ["search", "refresh", "search"]);
    assert_eq!(world.status(), SyncStatus::Retrying);
}

#[tokio::test]
async fn faults_are_counted_anew_after_an_outcome() {
    let world = world();
    world.fail_for_good("search", FaultClass::Passing, "SERVER_UNAVAILABLE");
    world.reported(&call(0)).await.unwrap();
    assert_eq!(world.ledger.row("call-1").failing.unwrap().times, 1);
    world.pass(60);
    world.woken().await.unwrap();
    assert_eq!(world.ledger.row("call-1").failing.unwrap().times, 2);
    world.salesforce.state().faults.clear();
    world.salesforce.state().records.clear();
    world.pass(120);
    world.woken().await.unwrap();
    let row = world.ledger.row("call-1");
    assert_eq!((row.status, row.failing), (SyncStatus::NotFound, None));
}

/// A worker's turn with so much time left, and a session that has ended.
async fn with_an_ended_session(seconds: i64) -> (Vec<&'static str>, crate::workspace::Workspace) {
    let world = world();
    world.salesforce.state().good_access_token = "another".to_owned();
    let report = Report { call: &call(0), secret_version: 2, received_at: START };
    world.report(&world.workspace(), &report, world.turn(seconds)).await.unwrap();
    (world.requests(), world.workspace())
}

#[tokio::test]
async fn a_refresh_begins_only_with_time_to_store_its_tokens() {
    assert_eq!(with_an_ended_session(15).await.0, ["search"]);
    assert_eq!(with_an_ended_session(17).await.0[..2], ["search", "refresh"]);
}

#[tokio::test]
async fn a_lease_that_was_won_too_late_is_given_back_and_nothing_is_asked() {
    let world = world();
    world.salesforce.state().good_access_token = "another".to_owned();
    world.workspaces.1.seconds.store(10, Ordering::Relaxed);
    let report = Report { call: &call(0), secret_version: 2, received_at: START };
    world.report(&world.workspace(), &report, world.turn(20)).await.unwrap();
    assert_eq!(world.requests(), ["search"]);
    assert_eq!(world.workspace().refresh_lease, None);
}

#[tokio::test]
async fn an_ambiguous_refresh_is_tried_once_more_and_only_with_time() {
    let ambiguous = || Fault::Before(error(FaultClass::Ambiguous, "timeout"));
    let world = world();
    world.salesforce.state().good_access_token = "another".to_owned();
    world.salesforce.fail("refresh", ambiguous());
    world.reported(&call(0)).await.unwrap();
    assert_eq!(world.requests(), ["search", "refresh", "refresh", "search", "create"]);

    let world = self::world();
    world.salesforce.state().good_access_token = "another".to_owned();
    world.salesforce.1.seconds.store(10, Ordering::Relaxed);
    world.salesforce.fail("refresh", ambiguous());
    let report = Report { call: &call(0), secret_version: 2, received_at: START };
    world.report(&world.workspace(), &report, world.turn(25)).await.unwrap();
    assert_eq!(world.requests(), ["search", "refresh"]);
}

/// A user who is only frozen: the grant lives on in Salesforce, and nobody would end it later.
#[tokio::test]
async fn a_grant_that_salesforce_refuses_is_ended_when_its_tokens_are_forgotten() {
    let world = world();
    world.salesforce.state().good_access_token = "another".to_owned();
    world.salesforce.fail("refresh", Fault::Before(error(FaultClass::GrantEnded, "inactive_user")));
    world.reported(&call(0)).await.unwrap();
    assert_eq!(world.requests(), ["search", "refresh", "revoke"]);
}

#[tokio::test]
async fn an_event_for_a_record_that_is_gone_leaves_the_task_logged() {
    let world = world();
    world.reported(&call(0)).await.unwrap();
    let mut second = call(5);
    second.appointment = Some(fact(5, appointment()));
    world.salesforce.fail("create", Fault::Before(error(FaultClass::RecordGone, "ENTITY_IS_DELETED")));
    world.reported(&second).await.unwrap();
    let row = world.ledger.row("call-1");
    assert_eq!((row.status, reason(&row)), (SyncStatus::Success, "event_refused"));
}

#[tokio::test]
async fn an_expired_session_is_renewed_once() {
    let world = world();
    world.salesforce.state().good_access_token = "another".to_owned();
    world.reported(&call(0)).await.unwrap();
    assert_eq!(world.requests(), ["search", "refresh", "search", "create"]);
    assert_eq!(world.workspace().connection_version, 2);
    assert_eq!(world.status(), SyncStatus::Success);
}

#[tokio::test]
async fn anothers_fresh_session_is_used() {
    let world = world();
    let as_read = world.workspace();
    {
        let mut workspace = world.workspaces.0.lock().unwrap();
        workspace.connection_version = 2;
        let connection = workspace.connection.as_mut().unwrap();
        connection.version = 2;
        connection.access_token = "access-2".to_owned().into();
        world.salesforce.state().good_access_token = "access-2".to_owned();
    }
    let report = Report { call: &call(0), secret_version: 2, received_at: START };
    world.report(&as_read, &report, world.turn(50)).await.unwrap();
    assert_eq!(world.requests(), ["search", "search", "create"]);
}

#[tokio::test]
async fn an_ended_grant_makes_calls_wait() {
    let world = world();
    world.salesforce.state().good_access_token = "another".to_owned();
    world.salesforce.fail("refresh", Fault::Before(error(FaultClass::GrantEnded, "invalid_grant")));
    world.reported(&call(0)).await.unwrap();
    let row = world.ledger.row("call-1");
    assert_eq!((row.status, reason(&row)), (SyncStatus::WaitingForConnection, "reconnect_required"));
    assert_eq!(world.workspace().state, ConnectionState::ReconnectRequired);
}

#[tokio::test]
async fn a_token_request_in_progress_elsewhere_is_not_a_disconnect() {
    let world = world();
    world.salesforce.state().good_access_token = "another".to_owned();
    world.fail_for_good("refresh", FaultClass::Passing, "invalid_grant");
    world.reported(&call(0)).await.unwrap();
    assert_eq!(world.status(), SyncStatus::Retrying);
    assert_eq!(world.requests(), ["search", "refresh", "refresh", "refresh"]);
    let workspace = world.workspace();
    assert_eq!((workspace.state, workspace.refresh_lease), (ConnectionState::Connected, None));
}

#[tokio::test]
async fn a_revoked_webhook_secret_is_skipped_until_a_valid_report_comes() {
    let world = world();
    world.reported_under(1, &call(0)).await.unwrap();
    assert_eq!(world.status(), SyncStatus::Skipped);
    assert!(world.requests().is_empty());

    world.reported(&call(0)).await.unwrap();
    assert_eq!(world.status(), SyncStatus::Success);

    let mut forged = call(9);
    forged.summary = Some(fact(9, "forged".to_owned()));
    world.reported_under(1, &forged).await.unwrap();
    assert_eq!(world.ledger.row("call-1").call.summary, None);
}

#[tokio::test]
async fn two_valid_reports_after_a_refused_one_merge() {
    let world = world();
    world.reported_under(1, &call(0)).await.unwrap();
    world.pass(60);
    let mut rich = call(1);
    rich.summary = Some(fact(1, "Wants an offer.".to_owned()));
    // The worker that took the first valid report dies on it.
    world.ledger.failing.lock().unwrap().push(world.ledger.writes.load(Ordering::Relaxed) + 2);
    world.reported(&rich).await.unwrap_err();
    world.reported(&call(2)).await.unwrap();
    let row = world.ledger.row("call-1");
    assert_eq!(row.call.summary.as_ref().unwrap().value, "Wants an offer.");
    assert_eq!((row.status, row.reason, row.created_at), (SyncStatus::Queued, None, START + 60));
}

#[tokio::test]
async fn today_is_the_day_of_the_calls_arrival() {
    let world = world();
    let mut booked = call(0);
    booked.appointment = Some(fact(0, appointment()));
    world.pass(30 * 86_400);
    let report = Report { call: &booked, secret_version: 2, received_at: START };
    world.report(&world.workspace(), &report, world.turn(50)).await.unwrap();
    let row = world.ledger.row("call-1");
    assert_eq!((row.status, row.created_at), (SyncStatus::Success, START));
    assert_eq!(world.salesforce.state().events.len(), 1);
}

#[tokio::test]
async fn a_call_tried_with_another_org_is_not_written_into_this_one() {
    let world = world();
    world.fail_for_good("search", FaultClass::Passing, "SERVER_UNAVAILABLE");
    world.reported(&call(0)).await.unwrap();
    {
        let mut workspace = world.workspaces.0.lock().unwrap();
        workspace.connection.as_mut().unwrap().org_id = SalesforceId::parse("00D000000000002").unwrap();
    }
    world.pass(60);
    world.woken().await.unwrap();
    let row = world.ledger.row("call-1");
    assert_eq!((row.status, reason(&row)), (SyncStatus::Error, "org_changed"));
    assert!(world.salesforce.state().tasks.is_empty());
}

#[tokio::test]
async fn no_write_starts_without_time_to_record_it() {
    let world = world();
    let report = Report { call: &call(0), secret_version: 2, received_at: START };
    world.report(&world.workspace(), &report, world.turn(10)).await.unwrap();
    let row = world.ledger.row("call-1");
    assert_eq!((row.status, reason(&row)), (SyncStatus::Retrying, "out_of_time"));
    assert_eq!(world.requests(), ["search"]);
}

/// API Gateway's handlers run futures that can move between threads.
#[test]
fn work_can_move_between_threads() {
    fn movable<T: Send>(_: T) {}
    let world = world();
    let turn = world.turn(0);
    let (workspace, call) = (world.workspace(), call(0));
    let report = Report { call: &call, secret_version: 2, received_at: START };
    movable(world.report(&workspace, &report, turn));
    movable(world.preview(&workspace, &call, turn.deadline));
}
