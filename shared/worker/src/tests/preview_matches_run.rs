//! A preview and the run after it make the same plan, whatever people and orgs have changed.

use calls::{appointment::AppointmentRequest, call::Call, ids::CallId, status::SyncStatus};
use crm::{
    RecordType,
    ledger::Row,
    workspace::{MultipleMatches, NoMatch, RefusedFields},
};
use proptest::prelude::*;
use serde_json::{Value, json, to_value};

use crate::{Drafts, PreviewError, Worker, claim, jobs::LogNow, ports::Clock};

use super::{appointment, world::*};

/// Something that happens before the next preview.
#[derive(Debug, Clone, Copy)]
enum Happening {
    /// A report with another summary arrives.
    Summary(u8),
    /// A report with an appointment at this hour arrives.
    Appointment(u8),
    /// A report cancels the appointment.
    Withdrawn,
    /// A report with an unreadable appointment arrives.
    Unreadable,
    /// A person retries the call.
    Retry,
    /// A person changes a field of the Task or the Event.
    Edit(Edit),
    /// An hour passes.
    Hour,
    /// The row loses its journal, like a row from an older version.
    NoJournal,
}

#[derive(Debug, Clone, Copy)]
enum Edit {
    TaskDescription,
    TaskDisposition,
    TaskMoved,
    TaskRemoved,
    TaskDeleted,
    EventMoved,
    EventLocation,
    EventDeleted,
}

/// The org, the workspace and the caller.
#[derive(Debug, Clone)]
struct Setting {
    records: Vec<(RecordType, bool)>,
    order: Vec<RecordType>,
    multiple: MultipleMatches,
    creates_leads: bool,
    gives_number: bool,
    refused: Vec<&'static str>,
    hidden: Vec<&'static str>,
    /// The record that the call names: one that may be there, or a Lead that was converted.
    named: Option<&'static str>,
    /// More records of this object have the number than Salesforce shows: to search, or to the query for new ones.
    full: Option<(RecordType, bool)>,
}

fn setting() -> impl Strategy<Value = Setting> {
    let object = || prop_oneof![Just(RecordType::Lead), Just(RecordType::Contact)];
    let orders = [vec![RecordType::Lead, RecordType::Contact], vec![RecordType::Contact]];
    let multiple = [MultipleMatches::MostRecent, MultipleMatches::FirstCreated, MultipleMatches::Skip];
    let refused =
        ["Task.Type", "Task.CallDisposition", "Event.ShowAs", "Event.IsReminderSet", "Lead.LeadSource"];
    (
        prop::collection::vec((object(), any::<bool>()), 0..3),
        prop::sample::select(orders.to_vec()),
        prop::sample::select(multiple.to_vec()),
        any::<bool>(),
        any::<bool>(),
        prop::sample::subsequence(refused.to_vec(), 0..3),
        prop::sample::subsequence(vec!["CallDisposition", "Location", "Description"], 0..2),
        prop::option::weighted(0.2, prop::sample::select(vec![LEAD, CONTACT, THIRD_LEAD])),
        prop::option::weighted(0.1, (object(), any::<bool>())),
    )
        .prop_map(
            |(records, order, multiple, creates_leads, gives_number, refused, hidden, named, full)| Setting {
                records,
                order,
                multiple,
                creates_leads,
                gives_number,
                refused,
                hidden,
                named,
                full,
            },
        )
}

fn happening() -> impl Strategy<Value = Happening> {
    let edits = [
        Edit::TaskDescription,
        Edit::TaskDisposition,
        Edit::TaskMoved,
        Edit::TaskRemoved,
        Edit::TaskDeleted,
        Edit::EventMoved,
        Edit::EventLocation,
        Edit::EventDeleted,
    ];
    prop_oneof![
        3 => any::<u8>().prop_map(Happening::Summary),
        3 => (8_u8..18).prop_map(Happening::Appointment),
        1 => Just(Happening::Withdrawn),
        1 => Just(Happening::Unreadable),
        2 => Just(Happening::Retry),
        4 => prop::sample::select(edits.to_vec()).prop_map(Happening::Edit),
        1 => Just(Happening::Hour),
        1 => Just(Happening::NoJournal),
    ]
}

