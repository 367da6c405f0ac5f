//! The call: what Ringlog keeps of one or more end-of-call reports.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{appointment::AppointmentRequest, ids::CallId};

/// A value, and the report that it comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fact<T> {
    /// What the report said.
    #[serde(rename = "v")]
    pub value: T,
    /// The report's `message.timestamp`, in Unix milliseconds.
    #[serde(rename = "t")]
    pub reported_at: i64,
}

/// How the call reached the agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallKind {
    /// A phone call to the agent.
    Inbound,
    /// A phone call by the agent.
    Outbound,
    /// A call from a browser or an app.
    Web,
}

/// What is kept of a call. Every field but the id may be missing from a report (vapi.md §2.1, §5.3).
///
/// Reports of one call merge field by field ([`Call::merge`]), in any order and any number of times, to the same
/// result: each field is a last-writer-wins register.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Call {
    /// Vapi's id of the call.
    pub id: CallId,
    /// Inbound, outbound or web.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<Fact<CallKind>>,
    /// The remote party's number as Vapi wrote it: E.164, national, SIP, or nonsense.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer_number: Option<Fact<String>>,
    /// The remote party's name, where Vapi has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer_name: Option<Fact<String>>,
    /// When the call began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Fact<DateTime<Utc>>>,
    /// When the call ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Fact<DateTime<Utc>>>,
    /// Length in whole seconds, rounded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration_seconds: Option<Fact<u32>>,
    /// Vapi's `endedReason`, an open list of values.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_reason: Option<Fact<String>>,
    /// What was talked about, in a few sentences.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub summary: Option<Fact<String>>,
    /// The transcript, no longer than a Task can hold, marked where it was cut.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transcript: Option<Fact<String>>,
    /// A lasting identifier of the recording, never a presigned link.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recording_url: Option<Fact<String>>,
    /// What the agent noted about an appointment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub appointment: Option<Fact<AppointmentRequest>>,
}

impl Call {
    /// A call of which nothing is known yet but its id.
    pub fn new(id: CallId) -> Self {
        Self {
            id,
            kind: None,
            customer_number: None,
            customer_name: None,
            started_at: None,
            ended_at: None,
            duration_seconds: None,
            ended_reason: None,
            summary: None,
            transcript: None,
            recording_url: None,
            appointment: None,
        }
    }

    /// Takes over what `other` knows: present beats absent, and of two present the later report's; between equal
    /// times the greater value, so that the order of arrival never matters. Says whether anything changed.
    pub fn merge(&mut self, other: &Self) -> bool {
        let before = self.clone();
        later(&mut self.kind, &other.kind);
        later(&mut self.customer_number, &other.customer_number);
        later(&mut self.customer_name, &other.customer_name);
        later(&mut self.started_at, &other.started_at);
        later(&mut self.ended_at, &other.ended_at);
        later(&mut self.duration_seconds, &other.duration_seconds);
        later(&mut self.ended_reason, &other.ended_reason);
        later(&mut self.summary, &other.summary);
        later(&mut self.transcript, &other.transcript);
        later(&mut self.recording_url, &other.recording_url);
        later(&mut self.appointment, &other.appointment);
        !self.says_the_same_as(&before)
    }

    /// Whether both know the same facts, whichever report they come from.
    fn says_the_same_as(&self, other: &Self) -> bool {
        fn same<T: PartialEq>(a: &Option<Fact<T>>, b: &Option<Fact<T>>) -> bool {
            a.as_ref().map(|f| &f.value) == b.as_ref().map(|f| &f.value)
        }
        same(&self.kind, &other.kind)
            && same(&self.customer_number, &other.customer_number)
            && same(&self.customer_name, &other.customer_name)
            && same(&self.started_at, &other.started_at)
            && same(&self.ended_at, &other.ended_at)
            && same(&self.duration_seconds, &other.duration_seconds)
            && same(&self.ended_reason, &other.ended_reason)
            && same(&self.summary, &other.summary)
            && same(&self.transcript, &other.transcript)
            && same(&self.recording_url, &other.recording_url)
            && same(&self.appointment, &other.appointment)
    }
}

fn later<T: Clone + PartialOrd>(mine: &mut Option<Fact<T>>, theirs: &Option<Fact<T>>) {
    let Some(theirs) = theirs else { return };
    let wins = mine.as_ref().is_none_or(|mine| {
        theirs.reported_at > mine.reported_at
            || (theirs.reported_at == mine.reported_at && theirs.value > mine.value)
    });
    if wins {
        *mine = Some(theirs.clone());
    }
}
