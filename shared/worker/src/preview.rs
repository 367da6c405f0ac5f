//! A preview: the plan for a call, without applying it. Writes nothing to Salesforce or to the ledger.

use calls::{ids::SalesforceId, reason::Reason, status::SyncStatus};
use chrono::{DateTime, Utc};
use crm::{
    CrmError, Draft, Fields, Record,
    lead::LeadDraft,
    ledger::Row,
    matching::Decision,
    outcome::{self, Draw, Ending},
    plan::{ActivityPlan, Operation, Operations},
    workspace::Workspace,
};
use serde::Serialize;

use crate::{
    attempt::{Attempt, Planned, preflight},
    session::Stop,
    worker::{Ports, Turn, Worker},
};

/// What would happen to a call: what its row would say, and what would be sent.
#[derive(Debug, Clone)]
pub struct Preview {
    /// The call's status.
    pub status: SyncStatus,
    /// The record that the call is logged on, or would be; `None` if its Lead has yet to be created.
    pub record: Option<Record>,
    /// The Task that already exists: `task` would change it.
    pub task_id: Option<SalesforceId>,
    /// The Event that already exists: `event` would change it.
    pub event_id: Option<SalesforceId>,
    /// Candidates, choice and rule; `None` if nothing was ever decided.
    pub decision: Option<Decision>,
    /// What would be sent.
    pub drafts: Drafts,
    /// Why something would not be written.
    pub reason: Option<Reason>,
}

/// What would be sent to Salesforce.
#[derive(Debug, Clone, Default)]
pub struct Drafts {
    /// The Lead that would be created first.
    pub lead: Option<LeadDraft>,
    /// The Task that would be created, or the changes to the existing one. Without a `WhoId` if the Lead has yet to be
    /// created.
    pub task: Option<Fields>,
    /// The Event that would be created on the same record, or the changes to the existing one.
    pub event: Option<Fields>,
}

/// Why there is no preview.
#[derive(Debug, thiserror::Error)]
pub enum PreviewError {
    /// Calls wait for the workspace's connection.
    #[error("not connected: {}", .0.code)]
    NotConnected(Reason),
    /// Salesforce refused a request.
    #[error(transparent)]
    Salesforce(CrmError),
    /// Our own store failed, or time ran out.
    #[error("the search could not be made in time; try again")]
    Unavailable,
}

impl<P: Ports> Worker<P> {
    /// What a worker would do if a person asked for the call of `row` now ([`crate::jobs::LogNow`]). For a call that
    /// is not in the ledger, pass [`Row::accepted`].
    pub async fn preview(
        &self,
        workspace: &Workspace,
        mut row: Row,
        deadline: DateTime<Utc>,
    ) -> Result<Preview, PreviewError> {
        let mut drafts = Drafts::default();
        // A call that was reported with a revoked secret stays as it is.
        if !row.is_refused() {
            // As a claim does.
            row.attempts += 1;
            let ending = match plan(self, workspace, &mut row, Turn::until(deadline)).await {
                Ok(Planned::Write(plan)) => {
                    drafts = Drafts::of(plan.operations);
                    Ending::Logged(plan.note)
                }
                Ok(Planned::End(ending)) | Err(Stop::Ending(ending)) => ending,
                Err(Stop::Store(_)) => return Err(PreviewError::Unavailable),
            };
            match ending {
                Ending::Waiting(reason) => return Err(PreviewError::NotConnected(reason)),
                Ending::Refused(error) | Ending::NoSession(error) => {
                    return Err(PreviewError::Salesforce(error));
                }
                Ending::OutOfTime => return Err(PreviewError::Unavailable),
                ending => {
                    let draw = Draw { now: self.now(), fraction: 0.0 };
                    outcome::apply(&mut row, ending, workspace, self.settle_seconds, draw);
                }
            }
        }
        Ok(Preview {
            status: row.status,
            record: row.record,
            task_id: row.task_id,
            event_id: row.event_id,
            decision: row.decision,
            drafts,
            reason: row.reason,
        })
    }
}

async fn plan<P: Ports>(
    worker: &Worker<P>,
    workspace: &Workspace,
    row: &mut Row,
    turn: Turn,
) -> Result<Planned, Stop> {
    let (caller, connection) = preflight(row, workspace, worker.now())?;
    Attempt::new(worker, workspace, row, caller, connection, turn).plan(row).await
}

impl Drafts {
    fn of(operations: Operations) -> Self {
        match operations {
            Operations::CreateLead { lead, then } => Self { lead: Some(lead.draft), ..Self::on_record(then) },
            Operations::Write(activities) => Self::on_record(activities),
        }
    }

    fn on_record<Who: Serialize>(ActivityPlan { task, event }: ActivityPlan<Who>) -> Self {
        Self { lead: None, task: task.and_then(sent), event: event.and_then(sent) }
    }
}

/// What an operation sends, if anything.
fn sent<D: Draft>(operation: Operation<D>) -> Option<Fields> {
    match operation {
        Operation::Create(draft) => Some(draft.fields()),
        Operation::Change(change) => Some(change.changes.send).filter(|send| !send.is_empty()),
        Operation::Leave(_) => None,
    }
}
