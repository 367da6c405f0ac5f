//! Applies a plan: sends its operations in as few requests as possible and records each in the row and its journal.
//! Nothing else writes the journal.

use calls::limits::MAX_OMITTED_FIELDS;
use crm::{
    CrmError, Draft, FaultClass, WrittenObject,
    activity::{EventDraft, TaskDraft},
    dispensable,
    ledger::Row,
    outcome::{self, Ending},
    plan::{Adoption, Asked, Change, Operation, Plan},
};

use crate::{attempt::Attempt, session::Stop, worker::Ports};

/// How often an activity is reread because a person changed it between the read and the update.
const MAX_REREADS: u32 = 3;

/// The result of applying a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Applied {
    /// The plan has been carried out.
    Done,
    /// Something new was learned; make a new plan.
    PlanAgain,
}

impl Applied {
    pub(super) fn is_done(self) -> bool {
        self == Self::Done
    }
}

impl<P: Ports> Attempt<'_, P> {
    /// Adopts the activities of earlier attempts that a look found.
    pub(super) fn adopt(&mut self, row: &mut Row, adoption: Adoption) {
        let Adoption { task_id, event_id, settled } = adoption;
        if task_id.is_some() && row.task_id.is_none() {
            row.journal.found(WrittenObject::Task);
        }
        if event_id.is_some() && row.event_id.is_none() {
            row.journal.found(WrittenObject::Event);
        }
        row.task_id = task_id.or(row.task_id.take());
        row.event_id = event_id.or(row.event_id.take());
        if settled {
            row.unsettled_until = None;
        }
        self.fix_choice(row);
        if let Some(look) = &mut self.seen.look {
            look.adopted = true;
        }
    }

    /// Carries out a plan, as far as Salesforce allows. Existing activities are updated last, because the Task's text
    /// depends on whether the Event was created.
    pub(super) async fn apply(&mut self, row: &mut Row, plan: Plan) -> Result<Applied, Stop> {
        self.fix_choice(row);
        if let Some(lead) = &plan.lead {
            if self.make_lead(row, lead).await? {
                row.journal.created(WrittenObject::Lead, &lead.draft.fields());
            }
            return Ok(Applied::PlanAgain);
        }
        self.release_claim().await;
        let (new_task, changed_task) = split(plan.task);
        let (new_event, changed_event) = split(plan.event);
        let task = about_record(new_task, TaskDraft::about_somebody)?;
        let event = about_record(new_event, EventDraft::about_somebody)?;
        let mut applied = Applied::Done;
        if task.is_some() || event.is_some() {
            applied = self.create(row, task.as_ref(), event.as_ref()).await?;
        }
        if let Some(change) = changed_task.filter(|_| applied.is_done()) {
            applied = self.change(row, &change).await?;
        }
        if let Some(change) = changed_event.filter(|_| applied.is_done()) {
            applied = self.change(row, &change).await?;
        }
        Ok(applied)
    }

    /// Fixes the choice: from here on, it is the one that Salesforce was asked to write.
    fn fix_choice(&mut self, row: &Row) {
        self.seen.choice.record.clone_from(&row.record);
        self.seen.choice.decision.clone_from(&row.decision);
    }

    /// Creates the missing activities, all or nothing. If an optional field or the Event is refused, the next plan
    /// leaves it out; a refused Event never prevents the Task.
    async fn create(
        &mut self,
        row: &mut Row,
        task: Option<&TaskDraft>,
        event: Option<&EventDraft>,
    ) -> Result<Applied, Stop> {
        let error = match self.session.create(task, event).await {
            Ok(written) => {
                row.task_id = written.task_id.or(row.task_id.take());
                row.event_id = written.event_id.or(row.event_id.take());
                if let Some(task) = task {
                    row.journal.created(WrittenObject::Task, &task.fields());
                    self.seen.task.created = true;
                }
                if let Some(event) = event {
                    row.journal.created(WrittenObject::Event, &event.fields());
                    self.seen.event.created = true;
                }
                return Ok(Applied::Done);
            }
            Err(stop) => stop.refusal()?,
        };
        match error.class {
            FaultClass::Ambiguous => {
                if let Some(task) = task {
                    row.journal.unanswered(WrittenObject::Task, &task.fields());
                }
                if let Some(event) = event {
                    row.journal.unanswered(WrittenObject::Event, &event.fields());
                }
                return Err(error.into());
            }
            FaultClass::RecordGone => {
                let Some(record) = &row.record else { return Err(error.into()) };
                tracing::info!(error.code = %error.code, "the record is gone; looking for the caller's current record");
                self.seen.record_gone(record, error);
            }
            _ => self.learn(error, task, event)?,
        }
        Ok(Applied::PlanAgain)
    }

    /// Learns from a refusal what to leave out or write differently.
    fn learn(
        &mut self,
        error: CrmError,
        task: Option<&TaskDraft>,
        event: Option<&EventDraft>,
    ) -> Result<(), Stop> {
        let of_task = task.map(|task| dispensable(&error, task)).unwrap_or_default();
        let of_event = event.map(|event| dispensable(&error, event)).unwrap_or_default();
        let refused = [of_task, of_event].concat();
        let seen = &mut self.seen;
        if !refused.is_empty() && seen.refused_fields.len() < MAX_OMITTED_FIELDS {
            seen.refused_fields.extend(refused);
        } else if let Some(task) = task.filter(|_| refuses_status(&error)) {
            seen.refused_status = Some((task.status.clone(), error));
        } else if refuses_event(&error, event.is_some(), task.is_some()) {
            seen.refused_event = Some(outcome::event_refused(&error));
        } else {
            return Err(error.into());
        }
        Ok(())
    }

    /// Updates an existing activity, if anything has to change.
    async fn change<D: Draft + Clone>(&mut self, row: &mut Row, change: &Change<D>) -> Result<Applied, Stop> {
        let Change { id, modified_at, draft, given, changes } = change;
        if let Some(given) = given {
            row.journal.created(D::OBJECT, given);
        }
        let sent = if changes.send.is_empty() {
            Ok(())
        } else {
            self.session.update(D::OBJECT, id, &changes.send, *modified_at).await
        };
        let Err(stop) = sent else {
            changes.record(&mut row.journal, D::OBJECT);
            if let Asked::Found(current) = &mut self.seen.activity(D::OBJECT).read {
                current.fields.extend(changes.send.clone());
            }
            return Ok(Applied::Done);
        };
        let error = stop.refusal()?;
        let seen = self.seen.activity(D::OBJECT);
        match error.class {
            FaultClass::Stale if seen.stale < MAX_REREADS => {
                seen.stale += 1;
                seen.read = Asked::NotYet;
            }
            FaultClass::Ambiguous => {
                changes.record_unanswered(&mut row.journal, D::OBJECT);
                return Err(error.into());
            }
            _ => {
                let refused = dispensable(&error, draft);
                if refused.is_empty() || self.seen.refused_fields.len() >= MAX_OMITTED_FIELDS {
                    let reason = outcome::activity_not_updated(D::OBJECT, error)?;
                    self.seen.activity(D::OBJECT).unchangeable = Some(reason);
                } else {
                    self.seen.refused_fields.extend(refused);
                }
            }
        }
        Ok(Applied::PlanAgain)
    }
}

