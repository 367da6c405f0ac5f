//! `make bench`: what each function costs, next to a hello world of the same build, in the same run.
//!
//! The release artefacts get their events from a Lambda Runtime API in this program. AWS and Salesforce are stubs that
//! respond at once, or after a set latency, and count the requests. Memory and batches of ten are measured because the
//! template sizes functions and batches by them (docs/performance.md).

mod budget;
mod cases;
mod events;
mod figures;
mod lambda;
mod measure;
mod stubs;

use std::{
    env::{self, consts::ARCH},
    io::{self, Write as _},
    process::ExitCode,
};

use figures::Figures;

/// What went wrong, for the person who measures.
type Failure = Box<dyn std::error::Error + Send + Sync>;

const USAGE: &str = "\
Measures the release artefacts in target/lambda next to a hello world.

Usage: bench [--gate | --record]

  --gate     fails if a figure exceeds the budget by more than its headroom
  --record   makes the figures the budget, tests/bench/budget.json

Both measure three times and take the lowest figures.";

/// In a single run the hello world may be disturbed, and then nothing looks slow next to it.
const RUNS: usize = 3;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let argument = env::args().nth(1);
    let done = match argument.as_deref() {
        None => cases::run().await.map(|_| true),
        Some("--gate") => lowest().await.and_then(|figures| Ok(budget::read()?.report(&figures, ARCH))),
        Some("--record") => lowest().await.and_then(|figures| budget::record(&figures)).map(|()| true),
        Some(_) => Err(USAGE.into()),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            writeln!(io::stderr(), "bench: {error}").ok();
            ExitCode::FAILURE
        }
    }
}

async fn lowest() -> Result<Figures, Failure> {
    let mut figures = cases::run().await?;
    for _ in 1..RUNS {
        figures.take_lowest(&cases::run().await?);
    }
    Ok(figures)
}

fn say(text: &str) {
    writeln!(io::stdout(), "{text}").ok();
}
