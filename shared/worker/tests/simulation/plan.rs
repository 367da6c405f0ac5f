//! What happens in a world: script and faults, and the totals of a run.

use std::ops::AddAssign;

use crm::FaultClass;

use crate::{run::MAX_RECEIVES, world::Fault};

/// The maximum number of random faults. One less than a message's deliveries, so that the dead-letter queue stays
/// empty.
const MAX_RANDOM_FAULTS: u32 = MAX_RECEIVES - 1;

/// The maximum clock skew of workers, seconds. With more, a row's lease could end while its worker is still running:
/// it is 30 s longer than a worker's timeout.
const SKEW: i64 = 14;

/// An event from outside.
#[derive(Debug, Clone)]
pub enum Action {
    /// Vapi posts the `report`-th report of a call, possibly with a revoked secret.
    Report {
        workspace: usize,
        call: usize,
        report: usize,
        revoked: bool,
    },
    /// All access tokens expire.
    ExpireSessions,
    /// Somebody revokes the grants in Salesforce.
    RevokeGrants,
    Disconnect {
        workspace: usize,
    },
    /// Somebody connects one of the workspace's two orgs.
    Connect {
        workspace: usize,
        org: usize,
    },
    /// The workspace's first org does not answer for this many seconds.
    Hang {
        workspace: usize,
        seconds: i64,
    },
    /// The login host does not answer for this many seconds.
    LoginHang(i64),
    /// Salesforce is down for this many seconds.
    Outage(i64),
    /// The org reaches its daily or concurrent request limit, or is below it again.
    Limit {
        workspace: usize,
        reached: Option<FaultClass>,
    },
    /// Another record with this call's number appears.
    AddTwin {
        workspace: usize,
        call: usize,
    },
    /// Somebody edits one of the two records with this call's number.
    Edit {
        workspace: usize,
        call: usize,
    },
    /// A person retries all calls of a workspace.
    Retry {
        workspace: usize,
    },
    /// A person retries all calls of a workspace with the error code of one of them.
    RetryErrors {
        workspace: usize,
    },
    /// A person changes what was written for a call.
    Person {
        workspace: usize,
        call: usize,
        action: PersonAction,
    },
    /// Somebody converts a call's Lead.
    Convert {
        workspace: usize,
        call: usize,
    },
    /// A record with this call's number appears in the workspace's orgs; search finds it this many seconds later.
    AddRecord {
        workspace: usize,
        call: usize,
        indexed_after: i64,
    },
    /// The workspace creates Leads for new callers. All its calls are from one unknown caller.
    WantLeads {
        workspace: usize,
    },
    /// A newer version, deployed briefly, writes a call's row in a form that only it understands, and sends a message
    /// that only it can read.
    Newer {
        workspace: usize,
        call: usize,
    },
    /// The newer version is deployed for good, and somebody redrives the dead-letter queue.
    RollForward,
    /// The clocks of new processes are up to this many seconds fast or slow.
    Skew(i64),
    /// Every process stalls for this many seconds.
    Stall(i64),
}

/// What a person does with a Task or Event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PersonAction {
    /// Changes the Task's subject and priority.
    EditTask,
    /// Adds a note above or below the Task's description, or replaces it.
    NoteTask,
    /// Moves the Event to another time.
    RescheduleEvent,
    /// Changes the Event's subject and adds a note above its description.
    EditEvent,
    /// Moves the Task to another record.
    MoveTask,
    DeleteTask,
    DeleteEvent,
}

impl PersonAction {
    pub const ALL: [Self; 7] = [
        Self::EditTask,
        Self::NoteTask,
        Self::RescheduleEvent,
        Self::EditEvent,
        Self::MoveTask,
        Self::DeleteTask,
        Self::DeleteEvent,
    ];
}

/// A duplicate rule that matches by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DuplicateRule {
    /// It warns: the record can be created anyway.
    Alerts,
    Blocks,
}

/// What happens in a world.
#[derive(Debug, Clone, Default)]
#[expect(clippy::struct_excessive_bools, reason = "independent properties of a world")]
pub struct Plan {
    pub seed: u64,
    pub faults: Vec<(u64, Fault)>,
    /// How many random faults may happen.
    pub random_faults: u32,
    /// Salesforce does not rotate refresh tokens.
    pub keeps_tokens: bool,
    /// The user may not write `CallObject`.
    pub hides_call_object: bool,
    /// Indexes lag by some seconds.
    pub stale_indexes: bool,
    /// The user may not read a phone field.
    pub hides_phone: bool,
    /// The duplicate rule for new Leads.
    pub duplicate_rule: Option<DuplicateRule>,
    /// The code with which Salesforce refuses queries for recent records.
    pub refuses_recent: Option<&'static str>,
    /// Actions, each with its time in seconds after the start.
    pub script: Vec<(i64, Action)>,
}

