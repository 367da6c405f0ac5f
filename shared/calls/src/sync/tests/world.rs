//! An in-memory world for the algorithm: a ledger, a settings table, a Salesforce and a clock, each able to fail
//! before an effect or after it.

use std::{
    collections::{HashMap, VecDeque},
    sync::{
        Arc, Mutex,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
    time::Duration,
};

use chrono::{DateTime, Utc};
use secrecy::{ExposeSecret, SecretString};

use crate::{
    activity::{EventDraft, Fields, TaskDraft},
    call::{Call, CallKind, Fact},
    crm::{
        Activities, Activity, Answer, ApiUsage, CrmError, Duplicates, FaultClass, Found, FoundRecord,
        Omitted, PhoneQuery, Written, WrittenObject,
    },
    ids::{CallId, SalesforceId, WorkspaceId},
    lead::{LeadDraft, NumberClaim},
    ledger::{Row, SyncStatus, WriteId},
    ports::{
        Clock, ConnectionStore, Crm, Ledger, Look, NumberClaims, OrgMemory, Random, StoreError, Swap,
        TokenEndpoint, Tokens, Workspaces,
    },
    sync::{Done, Ports, Report, Turn, Worker},
    workspace::{
        Connection, ConnectionState, Learned, Lease, Lessons, RecordType, WebhookSecretVersions, Workspace,
    },
};

pub(super) const START: i64 = 1_800_000_000;
pub(super) const LEAD: &str = "00Q000000000001EAA";
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
    /// Swaps that are to fail, by their turn from now: 0 is the next.
    pub(super) failing: Mutex<Vec<u64>>,
    pub(super) claims: Mutex<HashMap<String, NumberClaim>>,
}

impl MemoryLedger {
    pub(super) fn row(&self, call_id: &str) -> Row {
        self.rows.lock().unwrap()[&CallId::parse(call_id).unwrap()].clone()
    }

    pub(super) fn put(&self, row: Row) {
        self.rows.lock().unwrap().insert(row.call_id.clone(), row);
    }
}

impl Ledger for MemoryLedger {
    async fn load(&self, _: &WorkspaceId, call_id: &CallId) -> Result<Option<Row>, StoreError> {
        Ok(self.rows.lock().unwrap().get(call_id).cloned())
    }

