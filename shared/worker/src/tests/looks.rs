//! Looking before writing again: for what an attempt wrote if its response was lost.

use super::{appointment, booked_call, reason, refused_field, world::*};
use crate::{testing::When, worker::Turn};
use calls::{ids::SalesforceId, status::SyncStatus};
use crm::{FaultClass, WrittenObject};

#[tokio::test]
async fn if_the_outcome_was_not_stored_the_task_is_found_and_not_written_again() {
    let world = world();
    world.ledger.faults.fail_later("swap", 1, When::Before);
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
async fn a_committed_write_without_a_response_results_in_one_task() {
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
async fn a_write_without_a_response_is_repeated_only_after_the_settle_time() {
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
async fn finding_the_task_proves_nothing_about_its_event() {
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
async fn a_known_event_is_not_forgotten_if_a_look_misses_it() {
    let world = world();
    let first = booked_call();
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
async fn a_message_that_may_have_been_processed_before_looks_first() {
    let world = world();
    world.reported(&call(0)).await.unwrap();
    // The row is lost, and the message is delivered again after a day.
    let forgetful = super::world::world();
    forgetful.salesforce.state().tasks.clone_from(&world.salesforce.state().tasks);
    let report = world.report_of(&call(0), START);
    let turn = Turn { look_first: true, ..forgetful.turn(50) };
    report.run(&forgetful, &forgetful.workspace(), turn).await.unwrap();
    assert_eq!(forgetful.requests(), ["search", "look", "read"]);
    assert_eq!(forgetful.salesforce.state().tasks.len(), 1);
    assert_eq!(forgetful.status(), SyncStatus::Success);
}

#[tokio::test]
async fn if_a_look_finds_nothing_and_nothing_is_unsettled_the_write_follows() {
    let world = world();
    let report = world.report_of(&call(0), START);
    let turn = Turn { look_first: true, ..world.turn(50) };
    report.run(&world, &world.workspace(), turn).await.unwrap();
    assert_eq!(world.requests(), ["search", "look", "create"]);
    assert_eq!(world.status(), SyncStatus::Success);
}

/// It is found neither by `CallObject` nor on the record that a new search would choose.
#[tokio::test]
async fn a_task_without_its_call_object_is_found_even_if_another_record_is_preferred_by_now() {
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
    assert_eq!((row.status, row.record.unwrap().id.as_str()), (SyncStatus::Success, LEAD));
    assert_eq!(world.salesforce.state().tasks.len(), 1);
}

#[tokio::test]
async fn an_event_is_found_even_if_somebody_moved_its_task() {
    let world = world();
    let first = booked_call();
    world.salesforce.fail("create", Fault::After(error(FaultClass::Ambiguous, "timeout")));
    world.reported(&first).await.unwrap();
    world.salesforce.state().tasks[0].1.who_id = SalesforceId::parse("00Q000000000002EAA").unwrap();
    world.pass(700);
    world.woken().await.unwrap();
    let state = world.salesforce.state();
    assert_eq!((state.tasks.len(), state.events.len()), (1, 1));
    assert!(world.ledger.row("call-1").event_id.is_some());
}

#[tokio::test]
async fn an_event_is_found_that_moved_with_its_task() {
    let world = world();
    let first = booked_call();
    world.salesforce.fail("create", Fault::After(error(FaultClass::Ambiguous, "timeout")));
    world.reported(&first).await.unwrap();
    {
        // The Lead was converted.
        let mut state = world.salesforce.state();
        let contact = SalesforceId::parse("003000000000001AAA").unwrap();
        state.tasks[0].1.who_id = contact.clone();
        state.events[0].1.who_id = contact;
    }
    world.pass(700);
    world.woken().await.unwrap();
    let state = world.salesforce.state();
    assert_eq!((state.tasks.len(), state.events.len()), (1, 1));
    assert!(world.ledger.row("call-1").event_id.is_some());
}

#[tokio::test]
async fn activities_with_an_early_timestamp_from_salesforces_slow_clock_are_found() {
    let world = world();
    let first = booked_call();
    world.salesforce.fail("create", Fault::Before(refused_field(WrittenObject::Task, "CallObject")));
    world.salesforce.fail("create", Fault::After(error(FaultClass::Ambiguous, "timeout")));
    world.salesforce.state().now -= chrono::TimeDelta::minutes(4);
    world.reported(&first).await.unwrap();
    world.pass(700);
    world.woken().await.unwrap();
    let state = world.salesforce.state();
    assert_eq!((state.tasks.len(), state.events.len()), (1, 1));
}
