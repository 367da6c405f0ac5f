//! What is measured, and the table of it.

use std::{fs, io::Write as _, path::Path, time::Duration};

use axum::body::Bytes;
use flate2::{Compression, write::DeflateEncoder};
use serde_json::Value;

use crate::{
    Failure, events,
    figures::{Figures, MEMORY, SIZE, START},
    measure::{Starts, Subject, Warm, median, warm},
    say,
    stubs::{CLIENT_SECRET, KEYS, Stubs},
};

const HELLO: &str = "hello";

/// Each function with the sample event that it gets, and what some write, under a name that says so. Those are apart: a
/// process starts faster right after another of the same program.
const CASES: [(&str, &str, &str); 14] = [
    (HELLO, HELLO, "status.get"),
    ("webhook", "webhook", "webhook.inbound-call"),
    ("sync", "sync", "webhook.inbound-call"),
    ("sweep", "sweep", "sweep.scheduled"),
    ("status", "status", "status.get"),
    ("settings", "settings", "settings.get"),
    ("sync-logs", "sync-logs", "sync-logs.list"),
    ("webhook-setup", "webhook-setup", "webhook-setup.get"),
    ("test-sync", "test-sync", "test-sync.dry-run"),
    ("oauth-initiate", "oauth-initiate", "oauth-initiate.default"),
    ("oauth-callback", "oauth-callback", "oauth-callback.popup"),
    ("disconnect", "disconnect", "disconnect.delete"),
    ("webhook-setup, rotated", "webhook-setup", "webhook-setup.rotate"),
    ("test-sync, logged", "test-sync", "test-sync.real"),
];

/// How often a function is started; called while it is warm; and called while Salesforce takes its time.
const STARTS: usize = 60;
const CALLS: u32 = 100;
const SLOW_CALLS: u32 = 20;
/// What a slow request to Salesforce takes.
const SLOW: Duration = Duration::from_millis(50);
/// Bytes of a usual report, and of a large one.
const REPORT: usize = 15_000;
const LARGE_REPORT: usize = 300_000;

struct Bench {
    stubs: Stubs,
    /// The workspace's webhook secret.
    token: String,
}

/// Measures everything once and prints it.
pub(crate) async fn run() -> Result<Figures, Failure> {
    let mut bench = Bench { stubs: Stubs::start().await?, token: String::new() };
    bench.connect().await?;
    let mut figures = Figures::default();
    say(
        "\n| case | zip MB | start → next ms | × | start → response ms | × | warm p50 ms | CPU ms | peak MB | row bytes \
         | requests |\n|---|---|---|---|---|---|---|---|---|---|---|",
    );
    bench.functions(&mut figures).await?;
    bench.large_report(&mut figures).await?;
    bench.batches(&mut figures).await?;
    Ok(figures)
}

impl Bench {
    /// Connects the workspace through the functions, as a person does.
    async fn connect(&mut self) -> Result<(), Failure> {
        self.answer("oauth-initiate", events::sample("oauth-initiate.default")?).await?;
        self.answer("oauth-callback", events::sample("oauth-callback.popup")?).await?;
        let shown = self.answer("webhook-setup", events::sample("webhook-setup.get")?).await?;
        let shown: Value = serde_json::from_str(shown["body"].as_str().unwrap_or_default())?;
        shown["secret"].as_str().ok_or("webhook-setup shows no secret")?.clone_into(&mut self.token);
        Ok(())
    }

    /// Starts the functions in turn, so that the machine's other work affects all alike; then calls each while warm.
    async fn functions(&self, figures: &mut Figures) -> Result<(), Failure> {
        let mut cases = Vec::new();
        for (name, function, sample) in CASES {
            let event = match function {
                "webhook" => events::report(sample, &self.token, REPORT)?,
                "sync" => self.calls(sample, 1).await?,
                _ => events::sample(sample)?,
            };
            cases.push((name, function, self.subject(function, event), Starts::default()));
        }
        for _ in 0..STARTS {
            for (_, _, subject, starts) in &mut cases {
                starts.add(subject, &self.stubs).await?;
            }
        }
        let medians = |starts: &Starts| [ms(median(&starts.next)), ms(median(&starts.answer))];
        let floor = medians(&cases[0].3);
        for (name, function, subject, starts) in cases {
            let warm = warm(&subject, &self.stubs, CALLS).await?;
            let zip = mb(zipped(&subject.bootstrap)?);
            let [next, answer] = medians(&starts);
            let ratios = [next / floor[0], answer / floor[1]];
            say(&format!(
                "| {name} | {zip:.2} | {next:.2} | {:.2} | {answer:.2} | {:.2} {}",
                ratios[0],
                ratios[1],
                cells(&warm)
            ));
            if name == HELLO {
                continue;
            }
            figures.add(format!("{name}: start → first `/next`, × hello"), next, floor[0], START);
            figures.add(format!("{name}: start → first response, × hello"), answer, floor[1], START);
            if name == function {
                figures.add(format!("{name}: zip, MB"), zip, 1.0, SIZE);
            }
            figures.requests.insert(name.to_owned(), warm.requests);
            figures.requests.insert(format!("{name}: first call"), starts.requests()?);
        }
        Ok(())
    }

