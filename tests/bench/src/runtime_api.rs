//! The Lambda Runtime API: hands events to one function, takes its answers, and looks at the clock.

use std::{
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::{Request, State},
    http::{Method, StatusCode},
    response::Response,
    serve::ListenerExt as _,
};
use tokio::{
    net::TcpListener,
    sync::{Mutex, mpsc, oneshot},
};

use crate::Failure;

/// What a function gets for one event. Longer than anything that is measured.
const PATIENCE: Duration = Duration::from_secs(20);

/// Serves one process.
pub(crate) struct RuntimeApi {
    /// What `AWS_LAMBDA_RUNTIME_API` is set to.
    pub(crate) address: SocketAddr,
    events: mpsc::UnboundedSender<Bytes>,
    answers: mpsc::UnboundedReceiver<(Instant, Result<Bytes, Bytes>)>,
    ready: Option<oneshot::Receiver<Instant>>,
    server: tokio::task::JoinHandle<()>,
}

struct Shared {
    events: Mutex<mpsc::UnboundedReceiver<Bytes>>,
    answers: mpsc::UnboundedSender<(Instant, Result<Bytes, Bytes>)>,
    ready: std::sync::Mutex<Option<oneshot::Sender<Instant>>>,
}

impl RuntimeApi {
    pub(crate) async fn start() -> Result<Self, Failure> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        // Nagle's algorithm would hold back what is measured.
        let listener = listener.tap_io(|io| drop(io.set_nodelay(true)));
        let (events, from_events) = mpsc::unbounded_channel();
        let (to_answers, answers) = mpsc::unbounded_channel();
        let (to_ready, ready) = oneshot::channel();
        let shared = Arc::new(Shared {
            events: Mutex::new(from_events),
            answers: to_answers,
            ready: std::sync::Mutex::new(Some(to_ready)),
        });
        let router = Router::new().fallback(serve).with_state(shared);
        let server = tokio::spawn(async move { drop(axum::serve(listener, router).await) });
        Ok(Self { address, events, answers, ready: Some(ready), server })
    }

    /// When the function first asked for an event.
    pub(crate) async fn first_next(&mut self) -> Result<Instant, Failure> {
        let ready = self.ready.take().ok_or("the function is asked twice whether it is ready")?;
        Ok(tokio::time::timeout(PATIENCE, ready).await.map_err(|_| "the function did not start")??)
    }

    /// Hands an event over; how long the answer took, and the answer.
    pub(crate) async fn invoke(&mut self, event: &Bytes) -> Result<(Duration, Bytes), Failure> {
        let started = Instant::now();
        let ended = self.invoke_until(event).await?;
        Ok((ended.0 - started, ended.1))
    }

    /// Hands an event over; when the answer was there, and the answer.
    pub(crate) async fn invoke_until(&mut self, event: &Bytes) -> Result<(Instant, Bytes), Failure> {
        self.events.send(event.clone())?;
        let answer = tokio::time::timeout(PATIENCE, self.answers.recv()).await;
        let (at, answer) = answer.map_err(|_| "no answer")?.ok_or("the runtime API has ended")?;
        let answer =
            answer.map_err(|error| format!("the function failed: {}", String::from_utf8_lossy(&error)))?;
        Ok((at, answer))
    }
}

impl Drop for RuntimeApi {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn serve(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let path = request.uri().path().to_owned();
    match (request.method(), path.rsplit('/').next()) {
        (&Method::GET, Some("next")) => next(&shared).await,
        (&Method::POST, Some(kind @ ("response" | "error"))) => {
            let body = axum::body::to_bytes(request.into_body(), usize::MAX).await.unwrap_or_default();
            let answer = if kind == "response" { Ok(body) } else { Err(body) };
            shared.answers.send((Instant::now(), answer)).ok();
            respond(StatusCode::ACCEPTED, Body::empty())
        }
        _ => respond(StatusCode::NOT_FOUND, Body::empty()),
    }
}

async fn next(shared: &Shared) -> Response {
    let ready = shared.ready.lock().ok().and_then(|mut ready| ready.take());
    if let Some(ready) = ready {
        ready.send(Instant::now()).ok();
    }
    let Some(event) = shared.events.lock().await.recv().await else {
        return respond(StatusCode::GONE, Body::empty());
    };
    let deadline = chrono::Utc::now() + chrono::TimeDelta::seconds(60);
    let mut response = respond(StatusCode::OK, Body::from(event));
    for (name, value) in [
        ("lambda-runtime-aws-request-id", "00000000-0000-4000-8000-000000000000".to_owned()),
        ("lambda-runtime-deadline-ms", deadline.timestamp_millis().to_string()),
        (
            "lambda-runtime-invoked-function-arn",
            "arn:aws:lambda:us-east-1:123456789012:function:bench".to_owned(),
        ),
        ("lambda-runtime-trace-id", "Root=1-00000000-000000000000000000000000;Sampled=0".to_owned()),
    ] {
        if let Ok(value) = value.parse() {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

fn respond(status: StatusCode, body: Body) -> Response {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response
}
