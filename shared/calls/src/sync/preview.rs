//! A dry run: what would be written for a call, and why. Writes nothing, in Salesforce or in the ledger.

use chrono::{DateTime, Utc};

use crate::{
    connection::NoSession,
    crm::{CrmError, Fields, RecordType, WrittenObject},
    ids::SalesforceId,
    lead::LeadDraft,
    ledger::{Row, SyncStatus},
    matching::{Decision, Rule},
    ports::Clock,
    reason::Reason,
    workspace::Workspace,
};

use super::{
    Ports, Worker,
    attempt::{choose, look, no_record, omitted, ready, search, wants_lead},
    changes::Changes,
    new_lead::{Standing, standing},
    outcome::{self, Chance, Ending},
    session::{Session, Stop},
    update::{There, follow},
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
    /// The Task that would be written, or what would be changed of the one that is there. It is about nobody yet where the
    /// Lead is still to be made.
    pub task: Option<Fields>,
    /// The Event that would be written, about the same record, or what would be changed of it.
    pub event: Option<Fields>,
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
    let (caller, connection) = match ready(row, workspace, worker.now())? {
        Ok(ready) => ready,
        Err(ending) => return Ok(ending),
    };
    let settings = &workspace.settings;
    let omitted = omitted(row, workspace, worker.now());
    let mut session = Session::new(worker, &workspace.id, connection, omitted, deadline);
    let earlier = row.record.clone();
    let looked_at = worker.clock.now();
    if row.task_id.is_none()
        && let Some(ending) = search(&mut session, row, &caller, settings, &[]).await?
    {
        return Ok(ending);
    }
    if row.unsettled_until.is_some() {
        look(&mut session, row, settings, earlier.as_ref(), false).await?;
    }
    if let Some(number) = caller.number().filter(|_| wants_lead(row, settings)) {
        match standing(&mut session, workspace, number, looked_at, None).await? {
            Standing::Known(lead_id) => choose(row, Rule::NewLead, (RecordType::Lead, lead_id)),
            Standing::Free(_) => drafts.lead = Some(LeadDraft::of(&row.call, number)),
        }
    }
    if row.record.is_none() && drafts.lead.is_none() {
        return Ok(no_record(row, settings, session.finds_new_records_late));
    }
    draft_activities(&mut session, row, workspace, drafts).await
}

/// What would be sent for Task and Event: all of what is missing, and what differs of what is there.
async fn draft_activities<P: Ports>(
    session: &mut Session<'_, P>,
    row: &mut Row,
    workspace: &Workspace,
    drafts: &mut Drafts,
) -> Result<Ending, Stop> {
    let who_id = row.record.as_ref().map(|(_, id)| id.clone());
    let mut plan = Plan::of(row, workspace, &who_id, session.now());
    let there = There::take(&mut plan, row);
    let standing = there.read(session, row, &plan).await?;
    let taken_off = follow(row, &mut plan, standing.as_ref(), &[]);
    let [task, event] =
        standing.map(|standing| there.changes(row, &standing, session.now())).unwrap_or_default();
    let mut kept = Vec::new();
    for (object, changes) in [(WrittenObject::Task, &task), (WrittenObject::Event, &event)] {
        let named = |field: &String| format!("{object:?}.{field}");
        kept.extend(changes.iter().flat_map(|changes| &changes.kept).map(named));
        plan.left_out.extend(changes.iter().flat_map(|changes| &changes.hidden).map(named));
    }
    let note = taken_off.or_else(|| plan.note());
    let sent = |changes: Option<Changes>| changes.map(|changes| changes.send).filter(|send| !send.is_empty());
    drafts.task = plan.task.map(|task| task.fields()).or(sent(task));
    drafts.event = plan.event.map(|event| event.fields()).or(sent(event));
    Ok(Ending::Logged(outcome::kept_by_person(&kept, note)))
}
