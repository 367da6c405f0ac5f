//! The tables, and the targets that the figures are held to.

use std::{collections::BTreeMap, fmt::Write as _, time::Duration};

/// A figure that has a target.
pub(crate) struct Target {
    /// What is measured.
    pub(crate) what: String,
    /// What it came to.
    pub(crate) measured: f64,
    /// What it is to be at most.
    pub(crate) limit: f64,
    /// How much more than its budget a build may have of it: 1 where nothing is left to chance.
    pub(crate) headroom: f64,
}

/// What a run has measured.
#[derive(Default)]
pub(crate) struct Figures {
    /// Those that have a target.
    pub(crate) targets: Vec<Target>,
    /// The requests that a call or a batch asks for.
    pub(crate) requests: BTreeMap<String, String>,
}

impl Figures {
    /// Notes what was measured of something that has a target.
    pub(crate) fn hold(&mut self, what: impl Into<String>, measured: f64, limit: f64, headroom: f64) {
        self.targets.push(Target { what: what.into(), measured, limit, headroom });
    }

    /// Of each figure that has a target, the lesser of this run's and another's.
    pub(crate) fn take_least(&mut self, other: Self) {
        for (figure, again) in self.targets.iter_mut().zip(other.targets) {
            figure.measured = figure.measured.min(again.measured);
        }
    }

    /// Notes what a call or a batch asks others for.
    pub(crate) fn count(&mut self, what: String, counts: &BTreeMap<String, f64>) {
        self.requests.insert(what, requests(counts));
    }
}

impl Target {
    pub(crate) fn is_met(&self) -> bool {
        self.measured <= self.limit
    }
}

/// The value that this part of them does not exceed: 0.5 gives the median.
pub(crate) fn quantile(values: &[Duration], part: f64) -> Duration {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "an index"
    )]
    let index = (part * (sorted.len().max(1) - 1) as f64).round() as usize;
    sorted.get(index).copied().unwrap_or_default()
}

pub(crate) fn median(values: &[Duration]) -> Duration {
    quantile(values, 0.5)
}

/// Milliseconds.
pub(crate) fn ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}

/// Millions of bytes.
pub(crate) fn mb(bytes: u64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "bytes of a file")]
    let bytes = bytes as f64;
    bytes / 1e6
}

/// A table in Markdown.
pub(crate) struct Table {
    text: String,
}

impl Table {
    pub(crate) fn new(title: &str, columns: &[&str]) -> Self {
        let mut text = format!("\n{title}\n\n");
        writeln!(text, "| {} |\n|{}", columns.join(" | "), "---|".repeat(columns.len())).ok();
        Self { text }
    }

    pub(crate) fn row(&mut self, cells: &[String]) {
        writeln!(self.text, "| {} |", cells.join(" | ")).ok();
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }
}

/// `2 GetItem, 1 PutItem`.
pub(crate) fn requests(counts: &BTreeMap<String, f64>) -> String {
    let each = counts.iter().map(|(name, count)| format!("{} {name}", (count * 100.0).round() / 100.0));
    each.collect::<Vec<_>>().join(", ")
}

/// The targets, each with what it came to.
pub(crate) fn targets(targets: &[Target]) -> String {
    let mut table = Table::new("Targets", &["figure", "measured", "target", ""]);
    for target in targets {
        let verdict = if target.is_met() { "met" } else { "**missed**" };
        table.row(&[
            target.what.clone(),
            format!("{:.2}", target.measured),
            format!("≤ {}", target.limit),
            verdict.to_owned(),
        ]);
    }
    table.text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantile_is_a_value_that_was_measured() {
        let values: Vec<_> = (1..=101).rev().map(Duration::from_millis).collect();
        assert_eq!(median(&values), Duration::from_millis(51));
        assert_eq!(quantile(&values, 0.99), Duration::from_millis(100));
        assert_eq!(quantile(&values, 1.0), Duration::from_millis(101));
        assert_eq!(median(&[]), Duration::ZERO);
    }

    #[test]
    fn of_two_runs_the_lesser_figures_stand() {
        let figures = |one, other| {
            let mut figures = Figures::default();
            figures.hold("one", one, 1.0, 1.0);
            figures.hold("other", other, 1.0, 1.0);
            figures
        };
        let mut least = figures(2.0, 3.0);
        least.take_least(figures(4.0, 1.0));
        assert_eq!(least.targets.iter().map(|figure| figure.measured).collect::<Vec<_>>(), [2.0, 1.0]);
    }

    #[test]
    fn a_target_is_met_without_headroom() {
        let target = |measured| Target { what: String::new(), measured, limit: 2.0, headroom: 1.25 };
        assert!(target(2.0).is_met() && !target(2.1).is_met());
    }
}
