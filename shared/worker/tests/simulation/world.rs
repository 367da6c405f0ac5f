//! The world: its state, its clock, and how port calls fail.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard},
    task::{Context, Poll},
};

use calls::{
    call::Call,
    ids::{CallId, WorkspaceId},
};
use crm::{
    breaker::Breaker,
    lead::NumberClaim,
    ledger::Row,
    workspace::{WebhookSecretVersions, Workspace},
};

use crate::salesforce::Salesforce;

/// The time at which every world starts, Unix seconds.
pub const START: i64 = 1_800_000_000;
/// The timeout of a request, milliseconds.
pub const TIMEOUT: i64 = 10_000;
/// A write that Salesforce has received commits within this many seconds.
pub const SETTLE: i64 = 600;

/// The valid version of the webhook secret; the previous one is revoked.
pub const VALID_SECRET: u64 = 2;

/// How a port call fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It fails without any effect.
    Before,
    /// It takes effect, but its response is lost.
    After,
    /// Its response is lost, and it takes effect later, within the settle time.
    Late,
    /// Its worker dies before it takes effect.
    CrashBefore,
    /// Its worker dies after it takes effect.
    CrashAfter,
    /// Its worker dies, and it takes effect later.
    CrashLate,
}

impl Fault {
    pub const ALL: [Self; 6] =
        [Self::Before, Self::After, Self::Late, Self::CrashBefore, Self::CrashAfter, Self::CrashLate];
}

/// A guard that is removed, to prove that the checker notices. The product stays unchanged: the world's ports lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Broken {
    /// Rows never show that another worker holds them, or held them when it died.
    Lease,
    /// A look finds nothing, and nothing is ever unsettled.
    Look,
    /// Tokens are stored without the lease, and every worker gets the lease.
    TokenStore,
    /// Workspaces never appear paused.
    Pause,
    /// Every worker may test an org or a login host that does not answer.
    Breaker,
    /// Grants are never revoked.
    Revoke,
    /// A read shows what Ringlog wrote, but not what people changed later.
    Read,
    /// Salesforce updates an activity even if it changed since it was read.
    Precondition,
    /// All records that a duplicate rule names seem to have the caller's number.
    Comparison,
    /// Rows of a newer version look like any other row.
    Foreign,
}

/// A delayed effect, and its time in milliseconds.
pub struct Later {
    pub at: i64,
    pub effect: Box<dyn FnOnce(&mut State) + Send>,
}

/// A message in the queue.
#[derive(Clone)]
pub struct Message {
    pub id: u64,
    pub body: String,
    pub visible_at: i64,
    pub received: u32,
}

/// The complete state.
pub struct State {
    pub rng: fastrand::Rng,
    pub now: i64,
    pub rows: BTreeMap<(WorkspaceId, CallId), Row>,
    /// Rows that a newer version wrote before it was rolled back, as it left them.
    pub newer: BTreeMap<(WorkspaceId, CallId), Row>,
    /// Messages of a newer version that were put into the queue.
    pub newer_messages: usize,
    /// Rows before their last change, and the time of the change, milliseconds: what an index may still show.
    pub outdated: BTreeMap<(WorkspaceId, CallId), (Option<Row>, i64)>,
    /// Whether indexes lag.
    pub stale_indexes: bool,
    pub workspaces: BTreeMap<WorkspaceId, Workspace>,
    /// Workspaces that create Leads for new callers.
    pub wants_leads: BTreeSet<usize>,
    pub claims: BTreeMap<(WorkspaceId, String), NumberClaim>,
    pub queue: Vec<Message>,
    pub dead_letters: Vec<Message>,
    pub salesforce: Salesforce,
    /// The maximum clock skew of new processes, milliseconds, and the skew of each process.
    pub skewed: i64,
    pub skews: BTreeMap<u64, i64>,
    /// When a workspace's pause was last stored, milliseconds.
    pub paused: BTreeMap<WorkspaceId, i64>,
    /// The breakers of login hosts.
    pub login_hosts: BTreeMap<String, Option<Breaker>>,
    /// When each breaker was last stored, milliseconds.
    pub breakers_at: BTreeMap<String, i64>,
    /// When each process started, milliseconds.
    pub started_at: BTreeMap<u64, i64>,
    /// When a workspace's tokens were issued, Unix seconds.
    pub issued: BTreeMap<WorkspaceId, i64>,
    /// Until when somebody has claimed to keep a workspace's connection alive, Unix seconds.
    pub kept_alive: BTreeMap<WorkspaceId, i64>,
    /// Who stored a workspace's tokens last.
    pub refreshed_by: BTreeMap<WorkspaceId, String>,
    /// Unused refresh tokens, and the process that has to revoke each.
    pub owed: BTreeMap<String, u64>,
    /// Processes that no longer have to revoke anything, mostly because they died.
    pub excused: BTreeSet<u64>,
    /// The running process.
    pub running: u64,
    pub later: Vec<Later>,
    pub broken: Option<Broken>,
    /// Port calls so far.
    pub calls: u64,
    /// Planned faults by port call.
    pub planned: BTreeMap<u64, Fault>,
    /// How many random faults may still happen.
    pub random_faults_left: u32,
    pub faults: u64,
    /// When the running process may continue, milliseconds.
    pub parked_until: i64,
    /// How many times any process has continued.
    pub turns: u64,
    /// Whether the running process must die now.
    pub crash: bool,
    /// Accepted reports, which must not be lost.
    pub accepted: Vec<(WorkspaceId, Call)>,
    pub drawn: u64,
    pub violations: Vec<String>,
    traced: bool,
    trace: String,
}

