//! An org in memory with one Lead, a workspace that is connected to it, and a worker for both. What the functions' tests
//! do not need panics.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::missing_panics_doc,
    reason = "a test should fail here"
)]

use std::sync::{Arc, Mutex, MutexGuard};

use calls::{
    call::{Call, CallKind, Fact},
    ids::{CallId, SalesforceId, WorkspaceId},
};
use chrono::{DateTime, Utc};
use crm::{
    Activities, Activity, Answer, ApiUsage, CrmError, Draft, Duplicates, Fields, Found, FoundRecord, Omitted,
    PhoneQuery, RecordType, Written, WrittenObject,
    activity::{self, Booking, EventDraft, TaskDraft},
    lead::LeadDraft,
    workspace::{Connection, Settings, WebhookSecretVersions, Workspace},
};
use secrecy::SecretString;

use crate::{
    ports::{Crm, Look, TokenEndpoint, Tokens},
    worker::{Ports, Worker},
};

use super::{FixedClock, MemoryLedger, MemoryWorkspaces, SeededRandom};

/// The time at which the worker's clock starts, Unix seconds.
pub const NOW: i64 = 1_800_457_200;
/// The number of the org's Lead.
pub const NUMBER: &str = "+12345550123";
/// The Lead.
pub const LEAD: &str = "00Q000000000001EAA";
/// The org panics on searches for this number.
pub const PANICS: &str = "+12345550199";

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

/// The Tasks in the org, and the numbers of requests that it received.
#[derive(Debug, Default)]
pub struct Records {
    /// The Tasks.
    pub tasks: Vec<TaskDraft>,
    /// How many searches.
    pub searches: usize,
    /// How many updates.
    pub updates: usize,
    /// How many looks.
    pub looks: usize,
    /// The error that all requests return, if the org is down.
    pub down: Option<CrmError>,
}

impl Records {
    fn index(&self, id: &SalesforceId) -> usize {
        (0..self.tasks.len()).find(|n| task_id(n + 1) == *id).expect("a task that exists")
    }
}

/// An in-memory org. Each request yields first, as network requests do.
#[derive(Debug, Clone, Default)]
pub struct Org(Arc<Mutex<Records>>);

impl Org {
    /// The org's content.
    pub fn records(&self) -> MutexGuard<'_, Records> {
        self.0.lock().unwrap()
    }

    async fn request<T>(&self, effect: impl FnOnce(&mut Records) -> T) -> Result<Answer<T>, CrmError> {
        tokio::task::yield_now().await;
        let mut records = self.records();
        if let Some(error) = &records.down {
            return Err(error.clone());
        }
        Ok(Answer { value: effect(&mut records), api_usage: Some(ApiUsage { used: 18, limit: 15_000 }) })
    }
}

fn task_id(n: usize) -> SalesforceId {
    SalesforceId::parse(format!("00T{n:012}")).unwrap()
}

impl Crm for Org {
    async fn search(
        &self,
        _: &Connection,
        _: &[RecordType],
        query: &PhoneQuery,
        _: &Omitted,
    ) -> Result<Answer<Found>, CrmError> {
        assert_ne!(format!("+{}", query.international), PANICS);
        self.request(|records| {
            records.searches += 1;
            let hit = format!("+{}", query.international) == NUMBER;
            Found { records: if hit { vec![lead()] } else { Vec::new() }, ..Found::default() }
        })
        .await
    }

    async fn create(
        &self,
        _: &Connection,
        task: Option<&TaskDraft>,
        event: Option<&EventDraft>,
    ) -> Result<Answer<Written>, CrmError> {
        assert!(event.is_none(), "no call in these tests has an appointment");
        self.request(|records| {
            records.tasks.extend(task.cloned());
            Written { task_id: task.map(|_| task_id(records.tasks.len())), event_id: None }
        })
        .await
    }

