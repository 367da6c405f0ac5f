//! Writing a call to Salesforce: the Task and the Event, made together or brought up to date.

use crate::{
    activity::{self, Booking, EventDraft, TaskDraft},
    appointment::Resolution,
    crm::{CrmError, FaultClass, Fields, RecordType, WrittenObject},
    ids::SalesforceId,
    ledger::Row,
    reason::Reason,
    workspace::{Learned, Settings, Workspace},
};

use super::{
    Ports,
    attempt::{Gone, no_record},
    outcome::{self, Ending},
    session::{Session, Stop},
    update::{There, follow},
};

/// How many refused fields are left out before a write is given up.
pub(super) const FIELDS_LEFT_OUT: usize = 8;

/// A Lead or a Contact.
pub(super) type Record = (RecordType, SalesforceId);

/// What is to be written for a call: what Salesforce does not have, and what it has but is behind.
pub(super) struct Plan<Who = SalesforceId> {
    /// The Task.
    pub(super) task: Option<TaskDraft<Who>>,
    /// The Event, if an appointment was booked.
    pub(super) event: Option<EventDraft<Who>>,
    /// The fields that the org refused, and which are left out: `Task.Type`.
    pub(super) left_out: Vec<String>,
    /// A person asks for a call again that is logged already.
    pub(super) asked_again: bool,
    /// What was wrong with the appointment.
    note: Option<Reason>,
}

impl<Who: Clone> Plan<Who> {
    /// What is to be written on the record `who_id` at `now`, Unix seconds.
    pub(super) fn of(row: &Row, workspace: &Workspace, who_id: &Who, now: i64) -> Self {
        let (call, settings) = (&row.call, &workspace.settings);
        let resolution = call.resolve_appointment(settings, row.created_at);
        let mut booking = Booking::of(&resolution);
        let (event, note) = match &resolution {
            Resolution::None | Resolution::NotMade(_) if row.event_id.is_some() => {
                let reason = outcome::withdrawn();
                booking = Booking::Withdrawn(reason.message.clone());
                (None, Some(reason))
            }
            Resolution::None => (None, None),
            Resolution::Booked { appointment, warning, others } => {
                let event = activity::event(call, who_id, appointment, now);
                (Some(event), warning.clone().or_else(|| outcome::more_appointments(others)))
            }
            Resolution::ByHand { reason, .. } | Resolution::NotMade(reason) => (None, Some(reason.clone())),
        };
        let note = note.or_else(|| outcome::found_by_given_number(call, settings));
        let behind = row.logged_revision < row.revision;
        let adds_event = event.is_some() && row.event_id.is_none();
        let task = activity::task(call, who_id, settings, row.created_at, &booking);
        let mut plan = Self {
            task: Some(task).filter(|_| row.task_id.is_none() || behind || adds_event),
            event: event.filter(|_| row.event_id.is_none() || behind),
            left_out: Vec::new(),
            asked_again: row.task_id.is_some() && row.logged_revision == 0,
            note,
        };
        // A person who asks for a call again has mended what was refused.
        if !plan.asked_again {
            plan.take_what_is_known(&workspace.learned, now);
        }
        plan
    }

    /// Leaves out the fields that the org refused lately, and takes its own status for a closed Task.
    fn take_what_is_known(&mut self, learned: &Learned, now: i64) {
        let known = learned.unwritable.at(now).filter(|known| match known.split_once('.') {
            Some(("Task", field)) => self.task.as_mut().is_some_and(|task| task.without(field)),
            Some(("Event", field)) => self.event.as_mut().is_some_and(|event| event.without(field)),
            _ => false,
        });
        self.left_out = known.map(str::to_owned).collect();
        if let (Some(task), Some(status)) = (&mut self.task, learned.closed_status(now)) {
            status.clone_into(&mut task.status);
        }
    }

    /// What the row says if Salesforce takes all of it.
    pub(super) fn note(&self) -> Option<Reason> {
        outcome::fields_left_out(&self.left_out).or_else(|| self.note.clone())
    }
}

/// Writes what is missing, and updates what is there but behind: last, because the Task says what became of the Event.
pub(super) async fn write<P: Ports>(
    session: &mut Session<'_, P>,
    row: &mut Row,
    workspace: &Workspace,
    gone: &[Gone],
) -> Result<Ending, Stop> {
    let settings = &workspace.settings;
    let Some((_, who_id)) = row.record.clone() else { return Ok(no_record(row, settings, false)) };
    let mut plan = Plan::of(row, workspace, &who_id, session.now());
    let there = There::take(&mut plan, row);
    let standing = there.read(session, row, &plan).await?;
    let note = follow(row, &mut plan, standing.as_ref(), gone);
    let refused = create(session, row, settings, &mut plan).await?;
    there.bring_up_to_date(session, row, settings, standing, plan, note.or(refused)).await
}

