//! One attempt to log a call: observe, plan, apply, until the plan has been carried out or there is nothing to write.

use calls::ids::SalesforceId;
use crm::{
    FaultClass, Omitted,
    breaker::{Access, Breaker},
    caller::Caller,
    lead::NumberClaim,
    ledger::Row,
    outcome::{self, Ending},
    phone::PhoneNumber,
    plan::{Known, Next, Observed, Plan, Step, plan},
    schedule,
    workspace::{Connection, Lessons, Workspace},
};

use crate::{
    breakers,
    claim::Claimed,
    connection::connected,
    ports::{BreakerOf, OrgMemory, Random, StoreError},
    session::{Session, Stop},
    worker::{Ports, Turn, Worker},
};

/// Attempts to log the claimed call. The returned row contains the outcome; it is not stored yet.
pub(super) async fn attempt<P: Ports>(
    worker: &Worker<P>,
    workspace: &Workspace,
    claimed: &Claimed,
    turn: Turn,
) -> Result<Row, StoreError> {
    let mut row = claimed.row.clone();
    row.unsettled_until = claimed.unsettled_until;
    let ending = log_call(worker, workspace, &mut row, turn).await?;
    let draw = outcome::Draw { now: worker.now(), fraction: worker.random.fraction() };
    outcome::apply(&mut row, ending, workspace, worker.settle_seconds, draw);
    Ok(row)
}

async fn log_call<P: Ports>(
    worker: &Worker<P>,
    workspace: &Workspace,
    row: &mut Row,
    turn: Turn,
) -> Result<Ending, StoreError> {
    let (caller, connection) = match preflight(row, workspace, worker.now()) {
        Ok(caller_and_connection) => caller_and_connection,
        Err(ending) => return Ok(ending),
    };
    let org_id = connection.org_id.clone();
    let breaker = BreakerOf::Org(&workspace.id, &org_id);
    let asking = match breakers::ask(&worker.workspaces, breaker, workspace.breaker, worker.now()).await? {
        Ok(asking) => asking,
        Err(until) => return Ok(Ending::LeftAlone { until }),
    };
    let mut attempt = Attempt::new(worker, workspace, row, caller, connection, turn);
    let ended = attempt.log(row).await;
    if attempt.session.has_place {
        worker.places.leave(&worker.workspaces, &workspace.id, worker.now()).await;
    }
    let heard = attempt.session.heard;
    let left_alone = breakers::tell(&worker.workspaces, breaker, asking, heard, worker.now()).await;
    row.api_usage = attempt.session.api_usage.or(row.api_usage);
    let lessons = attempt.lessons();
    remember(worker, workspace, &org_id, &lessons).await;
    let ending = match ended {
        Ok(Ending::Refused(error)) | Err(Stop::Ending(Ending::Refused(error))) if error.timed_out() => {
            Ending::Unanswered { error, left_alone }
        }
        Ok(ending) | Err(Stop::Ending(ending)) => ending,
        Err(Stop::Store(error)) => return Err(error),
    };
    Ok(share_org_limits(worker, workspace, &org_id, ending).await)
}

/// The caller and the connection to use; or how the attempt ends before Salesforce is asked anything.
pub(super) fn preflight(
    row: &mut Row,
    workspace: &Workspace,
    now: i64,
) -> Result<(Caller, Connection), Ending> {
    let caller = Caller::of(&row.call, &workspace.settings).map_err(Ending::Skipped)?;
    row.phone_number = caller.number().map(PhoneNumber::e164);
    let connection = connected(workspace).map_err(Ending::Waiting)?;
    if row.tried_with.as_ref().is_some_and(|tried| tried.org_id != connection.org_id) {
        return Err(Ending::OtherOrg);
    }
    if let Some(until) = workspace.paused_until.filter(|until| *until > now) {
        return Err(Ending::Paused { until });
    }
    match Breaker::access(workspace.breaker, now) {
        Access::LeftAlone(until) => Err(Ending::LeftAlone { until }),
        Access::Free | Access::Test => Ok((caller, connection.clone())),
    }
}

/// What reads leave out without trying. If a person retries the call, nothing: they may have fixed the cause.
fn omitted(row: &Row, workspace: &Workspace, now: i64) -> Omitted {
    if row.was_queued_again() { Omitted::default() } else { workspace.learned.omitted(now) }
}

