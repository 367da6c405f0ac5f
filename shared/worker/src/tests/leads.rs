//! New records: those that search has not indexed yet, Leads for new callers, and what happens to such a Lead later.

use std::time::Duration;

use calls::status::SyncStatus;
use crm::{
    FaultClass, FoundRecord, Record, RecordType, lead::NumberClaim, lease::Lease, ledger::WriteId,
    matching::Rule,
};

use crate::{ports::Clock, worker::Worker};

use super::{reason, world::*};

/// A Contact that search does not return.
fn contact(phone: &str) -> FoundRecord {
    FoundRecord { record_type: RecordType::Contact, ..lead(CONTACT, phone) }
}

#[tokio::test]
async fn a_record_that_is_not_yet_indexed_is_found() {
    let world = world();
    let mut new = world.salesforce.state().records.pop().unwrap();
    new.created_at = world.salesforce.state().now - chrono::TimeDelta::minutes(14);
    world.salesforce.state().unindexed.push(new);
    world.reported(&call(0)).await.unwrap();
    assert_eq!(world.requests(), ["search", "recent", "create"]);
    assert_eq!(
        (world.status(), world.who().as_str(), world.rule()),
        (SyncStatus::Success, LEAD, Rule::OnlyCandidate)
    );
}

#[tokio::test]
async fn records_older_than_fifteen_minutes_are_left_to_search() {
    let world = world();
    let mut old = world.salesforce.state().records.pop().unwrap();
    old.created_at = world.salesforce.state().now - chrono::TimeDelta::minutes(16);
    world.salesforce.state().unindexed.push(old);
    world.reported(&call(0)).await.unwrap();
    assert_eq!(world.status(), SyncStatus::NotFound);
}

#[tokio::test]
async fn more_new_records_than_can_be_read_are_a_fault_and_not_a_miss() {
    let world = world();
    world.salesforce.state().records.clear();
    world.salesforce.state().full_of_new = Some(RecordType::Lead);
    world.reported(&call(0)).await.unwrap();
    let row = world.ledger.row("call-1");
    assert_eq!((row.status, reason(&row)), (SyncStatus::Retrying, "too_many_new_records"));
}

#[tokio::test]
async fn more_records_than_search_returns_are_an_error_even_if_one_of_them_has_the_number() {
    let world = world();
    world.salesforce.state().full = Some(RecordType::Lead);
    world.reported(&call(0)).await.unwrap();
    let row = world.ledger.row("call-1");
    assert_eq!((row.status, reason(&row)), (SyncStatus::Error, "too_many_candidates"));
    assert!(world.salesforce.state().tasks.is_empty());
}

#[tokio::test]
async fn a_new_caller_gets_a_lead_with_the_task_on_it() {
    let world = new_caller();
    let mut named = call(0);
    named.customer_name = Some(fact(0, "Ada M. Sample".to_owned()));
    world.reported(&named).await.unwrap();
    assert_eq!(world.requests(), ["search", "recent", "create_lead", "create"]);
    let (id, lead) = world.salesforce.state().leads[0].clone();
    assert_eq!((lead.first_name.as_deref(), lead.last_name.as_str()), (Some("Ada M."), "Sample"));
    assert_eq!(
        (lead.company.as_str(), lead.phone.as_str(), lead.lead_source.as_deref()),
        ("Unknown", NUMBER, Some("Voice AI"))
    );
    assert_eq!((world.who(), world.rule()), (id, Rule::NewLead));
}

#[tokio::test]
async fn a_caller_without_a_name_is_named_by_the_number() {
    let world = new_caller();
    world.reported(&call(0)).await.unwrap();
    let (_, lead) = world.salesforce.state().leads[0].clone();
    assert_eq!((lead.first_name, lead.last_name), (None, format!("Unknown caller {NUMBER}")));
}

#[tokio::test]
async fn a_second_call_uses_the_lead_of_the_first_even_if_salesforce_does_not_return_it() {
    let world = new_caller();
    world.reported(&call(0)).await.unwrap();
    world.salesforce.state().unindexed.clear();
    world.pass(60);
    let mut second = call(60);
    second.id = calls::ids::CallId::parse("call-2").unwrap();
    world.reported(&second).await.unwrap();
    let state = world.salesforce.state();
    assert_eq!((state.leads.len(), state.tasks.len()), (1, 2));
    assert_eq!(state.tasks[0].1.who_id, state.tasks[1].1.who_id);
}

