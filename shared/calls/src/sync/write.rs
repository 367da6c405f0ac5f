//! Writing a call to Salesforce: the Task and the Event, made together or brought up to date.

use chrono::DateTime;

use crate::{
    activity::{self, Booking, EventDraft, TaskDraft},
    appointment::Resolution,
    call::Call,
    crm::{CrmError, FaultClass, WrittenObject},
    ids::SalesforceId,
    ledger::{Reason, Row},
    workspace::{RecordType, RefusedFields, Settings, Workspace},
};

use super::{
    Ports,
    outcome::{self, Ending},
    session::{Session, Stop},
};

/// How many refused fields are left out before a write is given up.
const FIELDS_LEFT_OUT: usize = 8;

/// A Lead or a Contact.
pub(super) type Record = (RecordType, SalesforceId);

/// The call's appointment. "Today" is the day of the call's arrival, however late it is logged.
pub(super) fn resolve(call: &Call, settings: &Settings, received_at: i64) -> Resolution {
    let received = DateTime::from_timestamp(received_at, 0).unwrap_or_default();
    call.appointment.as_ref().map_or(Resolution::None, |request| {
        request.value.resolve(settings.time_zone, received, settings.appointment_duration_minutes)
    })
}

/// What is to be written for a call: what Salesforce does not have, and what it has but is behind.
pub(super) struct Plan<Who = SalesforceId> {
    /// The Task.
    pub(super) task: Option<TaskDraft<Who>>,
    /// The Event, if an appointment was booked.
    pub(super) event: Option<EventDraft<Who>>,
    /// The fields that the org refused lately, and which are left out unasked: `Task.Type`.
    left_out: Vec<String>,
    /// What was wrong with the appointment.
    note: Option<Reason>,
}

impl<Who: Clone> Plan<Who> {
    /// What is to be written on the record `who_id` at `now`, Unix seconds.
    pub(super) fn of(row: &Row, workspace: &Workspace, who_id: &Who, now: i64) -> Self {
        let (call, settings) = (&row.call, &workspace.settings);
        let resolution = resolve(call, settings, row.created_at);
        let mut booking = Booking::of(&resolution);
        let (event, note) = match &resolution {
            Resolution::None if row.event_id.is_some() => {
                let reason = outcome::withdrawn();
                booking = Booking::Withdrawn(reason.message.clone());
                (None, Some(reason))
            }
            Resolution::None | Resolution::Undated => (None, None),
            Resolution::Booked { appointment, warning } => {
                (Some(activity::event(call, who_id, appointment)), warning.clone())
            }
            Resolution::Invalid(reason) => (None, Some(reason.clone())),
        };
        let behind = row.logged_revision < row.revision;
        let adds_event = event.is_some() && row.event_id.is_none();
        let task = activity::task(call, who_id, settings, row.created_at, &booking);
        let mut plan = Self {
            task: Some(task).filter(|_| row.task_id.is_none() || behind || adds_event),
            event: event.filter(|_| row.event_id.is_none() || behind),
            left_out: Vec::new(),
            note,
        };
        // A person who asks for a call again has mended what was refused.
        let asked_again = row.task_id.is_some() && row.logged_revision == 0;
        if !asked_again {
            plan.leave_out_known(&workspace.refused_fields, now);
        }
        plan
    }

