//! A dry run: what would be written for a call, and why. Writes nothing, in Salesforce or in the ledger.

use chrono::{DateTime, Utc};

use crate::{
    activity::{EventDraft, TaskDraft},
    connection::NoSession,
    crm::CrmError,
    ids::SalesforceId,
    lead::LeadDraft,
    ledger::{Reason, Row, SyncStatus},
    matching::{Decision, Rule},
    ports::Clock,
    workspace::{RecordType, Workspace},
};

use super::{
    Ports, Worker,
    attempt::{choose, look, no_record, ready, search, wants_lead},
    new_lead::{Standing, standing},
    outcome::{self, Chance, Ending},
    session::{Session, Stop},
    write::Plan,
};

/// What would happen: what the row would say then, and what would be sent for it.
#[derive(Debug, Clone)]
pub struct Preview {
    /// Where the call would stand.
    pub status: SyncStatus,
    /// The record that the call is logged on, or would be; `None` where its Lead is still to be made.
    pub record: Option<(RecordType, SalesforceId)>,
    /// The Task that is there already: `task` would change it.
    pub task_id: Option<SalesforceId>,
    /// The Event that is there already: `event` would change it.
    pub event_id: Option<SalesforceId>,
    /// Candidates, choice and rule; `None` where nothing was ever decided.
    pub decision: Option<Decision>,
    /// What would be sent.
    pub drafts: Drafts,
    /// Why something would not be written.
    pub reason: Option<Reason>,
}

/// What would be sent to Salesforce.
#[derive(Debug, Clone, Default)]
pub struct Drafts {
    /// The Lead that would be made first.
    pub lead: Option<LeadDraft>,
    /// The Task that would be written. It is about nobody yet where the Lead is still to be made.
    pub task: Option<TaskDraft<Option<SalesforceId>>>,
    /// The Event that would be written, about the same record.
    pub event: Option<EventDraft<Option<SalesforceId>>>,
}

/// Why there is no preview.
#[derive(Debug, thiserror::Error)]
pub enum PreviewError {
    /// Calls wait for the workspace's connection.
    #[error("not connected: {}", .0.code)]
    NotConnected(Reason),
    /// Salesforce said no.
    #[error(transparent)]
    Salesforce(CrmError),
    /// Our own store failed, or time ran out.
    #[error("the search could not be made in time; try again")]
    Unavailable,
}

impl From<Stop> for PreviewError {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::Salesforce(error) | Stop::NoSession(NoSession::Salesforce(error)) => {
                Self::Salesforce(error)
            }
            Stop::NoSession(NoSession::NotConnected(reason)) => Self::NotConnected(reason),
            _ => Self::Unavailable,
        }
    }
}

impl<P: Ports> Worker<P> {
    /// What a worker would do if a person asked for the call of `row` now ([`Worker::wake`]); for a call that the ledger
    /// does not know, [`Row::accepted`] is its row.
    pub async fn preview(
        &self,
        workspace: &Workspace,
        mut row: Row,
        deadline: DateTime<Utc>,
    ) -> Result<Preview, PreviewError> {
        let mut drafts = Drafts::default();
        // What came under a revoked secret stays as it is.
        if !row.is_refused() {
            let ended = match foresee(self, workspace, &mut row, &mut drafts, deadline).await {
                Err(stop @ (Stop::Paused { .. } | Stop::Unsettled { .. })) => Err(stop),
                Ok(Ending::Waiting(reason)) => return Err(PreviewError::NotConnected(reason)),
                ended => Ok(ended?),
            };
            let chance = Chance { now: self.now(), fraction: 0.0 };
            outcome::apply(&mut row, ended, workspace, self.settle_seconds, chance);
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

/// An attempt that stops before anything is written.
async fn foresee<P: Ports>(
    worker: &Worker<P>,
    workspace: &Workspace,
    row: &mut Row,
    drafts: &mut Drafts,
    deadline: DateTime<Utc>,
) -> Result<Ending, Stop> {
    let (number, connection) = match ready(row, workspace, worker.now())? {
        Ok(ready) => ready,
        Err(ending) => return Ok(ending),
    };
    let settings = &workspace.settings;
    let mut session = Session::new(worker, &workspace.id, connection, deadline);
    let earlier = row.record.clone();
    let looked_at = worker.clock.now();
    if row.task_id.is_none()
        && let Some(ending) = search(&mut session, row, &number, settings, &[]).await?
    {
        return Ok(ending);
    }
    if row.unsettled_until.is_some() {
        look(&mut session, row, settings, earlier.as_ref()).await?;
    }
    if wants_lead(row, settings) {
        match standing(&session, &workspace.id, &number, looked_at, None).await? {
            Standing::Known(lead_id) => choose(row, Rule::NewLead, (RecordType::Lead, lead_id)),
            Standing::Free(_) => drafts.lead = Some(LeadDraft::of(&row.call, &number)),
        }
    }
    let who_id = row.record.as_ref().map(|(_, id)| id.clone());
    if who_id.is_none() && drafts.lead.is_none() {
        return Ok(no_record(row.decision.as_ref()));
    }
    let plan = Plan::of(row, workspace, &who_id, session.now());
    let note = plan.note();
    (drafts.task, drafts.event) = (plan.task, plan.event);
    Ok(Ending::Logged(note))
}
