//! Bringing a Task and an Event up to date that stand in Salesforce: what is behind is read first, only what differs is
//! sent, and what a person changed or moved stays as it is.

use serde::Serialize;

use crate::{
    activity::{EventDraft, TaskDraft, last_line},
    crm::{Activities, Activity, FaultClass, Fields, RecordType, WrittenObject},
    ids::SalesforceId,
    journal::Journal,
    ledger::Row,
    matching::Rule,
    reason::Reason,
    workspace::Settings,
};

use super::{
    Ports,
    attempt::Gone,
    changes::{Changes, updatable},
    outcome::{self, Ending},
    session::{Session, Stop},
    write::{FIELDS_LEFT_OUT, Plan, leave_out, to_book_by_hand},
};

/// How often a record is read again that somebody changed between a read and its update. Each time is a person's doing.
const READ_AGAIN: u32 = 3;

/// The drafts of what Salesforce has already.
pub(super) struct There<Who = SalesforceId> {
    task: Option<(SalesforceId, TaskDraft<Who>)>,
    event: Option<(SalesforceId, EventDraft<Who>)>,
}

impl<Who: Serialize> There<Who> {
    /// Takes what is not missing out of a plan.
    pub(super) fn take(plan: &mut Plan<Who>, row: &Row) -> Self {
        Self {
            task: row.task_id.clone().and_then(|id| Some((id, plan.task.take()?))),
            event: row.event_id.clone().and_then(|id| Some((id, plan.event.take()?))),
        }
    }

    /// Reads what stands of it, where something is to be changed or added: one request. What the journal knows to be there
    /// needs none, unless a person asks for the call again: `None`.
    pub(super) async fn read<P: Ports>(
        &self,
        session: &mut Session<'_, P>,
        row: &Row,
        plan: &Plan<Who>,
    ) -> Result<Option<Activities>, Stop> {
        let sent = |object| row.journal.of(object);
        let is_behind = |object, fields| sent(object).is_none_or(|sent| sent.is_behind(&updatable(fields)));
        let task_is_behind =
            self.task.as_ref().is_some_and(|(_, task)| is_behind(WrittenObject::Task, task.fields()));
        let event_is_behind =
            self.event.as_ref().is_some_and(|(_, event)| is_behind(WrittenObject::Event, event.fields()));
        let adds = self.task.is_some() && plan.event.is_some();
        if !(task_is_behind || event_is_behind || adds || plan.asked_again) {
            return Ok(None);
        }
        let (task_id, event_id) =
            (self.task.as_ref().map(|(id, _)| id), self.event.as_ref().map(|(id, _)| id));
        session.read(task_id, event_id).await.map(Some)
    }

    /// What would be sent for the Task and for the Event at `now`, Unix seconds.
    pub(super) fn changes(&self, row: &Row, standing: &Activities, now: i64) -> [Option<Changes>; 2] {
        let changes = |object, fields, standing: Option<&Activity>| {
            let (standing, wanted) = (standing?, updatable(fields));
            let mut journal = row.journal.clone();
            adopt(&mut journal, object, &wanted, standing);
            let sent = journal.of(object);
            Some(Changes::between(&wanted, standing, sent, &last_line(&row.call_id), now))
        };
        let (task, event) = (self.task.as_ref(), self.event.as_ref());
        [
            task.and_then(|(_, task)| changes(WrittenObject::Task, task.fields(), standing.task.as_ref())),
            event.and_then(|(_, event)| {
                changes(WrittenObject::Event, event.fields(), standing.event.as_ref())
            }),
        ]
    }
}

impl There {
    /// Brings both up to date, where they were read. `note`: why there is no Event.
    pub(super) async fn bring_up_to_date<P: Ports>(
        self,
        session: &mut Session<'_, P>,
        row: &mut Row,
        settings: &Settings,
        standing: Option<Activities>,
        mut plan: Plan,
        mut note: Option<Reason>,
    ) -> Result<Ending, Stop> {
        let mut kept = Vec::new();
        if let Some(Activities { task: standing_task, event: standing_event }) = standing {
            if let Some((id, mut task)) = self.task {
                if let Some(reason) = &note {
                    to_book_by_hand(&mut task, row, settings, reason);
                }
                let mut update = Update::new(id, Draft::Task(task), &mut plan.left_out, &mut kept);
                note = note.or(update.carry_out(session, row, standing_task).await?);
            }
            if let Some((id, event)) = self.event {
                let mut update = Update::new(id, Draft::Event(event), &mut plan.left_out, &mut kept);
                note = update.carry_out(session, row, standing_event).await?.or(note);
            }
        }
        Ok(Ending::Logged(outcome::kept_by_person(&kept, note.or_else(|| plan.note()))))
    }
}

