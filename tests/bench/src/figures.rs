//! The figures of a run, and the least of several runs.

use std::{collections::BTreeMap, fmt};

/// How much more than in the budget a figure may be before a build fails: a start, on a machine that others use too: less
/// than a client costs that is made too early; memory; a size, by a compiler's patch release; and what is the same each time.
pub(crate) const START: f64 = 1.07;
pub(crate) const MEMORY: f64 = 1.1;
pub(crate) const SIZE: f64 = 1.02;
pub(crate) const EXACT: f64 = 1.0;

/// What was measured, and the floor that it is seen beside.
///
/// They are kept apart, because what else a machine does adds to either: over several runs the least of each counts, while
/// the least of their ratios would be that of the most disturbed floor.
#[derive(Clone, Copy)]
pub(crate) struct Measured {
    of: f64,
    floor: f64,
    beside: fn(f64, f64) -> f64,
}

impl Measured {
    /// As a multiple of the floor.
    pub(crate) fn times(of: f64, floor: f64) -> Self {
        Self { of, floor, beside: |of, floor| of / floor }
    }

    /// As what is above the floor.
    pub(crate) fn above(of: f64, floor: f64) -> Self {
        Self { of, floor, beside: |of, floor| of - floor }
    }

    pub(crate) fn value(&self) -> f64 {
        (self.beside)(self.of, self.floor)
    }

    fn take_least(&mut self, again: &Self) {
        self.of = self.of.min(again.of);
        self.floor = self.floor.min(again.floor);
    }
}

impl From<f64> for Measured {
    /// What has no floor.
    fn from(of: f64) -> Self {
        Self::above(of, 0.0)
    }
}

/// A figure that has a target.
pub(crate) struct Target {
    /// What is measured.
    pub(crate) what: String,
    /// What it came to.
    pub(crate) measured: Measured,
    /// What it is to be at most.
    pub(crate) limit: f64,
    /// How much more than its budget a build may have of it: 1 where nothing is left to chance. `None`: no build is held to
    /// it. Milliseconds say more of the machine than of the build: within ten minutes the same hello world took 0.13 ms and
    /// 0.20 ms.
    pub(crate) headroom: Option<f64>,
}

impl Target {
    pub(crate) fn is_met(&self) -> bool {
        self.measured.value() <= self.limit
    }

    /// Whether it is the same each time, on every machine.
    pub(crate) fn is_exact(&self) -> bool {
        self.headroom.is_some_and(|headroom| headroom <= EXACT)
    }
}

/// What some calls, or batches, asked others for.
///
/// These are counted, not averaged: a request too many in one of 500 calls is seen.
pub(crate) struct Requests {
    /// By operation, those of all calls together.
    counts: BTreeMap<String, usize>,
    calls: u32,
}

impl Requests {
    pub(crate) fn new(counts: BTreeMap<String, usize>, calls: u32) -> Self {
        Self { counts, calls }
    }

    /// How many a call makes to these operations.
    pub(crate) fn of_a_call(&self, is_meant: impl Fn(&str) -> bool) -> f64 {
        let meant = self.counts.iter().filter(|(operation, _)| is_meant(operation));
        self.for_each_call(meant.map(|(_, count)| count).sum())
    }

    #[expect(clippy::cast_precision_loss, reason = "a few thousand requests")]
    fn for_each_call(&self, count: usize) -> f64 {
        count as f64 / f64::from(self.calls)
    }

    /// Of each operation, the lesser count of this run's and another's of as many calls: what was only tried again in one
    /// of them is in no count.
    fn take_least(&mut self, again: &Self) {
        self.counts.retain(|operation, count| {
            *count = again.counts.get(operation).map_or(0, |again| *again.min(count));
            *count > 0
        });
    }
}

impl fmt::Display for Requests {
    /// `2 GetItem, 1 PutItem`; `1.002 GetItem` if one of 500 calls made two.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let each = self
            .counts
            .iter()
            .map(|(operation, count)| format!("{} {operation}", self.for_each_call(*count)));
        formatter.write_str(&each.collect::<Vec<_>>().join(", "))
    }
}

