//! Tests of the plan: given these observations, what comes next? Without any port.

use calls::{
    appointment::AppointmentRequest,
    call::{Call, Fact},
    ids::{CallId, SalesforceId, WorkspaceId},
    reason::Reason,
};
use chrono::DateTime;
use serde_json::json;

use crate::{
    activity::{EventDraft, TaskDraft},
    caller::Caller,
    lead::NumberClaim,
    lease::Lease,
    ledger::{Failing, Row, WriteId},
    matching::Rule,
    records::{
        Activity, CrmError, Duplicates, FaultClass, Fields, Found, FoundRecord, Record, RecordType,
        WrittenObject,
    },
    workspace::{NoMatch, Workspace},
};

use super::{refused::dispensable, *};

const NOW: i64 = 1_800_000_000;
const NUMBER: &str = "+12345550123";
const LEAD: &str = "00Q000000000001EAA";
const CONTACT: &str = "003000000000001AAA";

fn sf(id: &str) -> SalesforceId {
    SalesforceId::parse(id).unwrap()
}

/// A record with these numbers.
fn record(id: &str, numbers: &[&str]) -> FoundRecord {
    let at = DateTime::from_timestamp(NOW - 86_400, 0).unwrap();
    FoundRecord {
        id: sf(id),
        record_type: RecordType::of(&sf(id)).unwrap(),
        name: None,
        phones: numbers.iter().map(|number| ("Phone".to_owned(), (*number).to_owned())).collect(),
        country: None,
        created_at: at,
        modified_at: at,
    }
}

/// A row, its workspace and what an attempt has observed.
struct Case {
    row: Row,
    workspace: Workspace,
    seen: Observed,
}

impl Case {
    fn new() -> Self {
        let fact = |value: &str| Some(Fact { value: value.to_owned(), reported_at: 1 });
        let call = Call { customer_number: fact(NUMBER), ..Call::new(CallId::parse("call-1").unwrap()) };
        let id = WorkspaceId::parse("acme").unwrap();
        let row = Row::accepted(id.clone(), call, NOW);
        Self { seen: Observed::at_start(&row, false), row, workspace: Workspace::unknown(id) }
    }

    fn booked(mut self) -> Self {
        let value = AppointmentRequest {
            date: Some("2027-01-20".to_owned()),
            time: Some("2:00 PM".to_owned()),
            ..AppointmentRequest::default()
        };
        self.row.call.appointment = Some(Fact { value, reported_at: 1 });
        self
    }

    /// Search found these records.
    fn found(mut self, ids: &[&str]) -> Self {
        let records = ids.iter().map(|id| record(id, &[NUMBER])).collect();
        let found = Found { records, ..Found::default() };
        let search = Search::ByNumber { found, left_out: false, asked_at: NOW, recent: None };
        self.seen.search = Some(search);
        self
    }

    /// No record has the number, including those that search has not indexed yet.
    fn unknown(self) -> Self {
        let mut case = self.found(&[]);
        if let Some(Search::ByNumber { recent, .. }) = &mut case.seen.search {
            *recent = Some(Ok(Found::default()));
        }
        case
    }

    /// The Task exists, with these fields.
    fn logged(mut self, fields: serde_json::Value) -> Self {
        self.row.task_id = Some(sf("00T000000000001EAA"));
        self.row.record = Record::of(&sf(LEAD));
        self.seen = Observed::at_start(&self.row, false);
        let fields: Fields = serde_json::from_value(fields).unwrap();
        self.seen.task.read = Asked::Found(Activity {
            id: sf("00T000000000001EAA"),
            who_id: Some(sf(LEAD)),
            fields,
            modified_at: DateTime::from_timestamp(NOW, 0).unwrap(),
            is_untouched: false,
        });
        self
    }

    /// Salesforce refused the chosen record because it is gone.
    fn gone(mut self) -> Self {
        self.seen.choice = self.step().choice;
        let record = self.seen.choice.record.clone().unwrap();
        self.seen.record_gone(&record, error(FaultClass::RecordGone, "ENTITY_IS_DELETED"));
        self
    }

    fn step(&self) -> Step {
        let caller = Caller::of(&self.row.call, &self.workspace.settings).unwrap();
        let Self { row, workspace, seen } = self;
        super::plan(Known { row, workspace, caller: &caller, seen, now: NOW })
    }

    fn question(&self) -> Question {
        match self.step().next {
            Next::Observe(question) => question,
            next => panic!("{next:?}"),
        }
    }

