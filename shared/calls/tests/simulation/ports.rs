//! The ports of the algorithm, on the simulated world.

use std::time::Duration;

use calls::{
    activity::{EventDraft, TaskDraft},
    crm::{Answer, CrmError, FaultClass, Found, FoundRecord, PhoneQuery, Written, WrittenObject},
    ids::{CallId, SalesforceId, WorkspaceId},
    lead::{LeadDraft, NumberClaim},
    ledger::{Row, RowKey, SyncStatus, WriteId},
    message::Work,
    ports::{
        Clock, ConnectionStore, Crm, DueRows, IdleConnections, Ledger, Look, NumberClaims, OrgMemory, Queue,
        Random, StoreError, Swap, TokenEndpoint, Tokens, WaitingRows, Workspaces,
    },
    sync::Ports,
    workspace::{Connection, ConnectionState, Lease, RecordType, RefusedFields, Workspace},
};
use chrono::{DateTime, Utc};
use secrecy::{ExposeSecret, SecretString};

use crate::{
    invariants,
    salesforce::Activity,
    world::{Broken, Failed, Message, State, TIMEOUT, World},
};

/// The algorithm's ports, all on one world.
pub struct Simulated;

impl Ports for Simulated {
    type Ledger = World;
    type Workspaces = World;
    type Salesforce = World;
    type Clock = World;
    type Random = World;
}

fn store_error(_: Failed) -> StoreError {
    StoreError { operation: "simulated store", cause: "unplugged".to_owned() }
}