impl Action {
    /// A report of a call in the first workspace.
    pub fn report(call: usize, report: usize) -> Self {
        Self::Report { workspace: 0, call, report, revoked: false }
    }
}

impl Plan {
    /// One report of one call with an appointment.
    pub fn one_call() -> Self {
        let script = vec![
            (0, Action::AddRecord { workspace: 0, call: 0, indexed_after: 0 }),
            (0, Action::Connect { workspace: 0, org: 0 }),
            (1, Action::Report { workspace: 0, call: 0, report: 1, revoked: false }),
        ];
        Self { script, ..Self::default() }
    }

    /// A connected workspace with records for this many calls, then the script.
    pub fn of(calls: usize, script: impl IntoIterator<Item = (i64, Action)>) -> Self {
        let records = (0..calls).map(|call| Action::AddRecord { workspace: 0, call, indexed_after: 0 });
        let connect = [Action::Connect { workspace: 0, org: 0 }];
        let mut script: Vec<_> = records.chain(connect).map(|action| (0, action)).chain(script).collect();
        script.sort_by_key(|(at, _)| *at);
        Self { script, ..Self::default() }
    }

    /// The same plan with another seed.
    #[must_use]
    pub fn seeded(self, seed: u64) -> Self {
        Self { seed, ..self }
    }

    #[must_use]
    pub fn with(mut self, at_call: u64, fault: Fault) -> Self {
        self.faults.push((at_call, fault));
        self
    }

    /// A random world.
    pub fn random(seed: u64) -> Self {
        let mut rng = fastrand::Rng::with_seed(seed ^ 0x5eed);
        let mut plan = Self::without_rollback(seed, &mut rng);
        if rng.u32(0..6) == 0 {
            plan.script.extend(rollback(&mut rng));
            plan.script.sort_by_key(|(at, _)| *at);
        }
        plan
    }

    fn without_rollback(seed: u64, rng: &mut fastrand::Rng) -> Self {
        let workspaces = rng.usize(1..=2);
        let hides_call_object = rng.u32(0..4) == 0;
        let mut script = Vec::new();
        for workspace in 0..workspaces {
            if rng.u32(0..10) > 0 {
                script.push((0, Action::Connect { workspace, org: 0 }));
            }
            let wants_leads = rng.u32(0..5) == 0;
            if wants_leads {
                script.push((0, Action::WantLeads { workspace }));
            }
            // Often all calls come at once, with a token that has just expired, so that workers interfere.
            let burst = rng.bool().then(|| rng.i64(0..600));
            if let Some(at) = burst.filter(|_| rng.bool()) {
                script.push((at, Action::ExpireSessions));
            }
            let calls = if rng.u32(0..12) == 0 { 10 } else { rng.usize(1..=3) };
            for call in 0..calls {
                let at = burst.unwrap_or_else(|| rng.i64(0..600));
                let appears = if rng.u32(0..5) == 0 { at + rng.i64(0..240) } else { 0 };
                let indexed_after = if rng.u32(0..5) == 0 { rng.i64(0..180) } else { 0 };
                if !wants_leads {
                    script.push((appears, Action::AddRecord { workspace, call, indexed_after }));
                }
                if !wants_leads && rng.u32(0..5) == 0 {
                    script.push((0, Action::AddTwin { workspace, call }));
                    script.push((at + rng.i64(0..30), Action::Edit { workspace, call }));
                    script.push((at + rng.i64(0..900), Action::Edit { workspace, call }));
                }
                // Some edits come soon, while an attempt may be running, some later.
                for _ in 0..rng.usize(0..=2) {
                    let soon = if rng.bool() { 40 } else { 2400 };
                    let action = PersonAction::ALL[rng.usize(0..PersonAction::ALL.len())];
                    let person = Action::Person { workspace, call, action };
                    if !hides_call_object || action != PersonAction::MoveTask {
                        script.push((at + rng.i64(0..soon), person));
                    }
                }
                if !wants_leads && !hides_call_object && rng.u32(0..6) == 0 {
                    script.push((at + rng.i64(0..1200), Action::Convert { workspace, call }));
                }
                if rng.u32(0..6) == 0 {
                    // Much later, after people have edited the Task or Event.
                    let at = at + rng.i64(600..3600);
                    script.push((at, Action::Report { workspace, call, report: 3, revoked: false }));
                }
                for report in 1..=rng.usize(1..=3) {
                    let after = if burst.is_some() { rng.i64(0..3) } else { rng.i64(0..30) };
                    script.push((at + after, Action::Report { workspace, call, report, revoked: false }));
                    if rng.u32(0..6) == 0 {
                        let before = rng.i64(0..3);
                        script.push((
                            at + before,
                            Action::Report { workspace, call, report: 9, revoked: true },
                        ));
                    }
                }
            }
        }
        incidents(&mut script, workspaces, rng);
        script.sort_by_key(|(at, _)| *at);
        Self {
            seed,
            faults: Vec::new(),
            random_faults: rng.u32(0..=MAX_RANDOM_FAULTS),
            keeps_tokens: rng.u32(0..4) == 0,
            hides_call_object,
            stale_indexes: rng.bool(),
            hides_phone: rng.u32(0..4) == 0,
            duplicate_rule: [None, Some(DuplicateRule::Alerts), Some(DuplicateRule::Blocks)][rng.usize(0..3)],
            refuses_recent: match rng.u32(0..8) {
                0 => Some("INVALID_FIELD"),
                1 => Some("OPERATION_TOO_LARGE"),
                2 => Some("QUERY_TIMEOUT"),
                _ => None,
            },
            script,
        }
    }
}

