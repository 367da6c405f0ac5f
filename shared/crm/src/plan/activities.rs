//! The activities of a call: which to create, and which to update.

use calls::{appointment::Resolution, ids::SalesforceId, reason::Reason};
use serde::Serialize;

use crate::{
    activity::{self, Booking, EventDraft, TaskDraft, last_line},
    draft::Draft,
    journal::Sent,
    outcome::{self, Ending},
    records::Record,
};

use super::{
    changes::{Changes, updatable},
    choice::Choice,
    observed::{ActivityState, Asked},
    step::{ActivityPlan, Change, Known, Next, Operation, Question},
};

/// Plans the Task and the Event of a call on the record `who`, and the row's reason once they are written. An Event
/// goes on the record that the Task is on, even if a person moved it there: the choice follows. If somebody
/// removed the Task from its record, it is unknown whose Event it would be, so there is none.
pub(super) fn plan<Who: Clone + Serialize + From<SalesforceId>>(
    known: Known<'_>,
    choice: &mut Choice,
    who: &Who,
) -> Result<(ActivityPlan<Who>, Option<Reason>), Next> {
    let Known { row, seen, .. } = known;
    let resolution = known.resolution();
    let mut wanted = Wanted::of(known, &resolution, who);
    if let (Some((refused, error)), Some(task)) = (&seen.refused_status, &mut wanted.task) {
        // Never omit the status: the Task would be open, on somebody's to-do list.
        match &seen.closed_status {
            Asked::NotYet => return Err(Next::Observe(Question::ClosedStatus)),
            Asked::Found(status) if status != refused => task.status.clone_from(status),
            _ => return Err(Next::End(Ending::Refused(error.clone()))),
        }
    }
    let task_id = row.task_id.as_ref().filter(|_| wanted.task.is_some());
    let event_id = row.event_id.as_ref().filter(|_| wanted.event.is_some());
    if let Some(question) = wanted.unread(known, task_id, event_id) {
        return Err(Next::Observe(question));
    }
    let adds_event = wanted.event.is_some() && event_id.is_none();
    let mut no_event = why_no_event(known, choice).filter(|_| adds_event);
    if let Some(task) = task_id.and(seen.task.read.found()) {
        match &task.who_id {
            None => no_event = no_event.or_else(|| adds_event.then(outcome::task_taken_off)),
            Some(who_id) if !seen.is_gone(who_id) => {
                if Record::of(who_id).is_some() {
                    choice.stays_on(who_id);
                }
                if let Some(event) = &mut wanted.event {
                    event.who_id = who_id.clone().into();
                }
            }
            Some(_) => {}
        }
    }
    if let Some(reason) = &no_event {
        wanted.event = None;
        wanted.book_by_hand(known, &resolution, reason);
    }
    let Wanted { task, event, mut left_out, note, .. } = wanted;
    let task = task.and_then(|task| operation(known, task, task_id, &seen.task));
    let event = event.and_then(|event| operation(known, event, event_id, &seen.event));
    let mut kept = Vec::new();
    for (object, changes) in [("Task", changes(task.as_ref())), ("Event", changes(event.as_ref()))] {
        let named = |field: &String| format!("{object}.{field}");
        kept.extend(changes.iter().flat_map(|changes| &changes.kept).map(named));
        left_out.extend(changes.iter().flat_map(|changes| &changes.hidden).map(named));
    }
    let reason = why_left(event.as_ref()).or(no_event).or_else(|| why_left(task.as_ref()));
    let note = reason.or_else(|| outcome::fields_left_out(&left_out)).or(note);
    Ok((ActivityPlan { task, event }, outcome::kept_by_person(&kept, note)))
}

/// Why the call gets no Event: Salesforce refused it, or the record is gone and the Task exists already.
fn why_no_event(known: Known<'_>, choice: &Choice) -> Option<Reason> {
    let gone = known.seen.gone.last().filter(|gone| choice.is(&gone.record.id));
    let gone_since_task = gone.filter(|_| known.row.task_id.is_some());
    let refused = || gone_since_task.map(|gone| outcome::event_refused(&gone.error));
    known.seen.refused_event.clone().or_else(refused)
}

/// The Task and the Event that Salesforce should have for a call, if they may be missing or out of date.
struct Wanted<Who> {
    task: Option<TaskDraft<Who>>,
    event: Option<EventDraft<Who>>,
    /// The fields that are left out because the org refuses them: `Task.Type`.
    left_out: Vec<String>,
    /// What was wrong with the appointment, or what people need to know about the caller.
    note: Option<Reason>,
}

impl<Who: Clone + Serialize> Wanted<Who> {
    fn of(known: Known<'_>, resolution: &Resolution, who: &Who) -> Self {
        let Known { row, seen, now, .. } = known;
        let (call, settings) = (&row.call, known.settings());
        let mut booking = Booking::of(resolution);
        let (event, note) = match resolution {
            Resolution::None | Resolution::NotMade(_) if row.event_id.is_some() => {
                let reason = outcome::appointment_withdrawn();
                booking = Booking::Withdrawn(reason.message.clone());
                (None, Some(reason))
            }
            Resolution::None => (None, None),
            Resolution::Booked { appointment, warning, others } => {
                let event = activity::event(call, who, appointment, now);
                (Some(event), warning.clone().or_else(|| outcome::more_appointments(others)))
            }
            Resolution::ByHand { reason, .. } | Resolution::NotMade(reason) => (None, Some(reason.clone())),
        };
        let is_behind = row.logged_revision < row.revision;
        // The Task says whether there is an Event.
        let adds_event = event.is_some() && (row.event_id.is_none() || seen.event.created);
        let needs_task = row.task_id.is_none() || is_behind || adds_event;
        let task = (needs_task && !seen.task.created)
            .then(|| activity::task(call, who, settings, row.created_at, &booking));
        let event = event.filter(|_| (row.event_id.is_none() || is_behind) && !seen.event.created);
        let note = note.or_else(|| outcome::number_given_by_caller(call, settings));
        let mut wanted = Self { task, event, left_out: Vec::new(), note };
        wanted.leave_out_refused_fields(known);
        wanted
    }