/// `matchOrder` names only Contacts; the Leads that Ringlog creates count anyway.
#[tokio::test]
async fn if_only_contacts_match_a_caller_still_gets_one_lead() {
    let world = new_caller();
    world.edit_workspace().settings.match_order = vec![RecordType::Contact];
    world.reported(&call(0)).await.unwrap();
    assert_eq!(world.rule(), Rule::NewLead);

    let indexed = std::mem::take(&mut world.salesforce.state().unindexed);
    world.salesforce.state().records.extend(indexed);
    world.pass(3 * 86_400);
    let mut second = call(3 * 86_400);
    second.id = calls::ids::CallId::parse("call-2").unwrap();
    world.reported(&second).await.unwrap();
    let state = world.salesforce.state();
    assert_eq!((state.leads.len(), state.tasks.len()), (1, 2));
    assert_eq!(state.tasks[1].1.who_id, state.leads[0].0);
    assert_eq!(world.ledger.row("call-2").decision.unwrap().rule, Rule::OnlyCandidate);
}

#[tokio::test]
async fn if_only_contacts_match_leads_come_after_them() {
    let world = new_caller();
    world.edit_workspace().settings.match_order = vec![RecordType::Contact];
    let mut contact = lead(CONTACT, NUMBER);
    contact.record_type = RecordType::Contact;
    world.salesforce.state().records = vec![lead(LEAD, NUMBER), contact];
    world.reported(&call(0)).await.unwrap();
    assert_eq!((world.who(), world.rule()), (sf(CONTACT), Rule::MatchOrder));
}

/// Leads do not matter to a workspace that matches only Contacts and creates no Leads.
#[tokio::test]
async fn only_objects_that_may_match_are_searched() {
    let world = world();
    world.edit_workspace().settings.match_order = vec![RecordType::Contact];
    world.salesforce.state().full = Some(RecordType::Lead);
    world.salesforce.state().full_of_new = Some(RecordType::Lead);
    world.reported(&call(0)).await.unwrap();
    assert_eq!((world.status(), world.rule()), (SyncStatus::NotFound, Rule::NoCandidate));
}

#[tokio::test]
async fn a_deleted_lead_is_created_again_for_the_next_call() {
    let world = new_caller();
    world.reported(&call(0)).await.unwrap();
    world.salesforce.state().unindexed.clear();
    let mut second = call(60);
    second.id = calls::ids::CallId::parse("call-2").unwrap();
    world.salesforce.fail("create", Fault::Before(error(FaultClass::RecordGone, "ENTITY_IS_DELETED")));
    world.reported(&second).await.unwrap();
    let state = world.salesforce.state();
    assert_eq!((state.leads.len(), state.tasks.len()), (2, 2));
    assert_eq!(state.tasks[1].1.who_id, state.leads[1].0);
}

/// Claims the caller's number for another worker.
fn claimed_until(world: &Worker<World>, until: i64) {
    let claim = NumberClaim {
        workspace_id: world.workspace().id,
        number: NUMBER.to_owned(),
        write_id: Some(WriteId("other".to_owned())),
        lease: Some(Lease { owner: "other".to_owned(), until }),
        unsettled_until: None,
        lead_id: None,
        expires_at: START + 86_400,
    };
    world.ledger.insert_claim(claim);
}

#[tokio::test]
async fn a_worker_waits_for_another_workers_claim_to_end() {
    let world = new_caller();
    claimed_until(&world, START + 2);
    world.reported(&call(0)).await.unwrap();
    assert!(world.clock.now().timestamp() >= START + 2);
    assert_eq!((world.status(), world.salesforce.state().leads.len()), (SyncStatus::Success, 1));
}

#[tokio::test]
async fn a_claim_that_lasts_too_long_makes_the_call_retry() {
    let world = new_caller();
    claimed_until(&world, START + 90);
    world.reported(&call(0)).await.unwrap();
    let row = world.ledger.row("call-1");
    assert_eq!((row.status, reason(&row)), (SyncStatus::Retrying, "out_of_time"));
    assert!(world.salesforce.state().leads.is_empty());
}