fn build(setting: &Setting) -> Worker<World> {
    let world = world();
    {
        let mut workspace = world.edit_workspace();
        workspace.settings.match_order.clone_from(&setting.order);
        workspace.settings.multiple_matches = setting.multiple;
        workspace.settings.use_given_number = setting.gives_number;
        if setting.creates_leads {
            workspace.settings.no_match = NoMatch::CreateLead;
        }
        let refused = setting.refused.iter().map(|field| (*field).to_owned());
        workspace.learned.unwritable = RefusedFields::default().with(refused, START);
    }
    let mut state = world.salesforce.state();
    let record = |(n, (object, is_new)): (usize, &(RecordType, bool))| {
        let prefix = if *object == RecordType::Lead { "00Q" } else { "003" };
        let mut record = lead(&format!("{prefix}00000000000{}EAA", n + 1), NUMBER);
        record.record_type = *object;
        (record, *is_new)
    };
    let now = state.now;
    state.records.clear();
    for (mut record, is_new) in setting.records.iter().enumerate().map(record) {
        if is_new {
            record.created_at = now;
            state.unindexed.push(record);
        } else {
            state.records.push(record);
        }
    }
    state.hidden.clone_from(&setting.hidden);
    state.converted.insert(sf(THIRD_LEAD), sf(CONTACT));
    match setting.full {
        Some((object, true)) => state.full_of_new = Some(object),
        Some((object, false)) => state.full = Some(object),
        None => {}
    }
    drop(state);
    world
}

/// The first report of the call.
fn first(setting: &Setting) -> Call {
    let mut first = call(0);
    first.ended_reason = Some(fact(0, "customer-ended-call".to_owned()));
    first.customer_name = Some(fact(0, "Ada Sample".to_owned()));
    first.record_id = setting.named.map(|id| fact(0, id.to_owned()));
    if setting.gives_number {
        first.customer_number = None;
        first.given_number = Some(fact(0, NUMBER.to_owned()));
    }
    first
}

impl Worker<World> {
    async fn report_arrives(&self, at: i64, fill: impl FnOnce(&mut Call)) {
        let mut report = call(at);
        report.customer_number = None;
        fill(&mut report);
        let report = self.report_of(&report, START + at);
        report.keep(&self.ledger, &self.random, &self.workspace(), START + at).await.unwrap();
    }

    async fn happens(&self, at: i64, happening: Happening) {
        let with_appointment = |request| move |call: &mut Call| call.appointment = Some(fact(at, request));
        match happening {
            Happening::Summary(n) => {
                self.report_arrives(at, |call| call.summary = Some(fact(at, format!("Wants {n} of them."))))
                    .await;
            }
            Happening::Appointment(hour) => {
                let time = Some(format!("{hour}:00"));
                self.report_arrives(at, with_appointment(AppointmentRequest { time, ..appointment() })).await;
            }
            Happening::Withdrawn => {
                self.report_arrives(
                    at,
                    with_appointment(AppointmentRequest { booked: Some(false), ..appointment() }),
                )
                .await;
            }
            Happening::Unreadable => {
                let date = Some("next Monday".to_owned());
                self.report_arrives(at, with_appointment(AppointmentRequest { date, ..appointment() })).await;
            }
            Happening::Retry => {
                let (workspace, call_id) = (self.workspace().id, CallId::parse("call-1").unwrap());
                let now = self.clock.now().timestamp();
                claim::queue_again(&self.ledger, &self.random, &workspace, &call_id, |_| true, now)
                    .await
                    .unwrap();
            }
            Happening::Edit(edit) => self.edit(edit),
            Happening::Hour => {
                self.pass(3600);
                self.salesforce.state().now += chrono::TimeDelta::hours(1);
            }
            Happening::NoJournal => {
                let mut row = self.ledger.row("call-1");
                row.journal = crm::journal::Journal::default();
                self.ledger.insert(row);
            }
        }
    }

