//! Faults that a test asks for: answers that Salesforce gives on a bad day, lost connections, delays, refused records.

use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{people::PersonAction, requests::RouteKind};

mod answer;
mod record;

pub use self::answer::Preset;
pub use self::record::{Operation, RecordFault, WriteFault, WriteKind};
pub(crate) use self::{answer::Answer, record::RecordFaults};

/// A fault for the requests of a route.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Fault {
    /// Which requests it strikes.
    pub route: Target,
    /// The number of the org whose requests it strikes, by their sessions; `None`: those of all, and those without one.
    #[serde(default)]
    pub org: Option<usize>,
    /// How many of them; `None`: every one.
    #[serde(default = "once")]
    pub times: Option<u32>,
    /// How many pass before the first is struck.
    #[serde(default)]
    pub skip: u32,
    /// How likely each of them is struck, `0.0..=1.0`.
    #[serde(default = "certain")]
    pub probability: f64,
    /// Where the chances start: the same seed strikes the same requests.
    #[serde(default)]
    pub seed: u64,
    /// What happens.
    pub effect: Effect,
}

#[allow(clippy::unnecessary_wraps)] // serde wants the field's own type.
pub(crate) fn once() -> Option<u32> {
    Some(1)
}

fn certain() -> f64 {
    1.0
}

impl Fault {
    /// A fault for the next request of `route`.
    pub fn once(route: impl Into<Target>, effect: impl Into<Effect>) -> Self {
        Self {
            route: route.into(),
            org: None,
            times: once(),
            skip: 0,
            probability: certain(),
            seed: 0,
            effect: effect.into(),
        }
    }

    /// A fault for every request of `route`, until [`crate::Simulator::clear_faults`].
    pub fn every(route: impl Into<Target>, effect: impl Into<Effect>) -> Self {
        Self { times: None, ..Self::once(route, effect) }
    }

    /// The same fault, `times` times.
    #[must_use]
    pub fn times(self, times: u32) -> Self {
        Self { times: Some(times), ..self }
    }

    /// The same fault, for the requests of one org.
    #[must_use]
    pub fn of_org(self, org: usize) -> Self {
        Self { org: Some(org), ..self }
    }

    /// The same fault, after `skip` requests that pass.
    #[must_use]
    pub fn after(self, skip: u32) -> Self {
        Self { skip, ..self }
    }

    /// The same fault, striking by chance.
    #[must_use]
    pub fn with_probability(self, probability: f64, seed: u64) -> Self {
        Self { probability, seed, ..self }
    }
}

/// The requests that a fault is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Target {
    /// All of them, but not those of control and page.
    Any,
    /// Everything that needs a session of the REST API.
    Data,
    /// Those of one kind.
    #[serde(untagged)]
    Route(RouteKind),
}

impl From<RouteKind> for Target {
    fn from(kind: RouteKind) -> Self {
        Self::Route(kind)
    }
}

impl Target {
    fn hits(self, kind: RouteKind) -> bool {
        match self {
            Self::Any => kind.is_salesforce(),
            Self::Data => kind.is_data(),
            Self::Route(route) => route == kind,
        }
    }
}

/// What a fault does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", tag = "kind", deny_unknown_fields)]
pub enum Effect {
    /// Nothing is done, and this is answered.
    Answer {
        /// The HTTP status.
        status: u16,
        /// The body: text as it stands, anything else as JSON.
        #[serde(default)]
        body: Value,
        /// `Content-Type`; default: JSON, or `text/plain` for text.
        #[serde(default)]
        content_type: Option<String>,
        /// More headers: `Location`.
        #[serde(default, deserialize_with = "answer::headers")]
        headers: BTreeMap<String, String>,
    },
    /// Nothing is done, and one of Salesforce's known answers is given.
    Preset {
        /// Which.
        name: Preset,
    },
    /// The request is done, and yet this is answered.
    AnswerAfter {
        /// The HTTP status.
        status: u16,
        /// The body: text as it stands, anything else as JSON.
        #[serde(default)]
        body: Value,
        /// More headers: `Location`, `Content-Type`.
        #[serde(default, deserialize_with = "answer::headers")]
        headers: BTreeMap<String, String>,
    },
    /// Nothing is done, and the connection ends without an answer.
    DropBefore,
    /// The request is done, and the connection ends without an answer.
    DropAfter,
    /// The request waits, in real time, and then goes on.
    Delay {
        /// How long.
        milliseconds: u64,
    },
    /// A person acts in the org, and the request goes on.
    Person {
        /// Just before the request is done; otherwise just after.
        #[serde(default = "yes")]
        before: bool,
        /// What the person does.
        action: PersonAction,
    },
}

fn yes() -> bool {
    true
}

/// What is to be done with one request.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Plan {
    pub(crate) delay: Duration,
    /// The number of the request's org.
    pub(crate) org: Option<usize>,
    /// What people do just before it is done, and just after.
    pub(crate) before: Vec<PersonAction>,
    pub(crate) after: Vec<PersonAction>,
    pub(crate) end: End,
}

/// How a request ends.
#[derive(Debug, Default, PartialEq)]
pub(crate) enum End {
    /// As it should.
    #[default]
    Normal,
    /// With this answer and nothing done.
    Answer(Answer),
    /// Done, and with this answer.
    AnswerAfter(Answer),
    /// Not done, without an answer.
    DropBefore,
    /// Done, without an answer.
    DropAfter,
}

/// The faults that are set.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    active: Vec<(Fault, Chance)>,
}

impl Faults {
    pub(crate) fn add(&mut self, fault: Fault) {
        let chance = Chance(fault.seed);
        self.active.push((fault, chance));
    }