fn crm_error(class: FaultClass, code: &str) -> CrmError {
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

impl Clock for World {
    fn now(&self) -> DateTime<Utc> {
        DateTime::from_timestamp_millis(self.state().clock()).unwrap()
    }

    async fn sleep(&self, duration: Duration) {
        self.park(i64::try_from(duration.as_millis()).unwrap()).await;
    }
}

impl Random for World {
    fn id(&self) -> String {
        let mut state = self.state();
        state.drawn += 1;
        format!("id-{}", state.drawn)
    }

    fn fraction(&self) -> f64 {
        self.state().rng.f64()
    }
}

/// A row as its reader sees it: in a broken world without what guards the promises.
fn seen(state: &State, row: &Row) -> Row {
    let mut row = row.clone();
    match state.broken {
        Some(Broken::Lease) if row.lease.take().is_some() => row.unsettled_until = None,
        Some(Broken::Look) => row.unsettled_until = None,
        _ => {}
    }
    row
}

impl Ledger for World {
    async fn load(&self, workspace_id: &WorkspaceId, call_id: &CallId) -> Result<Option<Row>, StoreError> {
        let key = (workspace_id.clone(), call_id.clone());
        self.call("load row", move |state| state.rows.get(&key).map(|row| seen(state, row)))
            .await
            .map_err(store_error)
    }

    async fn swap(&self, expected: Option<&WriteId>, row: &Row) -> Result<Swap, StoreError> {
        let (expected, row) = (expected.cloned(), row.clone());
        let name = format!("write row {} {} rev {}", row.call_id, row.status.as_str(), row.revision);
        self.call(&name, move |state| {
            let key = (row.workspace_id.clone(), row.call_id.clone());
            let current = state.rows.get(&key);
            if current.and_then(|row| row.write_id.clone()) != expected {
                return Swap::Conflict(current.map(|current| Box::new(seen(state, current))));
            }
            state.rows.insert(key, row);
            Swap::Done
        })
        .await
        .map_err(store_error)
    }
}

impl NumberClaims for World {
    async fn load_claim(&self, id: &WorkspaceId, number: &str) -> Result<Option<NumberClaim>, StoreError> {
        let key = (id.clone(), number.to_owned());
        self.call("load claim", move |state| state.claims.get(&key).cloned()).await.map_err(store_error)
    }

    async fn swap_claim(&self, expected: Option<&WriteId>, claim: &NumberClaim) -> Result<bool, StoreError> {
        let (expected, claim) = (expected.cloned(), claim.clone());
        self.call("write claim", move |state| {
            let key = (claim.workspace_id.clone(), claim.number.clone());
            let found = state.claims.get(&key).and_then(|claim| claim.write_id.clone());
            if found == claim.write_id {
                return true;
            }
            let as_expected = found == expected;
            if as_expected {
                state.claims.insert(key, claim);
            }
            as_expected
        })
        .await
        .map_err(store_error)
    }
}

impl WaitingRows for World {
    async fn waiting(
        &self,
        workspace_id: &WorkspaceId,
        limit: u32,
        after: Option<String>,
    ) -> Result<(Vec<CallId>, Option<String>), StoreError> {
        let id = workspace_id.clone();
        self.call("query waiting rows", move |state| {
            let waiting = state
                .rows
                .values()
                .filter(|row| row.workspace_id == id && row.status == SyncStatus::WaitingForConnection)
                .map(|row| row.call_id.clone())
                .filter(|call_id| after.as_ref().is_none_or(|after| call_id.as_str() > after.as_str()));
            let page: Vec<_> = waiting.take(limit as usize).collect();
            let next = (page.len() == limit as usize).then(|| page.last().unwrap().to_string());
            (page, next)
        })
        .await
        .map_err(store_error)
    }
}

impl DueRows for World {
    fn shards(&self) -> u8 {
        1
    }

    async fn due(
        &self,
        _: u8,
        now: i64,
        _: u32,
        _: Option<String>,
    ) -> Result<(Vec<RowKey>, Option<String>), StoreError> {
        self.call("query due rows", move |state| {
            let due = state.rows.values().filter(|row| row.due_at.is_some_and(|due_at| due_at <= now));
            let keys = due
                .map(|row| RowKey { workspace_id: row.workspace_id.clone(), call_id: row.call_id.clone() })
                .collect();
            (keys, None)
        })
        .await
        .map_err(store_error)
    }
}

impl Queue for World {
    async fn send(&self, work: &Work) -> Result<(), StoreError> {
        let work = work.clone();
        self.call("send message", move |state| state.enqueue(&work)).await.map_err(store_error)
    }
}

impl State {
    /// Puts a message into the queue: now and then twice, as SQS may.
    pub fn enqueue(&mut self, work: &Work) {
        let copies = if self.rng.u32(0..10) == 0 { 2 } else { 1 };
        for _ in 0..copies {
            self.drawn += 1;
            let message = Message { id: self.drawn, work: work.clone(), visible_at: self.now, received: 0 };
            self.queue.push(message);
        }
    }
}

impl Workspaces for World {
    async fn load(&self, id: &WorkspaceId) -> Result<Workspace, StoreError> {
        let id = id.clone();
        self.call("load workspace", move |state| {
            let pauses = state.broken != Some(Broken::Pause);
            let mut workspace = state.workspace(&id).clone();
            workspace.paused_until = workspace.paused_until.filter(|_| pauses);
            workspace
        })
        .await
        .map_err(store_error)
    }
}

impl ConnectionStore for World {
    async fn acquire_refresh_lease(
        &self,
        id: &WorkspaceId,
        version: u64,
        owner: &str,
        now: i64,
        until: i64,
    ) -> Result<bool, StoreError> {
        let (id, owner) = (id.clone(), owner.to_owned());
        self.call("acquire refresh lease", move |state| {
            let broken = state.broken == Some(Broken::TokenStore);
            let workspace = state.workspace(&id);
            let free = workspace
                .refresh_lease
                .as_ref()
                .is_none_or(|lease| lease.until <= now || lease.owner == owner);
            let ours = workspace.state == ConnectionState::Connected
                && (broken || free && workspace.connection_version == version);
            if ours && !broken {
                workspace.refresh_lease = Some(Lease { owner, until });
            }
            ours
        })
        .await
        .map_err(store_error)
    }

    async fn store_refreshed(
        &self,
        id: &WorkspaceId,
        version: u64,
        owner: &str,
        tokens: &Tokens,
    ) -> Result<bool, StoreError> {
        let (id, owner, tokens) = (id.clone(), owner.to_owned(), tokens.clone());
        let process = self.state().running;
        self.call("store tokens", move |state| {
            let broken = state.broken == Some(Broken::TokenStore);
            if state.refreshed_by.get(&id) == Some(&owner) {
                return true;
            }
            let workspace = state.workspace(&id);
            let holds = workspace.refresh_lease.as_ref().is_some_and(|lease| lease.owner == owner);
            let ours = broken || holds && workspace.connection_version == version;
            let Some(connection) = workspace.connection.as_mut().filter(|_| ours) else {
                if let Some(token) = &tokens.refresh_token {
                    state.owes(token.expose_secret(), process);
                }
                return false;
            };
            connection.version += 1;
            connection.access_token = tokens.access_token.clone();
            if let Some(token) = tokens.refresh_token.clone() {
                connection.refresh_token = token;
            }
            workspace.connection_version += 1;
            workspace.refresh_lease = None;
            state.issued.insert(id.clone(), tokens.issued_at);
            state.refreshed_by.insert(id, owner);
            true
        })
        .await
        .map_err(store_error)
    }

    async fn release_refresh_lease(
        &self,
        id: &WorkspaceId,
        version: u64,
        owner: &str,
    ) -> Result<(), StoreError> {
        let (id, owner) = (id.clone(), owner.to_owned());
        self.call("release refresh lease", move |state| {
            let workspace = state.workspace(&id);
            let holds = workspace.refresh_lease.as_ref().is_some_and(|lease| lease.owner == owner);
            if holds && workspace.connection_version == version {
                workspace.refresh_lease = None;
            }
        })
        .await
        .map_err(store_error)
    }

    async fn require_reconnect(
        &self,
        id: &WorkspaceId,
        version: u64,
        reason: &str,
    ) -> Result<bool, StoreError> {
        let (id, reason) = (id.clone(), reason.to_owned());
        self.call("require reconnect", move |state| {
            let workspace = state.workspace(&id);
            let ours =
                workspace.connection_version == version && workspace.state == ConnectionState::Connected;
            if ours {
                workspace.state = ConnectionState::ReconnectRequired;
                workspace.state_reason = Some(reason);
                workspace.connection = None;
                workspace.refresh_lease = None;
            }
            ours
        })
        .await
        .map_err(store_error)
    }
}

impl OrgMemory for World {
    async fn pause(&self, id: &WorkspaceId, org_id: &SalesforceId, until: i64) -> Result<(), StoreError> {
        let (id, org_id) = (id.clone(), org_id.clone());
        self.call("pause", move |state| {
            let now = state.now;
            let workspace = state.workspace(&id);
            if workspace.connection.as_ref().is_some_and(|connection| connection.org_id == org_id) {
                workspace.paused_until = workspace.paused_until.max(Some(until));
                state.paused.insert(id, now);
            }
        })
        .await
        .map_err(store_error)
    }

    async fn remember_refused(
        &self,
        id: &WorkspaceId,
        _: &SalesforceId,
        fields: &RefusedFields,
    ) -> Result<(), StoreError> {
        let (id, fields) = (id.clone(), fields.clone());
        self.call("remember refused fields", move |state| state.workspace(&id).refused_fields = fields)
            .await
            .map_err(store_error)
    }
}

impl IdleConnections for World {
    async fn idle(
        &self,
        issued_before: i64,
        now: i64,
        _: u32,
        _: Option<String>,
    ) -> Result<(Vec<WorkspaceId>, Option<String>), StoreError> {
        self.call("query idle connections", move |state| {
            let idle = state.workspaces.values().filter(|workspace| {
                workspace.state == ConnectionState::Connected
                    && state.issued.get(&workspace.id).is_some_and(|at| *at <= issued_before)
                    && state.kept_alive.get(&workspace.id).is_none_or(|until| *until <= now)
            });
            (idle.map(|workspace| workspace.id.clone()).collect(), None)
        })
        .await
        .map_err(store_error)
    }

    async fn claim_keep_alive(&self, id: &WorkspaceId, now: i64, until: i64) -> Result<bool, StoreError> {
        let id = id.clone();
        self.call("claim keep-alive", move |state| {
            let connected = state.workspace(&id).state == ConnectionState::Connected;
            let may = connected && state.kept_alive.get(&id).is_none_or(|until| *until <= now);
            if may {
                state.kept_alive.insert(id, until);
            }
            may
        })
        .await
        .map_err(store_error)
    }
}

impl World {
    /// Takes the connection away, if its version is still the one that was read. Gives its refresh token.
    pub async fn forget(&self, id: &WorkspaceId, version: u64) -> Result<Option<String>, StoreError> {
        let id = id.clone();
        let process = self.state().running;
        self.call("forget connection", move |state| {
            (state.workspace(&id).connection_version == version).then(|| state.forget(&id, process)).flatten()
        })
        .await
        .map_err(store_error)
    }

    /// Puts a new connection there, if the version is still the one that was read; `Err` with the new grant otherwise.
    pub async fn connect(
        &self,
        id: &WorkspaceId,
        version: u64,
        new: Connection,
    ) -> Result<Result<Option<String>, ()>, StoreError> {
        let id = id.clone();
        let process = self.state().running;
        self.call("store connection", move |state| {
            if state.workspace(&id).connection_version != version {
                return Err(());
            }
            let old = state.forget(&id, process);
            let now = state.clock() / 1000;
            state.issued.insert(id.clone(), now);
            let workspace = state.workspace(&id);
            workspace.state = ConnectionState::Connected;
            workspace.state_reason = None;
            let version = workspace.connection_version;
            workspace.connection = Some(Connection { version, ..new });
            Ok(old)
        })
        .await
        .map_err(store_error)
    }
}

impl State {
    fn forget(&mut self, id: &WorkspaceId, process: u64) -> Option<String> {
        self.kept_alive.remove(id);
        self.refreshed_by.remove(id);
        self.paused.remove(id);
        let workspace = self.workspace(id);
        workspace.state = ConnectionState::Disconnected;
        workspace.connection_version += 1;
        workspace.refresh_lease = None;
        workspace.paused_until = None;
        workspace.refused_fields = RefusedFields::default();
        let old = workspace.connection.take()?.refresh_token.expose_secret().to_owned();
        self.owes(old.clone(), process);
        Some(old)
    }
}

impl TokenEndpoint for World {
    async fn refresh(&self, connection: &Connection) -> Result<Tokens, CrmError> {
        self.park(0).await;
        let token = connection.refresh_token.expose_secret().to_owned();
        {
            let mut state = self.state();
            if state.salesforce.grants.get(&token).is_some_and(|grant| grant.in_use) {
                state.violate("two requests with one refresh token at once");
            }
            set_in_use(&mut state, &token, true);
            // If the worker dies, its connection is closed by then.
            let (at, token) = (state.now + TIMEOUT, token.clone());
            let effect = Box::new(move |state: &mut State| set_in_use(state, &token, false));
            state.later.push(crate::world::Later { at, effect });
        }
        // Now and then it takes almost as long as it is waited for.
        let takes = {
            let mut state = self.state();
            if state.rng.u32(0..4) == 0 { state.rng.i64(0..9_500) } else { 0 }
        };
        self.park(takes).await;
        let used = token.clone();
        let answer = self
            .call("refresh", move |state| {
                let now = state.now;
                state.salesforce.refresh(&used, now)
            })
            .await;
        set_in_use(&mut self.state(), &token, false);
        match answer {
            Ok(Some((session, token))) => Ok(Tokens {
                access_token: session.into(),
                refresh_token: token.map(Into::into),
                instance_url: connection.instance_url.clone(),
                issued_at: self.state().clock() / 1000,
            }),
            Ok(None) => Err(crm_error(FaultClass::GrantEnded, "invalid_grant")),
            Err(Failed::NotSent) => Err(crm_error(FaultClass::Passing, "connection")),
            Err(Failed::NoAnswer) => Err(crm_error(FaultClass::Ambiguous, "timeout")),
        }
    }

    async fn revoke(&self, _: &str, token: &SecretString) -> Result<(), CrmError> {
        let token = token.expose_secret().to_owned();
        let ended = token.clone();
        let revoked = self
            .call("revoke", move |state| {
                if state.broken != Some(Broken::Revoke) {
                    state.salesforce.revoke(&ended);
                }
            })
            .await;
        revoked.map_err(|_| {
            // It was asked for, and may be in vain: there is not always time for another try.
            self.state().owed.remove(&token);
            crm_error(FaultClass::Passing, "timeout")
        })
    }
}

fn set_in_use(state: &mut State, token: &str, in_use: bool) {
    if let Some(grant) = state.salesforce.grants.get_mut(token) {
        grant.in_use = in_use;
    }
}

impl World {
    /// A request with a session. `writes`: whether a lost answer leaves a doubt.
    async fn request<T: Send + 'static>(
        &self,
        name: &str,
        connection: &Connection,
        writes: bool,
        effect: impl FnOnce(&mut State, &SalesforceId) -> Result<T, CrmError> + Send + 'static,
    ) -> Result<Answer<T>, CrmError> {
        let session = connection.access_token.expose_secret().to_owned();
        {
            let mut state = self.state();
            invariants::not_paused(&mut state, &connection.org_id);
            let now = state.now;
            state.salesforce.requests.push((connection.org_id.clone(), now));
        }
        let answer = self
            .call(name, move |state| {
                let Some((org_id, _)) = state.salesforce.sessions.get(&session).cloned() else {
                    return Err(crm_error(FaultClass::Session, "INVALID_SESSION_ID"));
                };
                if state.now < state.salesforce.down_until {
                    return Err(crm_error(FaultClass::Passing, "SERVER_UNAVAILABLE"));
                }
                if let Some(class) = state.salesforce.limited.get(&org_id) {
                    return Err(crm_error(*class, "REQUEST_LIMIT_EXCEEDED"));
                }
                effect(state, &org_id)
            })
            .await;
        match answer {
            Ok(answer) => answer.map(|value| Answer { value, api_usage: None }),
            Err(Failed::NoAnswer) if writes => Err(crm_error(FaultClass::Ambiguous, "timeout")),
            Err(_) => Err(crm_error(FaultClass::Passing, "connection")),
        }
    }
}

