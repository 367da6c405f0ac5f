//! Records that have been converted, deleted or hidden by the time a Task is written on them.

use calls::status::SyncStatus;
use crm::{FaultClass, WrittenObject, matching::Rule};

use super::{appointment, reason, world::*};

#[tokio::test]
async fn a_lead_that_was_converted_in_the_meantime_leads_to_its_contact() {
    let world = world();
    world.salesforce.state().converted.insert(sf(LEAD), sf(CONTACT));
    world
        .salesforce
        .fail("create", Fault::Before(error(FaultClass::RecordGone, "CANNOT_UPDATE_CONVERTED_LEAD")));
    world.reported(&call(0)).await.unwrap();
    assert_eq!(world.requests(), ["search", "create", "converted_to", "create"]);
    assert_eq!((world.who(), world.rule()), (sf(CONTACT), Rule::Converted));
}

#[tokio::test]
async fn the_event_of_a_second_report_follows_a_converted_lead() {
    let world = world();
    world.reported(&call(0)).await.unwrap();
    let mut second = call(5);
    second.appointment = Some(fact(5, appointment()));
    world.salesforce.state().converted.insert(sf(LEAD), sf(CONTACT));
    let mut refusal = error(FaultClass::RecordGone, "CANNOT_UPDATE_CONVERTED_LEAD");
    refusal.object = Some(WrittenObject::Event);
    world.salesforce.fail("create", Fault::Before(refusal));
    world.reported(&second).await.unwrap();
    let state = world.salesforce.state();
    assert_eq!((state.tasks.len(), state.events.len()), (1, 1));
    assert_eq!(state.events[0].1.who_id, sf(CONTACT));
}

#[tokio::test]
async fn after_a_deleted_record_the_caller_is_searched_for_again() {
    let world = world();
    world.salesforce.fail("create", Fault::Before(error(FaultClass::RecordGone, "ENTITY_IS_DELETED")));
    world.reported(&call(0)).await.unwrap();
    assert_eq!(world.requests(), ["search", "create", "converted_to", "search", "recent", "create"]);
    assert_eq!(world.status(), SyncStatus::Success);
}

/// Search still returns the deleted Lead, which was modified last.
#[tokio::test]
async fn after_a_deleted_record_the_next_one_with_the_number_is_used() {
    for (rule, others) in
        [(Rule::OnlyCandidate, &[OTHER_LEAD][..]), (Rule::MostRecent, &[OTHER_LEAD, THIRD_LEAD])]
    {
        let world = world();
        let older = |(age, id): (i64, &&str)| {
            let mut older = lead(id, NUMBER);
            older.modified_at -= chrono::TimeDelta::days(age + 1);
            older
        };
        world.salesforce.state().records.extend((0..).zip(others).map(older));
        world.salesforce.fail("create", Fault::Before(error(FaultClass::RecordGone, "ENTITY_IS_DELETED")));
        world.reported(&call(0)).await.unwrap();
        assert_eq!(world.requests(), ["search", "create", "converted_to", "search", "create"]);
        assert_eq!((world.status(), world.who(), world.rule()), (SyncStatus::Success, sf(OTHER_LEAD), rule));
        let candidates = world.ledger.row("call-1").decision.unwrap().candidates;
        assert!(candidates.iter().map(|candidate| candidate.id.as_str()).eq(others.iter().copied()));
    }
}

#[tokio::test]
async fn after_a_deleted_record_one_that_is_not_yet_indexed_is_used() {
    let world = world();
    let mut new = lead(OTHER_LEAD, NUMBER);
    new.created_at = world.salesforce.state().now;
    world.salesforce.state().unindexed.push(new);
    world.salesforce.fail("create", Fault::Before(error(FaultClass::RecordGone, "ENTITY_IS_DELETED")));
    world.reported(&call(0)).await.unwrap();
    assert_eq!((world.status(), world.who()), (SyncStatus::Success, sf(OTHER_LEAD)));
}

#[tokio::test]
async fn a_record_that_stays_gone_is_an_error() {
    let world = world();
    world.fail_for_good("create", FaultClass::RecordGone, "INVALID_CROSS_REFERENCE_KEY");
    world.reported(&call(0)).await.unwrap();
    let row = world.ledger.row("call-1");
    assert_eq!((row.status, reason(&row)), (SyncStatus::Error, "INVALID_CROSS_REFERENCE_KEY"));
    assert_eq!(world.requests().iter().filter(|name| **name == "create").count(), 2);
}

/// The search or the query for new records still returns the deleted one.
#[tokio::test]
async fn after_a_deleted_record_a_lead_is_created_if_the_workspace_wants_leads() {
    for is_new in [false, true] {
        let world = new_caller();
        let mut deleted = lead(LEAD, NUMBER);
        world.salesforce.state().deleted.push(deleted.id.clone());
        if is_new {
            deleted.created_at = world.salesforce.state().now;
            world.salesforce.state().unindexed.push(deleted);
        } else {
            world.salesforce.state().records.push(deleted);
        }
        world.reported(&call(0)).await.unwrap();
        assert_eq!((world.status(), world.rule()), (SyncStatus::Success, Rule::NewLead));
        assert_eq!(world.who(), world.salesforce.state().leads[0].0);
    }
}

#[tokio::test]
async fn a_record_that_may_only_be_hidden_causes_no_second_lead() {
    for (times, status) in [(1, SyncStatus::Success), (2, SyncStatus::Error)] {
        let world = new_caller();
        world.salesforce.state().records.push(lead(LEAD, NUMBER));
        for _ in 0..times {
            let refusal = error(FaultClass::RecordGone, "INVALID_CROSS_REFERENCE_KEY");
            world.salesforce.fail("create", Fault::Before(refusal));
        }
        world.reported(&call(0)).await.unwrap();
        assert_eq!((world.status(), world.salesforce.state().leads.len()), (status, 0));
    }
}

#[tokio::test]
async fn a_new_lead_that_is_gone_at_once_is_an_error_and_not_created_again() {
    let world = new_caller();
    world.fail_for_good("create", FaultClass::RecordGone, "ENTITY_IS_DELETED");
    world.reported(&call(0)).await.unwrap();
    let row = world.ledger.row("call-1");
    assert_eq!((row.status, reason(&row)), (SyncStatus::Error, "ENTITY_IS_DELETED"));
    assert_eq!(world.salesforce.state().leads.len(), 1);
}

#[tokio::test]
async fn several_records_in_a_row_that_are_gone_are_an_error() {
    let world = world();
    let others = (2..8).map(|n| lead(&format!("00Q00000000000{n}EAA"), NUMBER));
    world.salesforce.state().records.extend(others);
    world.fail_for_good("create", FaultClass::RecordGone, "ENTITY_IS_DELETED");
    world.reported(&call(0)).await.unwrap();
    let row = world.ledger.row("call-1");
    assert_eq!((row.status, reason(&row)), (SyncStatus::Error, "ENTITY_IS_DELETED"));
    assert_eq!(world.requests().iter().filter(|name| **name == "create").count(), 4);
}
