//! Dry runs: what they show is what a run then does, and they do nothing.

use std::sync::atomic::Ordering;

use serde_json::{Value, to_value};

use crate::{
    call::Call,
    ids::SalesforceId,
    lead::NumberClaim,
    ledger::SyncStatus,
    matching::Rule,
    sync::{Preview, Worker},
    workspace::{MultipleMatches, NoMatch, RecordType, RefusedFields, Settings},
};

use super::{appointment, world::*};

impl Worker<World> {
    async fn previewed(&self, call: &Call) -> Preview {
        self.preview(&self.workspace(), call, START, self.turn(55).deadline).await.unwrap()
    }

    fn settings(&self, change: impl FnOnce(&mut Settings)) {
        change(&mut self.workspaces.0.lock().unwrap().settings);
    }

    /// Nobody knows the caller, and the workspace wants a Lead then.
    fn wants_leads(&self) {
        self.salesforce.state().records.clear();
        self.settings(|settings| settings.no_match = NoMatch::CreateLead);
    }

    /// The payloads of everything that was written: Leads, Tasks, Events.
    fn written(&self) -> [Vec<Value>; 3] {
        let state = self.salesforce.state();
        [
            state.leads.iter().map(|(_, lead)| to_value(lead).unwrap()).collect(),
            state.tasks.iter().map(|(_, task)| to_value(task).unwrap()).collect(),
            state.events.iter().map(|(_, event)| to_value(event).unwrap()).collect(),
        ]
    }
}

/// The payloads of a preview, on the record `who_id` where the preview leaves that open.
fn shown(preview: &Preview, who_id: &Value) -> [Vec<Value>; 3] {
    let on_record = |mut payload: Value| {
        if preview.lead.is_some() {
            assert_eq!(payload["WhoId"], Value::Null);
            payload["WhoId"] = who_id.clone();
        }
        payload
    };
    let value = |payload: Option<Value>| payload.into_iter().collect();
    [
        value(preview.lead.as_ref().map(|lead| to_value(lead).unwrap())),
        value(preview.task.as_ref().map(|task| on_record(to_value(task).unwrap()))),
        value(preview.event.as_ref().map(|event| on_record(to_value(event).unwrap()))),
    ]
}

/// Previews `call`, sees that nothing was done, runs it, and sees that the preview was right.
async fn comes_true(world: &Worker<World>, call: &Call) -> Preview {
    let before = world.written();
    let preview = world.previewed(call).await;
    assert!(world.requests().iter().all(|request| ["search", "recent"].contains(request)));
    assert_eq!((world.written(), world.ledger.writes.load(Ordering::Relaxed)), (before, 0));

    world.reported(call).await.unwrap();
    let row = world.ledger.row("call-1");
    let written = world.written();
    let who_id = written[1].first().map_or(Value::Null, |task| task["WhoId"].clone());
    assert_eq!(shown(&preview, &who_id), written);
    assert_eq!(preview.reason, row.reason);
    if preview.lead.is_none() {
        assert_eq!(preview.decision, row.decision);
    }
    preview
}

#[tokio::test]
async fn a_call_with_an_appointment() {
    let world = world();
    let mut booked = call(0);
    booked.appointment = Some(fact(0, appointment()));
    let preview = comes_true(&world, &booked).await;
    assert!(preview.event.is_some() && preview.reason.is_none());
    assert_eq!(preview.decision.unwrap().rule, Rule::OnlyCandidate);
}

#[tokio::test]
async fn a_call_with_an_appointment_that_nobody_can_read() {
    let world = world();
    let mut booked = call(0);
    let mut unreadable = appointment();
    unreadable.date = Some("next Monday".to_owned());
    booked.appointment = Some(fact(0, unreadable));
    let preview = comes_true(&world, &booked).await;
    assert!(preview.event.is_none() && preview.reason.is_some());
    assert!(preview.task.unwrap().description.contains("next Monday"));
}

#[tokio::test]
async fn a_call_of_nobody() {
    let world = world();
    world.salesforce.state().records.clear();
    let preview = comes_true(&world, &call(0)).await;
    assert_eq!(preview.decision.unwrap().rule, Rule::NoCandidate);
    assert_eq!(world.status(), SyncStatus::NotFound);
}

#[tokio::test]
async fn a_call_that_several_may_have_made() {
    let world = world();
    world.salesforce.state().records.push(lead("00Q000000000002EAA", NUMBER));
    world.settings(|settings| settings.multiple_matches = MultipleMatches::Skip);
    let preview = comes_true(&world, &call(0)).await;
    let decision = preview.decision.unwrap();
    assert_eq!((decision.rule, decision.candidates.len()), (Rule::SkipMultiple, 2));
}

#[tokio::test]
async fn a_call_that_is_not_logged() {
    let world = world();
    world.settings(|settings| settings.call_types.clear());
    let preview = comes_true(&world, &call(0)).await;
    assert!(preview.decision.is_none());
    assert_eq!(preview.reason.unwrap().code, "call_type_not_logged");
}

#[tokio::test]
async fn a_new_caller_who_is_to_become_a_lead() {
    let world = world();
    world.wants_leads();
    let mut named = call(0);
    named.customer_name = Some(fact(0, "Ada Sample".to_owned()));
    named.appointment = Some(fact(0, appointment()));
    let preview = comes_true(&world, &named).await;
    assert_eq!(preview.lead.unwrap().last_name, "Sample");
    assert!(preview.task.is_some() && preview.event.is_some());
}

#[tokio::test]
async fn a_new_caller_whose_lead_was_made_a_moment_ago() {
    let world = world();
    world.wants_leads();
    let claim = NumberClaim {
        workspace_id: world.workspace().id,
        number: NUMBER.to_owned(),
        write_id: None,
        lease: None,
        unsettled_until: None,
        lead_id: Some(SalesforceId::parse(LEAD).unwrap()),
        expires_at: START + 60,
    };
    world.ledger.claims.lock().unwrap().insert(NUMBER.to_owned(), claim);
    let preview = comes_true(&world, &call(0)).await;
    assert_eq!(preview.lead, None);
    let decision = preview.decision.unwrap();
    assert_eq!(
        (decision.rule, decision.record()),
        (Rule::NewLead, Some((RecordType::Lead, SalesforceId::parse(LEAD).unwrap())))
    );
}

#[tokio::test]
async fn a_call_of_an_org_that_refuses_a_field() {
    let world = world();
    let refused =
        RefusedFields::default().with(["Task.CallDisposition".to_owned(), "Task.Type".to_owned()], START);
    world.workspaces.0.lock().unwrap().refused_fields = refused;
    let mut ended = call(0);
    ended.ended_reason = Some(fact(0, "customer-ended-call".to_owned()));
    let preview = comes_true(&world, &ended).await;
    assert_eq!(preview.reason.unwrap().code, "fields_left_out");
    assert_eq!(preview.task.unwrap().r#type, None);
}

#[tokio::test]
async fn a_call_that_arrived_yesterday_is_judged_by_its_own_day() {
    let world = world();
    let mut booked = call(0);
    booked.appointment = Some(fact(0, appointment()));
    let late = START + 300 * 86_400;
    let workspace = world.workspace();
    let of = |received_at| world.preview(&workspace, &booked, received_at, world.turn(55).deadline);
    assert!(of(START).await.unwrap().event.is_some());
    assert!(of(late).await.unwrap().event.is_none());
}
