//! What is said of the figures: tables, and the targets that they are held to.

use std::{fmt::Write as _, time::Duration};

use crate::figures::Target;

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

/// What half of them, nine in ten and 99 in a hundred do not exceed, as cells of milliseconds.
pub(crate) fn percentiles(values: &[Duration]) -> [String; 3] {
    [0.5, 0.9, 0.99].map(|part| format!("{:.2}", ms(quantile(values, part))))
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

/// The targets, each with what it came to.
pub(crate) fn targets(targets: &[Target]) -> String {
    let mut table = Table::new("Targets", &["figure", "measured", "target", ""]);
    for target in targets {
        let verdict = if target.is_met() { "met" } else { "**missed**" };
        table.row(&[
            target.what.clone(),
            format!("{:.2}", target.measured.value()),
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
}