    /// The webhook's memory with large reports.
    async fn large_report(&self, figures: &mut Figures) -> Result<(), Failure> {
        let report = events::report("webhook.inbound-call", &self.token, LARGE_REPORT)?;
        let warm = warm(&self.subject("webhook", report), &self.stubs, CALLS).await?;
        say(&format!("| webhook: 300 kB | | | | | {}", cells(&warm)));
        figures.add("webhook: peak memory with 300 kB reports, MB", mb(warm.peak_memory), 1.0, MEMORY);
        Ok(())
    }

    /// Whether sync works on the calls of a batch at once, and its memory.
    async fn batches(&self, figures: &mut Figures) -> Result<(), Failure> {
        let (one, _) = self.batch("sync: 1 at once, 50 ms", "webhook.inbound-call", 1, figures).await?;
        let (ten, memory) =
            self.batch("sync: 10 at once, 50 ms", "webhook.inbound-call", 10, figures).await?;
        self.batch("sync: 10 at once, 50 ms, with appointment", "webhook.appointment", 10, figures).await?;
        figures.add("sync: ten records at 50 ms, × one record", ten, one, START);
        figures.add("sync: peak memory with ten records, MB", memory, 1.0, MEMORY);
        Ok(())
    }

    /// Milliseconds and peak memory of sync with so many calls at once, while Salesforce is slow.
    async fn batch(
        &self,
        name: &str,
        sample: &str,
        calls: usize,
        figures: &mut Figures,
    ) -> Result<(f64, f64), Failure> {
        let subject = self.subject("sync", self.calls(sample, calls).await?);
        self.stubs.seen().latency = SLOW;
        let warm = warm(&subject, &self.stubs, SLOW_CALLS).await?;
        self.stubs.seen().latency = Duration::ZERO;
        say(&format!("| {name} | | | | | {}", cells(&warm)));
        figures.requests.insert(name.to_owned(), warm.requests);
        Ok((ms(warm.latency), mb(warm.peak_memory)))
    }

    /// A batch for sync of calls as the webhook queues them.
    async fn calls(&self, sample: &str, calls: usize) -> Result<Bytes, Failure> {
        self.answer("webhook", events::report(sample, &self.token, REPORT)?).await?;
        let message = self.stubs.seen().message.take().ok_or("the webhook sent no message")?;
        events::batch(&message, calls)
    }

    /// A function's answer to one event.
    async fn answer(&self, function: &str, event: Bytes) -> Result<Value, Failure> {
        Starts::default().add(&self.subject(function, event), &self.stubs).await
    }

    fn subject(&self, function: &str, event: Bytes) -> Subject {
        let artefacts = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/lambda");
        let environment = vec![
            ("AWS_REGION", "us-east-1".to_owned()),
            ("AWS_ACCESS_KEY_ID", "bench".to_owned()),
            ("AWS_SECRET_ACCESS_KEY", "bench".to_owned()),
            ("AWS_SESSION_TOKEN", "bench".to_owned()),
            ("AWS_ENDPOINT_URL", format!("http://{}", self.stubs.aws)),
            ("AWS_LAMBDA_FUNCTION_NAME", function.to_owned()),
            ("AWS_LAMBDA_FUNCTION_VERSION", "1".to_owned()),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256".to_owned()),
            ("WORKSPACE_SETTINGS_TABLE", "settings".to_owned()),
            ("SYNC_LOGS_TABLE", "logs".to_owned()),
            ("OAUTH_STATES_TABLE", "states".to_owned()),
            ("CALL_QUEUE_URL", format!("http://{}/calls", self.stubs.aws)),
            ("KEYS_SECRET_ARN", KEYS.to_owned()),
            ("SALESFORCE_CLIENT_SECRET_ARN", CLIENT_SECRET.to_owned()),
            ("SALESFORCE_CLIENT_ID", "bench".to_owned()),
            ("SALESFORCE_LOGIN_URL", format!("http://{}", self.stubs.salesforce)),
            ("SALESFORCE_SETTLE_SECONDS", "600".to_owned()),
            ("DASHBOARD_URL", "https://app.example.com".to_owned()),
            ("WORKSPACE_CLAIM", "workspace_id".to_owned()),
            ("METRICS_NAMESPACE", "Ringlog/bench".to_owned()),
        ];
        Subject { bootstrap: artefacts.join(function).join("bootstrap"), environment, event }
    }
}

/// The end of a table's row.
fn cells(warm: &Warm) -> String {
    let row = warm.row_size.map(|size| size.to_string()).unwrap_or_default();
    format!(
        "| {:.2} | {:.3} | {:.1} | {row} | {} |",
        ms(warm.latency),
        ms(warm.cpu),
        mb(warm.peak_memory),
        warm.requests
    )
}

/// The size of an artefact as it is uploaded: a zip is the deflated content and some hundred bytes.
fn zipped(bootstrap: &Path) -> Result<u64, Failure> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(&fs::read(bootstrap)?)?;
    Ok(u64::try_from(encoder.finish()?.len())?)
}

fn ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}

#[expect(clippy::cast_precision_loss, reason = "bytes of a file or a process")]
fn mb(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_function_is_measured() {
        let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../functions");
        let crates = fs::read_dir(crates).unwrap().map(|entry| entry.unwrap());
        let mut functions: BTreeSet<_> = crates
            .filter(|entry| entry.path().join("Cargo.toml").exists())
            .map(|entry| entry.file_name().into_string().unwrap())
            .collect();
        functions.insert(HELLO.to_owned());
        assert_eq!(BTreeSet::from(CASES.map(|(_, function, _)| function.to_owned())), functions);
    }
}