/// The call that a description belongs to: its last line.
fn call_of(description: &str) -> CallId {
    CallId::parse(description.rsplit("Call ").next().unwrap()).unwrap()
}

impl Crm for World {
    async fn search(&self, connection: &Connection, query: &PhoneQuery) -> Result<Answer<Found>, CrmError> {
        let query = query.clone();
        self.request("search", connection, false, move |state, org_id| {
            let now = state.now;
            let has_number = |phone: &str| {
                let digits: String = phone.chars().filter(char::is_ascii_digit).collect();
                digits == query.national || digits == query.international
            };
            let records = state.salesforce.records.get(org_id).into_iter().flatten();
            let found = records
                .filter(|(record, indexed_at)| {
                    *indexed_at <= now && record.phones.iter().any(|(_, phone)| has_number(phone))
                })
                .map(|(record, _)| record.clone());
            Ok(Found { records: found.collect(), full: None })
        })
        .await
    }

    async fn create(
        &self,
        connection: &Connection,
        task: Option<&TaskDraft>,
        event: Option<&EventDraft>,
    ) -> Result<Answer<Written>, CrmError> {
        let (task, event) = (task.cloned(), event.cloned());
        let name = match (&task, &event) {
            (Some(_), Some(_)) => "create task and event",
            (Some(_), None) => "create task",
            _ => "create event",
        };
        self.request(name, connection, true, move |state, org_id| {
            let mut written = Written::default();
            let writes_call_object = task.as_ref().is_some_and(|task| task.call_object.is_some());
            if state.salesforce.hides_call_object && writes_call_object {
                let mut refusal = crm_error(FaultClass::FieldRefused, "INVALID_FIELD_FOR_INSERT_UPDATE");
                refusal.fields = vec!["CallObject".to_owned()];
                refusal.object = Some(WrittenObject::Task);
                return Err(refusal);
            }
            if let Some(task) = task {
                let id = state.salesforce.id("00T");
                let call_id = call_of(&task.description);
                let (id_of, org_id, at) = (id.clone(), org_id.clone(), state.now);
                let call_object = task.call_object.is_some();
                let activity = Activity { id: id_of, org_id, who_id: task.who_id, call_id, call_object, at };
                state.salesforce.tasks.push(activity);
                written.task_id = Some(id);
            }
            if let Some(event) = event {
                let id = state.salesforce.id("00U");
                let call_id = call_of(&event.description);
                let (id_of, org_id, at) = (id.clone(), org_id.clone(), state.now);
                let activity =
                    Activity { id: id_of, org_id, who_id: event.who_id, call_id, call_object: false, at };
                state.salesforce.events.push(activity);
                written.event_id = Some(id);
            }
            Ok(written)
        })
        .await
    }

