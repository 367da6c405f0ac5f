//! For the functions' tests: an org with one Lead, a workspace that is connected to it, and a worker for both.
#![expect(clippy::unwrap_used, clippy::missing_panics_doc, reason = "a test should fail here")]

use calls::{
    call::{Call, CallKind, Fact},
    ids::{CallId, SalesforceId, WorkspaceId},
};
use crm::{
    FoundRecord,
    activity::{self, Booking, TaskDraft},
    workspace::{Settings, WebhookSecretVersions, Workspace},
};

use crate::{
    places::Taken,
    ports::Clock,
    worker::{Ports, Worker},
};

use super::{
    FixedClock, MemoryLedger, MemoryWorkspaces, SeededRandom,
    org::{self, Org},
};

/// The time at which the worker's clock starts, Unix seconds.
pub const NOW: i64 = 1_800_457_200;
/// The number of the org's Lead.
pub const NUMBER: &str = "+12345550123";
/// The Lead.
pub const LEAD: &str = "00Q000000000001EAA";
/// The tests' adapters.
#[derive(Debug)]
pub struct TestPorts;

impl Ports for TestPorts {
    type Ledger = MemoryLedger;
    type Workspaces = MemoryWorkspaces;
    type Salesforce = Org;
    type Clock = FixedClock;
    type Random = SeededRandom;
}

/// The id of a workspace.
pub fn workspace_id(id: &str) -> WorkspaceId {
    WorkspaceId::parse(id).unwrap()
}

/// A workspace that is connected to the org.
pub fn connected(id: &str) -> Workspace {
    let webhook_secret = WebhookSecretVersions { current: 1, oldest_valid: 1 };
    Workspace { webhook_secret, ..super::connected(id) }
}

/// A worker whose workspace `acme` is connected.
pub fn worker() -> Worker<TestPorts> {
    let workspaces = MemoryWorkspaces::default();
    workspaces.insert(connected("acme"));
    let clock = FixedClock::at(NOW);
    let phones = vec![("MobilePhone".to_owned(), NUMBER.to_owned())];
    let lead = FoundRecord { phones, ..org::lead(LEAD, NUMBER, clock.now()) };
    Worker {
        ledger: MemoryLedger::default(),
        workspaces,
        salesforce: Org::with(vec![lead], &clock),
        clock,
        random: SeededRandom::new(1),
        settle_seconds: 600,
        places: Taken::none(5),
    }
}

/// A call's Task, as an earlier worker wrote it.
pub fn task_of(call: &Call) -> TaskDraft {
    let who_id = SalesforceId::parse(LEAD).unwrap();
    activity::task(call, &who_id, &Settings::default(), NOW, &Booking::None)
}

/// A call that was just reported.
pub fn call(id: &str, number: &str) -> Call {
    let reported_at = NOW * 1000;
    let mut call = Call::new(CallId::parse(id).unwrap());
    call.kind = Some(Fact { value: CallKind::Inbound, reported_at });
    call.customer_number = Some(Fact { value: number.to_owned(), reported_at });
    call
}
