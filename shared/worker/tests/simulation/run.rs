//! One run: the scheduler, which decides what happens next.

use std::{
    pin::Pin,
    task::{Context, Poll, Waker},
};

use calls::{
    ids::WorkspaceId,
    status::SyncStatus,
    timings::{self, BATCH},
};
use chrono::TimeDelta;
use crm::workspace::{ConnectionState, NoMatch, Workspace};
use worker::{
    connection::Sessions,
    jobs::{KeepAlive, WakeDue},
    ports::{Clock, StoreError},
};

use crate::{
    functions::{connect, disconnect, retry, retry_all, sync, webhook},
    invariants,
    plan::{Action, Plan, Totals},
    samples::{index_of, namesake, org_id, record, reported, twin, twin_id, who_id, workspace_id},
    world::{Broken, Message, START, State, World},
};

/// The timeout of `sync`, milliseconds.
pub const TIMEOUT: i64 = timings::SYNC_TIMEOUT.num_milliseconds();
const VISIBILITY: i64 = timings::VISIBILITY.num_milliseconds();
/// How often a message is delivered before it moves to the dead-letter queue.
pub const MAX_RECEIVES: u32 = timings::RECEIVES;
const MINUTE: i64 = 60_000;
/// The age at which tokens are refreshed to keep a connection alive, seconds.
const IDLE: i64 = timings::TOKENS_IDLE.num_seconds();
/// The maximum number of steps: a base, plus more for each action. A world that is not at rest by then never will be.
const STEPS: usize = 50_000;
const STEPS_EACH: usize = 2_000;

struct Process {
    id: u64,
    name: String,
    started_at: i64,
    ready_at: i64,
    future: Pin<Box<dyn Future<Output = Completed>>>,
}

/// The ids of the completed messages, or why the process failed.
type Completed = Result<Vec<u64>, StoreError>;

struct Run {
    world: World,
    processes: Vec<Process>,
    script: Vec<(i64, Action)>,
    next_sweep: i64,
    reports: u64,
    started: u64,
}

/// Runs a plan to its end. The error is the trace of a broken promise.
pub fn explore(plan: &Plan, broken: Option<Broken>) -> Result<Totals, String> {
    let (world, reports) = run_traced(plan, broken)?;
    let state = world.state();
    let tasks = state.salesforce.tasks.len() as u64;
    Ok(Totals { calls: state.calls, faults: state.faults, reports, tasks })
}

/// The world at the end of a plan.
pub fn world_after(plan: &Plan) -> World {
    run_traced(plan, None).unwrap_or_else(|failure| panic!("{failure}")).0
}

fn run_traced(plan: &Plan, broken: Option<Broken>) -> Result<(World, u64), String> {
    // The same plan gives the same run, so the trace is only recorded in a second run if the first one fails.
    run(plan, broken, false).or_else(|_| run(plan, broken, true))
}

fn run(plan: &Plan, broken: Option<Broken>, traced: bool) -> Result<(World, u64), String> {
    let world = World::new(plan.seed, broken, traced);
    {
        let mut state = world.state();
        state.planned = plan.faults.iter().copied().collect();
        state.random_faults_left = plan.random_faults;
        state.stale_indexes = plan.stale_indexes;
        state.salesforce.keeps_tokens = plan.keeps_tokens;
        state.salesforce.hides_call_object = plan.hides_call_object;
        state.salesforce.hides_phone = plan.hides_phone;
        state.salesforce.duplicate_rule = plan.duplicate_rule;
        state.salesforce.refuses_recent = plan.refuses_recent;
    }
    let mut script = plan.script.clone();
    script.reverse();
    let mut run =
        Run { world, processes: Vec::new(), script, next_sweep: (START + 60) * 1000, reports: 0, started: 0 };
    let mut steps = 0;
    while run.step() {
        steps += 1;
        let mut state = run.world.state();
        invariants::always(&mut state);
        if steps == STEPS + plan.script.len() * STEPS_EACH {
            state.violate("the world never comes to rest");
        }
        if !state.violations.is_empty() {
            break;
        }
    }
    let mut state = run.world.state();
    if state.violations.is_empty() {
        invariants::at_rest(&mut state);
    }
    if state.violations.is_empty() {
        drop(state);
        return Ok((run.world, run.reports));
    }
    Err(format!("{plan:?}\n{}", state.trace()))
}

