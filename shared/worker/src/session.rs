//! Requests to Salesforce within one attempt. The session is renewed once if Salesforce no longer accepts it, and
//! faults that may pass quickly are retried a few times.

use std::{collections::BTreeSet, future::Future, pin::pin, time::Duration};

use calls::{
    ids::{CallId, SalesforceId, WorkspaceId},
    timings::{PATIENCE, QUICK_TRIES, QUICK_TRY_TAKES, WRITE_TAKES},
};
use chrono::{DateTime, Utc};
use crm::{
    Activities, Answer, ApiUsage, CrmError, Duplicates, FaultClass, Fields, Found, Omitted, PhoneQuery,
    RecordType, Written, WrittenObject,
    activity::{EventDraft, TaskDraft},
    lead::LeadDraft,
    outcome::Ending,
    workspace::Connection,
};

use crate::{
    breakers::Heard,
    connection::{SessionError, Sessions},
    ports::{Clock, Crm, Look, Random, StoreError},
    worker::{Ports, Turn, Worker},
};

/// Why an attempt cannot go on.
#[derive(Debug)]
pub(super) enum Stop {
    /// It ends like this.
    Ending(Ending),
    /// Our own store failed.
    Store(StoreError),
}

impl Stop {
    /// Salesforce's refusal, if that is the reason.
    pub(super) fn refusal(self) -> Result<CrmError, Self> {
        match self {
            Self::Ending(Ending::Refused(error)) => Ok(error),
            stop => Err(stop),
        }
    }
}

impl From<Ending> for Stop {
    fn from(ending: Ending) -> Self {
        Self::Ending(ending)
    }
}

impl From<CrmError> for Stop {
    fn from(error: CrmError) -> Self {
        Self::Ending(Ending::Refused(error))
    }
}

impl From<StoreError> for Stop {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<SessionError> for Stop {
    fn from(reason: SessionError) -> Self {
        match reason {
            SessionError::NotConnected(reason) => Ending::Waiting(reason).into(),
            SessionError::Salesforce(error) | SessionError::FailedElsewhere(error) => {
                Ending::NoSession(error).into()
            }
            SessionError::LeftAlone { until } => Ending::LeftAlone { until }.into(),
            SessionError::Waiting => Ending::Crowded.into(),
            SessionError::OutOfTime => Ending::OutOfTime.into(),
            SessionError::Store(error) => Self::Store(error),
        }
    }
}

/// Sends a request, and repeats it whenever [`Session::handle_response`] says so. (A closure over the session would be
/// shorter, but its future could not move between threads.)
macro_rules! request {
    // A read may give way.
    ($session:ident.$request:ident($($argument:expr),*)) => {
        loop {
            let pending = $session.worker.salesforce.$request(&$session.connection $(, $argument)*);
            let (response, took_place) = $session.patiently(pending).await?;
            $session.has_place |= took_place;
            if let Some(value) = $session.handle_response(response).await? {
                break Ok::<_, Stop>(value);
            }
        }
    };
    ($check:expr, $session:ident.$request:ident($($argument:expr),*)) => {
        loop {
            $check;
            let response = $session.worker.salesforce.$request(&$session.connection $(, $argument)*).await;
            if let Some(value) = $session.handle_response(response).await? {
                break Ok::<_, Stop>(value);
            }
        }
    };
}

/// A session with Salesforce, for one attempt.
pub(super) struct Session<'a, P: Ports> {
    pub(super) worker: &'a Worker<P>,
    workspace_id: &'a WorkspaceId,
    connection: Connection,
    renewed: bool,
    quick_retries: usize,
    /// What reads leave out without trying.
    omitted: Omitted,
    /// The part of it that this attempt learned.
    pub(super) newly_omitted: Omitted,
    deadline: DateTime<Utc>,
    /// Whether the call gives way to those of other workspaces.
    gives_way: bool,
    /// Whether it has taken one of its workspace's places.
    pub(super) has_place: bool,
    /// Whether the org has answered this attempt's requests in time.
    pub(super) heard: Heard,
    /// The org's use of requests, from the latest response that had it.
    pub(super) api_usage: Option<ApiUsage>,
}