    fn plan(&self) -> Plan {
        match self.step().next {
            Next::Write(plan) => *plan,
            next => panic!("{next:?}"),
        }
    }

    /// What is written on an existing record.
    fn written(&self) -> Written {
        let Plan { operations, note } = self.plan();
        let Operations::Write(ActivityPlan { task, event }) = operations else { panic!("{operations:?}") };
        Written { task, event, note }
    }

    /// The Task and the Event to create.
    fn creates(&self) -> (TaskDraft, EventDraft) {
        let Written { task, event, .. } = self.written();
        let (Some(Operation::Create(task)), Some(Operation::Create(event))) = (task, event) else {
            panic!("both are created");
        };
        (task, event)
    }

    fn new_lead(&self) -> NewLead {
        match self.plan().operations {
            Operations::CreateLead { lead, .. } => lead,
            operations @ Operations::Write(_) => panic!("{operations:?}"),
        }
    }
}

/// What is written on an existing record, and the row's reason.
struct Written {
    task: Option<Operation<TaskDraft>>,
    event: Option<Operation<EventDraft>>,
    note: Option<Reason>,
}

fn error(class: FaultClass, code: &str) -> CrmError {
    let (code, message) = (code.to_owned(), code.to_owned());
    CrmError { class, code, message, fields: Vec::new(), status: None, object: None, records: Vec::new() }
}

#[test]
fn a_new_call_starts_with_a_search() {
    assert_eq!(Case::new().question(), Question::Search { everything: false });
}

#[test]
fn a_call_with_a_known_record_gets_a_task() {
    let case = Case::new().found(&[LEAD]);
    assert_eq!(case.step().choice.record, Record::of(&sf(LEAD)));
    let plan = case.written();
    let Some(Operation::Create(task)) = plan.task else { panic!("{:?}", plan.task) };
    assert_eq!(task.who_id, sf(LEAD));
    assert!(plan.event.is_none() && plan.note.is_none());
}

#[test]
fn a_booked_appointment_gets_an_event_on_the_same_record() {
    let plan = Case::new().booked().found(&[LEAD]).written();
    let Some(Operation::Create(event)) = plan.event else { panic!("{:?}", plan.event) };
    assert_eq!(event.who_id, sf(LEAD));
}

#[test]
fn if_search_finds_nobody_new_records_are_asked_for() {
    assert_eq!(Case::new().found(&[]).question(), Question::Recent);
    assert!(matches!(Case::new().unknown().step().next, Next::End(Ending::NotFound(_))));
}

#[test]
fn a_lead_is_created_only_for_an_unclaimed_number() {
    let mut case = Case::new().unknown();
    case.workspace.settings.no_match = NoMatch::CreateLead;
    assert_eq!(case.question(), Question::Claim { again: false });

    case.seen.made_lead = Some(sf(LEAD));
    let step = case.step();
    assert_eq!(step.choice.record, Record::of(&sf(LEAD)));
    assert_eq!(step.choice.decision.unwrap().rule, Rule::NewLead);

    (case.seen.made_lead, case.seen.claim) = (None, Some(ReadClaim(None)));
    let operations = case.plan().operations;
    let Operations::CreateLead { then, .. } = operations else { panic!("{operations:?}") };
    assert!(matches!(then.task, Some(Operation::Create(task)) if task.who_id.is_none()));
}

