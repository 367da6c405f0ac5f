//! An in-memory world for the algorithm: a ledger, a settings table, a Salesforce and a clock. Requests can fail before
//! or after their effect.

use std::{
    ops::{Deref, DerefMut},
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use calls::{
    call::{Call, CallKind, Fact},
    ids::{CallId, SalesforceId, WorkspaceId},
    status::SyncStatus,
};
use chrono::DateTime;
use crm::{
    FaultClass, FoundRecord,
    ledger::Row,
    matching::Rule,
    workspace::{NoMatch, WebhookSecretVersions, Workspace},
};

use crate::{
    jobs::{Report, Wake},
    places::Taken,
    ports::{Clock, Random, StoreError},
    rounds::Done,
    testing::{FixedClock, MemoryLedger, MemoryWorkspaces, connected, org},
    worker::{Ports, Turn, Worker},
};

pub(super) use crate::testing::org::{Fault, NOBODY, Org, error};

pub(super) const START: i64 = 1_800_000_000;
pub(super) const LEAD: &str = "00Q000000000001EAA";
pub(super) const OTHER_LEAD: &str = "00Q000000000002EAA";
pub(super) const THIRD_LEAD: &str = "00Q000000000003EAA";
pub(super) const CONTACT: &str = "003000000000001AAA";
pub(super) const NUMBER: &str = "+12345550123";

pub(super) struct World;

impl Ports for World {
    type Ledger = MemoryLedger;
    type Workspaces = MemoryWorkspaces;
    type Salesforce = Org;
    type Clock = FixedClock;
    type Random = Counter;
}

impl MemoryLedger {
    pub(super) fn row(&self, call_id: &str) -> Row {
        self.known(call_id).unwrap()
    }

    pub(super) fn known(&self, call_id: &str) -> Option<Row> {
        self.select(|row| row.call_id.as_str() == call_id).pop()
    }
}

/// The workspace, to be changed; it is stored when this is dropped.
pub(super) struct Editing<'a> {
    store: &'a MemoryWorkspaces,
    workspace: Workspace,
}

impl Deref for Editing<'_> {
    type Target = Workspace;

    fn deref(&self) -> &Workspace {
        &self.workspace
    }
}

impl DerefMut for Editing<'_> {
    fn deref_mut(&mut self) -> &mut Workspace {
        &mut self.workspace
    }
}

impl Drop for Editing<'_> {
    fn drop(&mut self) {
        self.store.insert(self.workspace.clone());
    }
}

#[derive(Default)]
pub(super) struct Counter(AtomicU64);

impl Random for Counter {
    fn id(&self) -> String {
        format!("id-{}", self.0.fetch_add(1, Ordering::Relaxed))
    }

    fn fraction(&self) -> f64 {
        0.5
    }
}

/// A connected workspace whose org has one Lead with [`NUMBER`].
pub(super) fn world() -> Worker<World> {
    let mut workspace = connected("acme");
    workspace.webhook_secret = WebhookSecretVersions { current: 2, oldest_valid: 2 };
    let workspaces = MemoryWorkspaces::default();
    workspaces.insert(workspace);
    let clock = FixedClock::at(START);
    let org = Org::with(vec![lead(LEAD, NUMBER)], &clock);
    Worker {
        ledger: MemoryLedger::default(),
        workspaces,
        salesforce: org,
        clock,
        random: Counter::default(),
        settle_seconds: 600,
        places: Taken::none(2),
    }
}

/// A workspace that wants Leads for new callers, and whose org has no record for the caller.
pub(super) fn new_caller() -> Worker<World> {
    let world = world();
    world.salesforce.state().records.clear();
    world.edit_workspace().settings.no_match = NoMatch::CreateLead;
    world
}

pub(super) fn sf(id: &str) -> SalesforceId {
    SalesforceId::parse(id).unwrap()
}

/// A Lead that existed before the tests.
pub(super) fn lead(id: &str, phone: &str) -> FoundRecord {
    org::lead(id, phone, DateTime::from_timestamp(START, 0).unwrap())
}

/// A minimal report at `START + at` seconds.
pub(super) fn call(at: i64) -> Call {
    let reported_at = (START + at) * 1000;
    let mut call = Call::new(CallId::parse("call-1").unwrap());
    call.kind = Some(Fact { value: CallKind::Inbound, reported_at });
    call.customer_number = Some(Fact { value: NUMBER.to_owned(), reported_at });
    call
}

pub(super) fn fact<T>(at: i64, value: T) -> Fact<T> {
    Fact { value, reported_at: (START + at) * 1000 }
}

impl Worker<World> {
    pub(super) fn workspace(&self) -> Workspace {
        self.workspaces.workspace(&WorkspaceId::parse("acme").unwrap())
    }

    pub(super) fn edit_workspace(&self) -> Editing<'_> {
        Editing { store: &self.workspaces, workspace: self.workspace() }
    }

    pub(super) fn pass(&self, seconds: i64) {
        self.clock.advance(Duration::from_secs(seconds.try_into().unwrap()));
    }

    /// A turn that ends in this many seconds.
    pub(super) fn turn(&self, seconds: i64) -> Turn {
        Turn::until(self.clock.now() + chrono::TimeDelta::seconds(seconds))
    }

    /// A report of the call, received at this time with the current secret.
    pub(super) fn report_of(&self, call: &Call, received_at: i64) -> Report {
        Report {
            workspace_id: self.workspace().id,
            secret_version: 2,
            received_at,
            call: Box::new(call.clone()),
        }
    }

    pub(super) async fn reported(&self, call: &Call) -> Result<Done, StoreError> {
        self.reported_under(2, call).await
    }

    pub(super) async fn reported_under(&self, secret_version: u64, call: &Call) -> Result<Done, StoreError> {
        let report = Report { secret_version, ..self.report_of(call, self.clock.now().timestamp()) };
        report.run(self, &self.workspace(), self.turn(55)).await
    }

    pub(super) async fn woken(&self) -> Result<Done, StoreError> {
        let wake = Wake { workspace_id: self.workspace().id, call_id: CallId::parse("call-1").unwrap() };
        wake.run(self, &self.workspace(), self.turn(55)).await
    }

    /// All requests of a kind fail from now on.
    pub(super) fn fail_for_good(&self, request: &'static str, class: FaultClass, code: &str) {
        for _ in 0..1000 {
            self.salesforce.fail(request, Fault::Before(error(class, code)));
        }
    }

    pub(super) fn status(&self) -> SyncStatus {
        self.ledger.row("call-1").status
    }

    pub(super) fn requests(&self) -> Vec<&'static str> {
        std::mem::take(&mut self.salesforce.state().requests)
    }

    pub(super) fn rule(&self) -> Rule {
        self.ledger.row("call-1").decision.unwrap().rule
    }

    pub(super) fn who(&self) -> SalesforceId {
        let state = self.salesforce.state();
        assert_eq!(state.tasks.len(), 1);
        state.tasks[0].1.who_id.clone()
    }
}
