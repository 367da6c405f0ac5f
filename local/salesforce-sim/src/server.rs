//! The running simulator: listens until it is dropped.

use std::{io, sync::Arc, time::Duration};

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
    control::{ControlError, NewRecord, PersonAction},
    faults::{Fault, RecordFault},
    oauth::{authorize::find_user, grants::Approval, token},
    requests::{ReceivedRequest, RouteKind, TokenCounts},
    settings::Settings,
    web::{self, edge::Dropped},
    world::{Shared, World},
};

/// A running simulator. Dropping it closes its listener and its connections.
#[derive(Debug)]
pub struct Simulator {
    shared: Shared,
    url: String,
    listener: JoinHandle<()>,
}

/// The tokens of a connection that was made without the Allow page.
#[derive(Debug, Clone)]
pub struct Tokens {
    /// The access token.
    pub access_token: String,
    /// The refresh token.
    pub refresh_token: String,
    /// The instance that accepts the access token.
    pub instance_url: String,
    /// The org's id.
    pub organization_id: String,
    /// The user's id.
    pub user_id: String,
}

impl Simulator {
    /// Starts a simulator on the current Tokio runtime.
    pub async fn start(config: Config) -> Result<Self, StartError> {
        config.validate()?;
        let failed = |cause| StartError::Listen { address: config.listen, cause };
        let listener = TcpListener::bind(config.listen).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let own_url = format!("http://{address}");
        let url = config.public_url.as_deref().unwrap_or(&own_url).trim_end_matches('/').to_owned();
        let shared = Shared::new(World::new(Arc::new(config), url.clone()));
        let listener = tokio::spawn(listen(listener, web::router(shared.clone())));
        Ok(Self { shared, url, listener })
    }

    /// The URL for clients, without a trailing slash. It is both login URL and instance URL.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The configuration that it was started with.
    pub fn config(&self) -> Arc<Config> {
        self.shared.lock().config.clone()
    }

    /// Advances the clock.
    pub fn advance(&self, by: Duration) {
        self.shared.lock().clock.advance(TimeDelta::from_std(by).unwrap_or(TimeDelta::MAX));
    }

    /// Changes the settings.
    pub fn set(&self, change: impl FnOnce(&mut Settings)) {
        change(&mut self.shared.lock().settings);
    }

    /// Adds a fault of requests.
    pub fn add_fault(&self, fault: Fault) {
        self.shared.lock().faults.add(fault);
    }

    /// Adds a fault of records.
    pub fn add_record_fault(&self, fault: RecordFault) {
        self.shared.lock().record_faults.add(fault);
    }

    /// Adds a record past the API's rules; returns its id.
    pub fn add_record(&self, new: &NewRecord) -> Result<String, ControlError> {
        self.shared.lock().add_record(new.clone()).map(|id| id.to_string())
    }

    /// Changes a record past the API's rules. `fields` is a JSON object.
    pub fn change_record(&self, id: &str, fields: &Value) -> Result<(), ControlError> {
        let fields = fields.as_object().cloned().unwrap_or_default();
        self.shared.lock().change_record(id, fields)
    }

    /// Converts a Lead; returns the id of the Contact that it becomes.
    pub fn convert_lead(&self, id: &str) -> Result<String, ControlError> {
        self.shared.lock().convert_lead(id).map(|id| id.to_string())
    }

    /// Lets a person act in the org.
    pub fn person_acts(&self, action: &PersonAction) -> Result<(), ControlError> {
        self.shared.lock().person_acts(action, None)
    }

    /// All records of an object, including deleted and archived ones, with all fields.
    pub fn records(&self, object: &str) -> Vec<Value> {
        self.shared.lock().records_of(object)
    }

    /// The requests received, oldest first, except those to control routes and pages.
    pub fn requests(&self) -> Vec<ReceivedRequest> {
        self.shared.lock().requests.received().to_vec()
    }

    /// The number of requests of a kind.
    pub fn count(&self, kind: RouteKind) -> usize {
        self.shared.lock().requests.counts().get(&kind).copied().unwrap_or_default()
    }

    /// The counts of the token endpoint.
    pub fn token_counts(&self) -> TokenCounts {
        self.shared.lock().requests.tokens
    }

    /// Forgets the requests received.
    pub fn clear_requests(&self) {
        self.shared.lock().requests.clear();
    }

    /// Ends all access tokens. Refresh tokens remain valid.
    pub fn expire_sessions(&self) {
        self.shared.lock().grants.expire_sessions();
    }

    /// Everything that `GET /_sim/state` returns.
    pub fn state(&self) -> Value {
        self.shared.lock().state()
    }

    /// Connects the first user of the first org without a browser.
    pub fn connect(&self) -> Option<Tokens> {
        self.connect_as(None)
    }

    /// Connects the user with this id without a browser. `None` if there is no such user.
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
        let response = token::response(world, &issued);
        Some(Tokens {
            access_token: issued.access,
            refresh_token: issued.refresh?,
            instance_url: response["instance_url"].as_str()?.to_owned(),
            organization_id: org_id.to_string(),
            user_id: issued.user.to_string(),
        })
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        self.listener.abort();
    }
}

/// Accepts connections. They close with it: dropping a `JoinSet` aborts its tasks.
async fn listen(listener: TcpListener, router: Router) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => { connections.spawn(serve(stream, router.clone())); }
                // Probably too many open files. A later one may succeed.
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn serve(stream: TcpStream, router: Router) {
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        let response = router.clone().oneshot(Request::from(request.map(Body::new)));
        async move {
            let response = response.await.map_err(io::Error::other)?;
            match response.extensions().get::<Dropped>() {
                // On an error of the service, hyper closes the connection without sending anything.
                Some(Dropped) => Err(io::Error::from(io::ErrorKind::ConnectionAborted)),
                None => Ok(response),
            }
        }
    });
    // An error here means that the client is gone, or that the connection was dropped on purpose.
    http1::Builder::new().serve_connection(TokioIo::new(stream), service).await.ok();
}
