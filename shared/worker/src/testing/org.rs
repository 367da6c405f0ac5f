//! Salesforce in memory: records, Tasks and Events, faults before or after an effect, and people who change things.
#![expect(clippy::unwrap_used, clippy::missing_panics_doc, reason = "a test should fail here")]

use std::{
    collections::{HashMap, VecDeque},
    fmt,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use calls::ids::{CallId, SalesforceId};
use chrono::{DateTime, TimeDelta, Utc};
use crm::{
    Activities, Activity, Answer, ApiUsage, CrmError, Draft, Duplicates, FaultClass, Fields, Found,
    FoundRecord, Omitted, PhoneQuery, RecordType, Written, WrittenObject,
    activity::{EventDraft, TaskDraft},
    lead::LeadDraft,
    workspace::Connection,
};
use secrecy::{ExposeSecret, SecretString};

use crate::ports::{Clock, Crm, Look, TokenEndpoint, Tokens};

use super::FixedClock;

/// The org panics on searches for this number.
pub const PANICS: &str = "+12345550199";

/// A fault for the next request of a kind.
#[derive(Debug)]
pub enum Fault {
    /// It fails and changes nothing.
    Before(CrmError),
    /// It takes effect, but the response is this error.
    After(CrmError),
}

/// What a person does to an org.
type PersonsChange = Box<dyn FnOnce(&mut OrgState) + Send>;

/// What is in an org, and what it does next.
#[derive(Default)]
pub struct OrgState {
    /// Leads and Contacts that search finds.
    pub records: Vec<FoundRecord>,
    /// The Tasks.
    pub tasks: Vec<(SalesforceId, TaskDraft)>,
    /// The Events.
    pub events: Vec<(SalesforceId, EventDraft)>,
    /// The kinds of the requests that it received.
    pub requests: Vec<&'static str>,
    /// Faults by kind of request, each for one request.
    pub faults: HashMap<&'static str, VecDeque<Fault>>,
    /// The error that all requests return, if the org is down.
    pub down: Option<CrmError>,
    /// The access token that the org accepts.
    pub good_access_token: String,
    /// Records that search has not indexed yet.
    pub unindexed: Vec<FoundRecord>,
    /// There are more new records of this object than the query returns.
    pub full_of_new: Option<RecordType>,
    /// There are more matching records of this object than the search returns.
    pub full: Option<RecordType>,
    /// The Contacts that Leads were converted to.
    pub converted: HashMap<SalesforceId, SalesforceId>,
    /// The Leads that Ringlog created.
    pub leads: Vec<(SalesforceId, LeadDraft)>,
    /// Salesforce's clock, for new records and activities.
    pub now: DateTime<Utc>,
    /// When the activities were created.
    pub created_at: HashMap<SalesforceId, DateTime<Utc>>,
    /// Records that search still returns but that are deleted.
    pub deleted: Vec<SalesforceId>,
    /// A look does not find Events yet, because they commit late.
    pub hidden_events: bool,
    /// When activities were last changed, if they were changed since their creation.
    pub modified_at: HashMap<SalesforceId, DateTime<Utc>>,
    /// Objects and fields that cannot be read: `Contact.HomePhone`.
    pub unreadable: Vec<&'static str>,
    /// Fields of activities that cannot be read.
    pub hidden: Vec<&'static str>,
    /// Fields that a query cannot filter by.
    pub unfilterable: Vec<&'static str>,
    /// A person's changes just before the next update.
    pub before_update: Vec<PersonsChange>,
    /// The records that a duplicate rule names for a new Lead, and whether it blocks the Lead.
    pub duplicates: Option<(Vec<SalesforceId>, bool)>,
    /// How many seconds it takes to read the client secret.
    pub secret_takes: u64,
    /// How often a request yields before it is handled. More than once: the worker gets impatient.
    pub yields: usize,
    /// How many seconds a refresh takes.
    pub refresh_takes: u64,
    /// Records that only a duplicate rule finds.
    pub named: Vec<FoundRecord>,
    /// The fields that updates sent.
    pub sent: Vec<Fields>,
}

impl OrgState {
    /// A person changes fields of a Task or an Event.
    pub fn edit(&mut self, id: &SalesforceId, fields: serde_json::Value) {
        self.now += TimeDelta::seconds(1);
        let serde_json::Value::Object(fields) = fields else { return };
        self.write(id, &fields);
    }

    /// A person deletes a Task or an Event.
    pub fn delete(&mut self, id: &SalesforceId) {
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

    /// A Task or an Event as a read returns it: empty fields are null.
    fn activity(&self, id: &SalesforceId, who_id: &SalesforceId, draft: Fields) -> Activity {
        const OPTIONAL: [&str; 9] = [
            "Type",
            "Priority",
            "ActivityDate",
            "CallDurationInSeconds",
            "CallDisposition",
            "ShowAs",
            "Location",
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

/// The `WhoId` of a Task that a person removed from its record: drafts have no empty `WhoId`.
pub const NOBODY: &str = "001000000000000AAA";

/// A draft with changed fields.
fn merged<D: serde::de::DeserializeOwned>(draft: &Fields, changed: &Fields) -> D {
    let mut fields = draft.clone();
    fields.extend(changed.clone());
    serde_json::from_value(serde_json::Value::Object(fields)).unwrap()
}

/// An org. Each request yields first, as network requests do. Clones share it.
#[derive(Clone)]
pub struct Org {
    state: Arc<Mutex<OrgState>>,
    clock: FixedClock,
}

impl fmt::Debug for Org {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Org").finish_non_exhaustive()
    }
}

impl Org {
    /// An org that contains these records, and whose requests take time on this clock.
    pub fn with(records: Vec<FoundRecord>, clock: &FixedClock) -> Self {
        let state = OrgState {
            records,
            good_access_token: "access-1".to_owned(),
            now: clock.now(),
            yields: 1,
            ..OrgState::default()
        };
        Self { state: Arc::new(Mutex::new(state)), clock: clock.clone() }
    }

    /// Its content.
    pub fn state(&self) -> MutexGuard<'_, OrgState> {
        self.state.lock().unwrap()
    }

    /// The Tasks, in the order of their creation.
    pub fn tasks(&self) -> Vec<TaskDraft> {
        self.state().tasks.iter().map(|(_, task)| task.clone()).collect()
    }

    /// Adds a Task, as an earlier worker wrote it.
    pub fn add_task(&self, task: TaskDraft) {
        let mut state = self.state();
        let id = new_id("00T", state.tasks.len());
        state.tasks.push((id, task));
    }

    /// How many requests of a kind it received.
    pub fn count(&self, request: &str) -> usize {
        self.state().requests.iter().filter(|one| **one == request).count()
    }

    /// The next request of a kind fails, after those that fail already.
    pub fn fail(&self, request: &'static str, fault: Fault) {
        self.state().faults.entry(request).or_default().push_back(fault);
    }

    async fn request<T>(
        &self,
        name: &'static str,
        connection: &Connection,
        effect: impl FnOnce(&mut OrgState) -> T,
    ) -> Result<Answer<T>, CrmError> {
        let yields = self.state().yields;
        for _ in 0..yields {
            tokio::task::yield_now().await;
        }
        let mut state = self.state();
        state.requests.push(name);
        if let Some(error) = &state.down {
            return Err(error.clone());
        }
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
                let api_usage = Some(ApiUsage { used: 18, limit: 15_000 });
                Ok(Answer { value: effect(&mut state), api_usage })
            }
        }
    }
}

impl Org {
    /// A search for unreadable fields is refused and repeated without each of them: counts those requests.
    fn count_refused_searches(
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

/// A record without its unreadable phone fields.
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
        assert_ne!(format!("+{}", query.international), PANICS);
        self.count_refused_searches("search", connection, objects, omitted);
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
        .await
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
        .await
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
        .await
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
        .await
    }

    async fn converted_to(
        &self,
        connection: &Connection,
        lead_id: &SalesforceId,
    ) -> Result<Answer<Option<SalesforceId>>, CrmError> {
        self.request("converted_to", connection, |state| state.converted.get(lead_id).cloned()).await
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
            let record = self::lead(id.as_str(), &lead.phone, state.now + TimeDelta::days(1));
            state.unindexed.push(record);
            id
        })
        .await
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
        .await
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
            for change in std::mem::take(&mut state.before_update) {
                change(&mut state);
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
        .await
    }

    async fn closed_task_status(&self, connection: &Connection) -> Result<Answer<Option<String>>, CrmError> {
        self.request("closed_task_status", connection, |_| Some("Erledigt".to_owned())).await
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
        .await
    }
}

impl TokenEndpoint for Org {
    async fn client_secret(&self) -> Result<SecretString, CrmError> {
        let seconds = self.state().secret_takes;
        self.clock.advance(Duration::from_secs(seconds));
        Ok(SecretString::from("client-secret"))
    }

    async fn refresh(&self, connection: &Connection, _: &SecretString) -> Result<Tokens, CrmError> {
        let seconds = self.state().refresh_takes;
        self.clock.advance(Duration::from_secs(seconds));
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
            issued_at: self.clock.now().timestamp(),
        })
    }

    async fn revoke(&self, _: &str, _: &SecretString) -> Result<(), CrmError> {
        self.state().requests.push("revoke");
        Ok(())
    }
}

/// An error without a response.
pub fn error(class: FaultClass, code: &str) -> CrmError {
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

/// A Lead that was created the day before `now`.
pub fn lead(id: &str, phone: &str, now: DateTime<Utc>) -> FoundRecord {
    let at = now - TimeDelta::days(1);
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

fn new_id(prefix: &str, n: usize) -> SalesforceId {
    SalesforceId::parse(format!("{prefix}{n:012}")).unwrap()
}
