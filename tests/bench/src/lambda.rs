//! A function's process, and the Lambda Runtime API that gives it events.

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Stdio,
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::{Request, State},
    http::{Method, StatusCode},
    response::{IntoResponse as _, Response},
    serve::ListenerExt as _,
};
use chrono::{TimeDelta, Utc};
use tokio::{
    net::TcpListener,
    process::{Child, Command},
    sync::{Mutex, mpsc},
    task::AbortHandle,
};

use crate::Failure;

/// How long to wait for a function: longer than anything that is measured.
const PATIENCE: Duration = Duration::from_secs(20);

/// A running function.
pub(crate) struct Function {
    /// When its process was started.
    pub(crate) started: Instant,
    /// When it first asked for an event.
    pub(crate) ready: Instant,
    child: Child,
    events: mpsc::UnboundedSender<Bytes>,
    requests: mpsc::UnboundedReceiver<(Instant, Asked)>,
    _server: Server,
}

/// What a function asks of the Runtime API.
#[derive(PartialEq)]
enum Asked {
    Next,
    Response(Bytes),
    Error(Bytes),
}

struct RuntimeApi {
    events: Mutex<mpsc::UnboundedReceiver<Bytes>>,
    requests: mpsc::UnboundedSender<(Instant, Asked)>,
}

impl Function {
    /// Starts a bootstrap and waits until it asks for its first event.
    pub(crate) async fn start(bootstrap: &Path, environment: &[(&str, String)]) -> Result<Self, Failure> {
        let (events, to_function) = mpsc::unbounded_channel();
        let (from_function, requests) = mpsc::unbounded_channel();
        let api = RuntimeApi { events: Mutex::new(to_function), requests: from_function };
        let (address, server) = serve(Router::new().fallback(respond).with_state(Arc::new(api))).await?;
        let mut command = Command::new(bootstrap);
        command
            .env_clear()
            .envs(environment.iter().map(|(name, value)| (name, value)))
            .env("AWS_LAMBDA_RUNTIME_API", address.to_string())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .kill_on_drop(true);
        let started = Instant::now();
        let child = command.spawn().map_err(|error| format!("{}: {error}", bootstrap.display()))?;
        let mut function = Self { started, ready: started, child, events, requests, _server: server };
        function.ready = function.next_request().await?.0;
        Ok(function)
    }

    /// Gives it an event; when it answered, and what.
    pub(crate) async fn invoke(&mut self, event: &Bytes) -> Result<(Instant, Bytes), Failure> {
        self.events.send(event.clone())?;
        loop {
            match self.next_request().await? {
                (_, Asked::Next) => {}
                (at, Asked::Response(answer)) => return Ok((at, answer)),
                (_, Asked::Error(error)) => {
                    return Err(format!("the function failed: {}", String::from_utf8_lossy(&error)).into());
                }
            }
        }
    }

    async fn next_request(&mut self) -> Result<(Instant, Asked), Failure> {
        let request = tokio::time::timeout(PATIENCE, self.requests.recv()).await;
        Ok(request.map_err(|_| "the function does not answer")?.ok_or("the runtime API has ended")?)
    }

    /// The CPU time of all its threads.
    pub(crate) fn cpu(&self) -> Result<Duration, Failure> {
        let mut total = 0;
        for thread in fs::read_dir(self.proc()?.join("task"))? {
            let ran = fs::read_to_string(thread?.path().join("schedstat"))?;
            total += ran.split_whitespace().next().ok_or("schedstat is empty")?.parse::<u64>()?;
        }
        Ok(Duration::from_nanos(total))
    }

    /// Its peak memory so far, bytes.
    pub(crate) fn peak_memory(&self) -> Result<u64, Failure> {
        let status = fs::read_to_string(self.proc()?.join("status"))?;
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).ok_or("no VmHWM")?;
        Ok(peak.trim().trim_end_matches(" kB").parse::<u64>()? * 1024)
    }

    /// Ends it.
    pub(crate) async fn stop(mut self) -> Result<(), Failure> {
        Ok(self.child.kill().await?)
    }

    fn proc(&self) -> Result<PathBuf, Failure> {
        Ok(Path::new("/proc").join(self.child.id().ok_or("the function has ended")?.to_string()))
    }
}

/// A server that ends when it is dropped.
pub(crate) struct Server(AbortHandle);

impl Drop for Server {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Serves on a free port of the loopback address.
pub(crate) async fn serve(router: Router) -> Result<(SocketAddr, Server), Failure> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    // Nagle's algorithm would delay what is measured.
    let listener = listener.tap_io(|io| drop(io.set_nodelay(true)));
    let server = tokio::spawn(async move { drop(axum::serve(listener, router).await) });
    Ok((address, Server(server.abort_handle())))
}

async fn respond(State(api): State<Arc<RuntimeApi>>, request: Request) -> Response {
    let path = request.uri().path().to_owned();
    let asked = match (request.method(), path.rsplit('/').next()) {
        (&Method::GET, Some("next")) => Asked::Next,
        (&Method::POST, Some(kind @ ("response" | "error"))) => {
            let body = axum::body::to_bytes(request.into_body(), usize::MAX).await.unwrap_or_default();
            if kind == "response" { Asked::Response(body) } else { Asked::Error(body) }
        }
        _ => return StatusCode::NOT_FOUND.into_response(),
    };
    let is_next = asked == Asked::Next;
    api.requests.send((Instant::now(), asked)).ok();
    if !is_next {
        return StatusCode::ACCEPTED.into_response();
    }
    let Some(event) = api.events.lock().await.recv().await else { return StatusCode::GONE.into_response() };
    let deadline = (Utc::now() + TimeDelta::seconds(60)).timestamp_millis().to_string();
    let headers = [
        ("lambda-runtime-aws-request-id", "00000000-0000-4000-8000-000000000000"),
        ("lambda-runtime-deadline-ms", &deadline),
        ("lambda-runtime-invoked-function-arn", "arn:aws:lambda:us-east-1:123456789012:function:bench"),
        ("lambda-runtime-trace-id", "Root=1-00000000-000000000000000000000000;Sampled=0"),
    ];
    (headers, Body::from(event)).into_response()
}
