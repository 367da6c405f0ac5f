//! Faults to inject: responses that Salesforce sends on a bad day, lost connections, delays, people who interfere, refused
//! records.

use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use self::record::once;
use crate::{control::PersonAction, requests::RouteKind};

mod canned;
mod record;

pub use self::canned::Preset;
pub use self::record::{Operation, RecordFault};
pub(crate) use self::{canned::CannedResponse, record::RecordFaults};

/// A fault that strikes requests.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Fault {
    /// Which requests it strikes.
    pub route: Target,
    /// Only requests whose session belongs to the org with this number; `None`: any request.
    #[serde(default)]
    pub org: Option<usize>,
    /// How many of them; `None`: all.
    #[serde(default = "once")]
    pub times: Option<u32>,
    /// How many to let through first.
    #[serde(default)]
    pub skip: u32,
    /// The probability that it strikes a request, `0.0..=1.0`.
    #[serde(default = "certain")]
    pub probability: f64,
    /// The seed of the random numbers. The same seed strikes the same requests.
    #[serde(default)]
    pub seed: u64,
    /// What it does.
    pub effect: Effect,
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

    /// A fault for every request of `route`.
    pub fn every(route: impl Into<Target>, effect: impl Into<Effect>) -> Self {
        Self { times: None, ..Self::once(route, effect) }
    }

    /// The same fault, `times` times.
    #[must_use]
    pub fn times(self, times: u32) -> Self {
        Self { times: Some(times), ..self }
    }
}

/// The requests that a fault strikes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Target {
    /// All, except those to control routes and pages.
    Any,
    /// All that need a session of the REST API.
    Data,
    /// Those to one kind of route.
    #[serde(untagged)]
    Route(RouteKind),
}

impl From<RouteKind> for Target {
    fn from(kind: RouteKind) -> Self {
        Self::Route(kind)
    }
}

impl Target {
    fn includes(self, kind: RouteKind) -> bool {
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
    /// The request is not executed; this response is sent.
    Answer {
        /// The HTTP status.
        status: u16,
        /// The body: a string verbatim, anything else as JSON.
        #[serde(default)]
        body: Value,
        /// `Content-Type`. Defaults to JSON, or `text/plain` for a string.
        #[serde(default)]
        content_type: Option<String>,
        /// Further headers, such as `Location`.
        #[serde(default, deserialize_with = "canned::headers")]
        headers: BTreeMap<String, String>,
    },
    /// The request is not executed; one of Salesforce's known responses is sent.
    Preset {
        /// Which one.
        name: Preset,
    },
    /// The request is executed, but this response is sent.
    AnswerAfter {
        /// The HTTP status.
        status: u16,
        /// The body: a string verbatim, anything else as JSON.
        #[serde(default)]
        body: Value,
        /// Further headers, such as `Location` or `Content-Type`.
        #[serde(default, deserialize_with = "canned::headers")]
        headers: BTreeMap<String, String>,
    },
    /// The request is not executed; the connection closes without a response.
    DropBefore,
    /// The request is executed; the connection closes without a response.
    DropAfter,
    /// The request is executed after a delay in real time.
    Delay {
        /// The delay.
        milliseconds: u64,
    },
    /// The request is executed, and a person acts in the org.
    Person {
        /// Just before the request; otherwise just after.
        #[serde(default = "yes")]
        before: bool,
        /// What the person does.
        action: PersonAction,
    },
}

fn yes() -> bool {
    true
}

impl From<Preset> for Effect {
    fn from(name: Preset) -> Self {
        Self::Preset { name }
    }
}

/// What to do with one request.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Plan {
    pub(crate) delay: Duration,
    /// The number of the request's org.
    pub(crate) org: Option<usize>,
    /// What people do just before the request, and just after.
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
    /// Not executed, with this response.
    Answer(CannedResponse),
    /// Executed, with this response.
    AnswerAfter(CannedResponse),
    /// Not executed, without a response.
    DropBefore,
    /// Executed, without a response.
    DropAfter,
}

/// The active faults of requests.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    active: Vec<(Fault, fastrand::Rng)>,
}

