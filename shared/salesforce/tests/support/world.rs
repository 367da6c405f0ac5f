//! A simulated Salesforce and a client connected to it.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use calls::ids::{CallId, SalesforceId};
use chrono::{TimeDelta, Utc};
use crm::{
    Activities, CrmError, FaultClass, Omitted, PhoneQuery, RecordType, Written, workspace::Connection,
};
use salesforce::{
    Client, Grant, Timeouts,
    oauth::{Flow, authorize_url},
    pkce::Verifier,
};
use salesforce_sim::{Config, Effect, Fault, Operation, RecordFault, RouteKind, Settings, Simulator};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use worker::ports::{Crm, Look, TokenEndpoint, Tokens};

use super::{client_with, event, task};

/// A simulated Salesforce, a client, and a connection to the first org.
pub struct World {
    pub salesforce: Simulator,
    pub client: Client,
    pub connection: Connection,
}

impl World {
    pub async fn new() -> Self {
        Self::with(Settings::default(), Timeouts::default()).await
    }

    pub async fn with(settings: Settings, timeouts: Timeouts) -> Self {
        let salesforce = Simulator::start(Config { settings, ..Config::default() }).await.unwrap();
        let config = salesforce.config();
        let client = client_with(salesforce.url(), &config.client_id, &config.client_secret, timeouts);
        let tokens = salesforce.connect().unwrap();
        let connection = Connection {
            version: 1,
            instance_url: tokens.instance_url,
            login_url: salesforce.url().to_owned(),
            org_id: SalesforceId::parse(tokens.organization_id).unwrap(),
            user_id: SalesforceId::parse(tokens.user_id).unwrap(),
            access_token: tokens.access_token.into(),
            refresh_token: tokens.refresh_token.into(),
        };
        Self { salesforce, client, connection }
    }

    /// Logs in and clicks a button on the Allow page; returns the callback's parameters.
    pub async fn decide(&self, decision: &str, verifier: &Verifier) -> Vec<(String, String)> {
        let login = self.client.hosts().deployment();
        let flow =
            Flow { redirect_uri: &self.callback(), state: "sample state", challenge: &verifier.challenge() };
        let page = authorize_url(&self.salesforce.config().client_id, login, &flow);
        let location = submit(&page, &format!("decision={decision}")).await;
        let callback = url::Url::parse(&location).unwrap();
        assert!(location.starts_with(&self.callback()), "{location}");
        callback.query_pairs().into_owned().collect()
    }

    pub fn callback(&self) -> String {
        self.salesforce.config().redirect_uris[0].clone()
    }

    pub async fn grant(&self) -> Grant {
        let verifier = Verifier::generate().unwrap();
        let code = parameter(&self.decide("allow", &verifier).await, "code");
        let login = self.client.hosts().deployment();
        self.client.exchange(login, &code, &self.callback(), &verifier).await.unwrap()
    }

    pub async fn search(&self, national: &str) -> Result<Vec<(RecordType, Option<String>)>, CrmError> {
        let query = PhoneQuery {
            national: national.to_owned(),
            international: format!("1{national}"),
            others: vec![],
        };
        let found =
            self.client.search(&self.connection, &RecordType::ALL, &query, &Omitted::default()).await?.value;
        Ok(found.records.into_iter().map(|record| (record.record_type, record.name)).collect())
    }

    pub async fn ada(&self) -> SalesforceId {
        self.found("2345550123").await
    }

    pub async fn create_both(&self, call_id: &str) -> Result<Written, CrmError> {
        let who = self.ada().await;
        let (task, event) = (task(&who, call_id), event(&who, call_id));
        self.client.create(&self.connection, Some(&task), Some(&event)).await.map(|response| response.value)
    }

    pub async fn look(&self, call_id: &str) -> Result<Look, CrmError> {
        let (call_id, who_ids) = (CallId::parse(call_id).unwrap(), [self.ada().await]);
        let since = Utc::now() - TimeDelta::minutes(5);
        let look = self.client.look(&self.connection, &call_id, &who_ids, since, false).await;
        look.map(|response| response.value)
    }

    pub async fn refresh(&self, connection: &Connection) -> Result<Tokens, CrmError> {
        let secret = self.client.client_secret().await.unwrap();
        self.client.refresh(connection, &secret).await
    }

    /// The Task and the Event as they are now.
    pub async fn read(&self, written: &Written) -> Activities {
        let (task_id, event_id) = (written.task_id.as_ref(), written.event_id.as_ref());
        self.client.read(&self.connection, task_id, event_id).await.unwrap().value
    }

    pub fn fault(&self, route: RouteKind, effect: impl Into<Effect>) {
        self.salesforce.add_fault(Fault::once(route, effect));
    }

    pub fn refuse(&self, object: &str, code: &str, message: &str, fields: &[&str]) {
        self.salesforce.add_record_fault(RecordFault {
            object: object.to_owned(),
            operation: Some(Operation::Create),
            times: Some(1),
            status: 400,
            error_code: code.to_owned(),
            message: message.to_owned(),
            fields: fields.iter().map(|field| (*field).to_owned()).collect(),
        });
    }

    /// The first record with this number.
    pub async fn found(&self, national: &str) -> SalesforceId {
        let query = PhoneQuery {
            national: national.to_owned(),
            international: format!("1{national}"),
            others: vec![],
        };
        self.client
            .search(&self.connection, &RecordType::ALL, &query, &Omitted::default())
            .await
            .unwrap()
            .value
            .records[0]
            .id
            .clone()
    }
}

/// Submits the Allow page's form as a browser does; returns the URL that it redirects to.
async fn submit(page: &str, form: &str) -> String {
    let page = url::Url::parse(page).unwrap();
    let host = page.authority();
    let mut stream = TcpStream::connect(host).await.unwrap();
    let (path, query, length) = (page.path(), page.query().unwrap(), form.len());
    let request = format!(
        "POST {path}?{query} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {length}\r\n\r\n{form}"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut response = String::new();
    stream.read_to_string(&mut response).await.unwrap();
    let header = response.lines().find_map(|line| line.strip_prefix("location: "));
    header.unwrap_or_else(|| panic!("no redirect: {response}")).to_owned()
}

pub fn parameter(parameters: &[(String, String)], name: &str) -> String {
    parameters.iter().find(|(key, _)| key == name).unwrap().1.clone()
}

pub fn class_and_code(error: &CrmError) -> (FaultClass, &str) {
    (error.class, error.code.as_str())
}
