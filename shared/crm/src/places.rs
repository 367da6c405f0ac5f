//! The places that one workspace takes: how many workers spend more than a moment on its calls (docs/contract.md#places).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Who takes a place of a workspace, and until when at most, Unix seconds.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Places(BTreeMap<String, i64>);

impl Places {
    /// How many are taken at `now`.
    pub fn taken(&self, now: i64) -> usize {
        self.0.values().filter(|until| **until > now).count()
    }

    /// With a place for `owner` until `until`; `None`: all of the workspace's `share` are taken.
    pub fn take(&self, owner: &str, until: i64, share: usize, now: i64) -> Option<Self> {
        (self.taken(now) < share).then(|| self.with(owner, Some(until), now))
    }

    /// Without the owner's place.
    #[must_use]
    pub fn leave(&self, owner: &str, now: i64) -> Self {
        self.with(owner, None, now)
    }

    /// Those whose time is over belong to workers that died.
    fn with(&self, owner: &str, until: Option<i64>, now: i64) -> Self {
        let others = self.0.iter().filter(|(other, until)| **until > now && *other != owner);
        let others = others.map(|(other, until)| (other.clone(), *until));
        Self(others.chain(until.map(|until| (owner.to_owned(), until))).collect())
    }

    /// Whether there is nothing to store.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// How many of all `places` one workspace may take: `percent` of them, and at least one.
pub fn share(places: usize, percent: usize) -> usize {
    (places * percent / 100).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_free_again_when_it_is_left_or_its_time_is_over() {
        let none = Places::default();
        let one = none.take("one", 1060, 2, 1000).unwrap();
        let two = one.take("two", 1070, 2, 1010).unwrap();
        assert_eq!((two.taken(1010), two.taken(1060), two.taken(1070)), (2, 1, 0));
        assert_eq!(two.take("three", 1080, 2, 1010), None);
        assert!(two.leave("one", 1020).take("three", 1080, 2, 1020).is_some());
        let later = two.take("three", 1120, 2, 1060).unwrap();
        assert_eq!(later.leave("two", 1061).leave("three", 1061), none);
    }

    #[test]
    fn a_workspace_has_a_part_of_the_places_and_at_least_one() {
        let shares = [(10, 50), (3, 50), (2, 50), (2, 10), (1000, 50), (10, 100)];
        assert_eq!(shares.map(|(places, percent)| share(places, percent)), [5, 1, 1, 1, 500, 10]);
    }
}
