//! What is to happen in a world: the script, the faults, and the totals of what it came to.

use std::ops::AddAssign;

use calls::crm::FaultClass;

use crate::{run::MAX_RECEIVES, world::Fault};

/// Faults that chance may add to a world. One less than a message has lives: the dead-letter queue stays empty.
const CHANCES: u32 = MAX_RECEIVES - 1;

/// How far workers' clocks may be from the true time, seconds. More would let a row's lease end while its worker still
/// works: it lasts 30 s longer than a worker does.
const SKEW: i64 = 14;

/// Something that happens to the world from outside.
#[derive(Debug, Clone)]
pub enum Action {
    /// Vapi posts a report: of which workspace, which call, the how many-th, and whether under a revoked secret.
    Report {
        workspace: usize,
        call: usize,
        report: usize,
        revoked: bool,
    },
    /// All sessions end.
    ExpireSessions,
    /// Somebody ends the grant in Salesforce.
    RevokeGrants,
    Disconnect {
        workspace: usize,
    },
    /// Somebody connects: which org of the workspace's two.
    Connect {
        workspace: usize,
        org: usize,
    },
    /// Salesforce is down for so many seconds.
    Outage(i64),
    /// The day's requests are used up, or too many are made at once; or they are free again.
    Limit {
        workspace: usize,
        reached: Option<FaultClass>,
    },
    /// Another record with this call's number appears.
    AddTwin {
        workspace: usize,
        call: usize,
    },
    /// Somebody edits the one or the other record with this call's number.
    Edit {
        workspace: usize,
        call: usize,
    },
    /// A person asks for all calls of a workspace again.
    Retry {
        workspace: usize,
    },
    /// A person asks for all calls of a workspace that have the error code of one of them.
    RetryErrors {
        workspace: usize,
    },
    /// Somebody works on what was written for a call.
    Person {
        workspace: usize,
        call: usize,
        does: Doing,
    },
    /// Somebody converts the Lead of a call.
    Convert {
        workspace: usize,
        call: usize,
    },
    /// A record for this call's number appears in the workspace's orgs; search knows it so many seconds later.
    AddRecord {
        workspace: usize,
        call: usize,
        indexed_after: i64,
    },
    /// The workspace wants Leads for new callers. All its calls are of one caller, whom nobody knows.
    WantLeads {
        workspace: usize,
    },
    /// A newer version, deployed for a moment, writes the row of a call as nobody else understands it, and puts a
    /// message into the queue that nobody else can read.
    Newer {
        workspace: usize,
        call: usize,
    },
    /// The newer version is deployed for good, and somebody redrives the dead-letter queue.
    RollForward,
    /// The clocks of processes that begin from now on are up to so many seconds ahead or behind.
    Skew(i64),
    /// Every process stands still for so many seconds.
    Stall(i64),
}

/// What people do with a Task or an Event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doing {
    /// Gives the Task another subject and a higher priority.
    EditTask,
    /// Writes a note above, below or instead of the Task's description.
    NoteTask,
    /// Moves the Event to another time.
    RescheduleEvent,
    /// Gives the Event another subject, and writes a note above its description.
    EditEvent,
    /// Moves the Task to another record.
    MoveTask,
    DeleteTask,
    DeleteEvent,
}

impl Doing {
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

/// A duplicate rule that goes by names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DuplicateRule {
    /// It warns: the record can be made all the same.
    Alerts,
    Blocks,
}

/// What is to happen in a world.
#[derive(Debug, Clone, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each says one thing of a world, apart from the others")]
pub struct Plan {
    pub seed: u64,
    pub faults: Vec<(u64, Fault)>,
    /// How many faults chance may add.
    pub chances: u32,
    /// Salesforce gives no new refresh tokens.
    pub keeps_tokens: bool,
    /// Salesforce's users may not write `CallObject`.
    pub hides_call_object: bool,
    /// Indexes show changes some seconds late.
    pub stale_indexes: bool,
    /// The user may not read a phone field.
    pub hides_phone: bool,
    /// What a duplicate rule says of a new Lead.
    pub duplicate_rule: Option<DuplicateRule>,
    /// With which code Salesforce refuses to be asked for new records.
    pub refuses_recent: Option<&'static str>,
    /// What, at which second.
    pub script: Vec<(i64, Action)>,
}

impl Action {
    /// A report of a call of the first workspace.
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

    /// Connected, with records for so many calls; and then what the script says.
    pub fn of(calls: usize, script: impl IntoIterator<Item = (i64, Action)>) -> Self {
        let records = (0..calls).map(|call| Action::AddRecord { workspace: 0, call, indexed_after: 0 });
        let connect = [Action::Connect { workspace: 0, org: 0 }];
        let mut script: Vec<_> = records.chain(connect).map(|action| (0, action)).chain(script).collect();
        script.sort_by_key(|(at, _)| *at);
        Self { script, ..Self::default() }
    }

    /// With another drawing of chance.
    #[must_use]
    pub fn seeded(self, seed: u64) -> Self {
        Self { seed, ..self }
    }

    #[must_use]
    pub fn with(mut self, at_call: u64, fault: Fault) -> Self {
        self.faults.push((at_call, fault));
        self
    }

    /// A world that the seed draws.
    pub fn random(seed: u64) -> Self {
        let mut rng = fastrand::Rng::with_seed(seed ^ 0x5eed);
        let mut plan = Self::drawn(seed, &mut rng);
        if rng.u32(0..6) == 0 {
            plan.script.extend(rollback(&mut rng));
            plan.script.sort_by_key(|(at, _)| *at);
        }
        plan
    }

    fn drawn(seed: u64, rng: &mut fastrand::Rng) -> Self {
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
            // Often all at once, and with a session that has just ended: workers then meet.
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
                // Some soon, when an attempt may be under way, some later.
                for _ in 0..rng.usize(0..=2) {
                    let soon = if rng.bool() { 40 } else { 2400 };
                    let does = Doing::ALL[rng.usize(0..Doing::ALL.len())];
                    let person = Action::Person { workspace, call, does };
                    if !hides_call_object || does != Doing::MoveTask {
                        script.push((at + rng.i64(0..soon), person));
                    }
                }
                if !wants_leads && !hides_call_object && rng.u32(0..6) == 0 {
                    script.push((at + rng.i64(0..1200), Action::Convert { workspace, call }));
                }
                if rng.u32(0..6) == 0 {
                    // Much later, after people have worked on it.
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
        for _ in 0..rng.usize(0..=4) {
            let workspace = rng.usize(0..workspaces);
            let at = rng.i64(0..900);
            let action = match rng.u32(0..14) {
                11 | 12 => (at, Action::Retry { workspace }),
                13 => (at, Action::RetryErrors { workspace }),
                // Often while the sessions that have just ended are being renewed.
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
        script.sort_by_key(|(at, _)| *at);
        Self {
            seed,
            faults: Vec::new(),
            chances: rng.u32(0..=CHANCES),
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

/// A newer version writes some rows and messages, is rolled back, and comes again: minutes or days later.
fn rollback(rng: &mut fastrand::Rng) -> Vec<(i64, Action)> {
    let newer = |_| {
        let newer = Action::Newer { workspace: rng.usize(0..2), call: rng.usize(0..3) };
        (rng.i64(0..900), newer)
    };
    let mut script: Vec<_> = (0..4).map(newer).collect();
    let for_long = if rng.bool() { 1200 } else { 2 * 86_400 };
    script.push((900 + rng.i64(0..for_long), Action::RollForward));
    script
}

/// What a run came to.
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