    /// Leaves out the fields that the org refused recently, and uses the closed status that was learned,
    /// unless the call has an unlogged Task: if a person retries it, they may have fixed the cause. Fields
    /// refused in this attempt are always left out.
    fn leave_out_refused_fields(&mut self, known: Known<'_>) {
        let learned = &known.workspace.learned;
        if !known.row.has_unlogged_task() {
            for field in learned.unwritable.at(known.now) {
                if self.without(field) {
                    self.left_out.push(field.to_owned());
                }
            }
            if let (Some(task), Some(status)) = (&mut self.task, learned.closed_status(known.now)) {
                status.clone_into(&mut task.status);
            }
        }
        for field in known.seen.refused_fields.iter().filter(|field| !field.starts_with("Lead.")) {
            self.without(field);
            self.left_out.push(field.clone());
        }
    }

    fn without(&mut self, field: &str) -> bool {
        match field.split_once('.') {
            Some(("Task", field)) => self.task.as_mut().is_some_and(|task| task.without(field)),
            Some(("Event", field)) => self.event.as_mut().is_some_and(|event| event.without(field)),
            _ => false,
        }
    }

    /// What must be read before anything is changed or added. No read is needed if, according to the journal,
    /// Salesforce already has what is wanted, unless the call has an unlogged Task.
    fn unread(
        &self,
        known: Known<'_>,
        task_id: Option<&SalesforceId>,
        event_id: Option<&SalesforceId>,
    ) -> Option<Question> {
        let seen = known.seen;
        let is_read = [&seen.task, &seen.event].iter().any(|state| !state.read.is_open() || state.stale > 0);
        let adds_event = task_id.is_some() && event_id.is_none() && self.event.is_some();
        let reads = is_read
            || adds_event
            || known.row.has_unlogged_task()
            || is_behind(known, task_id.and(self.task.as_ref()))
            || is_behind(known, event_id.and(self.event.as_ref()));
        let unread = |id: Option<&SalesforceId>, state: &ActivityState| {
            id.filter(|_| reads && state.read.is_open()).cloned()
        };
        let (task_id, event_id) = (unread(task_id, &seen.task), unread(event_id, &seen.event));
        (task_id.is_some() || event_id.is_some()).then_some(Question::Activities { task_id, event_id })
    }

    /// Rewrites a Task that reports an Event: a person has to book the appointment instead.
    fn book_by_hand(&mut self, known: Known<'_>, resolution: &Resolution, reason: &Reason) {
        let Some(task) = &mut self.task else { return };
        let row = known.row;
        let others = match resolution {
            Resolution::Booked { others, .. } | Resolution::ByHand { others, .. } => others.clone(),
            Resolution::None | Resolution::NotMade(_) => Vec::new(),
        };
        let by_hand = Booking::ByHand(reason.message.clone(), others);
        let redrafted = activity::task(&row.call, &task.who_id, known.settings(), row.created_at, &by_hand);
        (task.subject, task.description) = (redrafted.subject, redrafted.description);
    }
}

/// Whether a draft has a value that Salesforce has not confirmed.
fn is_behind<D: Draft>(known: Known<'_>, draft: Option<&D>) -> bool {
    let sent = known.row.journal.of(D::OBJECT);
    draft.is_some_and(|draft| sent.is_none_or(|sent| sent.is_behind(&updatable(draft.fields()))))
}

/// What to do with an activity so that it matches the draft. One that a person deleted stays deleted, one
/// that cannot be changed stays as it is, and one that was not read is up to date.
fn operation<D: Draft>(
    known: Known<'_>,
    draft: D,
    id: Option<&SalesforceId>,
    state: &ActivityState,
) -> Option<Operation<D>> {
    let Some(id) = id else { return Some(Operation::Create(draft)) };
    if let Some(reason) = &state.unchangeable {
        return Some(Operation::Leave(reason.clone()));
    }
    let current = match &state.read {
        Asked::NotYet => return None,
        Asked::Nothing => return Some(Operation::Leave(outcome::activity_deleted(D::OBJECT))),
        Asked::Found(current) => current,
    };
    let wanted = updatable(draft.fields());
    let sent = known.row.journal.of(D::OBJECT);
    // If the journal is missing and nobody has changed the activity, its fields are the ones that Ringlog sent.
    let given = (sent.is_none() && current.is_untouched).then(|| {
        let given = current.fields.iter().filter(|(field, _)| wanted.contains_key(*field));
        given.map(|(field, value)| (field.clone(), value.clone())).collect()
    });
    let sent_at_creation = given.as_ref().map(Sent::confirmed);
    let last_line = last_line(&known.row.call_id);
    let changes =
        Changes::between(&wanted, current, sent.or(sent_at_creation.as_ref()), &last_line, known.now);
    let change = Change { id: id.clone(), modified_at: current.modified_at, draft, given, changes };
    Some(Operation::Change(change))
}

fn changes<D>(operation: Option<&Operation<D>>) -> Option<&Changes> {
    match operation {
        Some(Operation::Change(change)) => Some(&change.changes),
        _ => None,
    }
}

fn why_left<D>(operation: Option<&Operation<D>>) -> Option<Reason> {
    match operation {
        Some(Operation::Leave(reason)) => Some(reason.clone()),
        _ => None,
    }
}
