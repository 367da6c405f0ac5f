//! The budget: what each figure came to when it was last accepted. A build that needs more fails, and says since when.
//!
//! Targets are what we want; the budget is what we have. So a figure that misses its target still cannot get worse, and one
//! that is far below its target is not lost unseen.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::PathBuf,
    process::Command,
};

use serde::{Deserialize, Serialize};

use crate::{Failure, report::Figures, say};

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

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Makes what was measured the budget.
pub(crate) fn record(figures: &Figures) -> Result<(), Failure> {
    let budget = Budget {
        architecture: std::env::consts::ARCH.to_owned(),
        compiler: compiler().ok_or("rustc does not say its version")?,
        figures: figures
            .targets
            .iter()
            .map(|figure| (figure.what.clone(), rounded(figure.measured)))
            .collect(),
        requests: figures.requests.clone(),
    };
    Ok(fs::write(root().join(FILE), serde_json::to_string_pretty(&budget)? + "\n")?)
}

fn read() -> Result<Budget, Failure> {
    Ok(serde_json::from_str(&fs::read_to_string(root().join(FILE))?)?)
}

/// Whether all figures are within the budget.
pub(crate) fn is_kept(figures: &Figures) -> Result<bool, Failure> {
    Ok(over(figures, &read()?, std::env::consts::ARCH).is_empty())
}

/// Whether all figures are within the budget; says which are not, and what has changed since it was made.
pub(crate) fn hold(figures: &Figures) -> Result<bool, Failure> {
    let budget = read()?;
    let over = over(figures, &budget, std::env::consts::ARCH);
    for line in &over {
        say(line);
    }
    if over.is_empty() {
        say("All figures are within the budget.");
    } else {
        say(&since(&over)
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
    let comparable = budget.architecture == architecture;
    for figure in &figures.targets {
        let (what, measured) = (&figure.what, figure.measured);
        let Some(had) = budget.figures.get(what) else {
            over.push(format!("{what}: {measured:.2}, and the budget has nothing for it."));
            continue;
        };
        let most = had * figure.headroom;
        let fits = measured <= most;
        if !fits && (comparable || figure.headroom <= 1.0) {
            over.push(format!("{what}: {measured:.3}; it was {had:.3}, and a build fails above {most:.3}."));
        }
    }
    for (what, asked) in &figures.requests {
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

/// What may be the cause: the crates that changed since the budget was made, and the commits that touched what failed.
fn since(over: &[String]) -> Option<String> {
    let made = git(&["log", "-1", "--format=%h", "--", FILE])?;
    let made = Some(made.trim()).filter(|made| !made.is_empty())?;
    let functions: BTreeSet<&str> = over.iter().filter_map(|line| line.split([':', ' ']).next()).collect();
    let paths: Vec<String> = functions.iter().map(|function| format!("functions/{function}")).collect();
    let range = format!("{made}..");
    let mut arguments = vec!["log", "--format=  %h %s", &range, "--", "Cargo.lock", "Cargo.toml", "shared"];
    arguments.extend(paths.iter().map(String::as_str));
    let commits = git(&arguments)?;
    let lock = git(&["diff", made, "--unified=1", "--", "Cargo.lock"])?;
    let unsaved = git(&["status", "--short", "--", "Cargo.lock", "Cargo.toml", "shared", "functions"])?;
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
    use super::*;

    fn budget() -> Budget {
        Budget {
            architecture: "x86_64".to_owned(),
            compiler: "rustc 1.95.0".to_owned(),
            figures: BTreeMap::from([("webhook: zip, MB".to_owned(), 3.0), ("sync: writes".to_owned(), 2.0)]),
            requests: BTreeMap::from([("webhook".to_owned(), "1 SendMessage".to_owned())]),
        }
    }

    fn figures(zip: f64, writes: f64, requests: f64) -> Figures {
        let mut figures = Figures::default();
        figures.hold("webhook: zip, MB", zip, 2.0, 1.02);
        figures.hold("sync: writes", writes, 2.0, 1.0);
        figures.count("webhook".to_owned(), &BTreeMap::from([("SendMessage".to_owned(), requests)]));
        figures
    }

    #[test]
    fn what_is_within_its_headroom_passes_though_it_misses_its_target() {
        assert!(over(&figures(3.05, 2.0, 1.0), &budget(), "x86_64").is_empty());
        assert!(over(&figures(2.5, 1.0, 1.0), &budget(), "x86_64").is_empty());
    }

    #[test]
    fn what_is_above_it_is_named_with_what_it_was() {
        let over = over(&figures(3.2, 2.0, 1.0), &budget(), "x86_64");
        assert_eq!(over, ["webhook: zip, MB: 3.200; it was 3.000, and a build fails above 3.060."]);
    }

    #[test]
    fn one_request_more_or_less_fails_everywhere() {
        for architecture in ["x86_64", "aarch64"] {
            assert_eq!(
                over(&figures(9.0, 3.0, 1.0), &budget(), architecture).last().unwrap().split(':').next(),
                Some("sync")
            );
            let over = over(&figures(3.0, 2.0, 2.0), &budget(), architecture);
            assert_eq!(over, ["webhook asks for 2 SendMessage; it was 1 SendMessage."]);
        }
    }

    #[test]
    fn sizes_and_starts_are_compared_on_the_same_architecture_only() {
        assert!(over(&figures(9.0, 2.0, 1.0), &budget(), "aarch64").is_empty());
    }

    #[test]
    fn a_figure_that_the_budget_does_not_know_fails() {
        let mut new = figures(3.0, 2.0, 1.0);
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
        assert_eq!(over(&figures(f64::NAN, 2.0, 1.0), &budget(), "x86_64").len(), 1);
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
