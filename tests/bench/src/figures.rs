//! The figures of a run, and the lowest of several runs.

use std::{collections::BTreeMap, fmt};

/// By how much a figure may exceed the budget. Starts vary on a shared machine, by less than a client costs that is
/// created too early; sizes vary with the compiler's patch release.
pub(crate) const START: f64 = 1.07;
pub(crate) const MEMORY: f64 = 1.1;
pub(crate) const SIZE: f64 = 1.02;

/// A measured value and its floor.
///
/// The two are kept apart because the machine's other work raises either: the lowest of several *ratios* would be the
/// one with the most disturbed floor.
pub(crate) struct Figure {
    value: f64,
    floor: f64,
    /// How many times its budget it may be.
    pub(crate) headroom: f64,
}

impl Figure {
    pub(crate) fn value(&self) -> f64 {
        self.value / self.floor
    }
}

/// The requests that some calls or batches made. Counted, not averaged: one request too many in 500 calls shows.
pub(crate) struct Requests {
    /// By operation, all calls together.
    pub(crate) counts: BTreeMap<String, u32>,
    pub(crate) calls: u32,
}

impl Requests {
    /// For each operation, the lower count of two runs with as many calls: an SDK retry in one of them does not count.
    fn take_lowest(&mut self, other: &Self) {
        self.counts.retain(|operation, count| {
            *count = other.counts.get(operation).map_or(0, |other| *other.min(count));
            *count > 0
        });
    }
}

impl fmt::Display for Requests {
    /// Per call: `2 GetItem, 1 PutItem`; `1.002 GetItem` if one of 500 calls made two.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let per_call = |count: &u32| f64::from(*count) / f64::from(self.calls);
        let each: Vec<_> =
            self.counts.iter().map(|(operation, count)| format!("{} {operation}", per_call(count))).collect();
        formatter.write_str(&each.join(", "))
    }
}

/// The figures of a run that builds are held to.
#[derive(Default)]
pub(crate) struct Figures {
    pub(crate) figures: BTreeMap<String, Figure>,
    pub(crate) requests: BTreeMap<String, Requests>,
}

impl Figures {
    /// Adds a value as a multiple of a floor (1 if it has none).
    pub(crate) fn add(&mut self, name: impl Into<String>, value: f64, floor: f64, headroom: f64) {
        self.figures.insert(name.into(), Figure { value, floor, headroom });
    }

    /// Takes over what is lower in another run.
    pub(crate) fn take_lowest(&mut self, other: &Self) {
        for (figure, other) in self.figures.values_mut().zip(other.figures.values()) {
            figure.value = figure.value.min(other.value);
            figure.floor = figure.floor.min(other.floor);
        }
        for (requests, other) in self.requests.values_mut().zip(other.requests.values()) {
            requests.take_lowest(other);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lowest([one, other]: [(f64, f64); 2]) -> f64 {
        let [mut lowest, other] = [one, other].map(|(value, floor)| {
            let mut figures = Figures::default();
            figures.add("it", value, floor, START);
            figures
        });
        lowest.take_lowest(&other);
        lowest.figures["it"].value()
    }

    fn requests<const N: usize>(counts: [(&str, u32); N]) -> Figures {
        let counts = counts.map(|(operation, count)| (operation.to_owned(), count)).into();
        let requests = BTreeMap::from([("it".to_owned(), Requests { counts, calls: 500 })]);
        Figures { requests, ..Figures::default() }
    }

    #[test]
    #[expect(clippy::float_cmp, reason = "whole numbers")]
    fn the_lower_of_two_runs_counts_and_a_disturbed_floor_lowers_nothing() {
        assert_eq!(lowest([(2.0, 1.0), (4.0, 1.0)]), 2.0);
        assert_eq!(lowest([(3.0, 1.0), (1.0, 1.0)]), 1.0);
        assert_eq!(lowest([(6.0, 2.0), (8.0, 8.0)]), 3.0);
    }

    #[test]
    fn one_request_too_many_in_many_calls_shows() {
        let requests = requests([("GetItem", 501), ("PutItem", 1000)]);
        assert_eq!(requests.requests["it"].to_string(), "1.002 GetItem, 2 PutItem");
    }

    #[test]
    fn requests_that_only_one_of_two_runs_made_do_not_count() {
        let quiet = || requests([("GetItem", 500), ("Query", 505)]);
        let disturbed = || requests([("GetItem", 501), ("GetSecretValue", 1), ("Query", 505)]);
        for (mut lowest, other) in [(quiet(), disturbed()), (disturbed(), quiet())] {
            lowest.take_lowest(&other);
            assert_eq!(lowest.requests["it"].to_string(), "1 GetItem, 1.01 Query");
        }
    }
}
