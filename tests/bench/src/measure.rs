//! The measurements: starting a function, and calling one that is warm.

use std::{
    collections::BTreeMap,
    path::PathBuf,
    time::{Duration, Instant},
};

use axum::body::Bytes;
use serde_json::Value;

use crate::{
    Failure, bare_runtime, events, figures::Requests, process::Function, runtime_api::RuntimeApi,
    stubs::Stubs,
};

/// What a function is given.
#[derive(Clone)]
pub(crate) enum Given {
    /// The same event each time.
    Event(Bytes),
    /// The sample of a person's test, with a new call's id each time.
    Test(String),
    /// So many new calls each time, made from a message of the queue.
    Calls { message: String, at_once: usize },
}

/// A function, where its artefact is, and how it is told where it runs.
#[derive(Clone)]
pub(crate) struct Subject {
    pub(crate) name: String,
    pub(crate) bootstrap: PathBuf,
    pub(crate) environment: Vec<(String, String)>,
}

/// Numbers the calls, so that each is new.
#[derive(Default)]
pub(crate) struct Counter(usize);

impl Counter {
    fn take(&mut self, calls: usize) -> usize {
        self.0 += calls;
        self.0 - calls
    }
}

/// Times from a process's begin.
#[derive(Default)]
pub(crate) struct Starts {
    /// To the first request for an event.
    pub(crate) next: Vec<Duration>,
    /// To the first answer.
    pub(crate) answer: Vec<Duration>,
    /// What the first calls of all starts asked for.
    counts: BTreeMap<String, usize>,
}

impl Starts {
    /// Starts the function once more.
    pub(crate) async fn add(
        &mut self,
        subject: &Subject,
        given: &Given,
        stubs: &Stubs,
        counter: &mut Counter,
    ) -> Result<(), Failure> {
        let (event, calls) = event(given, counter)?;
        stubs.take_counts();
        let mut function = Function::start(&subject.bootstrap, &subject.environment).await?;
        let (answered, answer) = function.invoke_until(&event).await?;
        add(&mut self.counts, stubs.take_counts());
        self.next.push(function.ready - function.started);
        self.answer.push(answered - function.started);
        function.stop().await?;
        check(subject, &answer, &calls, stubs)?;
        stubs.forget(&calls);
        Ok(())
    }

    /// What a first call asks for.
    pub(crate) fn requests(&self) -> Result<Requests, Failure> {
        Ok(Requests::new(self.counts.clone(), u32::try_from(self.answer.len())?))
    }
}

/// Adds counts to those before.
fn add(counts: &mut BTreeMap<String, usize>, more: BTreeMap<String, usize>) {
    for (operation, count) in more {
        *counts.entry(operation).or_default() += count;
    }
}

/// A warm function.
pub(crate) struct Warm {
    /// From an event to its answer.
    pub(crate) latencies: Vec<Duration>,
    /// CPU time of an invocation.
    pub(crate) cpu: Duration,
    /// The most memory it had, bytes.
    pub(crate) peak_memory: u64,
    /// What the invocations asked for.
    pub(crate) requests: Requests,
    /// The bytes of a row in the ledger, if calls were logged.
    pub(crate) row_size: Option<usize>,
}

/// Calls a warm function `times` times.
pub(crate) async fn warm(
    subject: &Subject,
    given: &Given,
    stubs: &Stubs,
    counter: &mut Counter,
    times: u32,
) -> Result<Warm, Failure> {
    let mut calls = Calls::start(subject, given, stubs, counter, times).await?;
    calls.make(stubs, counter, times).await?;
    calls.end().await
}

/// A warm function that is being called.
pub(crate) struct Calls<'a> {
    subject: &'a Subject,
    given: &'a Given,
    function: Function,
    latencies: Vec<Duration>,
    cpu: Duration,
    counts: BTreeMap<String, usize>,
    row_size: Option<usize>,
}

