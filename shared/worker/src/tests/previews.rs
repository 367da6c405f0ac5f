//! Previews: they show what a run then does, and change nothing.

use calls::{appointment::AppointmentRequest, call::Call, ids::SalesforceId, status::SyncStatus};
use crm::{
    FaultClass, Record, WrittenObject,
    lead::NumberClaim,
    lease::Lease,
    ledger::Row,
    matching::Rule,
    workspace::{MultipleMatches, NoMatch, RefusedFields, Settings},
};
use serde_json::{Value, to_value};

use crate::{Drafts, Preview, PreviewError, Worker, jobs::LogNow, ports::Clock};

use super::{appointment, booked_call, world::*};

/// The requests that change nothing.
const READS: [&str; 5] = ["search", "recent", "look", "read", "records"];

impl Worker<World> {
    async fn previewed(&self, row: Row) -> Preview {
        self.preview(&self.workspace(), row, self.turn(55).deadline).await.unwrap()
    }

    /// The row of an unknown call.
    fn new_row(&self, call: &Call) -> Row {
        Row::accepted(self.workspace().id, call.clone(), START)
    }

    fn settings(&self, change: impl FnOnce(&mut Settings)) {
        change(&mut self.edit_workspace().settings);
    }

    /// The caller has no record, and the workspace wants Leads for such callers.
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

/// The payloads of a preview, on the record `who_id` if the preview leaves the record open.
fn shown(Drafts { lead, task, event }: &Drafts, who_id: &Value) -> [Vec<Value>; 3] {
    let on_record = |mut payload: Value| {
        if lead.is_some() {
            assert_eq!(payload["WhoId"], Value::Null);
            payload["WhoId"] = who_id.clone();
        }
        payload
    };
    let value = |payload: Option<Value>| payload.into_iter().collect();
    [
        value(lead.as_ref().map(|lead| to_value(lead).unwrap())),
        value(task.as_ref().map(|task| on_record(to_value(task).unwrap()))),
        value(event.as_ref().map(|event| on_record(to_value(event).unwrap()))),
    ]
}

/// Previews `call`, checks that nothing was changed, runs it, and checks that the preview was right.
async fn preview_matches_run(world: &Worker<World>, call: &Call) -> Preview {
    let before = world.written();
    let preview = world.previewed(world.new_row(call)).await;
    assert!(world.requests().iter().all(|request| READS.contains(request)));
    assert_eq!((world.written(), world.ledger.faults.calls("swap")), (before, 0));

    world.reported(call).await.unwrap();
    let row = world.ledger.row("call-1");
    let written = world.written();
    let who_id = written[1].first().map_or(Value::Null, |task| task["WhoId"].clone());
    assert_eq!(shown(&preview.drafts, &who_id), written);
    assert_eq!((preview.status, &preview.reason), (row.status, &row.reason));
    if preview.drafts.lead.is_none() {
        assert_eq!((&preview.record, &preview.decision), (&row.record, &row.decision));
    }
    preview
}

/// Previews the call, which has a row; checks that nothing was changed, runs it again, and checks that the preview was
/// right, request by request. Also returns the requests.
async fn preview_matches_rerun(world: &Worker<World>) -> (Preview, Vec<&'static str>) {
    world.requests();
    let before = (world.ledger.row("call-1"), world.written());
    let preview = world.previewed(before.0.clone()).await;
    let reads = world.requests();
    assert!(reads.iter().all(|request| READS.contains(request)), "{reads:?}");
    assert_eq!((world.ledger.row("call-1"), world.written()), before);

    LogNow { call_id: &before.0.call_id }.run(world, &world.workspace(), world.turn(55)).await.unwrap();
    let row = world.ledger.row("call-1");
    assert_eq!((preview.status, &preview.reason), (row.status, &row.reason));
    assert_eq!((&preview.record, &preview.decision), (&row.record, &row.decision));
    let Drafts { task, event, .. } = &preview.drafts;
    let is_new = |draft: bool, id: &Option<SalesforceId>| draft && id.is_none();
    let creates = is_new(task.is_some(), &preview.task_id) || is_new(event.is_some(), &preview.event_id);
    let writes = [
        ("create", creates),
        ("update_task", task.is_some() && preview.task_id.is_some()),
        ("update_event", event.is_some() && preview.event_id.is_some()),
    ];
    let writes = writes.into_iter().filter_map(|(request, made)| made.then_some(request));
    let requests = world.requests();
    assert_eq!(requests, reads.into_iter().chain(writes).collect::<Vec<_>>());
    for (id, shown, now) in [
        (&preview.task_id, task.is_some(), &row.task_id),
        (&preview.event_id, event.is_some(), &row.event_id),
    ] {
        assert_eq!(now.is_some(), id.is_some() || shown);
        assert!(id.is_none() || id == now);
    }
    let [_, tasks, events] = world.written();
    let [_, task, event] = shown(&preview.drafts, &Value::Null);
    for (written, shown) in [(tasks, task), (events, event)] {
        for (field, value) in shown.iter().filter_map(Value::as_object).flatten() {
            assert_eq!(written.last().unwrap().get(field), Some(value), "{field}");
        }
    }
    (preview, requests)
}

#[tokio::test]
async fn a_call_with_an_appointment() {
    let world = world();
    let booked = booked_call();
    let preview = preview_matches_run(&world, &booked).await;
    assert!(preview.drafts.event.is_some() && preview.reason.is_none());
    assert_eq!(preview.decision.unwrap().rule, Rule::OnlyCandidate);
}

#[tokio::test]
async fn a_call_with_an_unreadable_appointment() {
    let world = world();
    let mut booked = call(0);
    let mut unreadable = appointment();
    unreadable.date = Some("next Monday".to_owned());
    booked.appointment = Some(fact(0, unreadable));
    let preview = preview_matches_run(&world, &booked).await;
    assert!(preview.drafts.event.is_none() && preview.reason.is_some());
    assert!(preview.drafts.task.unwrap()["Description"].to_string().contains("next Monday"));
}

#[tokio::test]
async fn a_call_with_an_appointment_without_a_date() {
    let world = world();
    let mut noted = call(0);
    noted.appointment = Some(fact(0, AppointmentRequest { date: None, ..appointment() }));
    let preview = preview_matches_run(&world, &noted).await;
    assert_eq!(preview.status, SyncStatus::Success);
    assert_eq!(preview.reason.unwrap().code, "appointment_without_date");
    assert!(preview.drafts.event.is_none());
    assert!(preview.drafts.task.unwrap()["Description"].to_string().contains("Time: 2:00 PM"));
}

#[tokio::test]
async fn a_call_whose_metadata_names_a_record() {
    let world = world();
    let mut named = call(0);
    named.customer_number = None;
    named.record_id = Some(fact(0, LEAD.to_owned()));
    let preview = preview_matches_run(&world, &named).await;
    assert_eq!(preview.record.unwrap().id, sf(LEAD));
}

#[tokio::test]
async fn a_call_without_a_record() {
    let world = world();
    world.salesforce.state().records.clear();
    let preview = preview_matches_run(&world, &call(0)).await;
    assert_eq!(preview.decision.unwrap().rule, Rule::NoCandidate);
    assert_eq!(world.status(), SyncStatus::NotFound);
}

#[tokio::test]
async fn a_call_with_several_candidates() {
    let world = world();
    world.salesforce.state().records.push(lead("00Q000000000002EAA", NUMBER));
    world.settings(|settings| settings.multiple_matches = MultipleMatches::Skip);
    let preview = preview_matches_run(&world, &call(0)).await;
    let decision = preview.decision.unwrap();
    assert_eq!((decision.rule, decision.candidates.len()), (Rule::SkipMultiple, 2));
}

#[tokio::test]
async fn a_call_of_a_type_that_is_not_logged() {
    let world = world();
    world.settings(|settings| settings.call_types.clear());
    let preview = preview_matches_run(&world, &call(0)).await;
    assert!(preview.decision.is_none());
    assert_eq!(preview.reason.unwrap().code, "call_type_not_logged");
}

#[tokio::test]
async fn a_new_caller_who_gets_a_lead() {
    let world = world();
    world.wants_leads();
    let mut named = call(0);
    named.customer_name = Some(fact(0, "Ada Sample".to_owned()));
    named.appointment = Some(fact(0, appointment()));
    let preview = preview_matches_run(&world, &named).await;
    let Drafts { lead, task, event } = preview.drafts;
    assert_eq!(lead.unwrap().last_name, "Sample");
    assert!(task.is_some() && event.is_some());
}

/// A claim on the caller's number without any effect.
fn empty_claim(world: &Worker<World>) -> NumberClaim {
    NumberClaim {
        workspace_id: world.workspace().id,
        number: NUMBER.to_owned(),
        write_id: None,
        lease: None,
        unsettled_until: None,
        lead_id: None,
        expires_at: START + 60,
    }
}

#[tokio::test]
async fn a_new_caller_whose_lead_was_just_created() {
    let world = world();
    world.wants_leads();
    let claim = NumberClaim { lead_id: Some(SalesforceId::parse(LEAD).unwrap()), ..empty_claim(&world) };
    world.ledger.insert_claim(claim);
    let preview = preview_matches_run(&world, &call(0)).await;
    assert_eq!(preview.drafts.lead, None);
    let decision = preview.decision.unwrap();
    assert_eq!((decision.rule, decision.chosen), (Rule::NewLead, Record::of(&sf(LEAD))));
}

#[tokio::test]
async fn a_new_caller_whose_lead_had_no_response() {
    let world = world();
    world.wants_leads();
    world.salesforce.fail("create_lead", Fault::Before(error(FaultClass::Ambiguous, "timeout")));
    world.reported(&call(0)).await.unwrap();
    world.pass(60);
    let (preview, requests) = preview_matches_rerun(&world).await;
    assert_eq!((preview.status, requests), (SyncStatus::Retrying, vec!["search", "recent"]));
    assert_eq!(preview.reason.unwrap().code, "settling");
    assert!(preview.drafts.lead.is_none() && preview.drafts.task.is_none());
}

#[tokio::test]
async fn a_new_caller_whose_lead_another_worker_is_creating() {
    let world = world();
    world.wants_leads();
    let lease = |until| Some(Lease { owner: "other".to_owned(), until });
    let claim = |lease| NumberClaim { lease, ..empty_claim(&world) };
    world.ledger.insert_claim(claim(lease(START + 90)));
    let row = world.new_row(&call(0));
    let preview = world.preview(&world.workspace(), row, world.turn(55).deadline).await;
    assert!(matches!(preview, Err(PreviewError::Unavailable)));

    // A short claim ends without a Lead.
    let now = world.clock.now().timestamp();
    world.ledger.insert_claim(claim(lease(now + 2)));
    world.requests();
    assert!(preview_matches_run(&world, &call(0)).await.drafts.lead.is_some());
}

#[tokio::test]
async fn a_call_in_an_org_that_refuses_fields() {
    let world = world();
    let refused =
        RefusedFields::default().with(["Task.CallDisposition".to_owned(), "Task.Type".to_owned()], START);
    world.edit_workspace().learned.unwritable = refused;
    let mut ended = call(0);
    ended.ended_reason = Some(fact(0, "customer-ended-call".to_owned()));
    let preview = preview_matches_run(&world, &ended).await;
    assert_eq!(preview.reason.unwrap().code, "fields_left_out");
    assert!(!preview.drafts.task.unwrap().contains_key("Type"));
}

#[tokio::test]
async fn a_call_is_judged_by_the_day_of_its_arrival() {
    let world = world();
    let booked = booked_call();
    let arrived = |at| Row { created_at: at, ..world.new_row(&booked) };
    assert!(world.previewed(arrived(START)).await.drafts.event.is_some());
    assert!(world.previewed(arrived(START + 300 * 86_400)).await.drafts.event.is_none());
}

#[tokio::test]
async fn a_call_of_a_paused_workspace() {
    let world = world();
    world.edit_workspace().paused_until = Some(START + 600);
    let preview = preview_matches_run(&world, &call(0)).await;
    assert_eq!(preview.reason.unwrap().code, "REQUEST_LIMIT_EXCEEDED");
    let (preview, requests) = preview_matches_rerun(&world).await;
    assert_eq!((preview.status, requests), (SyncStatus::Retrying, vec![]));
}

#[tokio::test]
async fn a_call_that_is_already_logged() {
    let world = world();
    let booked = booked_call();
    world.reported(&booked).await.unwrap();
    // Another record would be chosen now, but the call stays on its record.
    world.salesforce.state().records = vec![lead("00Q000000000002EAA", NUMBER)];
    let (preview, requests) = preview_matches_rerun(&world).await;
    assert!(requests.is_empty());
    assert_eq!(preview.status, SyncStatus::Success);
    assert_eq!(preview.record.unwrap().id.as_str(), LEAD);
    assert!(preview.task_id.is_some() && preview.event_id.is_some());
    assert_eq!(preview.decision.unwrap().candidates.len(), 1);
}

/// The row comes from an earlier version, and the reminder's time has passed.
#[tokio::test]
async fn a_logged_call_without_a_journal() {
    let world = world();
    world.reported(&booked_call()).await.unwrap();
    let mut named = call(5);
    named.customer_name = Some(fact(5, "Ada Sample".to_owned()));
    let report = world.report_of(&named, START + 5);
    report.keep(&world.ledger, &world.random, &world.workspace(), START + 5).await.unwrap();
    let mut row = world.ledger.row("call-1");
    row.journal = crm::journal::Journal::default();
    world.ledger.insert(row);
    world.pass(30 * 86_400);
    let (preview, requests) = preview_matches_rerun(&world).await;
    assert_eq!((preview.drafts.event, requests), (None, vec!["read"]));
}

#[tokio::test]
async fn a_logged_call_with_a_new_report() {
    let world = world();
    let booked = booked_call();
    world.reported(&booked).await.unwrap();
    let mut second = call(5);
    second.summary = Some(fact(5, "Wants an offer.".to_owned()));
    let report = world.report_of(&second, START + 5);
    report.keep(&world.ledger, &world.random, &world.workspace(), START + 5).await.unwrap();
    let (preview, requests) = preview_matches_rerun(&world).await;
    assert_eq!(requests, ["read", "update_task", "update_event"]);
    assert!(preview.drafts.task.unwrap()["Description"].to_string().contains("Wants an offer."));
}

#[tokio::test]
async fn a_logged_call_whose_appointment_was_cancelled() {
    let world = world();
    let mut booked = booked_call();
    world.reported(&booked).await.unwrap();
    booked.appointment = Some(fact(5, AppointmentRequest { booked: Some(false), ..appointment() }));
    let report = world.report_of(&booked, START + 5);
    report.keep(&world.ledger, &world.random, &world.workspace(), START + 5).await.unwrap();
    let (preview, requests) = preview_matches_rerun(&world).await;
    assert_eq!(requests, ["read", "update_task"]);
    assert_eq!(preview.reason.unwrap().code, "appointment_withdrawn");
}

#[tokio::test]
async fn a_logged_call_whose_event_was_refused() {
    let world = world();
    let mut refusal = error(FaultClass::Permanent, "FIELD_CUSTOM_VALIDATION_EXCEPTION");
    refusal.object = Some(WrittenObject::Event);
    world.salesforce.fail("create", Fault::Before(refusal));
    let booked = booked_call();
    world.reported(&booked).await.unwrap();
    assert_eq!(world.ledger.row("call-1").reason.unwrap().code, "event_refused");
    let (preview, requests) = preview_matches_rerun(&world).await;
    assert_eq!(requests, ["read", "create", "update_task"]);
    assert!(preview.drafts.task.is_some() && preview.drafts.event.is_some());
}

#[tokio::test]
async fn a_logged_call_that_would_not_be_logged_now() {
    let world = world();
    world.reported(&call(0)).await.unwrap();
    world.settings(|settings| settings.call_types.clear());
    let (preview, requests) = preview_matches_rerun(&world).await;
    assert_eq!((preview.status, requests), (SyncStatus::Skipped, vec![]));
    assert!(preview.task_id.is_some());
}

#[tokio::test]
async fn a_call_whose_caller_is_found_later() {
    let world = world();
    let records = std::mem::take(&mut world.salesforce.state().records);
    world.reported(&call(0)).await.unwrap();
    let (preview, _) = preview_matches_rerun(&world).await;
    assert_eq!(preview.status, SyncStatus::NotFound);
    world.salesforce.state().records = records;
    let (preview, requests) = preview_matches_rerun(&world).await;
    assert_eq!((preview.status, requests), (SyncStatus::Success, vec!["search", "create"]));
}

#[tokio::test]
async fn a_call_that_was_reported_with_a_revoked_secret() {
    let world = world();
    world.reported_under(1, &call(0)).await.unwrap();
    let (preview, requests) = preview_matches_rerun(&world).await;
    assert_eq!((preview.status, requests), (SyncStatus::Skipped, vec![]));
    assert_eq!(preview.reason.unwrap().code, "webhook_secret_revoked");
}

#[tokio::test]
async fn a_call_that_was_attempted_with_another_org() {
    for logged in [false, true] {
        let world = world();
        if !logged {
            world.fail_for_good("search", FaultClass::Passing, "SERVER_UNAVAILABLE");
        }
        world.reported(&call(0)).await.unwrap();
        let other = SalesforceId::parse("00D000000000002").unwrap();
        world.edit_workspace().connection.as_mut().unwrap().org_id = other;
        let (preview, requests) = preview_matches_rerun(&world).await;
        assert_eq!((preview.task_id.is_some(), requests), (logged, vec![]));
        assert_eq!(preview.reason.unwrap().code, "org_changed");
    }
}

#[tokio::test]
async fn a_call_whose_write_had_no_response() {
    for (fault, status) in [
        (Fault::Before(error(FaultClass::Ambiguous, "timeout")), SyncStatus::Retrying),
        (Fault::After(error(FaultClass::Ambiguous, "timeout")), SyncStatus::Success),
    ] {
        let world = world();
        world.salesforce.fail("create", fault);
        world.reported(&call(0)).await.unwrap();
        assert_eq!(world.status(), SyncStatus::Retrying);
        let (preview, requests) = preview_matches_rerun(&world).await;
        assert_eq!((preview.status, &requests[..2]), (status, &["search", "look"][..]));
    }
}