/// An attempt in progress. [`Self::observe`] reads, [`plan`] decides, [`Self::apply`] writes.
pub(super) struct Attempt<'a, P: Ports> {
    pub(super) workspace: &'a Workspace,
    pub(super) caller: Caller,
    pub(super) session: Session<'a, P>,
    pub(super) seen: Observed,
    /// The claim on the caller's number, while a Lead is created.
    pub(super) claim: Option<NumberClaim>,
}

/// The result of planning.
pub(super) enum Planned {
    /// Carry out these operations.
    Write(Box<Plan>),
    /// Write nothing; the attempt ends like this.
    End(Ending),
}

impl<'a, P: Ports> Attempt<'a, P> {
    pub(super) fn new(
        worker: &'a Worker<P>,
        workspace: &'a Workspace,
        row: &Row,
        caller: Caller,
        connection: Connection,
        turn: Turn,
    ) -> Self {
        let omitted = omitted(row, workspace, worker.now());
        let session = Session::new(worker, &workspace.id, connection, omitted, turn);
        Self { workspace, caller, session, seen: Observed::at_start(row, turn.look_first), claim: None }
    }

    /// Plans and applies until everything is written. Always releases the claim on the number.
    async fn log(&mut self, row: &mut Row) -> Result<Ending, Stop> {
        let ended = self.plan_and_apply(row).await;
        self.release_claim().await;
        ended
    }

    async fn plan_and_apply(&mut self, row: &mut Row) -> Result<Ending, Stop> {
        loop {
            let mut plan = match self.plan(row).await? {
                Planned::Write(plan) => plan,
                Planned::End(ending) => return Ok(ending),
            };
            let note = plan.note.take();
            if self.apply(row, *plan).await?.is_done() {
                return Ok(Ending::Logged(note));
            }
        }
    }

    /// Observes until the plan is complete. Changes nothing in Salesforce; puts the choice and earlier attempts'
    /// activities into the row.
    pub(super) async fn plan(&mut self, row: &mut Row) -> Result<Planned, Stop> {
        loop {
            let now = self.session.now();
            let Step { choice, next } =
                plan(Known { row, workspace: self.workspace, caller: &self.caller, seen: &self.seen, now });
            row.record.clone_from(&choice.record);
            row.decision.clone_from(&choice.decision);
            match next {
                Next::Observe(question) => self.observe(row, question).await?,
                Next::Adopt(adoption) => self.adopt(row, adoption),
                Next::Write(plan) => return Ok(Planned::Write(plan)),
                Next::End(ending) => return Ok(Planned::End(ending)),
            }
        }
    }

    /// What the attempt learned about the org.
    fn lessons(&self) -> Lessons {
        Lessons { omitted: self.session.newly_omitted.clone(), ..self.seen.lessons() }
    }
}

/// Remembers what the org refuses, for a day. Best effort: the other workers will learn it themselves.
async fn remember<P: Ports>(
    worker: &Worker<P>,
    workspace: &Workspace,
    org_id: &SalesforceId,
    lessons: &Lessons,
) {
    if lessons.is_empty() {
        return;
    }
    tracing::warn!(
        workspace.id = %workspace.id, lessons = ?lessons,
        "the org refuses fields or a status; remembered for a day"
    );
    let learned = workspace.learned.with(lessons, worker.now());
    let shared = worker.workspaces.remember(&workspace.id, org_id, &learned, lessons).await;
    warn_if_not_shared(workspace, shared);
}

/// Pauses the workspace if its org's request limit is reached. Best effort: the others will hit the limit themselves.
async fn share_org_limits<P: Ports>(
    worker: &Worker<P>,
    workspace: &Workspace,
    org_id: &SalesforceId,
    ending: Ending,
) -> Ending {
    let now = worker.now();
    let until = match &ending {
        Ending::Refused(error) if error.class == FaultClass::ConcurrentLimit => {
            schedule::concurrent_limit(now, worker.random.fraction())
        }
        Ending::Refused(error) if error.class == FaultClass::DailyLimit => schedule::daily_limit(now),
        _ => return ending,
    };
    tracing::warn!(workspace.id = %workspace.id, until, "the org's request limit is reached; its calls are paused");
    warn_if_not_shared(workspace, worker.workspaces.pause(&workspace.id, org_id, until).await);
    Ending::Paused { until }
}

fn warn_if_not_shared(workspace: &Workspace, shared: Result<(), StoreError>) {
    if let Err(error) = shared {
        tracing::warn!(
            workspace.id = %workspace.id, error = %error,
            "a limit or a lesson could not be shared with the other workers"
        );
    }
}
