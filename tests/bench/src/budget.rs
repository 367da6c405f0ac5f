//! The budget: what each figure came to when it was last accepted. A build that needs more fails, and says since when.
//!
//! Targets are what we want; the budget is what we have. So a figure that misses its target still cannot get worse, and one
//! that is far below its target is not lost unseen.

use std::{
    collections::{BTreeMap, BTreeSet},
    env::consts::ARCH,
    fs,
    path::PathBuf,
    process::Command,
};

use serde::{Deserialize, Serialize};

use crate::{
    Failure,
    figures::{Figures, Target},
    say,
};

#[derive(Serialize, Deserialize)]
struct Budget {
    /// What the functions were compiled for: another machine's code has other sizes, and other starts.
    architecture: String,
    /// What compiled them: a newer one may be all that changed.
    compiler: String,
    figures: BTreeMap<String, f64>,
    requests: BTreeMap<String, String>,
}

const FILE: &str = "tests/bench/budget.json";

/// What every function is made of, or is measured with.
const SHARED: [&str; 6] = ["Cargo.lock", "Cargo.toml", "Makefile", "events", "shared", "tests/bench"];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..")
}

impl Budget {
    /// Of what was measured, if each figure is one that a build can be held to.
    fn of(figures: &Figures, compiler: String) -> Result<Self, Failure> {
        let unfit: Vec<_> = figures
            .targets
            .iter()
            .filter(|figure| figure.headroom.is_some())
            .map(|figure| (&figure.what, figure.measured.value()))
            .filter(|(_, value)| !value.is_finite() || *value < 0.0)
            .map(|(what, value)| format!("{what}: {value}"))
            .collect();
        if !unfit.is_empty() {
            return Err(format!(
                "no build can be held to this, so there is no new budget: {}",
                unfit.join("; ")
            )
            .into());
        }
        Ok(Self {
            architecture: ARCH.to_owned(),
            compiler,
            figures: figures
                .targets
                .iter()
                .filter(|figure| figure.headroom.is_some())
                .map(|figure| (figure.what.clone(), rounded(figure.measured.value())))
                .collect(),
            requests: figures
                .requests
                .iter()
                .map(|(what, asked)| (what.clone(), asked.to_string()))
                .collect(),
        })
    }

    /// Whether a figure of this architecture can be held to it.
    fn compares(&self, figure: &Target, architecture: &str) -> bool {
        figure.is_exact() || self.architecture == architecture
    }
}

/// Makes what was measured the budget.
pub(crate) fn record(figures: &Figures) -> Result<(), Failure> {
    let budget = Budget::of(figures, compiler().ok_or("rustc does not say its version")?)?;
    Ok(fs::write(root().join(FILE), serde_json::to_string_pretty(&budget)? + "\n")?)
}

fn read() -> Result<Budget, Failure> {
    Ok(serde_json::from_str(&fs::read_to_string(root().join(FILE))?)?)
}

/// Whether all figures are within the budget.
pub(crate) fn is_kept(figures: &Figures) -> Result<bool, Failure> {
    Ok(over(figures, &read()?, ARCH).is_empty())
}

/// Whether all figures are within the budget; says which are not, and what has changed since it was made.
pub(crate) fn hold(figures: &Figures) -> Result<bool, Failure> {
    let budget = read()?;
    let over = over(figures, &budget, ARCH);
    for line in over.iter().chain(&not_compared(figures, &budget, ARCH)) {
        say(line);
    }
    if over.is_empty() {
        say("All that was compared is within the budget.");
    } else {
        say(&since(&over, git)
            .unwrap_or_else(|| "Its history is not here: `git log` says what changed.".to_owned()));
        if let Some(compiler) = compiler().filter(|compiler| *compiler != budget.compiler) {
            say(&format!("This was compiled by {compiler}, what the budget has by {}.", budget.compiler));
        }
        say("If it is worth it: `make bench BENCH=--record`, and say in the commit what it buys.");
    }
    Ok(over.is_empty())
}

fn over(figures: &Figures, budget: &Budget, architecture: &str) -> Vec<String> {
    let mut over = Vec::new();
    for figure in &figures.targets {
        let Some(headroom) = figure.headroom else { continue };
        let (what, measured) = (&figure.what, figure.measured.value());
        let Some(had) = budget.figures.get(what) else {
            over.push(format!("{what}: {measured:.2}, and the budget has nothing for it."));
            continue;
        };
        let most = had * headroom;
        let fits = measured <= most;
        if !fits && budget.compares(figure, architecture) {
            over.push(format!("{what}: {measured:.3}; it was {had:.3}, and a build fails above {most:.3}."));
        }
    }
    for (what, asked) in &figures.requests {
        let asked = asked.to_string();
        let had = budget.requests.get(what).map_or("nothing", String::as_str);
        if asked != had {
            over.push(format!("{what} asks for {asked}; it was {had}."));
        }
    }
    let measured = |what: &&String| figures.targets.iter().any(|figure| figure.what == **what);
    let unmeasured = budget.figures.keys().filter(|what| !measured(what));
    let unasked = budget.requests.keys().filter(|what| !figures.requests.contains_key(*what));
    over.extend(
        unmeasured.chain(unasked).map(|what| format!("{what}: the budget has it, and it was not measured.")),
    );
    over
}