/// Search never returns the new Lead. For an hour that counts as indexing delay, then the Lead counts as gone.
#[tokio::test]
async fn a_lead_that_search_does_not_return_counts_for_an_hour() {
    for (seconds, leads) in [(60 * 60, 1), (2 * 60 * 60, 2)] {
        let world = new_caller();
        world.reported(&call(0)).await.unwrap();
        world.salesforce.state().unindexed.clear();
        world.pass(seconds);
        let mut second = call(seconds);
        second.id = calls::ids::CallId::parse("call-2").unwrap();
        world.reported(&second).await.unwrap();
        assert_eq!(world.salesforce.state().leads.len(), leads, "after {seconds} s");
    }
}

#[tokio::test]
async fn a_lead_whose_number_a_person_changed_is_not_used_for_the_caller() {
    let world = new_caller();
    world.reported(&call(0)).await.unwrap();
    let mut changed = world.salesforce.state().unindexed.pop().unwrap();
    changed.phones[0].1 = "+12345550199".to_owned();
    world.salesforce.state().records.push(changed);
    world.pass(20 * 60 * 60);
    let mut second = call(20 * 60 * 60);
    second.id = calls::ids::CallId::parse("call-2").unwrap();
    world.reported(&second).await.unwrap();
    let state = world.salesforce.state();
    assert_eq!((state.leads.len(), state.tasks.len()), (2, 2));
    assert_eq!(state.tasks[1].1.who_id, state.leads[1].0);
}

#[tokio::test]
async fn a_lead_without_a_response_is_looked_for_and_not_created_twice() {
    let world = new_caller();
    world.salesforce.fail("create_lead", Fault::After(error(FaultClass::Ambiguous, "timeout")));
    world.reported(&call(0)).await.unwrap();
    assert_eq!(world.status(), SyncStatus::Retrying);
    world.pass(60);
    world.woken().await.unwrap();
    assert_eq!((world.status(), world.rule()), (SyncStatus::Success, Rule::OnlyCandidate));
    assert_eq!(world.salesforce.state().leads.len(), 1);
}

#[tokio::test]
async fn a_lead_without_a_response_is_created_again_only_after_the_settle_time_even_for_another_call() {
    let world = new_caller();
    world.salesforce.fail("create_lead", Fault::Before(error(FaultClass::Ambiguous, "timeout")));
    world.reported(&call(0)).await.unwrap();
    world.pass(60);
    let mut second = call(60);
    second.id = calls::ids::CallId::parse("call-2").unwrap();
    world.reported(&second).await.unwrap();
    let row = world.ledger.row("call-2");
    assert_eq!((row.status, reason(&row), row.due_at), (SyncStatus::Retrying, "settling", Some(START + 600)));
    assert!(world.salesforce.state().leads.is_empty());
    world.pass(540);
    world.woken().await.unwrap();
    assert_eq!(world.status(), SyncStatus::Success);
    assert_eq!(world.salesforce.state().leads.len(), 1);
}

/// The Lead is committed at the last moment, after the look for it.
#[tokio::test]
async fn a_look_from_before_the_settle_time_proves_nothing_after_it() {
    let world = new_caller();
    world.salesforce.fail("create_lead", Fault::After(error(FaultClass::Ambiguous, "timeout")));
    world.reported(&call(0)).await.unwrap();
    let committed = std::mem::take(&mut world.salesforce.state().unindexed);
    let last = (START + 600) * 1000 - 1 - world.clock.now().timestamp_millis();
    world.clock.advance(Duration::from_millis(last.try_into().unwrap()));
    // The attempt starts before the settle time ends and reads the number's claim after it.
    world.salesforce.fail("search", Fault::Before(error(FaultClass::Passing, "SERVER_UNAVAILABLE")));
    world.woken().await.unwrap();
    assert!(world.clock.now().timestamp() >= START + 600);
    assert_eq!(reason(&world.ledger.row("call-1")), "settling");

    world.salesforce.state().unindexed = committed;
    world.pass(2);
    world.woken().await.unwrap();
    assert_eq!((world.status(), world.salesforce.state().leads.len()), (SyncStatus::Success, 1));
}