    pub(crate) fn clear(&mut self) {
        self.active.clear();
    }

    pub(crate) fn list(&self) -> Vec<&Fault> {
        self.active.iter().map(|(fault, _)| fault).collect()
    }

    /// What the set faults do to a request of an org: all delays and people, and the first of the other effects.
    pub(crate) fn plan(&mut self, kind: RouteKind, org: Option<usize>) -> Plan {
        let mut plan = Plan { org, ..Plan::default() };
        for (fault, chance) in &mut self.active {
            let goes_along = matches!(fault.effect, Effect::Delay { .. } | Effect::Person { .. });
            let is_meant = fault.route.hits(kind) && (fault.org.is_none() || fault.org == org);
            if !is_meant || (plan.end != End::Normal && !goes_along) {
                continue;
            }
            if strikes(fault, chance) {
                match &fault.effect {
                    Effect::Delay { milliseconds } => plan.delay += Duration::from_millis(*milliseconds),
                    Effect::Person { before: true, action } => plan.before.push(action.clone()),
                    Effect::Person { before: false, action } => plan.after.push(action.clone()),
                    effect => plan.end = effect.end(),
                }
            }
        }
        self.active.retain(|(fault, _)| fault.times != Some(0));
        plan
    }
}

fn strikes(fault: &mut Fault, chance: &mut Chance) -> bool {
    if fault.skip > 0 {
        fault.skip -= 1;
        return false;
    }
    if chance.next() >= fault.probability {
        return false;
    }
    if let Some(times) = &mut fault.times {
        *times = times.saturating_sub(1);
    }
    true
}

impl Effect {
    fn end(&self) -> End {
        match self {
            Self::Answer { status, body, content_type, headers } => {
                End::Answer(Answer::new(*status, body, content_type.clone()).with(headers))
            }
            Self::Preset { name } => End::Answer(name.answer()),
            Self::AnswerAfter { status, body, headers } => {
                End::AnswerAfter(Answer::new(*status, body, None).with(headers))
            }
            Self::DropBefore => End::DropBefore,
            Self::DropAfter => End::DropAfter,
            Self::Delay { .. } | Self::Person { .. } => End::Normal,
        }
    }
}

/// A row of chances that is the same for the same seed (`SplitMix64`).
#[derive(Debug)]
struct Chance(u64);

impl Chance {
    #[allow(clippy::cast_precision_loss)] // 53 bits fit a double.
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^= bits >> 31;
        (bits >> 11) as f64 / (1_u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_fault_strikes_as_often_as_asked_and_then_is_gone() {
        let mut faults = Faults::default();
        faults.add(Fault::once(RouteKind::Search, Preset::ServerUnavailable).times(2).after(1));
        let struck: Vec<bool> =
            (0..5).map(|_| faults.plan(RouteKind::Search, None).end != End::Normal).collect();
        assert_eq!(struck, [false, true, true, false, false]);
        assert!(faults.list().is_empty());
    }

    #[test]
    fn a_fault_leaves_other_routes_alone() {
        let mut faults = Faults::default();
        faults.add(Fault::every(Target::Data, Effect::DropBefore));
        assert_eq!(faults.plan(RouteKind::Token, None).end, End::Normal);
        assert_eq!(faults.plan(RouteKind::Control, None).end, End::Normal);
        assert_eq!(faults.plan(RouteKind::Composite, None).end, End::DropBefore);
    }

    #[test]
    fn a_fault_of_one_org_leaves_the_others_alone() {
        let mut faults = Faults::default();
        faults.add(Fault::every(Target::Data, Effect::DropBefore).of_org(2));
        let struck =
            [Some(1), Some(2), None].map(|org| faults.plan(RouteKind::Search, org).end != End::Normal);
        assert_eq!(struck, [false, true, false]);
    }

    #[test]
    fn delays_add_up_and_go_with_another_effect() {
        let mut faults = Faults::default();
        faults.add(Fault::every(Target::Any, Effect::Delay { milliseconds: 20 }));
        faults.add(Fault::every(Target::Any, Effect::DropAfter));
        faults.add(Fault::every(Target::Any, Effect::Delay { milliseconds: 30 }));
        let plan = faults.plan(RouteKind::Token, None);
        assert_eq!((plan.delay, plan.end), (Duration::from_millis(50), End::DropAfter));
    }

    #[test]
    fn chances_repeat_with_their_seed() {
        let run = |seed| {
            let mut faults = Faults::default();
            faults.add(Fault::every(Target::Any, Effect::DropBefore).with_probability(0.3, seed));
            (0..200).map(|_| faults.plan(RouteKind::Query, None).end != End::Normal).collect::<Vec<_>>()
        };
        assert_eq!(run(7), run(7));
        assert_ne!(run(7), run(8));
        let struck = run(7).into_iter().filter(|struck| *struck).count();
        assert!((30..90).contains(&struck), "{struck}");
    }

    #[test]
    fn faults_are_read_from_json() {
        let read = |value| serde_json::from_value::<Fault>(value).unwrap();
        let fault = read(json!({"route": "token", "effect": {"kind": "preset", "name": "inactiveUser"}}));
        assert_eq!(fault.route, Target::Route(RouteKind::Token));
        assert_eq!(fault.times, Some(1));
        let fault =
            read(json!({"route": "data", "times": null, "effect": {"kind": "delay", "milliseconds": 5}}));
        assert_eq!((fault.route, fault.times), (Target::Data, None));
        assert!(
            serde_json::from_value::<Fault>(json!({"route": "nowhere", "effect": {"kind": "dropAfter"}}))
                .is_err()
        );
    }
}