/// How much is not held to the budget on this architecture, and why.
fn not_compared(figures: &Figures, budget: &Budget, architecture: &str) -> Option<String> {
    let count = figures
        .targets
        .iter()
        .filter(|figure| figure.headroom.is_some() && !budget.compares(figure, architecture))
        .count();
    (count > 0).then(|| {
        format!(
            "Not compared: {count} of {} figures (sizes, starts, memory), as the budget is of {} and this is \
             {architecture}.",
            figures.targets.len(),
            budget.architecture
        )
    })
}

/// What may be the cause: the crates that changed since the budget was made, and the commits that touched what failed.
fn since(over: &[String], git: impl Fn(&[&str]) -> Option<String>) -> Option<String> {
    if git(&["rev-parse", "--is-shallow-repository"])?.trim() == "true" {
        return Some(
            "Its history is not here, as this clone is shallow: after `git fetch --unshallow` the next run says what \
             changed."
                .to_owned(),
        );
    }
    let made = git(&["log", "-1", "--format=%h", "--", FILE])?;
    let made = Some(made.trim()).filter(|made| !made.is_empty())?;
    let functions: BTreeSet<&str> =
        over.iter().filter_map(|line| line.split([':', ',', ' ']).next()).collect();
    let paths: Vec<String> = functions.iter().map(|function| format!("functions/{function}")).collect();
    let range = format!("{made}..");
    let watched: Vec<&str> = SHARED.into_iter().chain(paths.iter().map(String::as_str)).collect();
    let commits = git(&[&["log", "--format=  %h %s", &range, "--"], watched.as_slice()].concat())?;
    let lock = git(&["diff", made, "--unified=1", "--", "Cargo.lock"])?;
    let unsaved = git(&[&["status", "--short", "--"], watched.as_slice()].concat())?;
    let changes = [
        ("crates", changed_crates(&lock)),
        ("commits", commits.trim_end().to_owned()),
        ("not committed", unsaved.trim_end().to_owned()),
    ]
    .map(
        |(what, lines)| if lines.is_empty() { format!("{what}: none") } else { format!("{what}:\n{lines}") },
    );
    let changes = changes.join("\n");
    Some(format!(
        "The budget is of commit {made}. Since then:\n{changes}\nWho needs a crate: `cargo tree --invert <crate>`."
    ))
}

/// The crates of a change of the lock file, each with what became of it.
fn changed_crates(diff: &str) -> String {
    let mut name = "";
    let mut lines = Vec::new();
    for line in diff.lines() {
        let value = |field: &str| line.get(1..)?.strip_prefix(field)?.strip_suffix('"');
        if let Some(of) = value("name = \"") {
            name = of;
        } else if let (Some(version), true) = (value("version = \""), line.starts_with(['+', '-'])) {
            lines.push(format!("  {} {name} {version}", &line[..1]));
        }
    }
    lines.join("\n")
}

fn git(arguments: &[&str]) -> Option<String> {
    said("git", arguments)
}

/// `rustc 1.95.0`.
fn compiler() -> Option<String> {
    let version = said("rustc", &["--version"])?;
    Some(version.split(" (").next()?.trim().to_owned())
}

fn said(program: &str, arguments: &[&str]) -> Option<String> {
    let done = Command::new(program).current_dir(root()).args(arguments).output().ok()?;
    let text = String::from_utf8(done.stdout).ok()?;
    done.status.success().then_some(text)
}