impl<'a, P: Ports> Session<'a, P> {
    pub(super) fn new(
        worker: &'a Worker<P>,
        workspace_id: &'a WorkspaceId,
        connection: Connection,
        omitted: Omitted,
        turn: Turn,
    ) -> Self {
        Self {
            worker,
            workspace_id,
            connection,
            renewed: false,
            quick_retries: 0,
            omitted,
            newly_omitted: Omitted::default(),
            deadline: turn.deadline,
            gives_way: turn.gives_way,
            has_place: false,
            heard: Heard::Nothing,
            api_usage: None,
        }
    }

    /// Unix seconds.
    pub(super) fn now(&self) -> i64 {
        self.worker.now()
    }

    /// Searches for records by phone number.
    pub(super) async fn search(&mut self, objects: &[RecordType], query: &PhoneQuery) -> Result<Found, Stop> {
        let omitted = self.omitted.clone();
        let found: Found = request!(self.search(objects, query, &omitted))?;
        self.learn_omitted(&found.omitted);
        Ok(found)
    }

    /// Whether reads leave out something that an earlier attempt learned. Once they try everything again, they don't,
    /// or a search for everything would be repeated forever.
    pub(super) fn omits_from_memory(&self) -> bool {
        let new = &self.newly_omitted;
        !(self.omitted.unreadable.is_subset(&new.unreadable)
            && self.omitted.unfilterable.is_subset(&new.unfilterable))
    }

    /// Makes reads try everything again.
    pub(super) fn forget_omitted(&mut self) {
        self.omitted = Omitted::default();
    }

    fn learn_omitted(&mut self, all: &Omitted) {
        let new = |all: &BTreeSet<String>, known: &BTreeSet<String>| -> Vec<String> {
            all.difference(known).cloned().collect()
        };
        self.newly_omitted.unreadable.extend(new(&all.unreadable, &self.omitted.unreadable));
        self.newly_omitted.unfilterable.extend(new(&all.unfilterable, &self.omitted.unfilterable));
        self.omitted.unreadable.extend(all.unreadable.iter().cloned());
        self.omitted.unfilterable.extend(all.unfilterable.iter().cloned());
    }

    /// Looks for what earlier attempts wrote.
    pub(super) async fn look(
        &mut self,
        call_id: &CallId,
        who_ids: &[SalesforceId],
        since: DateTime<Utc>,
        may_be_older: bool,
    ) -> Result<Look, Stop> {
        request!(self.look(call_id, who_ids, since, may_be_older))
    }

    /// Reads a Task and an Event.
    pub(super) async fn read(
        &mut self,
        task_id: Option<&SalesforceId>,
        event_id: Option<&SalesforceId>,
    ) -> Result<Activities, Stop> {
        request!(self.read(task_id, event_id))
    }

    /// Queries records that search may not have indexed yet.
    pub(super) async fn recent(
        &mut self,
        objects: &[RecordType],
        query: &PhoneQuery,
        since: DateTime<Utc>,
    ) -> Result<Found, Stop> {
        let omitted = self.omitted.clone();
        let found: Found = request!(self.recent(objects, query, since, &omitted))?;
        self.learn_omitted(&found.omitted);
        Ok(found)
    }

    /// Reads records by their ids.
    pub(super) async fn records(&mut self, ids: &[SalesforceId]) -> Result<Found, Stop> {
        let omitted = self.omitted.clone();
        let found: Found = request!(self.records(ids, &omitted))?;
        self.learn_omitted(&found.omitted);
        Ok(found)
    }

    /// The Contact that a Lead was converted to.
    pub(super) async fn converted_to(
        &mut self,
        lead_id: &SalesforceId,
    ) -> Result<Option<SalesforceId>, Stop> {
        request!(self.converted_to(lead_id))
    }

    /// Creates a Lead.
    pub(super) async fn create_lead(
        &mut self,
        lead: &LeadDraft,
        duplicates: Duplicates,
    ) -> Result<SalesforceId, Stop> {
        request!(self.time_to_write()?, self.create_lead(lead, duplicates))
    }

    /// A status of closed Tasks in this org.
    pub(super) async fn closed_task_status(&mut self) -> Result<Option<String>, Stop> {
        request!(self.closed_task_status())
    }

    /// Creates a Task, an Event or both: one request, all or nothing.
    pub(super) async fn create(
        &mut self,
        task: Option<&TaskDraft>,
        event: Option<&EventDraft>,
    ) -> Result<Written, Stop> {
        request!(self.time_to_write()?, self.create(task, event))
    }