    fn leave_out_known(&mut self, refused: &RefusedFields, now: i64) {
        let known = refused.at(now).filter(|known| match known.split_once('.') {
            Some(("Task", field)) => self.task.as_mut().is_some_and(|task| task.without(field)),
            Some(("Event", field)) => self.event.as_mut().is_some_and(|event| event.without(field)),
            _ => false,
        });
        self.left_out = known.map(str::to_owned).collect();
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
    record: &Record,
) -> Result<Ending, Stop> {
    let mut plan = Plan::of(row, workspace, &record.1, session.now());
    let task_there = row.task_id.clone().and_then(|id| Some((id, plan.task.take()?)));
    let event_there = row.event_id.clone().and_then(|id| Some((id, plan.event.take()?)));
    let mut note = create(session, row, &workspace.settings, &mut plan).await?;
    if let Some((task_id, mut task)) = task_there {
        if let Some(reason) = &note {
            to_book_by_hand(&mut task, row, &workspace.settings, reason);
        }
        note = note.or(update(session, &task_id, Draft::Task(task), &mut plan.left_out).await?);
    }
    if let Some((event_id, event)) = event_there {
        note = update(session, &event_id, Draft::Event(event), &mut plan.left_out).await?.or(note);
    }
    Ok(Ending::Logged(note.or_else(|| plan.note())))
}

/// Brings the Task that is there up to date, where its Event is refused because the record is gone.
pub(super) async fn write_without_event<P: Ports>(
    session: &mut Session<'_, P>,
    row: &Row,
    workspace: &Workspace,
    record: &Record,
    error: &CrmError,
) -> Result<Ending, Stop> {
    let mut plan = Plan::of(row, workspace, &record.1, session.now());
    let reason = outcome::refused_event(error);
    if let (Some(task_id), Some(mut task)) = (&row.task_id, plan.task.take()) {
        to_book_by_hand(&mut task, row, &workspace.settings, &reason);
        update(session, task_id, Draft::Task(task), &mut plan.left_out).await?;
    }
    Ok(Ending::Logged(Some(reason)))
}

/// Changes a Task that tells of an Event to one of an appointment that a person has to book.
fn to_book_by_hand(task: &mut TaskDraft, row: &Row, settings: &Settings, reason: &Reason) {
    let by_hand = Booking::ByHand(reason.message.clone());
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
                break;
            }
            Err(Stop::Salesforce(error)) => {
                let mut refused = Vec::new();
                if let Some(task) = task {
                    refused.extend(leave_out(&error, WrittenObject::Task, |field| task.without(field)));
                }
                if let Some(event) = event {
                    refused.extend(leave_out(&error, WrittenObject::Event, |field| event.without(field)));
                }
                if session.refused.len() < FIELDS_LEFT_OUT && !refused.is_empty() {
                    session.refused.extend(refused.iter().cloned());
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
    task.status = status;
    Ok(true)
}

/// Whether the Event alone is at fault, and for good.
fn refuses_event(error: &CrmError, has_event: bool, has_task: bool) -> bool {
    let about_event = error.object == Some(WrittenObject::Event) || !has_task;
    let for_good = matches!(error.class, FaultClass::Permanent | FaultClass::FieldRefused);
    has_event && about_event && for_good
}

/// Brings what is there up to date: the Task or the Event. What a person deleted stays deleted; what may not be edited
/// stays as it is.
async fn update<P: Ports>(
    session: &mut Session<'_, P>,
    id: &SalesforceId,
    mut draft: Draft,
    left_out: &mut Vec<String>,
) -> Result<Option<Reason>, Stop> {
    loop {
        let answer = match &draft {
            Draft::Task(task) => session.update_task(id, task).await,
            Draft::Event(event) => session.update_event(id, event).await,
        };
        match answer {
            Ok(()) => return Ok(None),
            Err(Stop::Salesforce(error)) => {
                let refused = leave_out(&error, draft.object(), |field| draft.without(field));
                if refused.is_empty() || session.refused.len() >= FIELDS_LEFT_OUT {
                    return outcome::unchanged(draft.object(), error).map(Some).map_err(Stop::Salesforce);
                }
                session.refused.extend(refused.iter().cloned());
                left_out.extend(refused);
            }
            Err(stop) => return Err(stop),
        }
    }
}

/// A Task or an Event that is to be written.
enum Draft {
    Task(TaskDraft),
    Event(EventDraft),
}

impl Draft {
    fn object(&self) -> WrittenObject {
        match self {
            Self::Task(_) => WrittenObject::Task,
            Self::Event(_) => WrittenObject::Event,
        }
    }

    fn without(&mut self, field: &str) -> bool {
        match self {
            Self::Task(task) => task.without(field),
            Self::Event(event) => event.without(field),
        }
    }
}

/// Leaves out the refused fields of an object that may be left out, and names them: `Task.Type`.
fn leave_out(error: &CrmError, object: WrittenObject, mut without: impl FnMut(&str) -> bool) -> Vec<String> {
    let about_it = error.object.is_none_or(|blamed| blamed == object);
    if error.class != FaultClass::FieldRefused || !about_it {
        return Vec::new();
    }
    error.fields.iter().filter(|field| without(field)).map(|field| format!("{object:?}.{field}")).collect()
}