/// Up to four incidents in the first quarter of an hour.
fn incidents(script: &mut Vec<(i64, Action)>, workspaces: usize, rng: &mut fastrand::Rng) {
    for _ in 0..rng.usize(0..=4) {
        let workspace = rng.usize(0..workspaces);
        let at = rng.i64(0..900);
        let action = match rng.u32(0..16) {
            11 | 12 => (at, Action::Retry { workspace }),
            13 => (at, Action::RetryErrors { workspace }),
            14 => (at, Action::Hang { workspace, seconds: rng.i64(1..7200) }),
            15 => {
                script.push((at, Action::ExpireSessions));
                (at, Action::LoginHang(rng.i64(1..7200)))
            }
            // Often while expired tokens are being refreshed.
            0 => {
                script.push((at, Action::ExpireSessions));
                (at + rng.i64(0..3), Action::Disconnect { workspace })
            }
            8 => (at, Action::Disconnect { workspace }),
            9 => (at, Action::Skew(rng.i64(1..=SKEW))),
            10 => (at, Action::Stall(rng.i64(1..120))),
            1 => (at, Action::Connect { workspace, org: rng.usize(0..=1) }),
            2 => (at, Action::RevokeGrants),
            3 => (at, Action::Outage(rng.i64(1..86_400))),
            4 => {
                let class = if rng.bool() { FaultClass::DailyLimit } else { FaultClass::ConcurrentLimit };
                script.push((at + rng.i64(1..7200), Action::Limit { workspace, reached: None }));
                (at, Action::Limit { workspace, reached: Some(class) })
            }
            _ => (at, Action::ExpireSessions),
        };
        script.push(action);
    }
}

/// A newer version writes some rows and messages, is rolled back, and is deployed again minutes or days later.
fn rollback(rng: &mut fastrand::Rng) -> Vec<(i64, Action)> {
    let newer = |_| {
        let newer = Action::Newer { workspace: rng.usize(0..2), call: rng.usize(0..3) };
        (rng.i64(0..900), newer)
    };
    let mut script: Vec<_> = (0..4).map(newer).collect();
    let within = if rng.bool() { 1200 } else { 2 * 86_400 };
    script.push((900 + rng.i64(0..within), Action::RollForward));
    script
}

/// The totals of a run.
#[derive(Debug, Clone, Copy, Default)]
pub struct Totals {
    pub calls: u64,
    pub faults: u64,
    pub reports: u64,
    pub tasks: u64,
}

impl AddAssign for Totals {
    fn add_assign(&mut self, other: Self) {
        self.calls += other.calls;
        self.faults += other.faults;
        self.reports += other.reports;
        self.tasks += other.tasks;
    }
}
