//! Measuring a function: its starts, and its calls while it is warm.

use std::{
    collections::BTreeMap,
    path::PathBuf,
    time::{Duration, Instant},
};

use axum::body::Bytes;
use serde_json::Value;

use crate::{
    Failure,
    figures::Requests,
    lambda::Function,
    stubs::{Stubs, item_size},
};

/// A function, and the event that it gets each time.
pub(crate) struct Subject {
    pub(crate) bootstrap: PathBuf,
    pub(crate) environment: Vec<(&'static str, String)>,
    pub(crate) event: Bytes,
}

/// The times and requests of a function's first calls.
#[derive(Default)]
pub(crate) struct Starts {
    /// From the start of the process to its first request for an event.
    pub(crate) next: Vec<Duration>,
    /// From the start of the process to its first response.
    pub(crate) answer: Vec<Duration>,
    counts: BTreeMap<String, u32>,
}

impl Starts {
    /// Starts the function once more; its answer.
    pub(crate) async fn add(&mut self, subject: &Subject, stubs: &Stubs) -> Result<Value, Failure> {
        stubs.take_counts();
        let mut function = Function::start(&subject.bootstrap, &subject.environment).await?;
        let (answered, answer) = function.invoke(&subject.event).await?;
        for (operation, count) in stubs.take_counts() {
            *self.counts.entry(operation).or_default() += count;
        }
        self.next.push(function.ready - function.started);
        self.answer.push(answered - function.started);
        function.stop().await?;
        Ok(checked(&answer, stubs)?.0)
    }

    pub(crate) fn requests(&self) -> Result<Requests, Failure> {
        Ok(Requests { counts: self.counts.clone(), calls: u32::try_from(self.answer.len())? })
    }
}

/// What the calls of a warm function took.
pub(crate) struct Warm {
    pub(crate) latency: Duration,
    pub(crate) cpu: Duration,
    /// Bytes.
    pub(crate) peak_memory: u64,
    pub(crate) requests: Requests,
    /// The bytes of a call's row, if calls were logged.
    pub(crate) row_size: Option<usize>,
}

/// Calls a warm function so many times.
pub(crate) async fn warm(subject: &Subject, stubs: &Stubs, calls: u32) -> Result<Warm, Failure> {
    let mut function = Function::start(&subject.bootstrap, &subject.environment).await?;
    for _ in 0..(calls / 5).max(3) {
        let (_, answer) = function.invoke(&subject.event).await?;
        checked(&answer, stubs)?;
    }
    stubs.take_counts();
    let cpu = function.cpu()?;
    let mut latencies = Vec::new();
    let mut row_size = None;
    for _ in 0..calls {
        let began = Instant::now();
        let (answered, answer) = function.invoke(&subject.event).await?;
        latencies.push(answered - began);
        (_, row_size) = checked(&answer, stubs)?;
    }
    let cpu = function.cpu()?.saturating_sub(cpu) / calls;
    let peak_memory = function.peak_memory()?;
    function.stop().await?;
    let requests = Requests { counts: stubs.take_counts(), calls };
    Ok(Warm { latency: median(&latencies), cpu, peak_memory, requests, row_size })
}

/// The answer, and the size of a row if calls were logged. An error if the function did not do its work: figures of a
/// failure would be worth nothing.
fn checked(answer: &Bytes, stubs: &Stubs) -> Result<(Value, Option<usize>), Failure> {
    let read: Value = serde_json::from_slice(answer)?;
    let rows = std::mem::take(&mut stubs.seen().calls);
    let is_refused = read["statusCode"].as_u64().is_some_and(|status| status != 200);
    let is_failed = read["batchItemFailures"].as_array().is_some_and(|failed| !failed.is_empty());
    if is_refused || is_failed || rows.values().any(|row| row["status"]["S"] != "success") {
        return Err(format!("a function did not do its work: {}", String::from_utf8_lossy(answer)).into());
    }
    Ok((read, rows.values().next().map(item_size)))
}

pub(crate) fn median(values: &[Duration]) -> Duration {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    sorted.get(sorted.len() / 2).copied().unwrap_or_default()
}