impl State {
    /// The workspace with this id. A new one has revoked its first webhook secret.
    pub fn workspace(&mut self, id: &WorkspaceId) -> &mut Workspace {
        self.workspaces.entry(id.clone()).or_insert_with(|| Workspace {
            webhook_secret: WebhookSecretVersions { current: VALID_SECRET, oldest_valid: VALID_SECRET },
            ..Workspace::unknown(id.clone())
        })
    }

    /// The running process's clock, milliseconds.
    pub fn clock(&self) -> i64 {
        self.now + self.skews.get(&self.running).copied().unwrap_or_default()
    }

    /// Records an unused refresh token: the process that learns of it has to revoke it, unless it is excused.
    pub fn owes(&mut self, token: impl Into<String>, process: u64) {
        if !self.excused.contains(&process) {
            self.owed.insert(token.into(), process);
        }
    }

    /// Records that a process no longer has to revoke anything.
    pub fn excuse(&mut self, process: u64) {
        self.owed.retain(|_, owing| *owing != process);
        self.excused.insert(process);
    }

    /// The rows as an index shows them: recently changed rows may still be shown as they were before.
    pub fn indexed(&mut self) -> Vec<Row> {
        const LAG: i64 = 3000;
        let now = if self.stale_indexes { self.now } else { i64::MAX };
        let outdated: Vec<_> = self
            .outdated
            .iter()
            .filter(|(_, (_, changed_at))| now - changed_at < LAG)
            .map(|(key, (before, _))| (key.clone(), before.clone()))
            .collect();
        let mut shown = self.rows.clone();
        for (key, before) in outdated {
            if self.rng.u32(0..4) == 0 {
                match before {
                    Some(before) => shown.insert(key, before),
                    None => shown.remove(&key),
                };
            }
        }
        shown.into_values().collect()
    }

    /// Adds a step to the trace, which is printed if the world fails.
    pub fn note(&mut self, step: impl FnOnce() -> String) {
        if self.traced {
            let at = self.now - START * 1000;
            writeln!(self.trace, "{:>10}.{:03} {}", at / 1000, at % 1000, step()).unwrap();
        }
    }

    pub fn violate(&mut self, promise: impl std::fmt::Display) {
        self.note(|| format!("VIOLATED: {promise}"));
        self.violations.push(promise.to_string());
    }

    pub fn trace(&self) -> &str {
        &self.trace
    }

    fn draw_fault(&mut self, name: &str) -> Option<Fault> {
        let call = self.calls;
        self.calls += 1;
        let planned = self.planned.remove(&call);
        let fault = planned.or_else(|| {
            let happens = self.random_faults_left > 0 && self.rng.u32(0..12) == 0;
            happens.then(|| {
                self.random_faults_left -= 1;
                Fault::ALL[self.rng.usize(0..Fault::ALL.len())]
            })
        });
        self.faults += u64::from(fault.is_some());
        match fault {
            Some(fault) => self.note(|| format!("  #{call} {name}: {fault:?}")),
            None => self.note(|| format!("  #{call} {name}")),
        }
        fault
    }
}