#[test]
fn the_claim_on_a_number_decides_about_its_lead() {
    let mut case = Case::new().unknown();
    case.workspace.settings.no_match = NoMatch::CreateLead;
    let write_id = Some(WriteId("w1".to_owned()));
    let free = NumberClaim {
        workspace_id: case.workspace.id.clone(),
        number: NUMBER.to_owned(),
        write_id: write_id.clone(),
        lease: None,
        unsettled_until: None,
        lead_id: None,
        expires_at: NOW + 600,
    };
    let held = |until| NumberClaim {
        lease: Some(Lease { owner: "w2".to_owned(), until }),
        unsettled_until: Some(until + 600),
        ..free.clone()
    };

    case.seen.claim = Some(ReadClaim(Some(free.clone())));
    assert_eq!(case.new_lead().claim, write_id);

    // Another worker is creating the Lead.
    case.seen.claim = Some(ReadClaim(Some(held(NOW + 1))));
    assert_eq!(case.question(), Question::Claim { again: true });

    // It died, and its request may still commit.
    case.seen.claim = Some(ReadClaim(Some(held(NOW))));
    assert!(matches!(case.step().next, Next::End(Ending::Unsettled { until }) if until == NOW + 600));

    // It no longer can, and the search was sent after that.
    case.seen.claim = Some(ReadClaim(Some(held(NOW - 600))));
    assert_eq!(case.new_lead().claim, write_id);

    // But if new records cannot be queried, search must have indexed it.
    set_recent(&mut case, Err(error(FaultClass::Passing, "QUERY_TIMEOUT")));
    assert!(matches!(case.step().next, Next::End(Ending::Unsettled { .. })));
    set_recent(&mut case, Ok(Found::default()));

    // The Lead exists.
    case.seen.claim = Some(ReadClaim(Some(NumberClaim { lead_id: Some(sf(LEAD)), ..free.clone() })));
    assert_eq!(case.question(), Question::ClaimedLead(sf(LEAD)));
    for (lead, is_chosen) in [
        (Some(record(LEAD, &[NUMBER])), true),
        (Some(record(LEAD, &[])), true),
        (None, true),
        (Some(record(LEAD, &["+12345550199"])), false),
    ] {
        case.seen.claimed_lead = Some((sf(LEAD), lead));
        assert_eq!(case.step().choice.record, is_chosen.then(|| Record::of(&sf(LEAD)).unwrap()));
    }

    // The claim has expired.
    let expired = NumberClaim { lead_id: Some(sf(LEAD)), expires_at: NOW, ..free };
    case.seen.claim = Some(ReadClaim(Some(expired)));
    case.new_lead();
}

#[test]
fn a_failed_query_for_new_records_is_left_out_only_if_it_fails_for_good() {
    let timeout = error(FaultClass::Passing, "timeout");
    for (cause, again, left_out) in [
        (error(FaultClass::Permanent, "OPERATION_TOO_LARGE"), false, true),
        (error(FaultClass::Passing, "QUERY_TIMEOUT"), false, true),
        (error(FaultClass::Passing, "SERVER_UNAVAILABLE"), false, false),
        (error(FaultClass::Passing, "SERVER_UNAVAILABLE"), true, false),
        (timeout.clone(), false, false),
        (timeout, true, true),
    ] {
        let mut case = Case::new().unknown();
        case.row.failing = again.then_some(Failing { since: NOW - 60, times: 1 });
        set_recent(&mut case, Err(cause.clone()));
        let next = case.step().next;
        if left_out {
            assert!(matches!(next, Next::End(Ending::NotFound(_))), "{cause} {again}: {next:?}");
        } else {
            assert!(matches!(next, Next::End(Ending::Refused(_))), "{cause} {again}: {next:?}");
        }
    }
}

fn set_recent(case: &mut Case, answer: Recent) {
    if let Some(Search::ByNumber { recent, .. }) = &mut case.seen.search {
        *recent = Some(answer);
    }
}

#[test]
fn a_duplicate_rules_record_is_read_before_a_second_lead_is_created() {
    let mut case = Case::new().unknown();
    case.workspace.settings.no_match = NoMatch::CreateLead;
    case.seen.claim = Some(ReadClaim(None));
    case.seen.duplicates = Some(NamedDuplicates::Named(vec![sf(CONTACT)]));
    assert_eq!(case.question(), Question::Duplicates(vec![sf(CONTACT)]));

    case.seen.duplicates = Some(NamedDuplicates::Read(Vec::new()));
    assert_eq!(case.new_lead().duplicates, Duplicates::Allow);
}

#[test]
fn an_unsettled_attempts_writes_are_looked_for_before_anything_is_written() {
    let mut case = Case::new().found(&[LEAD, CONTACT]);
    case.row.unsettled_until = Some(NOW + 600);
    let places = vec![sf(LEAD), sf(CONTACT)];
    let look = |since| Question::Look {
        places: places.clone(),
        since: DateTime::from_timestamp(since, 0).unwrap(),
        may_be_older: false,
    };
    assert_eq!(case.question(), look(NOW - 300));

    // The call was before its first report; and Salesforce's clock may be behind.
    let started_at = DateTime::from_timestamp(NOW - 600, 0).unwrap();
    case.row.call.started_at = Some(Fact { value: started_at, reported_at: 1 });
    assert_eq!(case.question(), look(NOW - 900));

    let task = Some((sf("00T000000000001EAA"), Some(sf(CONTACT))));
    case.seen.look = Some(Looked { places, asked_at: NOW, task, event_id: None, adopted: false });
    let Step { choice, next } = case.step();
    assert_eq!((choice.record, choice.decision.unwrap().rule), (Record::of(&sf(CONTACT)), Rule::Earlier));
    let task_id = Some(sf("00T000000000001EAA"));
    assert!(matches!(next, Next::Adopt(adoption) if adoption.task_id == task_id && adoption.settled));
}

