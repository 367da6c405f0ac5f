//! A dry run: what would be written for a call, and why. Writes nothing, in Salesforce or in the ledger.

use chrono::{DateTime, Utc};

use crate::{
    activity::{EventDraft, TaskDraft},
    call::Call,
    connection::connected,
    crm::CrmError,
    ledger::Reason,
    matching::Decision,
    ports::Clock,
    workspace::{RecordType, Workspace},
};

use super::{
    Ports, Worker,
    attempt::{Search, caller, find},
    session::{Session, Stop},
    write::Drafts,
};

/// What would happen.
#[derive(Debug, Clone)]
pub struct Preview {
    /// Candidates, choice and rule; `None` where the call would be skipped before any search.
    pub decision: Option<Decision>,
    /// The Task that would be written.
    pub task: Option<TaskDraft>,
    /// The Event that would be written.
    pub event: Option<EventDraft>,
    /// Why something would not be written.
    pub reason: Option<Reason>,
}

impl Preview {
    fn nothing(reason: Reason) -> Self {
        Self { decision: None, task: None, event: None, reason: Some(reason) }
    }
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

impl<P: Ports> Worker<P> {
    /// Searches and decides for `call`, and drafts what would be written.
    pub async fn preview(
        &self,
        workspace: &Workspace,
        call: &Call,
        deadline: DateTime<Utc>,
    ) -> Result<Preview, PreviewError> {
        let number = match caller(call, &workspace.settings) {
            Ok(number) => number,
            Err(reason) => return Ok(Preview::nothing(reason)),
        };
        let connection = connected(workspace).map_err(PreviewError::NotConnected)?.clone();
        let mut session = Session::new(self, &workspace.id, connection, deadline);
        let decision = match find(&mut session, &number, &workspace.settings).await {
            Ok(Search::Decided(decision)) => decision,
            Ok(Search::Full(object)) => return Ok(Preview::nothing(too_many(object))),
            Err(Stop::Salesforce(error)) => return Err(PreviewError::Salesforce(error)),
            Err(Stop::NoSession(crate::connection::NoSession::NotConnected(reason))) => {
                return Err(PreviewError::NotConnected(reason));
            }
            Err(Stop::NoSession(crate::connection::NoSession::Salesforce(error))) => {
                return Err(PreviewError::Salesforce(error));
            }
            Err(_) => return Err(PreviewError::Unavailable),
        };
        let Some((_, who_id)) = decision.record() else {
            return Ok(Preview { decision: Some(decision), task: None, event: None, reason: None });
        };
        let drafts = Drafts::of(call, &workspace.settings, &who_id, self.clock.now().timestamp());
        Ok(Preview {
            decision: Some(decision),
            task: Some(drafts.task),
            event: drafts.event,
            reason: drafts.note,
        })
    }
}

fn too_many(object: RecordType) -> Reason {
    Reason::new("too_many_candidates", format!("200 or more {object:?}s have a number like the caller's."))
}
