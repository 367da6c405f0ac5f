//! The call: what Ringlog keeps of its end-of-call reports.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{
    appointment::{AppointmentRequest, Resolution},
    codes::reasons,
    ids::CallId,
    reason::Reason,
    time_zone::TimeZone,
};

/// A value, and the time of the report it comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fact<T> {
    /// What the report said.
    #[serde(rename = "v")]
    pub value: T,
    /// The report's `message.timestamp`, in Unix milliseconds.
    #[serde(rename = "t")]
    pub reported_at: i64,
}

/// How the agent and the other party were connected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallKind {
    /// Somebody called the agent.
    Inbound,
    /// The agent called somebody.
    Outbound,
    /// A call from a browser or app.
    Web,
}

/// The direction of a call. Settings choose by it which calls are logged, so it has no third value for web calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// To the agent.
    Inbound,
    /// From the agent.
    Outbound,
}

impl CallKind {
    /// The direction. A call from a browser or app counts as inbound.
    pub fn direction(self) -> Direction {
        match self {
            Self::Inbound | Self::Web => Direction::Inbound,
            Self::Outbound => Direction::Outbound,
        }
    }
}

/// A call. Any field except the id may be missing from a report (docs/vapi-api.md#the-report,
/// docs/vapi-api.md#duplicates-and-stubs).
///
/// Reports of one call merge field by field ([`Call::merge`]), in any order and any number of times, with the same
/// result: each field is a last-writer-wins register.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Call {
    /// Its id.
    pub id: CallId,
    /// Inbound, outbound or web.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<Fact<CallKind>>,
    /// The remote party's number as reported: E.164, national, SIP, or nonsense.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer_number: Option<Fact<String>>,
    /// A number that the caller gave during the call. It is unverified.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub given_number: Option<Fact<String>>,
    /// The id of a Lead or Contact, from the metadata that the call was started with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record_id: Option<Fact<String>>,
    /// The remote party's name, according to the platform or the agent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer_name: Option<Fact<String>>,
    /// When the call began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Fact<DateTime<Utc>>>,
    /// When the call ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Fact<DateTime<Utc>>>,
    /// The approximate time of a call that has neither: when its report was sent, or when the call was created.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub happened_at: Option<Fact<DateTime<Utc>>>,
    /// Duration in seconds, rounded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration_seconds: Option<Fact<u32>>,
    /// Why the call ended, in the platform's own words: an open set of values.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_reason: Option<Fact<String>>,
    /// Where the call was transferred to: a number or a SIP address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transferred_to: Option<Fact<String>>,
    /// A summary in a few sentences.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub summary: Option<Fact<String>>,
    /// The transcript, cut to what a Task can hold, with a mark at the cut.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transcript: Option<Fact<String>>,
    /// A permanent link to the recording, never a presigned one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recording_url: Option<Fact<String>>,
    /// What the agent noted about an appointment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub appointment: Option<Fact<AppointmentRequest>>,
}

impl Call {
    /// The direction; inbound if no report gives it.
    pub fn direction(&self) -> Direction {
        self.kind.as_ref().map_or(Direction::Inbound, |kind| kind.value.direction())
    }

    /// When the call took place: its start, or else its end, if a report gives one.
    pub fn called_at(&self) -> Option<DateTime<Utc>> {
        [&self.started_at, &self.ended_at].into_iter().flatten().map(|fact| fact.value).min()
    }

    /// A call with nothing known but its id.
    pub fn new(id: CallId) -> Self {
        Self {
            id,
            kind: None,
            customer_number: None,
            given_number: None,
            record_id: None,
            customer_name: None,
            started_at: None,
            ended_at: None,
            happened_at: None,
            duration_seconds: None,
            ended_reason: None,
            transferred_to: None,
            summary: None,
            transcript: None,
            recording_url: None,
            appointment: None,
        }
    }

    /// Resolves the appointment noted in the call, in the workspace's time zone and with its default length in minutes.
    /// "Today" is the day the call was received (`received_at`, Unix seconds), however late it is logged. An
    /// appointment in a voicemail is never booked, because nobody agreed to it.
    pub fn resolve_appointment(&self, zone: TimeZone, default_minutes: u32, received_at: i64) -> Resolution {
        let received = DateTime::from_timestamp(received_at, 0).unwrap_or_default();
        let resolution = self
            .appointment
            .as_ref()
            .map_or(Resolution::None, |request| request.value.resolve(zone, received, default_minutes));
        match resolution {
            Resolution::Booked { others, .. } if self.reached_voicemail() => {
                let code = reasons::APPOINTMENT_IN_VOICEMAIL;
                Resolution::ByHand { reason: Reason::new(code, code.means), others }
            }
            resolution => resolution,
        }
    }

    fn reached_voicemail(&self) -> bool {
        let reason = self.ended_reason.as_ref().map(|reason| reason.value.to_lowercase());
        reason.is_some_and(|reason| reason.contains("voicemail") && !reason.contains("error"))
    }