/// A draft that is about a record. A plan without a Lead has no other; if one had, the call would show it.
fn about_record<D, B>(draft: Option<D>, about_somebody: impl Fn(D) -> Option<B>) -> Result<Option<B>, Stop> {
    let Some(draft) = draft else { return Ok(None) };
    let about = about_somebody(draft);
    about.map(Some).ok_or_else(|| Stop::Ending(Ending::NotFound(outcome::not_found(0, false))))
}

/// Splits an operation into what to create and what to change.
fn split<D>(operation: Option<Operation<D>>) -> (Option<D>, Option<Change<D>>) {
    match operation {
        Some(Operation::Create(draft)) => (Some(draft), None),
        Some(Operation::Change(change)) => (None, Some(change)),
        Some(Operation::Leave(_)) | None => (None, None),
    }
}

/// Whether the Task's status was refused: the org has no `Completed`.
fn refuses_status(error: &CrmError) -> bool {
    error.class == FaultClass::FieldRefused
        && error.object != Some(WrittenObject::Event)
        && error.fields.iter().any(|field| field == "Status")
}

/// Whether only the Event is refused, and permanently.
fn refuses_event(error: &CrmError, has_event: bool, has_task: bool) -> bool {
    let about_event = error.object == Some(WrittenObject::Event) || !has_task;
    let permanent = matches!(error.class, FaultClass::Permanent | FaultClass::FieldRefused);
    has_event && about_event && permanent
}
