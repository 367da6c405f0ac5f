//! Applies a plan: sends its operations in as few requests as possible and records each in the row and its journal.
//! Nothing else writes the journal.

use crm::{
    Draft, FaultClass, WrittenObject,
    activity::{EventDraft, TaskDraft},
    ledger::Row,
    plan::{ActivityPlan, Adoption, Asked, Change, Operation, Operations, Plan},
};

use crate::{attempt::Attempt, session::Stop, worker::Ports};

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
        let ActivityPlan { task, event } = match plan.operations {
            Operations::Write(activities) => activities,
            Operations::CreateLead { lead, .. } => {
                if self.make_lead(row, &lead).await? {
                    row.journal.created(WrittenObject::Lead, &lead.draft.fields());
                }
                return Ok(Applied::PlanAgain);
            }
        };
        self.release_claim().await;
        let (task, changed_task) = split(task);
        let (event, changed_event) = split(event);
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

    /// Creates the missing activities, all or nothing.
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
            }
            FaultClass::RecordGone => {
                tracing::info!(error.code = %error.code, "the record is gone; looking for the caller's current record");
            }
            _ => {}
        }
        self.seen.refused_create(error, task, event)?;
        Ok(Applied::PlanAgain)
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
            row.journal.confirmed(D::OBJECT, &changes.confirmed());
            if let Some(description) = &changes.added {
                row.journal.added(D::OBJECT, description);
            }
            if let Asked::Found(current) = &mut self.seen.activity(D::OBJECT).read {
                current.fields.extend(changes.send.clone());
            }
            return Ok(Applied::Done);
        };
        let error = stop.refusal()?;
        if error.class == FaultClass::Ambiguous {
            row.journal.unanswered(D::OBJECT, &changes.ours());
        }
        self.seen.refused_change(error, draft)?;
        Ok(Applied::PlanAgain)
    }
}

/// Splits an operation into what to create and what to change.
fn split<D>(operation: Option<Operation<D>>) -> (Option<D>, Option<Change<D>>) {
    match operation {
        Some(Operation::Create(draft)) => (Some(draft), None),
        Some(Operation::Change(change)) => (None, Some(change)),
        Some(Operation::Leave(_)) | None => (None, None),
    }
}