#[test]
fn nothing_is_written_while_an_earlier_write_may_still_commit() {
    let mut case = Case::new().found(&[LEAD]);
    case.row.unsettled_until = Some(NOW + 600);
    let looked =
        |adopted, asked_at| Looked { places: vec![sf(LEAD)], asked_at, task: None, event_id: None, adopted };
    case.seen.look = Some(looked(false, NOW));
    assert!(matches!(case.step().next, Next::Adopt(Adoption { settled: false, .. })));
    case.seen.look = Some(looked(false, NOW + 600));
    assert!(matches!(case.step().next, Next::Adopt(Adoption { settled: true, .. })));
    case.seen.look = Some(looked(true, NOW));
    let end = case.step().next;
    assert!(matches!(end, Next::End(Ending::Unsettled { until }) if until == NOW + 600));
}

#[test]
fn a_lead_that_is_gone_may_have_been_converted() {
    let mut case = Case::new().found(&[LEAD]).gone();
    assert_eq!(case.question(), Question::Conversion(sf(LEAD)));

    case.seen.conversions.insert(sf(LEAD), Some(sf(CONTACT)));
    let choice = case.step().choice;
    assert_eq!(choice.record, Record::of(&sf(CONTACT)));
    assert_eq!(choice.decision.unwrap().rule, Rule::Converted);

    case.seen.conversions.insert(sf(LEAD), None);
    assert_eq!(case.question(), Question::Search { everything: false });
    let case = case.found(&[LEAD, CONTACT]);
    assert_eq!(case.step().choice.record, Record::of(&sf(CONTACT)));
}

#[test]
fn the_task_says_that_the_event_was_refused() {
    let mut case = Case::new().booked().found(&[LEAD]);
    case.seen.refused_event =
        Some(Reason { code: "event_refused".to_owned(), message: "The org said no.".to_owned() });
    let plan = case.written();
    let Some(Operation::Create(task)) = plan.task else { panic!("{:?}", plan.task) };
    assert!(plan.event.is_none() && task.description.contains("The org said no."));
    assert_eq!(plan.note.unwrap().code, "event_refused");
}

