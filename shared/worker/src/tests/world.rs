//! An in-memory world for the algorithm: a ledger, a settings table, a Salesforce and a clock. Requests can fail before
//! or after their effect.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
    time::Duration,
};

use calls::{
    call::{Call, CallKind, Fact},
    ids::{CallId, SalesforceId, WorkspaceId},
    status::SyncStatus,
};
use chrono::{DateTime, Utc};
use crm::{
    CrmError, FaultClass, FoundRecord, RecordType,
    lead::NumberClaim,
    lease::Lease,
    ledger::{Foreign, Row, Stored, WriteId},
    matching::Rule,
    workspace::{Connection, ConnectionState, Learned, Lessons, NoMatch, WebhookSecretVersions, Workspace},
};
use secrecy::SecretString;

use crate::{
    jobs::{Report, Wake},
    ports::{
        Clock, ConnectionStore, Ledger, NumberClaims, OrgMemory, Random, StoreError, Swap, Tokens, Workspaces,
    },
    worker::{Done, Ports, Turn, Worker},
};

pub(super) use super::salesforce::*;

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
    type Clock = ManualClock;
    type Random = Counter;
}

#[derive(Default)]
pub(super) struct MemoryLedger {
    rows: Mutex<HashMap<CallId, Row>>,
    pub(super) writes: AtomicU64,
    /// The numbers of the swaps that fail, counted like `writes`: 0 is the first.
    pub(super) failing: Mutex<Vec<u64>>,
    pub(super) claims: Mutex<HashMap<String, NumberClaim>>,
    /// From this write on, all rows count as written by a newer version.
    pub(super) newer_from: Mutex<Option<u64>>,
}

impl MemoryLedger {
    pub(super) fn row(&self, call_id: &str) -> Row {
        self.rows.lock().unwrap()[&CallId::parse(call_id).unwrap()].clone()
    }

    pub(super) fn known(&self, call_id: &str) -> Option<Row> {
        self.rows.lock().unwrap().get(&CallId::parse(call_id).unwrap()).cloned()
    }

    pub(super) fn put(&self, row: Row) {
        self.rows.lock().unwrap().insert(row.call_id.clone(), row);
    }

    fn is_newer(&self) -> bool {
        let writes = self.writes.load(Ordering::Relaxed);
        self.newer_from.lock().unwrap().is_some_and(|from| from <= writes)
    }

    fn stored(&self, row: &Row) -> Stored {
        if self.is_newer() {
            return Stored::Foreign(Foreign { cause: "column status cannot be read".to_owned() });
        }
        row.clone().into()
    }
}

impl Ledger for MemoryLedger {
    async fn load(&self, _: &WorkspaceId, call_id: &CallId) -> Result<Option<Stored>, StoreError> {
        Ok(self.rows.lock().unwrap().get(call_id).map(|row| self.stored(row)))
    }

    async fn swap(&self, expected: Option<&WriteId>, row: &Row) -> Result<Swap, StoreError> {
        let is_newer = self.is_newer();
        let turn = self.writes.fetch_add(1, Ordering::Relaxed);
        if self.failing.lock().unwrap().contains(&turn) {
            return Err(StoreError { operation: "swap", cause: "unplugged".to_owned() });
        }
        let mut rows = self.rows.lock().unwrap();
        let current = rows.get(&row.call_id);
        if is_newer || current.map(|row| row.write_id.as_ref()) != expected.map(Some) {
            return Ok(Swap::Conflict(current.map(|row| self.stored(row))));
        }
        rows.insert(row.call_id.clone(), row.clone());
        Ok(Swap::Done)
    }
}

impl NumberClaims for MemoryLedger {
    async fn load_claim(&self, _: &WorkspaceId, number: &str) -> Result<Option<NumberClaim>, StoreError> {
        Ok(self.claims.lock().unwrap().get(number).cloned())
    }

    async fn swap_claim(&self, expected: Option<&WriteId>, claim: &NumberClaim) -> Result<bool, StoreError> {
        let mut claims = self.claims.lock().unwrap();
        let current = claims.get(&claim.number).and_then(|claim| claim.write_id.as_ref());
        let ours = current == expected;
        if ours {
            claims.insert(claim.number.clone(), claim.clone());
        }
        Ok(ours)
    }
}

/// A settings table with one workspace.
pub(super) struct MemoryWorkspaces(pub(super) Mutex<Workspace>, pub(super) Slow);

/// Makes requests take some seconds.
#[derive(Default)]
pub(super) struct Slow {
    pub(super) clock: Arc<AtomicI64>,
    pub(super) seconds: AtomicI64,
}

impl Slow {
    pub(super) fn wait(&self) {
        self.clock.fetch_add(self.seconds.load(Ordering::Relaxed) * 1000, Ordering::Relaxed);
    }
}

impl Workspaces for MemoryWorkspaces {
    async fn load(&self, _: &WorkspaceId) -> Result<Workspace, StoreError> {
        Ok(self.0.lock().unwrap().clone())
    }
}

impl ConnectionStore for MemoryWorkspaces {
    async fn acquire_refresh_lease(
        &self,
        _: &WorkspaceId,
        version: u64,
        owner: &str,
        now: i64,
        until: i64,
    ) -> Result<bool, StoreError> {
        self.1.wait();
        let mut workspace = self.0.lock().unwrap();
        let free = workspace.refresh_lease.as_ref().is_none_or(|lease| lease.until <= now);
        let ours = free && workspace.connection_version == version;
        if ours {
            workspace.refresh_lease = Some(Lease { owner: owner.to_owned(), until });
        }
        Ok(ours)
    }

