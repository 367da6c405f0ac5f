//! The simulator without HTTP, for unit tests.

use serde_json::{Value, json};

use crate::{
    config::Config,
    control::NewRecord,
    error::Reply,
    oauth::grants::Session,
    objects::{store::Record, tables::object},
    requests::API_PATH,
    rest::{
        self,
        request::{DataRequest, Headers},
    },
    world::World,
};

pub(crate) struct Bench {
    pub(crate) world: World,
    pub(crate) session: Session,
}

impl Bench {
    pub(crate) fn new() -> Self {
        let world = World::new(Config::default().into(), "http://127.0.0.1:1".to_owned());
        let user = world.orgs[0].users[0].id.clone();
        let session = Session { org: 0, user, scopes: vec!["api".into()] };
        Self { world, session }
    }

    pub(crate) fn request(&mut self, method: &str, path: &str, body: Option<Value>) -> Reply {
        self.request_with(method, path, Headers::default(), body)
    }

    pub(crate) fn request_with(
        &mut self,
        method: &str,
        path: &str,
        headers: Headers,
        body: Option<Value>,
    ) -> Reply {
        let request = DataRequest::new(method, &format!("{API_PATH}{path}"), headers, body).unwrap();
        rest::dispatch(&mut self.world.context(&self.session).unwrap(), &request)
    }

    pub(crate) fn post(&mut self, path: &str, body: Value) -> Reply {
        self.request("POST", path, Some(body))
    }

    /// Sends `path` with the parameter `q`.
    pub(crate) fn get(&mut self, path: &str, parameter: &str) -> Result<Value, String> {
        let encoded: String = url::form_urlencoded::byte_serialize(parameter.as_bytes()).collect();
        outcome(self.request("GET", &format!("{path}?q={encoded}"), None))
    }

    pub(crate) fn create(&mut self, object: &str, body: Value) -> Result<String, String> {
        let body = outcome(self.post(&format!("/sobjects/{object}"), body))?;
        Ok(body["id"].as_str().unwrap().to_owned())
    }

    pub(crate) fn update(&mut self, object: &str, id: &str, body: Value) -> Result<(), String> {
        outcome(self.request("PATCH", &format!("/sobjects/{object}/{id}"), Some(body))).map(|_| ())
    }

    pub(crate) fn add(&mut self, object: &str, fields: Value) -> String {
        self.world.add_record(NewRecord::indexed(object, fields)).unwrap().to_string()
    }

    /// The id of a person who exists from the start.
    pub(crate) fn person(&self, name: &str) -> String {
        let all = self.world.orgs[0].records.values();
        let mut named = all.filter(|record| record.text("Name") == Some(name));
        named.next().unwrap().id.to_string()
    }

    pub(crate) fn record(&self, id: &str) -> &Record {
        self.world.orgs[0].records.values().find(|record| record.id.as_str() == id).unwrap()
    }

    pub(crate) fn count(&self, name: &str) -> usize {
        self.world.orgs[0].of(object(name).unwrap()).count()
    }
}

/// The body, or the first error as `status CODE: message [fields]`.
pub(crate) fn outcome(reply: Reply) -> Result<Value, String> {
    let failed = reply.failed();
    let body = reply.body.unwrap_or_default();
    if !failed {
        return Ok(body);
    }
    let text = |name: &str| body[0][name].as_str().unwrap_or_default().to_owned();
    let fields: Vec<String> = serde_json::from_value(body[0]["fields"].clone()).unwrap_or_default();
    Err(format!("{} {}: {} {}", reply.status, text("errorCode"), text("message"), json!(fields)))
}