    /// Changes fields of a Task or an Event.
    pub(super) async fn update(
        &mut self,
        object: WrittenObject,
        id: &SalesforceId,
        fields: &Fields,
        unmodified_since: DateTime<Utc>,
    ) -> Result<(), Stop> {
        request!(self.time_to_write()?, self.update(object, id, fields, unmodified_since))
    }

    /// Handles a response. `None`: repeat the request, because the session is new or the fault may have passed.
    async fn handle_response<T>(&mut self, response: Result<Answer<T>, CrmError>) -> Result<Option<T>, Stop> {
        self.heard = match &response {
            Err(error) if error.timed_out() => Heard::NoAnswer,
            _ if self.heard == Heard::NoAnswer => Heard::NoAnswer,
            _ => Heard::Answers,
        };
        match response {
            Ok(response) => {
                self.api_usage = response.api_usage.or(self.api_usage);
                Ok(Some(response.value))
            }
            Err(error) if error.class == FaultClass::Session && !self.renewed => {
                self.renew().await?;
                Ok(None)
            }
            // A timeout is unlikely to pass quickly, and a retry would block this batch for half a minute while other
            // workspaces' calls wait.
            Err(error) if error.timed_out() => Err(error.into()),
            Err(error) if error.class == FaultClass::Passing && self.wait_to_retry().await => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Waits before a quick retry; `false`: no retries or not enough time left.
    async fn wait_to_retry(&mut self) -> bool {
        let left = self.deadline - self.worker.clock.now();
        let Some(wait) = QUICK_TRIES.get(self.quick_retries).filter(|_| left >= QUICK_TRY_TAKES) else {
            return false;
        };
        self.quick_retries += 1;
        self.worker.clock.sleep(wait.mul_f64(self.worker.random.fraction())).await;
        true
    }

    /// Waits for another worker; `false`: not enough time left for what follows.
    pub(super) async fn wait_if_time(&self, wait: Duration) -> bool {
        let enough = self.deadline - self.worker.clock.now() >= QUICK_TRY_TAKES;
        if enough {
            self.worker.clock.sleep(wait).await;
        }
        enough
    }

    /// The result of a read, and whether the call took a place while it waited for it. A read that has no place is
    /// given up: it has changed nothing.
    async fn patiently<T: Send>(&self, pending: impl Future<Output = T> + Send) -> Result<(T, bool), Stop> {
        let mut pending = pin!(pending);
        if !self.gives_way || self.has_place {
            return Ok((pending.await, false));
        }
        if let Some(done) = self.worker.clock.within(PATIENCE, pending.as_mut()).await {
            return Ok((done, false));
        }
        if !self.take_place().await? {
            return Err(Ending::Crowded.into());
        }
        Ok((pending.await, true))
    }

    async fn take_place(&self) -> Result<bool, StoreError> {
        let Worker { places, workspaces, random, .. } = self.worker;
        places.take(workspaces, self.workspace_id, random.id(), self.deadline.timestamp(), self.now()).await
    }

    fn time_to_write(&self) -> Result<(), Stop> {
        let left = self.deadline - self.worker.clock.now();
        if left < WRITE_TAKES { Err(Ending::OutOfTime.into()) } else { Ok(()) }
    }

    async fn renew(&mut self) -> Result<(), SessionError> {
        let worker = self.worker;
        let sessions = Sessions {
            store: &worker.workspaces,
            tokens: &worker.salesforce,
            clock: &worker.clock,
            random: &worker.random,
        };
        let org_id = self.connection.org_id.clone();
        let mut waits_until = self.deadline;
        if self.gives_way && !self.has_place {
            waits_until = waits_until.min(worker.clock.now() + PATIENCE);
        }
        self.connection = loop {
            let stale = self.connection.version;
            match sessions.renew_within(self.workspace_id, stale, self.deadline, waits_until).await {
                Err(SessionError::Waiting) if waits_until < self.deadline && self.take_place().await? => {
                    (self.has_place, waits_until) = (true, self.deadline);
                }
                Err(SessionError::Salesforce(error))
                    if error.class == FaultClass::Passing
                        && !error.timed_out()
                        && self.wait_to_retry().await => {}
                ended => break ended?,
            }
        };
        self.renewed = true;
        if self.connection.org_id == org_id {
            return Ok(());
        }
        // Somebody has reconnected to another org in the meantime: the next attempt handles that.
        Err(SessionError::OutOfTime)
    }
}