/// Three digits behind the point are more than a figure is good for.
fn rounded(figure: f64) -> f64 {
    (figure * 1000.0).round() / 1000.0
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;
    use crate::figures::Requests;

    fn budget() -> Budget {
        Budget {
            architecture: "x86_64".to_owned(),
            compiler: "rustc 1.95.0".to_owned(),
            figures: BTreeMap::from([("webhook: zip, MB".to_owned(), 3.0), ("sync: writes".to_owned(), 2.0)]),
            requests: BTreeMap::from([("webhook".to_owned(), "1 SendMessage".to_owned())]),
        }
    }

    fn figures(zip: f64, writes: f64, requests: usize) -> Figures {
        let mut figures = Figures::default();
        figures.hold("webhook: zip, MB", zip, 2.0, 1.02);
        figures.hold("sync: writes", writes, 2.0, 1.0);
        figures.time("webhook: CPU, ms", 9.0, 0.3);
        let requests = BTreeMap::from([("SendMessage".to_owned(), requests)]);
        figures.count("webhook".to_owned(), Requests::new(requests, 1));
        figures
    }

    #[test]
    fn what_is_within_its_headroom_passes_though_it_misses_its_target() {
        assert!(over(&figures(3.05, 2.0, 1), &budget(), "x86_64").is_empty());
        assert!(over(&figures(2.5, 1.0, 1), &budget(), "x86_64").is_empty());
    }

    #[test]
    fn no_build_is_held_to_milliseconds() {
        let figures = figures(3.0, 2.0, 1);
        assert!(figures.targets.iter().any(|figure| figure.what.ends_with(", ms") && !figure.is_met()));
        assert!(over(&figures, &budget(), "x86_64").is_empty());
        assert!(
            Budget::of(&figures, String::new()).unwrap().figures.keys().all(|what| !what.ends_with(", ms"))
        );
    }

    #[test]
    fn what_is_above_it_is_named_with_what_it_was() {
        let over = over(&figures(3.2, 2.0, 1), &budget(), "x86_64");
        assert_eq!(over, ["webhook: zip, MB: 3.200; it was 3.000, and a build fails above 3.060."]);
    }

    #[test]
    fn one_request_more_or_less_fails_everywhere() {
        for architecture in ["x86_64", "aarch64"] {
            assert_eq!(
                over(&figures(9.0, 3.0, 1), &budget(), architecture).last().unwrap().split(':').next(),
                Some("sync")
            );
            let over = over(&figures(3.0, 2.0, 2), &budget(), architecture);
            assert_eq!(over, ["webhook asks for 2 SendMessage; it was 1 SendMessage."]);
        }
    }

    #[test]
    fn sizes_and_starts_are_compared_on_the_same_architecture_only() {
        assert!(over(&figures(9.0, 2.0, 1), &budget(), "aarch64").is_empty());
    }

    #[test]
    fn what_is_not_compared_is_said_with_its_reason() {
        let figures = figures(9.0, 2.0, 1);
        assert_eq!(not_compared(&figures, &budget(), "x86_64"), None);
        assert_eq!(
            not_compared(&figures, &budget(), "aarch64").unwrap(),
            "Not compared: 1 of 3 figures (sizes, starts, memory), as the budget is of x86_64 and this is aarch64."
        );
    }

    #[test]
    fn a_shallow_clone_is_not_asked_for_its_history() {
        let git = |arguments: &[&str]| {
            let answer = if arguments.contains(&"--is-shallow-repository") { "true\n" } else { "5e0829f" };
            Some(answer.to_owned())
        };
        let since = since(&["webhook asks for more.".to_owned()], git).unwrap();
        assert!(since.contains("shallow") && since.contains("git fetch --unshallow"), "{since}");
        assert!(!since.contains("commits:"), "{since}");
    }

    #[test]
    fn what_may_be_the_cause_is_looked_for_in_the_function_that_failed() {
        let asked = RefCell::new(String::new());
        let git = |arguments: &[&str]| {
            asked.borrow_mut().push_str(&arguments.join(" "));
            Some(if arguments[0] == "rev-parse" { "false\n" } else { "5e0829f\n" }.to_owned())
        };
        for failed in ["sweep: zip, MB: 9.", "sweep asks for 8 Query.", "sweep, in a storm asks for 8 Query."]
        {
            asked.take();
            since(&[failed.to_owned()], git).unwrap();
            assert!(asked.borrow().contains(" functions/sweep"), "{}", asked.borrow());
            assert!(!asked.borrow().contains("functions/sweep,"), "{}", asked.borrow());
        }
    }

    #[test]
    fn what_is_no_figure_is_not_recorded() {
        let record =
            |zip| Budget::of(&figures(zip, 2.0, 1), String::new()).err().map(|error| error.to_string());
        assert_eq!(record(3.0), None);
        for unfit in [f64::NAN, f64::INFINITY, -0.1] {
            let error = record(unfit).unwrap();
            assert!(error.contains("webhook: zip, MB") && !error.contains("sync: writes"), "{error}");
        }
    }

    #[test]
    fn a_figure_that_the_budget_does_not_know_fails() {
        let mut new = figures(3.0, 2.0, 1);
        new.hold("sync: reads", 1.0, 1.0, 1.0);
        assert_eq!(
            over(&new, &budget(), "x86_64"),
            ["sync: reads: 1.00, and the budget has nothing for it."]
        );
    }

    #[test]
    fn what_the_budget_knows_and_nobody_measures_any_more_fails() {
        let over = over(&Figures::default(), &budget(), "aarch64");
        assert_eq!(over.len(), 3, "{over:?}");
        assert!(over.iter().all(|line| line.ends_with("it was not measured.")), "{over:?}");
    }

    #[test]
    fn what_is_no_number_fails() {
        assert_eq!(over(&figures(f64::NAN, 2.0, 1), &budget(), "x86_64").len(), 1);
    }

    #[test]
    fn crates_that_came_went_or_changed_are_listed() {
        let diff = "\
@@ -10,3 +10,3 @@
 name = \"ring\"
-version = \"0.17.13\"
+version = \"0.17.14\"
@@ -20,2 +20,7 @@
+[[package]]
+name = \"openssl\"
+version = \"0.10.1\"
+
+dependencies = [
";
        assert_eq!(changed_crates(diff), "  - ring 0.17.13\n  + ring 0.17.14\n  + openssl 0.10.1");
    }
}