enum Next {
    Resume(usize),
    Deliver(usize),
    Act,
    Sweep,
}

impl Run {
    /// Takes one step. `false` if there is nothing left to do.
    fn step(&mut self) -> bool {
        self.apply_delayed();
        let choices = self.choices();
        if choices.is_empty() {
            return self.wait();
        }
        let choice = self.world.state().rng.usize(0..choices.len());
        match choices[choice] {
            Next::Resume(index) => self.resume(index),
            Next::Deliver(index) => self.deliver(index),
            Next::Act => self.act(),
            Next::Sweep => self.sweep(),
        }
        true
    }

    /// Applies delayed effects that are due.
    fn apply_delayed(&mut self) {
        let mut state = self.world.state();
        let now = state.now;
        while let Some(index) = state.later.iter().position(|later| later.at <= now) {
            let later = state.later.swap_remove(index);
            (later.effect)(&mut state);
        }
    }

    fn choices(&self) -> Vec<Next> {
        let state = self.world.state();
        let now = state.now;
        let ready = self.processes.iter().enumerate().filter(|(_, p)| p.ready_at <= now);
        let visible = state.queue.iter().enumerate().filter(|(_, m)| m.visible_at <= now);
        let mut choices: Vec<_> = ready.map(|(index, _)| Next::Resume(index)).collect();
        choices.extend(visible.map(|(index, _)| Next::Deliver(index)));
        if self.script.last().is_some_and(|(at, _)| (START + at) * 1000 <= now) {
            choices.push(Next::Act);
        }
        if self.next_sweep.max(self.sweep_needed(&state)) <= now {
            choices.push(Next::Sweep);
        }
        choices
    }

    /// When the next sweep has something to do, milliseconds of the true time. Connections are only kept alive while
    /// there are actions left, so that the world comes to rest.
    fn sweep_needed(&self, state: &State) -> i64 {
        let ours = state.rows.iter().filter(|(key, _)| !state.newer.contains_key(key));
        let due = ours.filter_map(|(_, row)| row.due_at);
        let idle = state.workspaces.values().filter(|_| !self.script.is_empty()).filter_map(|workspace| {
            workspace.connection.as_ref()?;
            let from = state.issued.get(&workspace.id)? + IDLE;
            Some(from.max(state.kept_alive.get(&workspace.id).copied().unwrap_or_default()))
        });
        due.chain(idle).min().map_or(i64::MAX, |at| at * 1000)
    }

    /// Advances the time until something can be done. `false` if nothing is left to do.
    fn wait(&mut self) -> bool {
        if self.is_idle() && (self.reconnect() || self.redrive()) {
            return true;
        }
        let mut state = self.world.state();
        let processes = self.processes.iter().map(|process| process.ready_at);
        let messages = state.queue.iter().map(|message| message.visible_at);
        let later = state.later.iter().map(|later| later.at);
        let script = self.script.last().map(|(at, _)| (START + at) * 1000);
        let sweep = self.next_sweep.max(self.sweep_needed(&state));
        let times = processes.chain(messages).chain(later).chain(script).chain([sweep]);
        let Some(next) = times.filter(|at| (state.now + 1..i64::MAX).contains(at)).min() else {
            return false;
        };
        state.now = next;
        true
    }

    fn is_idle(&self) -> bool {
        self.processes.is_empty() && self.script.is_empty() && self.world.state().queue.is_empty()
    }

    /// When nothing else happens, an admin notices that a workspace is not connected, and connects it.
    fn reconnect(&mut self) -> bool {
        let disconnected = {
            let state = self.world.state();
            let waits = |id: &WorkspaceId| {
                state
                    .rows
                    .values()
                    .any(|row| row.workspace_id == *id && row.status == SyncStatus::WaitingForConnection)
            };
            let not_connected = |w: &&Workspace| w.state != ConnectionState::Connected && waits(&w.id);
            state.workspaces.values().find(not_connected).map(|w| index_of(&w.id))
        };
        let Some(workspace) = disconnected else { return false };
        self.perform(&Action::Connect { workspace, org: 0 });
        true
    }

