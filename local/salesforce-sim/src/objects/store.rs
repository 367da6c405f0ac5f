//! An org: its users, its records, and their state in the search index.

use std::collections::{BTreeMap, VecDeque};

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Map, Value, json};

use super::{
    schema::{Kind, Object},
    tables::{ORGANIZATION, TASK_STATUS, USER},
    value::instant_text,
};
use crate::{ids::Id, requests::API_PATH, settings::Settings};

/// Field values by API name; a missing one is null.
pub(crate) type Fields = BTreeMap<&'static str, Value>;

/// A record of any object.
#[derive(Debug, Clone)]
pub(crate) struct Record {
    pub(crate) id: Id,
    pub(crate) object: &'static Object,
    pub(crate) fields: Fields,
    /// The versions that search knows, with the time from which it does.
    index: Vec<(DateTime<Utc>, Fields)>,
}

impl Record {
    pub(crate) fn new(id: Id, object: &'static Object, mut fields: Fields) -> Self {
        fields.insert("Id", json!(id.as_str()));
        Self { id, object, fields, index: vec![] }
    }

    pub(crate) fn get(&self, field: &str) -> &Value {
        self.fields.get(field).unwrap_or(&Value::Null)
    }

    pub(crate) fn text(&self, field: &str) -> Option<&str> {
        self.get(field).as_str()
    }

    pub(crate) fn is(&self, field: &str) -> bool {
        self.get(field) == &Value::Bool(true)
    }

    /// Lets search know the current version from `at` on.
    pub(crate) fn index_from(&mut self, at: DateTime<Utc>) {
        self.index.push((at, self.fields.clone()));
    }

    /// The version that search knows.
    pub(crate) fn indexed(&self, now: DateTime<Utc>) -> Option<&Fields> {
        self.index
            .iter()
            .filter(|(from, _)| *from <= now)
            .max_by_key(|(from, _)| *from)
            .map(|(_, fields)| fields)
    }

    /// The record with the named fields, as the API returns it.
    pub(crate) fn to_json<'a>(&self, fields: impl Iterator<Item = &'a str>) -> Value {
        let mut record = Map::from_iter([("attributes".to_owned(), self.attributes())]);
        record.extend(fields.map(|name| (name.to_owned(), self.get(name).clone())));
        Value::Object(record)
    }

    /// Its type and its path.
    pub(crate) fn attributes(&self) -> Value {
        json!({"type": self.object.name, "url": record_path(self.object, &self.id)})
    }
}

/// The path of a record.
pub(crate) fn record_path(object: &Object, id: &Id) -> String {
    format!("{API_PATH}/sobjects/{}/{id}", object.name)
}

/// A user of the org, who can allow access.
#[derive(Debug, Clone)]
pub(crate) struct User {
    pub(crate) id: Id,
    pub(crate) name: String,
    pub(crate) username: String,
    pub(crate) timezone: String,
}

/// A simulated org.
#[derive(Debug, Clone)]
pub(crate) struct Org {
    pub(crate) number: usize,
    pub(crate) id: Id,
    pub(crate) name: String,
    pub(crate) users: Vec<User>,
    pub(crate) records: BTreeMap<Id, Record>,
    next: u64,
    requests: VecDeque<DateTime<Utc>>,
}

impl Org {
    pub(crate) fn new(number: usize, name: &str) -> Self {
        Self {
            number,
            id: Id::numbered(ORGANIZATION.prefix, number, 1),
            name: name.to_owned(),
            users: vec![],
            records: BTreeMap::new(),
            next: 1,
            requests: VecDeque::new(),
        }
    }

    pub(crate) fn add_user(&mut self, name: &str, username: &str, timezone: &str) {
        let id = Id::numbered(USER.prefix, self.number, self.users.len() as u64 + 1);
        self.users.push(User {
            id,
            name: name.to_owned(),
            username: username.to_owned(),
            timezone: timezone.to_owned(),
        });
    }

    /// A new id. Ids of rolled back records are not reused.
    pub(crate) fn next_id(&mut self, object: &Object) -> Id {
        let id = Id::numbered(object.prefix, self.number, self.next);
        self.next += 1;
        id
    }