    async fn recent(
        &self,
        _: &Connection,
        _: &[RecordType],
        _: &PhoneQuery,
        _: DateTime<Utc>,
        _: &Omitted,
    ) -> Result<Answer<Found>, CrmError> {
        self.request(|_| Found::default()).await
    }

    async fn records(
        &self,
        _: &Connection,
        _: &[SalesforceId],
        _: &Omitted,
    ) -> Result<Answer<Found>, CrmError> {
        panic!("no duplicate rule in these tests names records")
    }

    async fn converted_to(
        &self,
        _: &Connection,
        _: &SalesforceId,
    ) -> Result<Answer<Option<SalesforceId>>, CrmError> {
        panic!("no record in these tests is deleted")
    }

    async fn create_lead(
        &self,
        _: &Connection,
        _: &LeadDraft,
        _: Duplicates,
    ) -> Result<Answer<SalesforceId>, CrmError> {
        panic!("no workspace in these tests creates Leads")
    }

    async fn read(
        &self,
        _: &Connection,
        task_id: Option<&SalesforceId>,
        event_id: Option<&SalesforceId>,
    ) -> Result<Answer<Activities>, CrmError> {
        assert!(event_id.is_none(), "no call in these tests has an appointment");
        self.request(|records| {
            let index = records.index(task_id.expect("a task that exists"));
            let as_read = |index: usize| Activity {
                id: self::task_id(index + 1),
                who_id: Some(records.tasks[index].who_id.clone()),
                fields: records.tasks[index].fields(),
                modified_at: DateTime::UNIX_EPOCH,
                is_untouched: true,
            };
            Activities { task: Some(as_read(index)), event: None }
        })
        .await
    }

    async fn update(
        &self,
        _: &Connection,
        _: WrittenObject,
        id: &SalesforceId,
        fields: &Fields,
        _: DateTime<Utc>,
    ) -> Result<Answer<()>, CrmError> {
        self.request(|records| {
            records.updates += 1;
            let index = records.index(id);
            let description = fields["Description"].as_str().expect("a Description that changes");
            description.clone_into(&mut records.tasks[index].description);
        })
        .await
    }

    async fn closed_task_status(&self, _: &Connection) -> Result<Answer<Option<String>>, CrmError> {
        panic!("this org has `Completed`")
    }

    async fn look(
        &self,
        _: &Connection,
        call_id: &CallId,
        _: &[SalesforceId],
        _: DateTime<Utc>,
        _: bool,
    ) -> Result<Answer<Look>, CrmError> {
        self.request(|records| {
            records.looks += 1;
            let of_call = |task: &TaskDraft| task.call_object.as_deref() == Some(call_id.as_str());
            let found = records.tasks.iter().position(of_call);
            let task = found.map(|n| (task_id(n + 1), Some(records.tasks[n].who_id.clone())));
            Look { task, event_id: None }
        })
        .await
    }
}

impl TokenEndpoint for Org {
    async fn client_secret(&self) -> Result<SecretString, CrmError> {
        panic!("the access token in these tests does not expire")
    }

    async fn refresh(&self, _: &Connection, _: &SecretString) -> Result<Tokens, CrmError> {
        panic!("the access token in these tests does not expire")
    }

    async fn revoke(&self, _: &str, _: &SecretString) -> Result<(), CrmError> {
        panic!("nobody disconnects in these tests")
    }
}

fn lead() -> FoundRecord {
    let at = DateTime::from_timestamp(NOW - 86_400, 0).unwrap();
    FoundRecord {
        id: SalesforceId::parse(LEAD).unwrap(),
        record_type: RecordType::Lead,
        name: Some("Ada Sample".to_owned()),
        phones: vec![("MobilePhone".to_owned(), NUMBER.to_owned())],
        country: None,
        created_at: at,
        modified_at: at,
    }
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
    Worker {
        ledger: MemoryLedger::default(),
        workspaces,
        salesforce: Org::default(),
        clock: FixedClock::at(NOW),
        random: SeededRandom::new(1),
        settle_seconds: 600,
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
