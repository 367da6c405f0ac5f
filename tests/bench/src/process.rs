//! A function's process, and what the kernel says of it.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Stdio,
    time::{Duration, Instant},
};

use axum::body::Bytes;
use tokio::process::{Child, Command};

use crate::{Failure, runtime_api::RuntimeApi};

/// A function that runs.
pub(crate) struct Function {
    /// When its process was begun.
    pub(crate) started: Instant,
    /// When it first asked for an event.
    pub(crate) ready: Instant,
    api: RuntimeApi,
    child: Child,
}

impl Function {
    /// Starts a bootstrap and waits until it asks for its first event.
    pub(crate) async fn start(bootstrap: &Path, environment: &[(String, String)]) -> Result<Self, Failure> {
        let mut api = RuntimeApi::start().await?;
        let mut command = Command::new(bootstrap);
        command
            .env_clear()
            .envs(environment.iter().map(|(name, value)| (name, value)))
            .env("AWS_LAMBDA_RUNTIME_API", api.address.to_string())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::inherit())
            .kill_on_drop(true);
        let started = Instant::now();
        let child = command.spawn().map_err(|error| format!("{}: {error}", bootstrap.display()))?;
        let ready = api.first_next().await.map_err(|error| format!("{}: {error}", bootstrap.display()))?;
        Ok(Self { started, ready, api, child })
    }

    /// How long an event took, and the answer.
    pub(crate) async fn invoke(&mut self, event: &Bytes) -> Result<(Duration, Bytes), Failure> {
        self.api.invoke(event).await
    }

    /// When the answer to an event was there, and the answer.
    pub(crate) async fn invoke_until(&mut self, event: &Bytes) -> Result<(Instant, Bytes), Failure> {
        self.api.invoke_until(event).await
    }

    /// The CPU time of all its threads until now.
    pub(crate) fn cpu(&self) -> Result<Duration, Failure> {
        let mut total = 0;
        for thread in fs::read_dir(self.proc()?.join("task"))? {
            let ran = fs::read_to_string(thread?.path().join("schedstat"))?;
            total += ran.split_whitespace().next().ok_or("schedstat is empty")?.parse::<u64>()?;
        }
        Ok(Duration::from_nanos(total))
    }

    /// The most memory that it had so far, bytes.
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
        let id = self.child.id().ok_or("the function has ended")?;
        Ok(PathBuf::from("/proc").join(id.to_string()))
    }
}