    async fn recent(
        &self,
        connection: &Connection,
        _: &PhoneQuery,
        since: DateTime<Utc>,
    ) -> Result<Answer<Found>, CrmError> {
        let since = since.timestamp_millis();
        self.request("recent", connection, false, move |state, org_id| {
            let records = state.salesforce.records.get(org_id).into_iter().flatten();
            let found = records.filter(|(record, _)| record.created_at.timestamp_millis() >= since);
            Ok(Found { records: found.map(|(record, _)| record.clone()).collect(), full: None })
        })
        .await
    }

    async fn converted_to(
        &self,
        connection: &Connection,
        _: &SalesforceId,
    ) -> Result<Answer<Option<SalesforceId>>, CrmError> {
        self.request("converted to", connection, false, |_, _| Ok(None)).await
    }

    async fn create_lead(
        &self,
        connection: &Connection,
        lead: &LeadDraft,
    ) -> Result<Answer<SalesforceId>, CrmError> {
        let lead = lead.clone();
        self.request("create lead", connection, true, move |state, org_id| {
            let id = state.salesforce.id("00Q");
            let created_at = DateTime::from_timestamp_millis(state.now).unwrap();
            let record = FoundRecord {
                id: id.clone(),
                record_type: RecordType::Lead,
                name: Some(lead.last_name),
                phones: vec![("Phone".to_owned(), lead.phone.clone())],
                country: None,
                created_at,
                modified_at: created_at,
            };
            let indexed_at = state.now + state.rng.i64(0..600_000);
            state.salesforce.leads.push((id.clone(), org_id.clone(), lead.phone));
            state.salesforce.records.entry(org_id.clone()).or_default().push((record, indexed_at));
            Ok(id)
        })
        .await
    }

