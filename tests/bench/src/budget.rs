//! The budget: what each figure was when it was last accepted. A build that needs more fails.

use std::{collections::BTreeMap, env::consts::ARCH, fs, process::Command};

use serde::{Deserialize, Serialize};

use crate::{Failure, figures::Figures, say};

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/budget.json");

/// The accepted figures.
#[derive(Serialize, Deserialize)]
pub(crate) struct Budget {
    /// Sizes and starts are compared on this architecture only, requests on any.
    architecture: String,
    compiler: String,
    figures: BTreeMap<String, f64>,
    requests: BTreeMap<String, String>,
}

pub(crate) fn read() -> Result<Budget, Failure> {
    Ok(serde_json::from_str(&fs::read_to_string(FILE)?)?)
}

/// Makes these figures the budget.
pub(crate) fn record(figures: &Figures) -> Result<(), Failure> {
    let compiler = String::from_utf8(Command::new("rustc").arg("--version").output()?.stdout)?;
    let budget = Budget::of(figures, compiler.split(" (").next().unwrap_or_default())?;
    Ok(fs::write(FILE, serde_json::to_string_pretty(&budget)? + "\n")?)
}

impl Budget {
    fn of(figures: &Figures, compiler: &str) -> Result<Self, Failure> {
        if let Some((name, _)) = figures.figures.iter().find(|(_, figure)| !figure.value().is_finite()) {
            return Err(format!("{name} is not a number, so there is no new budget").into());
        }
        let rounded = |value: f64| (value * 1000.0).round() / 1000.0;
        Ok(Self {
            architecture: ARCH.to_owned(),
            compiler: compiler.to_owned(),
            figures: figures.figures.iter().map(|(name, one)| (name.clone(), rounded(one.value()))).collect(),
            requests: figures.requests.iter().map(|(name, one)| (name.clone(), one.to_string())).collect(),
        })
    }

    /// One line for each figure that exceeds the budget, or that only one of the two has.
    fn exceeded_by(&self, figures: &Figures, architecture: &str) -> Vec<String> {
        let mut lines = Vec::new();
        for (name, figure) in &figures.figures {
            let measured = figure.value();
            match self.figures.get(name).map(|budget| (budget, budget * figure.headroom)) {
                None => lines.push(format!("{name}: {measured:.3}, and the budget has no such figure.")),
                Some((_, most)) if measured <= most || self.architecture != architecture => {}
                Some((budget, most)) => lines.push(format!(
                    "{name}: {measured:.3}; it was {budget:.3}, and a build fails above {most:.3}."
                )),
            }
        }
        for (name, requests) in &figures.requests {
            let (requests, budget) =
                (requests.to_string(), self.requests.get(name).map_or("unknown", String::as_str));
            if requests != budget {
                lines.push(format!("{name} makes the requests {requests}; they were {budget}."));
            }
        }
        let missing = self.figures.keys().filter(|name| !figures.figures.contains_key(*name));
        let missing =
            missing.chain(self.requests.keys().filter(|name| !figures.requests.contains_key(*name)));
        lines.extend(missing.map(|name| format!("{name}: in the budget, but not measured.")));
        lines
    }

    /// Prints what exceeds the budget; whether nothing does.
    pub(crate) fn report(&self, figures: &Figures, architecture: &str) -> bool {
        let exceeded = self.exceeded_by(figures, architecture);
        for line in &exceeded {
            say(line);
        }
        if self.architecture != architecture {
            say(&format!(
                "Only requests were compared: the budget is for {}, this is {architecture}.",
                self.architecture
            ));
        }
        if exceeded.is_empty() {
            say("Everything compared is within the budget.");
        } else {
            say(&format!(
                "The budget was measured with {}; `git log -- tests/bench/budget.json` says when. If the change is \
                 worth it: `make bench BENCH=--record`, and say in the commit what it buys.",
                self.compiler
            ));
        }
        exceeded.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figures::{Requests, SIZE};

    fn figures(zip: f64, sends: u32) -> Figures {
        let mut figures = Figures::default();
        figures.add("webhook: zip, MB", zip, 1.0, SIZE);
        let counts = BTreeMap::from([("SendMessage".to_owned(), sends)]);
        figures.requests.insert("webhook".to_owned(), Requests { counts, calls: 1 });
        figures
    }

    fn exceeded_by(figures: &Figures, architecture: &str) -> Vec<String> {
        let budget =
            Budget { architecture: "x86_64".to_owned(), ..Budget::of(&self::figures(3.0, 1), "").unwrap() };
        budget.exceeded_by(figures, architecture)
    }

    #[test]
    fn a_figure_may_use_its_headroom_and_no_more() {
        assert!(exceeded_by(&figures(3.05, 1), "x86_64").is_empty());
        assert_eq!(
            exceeded_by(&figures(3.2, 1), "x86_64"),
            ["webhook: zip, MB: 3.200; it was 3.000, and a build fails above 3.060."]
        );
        assert_eq!(exceeded_by(&figures(f64::NAN, 1), "x86_64").len(), 1);
    }

    #[test]
    fn another_architecture_is_held_to_its_requests_only() {
        assert!(exceeded_by(&figures(9.0, 1), "aarch64").is_empty());
        for architecture in ["x86_64", "aarch64"] {
            assert_eq!(
                exceeded_by(&figures(3.0, 2), architecture),
                ["webhook makes the requests 2 SendMessage; they were 1 SendMessage."]
            );
            assert_eq!(exceeded_by(&figures(3.0, 0), architecture).len(), 1);
        }
    }

    #[test]
    fn budget_and_run_have_the_same_figures() {
        let mut new = figures(3.0, 1);
        new.add("sync: zip, MB", 1.0, 1.0, SIZE);
        assert_eq!(
            exceeded_by(&new, "aarch64"),
            ["sync: zip, MB: 1.000, and the budget has no such figure."]
        );
        let missing = exceeded_by(&Figures::default(), "aarch64");
        assert_eq!(missing.len(), 2);
        assert!(missing.iter().all(|line| line.ends_with("in the budget, but not measured.")), "{missing:?}");
    }

    #[test]
    fn only_numbers_are_recorded() {
        assert!(Budget::of(&figures(f64::NAN, 1), "").is_err());
        assert!(Budget::of(&figures(f64::INFINITY, 1), "").is_err());
    }
}
