//! Each function: sizes, starts, warm calls.

use std::{fs, io::Write as _, path::Path};

use flate2::{Compression, write::DeflateEncoder};

use crate::{
    Failure,
    figures::{Measured, SIZE, START},
    measure::{Given, Starts, Subject, warm},
    report::{Table, mb, median, ms, percentiles},
    run::Bench,
    say,
};

/// The floor.
pub(crate) const HELLO: &str = "hello";

/// Each function with the sample event that it is given; and with what it writes, under a name that says so. Those stand apart:
/// a process is quicker to start right after one of the same program.
const CASES: [(&str, &str, &str); 13] = [
    ("webhook", "webhook", "webhook.inbound-call"),
    ("sync", "sync", ""),
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

/// What is measured, and its starts.
struct Case {
    name: &'static str,
    subject: Subject,
    given: Given,
    starts: Starts,
}

impl Bench {
    /// Every function: sizes, starts, warm calls.
    pub(crate) async fn functions(&mut self) -> Result<(), Failure> {
        let columns = [
            "function",
            "binary MB",
            "zip MB",
            "start → next ms",
            "×",
            "start → answer ms",
            "×",
            "warm p50 ms",
            "p90",
            "p99",
            "CPU ms",
            "peak MB",
            "requests of a call",
        ];
        let mut table = Table::new(
            "Each function (the webhook: a 15 kB report; sync: one record; test-sync: shown, and logged)",
            &columns,
        );
        let cases = self.started().await?;
        let medians = |starts: &Starts| (ms(median(&starts.next)), ms(median(&starts.answer)));
        let (floor_next, floor_answer) = medians(&cases[0].starts);
        let mut floor = None;
        for Case { name, subject, given, starts } in &cases {
            let name = *name;
            let warm = warm(subject, given, &self.stubs, &mut self.counter, self.times).await?;
            let binary = mb(fs::metadata(&subject.bootstrap)?.len());
            let zip = mb(zipped(&subject.bootstrap)?);
            let (next, answer) = medians(starts);
            let next_ratio = Measured::times(next, floor_next);
            let answer_ratio = Measured::times(answer, floor_answer);
            let [_, p90, p99] = percentiles(&warm.latencies);
            let figures = [binary, zip, ms(median(&warm.latencies)), ms(warm.cpu), mb(warm.peak_memory)];
            let floor = floor.get_or_insert(figures);
            let beside = |figure: usize, decimals: usize| {
                let (figure, floor) = (figures[figure], floor[figure]);
                format!("{figure:.decimals$} ({:.1}×)", figure / floor)
            };
            table.row(&[
                name.to_owned(),
                beside(0, 1),
                beside(1, 2),
                format!("{next:.2}"),
                format!("{:.2}", next_ratio.value()),
                format!("{answer:.2}"),
                format!("{:.2}", answer_ratio.value()),
                beside(2, 2),
                p90,
                p99,
                beside(3, 3),
                beside(4, 1),
                warm.requests.to_string(),
            ]);
            if name != HELLO {
                let (to_next, to_answer, to_zip) =
                    if name == "webhook" { (1.3, 2.5, 3.0) } else { (1.6, 3.5, 4.5) };
                let of = |figure: &str| format!("{name}: {figure}");
                self.figures.hold(of("start → first `/next`, × hello"), next_ratio, to_next, START);
                self.figures.hold(of("start → first answer, × hello"), answer_ratio, to_answer, START);
                if name == subject.name {
                    self.figures.hold(of("zip, MB"), zip, to_zip, SIZE);
                }
                self.figures.count(name.to_owned(), warm.requests);
                self.figures.count(of("first call"), starts.requests()?);
            }
        }
        say(table.text());
        Ok(())
    }

    /// The hello world and each case, started.
    async fn started(&mut self) -> Result<Vec<Case>, Failure> {
        let mut cases = Vec::new();
        for (name, function, sample) in [(HELLO, HELLO, "status.get")].into_iter().chain(CASES) {
            let given = self.given(function, sample).await?;
            cases.push(Case { name, subject: self.subject(function), given, starts: Starts::default() });
        }
        // In turns, so that what else the machine does meets them all.
        for _ in 0..self.starts {
            for Case { subject, given, starts, .. } in &mut cases {
                starts.add(subject, given, &self.stubs, &mut self.counter).await?;
            }
        }
        Ok(cases)
    }
}

/// The size of an artefact as it is uploaded: a zip is its deflated content and some hundred bytes.
fn zipped(bootstrap: &Path) -> Result<u64, Failure> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(&fs::read(bootstrap)?)?;
    Ok(u64::try_from(encoder.finish()?.len())?)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_function_is_measured() {
        let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../functions");
        let crates = fs::read_dir(crates).unwrap().map(|entry| entry.unwrap());
        let functions: BTreeSet<_> = crates
            .filter(|entry| entry.path().join("Cargo.toml").exists())
            .map(|entry| entry.file_name().into_string().unwrap())
            .collect();
        let measured: BTreeSet<_> = CASES.map(|(_, function, _)| function.to_owned()).into();
        assert_eq!(measured, functions);
    }
}