    /// When nothing else happens after a rollback, somebody redrives what it left in the dead-letter queue.
    fn redrive(&self) -> bool {
        let mut state = self.world.state();
        let is_needed = state.newer_messages > 0 && !state.dead_letters.is_empty();
        if is_needed {
            state.redrive();
        }
        is_needed
    }

    /// Runs a process to its next port call, or to its end.
    fn resume(&mut self, index: usize) {
        let process = &mut self.processes[index];
        {
            let mut state = self.world.state();
            if state.now - process.started_at >= TIMEOUT {
                state.note(|| format!("{} is stopped: timeout", process.name));
                state.excuse(process.id);
                drop(state);
                self.processes.swap_remove(index);
                return;
            }
            state.note(|| format!("{} continues", process.name));
            state.running = process.id;
            state.parked_until = i64::MAX;
            state.turns += 1;
        }
        let polled = process.future.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        let mut state = self.world.state();
        if std::mem::take(&mut state.crash) {
            state.note(|| format!("{} dies", process.name));
            state.excuse(process.id);
            drop(state);
            self.processes.swap_remove(index);
            return;
        }
        match polled {
            Poll::Pending => process.ready_at = state.parked_until,
            Poll::Ready(result) => {
                state.note(|| format!("{} ends: {result:?}", process.name));
                if let Ok(done) = result {
                    state.queue.retain(|message| !done.contains(&message.id));
                }
                drop(state);
                self.processes.swap_remove(index);
            }
        }
    }

    fn start(&mut self, name: String, future: impl Future<Output = Result<(), StoreError>> + 'static) {
        self.start_batch(name, async move { future.await.map(|()| Vec::new()) });
    }

    fn start_batch(&mut self, name: String, future: impl Future<Output = Completed> + 'static) {
        self.started += 1;
        let id = self.started;
        let mut state = self.world.state();
        state.note(|| format!("{name} starts"));
        let (started_at, ready_at) = (state.now, state.now);
        let skewed = state.skewed;
        let skew = state.rng.i64(-skewed..=skewed);
        state.skews.insert(id, skew);
        state.started_at.insert(id, started_at);
        drop(state);
        self.processes.push(Process { id, name, started_at, ready_at, future: Box::pin(future) });
    }

    /// Delivers a message, often in a batch with other visible ones: up to ten, as SQS does.
    fn deliver(&mut self, index: usize) {
        let mut state = self.world.state();
        let now = state.now;
        let size = if state.rng.bool() { BATCH } else { 1 };
        let first = state.queue[index].id;
        let mut batch: Vec<Message> = Vec::new();
        let mut dead = Vec::new();
        let others = state.queue.iter().filter(|message| message.visible_at <= now && message.id != first);
        let ids: Vec<_> = [first].into_iter().chain(others.map(|message| message.id)).take(size).collect();
        for message in state.queue.iter_mut().filter(|message| ids.contains(&message.id)) {
            message.received += 1;
            message.visible_at = now + VISIBILITY;
            let destination = if message.received > MAX_RECEIVES { &mut dead } else { &mut batch };
            destination.push(message.clone());
        }
        state.queue.retain(|message| dead.iter().all(|dead| dead.id != message.id));
        state.dead_letters.append(&mut dead);
        drop(state);
        if batch.is_empty() {
            return;
        }
        let contents = batch.iter().map(|message| {
            let body: String = message.body.chars().take(60).collect();
            format!("{} {body}", message.id)
        });
        let name = format!("sync ({})", contents.collect::<Vec<_>>().join(", "));
        let world = self.world.clone();
        self.start_batch(name, async move { Ok(sync(world, batch).await) });
    }

    fn sweep(&mut self) {
        let world = self.world.clone();
        self.next_sweep = world.state().now + MINUTE;
        self.start("sweep".to_owned(), async move {
            let until = Clock::now(&world) + TimeDelta::seconds(45);
            let woken = WakeDue { until }.run(&world, &world, &world, &world).await;
            let sessions = Sessions { store: &world, tokens: &world, clock: &world, random: &world };
            KeepAlive { until }.run(&sessions).await?;
            woken.map(drop)
        });
    }

