//! Orgs that hide, encrypt and refuse fields: auxiliary queries never decide a call's outcome, and what an attempt
//! learns is remembered.

use calls::{call::Call, ids::CallId, status::SyncStatus};
use crm::{FaultClass, WrittenObject, workspace::NoMatch};

use super::{reason, refused_field, world::*};

const HIDDEN: [&str; 3] = ["Contact.HomePhone", "Contact.OtherPhone", "Lead.MobilePhone"];

/// The `n`-th call of the same caller.
fn nth(n: i64) -> Call {
    let mut call = call(n);
    call.id = CallId::parse(format!("call-{n}")).unwrap();
    call
}

/// Three hidden fields and another status cost the first call additional requests, and later calls none.
#[tokio::test]
async fn from_the_second_call_on_an_org_that_hides_fields_and_has_its_own_status_costs_two_requests() {
    let world = world();
    world.salesforce.state().unreadable = HIDDEN.to_vec();
    let mut refusal = error(FaultClass::FieldRefused, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST");
    refusal.fields = vec!["Status".to_owned()];
    world.salesforce.fail("create", Fault::Before(refusal));
    world.reported(&nth(1)).await.unwrap();
    let searches = ["search", "search", "search", "search"];
    assert_eq!(world.requests(), [&searches[..], &["create", "closed_task_status", "create"]].concat());
    for n in 2..5 {
        world.reported(&nth(n)).await.unwrap();
        assert_eq!(world.requests(), ["search", "create"]);
        assert_eq!(world.salesforce.state().tasks.last().unwrap().1.status, "Erledigt");
    }
    // A day later, an admin may have changed it.
    world.pass(86_401);
    world.reported(&nth(86_402)).await.unwrap();
    assert_eq!(world.requests(), [&searches[..], &["create"]].concat());
    assert_eq!(world.salesforce.state().tasks.last().unwrap().1.status, "Completed");
}

#[tokio::test]
async fn a_call_that_a_person_retries_is_searched_for_with_every_field() {
    let world = world();
    world.salesforce.state().unreadable = vec!["Lead.Phone"];
    world.reported(&call(0)).await.unwrap();
    assert_eq!(world.status(), SyncStatus::NotFound);
    world.salesforce.state().unreadable.clear();
    let id = CallId::parse("call-1").unwrap();
    let workspace = world.workspace();
    crate::claim::queue_again(&world.ledger, &world.random, &workspace.id, &id, |_| true, START + 9)
        .await
        .unwrap();
    world.woken().await.unwrap();
    assert_eq!(world.status(), SyncStatus::Success);
}

/// An admin has granted access since: search finds the record by the field, so the field is read again.
#[tokio::test]
async fn a_field_that_is_remembered_as_hidden_is_read_again_if_it_may_be_why_a_record_was_found() {
    let world = world();
    world.salesforce.state().unreadable = vec!["Lead.Phone"];
    world.reported(&nth(1)).await.unwrap();
    world.salesforce.state().unreadable.clear();
    world.salesforce.state().records[0].phones.push(("MobilePhone".to_owned(), "(234) 555-0199".to_owned()));
    world.requests();
    world.reported(&nth(2)).await.unwrap();
    assert_eq!(world.ledger.row("call-2").status, SyncStatus::Success);
}

/// Shield encrypts phone fields: SOQL cannot filter by them, but SOSL finds them.
#[tokio::test]
async fn new_records_that_cannot_be_queried_do_not_decide_a_call() {
    for wants_lead in [false, true] {
        let world = world();
        world.salesforce.state().records.clear();
        world.salesforce.state().unfilterable = vec!["Lead.Phone", "Lead.MobilePhone"];
        if wants_lead {
            world.edit_workspace().settings.no_match = NoMatch::CreateLead;
        }
        world.reported(&call(0)).await.unwrap();
        let row = world.ledger.row("call-1");
        if wants_lead {
            assert_eq!((row.status, world.salesforce.state().leads.len()), (SyncStatus::Success, 1));
        } else {
            assert_eq!((row.status, row.due_at), (SyncStatus::NotFound, Some(START + 300)));
            assert!(row.reason.unwrap().message.contains("some minutes late"));
        }
    }
}

#[tokio::test]
async fn a_query_that_salesforce_cannot_finish_is_left_out() {
    for code in ["OPERATION_TOO_LARGE", "QUERY_TIMEOUT", "INVALID_FIELD"] {
        let world = world();
        world.salesforce.state().records.clear();
        let class = if code == "QUERY_TIMEOUT" { FaultClass::Passing } else { FaultClass::Permanent };
        world.fail_for_good("recent", class, code);
        world.reported(&call(0)).await.unwrap();
        assert_eq!((world.status(), code), (SyncStatus::NotFound, code));
        let queries = world.requests().iter().filter(|request| **request == "recent").count();
        assert_eq!(queries, if code == "QUERY_TIMEOUT" { 3 } else { 1 }, "{code}");
    }
}

#[tokio::test]
async fn an_outage_during_the_query_for_new_records_is_a_temporary_fault() {
    let world = world();
    world.salesforce.state().records.clear();
    world.fail_for_good("recent", FaultClass::Passing, "SERVER_UNAVAILABLE");
    world.reported(&call(0)).await.unwrap();
    assert_eq!(
        (world.status(), reason(&world.ledger.row("call-1"))),
        (SyncStatus::Retrying, "SERVER_UNAVAILABLE")
    );
}

#[tokio::test]
async fn a_lead_is_created_without_the_fields_that_were_refused_for_the_last_one() {
    let world = world();
    world.salesforce.state().records.clear();
    world.edit_workspace().settings.no_match = NoMatch::CreateLead;
    let refusal = refused_field(WrittenObject::Lead, "LeadSource");
    world.salesforce.fail("create_lead", Fault::Before(refusal));
    world.reported(&nth(1)).await.unwrap();
    world.requests();
    let mut other = nth(2);
    other.customer_number = Some(fact(2, "+12345550124".to_owned()));
    world.reported(&other).await.unwrap();
    assert_eq!(world.requests(), ["search", "recent", "create_lead", "create"]);
    assert!(world.salesforce.state().leads.iter().all(|(_, lead)| lead.lead_source.is_none()));
}

/// A query that exceeds a request's timeout is repeated with the call's retry, and then left out.
#[tokio::test]
async fn new_records_that_take_too_long_twice_do_not_decide_a_call() {
    let world = world();
    world.salesforce.state().records.clear();
    world.fail_for_good("recent", FaultClass::Passing, "timeout");
    world.reported(&call(0)).await.unwrap();
    assert_eq!((world.status(), reason(&world.ledger.row("call-1"))), (SyncStatus::Retrying, "timeout"));
    world.pass(60);
    world.woken().await.unwrap();
    assert_eq!(world.status(), SyncStatus::NotFound);
    assert_eq!(world.workspace().learned, crm::workspace::Learned::default(), "it may be only slow today");
}

/// As with a record that search found.
#[tokio::test]
async fn a_new_record_whose_number_cannot_be_read_is_a_possible_match() {
    let world = world();
    world.edit_workspace().settings.no_match = NoMatch::CreateLead;
    let mut new = world.salesforce.state().records.pop().unwrap();
    new.created_at = world.salesforce.state().now - chrono::TimeDelta::minutes(2);
    new.phones = vec![("Phone".to_owned(), "23455501234".to_owned())];
    world.salesforce.state().unindexed.push(new);
    world.reported(&call(0)).await.unwrap();
    let row = world.ledger.row("call-1");
    assert_eq!((row.status, reason(&row)), (SyncStatus::Skipped, "possible_match"));
    assert!(world.salesforce.state().leads.is_empty());
}