/// How a port call failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failed {
    /// It was never sent.
    NotSent,
    /// Whether it took effect is unknown.
    NoResponse,
}

/// A handle to the world, which implements all ports.
#[derive(Clone)]
pub struct World(Arc<Mutex<State>>);

impl World {
    pub fn new(seed: u64, broken: Option<Broken>, traced: bool) -> Self {
        Self(Arc::new(Mutex::new(State {
            rng: fastrand::Rng::with_seed(seed),
            now: START * 1000,
            rows: BTreeMap::new(),
            newer: BTreeMap::new(),
            newer_messages: 0,
            outdated: BTreeMap::new(),
            workspaces: BTreeMap::new(),
            wants_leads: BTreeSet::new(),
            claims: BTreeMap::new(),
            queue: Vec::new(),
            dead_letters: Vec::new(),
            salesforce: Salesforce::default(),
            skewed: 0,
            skews: BTreeMap::new(),
            paused: BTreeMap::new(),
            login_hosts: BTreeMap::new(),
            breakers_at: BTreeMap::new(),
            started_at: BTreeMap::new(),
            issued: BTreeMap::new(),
            kept_alive: BTreeMap::new(),
            refreshed_by: BTreeMap::new(),
            owed: BTreeMap::new(),
            excused: BTreeSet::new(),
            running: 0,
            later: Vec::new(),
            broken,
            calls: 0,
            planned: BTreeMap::new(),
            random_faults_left: 0,
            faults: 0,
            parked_until: 0,
            turns: 0,
            stale_indexes: false,
            crash: false,
            accepted: Vec::new(),
            drawn: 0,
            violations: Vec::new(),
            traced,
            trace: String::new(),
        })))
    }

    pub fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    /// A request to something that does not answer: it takes the whole timeout and has no effect.
    pub async fn hang(&self) {
        self.state().note(|| "  no answer".to_owned());
        self.park(TIMEOUT).await;
    }

    /// One port call: other processes may run first, and it may fail.
    pub async fn call<T>(
        &self,
        name: &str,
        effect: impl FnOnce(&mut State) -> T + Send + 'static,
    ) -> Result<T, Failed> {
        self.park(0).await;
        let fault = self.state().draw_fault(name);
        match fault {
            None => {
                let takes = self.state().rng.i64(1..=300);
                let result = effect(&mut self.state());
                self.park(takes).await;
                return Ok(result);
            }
            Some(Fault::Before) => return Err(Failed::NotSent),
            Some(Fault::CrashBefore) => self.die().await,
            Some(Fault::After) => drop(effect(&mut self.state())),
            Some(Fault::CrashAfter) => {
                drop(effect(&mut self.state()));
                self.die().await;
            }
            Some(Fault::Late) => self.delay(effect),
            Some(Fault::CrashLate) => {
                self.delay(effect);
                self.die().await;
            }
        }
        self.park(TIMEOUT).await;
        Err(Failed::NoResponse)
    }

    fn delay<T>(&self, effect: impl FnOnce(&mut State) -> T + Send + 'static) {
        let mut state = self.state();
        let at = state.now + state.rng.i64(0..SETTLE * 1000);
        state.later.push(Later { at, effect: Box::new(move |state| drop(effect(state))) });
    }

    /// Lets other processes run for at least this many milliseconds.
    pub fn park(&self, milliseconds: i64) -> Park {
        Park { world: self.clone(), milliseconds, parked: None }
    }

    async fn die(&self) {
        self.state().crash = true;
        std::future::pending::<()>().await;
    }
}

/// A point where the scheduler chooses which process continues.
pub struct Park {
    world: World,
    milliseconds: i64,
    /// Until when it is parked, and since which turn.
    parked: Option<(i64, u64)>,
}

impl Future for Park {
    type Output = ();
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let state = self.world.state();
        let (now, turn) = (state.now, state.turns);
        drop(state);
        let (until, since) = self.parked.unwrap_or((now + self.milliseconds, turn));
        self.parked = Some((until, since));
        if turn > since && now >= until {
            return Poll::Ready(());
        }
        let mut state = self.world.state();
        state.parked_until = state.parked_until.min(until);
        drop(state);
        // Combinators like `join_all` poll only futures that have been woken.
        context.waker().wake_by_ref();
        Poll::Pending
    }
}