impl Faults {
    pub(crate) fn add(&mut self, fault: Fault) {
        let random = fastrand::Rng::with_seed(fault.seed);
        self.active.push((fault, random));
    }

    pub(crate) fn clear(&mut self) {
        self.active.clear();
    }

    pub(crate) fn list(&self) -> Vec<&Fault> {
        self.active.iter().map(|(fault, _)| fault).collect()
    }

    /// What the active faults do to a request of an org: all delays and people, and the first of the other effects.
    pub(crate) fn plan(&mut self, kind: RouteKind, org: Option<usize>) -> Plan {
        let mut plan = Plan { org, ..Plan::default() };
        for (fault, random) in &mut self.active {
            let combines = matches!(fault.effect, Effect::Delay { .. } | Effect::Person { .. });
            let is_targeted = fault.route.includes(kind) && (fault.org.is_none() || fault.org == org);
            if !is_targeted || (plan.end != End::Normal && !combines) {
                continue;
            }
            if strikes(fault, random) {
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

fn strikes(fault: &mut Fault, random: &mut fastrand::Rng) -> bool {
    if fault.skip > 0 {
        fault.skip -= 1;
        return false;
    }
    if random.f64() >= fault.probability {
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
                End::Answer(CannedResponse::new(*status, body, content_type.clone()).with_headers(headers))
            }
            Self::Preset { name } => End::Answer(name.response()),
            Self::AnswerAfter { status, body, headers } => {
                End::AnswerAfter(CannedResponse::new(*status, body, None).with_headers(headers))
            }
            Self::DropBefore => End::DropBefore,
            Self::DropAfter => End::DropAfter,
            Self::Delay { .. } | Self::Person { .. } => End::Normal,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_fault_strikes_as_often_as_set_and_is_then_removed() {
        let mut faults = Faults::default();
        faults.add(Fault { skip: 1, ..Fault::once(RouteKind::Search, Preset::ServerUnavailable).times(2) });
        let struck: Vec<bool> =
            (0..5).map(|_| faults.plan(RouteKind::Search, None).end != End::Normal).collect();
        assert_eq!(struck, [false, true, true, false, false]);
        assert!(faults.list().is_empty());
    }

    #[test]
    fn a_fault_does_not_strike_other_routes() {
        let mut faults = Faults::default();
        faults.add(Fault::every(Target::Data, Effect::DropBefore));
        assert_eq!(faults.plan(RouteKind::Token, None).end, End::Normal);
        assert_eq!(faults.plan(RouteKind::Control, None).end, End::Normal);
        assert_eq!(faults.plan(RouteKind::Composite, None).end, End::DropBefore);
    }

    #[test]
    fn a_fault_of_one_org_does_not_strike_others() {
        let mut faults = Faults::default();
        faults.add(Fault { org: Some(2), ..Fault::every(Target::Data, Effect::DropBefore) });
        let struck =
            [Some(1), Some(2), None].map(|org| faults.plan(RouteKind::Search, org).end != End::Normal);
        assert_eq!(struck, [false, true, false]);
    }

    #[test]
    fn delays_add_up_and_combine_with_another_effect() {
        let mut faults = Faults::default();
        faults.add(Fault::every(Target::Any, Effect::Delay { milliseconds: 20 }));
        faults.add(Fault::every(Target::Any, Effect::DropAfter));
        faults.add(Fault::every(Target::Any, Effect::Delay { milliseconds: 30 }));
        let plan = faults.plan(RouteKind::Token, None);
        assert_eq!((plan.delay, plan.end), (Duration::from_millis(50), End::DropAfter));
    }

    #[test]
    fn the_same_seed_strikes_the_same_requests() {
        let run = |seed| {
            let mut faults = Faults::default();
            let fault = Fault::every(Target::Any, Effect::DropBefore);
            faults.add(Fault { probability: 0.3, seed, ..fault });
            (0..200).map(|_| faults.plan(RouteKind::Query, None).end != End::Normal).collect::<Vec<_>>()
        };
        assert_eq!(run(7), run(7));
        assert_ne!(run(7), run(8));
        let struck = run(7).into_iter().filter(|struck| *struck).count();
        assert!((30..90).contains(&struck), "{struck}");
    }

    #[test]
    fn faults_are_deserialized() {
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
