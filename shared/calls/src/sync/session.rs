//! Requests to Salesforce within one attempt: with a session that is renewed once if Salesforce no longer takes it.

use chrono::{DateTime, TimeDelta, Utc};

use crate::{
    activity::{EventDraft, TaskDraft},
    connection::{NoSession, Sessions},
    crm::{Answer, ApiUsage, CrmError, FaultClass, Found, PhoneQuery, Written},
    ids::{CallId, SalesforceId, WorkspaceId},
    ports::{Clock, Crm, Look},
    workspace::{Connection, RecordType},
};

use super::{Ports, Worker};

/// What a write may take: Salesforce's request limit, and the outcome's way into the ledger.
const WRITE_TAKES: TimeDelta = TimeDelta::seconds(15);

/// Why an attempt cannot go on.
#[derive(Debug)]
pub(super) enum Stop {
    /// Salesforce said no.
    Salesforce(CrmError),
    /// There is no session.
    NoSession(NoSession),
    /// Too little time is left to write and to record the outcome.
    OutOfTime,
    /// An earlier attempt's write may still commit.
    Unsettled {
        /// Until then, Unix seconds.
        until: i64,
    },
}

/// Asks Salesforce, and once more if the session had to be renewed. (A closure over the session would be shorter, but
/// its future could not move between threads.)
macro_rules! renewing {
    ($session:ident.$request:ident($($argument:expr),*)) => {
        loop {
            let answer = $session.worker.salesforce.$request(&$session.connection $(, $argument)*).await;
            if let Some(value) = $session.hear(answer).await? {
                break Ok(value);
            }
        }
    };
}

/// A session with Salesforce.
pub(super) struct Session<'a, P: Ports> {
    worker: &'a Worker<P>,
    workspace_id: &'a WorkspaceId,
    connection: Connection,
    renewed: bool,
    deadline: DateTime<Utc>,
    /// The org's use of requests, as last heard.
    pub(super) api_usage: Option<ApiUsage>,
}

impl<'a, P: Ports> Session<'a, P> {
    pub(super) fn new(
        worker: &'a Worker<P>,
        workspace_id: &'a WorkspaceId,
        connection: Connection,
        deadline: DateTime<Utc>,
    ) -> Self {
        Self { worker, workspace_id, connection, renewed: false, deadline, api_usage: None }
    }

    /// Unix seconds.
    pub(super) fn now(&self) -> i64 {
        self.worker.now()
    }

    /// Looks for records: one request.
    pub(super) async fn search(&mut self, query: &PhoneQuery) -> Result<Found, Stop> {
        renewing!(self.search(query))
    }

    /// Looks for what earlier attempts wrote.
    pub(super) async fn look(
        &mut self,
        call_id: &CallId,
        record: Option<&(RecordType, SalesforceId)>,
        since: DateTime<Utc>,
    ) -> Result<Look, Stop> {
        renewing!(self.look(call_id, record, since))
    }

    /// A status that the org gives closed Tasks.
    pub(super) async fn closed_task_status(&mut self) -> Result<Option<String>, Stop> {
        renewing!(self.closed_task_status())
    }

    /// Writes what is given: one request, all or nothing.
    pub(super) async fn create(
        &mut self,
        task: Option<&TaskDraft>,
        event: Option<&EventDraft>,
    ) -> Result<Written, Stop> {
        self.time_to_write()?;
        renewing!(self.create(task, event))
    }

    /// Changes a Task.
    pub(super) async fn update_task(&mut self, id: &SalesforceId, task: &TaskDraft) -> Result<(), Stop> {
        self.time_to_write()?;
        renewing!(self.update_task(id, task))
    }

    /// Changes an Event.
    pub(super) async fn update_event(&mut self, id: &SalesforceId, event: &EventDraft) -> Result<(), Stop> {
        self.time_to_write()?;
        renewing!(self.update_event(id, event))
    }

    /// Takes an answer. `None`: Salesforce refused the session, there is a new one now, ask again.
    async fn hear<T>(&mut self, answer: Result<Answer<T>, CrmError>) -> Result<Option<T>, Stop> {
        match answer {
            Ok(answer) => {
                self.api_usage = answer.api_usage.or(self.api_usage);
                Ok(Some(answer.value))
            }
            Err(error) if error.class == FaultClass::Session && !self.renewed => {
                self.renew().await.map_err(Stop::NoSession)?;
                Ok(None)
            }
            Err(error) => Err(Stop::Salesforce(error)),
        }
    }

    fn time_to_write(&self) -> Result<(), Stop> {
        let left = self.deadline - self.worker.clock.now();
        if left < WRITE_TAKES { Err(Stop::OutOfTime) } else { Ok(()) }
    }

    async fn renew(&mut self) -> Result<(), NoSession> {
        let worker = self.worker;
        let sessions = Sessions {
            store: &worker.workspaces,
            tokens: &worker.salesforce,
            clock: &worker.clock,
            random: &worker.random,
        };
        let org_id = self.connection.org_id.clone();
        self.connection = sessions.renew(self.workspace_id, self.connection.version, self.deadline).await?;
        self.renewed = true;
        if self.connection.org_id == org_id {
            return Ok(());
        }
        // Reconnected to another org under our hands: the next attempt sees that from the start.
        Err(NoSession::OutOfTime)
    }
}