    /// Merges `other` into this call. A present value beats an absent one; of two present ones the later report's
    /// wins, and for equal times the greater value, so that the order of arrival never matters. Returns whether
    /// anything changed.
    pub fn merge(&mut self, other: &Self) -> bool {
        let mut changed = later(&mut self.kind, other.kind.as_ref());
        changed |= later(&mut self.customer_number, other.customer_number.as_ref());
        changed |= later(&mut self.given_number, other.given_number.as_ref());
        changed |= later(&mut self.record_id, other.record_id.as_ref());
        changed |= later(&mut self.customer_name, other.customer_name.as_ref());
        changed |= later(&mut self.started_at, other.started_at.as_ref());
        changed |= later(&mut self.ended_at, other.ended_at.as_ref());
        changed |= later(&mut self.happened_at, other.happened_at.as_ref());
        changed |= later(&mut self.duration_seconds, other.duration_seconds.as_ref());
        changed |= later(&mut self.ended_reason, other.ended_reason.as_ref());
        changed |= later(&mut self.transferred_to, other.transferred_to.as_ref());
        changed |= later(&mut self.summary, other.summary.as_ref());
        changed |= later(&mut self.transcript, other.transcript.as_ref());
        changed |= later(&mut self.recording_url, other.recording_url.as_ref());
        changed |= match (&mut self.appointment, &other.appointment) {
            (Some(mine), Some(theirs)) => merge_appointment(mine, theirs),
            (mine, theirs) => later(mine, theirs.as_ref()),
        };
        changed
    }
}

/// Keeps the later of two facts. Returns whether the value changed.
fn later<T: Clone + PartialOrd>(mine: &mut Option<Fact<T>>, theirs: Option<&Fact<T>>) -> bool {
    let Some(theirs) = theirs else { return false };
    let is_new = mine.as_ref().is_none_or(|mine| mine.value != theirs.value);
    let wins = mine.as_ref().is_none_or(|mine| {
        theirs.reported_at > mine.reported_at
            || (theirs.reported_at == mine.reported_at && theirs.value > mine.value)
    });
    if wins {
        *mine = Some(theirs.clone());
    }
    wins && is_new
}

/// Merges two requests field by field. The result has the later report's time; fields from the earlier one keep
/// theirs in [`AppointmentRequest::earlier`], so that a third report from in between still merges correctly.
fn merge_appointment(mine: &mut Fact<AppointmentRequest>, theirs: &Fact<AppointmentRequest>) -> bool {
    let newest = mine.reported_at.max(theirs.reported_at);
    let mut merged = Fact { value: AppointmentRequest::default(), reported_at: newest };
    macro_rules! merge_fields {
        ($($field:ident),*) => {$(
            let name = stringify!($field);
            let mut fact = mine.part(name, mine.value.$field.as_ref());
            later(&mut fact, theirs.part(name, theirs.value.$field.as_ref()).as_ref());
            if let Some(fact) = fact {
                merged.value.$field = Some(fact.value);
                if fact.reported_at < newest {
                    merged.value.earlier.insert(name.to_owned(), fact.reported_at);
                }
            }
        )*};
    }
    merge_fields!(
        intent, booked, stated, verdict, date, time, date_time, end, kind, notes, duration, time_zone,
        location, unread, others
    );
    merged.drop_outdated_others();
    let timeless =
        |request: &AppointmentRequest| AppointmentRequest { earlier: BTreeMap::new(), ..request.clone() };
    let changed = timeless(&mine.value) != timeless(&merged.value);
    *mine = merged;
    changed
}

impl Fact<AppointmentRequest> {
    /// The other appointments of a report were noted next to its own appointment. If a later report brings a new
    /// appointment, they no longer belong to it.
    fn drop_outdated_others(&mut self) {
        let at = |name: &str| self.value.earlier.get(name).copied().unwrap_or(self.reported_at);
        let when =
            [("date", &self.value.date), ("time", &self.value.time), ("date_time", &self.value.date_time)];
        let newest = when.into_iter().filter(|(_, value)| value.is_some()).map(|(name, _)| at(name)).max();
        if self.value.others.is_some() && newest.is_some_and(|newest| newest > at("others")) {
            self.value.others = None;
            self.value.earlier.remove("others");
        }
    }

    /// One field of the request, as a separate fact.
    fn part<T: Clone>(&self, name: &str, value: Option<&T>) -> Option<Fact<T>> {
        let reported_at = self.value.earlier.get(name).copied().unwrap_or(self.reported_at);
        value.cloned().map(|value| Fact { value, reported_at })
    }
}

#[cfg(test)]
mod tests {
    use proptest::{option, prelude::*};

    use super::*;

    fn fact<T>(reported_at: i64, value: T) -> Fact<T> {
        Fact { value, reported_at }
    }

    fn empty() -> Call {
        Call::new(CallId::parse("call-1").unwrap())
    }

    fn appointment(reported_at: i64, date: Option<&str>, time: Option<&str>) -> Call {
        let value = AppointmentRequest {
            date: date.map(str::to_owned),
            time: time.map(str::to_owned),
            ..AppointmentRequest::default()
        };
        Call { appointment: Some(fact(reported_at, value)), ..empty() }
    }