    fn edit(&self, edit: Edit) {
        let mut state = self.salesforce.state();
        let task = state.tasks.last().map(|(id, _)| id.clone());
        let event = state.events.last().map(|(id, _)| id.clone());
        let id = match edit {
            Edit::EventMoved | Edit::EventLocation | Edit::EventDeleted => event,
            _ => task,
        };
        let Some(id) = id else { return };
        let fields = match edit {
            Edit::TaskDescription => json!({ "Description": "Somebody's own words." }),
            Edit::TaskDisposition => json!({ "CallDisposition": "Somebody's" }),
            Edit::TaskMoved => json!({ "WhoId": OTHER_LEAD }),
            Edit::TaskRemoved => json!({ "WhoId": NOBODY }),
            Edit::EventMoved => {
                json!({ "StartDateTime": "2027-01-22T09:00:00Z", "EndDateTime": "2027-01-22T10:00:00Z" })
            }
            Edit::EventLocation => json!({ "Location": "Room 5" }),
            Edit::TaskDeleted | Edit::EventDeleted => return state.delete(&id),
        };
        state.edit(&id, fields);
    }

    /// Previews the call, runs it, and compares.
    async fn preview_matches_run(&self, first: &Call) -> Result<(), TestCaseError> {
        let workspace = self.workspace();
        let known = self.ledger.known("call-1");
        let row = known.clone().unwrap_or_else(|| Row::accepted(workspace.id.clone(), first.clone(), START));
        let before = self.count();
        let preview = self.preview(&workspace, row, self.turn(55).deadline).await;
        prop_assert_eq!(self.count(), before, "a preview writes nothing");

        self.salesforce.state().sent.clear();
        match known {
            Some(row) => LogNow { call_id: &row.call_id }.run(self, &workspace, self.turn(55)).await.unwrap(),
            None => self.reported(first).await.unwrap(),
        };
        let row = self.ledger.row("call-1");
        let preview = match preview {
            Ok(preview) => preview,
            // A preview is not retried: it fails with the error for which the run is.
            Err(PreviewError::Salesforce(error)) => {
                let code = row.reason.map(|reason| reason.code);
                prop_assert_eq!((row.status, code), (SyncStatus::Retrying, Some(error.code)));
                return Ok(());
            }
            Err(error) => return Err(TestCaseError::fail(format!("{error:?}"))),
        };
        prop_assert_eq!((preview.status, &preview.reason), (row.status, &row.reason));
        let Drafts { lead, task, event } = preview.drafts;
        if lead.is_none() {
            prop_assert_eq!((&preview.record, &preview.decision), (&row.record, &row.decision));
        }
        let state = self.salesforce.state();
        let new_lead = state.leads.get(before[0]).map(|(_, lead)| lead.clone());
        prop_assert_eq!(&lead, &new_lead);
        let about_lead = |mut fields: Value| {
            if lead.is_some() {
                fields["WhoId"] = to_value(&state.leads[before[0]].0).unwrap();
            }
            fields
        };
        let (new_task, changed_task) = split(task.map(Value::Object), preview.task_id.is_some());
        let (new_event, changed_event) = split(event.map(Value::Object), preview.event_id.is_some());
        let created = state.tasks.get(before[1]).map(|(_, task)| to_value(task).unwrap());
        prop_assert_eq!(new_task.map(about_lead), created);
        let created = state.events.get(before[2]).map(|(_, event)| to_value(event).unwrap());
        prop_assert_eq!(new_event.map(about_lead), created);
        let sent: Vec<_> = state.sent.iter().cloned().map(Value::Object).collect();
        let previewed: Vec<_> = [changed_task, changed_event].into_iter().flatten().collect();
        prop_assert_eq!(previewed, sent);
        Ok(())
    }

    /// How many Leads, Tasks and Events there are.
    fn count(&self) -> [usize; 3] {
        let state = self.salesforce.state();
        [state.leads.len(), state.tasks.len(), state.events.len()]
    }
}

/// Splits a draft into what to create and what to change.
fn split(draft: Option<Value>, exists: bool) -> (Option<Value>, Option<Value>) {
    if exists { (None, draft) } else { (draft, None) }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn a_preview_and_the_run_after_it_make_the_same_plan(
        setting in setting(),
        happenings in prop::collection::vec(happening(), 0..6),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let (world, first) = (build(&setting), first(&setting));
            world.preview_matches_run(&first).await?;
            for (at, happening) in (10..).step_by(10).zip(happenings) {
                world.happens(at, happening).await;
                world.preview_matches_run(&first).await?;
            }
            Ok::<(), TestCaseError>(())
        })?;
    }
}