    async fn update_task(
        &self,
        connection: &Connection,
        _: &SalesforceId,
        _: &TaskDraft,
    ) -> Result<Answer<()>, CrmError> {
        self.request("update task", connection, true, |_, _| Ok(())).await
    }

    async fn update_event(
        &self,
        connection: &Connection,
        _: &SalesforceId,
        _: &EventDraft,
    ) -> Result<Answer<()>, CrmError> {
        self.request("update event", connection, true, |_, _| Ok(())).await
    }

    async fn closed_task_status(&self, connection: &Connection) -> Result<Answer<Option<String>>, CrmError> {
        self.request("closed task status", connection, false, |_, _| Ok(Some("Completed".to_owned()))).await
    }

    async fn look(
        &self,
        connection: &Connection,
        call_id: &CallId,
        who_ids: &[SalesforceId],
        _: DateTime<Utc>,
    ) -> Result<Answer<Look>, CrmError> {
        let (call_id, who_ids) = (call_id.clone(), who_ids.to_vec());
        self.request("look", connection, false, move |state, org_id| {
            if state.broken == Some(Broken::Look) {
                return Ok(Look::default());
            }
            let ours = |activity: &&Activity| activity.call_id == call_id && activity.org_id == *org_id;
            let there = |activity: &&Activity| ours(activity) && who_ids.contains(&activity.who_id);
            let task =
                state.salesforce.tasks.iter().find(|task| there(task) || ours(task) && task.call_object);
            let event = state.salesforce.events.iter().find(there);
            Ok(Look {
                task: task.map(|task| (task.id.clone(), Some(task.who_id.clone()))),
                event_id: event.map(|event| event.id.clone()),
            })
        })
        .await
    }
}
