//! `make bench`: what each function costs, beside a hello world of the same build in the same run.
//!
//! Every figure is of a release artefact that speaks with a Lambda Runtime API of this program, and with stubs of AWS and
//! Salesforce that answer at once unless a latency is named.

mod bare_runtime;
mod budget;
mod events;
mod figures;
mod functions;
mod measure;
mod process;
mod report;
mod reports;
mod run;
mod runtime_api;
mod stubs;
mod sync;
mod workspace;

use std::{
    env,
    io::{self, Write as _},
    ops::RangeInclusive,
    process::ExitCode,
};

use figures::Figures;
use run::run;

/// What went wrong, for the person who measures.
pub(crate) type Failure = Box<dyn std::error::Error + Send + Sync>;

const USAGE: &str = "\
Measures the release artefacts in target/lambda beside a hello world.

Usage: bench [--quick] [--gate | --record]

  --quick    fewer repetitions
  --gate     fails where a figure is above what the budget has of it, by more than its head-room
  --record   writes the least figures of three runs into the budget, tests/bench/budget.json";

/// How often it is measured: one run alone may have a disturbed floor, beside which nothing is above the budget.
const RUNS: RangeInclusive<usize> = 2..=3;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    if let Some(unknown) =
        arguments.iter().find(|argument| !["--quick", "--gate", "--record"].contains(&argument.as_str()))
    {
        say(&format!("There is no option {unknown:?}.\n\n{USAGE}"));
        return ExitCode::FAILURE;
    }
    let has = |option: &str| arguments.iter().any(|argument| argument == option);
    if has("--gate") && has("--record") {
        say(&format!("A figure that is recorded is not held to the budget: --gate or --record.\n\n{USAGE}"));
        return ExitCode::FAILURE;
    }
    let quick = has("--quick");
    let done = if has("--gate") {
        gate(quick).await
    } else if has("--record") {
        record(quick).await.map(|()| true)
    } else {
        run(quick).await.map(|_| true)
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

/// Whether the functions are within their budget.
async fn gate(quick: bool) -> Result<bool, Failure> {
    budget::hold(&least(|| run(quick), budget::is_kept).await?)
}

/// Makes a budget in the way that a gate compares with it.
async fn record(quick: bool) -> Result<(), Failure> {
    budget::record(&least(|| run(quick), |_| Ok(false)).await?)
}

/// The least figures of as many runs as suffice.
async fn least(
    run: impl AsyncFn() -> Result<Figures, Failure>,
    suffices: impl Fn(&Figures) -> Result<bool, Failure>,
) -> Result<Figures, Failure> {
    let mut figures = run().await?;
    for done in 1..*RUNS.end() {
        if RUNS.contains(&done) && suffices(&figures)? {
            break;
        }
        say("Measured once more, as something else may have been at work: the least counts.");
        figures.take_least(&run().await?);
    }
    Ok(figures)
}

pub(crate) fn say(text: &str) {
    writeln!(io::stdout(), "{text}").ok();
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[tokio::test]
    async fn it_is_measured_twice_and_once_more_if_that_does_not_suffice() {
        for (enough, expected) in [(1, 2), (2, 2), (9, 3)] {
            let runs = Cell::new(0);
            let run = async || {
                runs.set(runs.get() + 1);
                Ok(Figures::default())
            };
            least(run, |_| Ok(runs.get() >= enough)).await.unwrap();
            assert_eq!(runs.get(), expected);
        }
    }
}