impl<'a> Calls<'a> {
    /// Starts it, and warms it up for so many calls.
    pub(crate) async fn start(
        subject: &'a Subject,
        given: &'a Given,
        stubs: &Stubs,
        counter: &mut Counter,
        times: u32,
    ) -> Result<Self, Failure> {
        let mut function = Function::start(&subject.bootstrap, &subject.environment).await?;
        for _ in 0..(times / 5).max(3) {
            let (event, calls) = event(given, counter)?;
            let (_, answer) = function.invoke(&event).await?;
            check(subject, &answer, &calls, stubs)?;
            stubs.forget(&calls);
        }
        let latencies = Vec::new();
        Ok(Self {
            subject,
            given,
            function,
            latencies,
            cpu: Duration::ZERO,
            counts: BTreeMap::new(),
            row_size: None,
        })
    }

    /// Calls it `times` times more.
    pub(crate) async fn make(
        &mut self,
        stubs: &Stubs,
        counter: &mut Counter,
        times: u32,
    ) -> Result<(), Failure> {
        stubs.take_counts();
        let before = self.function.cpu()?;
        for _ in 0..times {
            let (event, calls) = event(self.given, counter)?;
            let (latency, answer) = self.function.invoke(&event).await?;
            check(self.subject, &answer, &calls, stubs)?;
            self.row_size = calls.first().and_then(|call| stubs.row_size(call)).or(self.row_size);
            stubs.forget(&calls);
            self.latencies.push(latency);
        }
        self.cpu += self.function.cpu()?.saturating_sub(before);
        add(&mut self.counts, stubs.take_counts());
        Ok(())
    }

    /// Stops it, and says what it took.
    pub(crate) async fn end(self) -> Result<Warm, Failure> {
        let peak_memory = self.function.peak_memory()?;
        self.function.stop().await?;
        let times = u32::try_from(self.latencies.len())?;
        Ok(Warm {
            latencies: self.latencies,
            cpu: self.cpu / times,
            peak_memory,
            requests: Requests::new(self.counts, times),
            row_size: self.row_size,
        })
    }
}

/// The floor of a warm figure: a runtime of a few lines on bare sockets, which makes some requests at each call. Without any,
/// a call takes what the harness takes by itself.
pub(crate) struct Bare {
    api: RuntimeApi,
    pub(crate) latencies: Vec<Duration>,
}

impl Bare {
    /// Starts it; it makes these requests.
    pub(crate) async fn start(requests: Vec<bare_runtime::Request>) -> Result<Self, Failure> {
        let api = RuntimeApi::start().await?;
        let address = api.address;
        // It ends by itself when the API does.
        std::thread::spawn(move || bare_runtime::run(address, &requests));
        Ok(Self { api, latencies: Vec::new() })
    }

    /// Calls it `times` times more.
    pub(crate) async fn call(&mut self, times: u32) -> Result<(), Failure> {
        let event = Bytes::from_static(b"{}");
        for _ in 0..times {
            let began = Instant::now();
            let (ended, _) = self.api.invoke_until(&event).await?;
            self.latencies.push(ended - began);
        }
        Ok(())
    }
}

fn event(given: &Given, counter: &mut Counter) -> Result<(Bytes, Vec<String>), Failure> {
    match given {
        Given::Event(event) => Ok((event.clone(), Vec::new())),
        Given::Test(sample) => Ok(events::test(sample, counter.take(1))),
        Given::Calls { message, at_once } => events::batch(message, counter.take(*at_once), *at_once),
    }
}

/// A figure of a function that failed would be none.
fn check(subject: &Subject, answer: &Bytes, calls: &[String], stubs: &Stubs) -> Result<(), Failure> {
    let read: Value = serde_json::from_slice(answer)?;
    let refused = read["statusCode"].as_u64().is_some_and(|status| status != 200);
    let failed = read["batchItemFailures"].as_array().is_some_and(|failed| !failed.is_empty());
    let lost = calls.iter().find(|call| stubs.status(call).as_deref() != Some("success"));
    if refused || failed || lost.is_some() {
        let text = String::from_utf8_lossy(answer);
        return Err(format!("{} did not do its work: {text} {lost:?}", subject.name).into());
    }
    Ok(())
}