    /// Inserts a record, adding missing system fields.
    pub(crate) fn insert(
        &mut self,
        object: &'static Object,
        mut fields: Fields,
        by: &Id,
        at: DateTime<Utc>,
    ) -> Id {
        let id = self.next_id(object);
        for name in ["CreatedDate", "LastModifiedDate", "SystemModstamp"] {
            fields.entry(name).or_insert_with(|| json!(instant_text(at)));
        }
        for name in ["CreatedById", "LastModifiedById"] {
            fields.entry(name).or_insert_with(|| json!(by.as_str()));
        }
        fields.entry("IsDeleted").or_insert(Value::Bool(false));
        for field in object.standard_fields().filter(|field| field.kind == Kind::Bool) {
            fields.entry(field.name).or_insert(Value::Bool(false));
        }
        self.records.insert(id.clone(), Record::new(id.clone(), object, fields));
        id
    }

    /// All records of an object, including deleted and archived ones.
    pub(crate) fn rows(&self, object: &'static Object, settings: &Settings) -> Vec<Record> {
        match object.name {
            "TaskStatus" => self.task_statuses(settings),
            "User" => self.users.iter().map(|user| user_record(user, settings)).collect(),
            "Organization" => vec![self.organization(settings)],
            _ => self.of(object).cloned().collect(),
        }
    }

    /// The stored records of an object.
    pub(crate) fn of(&self, object: &'static Object) -> impl Iterator<Item = &Record> {
        self.records.values().filter(move |record| std::ptr::eq(record.object, object))
    }

    fn task_statuses(&self, settings: &Settings) -> Vec<Record> {
        let statuses = settings.task_statuses.iter().enumerate();
        let rows = statuses.map(|(index, status)| {
            let fields = Fields::from([
                ("MasterLabel", json!(status.name)),
                ("ApiName", json!(status.name)),
                ("SortOrder", json!(index + 1)),
                ("IsDefault", json!(status.is_default)),
                ("IsClosed", json!(status.is_closed)),
                ("IsDeleted", json!(false)),
            ]);
            Record::new(Id::numbered(TASK_STATUS.prefix, self.number, index as u64 + 1), &TASK_STATUS, fields)
        });
        rows.collect()
    }

    fn organization(&self, settings: &Settings) -> Record {
        let zone = self.users.first().map_or("America/New_York", |user| &user.timezone);
        let fields = Fields::from([
            ("Name", json!(self.name)),
            ("Country", json!(settings.organization_country)),
            ("TimeZoneSidKey", json!(zone)),
            ("IsSandbox", json!(false)),
            ("OrganizationType", json!("Developer Edition")),
            ("IsDeleted", json!(false)),
        ]);
        Record::new(self.id.clone(), &ORGANIZATION, fields)
    }

    /// Counts a request; `false` if the org has none left.
    pub(crate) fn count_request(&mut self, now: DateTime<Utc>, settings: &Settings) -> bool {
        if self.used_requests(now, settings) >= settings.api_limit {
            return false;
        }
        self.requests.push_back(now);
        true
    }

    /// The number of requests in the last 24 hours.
    pub(crate) fn used_requests(&mut self, now: DateTime<Utc>, settings: &Settings) -> usize {
        while self.requests.front().is_some_and(|at| now - *at >= TimeDelta::hours(24)) {
            self.requests.pop_front();
        }
        self.requests.len() + settings.api_used
    }
}

fn user_record(user: &User, settings: &Settings) -> Record {
    let zone = settings.identity_timezone.as_ref().unwrap_or(&user.timezone);
    let fields = Fields::from([
        ("Name", json!(user.name)),
        ("Username", json!(user.username)),
        ("Email", json!(user.username)),
        ("IsActive", json!(true)),
        ("TimeZoneSidKey", json!(zone)),
        ("LocaleSidKey", json!("en_US")),
        ("LanguageLocaleKey", json!("en_US")),
        ("IsDeleted", json!(false)),
    ]);
    Record::new(user.id.clone(), &USER, fields)
}