#[tokio::test]
async fn a_duplicate_that_salesforce_names_becomes_the_record() {
    let world = new_caller();
    let mut refusal = error(FaultClass::Permanent, "DUPLICATES_DETECTED");
    refusal.records = vec![sf("001000000000001AAA"), sf(CONTACT)];
    world.salesforce.fail("create_lead", Fault::Before(refusal));
    world.salesforce.state().named.push(contact(NUMBER));
    world.reported(&call(0)).await.unwrap();
    assert_eq!((world.who(), world.rule()), (sf(CONTACT), Rule::Duplicate));
    assert_eq!(world.ledger.row("call-1").record, Record::of(&sf(CONTACT)));
}

/// A standard duplicate rule matches a fuzzy name or a number's last digits.
#[tokio::test]
async fn a_record_that_a_rule_names_but_has_another_number_is_not_the_callers() {
    let world = new_caller();
    world.salesforce.state().duplicates = Some((vec![sf(CONTACT), sf(LEAD)], false));
    world.salesforce.state().named.push(contact("(234) 555-0177"));
    world.reported(&call(0)).await.unwrap();
    assert_eq!(world.requests(), ["search", "recent", "create_lead", "records", "create_lead", "create"]);
    assert_eq!((world.status(), world.rule()), (SyncStatus::Success, Rule::NewLead));
    let state = world.salesforce.state();
    assert_eq!(state.tasks[0].1.who_id, state.leads[0].0);
    let turned_down = world.ledger.row("call-1").decision.unwrap().turned_down;
    assert_eq!((&turned_down[0].id, turned_down[0].why.as_str()), (&sf(CONTACT), "other_number"));
}

#[tokio::test]
async fn a_blocking_rule_is_an_error_that_names_its_records() {
    let world = new_caller();
    world.salesforce.state().duplicates = Some((vec![sf(CONTACT)], true));
    world.salesforce.state().named.push(contact("(234) 555-0177"));
    world.reported(&call(0)).await.unwrap();
    let row = world.ledger.row("call-1");
    assert_eq!((row.status, reason(&row)), (SyncStatus::Error, "DUPLICATES_DETECTED"));
    assert!(row.reason.as_ref().unwrap().message.contains(CONTACT), "{:?}", row.reason);
    assert_eq!(row.decision.unwrap().turned_down[0].name.as_deref(), Some("Ada Sample"));
    assert!(world.salesforce.state().tasks.is_empty());
}

#[tokio::test]
async fn if_a_rule_names_several_matching_records_the_settings_choose() {
    let world = new_caller();
    world.salesforce.state().duplicates = Some((vec![sf(CONTACT), sf(OTHER_LEAD)], true));
    world.salesforce.state().named.extend([contact(NUMBER), lead(OTHER_LEAD, NUMBER)]);
    world.reported(&call(0)).await.unwrap();
    assert_eq!((world.who(), world.rule()), (sf(OTHER_LEAD), Rule::Duplicate));
    assert_eq!(world.ledger.row("call-1").decision.unwrap().candidates.len(), 2);
}

/// A custom phone field: search covers it, Ringlog does not.
#[tokio::test]
async fn a_caller_who_may_already_have_a_record_gets_no_second_lead() {
    let world = new_caller();
    let mut found = lead(LEAD, NUMBER);
    found.phones.clear();
    world.salesforce.state().records.push(found);
    world.reported(&call(0)).await.unwrap();
    let row = world.ledger.row("call-1");
    assert_eq!((row.status, reason(&row)), (SyncStatus::Skipped, "possible_match"));
    let turned_down = row.decision.unwrap().turned_down;
    assert_eq!((&turned_down[0].id, turned_down[0].why.as_str()), (&sf(LEAD), "number_not_read"));
    assert!(world.salesforce.state().leads.is_empty());
}

