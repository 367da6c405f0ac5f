//! The running simulator: it listens as long as it lives.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use axum::{Router, body::Body, extract::Request};
use chrono::TimeDelta;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::{
    net::{TcpListener, TcpStream},
    task::{JoinHandle, JoinSet},
};
use tower::ServiceExt as _;

use crate::{
    config::{Config, StartError},
    faults::{Fault, RecordFault},
    oauth::{authorize::find_user, grants::Approval, token},
    people::PersonAction,
    requests::{RouteKind, SeenRequest, TokenCounts},
    settings::Settings,
    web::{self, edge::Dropped},
    world::{ControlError, NewRecord, Shared, World},
};

/// A simulator that listens. Dropping it ends it and its connections.
#[derive(Debug)]
pub struct Simulator {
    shared: Shared,
    address: SocketAddr,
    url: String,
    listening: JoinHandle<()>,
}

/// A connection that was made without the Allow page, for tests that are not about it.
#[derive(Debug, Clone)]
pub struct Tokens {
    /// The session.
    pub access_token: String,
    /// What buys the next one.
    pub refresh_token: String,
    /// Where the session is good.
    pub instance_url: String,
    /// The org.
    pub organization_id: String,
    /// The user.
    pub user_id: String,
}

impl Simulator {
    /// Starts a simulator on the current Tokio runtime.
    pub async fn start(config: Config) -> Result<Self, StartError> {
        config.check()?;
        let failed = |cause| StartError::Listen { address: config.listen, cause };
        let listener = TcpListener::bind(config.listen).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let own_url = format!("http://{address}");
        let url = config.public_url.as_deref().unwrap_or(&own_url).trim_end_matches('/').to_owned();
        let shared = Shared::new(World::new(Arc::new(config), url.clone()));
        let listening = tokio::spawn(listen(listener, web::router(shared.clone())));
        Ok(Self { shared, address, url, listening })
    }

    /// Its address for clients, without a slash at its end: login URL and instance URL.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What it was started with.
    pub fn config(&self) -> Arc<Config> {
        self.shared.lock().config.clone()
    }

    /// As it was at the start: people, settings, clock; no grants, no faults, no requests.
    pub fn reset(&self) {
        self.shared.lock().reset();
    }

    /// Moves the clock ahead.
    pub fn advance(&self, by: Duration) {
        self.shared.lock().clock.advance(TimeDelta::from_std(by).unwrap_or(TimeDelta::MAX));
    }

    /// Changes the settings.
    pub fn set(&self, change: impl FnOnce(&mut Settings)) {
        change(&mut self.shared.lock().settings);
    }

    /// Adds a fault.
    pub fn add_fault(&self, fault: Fault) {
        self.shared.lock().faults.add(fault);
    }

    /// Adds an error for what is done with records: a [`crate::WriteFault`] or a [`RecordFault`].
    pub fn add_write_fault(&self, fault: impl Into<RecordFault>) {
        self.shared.lock().record_faults.add(fault.into());
    }

    /// Ends all faults, of requests and of records.
    pub fn clear_faults(&self) {
        let mut world = self.shared.lock();
        world.faults.clear();
        world.record_faults.clear();
    }

    /// Adds a record past the rules of the API; its id.
    pub fn add_record(&self, new: &NewRecord) -> Result<String, ControlError> {
        self.shared.lock().add_record(new.clone()).map(|id| id.to_string())
    }

    /// Changes a record past the rules of the API; `fields` is a JSON object.
    pub fn change_record(&self, id: &str, fields: &Value) -> Result<(), ControlError> {
        let fields = fields.as_object().cloned().unwrap_or_default();
        self.shared.lock().change_record(id, fields)
    }

    /// Converts a Lead; the id of the Contact that it became.
    pub fn convert_lead(&self, id: &str) -> Result<String, ControlError> {
        self.shared.lock().convert_lead(id).map(|id| id.to_string())
    }

    /// Lets a person act in the org.
    pub fn person_acts(&self, action: &PersonAction) -> Result<(), ControlError> {
        self.shared.lock().person_acts(action, None)
    }

    /// All records of an object, deleted and archived ones too, with all their fields.
    pub fn records(&self, object: &str) -> Vec<Value> {
        self.shared.lock().records_of(object)
    }

    /// The requests seen, oldest first. Those of control and pages are not among them.
    pub fn requests(&self) -> Vec<SeenRequest> {
        self.shared.lock().requests.seen().to_vec()
    }

    /// How many requests of a kind were seen.
    pub fn count(&self, kind: RouteKind) -> usize {
        self.shared.lock().requests.counts().get(&kind).copied().unwrap_or_default()
    }

    /// What the token endpoint saw.
    pub fn token_counts(&self) -> TokenCounts {
        self.shared.lock().requests.tokens
    }

    /// Forgets the requests seen.
    pub fn clear_requests(&self) {
        self.shared.lock().requests.clear();
    }

    /// Ends all approvals: access and refresh tokens.
    pub fn revoke_grants(&self) {
        self.shared.lock().grants.revoke_all();
    }

    /// Ends all access tokens; refresh tokens stay good.
    pub fn expire_sessions(&self) {
        self.shared.lock().grants.expire_sessions();
    }

    /// Everything, as `GET /_sim/state` gives it.
    pub fn state(&self) -> Value {
        self.shared.lock().state()
    }

    /// Connects the first user of the first org without a browser.
    pub fn connect(&self) -> Option<Tokens> {
        self.connect_as(None)
    }

    /// Connects the user with this id without a browser; `None`: there is no such user.
    pub fn connect_as(&self, user: Option<&str>) -> Option<Tokens> {
        let mut world = self.shared.lock();
        let world = &mut *world;
        let (org, user) = find_user(world, user)?;
        let approval = Approval {
            org,
            user,
            scopes: vec!["api".to_owned(), "refresh_token".to_owned()],
            redirect_uri: String::new(),
            challenge: None,
        };
        let org_id = world.orgs.get(org)?.id.clone();
        let issued = world.grants.open(&approval, &org_id, world.clock.now(), &world.settings);
        let answer = token::answer(world, &issued);
        Some(Tokens {
            access_token: issued.access,
            refresh_token: issued.refresh?,
            instance_url: answer["instance_url"].as_str()?.to_owned(),
            organization_id: org_id.to_string(),
            user_id: issued.user.to_string(),
        })
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

/// Takes connections. They end with it: a `JoinSet` aborts what is left in it.
async fn listen(listener: TcpListener, router: Router) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => { connections.spawn(serve(stream, router.clone())); }
                // Too many open files, most likely: the next one may work.
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn serve(stream: TcpStream, router: Router) {
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        let answer = router.clone().oneshot(Request::from(request.map(Body::new)));
        async move {
            let response = answer.await.map_err(io::Error::other)?;
            match response.extensions().get::<Dropped>() {
                // An error of the service makes hyper close the connection with nothing sent.
                Some(Dropped) => Err(io::Error::from(io::ErrorKind::ConnectionAborted)),
                None => Ok(response),
            }
        }
    });
    // An error here is the client's leaving, or a connection dropped on purpose.
    http1::Builder::new().serve_connection(TokioIo::new(stream), service).await.ok();
}