    #[test]
    fn a_report_with_fewer_fields_removes_nothing() {
        let full = Call { summary: Some(fact(5, "Wants an offer.".to_owned())), ..empty() };
        let mut call = full.clone();
        assert!(!call.merge(&empty()));
        assert_eq!(call, full);
        let mut thin = empty();
        assert!(thin.merge(&full));
        assert_eq!(thin, full);
    }

    #[test]
    fn the_later_report_wins() {
        let early = Call { summary: Some(fact(1, "preliminary".to_owned())), ..empty() };
        let late = Call { summary: Some(fact(2, "final".to_owned())), ..empty() };
        for (first, second, is_new) in [(&early, &late, true), (&late, &early, false)] {
            let mut call = first.clone();
            assert_eq!(call.merge(second), is_new);
            assert_eq!(call.summary.unwrap().value, "final");
        }
    }

    #[test]
    fn the_same_facts_from_a_later_report_change_nothing() {
        let mut call = Call { summary: Some(fact(1, "same".to_owned())), ..appointment(1, Some("d"), None) };
        let again = Call { summary: Some(fact(2, "same".to_owned())), ..appointment(2, Some("d"), None) };
        assert!(!call.merge(&again));
        assert_eq!(call.summary.unwrap().reported_at, 2);
    }

    #[test]
    fn an_appointment_is_merged_field_by_field() {
        let reports = [
            appointment(1, Some("2027-01-20"), None),
            appointment(3, None, Some("2 PM")),
            appointment(2, Some("2027-01-21"), Some("1 PM")),
        ];
        for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
            let mut call = empty();
            for index in order {
                call.merge(&reports[index]);
            }
            let merged = call.appointment.unwrap().value;
            assert_eq!((merged.date.as_deref(), merged.time.as_deref()), (Some("2027-01-21"), Some("2 PM")));
        }
    }

    #[test]
    fn a_later_appointment_drops_the_other_appointments_of_an_earlier_report() {
        let mut several = appointment(1, Some("2027-01-22"), Some("1 PM"));
        let other =
            AppointmentRequest { date: Some("2027-01-29".to_owned()), ..AppointmentRequest::default() };
        several.appointment.as_mut().unwrap().value.others = Some(vec![other]);
        for (later, kept) in
            [(appointment(2, Some("2027-01-25"), Some("2 PM")), false), (appointment(1, None, None), true)]
        {
            assert_eq!(merged(&several, &later), merged(&later, &several));
            assert_eq!(merged(&several, &later).appointment.unwrap().value.others.is_some(), kept);
        }
    }

    #[test]
    fn a_call_round_trips_through_the_queue() {
        let mut call = appointment(1, Some("2027-01-20"), None);
        call.merge(&appointment(2, None, Some("2 PM")));
        let json = serde_json::to_string(&call).unwrap();
        assert!(json.contains(r#""earlier":{"date":1}"#), "{json}");
        assert_eq!(serde_json::from_str::<Call>(&json).unwrap(), call);
    }

    fn any_fact<T: std::fmt::Debug + Clone + 'static>(
        value: impl Strategy<Value = T> + 'static,
    ) -> impl Strategy<Value = Option<Fact<T>>> {
        option::of((0_i64..3, value).prop_map(|(at, value)| fact(at, value)))
    }

    fn any_request() -> impl Strategy<Value = AppointmentRequest> {
        let text = || option::of("[ab]");
        let others = option::of(Just(vec![AppointmentRequest::default()]));
        (text(), option::of(any::<bool>()), text(), text(), others).prop_map(
            |(intent, booked, date, time, others)| AppointmentRequest {
                intent,
                booked,
                date,
                time,
                others,
                ..AppointmentRequest::default()
            },
        )
    }

    fn any_call() -> impl Strategy<Value = Call> {
        let kind = prop_oneof![Just(CallKind::Inbound), Just(CallKind::Web)];
        (any_fact(kind), any_fact(0_u32..3), any_fact("[ab]"), any_fact(any_request())).prop_map(
            |(kind, duration_seconds, summary, appointment)| Call {
                kind,
                duration_seconds,
                summary,
                appointment,
                ..empty()
            },
        )
    }

    fn merged(first: &Call, second: &Call) -> Call {
        let mut call = first.clone();
        call.merge(second);
        call
    }

    proptest! {
        #[test]
        fn merge_is_commutative_associative_and_idempotent(a in any_call(), b in any_call(), c in any_call()) {
            prop_assert_eq!(merged(&a, &b), merged(&b, &a));
            prop_assert_eq!(merged(&merged(&a, &b), &c), merged(&a, &merged(&b, &c)));
            prop_assert_eq!(merged(&a, &a), a.clone());
            let ab = merged(&a, &b);
            prop_assert_eq!(merged(&ab, &a), ab.clone());
            prop_assert!(!ab.clone().merge(&b), "merging twice changes nothing");
        }
    }
}
