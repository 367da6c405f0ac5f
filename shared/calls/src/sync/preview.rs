//! A dry run: what would be written for a call, and why. Writes nothing, in Salesforce or in the ledger.

use chrono::{DateTime, Utc};

use crate::{
    activity::{EventDraft, TaskDraft},
    call::Call,
    connection::{NoSession, connected},
    crm::CrmError,
    ids::SalesforceId,
    lead::LeadDraft,
    ledger::Reason,
    matching::{Decision, Rule},
    ports::StoreError,
    workspace::{RecordType, Workspace},
};

use super::{
    Ports, Worker,
    attempt::{Search, caller, find, wants_lead},
    new_lead::known_lead,
    outcome,
    session::{Session, Stop},
    write::Drafts,
};

/// What would happen.
#[derive(Debug, Clone, Default)]
pub struct Preview {
    /// Candidates, choice and rule; `None` where the call would be skipped before it is decided.
    pub decision: Option<Decision>,
    /// The Lead that would be made first.
    pub lead: Option<LeadDraft>,
    /// The Task that would be written. It is about nobody yet where the Lead is still to be made.
    pub task: Option<TaskDraft<Option<SalesforceId>>>,
    /// The Event that would be written, about the same record.
    pub event: Option<EventDraft<Option<SalesforceId>>>,
    /// Why something would not be written.
    pub reason: Option<Reason>,
}

impl Preview {
    fn nothing(decision: Option<Decision>, reason: Reason) -> Self {
        Self { decision, reason: Some(reason), ..Self::default() }
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

impl From<StoreError> for PreviewError {
    fn from(_: StoreError) -> Self {
        Self::Unavailable
    }
}

impl<P: Ports> Worker<P> {
    /// Searches and decides for `call`, which arrived at `received_at` (Unix seconds), and drafts what would be written.
    pub async fn preview(
        &self,
        workspace: &Workspace,
        call: &Call,
        received_at: i64,
        deadline: DateTime<Utc>,
    ) -> Result<Preview, PreviewError> {
        let number = match caller(call, &workspace.settings) {
            Ok(number) => number,
            Err(reason) => return Ok(Preview::nothing(None, reason)),
        };
        let connection = connected(workspace).map_err(PreviewError::NotConnected)?.clone();
        let mut session = Session::new(self, &workspace.id, connection, deadline);
        let mut decision = match find(&mut session, &number, &workspace.settings).await? {
            Search::Decided(decision) => decision,
            Search::Full(object) => return Ok(Preview::nothing(None, outcome::too_many(object))),
        };
        let mut lead = None;
        if wants_lead(&decision, &workspace.settings) {
            match known_lead(&session, &workspace.id, &number).await? {
                Some(known) => decision.choose(Rule::NewLead, Some((RecordType::Lead, known))),
                None => lead = Some(LeadDraft::of(call, &number)),
            }
        }
        let who_id = decision.record().map(|(_, id)| id);
        if who_id.is_none() && lead.is_none() {
            let reason = match decision.rule {
                Rule::SkipMultiple => outcome::multiple_matches(),
                _ => outcome::not_found(),
            };
            return Ok(Preview::nothing(Some(decision), reason));
        }
        let mut drafts = Drafts::of(call, &workspace.settings, &who_id, received_at);
        let left_out = drafts.leave_out_known(&workspace.refused_fields, session.now());
        let Drafts { task, event, note } = drafts;
        let reason = outcome::fields_left_out(&left_out).or(note);
        Ok(Preview { decision: Some(decision), lead, task: Some(task), event, reason })
    }
}
