//! The simulator's state, behind one lock, so that each request is a transaction.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::http::{HeaderMap, header};
use chrono::{SecondsFormat, TimeDelta};
use serde_json::{Map, Value, json};

use crate::{
    clock::Clock,
    config::Config,
    control::{ControlError, NewRecord},
    faults::{Faults, RecordFaults},
    ids::Id,
    oauth::grants::{Grants, Session},
    objects::{
        schema::Object,
        store::{Fields, Org},
        tables::{self, object, object_by_prefix},
        write::Context,
    },
    requests::{ReceivedRequest, RequestLog, RouteKind},
    seed,
    settings::Settings,
};

/// The simulator's state.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) config: Arc<Config>,
    /// The URL that clients use, without a trailing slash.
    pub(crate) url: String,
    pub(crate) settings: Settings,
    pub(crate) clock: Clock,
    pub(crate) orgs: Vec<Org>,
    pub(crate) grants: Grants,
    pub(crate) faults: Faults,
    pub(crate) record_faults: RecordFaults,
    pub(crate) requests: RequestLog,
}

/// The state, shared by requests and tests.
#[derive(Debug, Clone)]
pub(crate) struct Shared(Arc<Mutex<World>>);

impl Shared {
    pub(crate) fn new(world: World) -> Self {
        Self(Arc::new(Mutex::new(world)))
    }

    /// Locks the state for one request. A panic elsewhere does not poison the lock.
    pub(crate) fn lock(&self) -> MutexGuard<'_, World> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl World {
    pub(crate) fn new(config: Arc<Config>, url: String) -> Self {
        let clock = Clock::default();
        Self {
            settings: config.settings.clone(),
            clock,
            orgs: seed::orgs(clock.now()),
            grants: Grants::default(),
            faults: Faults::default(),
            record_faults: RecordFaults::default(),
            requests: RequestLog::default(),
            config,
            url,
        }
    }

    /// Restores the initial state: people, settings, clock; no grants, faults or requests.
    pub(crate) fn reset(&mut self) {
        *self = Self::new(self.config.clone(), self.url.clone());
    }