#[tokio::test]
async fn if_no_leads_are_wanted_the_row_says_which_fields_count() {
    let world = world();
    world.salesforce.state().records[0].phones.clear();
    world.reported(&call(0)).await.unwrap();
    let row = world.ledger.row("call-1");
    assert_eq!((row.status, reason(&row)), (SyncStatus::NotFound, "not_found"));
    assert!(row.reason.unwrap().message.contains("MobilePhone"));
    assert_eq!(row.due_at, Some(START + 300));
}

#[tokio::test]
async fn the_row_keeps_a_lead_that_was_turned_down_because_it_is_gone() {
    let world = world();
    world.salesforce.state().records.push(lead(OTHER_LEAD, NUMBER));
    world.salesforce.fail("create", Fault::Before(error(FaultClass::RecordGone, "ENTITY_IS_DELETED")));
    world.reported(&call(0)).await.unwrap();
    let decision = world.ledger.row("call-1").decision.unwrap();
    assert_eq!(decision.candidates.len(), 1);
    let gone = &decision.turned_down[0];
    assert_eq!((gone.why.as_str(), gone.name.as_deref()), ("ENTITY_IS_DELETED", Some("Ada Sample")));
}

/// Only a record that is gone is replaced by the next candidate.
#[tokio::test]
async fn a_refusal_for_another_reason_never_moves_on_to_the_next_candidate() {
    let world = world();
    world.salesforce.state().records.push(lead(OTHER_LEAD, NUMBER));
    let mut refusal = error(FaultClass::Permanent, "INVALID_CROSS_REFERENCE_KEY");
    refusal.fields = vec!["OwnerId".to_owned()];
    world.salesforce.fail("create", Fault::Before(refusal));
    world.reported(&call(0)).await.unwrap();
    let row = world.ledger.row("call-1");
    assert_eq!((row.status, world.requests()), (SyncStatus::Error, vec!["search", "create"]));
    assert_eq!(row.decision.unwrap().candidates.len(), 2);
}

#[tokio::test]
async fn a_permanently_refused_lead_is_an_error_and_the_next_call_may_try_again() {
    let world = new_caller();
    world
        .salesforce
        .fail("create_lead", Fault::Before(error(FaultClass::Permanent, "REQUIRED_FIELD_MISSING")));
    world.reported(&call(0)).await.unwrap();
    assert_eq!(reason(&world.ledger.row("call-1")), "REQUIRED_FIELD_MISSING");
    let mut second = call(1);
    second.id = calls::ids::CallId::parse("call-2").unwrap();
    world.reported(&second).await.unwrap();
    assert_eq!(world.ledger.row("call-2").status, SyncStatus::Success);
}

#[tokio::test]
async fn a_refused_lead_source_is_left_out() {
    let world = new_caller();
    let mut refusal = error(FaultClass::FieldRefused, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST");
    refusal.fields = vec!["LeadSource".to_owned()];
    world.salesforce.fail("create_lead", Fault::Before(refusal));
    world.reported(&call(0)).await.unwrap();
    assert_eq!(world.salesforce.state().leads[0].1.lead_source, None);
    assert_eq!(world.status(), SyncStatus::Success);
}

#[tokio::test]
async fn if_no_leads_are_wanted_none_is_created() {
    let world = world();
    world.salesforce.state().records.clear();
    world.reported(&call(0)).await.unwrap();
    assert_eq!((world.status(), world.requests()), (SyncStatus::NotFound, vec!["search", "recent"]));
}

/// A Lead that was created a moment ago is the caller's as long as it has the number, or no readable one.
#[tokio::test]
async fn a_recent_lead_whose_number_a_person_changed_is_not_used_for_the_caller() {
    for (phones, leads) in [(vec![], 1), (vec![("Phone".to_owned(), "+1 234 555 0199".to_owned())], 2)] {
        let world = new_caller();
        world.reported(&call(0)).await.unwrap();
        let lead = world.salesforce.state().unindexed[0].id.clone();
        world.salesforce.state().unindexed[0].phones = phones;
        world.pass(60);
        let mut second = call(60);
        second.id = calls::ids::CallId::parse("call-2").unwrap();
        world.reported(&second).await.unwrap();
        let state = world.salesforce.state();
        assert_eq!((state.leads.len(), state.tasks.len()), (leads, 2));
        assert_eq!(state.tasks[1].1.who_id == lead, leads == 1);
    }
}