/// What is added goes where the Task stands, wherever a person moved it: the row and the new Event follow, but not to a
/// record that is `gone`. Where somebody took the Task off its record, nobody knows whose Event it would be: says so, and
/// leaves it out.
pub(super) fn follow<Who: From<SalesforceId>>(
    row: &mut Row,
    plan: &mut Plan<Who>,
    standing: Option<&Activities>,
    gone: &[Gone],
) -> Option<Reason> {
    let task = standing?.task.as_ref()?;
    let Some(who_id) = task.who_id.clone() else {
        return plan.event.take().map(|_| outcome::taken_off());
    };
    if gone.iter().any(|gone| gone.is(&who_id)) {
        return None;
    }
    let record = RecordType::of(&who_id).map(|record_type| (record_type, who_id.clone()));
    if record.is_some() && record != row.record {
        row.record.clone_from(&record);
        row.decision.get_or_insert_default().choose(Rule::Earlier, record);
    }
    if let Some(event) = &mut plan.event {
        event.who_id = who_id.into();
    }
    None
}

/// One record that is brought up to date.
struct Update<'a> {
    id: SalesforceId,
    draft: Draft,
    /// Fields that Salesforce refuses: `Task.Type`.
    left_out: &'a mut Vec<String>,
    /// Fields that stay as somebody changed them: `Event.StartDateTime`.
    kept: &'a mut Vec<String>,
}

impl<'a> Update<'a> {
    fn new(id: SalesforceId, draft: Draft, left_out: &'a mut Vec<String>, kept: &'a mut Vec<String>) -> Self {
        Self { id, draft, left_out, kept }
    }

    /// Sends what differs from what is `standing`. What a person deleted stays deleted; what may not be edited stays as it
    /// is. Says why something is not as it should be.
    async fn carry_out<P: Ports>(
        &mut self,
        session: &mut Session<'_, P>,
        row: &mut Row,
        mut standing: Option<Activity>,
    ) -> Result<Option<Reason>, Stop> {
        let object = self.draft.object();
        let last_line = last_line(&row.call_id);
        let mut reads = 0;
        loop {
            let Some(there) = &standing else { return Ok(Some(outcome::deleted(object))) };
            let wanted = updatable(self.draft.fields());
            adopt(&mut row.journal, object, &wanted, there);
            let sent = row.journal.of(object);
            let changes = Changes::between(&wanted, there, sent, &last_line, session.now());
            let sent = if changes.send.is_empty() {
                Ok(())
            } else {
                session.update(object, &self.id, &changes.send, there.modified_at).await
            };
            let error = match sent {
                Ok(()) => {
                    changes.record(&mut row.journal, object);
                    let named = |field: &String| format!("{object:?}.{field}");
                    self.kept.extend(changes.kept.iter().map(named));
                    self.left_out.extend(changes.hidden.iter().map(named));
                    return Ok(None);
                }
                Err(Stop::Salesforce(error)) => error,
                Err(stop) => return Err(stop),
            };
            match error.class {
                FaultClass::Stale if reads < READ_AGAIN => {
                    reads += 1;
                    standing = self.read(session).await?;
                }
                FaultClass::Ambiguous => {
                    changes.record_unanswered(&mut row.journal, object);
                    return Err(Stop::Salesforce(error));
                }
                _ => {
                    let refused = leave_out(&error, object, |field| self.draft.without(field));
                    if refused.is_empty() || session.lessons.unwritable.len() >= FIELDS_LEFT_OUT {
                        return outcome::unchanged(object, error).map(Some).map_err(Stop::Salesforce);
                    }
                    session.lessons.unwritable.extend(refused.iter().cloned());
                    self.left_out.extend(refused);
                }
            }
        }
    }

    async fn read<P: Ports>(&self, session: &mut Session<'_, P>) -> Result<Option<Activity>, Stop> {
        Ok(match self.draft.object() {
            WrittenObject::Event => session.read(None, Some(&self.id)).await?.event,
            _ => session.read(Some(&self.id), None).await?.task,
        })
    }
}

/// Notes what nobody noted: the fields that Ringlog gave an activity which is still as it was created.
fn adopt(journal: &mut Journal, object: WrittenObject, wanted: &Fields, created: &Activity) {
    if journal.of(object).is_none() && created.is_untouched {
        let given = created.fields.iter().filter(|(field, _)| wanted.contains_key(*field));
        let given = given.map(|(field, value)| (field.clone(), value.clone())).collect();
        journal.created(object, &given);
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

    fn fields(&self) -> Fields {
        match self {
            Self::Task(task) => task.fields(),
            Self::Event(event) => event.fields(),
        }
    }

    fn without(&mut self, field: &str) -> bool {
        match self {
            Self::Task(task) => task.without(field),
            Self::Event(event) => event.without(field),
        }
    }
}