    /// The context of a request with this session.
    pub(crate) fn context(&mut self, session: &Session) -> Option<Context<'_>> {
        Some(Context {
            org: self.orgs.get_mut(session.org)?,
            settings: &self.settings,
            record_faults: &mut self.record_faults,
            now: self.clock.now(),
            user: session.user.clone(),
        })
    }

    /// The number (from 1) of the org that a request's session belongs to.
    pub(crate) fn org_number(&self, headers: &HeaderMap) -> Option<usize> {
        let token = headers.get(header::AUTHORIZATION)?.to_str().ok()?.strip_prefix("Bearer ")?;
        let session = self.grants.session(token.trim(), self.clock.now(), &self.settings)?;
        Some(session.org + 1)
    }

    /// Records a request.
    pub(crate) fn record_request(&mut self, method: &str, kind: RouteKind, path: &str) {
        let at = self.clock.now().to_rfc3339_opts(SecondsFormat::Millis, true);
        self.requests.add(ReceivedRequest { at, method: method.to_owned(), kind, path: path.to_owned() });
    }

    /// Adds a record past the API's rules: dates, flags and derived fields can be set to anything.
    pub(crate) fn add_record(&mut self, new: NewRecord) -> Result<Id, ControlError> {
        let object = object(&new.object).filter(|object| object.writable);
        let object = object.ok_or(ControlError::Object(new.object))?;
        let fields = known_fields(object, new.fields, &self.settings)?;
        let now = self.clock.now();
        let delay = TimeDelta::seconds(if new.indexed { 0 } else { self.settings.index_delay_seconds });
        let org = self.orgs.get_mut(new.org.unwrap_or(1).wrapping_sub(1)).ok_or(ControlError::Org)?;
        Ok(seed::add(org, object, fields, now, now + delay))
    }

    /// Changes a record past the API's rules. Search knows the change at once.
    pub(crate) fn change_record(&mut self, id: &str, fields: Map<String, Value>) -> Result<(), ControlError> {
        let now = self.clock.now();
        let unknown = || ControlError::Record(id.to_owned());
        let id = Id::parse(id).ok_or_else(unknown)?;
        let record = self.orgs.iter_mut().find_map(|org| org.records.get_mut(&id)).ok_or_else(unknown)?;
        record.fields.extend(known_fields(record.object, fields, &self.settings)?);
        record.index_from(now);
        Ok(())
    }

    /// Converts a Lead: creates a Contact with its name and numbers, and moves its activities there. Returns the Contact's id.
    pub(crate) fn convert_lead(&mut self, id: &str) -> Result<Id, ControlError> {
        let now = self.clock.now();
        let unknown = || ControlError::Record(id.to_owned());
        let lead = Id::parse(id).filter(|id| id.prefix() == tables::LEAD.prefix).ok_or_else(unknown)?;
        let org = self.orgs.iter_mut().find(|org| org.records.contains_key(&lead)).ok_or_else(unknown)?;
        let copied = ["FirstName", "LastName", "Title", "Phone", "MobilePhone", "Fax", "Email", "OwnerId"];
        let fields: Fields = copied
            .into_iter()
            .filter_map(|name| Some((name, org.records.get(&lead)?.get(name).clone())))
            .collect();
        let contact = seed::add(org, &tables::CONTACT, fields, now, now);
        for record in org.records.values_mut().filter(|record| record.text("WhoId") == Some(lead.as_str())) {
            record.fields.insert("WhoId", json!(contact.as_str()));
        }
        if let Some(record) = org.records.get_mut(&lead) {
            record.fields.insert("IsConverted", json!(true));
            record.fields.insert("ConvertedContactId", json!(contact.as_str()));
            record.fields.insert("ConvertedDate", json!(now.date_naive().to_string()));
        }
        Ok(contact)
    }

    /// Everything as JSON: records with all fields; of grants only the counts.
    pub(crate) fn state(&mut self) -> Value {
        let (now, settings) = (self.clock.now(), &self.settings);
        let orgs: Vec<Value> = self
            .orgs
            .iter_mut()
            .map(|org| {
                let records: Map<String, Value> = tables::ALL
                    .iter()
                    .filter(|object| object.writable)
                    .map(|object| (object.name.to_owned(), records(org, object, settings)))
                    .collect();
                let users = org.users.iter();
                let users: Vec<Value> = users
                    .map(|user| json!({"id": user.id.as_str(), "name": user.name, "timeZone": user.timezone}))
                    .collect();
                json!({
                    "id": org.id.as_str(), "name": org.name, "users": users, "records": records,
                    "apiUsed": org.used_requests(now, settings),
                })
            })
            .collect();
        json!({
            "now": now.to_rfc3339_opts(SecondsFormat::Millis, true),
            "orgs": orgs,
            "grants": self.grants.active_by_user(),
            "tokens": self.requests.tokens,
            "settings": self.settings,
        })
    }

    /// All records of an object in all orgs, including deleted and archived ones, with all fields.
    pub(crate) fn records_of(&self, name: &str) -> Vec<Value> {
        let Some(object) = object(name) else { return vec![] };
        let all = self.orgs.iter().flat_map(|org| org.of(object));
        all.map(|record| record.to_json(object.fields(&self.settings).map(|field| field.name))).collect()
    }

    /// The org and object of a record.
    pub(crate) fn locate(&self, id: &Id) -> Option<(&Org, &'static Object)> {
        let org = self.orgs.iter().find(|org| org.records.contains_key(id))?;
        Some((org, object_by_prefix(id.prefix())?))
    }
}

fn records(org: &Org, object: &'static Object, settings: &Settings) -> Value {
    org.of(object).map(|record| record.to_json(object.fields(settings).map(|field| field.name))).collect()
}

/// The fields of a control request.
fn known_fields(
    object: &'static Object,
    fields: Map<String, Value>,
    settings: &Settings,
) -> Result<Fields, ControlError> {
    let known = fields.into_iter().map(|(name, value)| match object.field(&name, settings) {
        Some(field) => Ok((field.name, value)),
        None => Err(ControlError::Field(object.name, name)),
    });
    known.collect()
}