#[test]
fn a_refused_field_is_left_out() {
    let mut case = Case::new().found(&[LEAD]);
    case.seen.refused_fields = vec!["Task.Type".to_owned()];
    let plan = case.written();
    assert!(matches!(plan.task, Some(Operation::Create(task)) if task.r#type.is_none()));
    assert_eq!(plan.note.unwrap().code, "fields_left_out");
}

#[test]
fn a_refused_status_is_replaced_by_the_orgs_own() {
    let mut case = Case::new().found(&[LEAD]);
    let refusal = error(FaultClass::FieldRefused, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST");
    case.seen.refused_status = Some(("Completed".to_owned(), refusal));
    assert_eq!(case.question(), Question::ClosedStatus);
    case.seen.closed_status = Asked::Found("Erledigt".to_owned());
    assert!(matches!(case.written().task, Some(Operation::Create(task)) if task.status == "Erledigt"));
    case.seen.closed_status = Asked::Nothing;
    assert!(matches!(case.step().next, Next::End(Ending::Refused(_))));
}

#[test]
fn an_activity_is_read_before_it_is_changed() {
    let mut case = Case::new().logged(json!({}));
    case.seen.task.read = Asked::NotYet;
    let task_id = case.row.task_id.clone();
    assert_eq!(case.question(), Question::Activities { task_id, event_id: None });
}

#[test]
fn a_field_that_a_person_changed_is_kept() {
    let mut case = Case::new().logged(json!({ "Subject": "Somebody's", "Priority": null }));
    let sent: Fields = serde_json::from_value(json!({ "Subject": "Inbound Call" })).unwrap();
    case.row.journal.created(WrittenObject::Task, &sent);
    let plan = case.written();
    let Some(Operation::Change(change)) = plan.task else { panic!("{:?}", plan.task) };
    assert_eq!(change.changes.send.keys().collect::<Vec<_>>(), ["Priority"]);
    assert!(plan.note.unwrap().message.contains("Task.Subject"));
}

#[test]
fn a_deleted_activity_is_not_recreated() {
    let mut case = Case::new().logged(json!({}));
    case.seen.task.read = Asked::Nothing;
    let plan = case.written();
    assert!(matches!(plan.task, Some(Operation::Leave(reason)) if reason.code == "activity_deleted"));
}

#[test]
fn an_activity_created_in_this_attempt_is_up_to_date() {
    let mut case = Case::new().booked().logged(json!({}));
    case.row.event_id = Some(sf("00U000000000001EAA"));
    case.seen.event.created = true;
    assert!(case.written().event.is_none());
}

#[test]
fn a_field_is_dispensable_only_on_the_blamed_object() {
    let mut refusal = error(FaultClass::FieldRefused, "INVALID_FIELD_FOR_INSERT_UPDATE");
    refusal.fields = vec!["Type".to_owned(), "Subject".to_owned()];
    let (task, event) = Case::new().booked().found(&[LEAD]).creates();
    assert_eq!(dispensable(&refusal, &task), ["Task.Type"]);
    assert_eq!(dispensable(&refusal, &event), ["Event.Type"]);
    refusal.object = Some(WrittenObject::Event);
    assert!(dispensable(&refusal, &task).is_empty());
}

/// An error about an object, if any, and these fields.
fn refusal(class: FaultClass, object: Option<WrittenObject>, fields: &[&str]) -> CrmError {
    let fields = fields.iter().map(|field| (*field).to_owned()).collect();
    CrmError { fields, object, ..error(class, "CODE") }
}

/// The next step, after an error or instead of one.
fn next_after(case: &Case, refused: Result<(), CrmError>) -> String {
    if let Err(error) = refused {
        return format!("end: {error}");
    }
    if let Next::Observe(question) = case.step().next {
        return format!("ask: {question:?}");
    }
    let plan = case.written();
    let activity = |operation: Option<&'static str>| operation.unwrap_or("nothing");
    let task = plan.task.as_ref().map(|operation| match operation {
        Operation::Create(task) if task.r#type.is_none() => "Task without Type",
        Operation::Create(_) => "Task",
        Operation::Change(_) => "change",
        Operation::Leave(_) => "leave",
    });
    let event = plan.event.as_ref().map(|operation| match operation {
        Operation::Create(event) if event.r#type.is_none() => "Event without Type",
        Operation::Create(_) => "Event",
        Operation::Change(_) => "change",
        Operation::Leave(_) => "leave",
    });
    let note = plan.note.map_or("no note".to_owned(), |note| note.code);
    format!("{}, {}, {note}", activity(task), activity(event))
}

#[test]
fn what_is_planned_after_a_refused_create() {
    use FaultClass::{Ambiguous, FieldRefused, Passing, Permanent, RecordGone, Stale};
    let (task, event) = (Some(WrittenObject::Task), Some(WrittenObject::Event));
    let lead = format!("ask: {:?}", Question::Conversion(sf(LEAD)));
    for (error, expected) in [
        (refusal(FieldRefused, task, &["Type"]), "Task without Type, Event, fields_left_out"),
        (refusal(FieldRefused, event, &["Type"]), "Task, Event without Type, fields_left_out"),
        (refusal(FieldRefused, None, &["Type"]), "Task without Type, Event without Type, fields_left_out"),
        (refusal(FieldRefused, task, &["Status"]), "ask: ClosedStatus"),
        (refusal(FieldRefused, None, &["Status"]), "ask: ClosedStatus"),
        (refusal(FieldRefused, event, &["Status"]), "Task, nothing, event_refused"),
        (refusal(FieldRefused, event, &["Subject"]), "Task, nothing, event_refused"),
        (refusal(Permanent, event, &[]), "Task, nothing, event_refused"),
        (refusal(FieldRefused, task, &["Subject"]), "end: CODE: CODE"),
        (refusal(Permanent, task, &[]), "end: CODE: CODE"),
        (refusal(Permanent, None, &[]), "end: CODE: CODE"),
        (refusal(RecordGone, event, &["WhoId"]), &lead),
        (refusal(Ambiguous, None, &["Type"]), "end: CODE: CODE"),
        (refusal(Passing, event, &["Type"]), "end: CODE: CODE"),
        (refusal(Stale, event, &[]), "end: CODE: CODE"),
    ] {
        let mut case = Case::new().booked().found(&[LEAD]);
        let (task, event) = case.creates();
        case.seen.choice = case.step().choice;
        let refused = case.seen.refused_create(error.clone(), Some(&task), Some(&event));
        assert_eq!(next_after(&case, refused), expected, "{error:?}");
    }
}

#[test]
fn an_event_that_is_sent_alone_is_refused_whatever_the_error_names() {
    for object in [None, Some(WrittenObject::Event)] {
        let mut case = Case::new().booked().found(&[LEAD]);
        let (_, event) = case.creates();
        let error = refusal(FaultClass::Permanent, object, &[]);
        case.seen.refused_create(error, None, Some(&event)).unwrap();
        assert_eq!(case.seen.refused_event.unwrap().code, "event_refused");
    }
}

#[test]
fn an_attempt_leaves_out_only_so_many_fields() {
    let mut case = Case::new().booked().found(&[LEAD]);
    let (task, event) = case.creates();
    let error = refusal(FaultClass::FieldRefused, Some(WrittenObject::Task), &["Priority"]);
    for _ in 0..8 {
        case.seen.refused_create(error.clone(), Some(&task), Some(&event)).unwrap();
    }
    case.seen.refused_create(error, Some(&task), Some(&event)).unwrap_err();
}

#[test]
fn what_is_planned_after_a_refused_change() {
    use FaultClass::{Ambiguous, FieldRefused, Passing, Permanent, RecordGone, Stale};
    let task_id = Some(sf("00T000000000001EAA"));
    let read = format!("ask: {:?}", Question::Activities { task_id, event_id: None });
    for (error, times, expected) in [
        (refusal(FieldRefused, None, &["Type"]), 1, "change, nothing, fields_left_out"),
        (refusal(FieldRefused, None, &["Type"]), 9, "leave, nothing, activity_not_updated"),
        (refusal(FieldRefused, None, &["Subject"]), 1, "leave, nothing, activity_not_updated"),
        (refusal(Permanent, None, &[]), 1, "leave, nothing, activity_not_updated"),
        (refusal(RecordGone, None, &[]), 1, "leave, nothing, activity_deleted"),
        (refusal(Stale, None, &[]), 3, &read),
        (refusal(Stale, None, &[]), 4, "end: CODE: CODE"),
        (refusal(Ambiguous, None, &["Type"]), 1, "end: CODE: CODE"),
        (refusal(Passing, None, &[]), 1, "end: CODE: CODE"),
    ] {
        let mut case = Case::new().logged(json!({ "Subject": "Somebody's", "Type": null, "Priority": null }));
        let Some(Operation::Change(change)) = case.written().task else { panic!("it is changed") };
        let mut refused = Ok(());
        for _ in 0..times {
            refused = refused.and_then(|()| case.seen.refused_change(error.clone(), &change.draft));
        }
        assert_eq!(next_after(&case, refused), expected, "{error:?}");
    }
}

#[test]
fn what_is_planned_after_a_refused_lead() {
    use FaultClass::{FieldRefused, Passing, Permanent};
    let duplicates = CrmError {
        records: vec![sf("001000000000001AAA"), sf(CONTACT)],
        ..error(Permanent, "DUPLICATES_DETECTED")
    };
    let read = format!("ask: {:?}", Question::Duplicates(vec![sf(CONTACT)]));
    let named = "end: DUPLICATES_DETECTED: DUPLICATES_DETECTED \
        (it names 001000000000001AAA, 003000000000001AAA)";
    let (refuse, allow) = (Duplicates::Refuse, Duplicates::Allow);
    for (error, duplicates, expected) in [
        (duplicates.clone(), refuse, read.as_str()),
        (duplicates, allow, named),
        (refusal(FieldRefused, None, &["LeadSource"]), refuse, "Lead without LeadSource"),
        (refusal(FieldRefused, None, &["Company"]), refuse, "end: CODE: CODE"),
        (refusal(Permanent, None, &[]), refuse, "end: CODE: CODE"),
        (refusal(Passing, None, &[]), refuse, "end: CODE: CODE"),
    ] {
        let mut case = Case::new().unknown();
        case.workspace.settings.no_match = NoMatch::CreateLead;
        case.seen.claim = Some(ReadClaim(None));
        let lead = NewLead { duplicates, ..case.new_lead() };
        let refused = case.seen.refused_lead(error.clone(), &lead);
        let next = if case.seen.refused_fields.is_empty() {
            next_after(&case, refused)
        } else {
            assert_eq!(case.new_lead().draft.lead_source, None);
            "Lead without LeadSource".to_owned()
        };
        assert_eq!(next, expected, "{error:?}");
    }
}