    async fn swap(&self, expected: Option<&WriteId>, row: &Row) -> Result<Swap, StoreError> {
        let turn = self.writes.fetch_add(1, Ordering::Relaxed);
        if self.failing.lock().unwrap().contains(&turn) {
            return Err(StoreError { operation: "swap", cause: "unplugged".to_owned() });
        }
        let mut rows = self.rows.lock().unwrap();
        let current = rows.get(&row.call_id);
        if current.map(|row| row.write_id.as_ref()) != expected.map(Some) {
            return Ok(Swap::Conflict(current.cloned().map(Box::new)));
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

/// What makes a request take some seconds.
#[derive(Default)]
pub(super) struct Slow {
    clock: Arc<AtomicI64>,
    pub(super) seconds: AtomicI64,
}

impl Slow {
    fn wait(&self) {
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

/// A fault of the next request of a kind.
pub(super) enum Fault {
    /// It fails and changes nothing.
    Before(CrmError),
    /// It takes effect, and the answer is this failure.
    After(CrmError),
}

/// What a person does to an org.
type Meddling = Box<dyn FnOnce(&mut OrgState) + Send>;

#[derive(Default)]
pub(super) struct OrgState {
    pub(super) records: Vec<FoundRecord>,
    pub(super) tasks: Vec<(SalesforceId, TaskDraft)>,
    pub(super) events: Vec<(SalesforceId, EventDraft)>,
    pub(super) requests: Vec<&'static str>,
    pub(super) faults: HashMap<&'static str, VecDeque<Fault>>,
    pub(super) good_access_token: String,
    /// Records that search does not know yet.
    pub(super) unindexed: Vec<FoundRecord>,
    /// More of this object are new than are shown.
    pub(super) full_of_new: Option<RecordType>,
    /// Search has more of these than it shows.
    pub(super) full: Option<RecordType>,
    pub(super) converted: HashMap<SalesforceId, SalesforceId>,
    pub(super) leads: Vec<(SalesforceId, LeadDraft)>,
    /// When new records and activities are created, by Salesforce's clock.
    pub(super) now: DateTime<Utc>,
    /// When the activities were created.
    pub(super) created_at: HashMap<SalesforceId, DateTime<Utc>>,
    /// Records that search still shows and that cannot be written on.
    pub(super) deleted: Vec<SalesforceId>,
    /// A look does not see Events yet: they commit late.
    pub(super) hidden_events: bool,
    /// When activities were changed that are no longer as they were created.
    pub(super) modified_at: HashMap<SalesforceId, DateTime<Utc>>,
    /// Objects and fields that may not be read: `Contact.HomePhone`.
    pub(super) unreadable: Vec<&'static str>,
    /// Fields of activities that may not be read.
    pub(super) hidden: Vec<&'static str>,
    /// Fields that a query may not filter by.
    pub(super) unfilterable: Vec<&'static str>,
    /// What a person does just before the next update.
    pub(super) before_update: Vec<Meddling>,
    /// What a duplicate rule names for a new Lead, and whether it blocks it.
    pub(super) duplicates: Option<(Vec<SalesforceId>, bool)>,
    /// How many seconds it takes to read the client secret.
    pub(super) secret_takes: i64,
    /// Records that only a duplicate rule finds.
    pub(super) named: Vec<FoundRecord>,
    /// What was changed by updates.
    pub(super) sent: Vec<Fields>,
}

impl OrgState {
    /// A person changes fields of a Task or an Event.
    pub(super) fn edit(&mut self, id: &SalesforceId, fields: serde_json::Value) {
        self.now += chrono::TimeDelta::seconds(1);
        let serde_json::Value::Object(fields) = fields else { return };
        self.write(id, &fields);
    }

    /// A person deletes a Task or an Event.
    pub(super) fn delete(&mut self, id: &SalesforceId) {
        self.tasks.retain(|(other, _)| other != id);
        self.events.retain(|(other, _)| other != id);
    }

    fn write(&mut self, id: &SalesforceId, fields: &Fields) {
        if let Some((_, task)) = self.tasks.iter_mut().find(|(other, _)| other == id) {
            *task = merged(&task.fields(), fields);
        }
        if let Some((_, event)) = self.events.iter_mut().find(|(other, _)| other == id) {
            *event = merged(&event.fields(), fields);
        }
        self.modified_at.insert(id.clone(), self.now);
    }

    fn modified(&self, id: &SalesforceId) -> DateTime<Utc> {
        let created = self.created_at.get(id).copied().unwrap_or_default();
        self.modified_at.get(id).copied().unwrap_or(created)
    }

    /// A Task or an Event as it is read: what has no value is null.
    fn activity(&self, id: &SalesforceId, who_id: &SalesforceId, draft: Fields) -> Activity {
        const OPTIONAL: [&str; 8] = [
            "Type",
            "Priority",
            "ActivityDate",
            "CallDurationInSeconds",
            "CallDisposition",
            "ShowAs",
            "IsReminderSet",
            "ReminderDateTime",
        ];
        let mut fields: Fields =
            OPTIONAL.iter().map(|field| ((*field).to_owned(), serde_json::Value::Null)).collect();
        fields.extend(draft);
        fields.retain(|field, _| !self.hidden.contains(&field.as_str()));
        Activity {
            id: id.clone(),
            who_id: Some(who_id.clone()).filter(|who_id| who_id.as_str() != NOBODY),
            fields,
            modified_at: self.modified(id),
            is_untouched: !self.modified_at.contains_key(id),
        }
    }

    fn omitted(&self, objects: &[RecordType], known: &Omitted, queried: bool) -> Omitted {
        let of = |fields: &[&str]| -> std::collections::BTreeSet<String> {
            let asked =
                |field: &&&str| objects.iter().any(|object| field.starts_with(&format!("{object:?}")));
            fields.iter().filter(asked).map(|field| (*field).to_owned()).collect()
        };
        let unfilterable = if queried { of(&self.unfilterable) } else { known.unfilterable.clone() };
        Omitted { unreadable: of(&self.unreadable), unfilterable }
    }
}

/// Where a Task stands that a person took off its record: the drafts know no empty `WhoId`.
pub(super) const NOBODY: &str = "001000000000000AAA";

/// A draft with fields changed.
fn merged<D: serde::de::DeserializeOwned>(draft: &Fields, changed: &Fields) -> D {
    let mut fields = draft.clone();
    fields.extend(changed.clone());
    serde_json::from_value(serde_json::Value::Object(fields)).unwrap()
}

/// Salesforce. A refresh may take some seconds.
pub(super) struct Org(pub(super) Mutex<OrgState>, pub(super) Slow);

impl Org {
    pub(super) fn state(&self) -> std::sync::MutexGuard<'_, OrgState> {
        self.0.lock().unwrap()
    }

    pub(super) fn fail(&self, request: &'static str, fault: Fault) {
        self.state().faults.entry(request).or_default().push_back(fault);
    }

    fn request<T>(
        &self,
        name: &'static str,
        connection: &Connection,
        effect: impl FnOnce(&mut OrgState) -> T,
    ) -> Result<Answer<T>, CrmError> {
        let mut state = self.state();
        state.requests.push(name);
        if connection.access_token.expose_secret() != state.good_access_token {
            return Err(error(FaultClass::Session, "INVALID_SESSION_ID"));
        }
        match state.faults.get_mut(name).and_then(VecDeque::pop_front) {
            Some(Fault::Before(error)) => Err(error),
            Some(Fault::After(error)) => {
                effect(&mut state);
                Err(error)
            }
            None => {
                Ok(Answer { value: effect(&mut state), api_usage: Some(ApiUsage { used: 18, limit: 5000 }) })
            }
        }
    }
}

impl Org {
    /// A search that asks for what may not be read is refused, and asked anew without it.
    fn narrowing(
        &self,
        request: &'static str,
        connection: &Connection,
        objects: &[RecordType],
        known: &Omitted,
    ) {
        let mut state = self.state();
        let good = connection.access_token.expose_secret() == state.good_access_token;
        let refused = state.omitted(objects, known, false).unreadable.difference(&known.unreadable).count();
        state.requests.extend(std::iter::repeat_n(request, if good { refused } else { 0 }));
    }
}

/// What may be read of a record.
fn readable(record: &FoundRecord, omitted: &Omitted) -> FoundRecord {
    let mut record = record.clone();
    let object = record.record_type;
    record.phones.retain(|(field, _)| !omitted.unreadable.contains(&format!("{object:?}.{field}")));
    record
}

impl Crm for Org {
    async fn search(
        &self,
        connection: &Connection,
        objects: &[RecordType],
        query: &PhoneQuery,
        omitted: &Omitted,
    ) -> Result<Answer<Found>, CrmError> {
        self.narrowing("search", connection, objects, omitted);
        self.request("search", connection, |state| {
            let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
            let hit = |(_, phone): &(String, String)| {
                digits(phone) == query.national || digits(phone) == query.international
            };
            let records = state.records.iter().filter(|record| objects.contains(&record.record_type));
            let found = records.filter(|record| record.phones.iter().any(hit) || record.phones.is_empty());
            let omitted = state.omitted(objects, omitted, false);
            let records = found.map(|record| readable(record, &omitted)).collect();
            Found { records, full: state.full.filter(|object| objects.contains(object)), omitted }
        })
    }

    async fn create(
        &self,
        connection: &Connection,
        task: Option<&TaskDraft>,
        event: Option<&EventDraft>,
    ) -> Result<Answer<Written>, CrmError> {
        let who_id = task.map(|task| &task.who_id).or(event.map(|event| &event.who_id));
        if who_id.is_some_and(|who_id| self.state().deleted.contains(who_id)) {
            self.fail("create", Fault::Before(error(FaultClass::RecordGone, "ENTITY_IS_DELETED")));
        }
        self.request("create", connection, |state| {
            let mut written = Written::default();
            if let Some(task) = task {
                let id = new_id("00T", state.tasks.len());
                state.created_at.insert(id.clone(), state.now);
                state.tasks.push((id.clone(), task.clone()));
                written.task_id = Some(id);
            }
            if let Some(event) = event {
                let id = new_id("00U", state.events.len());
                state.created_at.insert(id.clone(), state.now);
                state.events.push((id.clone(), event.clone()));
                written.event_id = Some(id);
            }
            written
        })
    }

    async fn recent(
        &self,
        connection: &Connection,
        objects: &[RecordType],
        _: &PhoneQuery,
        since: DateTime<Utc>,
        omitted: &Omitted,
    ) -> Result<Answer<Found>, CrmError> {
        self.request("recent", connection, |state| {
            let unindexed = state.unindexed.iter().filter(|record| record.created_at >= since);
            let unindexed = unindexed.filter(|record| objects.contains(&record.record_type));
            let full = state.full_of_new.filter(|object| objects.contains(object));
            let omitted = state.omitted(objects, omitted, true);
            Found { records: unindexed.cloned().collect(), full, omitted }
        })
    }

    async fn records(
        &self,
        connection: &Connection,
        ids: &[SalesforceId],
        omitted: &Omitted,
    ) -> Result<Answer<Found>, CrmError> {
        self.request("records", connection, |state| {
            let all = state.records.iter().chain(&state.unindexed).chain(&state.named);
            let records = all.filter(|record| ids.contains(&record.id)).cloned().collect();
            Found { records, full: None, omitted: omitted.clone() }
        })
    }

    async fn converted_to(
        &self,
        connection: &Connection,
        lead_id: &SalesforceId,
    ) -> Result<Answer<Option<SalesforceId>>, CrmError> {
        self.request("converted_to", connection, |state| state.converted.get(lead_id).cloned())
    }

    async fn create_lead(
        &self,
        connection: &Connection,
        lead: &LeadDraft,
        duplicates: Duplicates,
    ) -> Result<Answer<SalesforceId>, CrmError> {
        let named = self.state().duplicates.clone();
        if let Some((records, _)) = named.filter(|(_, blocks)| *blocks || duplicates == Duplicates::Refuse) {
            let refusal = CrmError { records, ..error(FaultClass::Permanent, "DUPLICATES_DETECTED") };
            self.fail("create_lead", Fault::Before(refusal));
        }
        self.request("create_lead", connection, |state| {
            let id = new_id("00Q", 100 + state.leads.len());
            state.leads.push((id.clone(), lead.clone()));
            let mut record = self::lead(id.as_str(), &lead.phone);
            record.created_at = state.now;
            state.unindexed.push(record);
            id
        })
    }

    async fn read(
        &self,
        connection: &Connection,
        task_id: Option<&SalesforceId>,
        event_id: Option<&SalesforceId>,
    ) -> Result<Answer<Activities>, CrmError> {
        self.request("read", connection, |state| {
            let task = state.tasks.iter().find(|(id, _)| Some(id) == task_id);
            let event = state.events.iter().find(|(id, _)| Some(id) == event_id);
            Activities {
                task: task.map(|(id, task)| state.activity(id, &task.who_id, task.fields())),
                event: event.map(|(id, event)| state.activity(id, &event.who_id, event.fields())),
            }
        })
    }

    async fn update(
        &self,
        connection: &Connection,
        object: WrittenObject,
        id: &SalesforceId,
        fields: &Fields,
        unmodified_since: DateTime<Utc>,
    ) -> Result<Answer<()>, CrmError> {
        let name = if object == WrittenObject::Event { "update_event" } else { "update_task" };
        {
            let mut state = self.state();
            for meddle in std::mem::take(&mut state.before_update) {
                meddle(&mut state);
            }
            if state.modified(id) > unmodified_since {
                let refusal = error(FaultClass::Stale, "PRECONDITION_FAILED");
                drop(state);
                self.fail(name, Fault::Before(refusal));
            }
        }
        self.request(name, connection, |state| {
            state.sent.push(fields.clone());
            state.write(id, fields);
        })
    }

    async fn closed_task_status(&self, connection: &Connection) -> Result<Answer<Option<String>>, CrmError> {
        self.request("closed_task_status", connection, |_| Some("Erledigt".to_owned()))
    }

    async fn look(
        &self,
        connection: &Connection,
        call_id: &CallId,
        who_ids: &[SalesforceId],
        since: DateTime<Utc>,
        _: bool,
    ) -> Result<Answer<Look>, CrmError> {
        self.request("look", connection, |state| {
            let last_line = format!("Call {call_id}");
            let on_record = |id: &SalesforceId, who_id: &SalesforceId, description: &str| {
                let is_new = state.created_at.get(id).is_none_or(|at| *at >= since);
                is_new && who_ids.contains(who_id) && description.ends_with(&last_line)
            };
            let task = state.tasks.iter().find(|(id, task)| {
                task.call_object.as_deref() == Some(call_id.as_str())
                    || on_record(id, &task.who_id, &task.description)
            });
            let mut events = state.events.iter();
            let event = events.find(|(id, event)| on_record(id, &event.who_id, &event.description));
            Look {
                task: task.map(|(id, task)| (id.clone(), Some(task.who_id.clone()))),
                event_id: event.filter(|_| !state.hidden_events).map(|(id, _)| id.clone()),
            }
        })
    }
}

impl TokenEndpoint for Org {
    async fn client_secret(&self) -> Result<SecretString, CrmError> {
        let milliseconds = self.state().secret_takes * 1000;
        self.1.clock.fetch_add(milliseconds, Ordering::Relaxed);
        Ok(SecretString::from("client-secret"))
    }

    async fn refresh(&self, connection: &Connection, _: &SecretString) -> Result<Tokens, CrmError> {
        self.1.wait();
        let mut state = self.state();
        state.requests.push("refresh");
        if let Some(Fault::Before(error) | Fault::After(error)) =
            state.faults.get_mut("refresh").and_then(VecDeque::pop_front)
        {
            return Err(error);
        }
        state.good_access_token = format!("access-{}", connection.version + 1);
        Ok(Tokens {
            access_token: state.good_access_token.clone().into(),
            refresh_token: Some(SecretString::from(format!("refresh-{}", connection.version + 1))),
            instance_url: connection.instance_url.clone(),
            issued_at: START,
        })
    }

    async fn revoke(&self, _: &str, _: &SecretString) -> Result<(), CrmError> {
        self.state().requests.push("revoke");
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

fn new_id(prefix: &str, n: usize) -> SalesforceId {
    SalesforceId::parse(format!("{prefix}{n:012}")).unwrap()
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

/// A connected workspace, with one Lead that has [`NUMBER`].
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

/// A thin report at `START + at` seconds.
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

    /// A turn that ends in so many seconds.
    pub(super) fn turn(&self, seconds: i64) -> Turn {
        Turn::until(self.clock.now() + chrono::TimeDelta::seconds(seconds))
    }

    pub(super) async fn reported(&self, call: &Call) -> Result<Done, StoreError> {
        self.reported_under(2, call).await
    }

    pub(super) async fn reported_under(&self, secret_version: u64, call: &Call) -> Result<Done, StoreError> {
        let report = Report { call, secret_version, received_at: self.clock.now().timestamp() };
        self.report(&self.workspace(), &report, self.turn(55)).await
    }

    pub(super) async fn woken(&self) -> Result<Done, StoreError> {
        self.wake(&self.workspace(), &CallId::parse("call-1").unwrap(), false, self.turn(55)).await
    }

    /// Requests of a kind fail from now on.
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
}
