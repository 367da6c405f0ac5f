//! A run: all tables, one after the other, of functions that ask the same stubs.

use std::path::{Path, PathBuf};

use crate::{
    Failure, events,
    figures::Figures,
    measure::{Bare, Counter, Given, Starts, Subject},
    report::{self, median, ms, quantile},
    say,
    stubs::Stubs,
    workspace::{self, Workspace},
};

/// The usual size of a report, bytes.
pub(crate) const REPORT: usize = 15_000;

/// What the tables share.
pub(crate) struct Bench {
    pub(crate) stubs: Stubs,
    pub(crate) workspace: Workspace,
    /// Where the release artefacts are.
    artefacts: PathBuf,
    /// Where the sample events are.
    pub(crate) events: PathBuf,
    pub(crate) counter: Counter,
    pub(crate) figures: Figures,
    /// How often a function is started.
    pub(crate) starts: usize,
    /// How often a warm function is called.
    pub(crate) times: u32,
}

/// Measures everything once, and says it.
pub(crate) async fn run(quick: bool) -> Result<Figures, Failure> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let workspace = Workspace::new().await?;
    let mut bench = Bench {
        stubs: Stubs::start(workspace.clone()).await?,
        workspace,
        artefacts: root.join("target/lambda"),
        events: root.join("events"),
        counter: Counter::default(),
        figures: Figures::default(),
        starts: 60,
        times: if quick { 100 } else { 500 },
    };
    let mut bare = Bare::start(Vec::new()).await?;
    bare.call(bench.times).await?;
    say(&format!(
        "The harness itself: {:.3} ms for an event and its answer (p50; p99 {:.3} ms), which every warm figure contains.",
        ms(median(&bare.latencies)),
        ms(quantile(&bare.latencies, 0.99))
    ));
    bench.functions().await?;
    bench.reports().await?;
    bench.batches().await?;
    say(&report::targets(&bench.figures.targets));
    Ok(bench.figures)
}

impl Bench {
    /// A function, told that AWS and Salesforce are the stubs.
    pub(crate) fn subject(&self, name: &str) -> Subject {
        let variables = [
            ("AWS_REGION", "us-east-1".to_owned()),
            ("AWS_ACCESS_KEY_ID", "bench".to_owned()),
            ("AWS_SECRET_ACCESS_KEY", "bench".to_owned()),
            ("AWS_SESSION_TOKEN", "bench".to_owned()),
            ("AWS_ENDPOINT_URL", format!("http://{}", self.stubs.aws)),
            ("AWS_LAMBDA_FUNCTION_NAME", name.to_owned()),
            ("AWS_LAMBDA_FUNCTION_VERSION", "1".to_owned()),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256".to_owned()),
            ("AWS_LAMBDA_LOG_STREAM_NAME", "bench".to_owned()),
            ("AWS_LAMBDA_LOG_GROUP_NAME", "bench".to_owned()),
            ("WORKSPACE_SETTINGS_TABLE", "settings".to_owned()),
            ("SYNC_LOGS_TABLE", "logs".to_owned()),
            ("OAUTH_STATES_TABLE", "states".to_owned()),
            ("CALL_QUEUE_URL", format!("http://{}/calls", self.stubs.aws)),
            ("KEYS_SECRET_ARN", workspace::KEYS.to_owned()),
            ("SALESFORCE_CLIENT_SECRET_ARN", workspace::CLIENT_SECRET.to_owned()),
            ("SALESFORCE_CLIENT_ID", "bench".to_owned()),
            ("SALESFORCE_LOGIN_URL", format!("http://{}", self.stubs.salesforce)),
            ("SALESFORCE_SETTLE_SECONDS", "600".to_owned()),
            ("DASHBOARD_URL", "https://app.example.com".to_owned()),
            ("WORKSPACE_CLAIM", "workspace_id".to_owned()),
            ("METRICS_NAMESPACE", "Ringlog/bench".to_owned()),
        ];
        Subject {
            name: name.to_owned(),
            bootstrap: self.artefacts.join(name).join("bootstrap"),
            environment: variables.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
        }
    }

    /// A message of the queue, as the webhook makes it of a sample's report.
    pub(crate) async fn message(&mut self, sample: &str) -> Result<String, Failure> {
        let sample = events::sample(&self.events, sample, &self.workspace)?;
        let given = Given::Event(events::report(&sample, REPORT)?);
        let webhook = self.subject("webhook");
        Starts::default().add(&webhook, &given, &self.stubs, &mut self.counter).await?;
        self.stubs.message().ok_or_else(|| "the webhook sent no message".into())
    }

    /// What a function is given of a sample event.
    pub(crate) async fn given(&mut self, function: &str, name: &str) -> Result<Given, Failure> {
        if function == "sync" {
            let message = self.message("webhook.inbound-call").await?;
            return Ok(Given::Calls { message, at_once: 1 });
        }
        let sample = events::sample(&self.events, name, &self.workspace)?;
        if function == "webhook" {
            return Ok(Given::Event(events::report(&sample, REPORT)?));
        }
        let sample = sample.to_string();
        Ok(if name == "test-sync.real" { Given::Test(sample) } else { Given::Event(sample.into()) })
    }
}
