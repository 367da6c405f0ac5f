//! The choice: the record of a call, and how it was decided.

use calls::ids::SalesforceId;

use crate::{
    matching::{Decision, NUMBER_NOT_READ, Rule},
    records::Record,
};

/// How many records a look covers at most.
const PLACES: usize = 50;

/// The record of a call, and why it was chosen.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Choice {
    /// The record; `None`: none, or none yet.
    pub record: Option<Record>,
    /// Candidates and rule; `None` if nothing was decided.
    pub decision: Option<Decision>,
}

impl Choice {
    pub(super) fn decided(decision: Decision) -> Self {
        Self { record: decision.chosen.clone(), decision: Some(decision) }
    }

    /// Whether this record is the choice.
    pub fn is(&self, id: &SalesforceId) -> bool {
        self.record.as_ref().is_some_and(|record| record.id == *id)
    }

    /// Replaces the record that the search chose, and says why.
    pub fn choose(&mut self, rule: Rule, record: Option<Record>) {
        self.record.clone_from(&record);
        self.decision.get_or_insert_default().choose(rule, record);
    }

    /// Keeps the record that an activity of the call is on: an earlier attempt chose it, or a person moved
    /// the activity there.
    pub fn stays_on(&mut self, who_id: &SalesforceId) {
        let record = Record::of(who_id);
        if record != self.record {
            self.choose(Rule::Earlier, record);
        }
    }

    /// The records that a call may have been logged on, the most likely first.
    pub fn places(&self, earlier: Option<&Record>) -> Vec<SalesforceId> {
        let chosen = earlier.into_iter().chain(&self.record).map(|record| &record.id);
        let candidates = self.decision.iter().flat_map(|decision| &decision.candidates);
        let mut places: Vec<SalesforceId> = Vec::new();
        for id in chosen.chain(candidates.map(|candidate| &candidate.id)) {
            if !places.contains(id) {
                places.push(id.clone());
            }
        }
        places.truncate(PLACES);
        places
    }

    /// How many records may be the caller's although Ringlog cannot read the number there.
    pub(super) fn possible_matches(&self) -> usize {
        let turned_down = self.decision.iter().flat_map(|decision| &decision.turned_down);
        turned_down.filter(|record| record.why == NUMBER_NOT_READ).count()
    }
}
