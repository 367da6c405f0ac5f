//! Orgs that hide, encrypt and refuse: helpers never decide a call, and what is learned once is remembered.

use calls::{call::Call, ids::CallId, status::SyncStatus};
use crm::{FaultClass, WrittenObject, workspace::NoMatch};

use super::{reason, refused_field, world::*};

const HIDDEN: [&str; 3] = ["Contact.HomePhone", "Contact.OtherPhone", "Lead.MobilePhone"];

/// The how many-th call of the same caller.
fn nth(n: i64) -> Call {
    let mut call = call(n);
    call.id = CallId::parse(format!("call-{n}")).unwrap();
    call
}

/// Three hidden fields and another status cost the first call six requests more, and the next ones none.
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
    // A day later an admin may have changed it.
    world.pass(86_401);
    world.reported(&nth(86_402)).await.unwrap();
    assert_eq!(world.requests(), [&searches[..], &["create"]].concat());
    assert_eq!(world.salesforce.state().tasks.last().unwrap().1.status, "Completed");
}

#[tokio::test]
async fn a_call_that_a_person_asks_for_again_is_searched_for_with_every_field() {
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

/// An admin has given the user access since: search finds the record by the field, and the field says so.
#[tokio::test]
async fn a_field_that_is_remembered_as_hidden_is_asked_for_again_where_it_may_have_found_somebody() {
    let world = world();
    world.salesforce.state().unreadable = vec!["Lead.Phone"];
    world.reported(&nth(1)).await.unwrap();
    world.salesforce.state().unreadable.clear();
    world.salesforce.state().records[0].phones.push(("MobilePhone".to_owned(), "(234) 555-0199".to_owned()));
    world.requests();
    world.reported(&nth(2)).await.unwrap();
    assert_eq!(world.ledger.row("call-2").status, SyncStatus::Success);
}

/// Shield encrypts phone fields: SOQL does not filter by them, SOSL finds them.
#[tokio::test]
async fn new_records_that_cannot_be_asked_for_do_not_decide_a_call() {
    for wants_lead in [false, true] {
        let world = world();
        world.salesforce.state().records.clear();
        world.salesforce.state().unfilterable = vec!["Lead.Phone", "Lead.MobilePhone"];
        if wants_lead {
            world.workspaces.0.lock().unwrap().settings.no_match = NoMatch::CreateLead;
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
async fn a_query_that_salesforce_never_gets_done_is_left_out() {
    for code in ["OPERATION_TOO_LARGE", "QUERY_TIMEOUT", "INVALID_FIELD"] {
        let world = world();
        world.salesforce.state().records.clear();
        let class = if code == "QUERY_TIMEOUT" { FaultClass::Passing } else { FaultClass::Permanent };
        world.fail_for_good("recent", class, code);
        world.reported(&call(0)).await.unwrap();
        assert_eq!((world.status(), code), (SyncStatus::NotFound, code));
        let tries = world.requests().iter().filter(|request| **request == "recent").count();
        assert_eq!(tries, if code == "QUERY_TIMEOUT" { 3 } else { 1 }, "{code}");
    }
}

#[tokio::test]
async fn an_outage_of_the_helper_is_a_fault_that_passes() {
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
async fn a_lead_is_made_without_what_was_refused_of_the_last_one() {
    let world = world();
    world.salesforce.state().records.clear();
    world.workspaces.0.lock().unwrap().settings.no_match = NoMatch::CreateLead;
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

/// A query that takes longer than a request may is asked for again with the call, and then left out.
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

/// A new record's number cannot be read: that is said, as of one that search found.
#[tokio::test]
async fn a_new_record_whose_number_cannot_be_read_is_a_possible_match() {
    let world = world();
    world.workspaces.0.lock().unwrap().settings.no_match = NoMatch::CreateLead;
    let mut new = world.salesforce.state().records.pop().unwrap();
    new.created_at = world.salesforce.state().now - chrono::TimeDelta::minutes(2);
    new.phones = vec![("Phone".to_owned(), "23455501234".to_owned())];
    world.salesforce.state().unindexed.push(new);
    world.reported(&call(0)).await.unwrap();
    let row = world.ledger.row("call-1");
    assert_eq!((row.status, reason(&row)), (SyncStatus::Skipped, "possible_match"));
    assert!(world.salesforce.state().leads.is_empty());
}