    fn act(&mut self) {
        if let Some((_, action)) = self.script.pop() {
            self.perform(&action);
        }
    }

    fn perform(&mut self, action: &Action) {
        let mut state = self.world.state();
        state.note(|| format!("{action:?}"));
        match *action {
            Action::Report { workspace, call, report, revoked } => {
                let caller = if state.wants_leads.contains(&workspace) { 0 } else { call };
                drop(state);
                self.reports += 1;
                let world = self.world.clone();
                let call = reported(workspace, call, report, caller);
                self.start(
                    format!("webhook {}", call.id),
                    webhook(world, workspace_id(workspace), call, revoked),
                );
            }
            Action::ExpireSessions => state.salesforce.sessions.clear(),
            Action::RevokeGrants => {
                let tokens: Vec<_> = state.salesforce.grants.keys().cloned().collect();
                for token in &tokens {
                    state.salesforce.revoke(token);
                }
            }
            Action::Disconnect { workspace } => {
                drop(state);
                let world = self.world.clone();
                self.start("disconnect".to_owned(), disconnect(world, workspace_id(workspace)));
            }
            Action::Connect { workspace, org } => {
                drop(state);
                let world = self.world.clone();
                self.start("connect".to_owned(), connect(world, workspace, org));
            }
            Action::WantLeads { workspace } => {
                state.wants_leads.insert(workspace);
                state.workspace(&workspace_id(workspace)).settings.no_match = NoMatch::CreateLead;
                for org in 0..=1 {
                    let records = state.salesforce.records.entry(org_id(workspace, org)).or_default();
                    records.push((namesake(workspace), 0));
                }
            }
            Action::Skew(seconds) => state.skewed = seconds * 1000,
            Action::Stall(seconds) => {
                drop(state);
                for process in &mut self.processes {
                    process.ready_at += seconds * 1000;
                }
            }
            Action::Hang { workspace, seconds } => {
                let until = state.now + seconds * 1000;
                state.salesforce.hangs_until.insert(org_id(workspace, 0), until);
            }
            Action::LoginHang(seconds) => state.salesforce.login_hangs_until = state.now + seconds * 1000,
            Action::Outage(seconds) => state.salesforce.down_until = state.now + seconds * 1000,
            Action::Limit { workspace, reached } => {
                let org = org_id(workspace, 0);
                match reached {
                    Some(class) => state.salesforce.limited.insert(org, class),
                    None => state.salesforce.limited.remove(&org),
                };
            }
            Action::AddTwin { workspace, call } => {
                for org in 0..=1 {
                    let records = state.salesforce.records.entry(org_id(workspace, org)).or_default();
                    records.push((twin(workspace, call), 0));
                }
            }
            Action::Edit { workspace, call } => {
                let ids = [who_id(workspace, call), twin_id(workspace, call)];
                let edited = ids[usize::from(state.rng.bool())].clone();
                let now = chrono::DateTime::from_timestamp_millis(state.now).unwrap();
                let records = state.salesforce.records.values_mut().flatten();
                for (record, _) in records.filter(|(record, _)| record.id == edited) {
                    record.modified_at = now;
                }
            }
            Action::Retry { workspace } => {
                drop(state);
                let world = self.world.clone();
                self.start("sync-logs".to_owned(), retry(world, workspace_id(workspace)));
            }
            Action::RetryErrors { workspace } => {
                drop(state);
                let world = self.world.clone();
                self.start("sync-logs".to_owned(), retry_all(world, workspace_id(workspace)));
            }
            Action::Newer { workspace, call } => state.newer_version(workspace, call),
            Action::RollForward => state.roll_forward(),
            Action::Person { workspace, call, action } => state.person(workspace, call, action),
            Action::Convert { workspace, call } => state.convert(workspace, call),
            Action::AddRecord { workspace, call, indexed_after } => {
                let mut record = record(workspace, call);
                if state.now > START * 1000 {
                    record.created_at = chrono::DateTime::from_timestamp_millis(state.now).unwrap();
                }
                let now = state.now + indexed_after * 1000;
                for org in 0..=1 {
                    let records = state.salesforce.records.entry(org_id(workspace, org)).or_default();
                    records.push((record.clone(), now));
                }
            }
        }
    }
}
