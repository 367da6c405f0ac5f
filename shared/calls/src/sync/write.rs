//! Writing a call to Salesforce: the Task and the Event, made together or brought up to date.

use chrono::DateTime;

use crate::{
    activity::{self, EventDraft, TaskDraft},
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

/// Writes what is missing, and updates what is there but behind.
pub(super) async fn write<P: Ports>(
    session: &mut Session<'_, P>,
    row: &mut Row,
    workspace: &Workspace,
    record: &Record,
) -> Result<Ending, Stop> {
    let mut drafts = Drafts::of(&row.call, &workspace.settings, &record.1, row.created_at);
    // A person who asks for a call again has mended what was refused.
    let asked_again = row.task_id.is_some() && row.logged_revision == 0;
    let known = if asked_again { RefusedFields::default() } else { workspace.refused_fields.clone() };
    let left_out = drafts.leave_out_known(&known, session.now());
    let mut note = drafts.note;
    let behind = row.logged_revision < row.revision;
    if let Some(task_id) = row.task_id.clone().filter(|_| behind) {
        let draft = Draft::Task(drafts.task.clone());
        note = update(session, &task_id, draft, left_out.clone()).await?.or(note);
    }
    if let (Some(event_id), Some(event), true) = (row.event_id.clone(), drafts.event.clone(), behind) {
        note = update(session, &event_id, Draft::Event(event), left_out.clone()).await?.or(note);
    }
    let task = row.task_id.is_none().then_some(drafts.task);
    let event = drafts.event.filter(|_| row.event_id.is_none());
    note = create(session, row, task, event, left_out).await?.or(note);
    Ok(Ending::Logged(note))
}

/// What is to stand in Salesforce for a call.
pub(super) struct Drafts<Who = SalesforceId> {
    /// The Task.
    pub(super) task: TaskDraft<Who>,
    /// The Event, if an appointment was booked.
    pub(super) event: Option<EventDraft<Who>>,
    /// What was wrong with the appointment.
    pub(super) note: Option<Reason>,
}

impl<Who: Clone> Drafts<Who> {
    /// The drafts of `call` for the record `who_id`.
    pub(super) fn of(call: &Call, settings: &Settings, who_id: &Who, received_at: i64) -> Self {
        let resolution = resolve(call, settings, received_at);
        let task = activity::task(call, who_id, settings, received_at, &resolution);
        let (event, note) = match &resolution {
            Resolution::None => (None, None),
            Resolution::Booked { appointment, warning } => {
                (Some(activity::event(call, who_id, appointment)), warning.clone())
            }
            Resolution::Invalid(reason) => (None, Some(reason.clone())),
        };
        Self { task, event, note }
    }

    /// Leaves out what the org refused lately, and names it.
    pub(super) fn leave_out_known(&mut self, refused: &RefusedFields, now: i64) -> Vec<String> {
        let known = refused.at(now).filter(|known| match known.split_once('.') {
            Some(("Task", field)) => self.task.without(field),
            Some(("Event", field)) => self.event.as_mut().is_some_and(|event| event.without(field)),
            _ => false,
        });
        known.map(str::to_owned).collect()
    }
}

/// Creates what is missing. A refused optional field is left out; a refused Event never costs the Task.
async fn create<P: Ports>(
    session: &mut Session<'_, P>,
    row: &mut Row,
    mut task: Option<TaskDraft>,
    mut event: Option<EventDraft>,
    mut left_out: Vec<String>,
) -> Result<Option<Reason>, Stop> {
    left_out.retain(|field| {
        task.is_some() && is_of(field, WrittenObject::Task)
            || event.is_some() && is_of(field, WrittenObject::Event)
    });
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
                if let Some(task) = &mut task {
                    refused.extend(leave_out(&error, WrittenObject::Task, |field| task.without(field)));
                }
                if let Some(event) = &mut event {
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
                note = Some(outcome::refused_event(&error));
                event = None;
            }
            Err(stop) => return Err(stop),
        }
    }
    Ok(note.or_else(|| outcome::fields_left_out(&left_out)))
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
    mut left_out: Vec<String>,
) -> Result<Option<Reason>, Stop> {
    left_out.retain(|field| is_of(field, draft.object()));
    loop {
        let answer = match &draft {
            Draft::Task(task) => session.update_task(id, task).await,
            Draft::Event(event) => session.update_event(id, event).await,
        };
        match answer {
            Ok(()) => return Ok(outcome::fields_left_out(&left_out)),
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

/// Whether a field, `Task.Type`, is of this object.
fn is_of(field: &str, object: WrittenObject) -> bool {
    field.split_once('.').is_some_and(|(name, _)| name == format!("{object:?}"))
}