    async fn store_refreshed(
        &self,
        _: &WorkspaceId,
        version: u64,
        owner: &str,
        tokens: &Tokens,
    ) -> Result<bool, StoreError> {
        let mut workspace = self.0.lock().unwrap();
        let holds = workspace.refresh_lease.as_ref().is_some_and(|lease| lease.owner == owner);
        if !holds || workspace.connection_version != version {
            return Ok(false);
        }
        workspace.refresh_lease = None;
        workspace.address_gone_since = None;
        workspace.connection_version += 1;
        let connection = workspace.connection.as_mut().unwrap();
        connection.version += 1;
        connection.access_token = tokens.access_token.clone();
        if let Some(refresh_token) = &tokens.refresh_token {
            connection.refresh_token = refresh_token.clone();
        }
        Ok(true)
    }

    async fn release_refresh_lease(
        &self,
        _: &WorkspaceId,
        _: u64,
        _: &str,
        address_gone_since: Option<i64>,
    ) -> Result<(), StoreError> {
        let mut workspace = self.0.lock().unwrap();
        workspace.refresh_lease = None;
        workspace.address_gone_since = address_gone_since;
        Ok(())
    }

    async fn require_reconnect(
        &self,
        _: &WorkspaceId,
        version: u64,
        reason: &str,
    ) -> Result<bool, StoreError> {
        let mut workspace = self.0.lock().unwrap();
        let ours = workspace.connection_version == version;
        if ours {
            workspace.state = ConnectionState::ReconnectRequired;
            workspace.state_reason = Some(reason.to_owned());
            workspace.connection = None;
            workspace.refresh_lease = None;
        }
        Ok(ours)
    }
}

impl OrgMemory for MemoryWorkspaces {
    async fn pause(&self, _: &WorkspaceId, org_id: &SalesforceId, until: i64) -> Result<(), StoreError> {
        let mut workspace = self.0.lock().unwrap();
        if workspace.connection.as_ref().is_some_and(|connection| connection.org_id == *org_id) {
            workspace.paused_until = workspace.paused_until.max(Some(until));
        }
        Ok(())
    }

    async fn remember(
        &self,
        _: &WorkspaceId,
        _: &SalesforceId,
        learned: &Learned,
        lessons: &Lessons,
    ) -> Result<(), StoreError> {
        self.0.lock().unwrap().learned.take(learned, lessons);
        Ok(())
    }
}

pub(super) struct ManualClock(pub(super) Arc<AtomicI64>);

impl Clock for ManualClock {
    fn now(&self) -> DateTime<Utc> {
        DateTime::from_timestamp_millis(self.0.load(Ordering::Relaxed)).unwrap()
    }

    async fn sleep(&self, duration: Duration) {
        self.0.fetch_add(i64::try_from(duration.as_millis()).unwrap(), Ordering::Relaxed);
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

pub(super) fn error(class: FaultClass, code: &str) -> CrmError {
    CrmError {
        class,
        code: code.to_owned(),
        message: format!("{code} happened"),
        fields: Vec::new(),
        status: None,
        object: None,
        records: Vec::new(),
    }
}

/// A connected workspace whose org has one Lead with [`NUMBER`].
pub(super) fn world() -> Worker<World> {
    let id = WorkspaceId::parse("acme").unwrap();
    let mut workspace = Workspace::unknown(id);
    workspace.state = ConnectionState::Connected;
    workspace.connection_version = 1;
    workspace.webhook_secret = WebhookSecretVersions { current: 2, oldest_valid: 2 };
    workspace.connection = Some(Connection {
        version: 1,
        instance_url: "https://acme.my.salesforce.com".to_owned(),
        login_url: "https://login.salesforce.com".to_owned(),
        org_id: SalesforceId::parse("00D000000000001").unwrap(),
        user_id: SalesforceId::parse("005000000000001").unwrap(),
        access_token: SecretString::from("access-1"),
        refresh_token: SecretString::from("refresh-1"),
    });
    let clock = Arc::new(AtomicI64::new(START * 1000));
    let slow = || Slow { clock: clock.clone(), seconds: AtomicI64::new(0) };
    let org = Org(Mutex::default(), slow());
    org.state().good_access_token = "access-1".to_owned();
    org.state().now = DateTime::from_timestamp(START, 0).unwrap();
    org.state().records.push(lead(LEAD, NUMBER));
    Worker {
        ledger: MemoryLedger::default(),
        workspaces: MemoryWorkspaces(Mutex::new(workspace), slow()),
        salesforce: org,
        clock: ManualClock(clock),
        random: Counter::default(),
        settle_seconds: 600,
    }
}

/// A workspace that wants Leads for new callers, and whose org has no record for the caller.
pub(super) fn new_caller() -> Worker<World> {
    let world = world();
    world.salesforce.state().records.clear();
    world.workspaces.0.lock().unwrap().settings.no_match = NoMatch::CreateLead;
    world
}

pub(super) fn sf(id: &str) -> SalesforceId {
    SalesforceId::parse(id).unwrap()
}

pub(super) fn lead(id: &str, phone: &str) -> FoundRecord {
    let at = DateTime::from_timestamp(START - 86_400, 0).unwrap();
    FoundRecord {
        id: SalesforceId::parse(id).unwrap(),
        record_type: RecordType::Lead,
        name: Some("Ada Sample".to_owned()),
        phones: vec![("Phone".to_owned(), phone.to_owned())],
        country: None,
        created_at: at,
        modified_at: at,
    }
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
        self.workspaces.0.lock().unwrap().clone()
    }

    pub(super) fn pass(&self, seconds: i64) {
        self.clock.0.fetch_add(seconds * 1000, Ordering::Relaxed);
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