/// Brings the Task that is there up to date, where its Event is refused because the record is gone.
pub(super) async fn write_without_event<P: Ports>(
    session: &mut Session<'_, P>,
    row: &mut Row,
    workspace: &Workspace,
    error: &CrmError,
) -> Result<Ending, Stop> {
    let settings = &workspace.settings;
    let Some((_, who_id)) = row.record.clone() else { return Ok(no_record(row, settings, false)) };
    let mut plan = Plan::of(row, workspace, &who_id, session.now());
    let there = There::take(&mut plan, row);
    let standing = there.read(session, row, &plan).await?;
    let reason = outcome::refused_event(error);
    there.bring_up_to_date(session, row, settings, standing, plan, Some(reason)).await
}

/// Changes a Task that tells of an Event to one of an appointment that a person has to book.
pub(super) fn to_book_by_hand(task: &mut TaskDraft, row: &Row, settings: &Settings, reason: &Reason) {
    let others = match row.call.resolve_appointment(settings, row.created_at) {
        Resolution::Booked { others, .. } | Resolution::ByHand { others, .. } => others,
        Resolution::None | Resolution::NotMade(_) => Vec::new(),
    };
    let by_hand = Booking::ByHand(reason.message.clone(), others);
    let redrafted = activity::task(&row.call, &task.who_id, settings, row.created_at, &by_hand);
    (task.subject, task.description) = (redrafted.subject, redrafted.description);
}

/// Creates what is missing. A refused optional field is left out; a refused Event never costs the Task. Says why there is
/// no Event.
async fn create<P: Ports>(
    session: &mut Session<'_, P>,
    row: &mut Row,
    settings: &Settings,
    plan: &mut Plan,
) -> Result<Option<Reason>, Stop> {
    let Plan { task, event, left_out, .. } = plan;
    let mut note = None;
    while task.is_some() || event.is_some() {
        match session.create(task.as_ref(), event.as_ref()).await {
            Ok(written) => {
                row.task_id = written.task_id.or(row.task_id.take());
                row.event_id = written.event_id.or(row.event_id.take());
                each(task.as_ref(), event.as_ref(), |object, fields| row.journal.created(object, &fields));
                break;
            }
            Err(Stop::Salesforce(error)) if error.class == FaultClass::Ambiguous => {
                each(task.as_ref(), event.as_ref(), |object, fields| row.journal.unanswered(object, &fields));
                return Err(Stop::Salesforce(error));
            }
            Err(Stop::Salesforce(error)) => {
                let mut refused = Vec::new();
                if let Some(task) = task {
                    refused.extend(leave_out(&error, WrittenObject::Task, |field| task.without(field)));
                }
                if let Some(event) = event {
                    refused.extend(leave_out(&error, WrittenObject::Event, |field| event.without(field)));
                }
                if session.lessons.unwritable.len() < FIELDS_LEFT_OUT && !refused.is_empty() {
                    session.lessons.unwritable.extend(refused.iter().cloned());
                    left_out.extend(refused);
                    continue;
                }
                if refuses_status(&error) && change_status(session, task.as_mut()).await? {
                    continue;
                }
                if !refuses_event(&error, event.is_some(), task.is_some()) {
                    return Err(Stop::Salesforce(error));
                }
                let reason = outcome::refused_event(&error);
                if let Some(task) = task {
                    to_book_by_hand(task, row, settings, &reason);
                }
                (*event, note) = (None, Some(reason));
            }
            Err(stop) => return Err(stop),
        }
    }
    Ok(note)
}

/// Does something with the fields of each draft.
fn each(task: Option<&TaskDraft>, event: Option<&EventDraft>, mut act: impl FnMut(WrittenObject, Fields)) {
    if let Some(task) = task {
        act(WrittenObject::Task, task.fields());
    }
    if let Some(event) = event {
        act(WrittenObject::Event, event.fields());
    }
}

/// Whether the org has no Task status `Completed`.
fn refuses_status(error: &CrmError) -> bool {
    error.class == FaultClass::FieldRefused
        && error.object != Some(WrittenObject::Event)
        && error.fields.iter().any(|field| field == "Status")
}

/// Takes a closed status that the org has; `false` if there is no other. Never without one: the Task would be open, and
/// in somebody's list of things to do.
async fn change_status<P: Ports>(
    session: &mut Session<'_, P>,
    task: Option<&mut TaskDraft>,
) -> Result<bool, Stop> {
    let Some(task) = task else { return Ok(false) };
    let status = session.closed_task_status().await?;
    let Some(status) = status.filter(|status| *status != task.status) else { return Ok(false) };
    session.lessons.closed_status = Some(status.clone());
    task.status = status;
    Ok(true)
}

/// Whether the Event alone is at fault, and for good.
fn refuses_event(error: &CrmError, has_event: bool, has_task: bool) -> bool {
    let about_event = error.object == Some(WrittenObject::Event) || !has_task;
    let for_good = matches!(error.class, FaultClass::Permanent | FaultClass::FieldRefused);
    has_event && about_event && for_good
}

/// Leaves out the refused fields of an object that may be left out, and names them: `Task.Type`.
pub(super) fn leave_out(
    error: &CrmError,
    object: WrittenObject,
    mut without: impl FnMut(&str) -> bool,
) -> Vec<String> {
    let about_it = error.object.is_none_or(|blamed| blamed == object);
    if error.class != FaultClass::FieldRefused || !about_it {
        return Vec::new();
    }
    error.fields.iter().filter(|field| without(field)).map(|field| format!("{object:?}.{field}")).collect()
}