/// What a run has measured.
#[derive(Default)]
pub(crate) struct Figures {
    /// Those that have a target.
    pub(crate) targets: Vec<Target>,
    /// The requests that a call or a batch asks for.
    pub(crate) requests: BTreeMap<String, Requests>,
}

impl Figures {
    /// Notes what was measured of something that has a target.
    pub(crate) fn hold(
        &mut self,
        what: impl Into<String>,
        measured: impl Into<Measured>,
        limit: f64,
        headroom: f64,
    ) {
        let headroom = Some(headroom);
        self.targets.push(Target { what: what.into(), measured: measured.into(), limit, headroom });
    }

    /// Notes a time, which has a target and no budget.
    pub(crate) fn time(&mut self, what: impl Into<String>, measured: impl Into<Measured>, limit: f64) {
        self.targets.push(Target { what: what.into(), measured: measured.into(), limit, headroom: None });
    }

    /// Notes what a call or a batch asks others for.
    pub(crate) fn count(&mut self, what: String, requests: Requests) {
        self.requests.insert(what, requests);
    }

    /// Of all that is measured or counted, the lesser of this run's and another's.
    pub(crate) fn take_least(&mut self, other: &Self) {
        for (figure, again) in self.targets.iter_mut().zip(&other.targets) {
            figure.measured.take_least(&again.measured);
        }
        for (requests, again) in self.requests.values_mut().zip(other.requests.values()) {
            requests.take_least(again);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn least(one: impl Into<Measured>, other: impl Into<Measured>) -> f64 {
        let [mut least, other] = [one.into(), other.into()].map(|measured| {
            let mut figures = Figures::default();
            figures.hold("it", measured, 1.0, 1.0);
            figures
        });
        least.take_least(&other);
        least.targets[0].measured.value()
    }

    fn requests<const N: usize>(counts: [(&str, usize); N]) -> Requests {
        let counts = counts.map(|(operation, count)| (operation.to_owned(), count));
        Requests::new(BTreeMap::from(counts), 500)
    }

    #[test]
    #[expect(clippy::float_cmp, reason = "whole numbers")]
    fn of_two_runs_the_lesser_figure_stands() {
        assert_eq!(least(2.0, 4.0), 2.0);
        assert_eq!(least(3.0, 1.0), 1.0);
    }

    #[test]
    #[expect(clippy::float_cmp, reason = "whole numbers")]
    fn a_disturbed_floor_makes_no_figure_less() {
        assert_eq!(least(Measured::times(6.0, 2.0), Measured::times(8.0, 8.0)), 3.0);
        assert_eq!(least(Measured::above(6.0, 2.0), Measured::above(8.0, 8.0)), 4.0);
    }

    #[test]
    fn a_request_too_many_in_one_of_many_calls_is_seen() {
        let requests = requests([("GetItem", 501), ("PutItem", 1000)]);
        assert_eq!(requests.to_string(), "1.002 GetItem, 2 PutItem");
        assert!(requests.of_a_call(|operation| operation == "GetItem") > 1.0);
    }

    #[test]
    fn what_only_one_of_two_runs_asked_for_does_not_count() {
        let figures = |requests| {
            let mut figures = Figures::default();
            figures.count("it".to_owned(), requests);
            figures
        };
        let quiet = || figures(requests([("GetItem", 500), ("Query", 505)]));
        let disturbed = || figures(requests([("GetItem", 501), ("GetSecretValue", 1), ("Query", 505)]));
        for (mut least, again) in [(quiet(), disturbed()), (disturbed(), quiet())] {
            least.take_least(&again);
            assert_eq!(least.requests["it"].to_string(), "1 GetItem, 1.01 Query");
        }
    }

    #[test]
    fn a_target_is_met_without_headroom() {
        let target = |measured: f64| Target {
            what: String::new(),
            measured: measured.into(),
            limit: 2.0,
            headroom: Some(1.25),
        };
        assert!(target(2.0).is_met() && !target(2.1).is_met());
    }
}
