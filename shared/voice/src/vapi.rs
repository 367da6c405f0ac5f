//! Reads Vapi's server messages: their secret, and an end-of-call report as a small [`Call`].
//!
//! Vapi's format is open and grows every month. A field of an unexpected shape counts as missing and never costs a
//! call. The body is read once; nothing is copied unless it is kept.

mod appointment_fields;
mod caller_fields;
mod payload;
mod secret;
mod structured_data;
mod transcript;
mod tree;
mod value;

use calls::{
    call::{Call, CallKind, Fact},
    ids::{CallId, InvalidId, Source},
};
use chrono::{DateTime, Utc};
use serde::Deserialize;

use payload::Payload;
pub use secret::{SECRET_HEADER, secret};
use structured_data::StructuredData;
use value::Object;

/// A message from Vapi.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ServerMessage {
    /// An `end-of-call-report`.
    Report(Box<Call>),
    /// Another message, which expects only a 200.
    Informs {
        /// `message.type`.
        kind: String,
    },
    /// A message that expects content in the response, which Ringlog cannot give.
    ExpectsAnswer {
        /// `message.type`.
        kind: String,
    },
}

/// Why a body is not a server message. Names the field, never its value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReportError {
    /// Not JSON.
    #[error("the body is not valid JSON: line {line}, column {column}")]
    Malformed {
        /// From 1.
        line: usize,
        /// From 1.
        column: usize,
    },
    /// A field that every message, or every report, must have.
    #[error("{field} is missing")]
    Missing {
        /// Its path.
        field: &'static str,
    },
    /// A field that breaks its rule.
    #[error("{field} must be {rule}")]
    Invalid {
        /// Its path.
        field: &'static str,
        /// What a valid one looks like.
        rule: &'static str,
    },
}

const REPORT: &str = "end-of-call-report";

/// The message types that expect content in the response (Vapi's `ServerMessageResponse`, and the older
/// `function-call`). All others, known or not, are informational.
const EXPECT_ANSWER: [&str; 9] = [
    "assistant-request",
    "tool-calls",
    "function-call",
    "transfer-destination-request",
    "handoff-destination-request",
    "knowledge-base-request",
    "voice-request",
    "call.endpointing.request",
    "campaign.predial",
];

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow, default)]
    message: Option<Object<Payload<'a>>>,
}

/// Parses a message. `received_at` is the time of a report that has none.
pub fn parse(body: &[u8], received_at: DateTime<Utc>) -> Result<ServerMessage, ReportError> {
    // serde_json's message may quote content, so only the position is kept.
    let envelope: Object<Envelope<'_>> = serde_json::from_slice(body)
        .map_err(|error| ReportError::Malformed { line: error.line(), column: error.column() })?;
    let envelope = envelope.0.ok_or(ReportError::Invalid { field: "the body", rule: "a JSON object" })?;
    let message = envelope.message.ok_or(ReportError::Missing { field: "message" })?;
    let message = message.0.ok_or(ReportError::Invalid { field: "message", rule: "a JSON object" })?;
    let kind = message.r#type.ok_or(ReportError::Missing { field: "message.type" })?;
    let kind = value::line(kind, 100)
        .ok_or(ReportError::Invalid { field: "message.type", rule: "a text, such as end-of-call-report" })?;
    let has_call =
        message.call.as_ref().and_then(|call| call.0.as_deref()).is_some_and(|call| call.id.is_some());
    let chats = [message.chat, message.session, message.chat_id, message.session_id];
    let is_chat = !has_call && chats.iter().any(Option::is_some);
    Ok(if kind == REPORT && is_chat {
        ServerMessage::Informs { kind }
    } else if kind == REPORT {
        ServerMessage::Report(Box::new(project(&message, received_at)?))
    } else if EXPECT_ANSWER.contains(&kind.as_str()) {
        ServerMessage::ExpectsAnswer { kind }
    } else {
        ServerMessage::Informs { kind }
    })
}

/// Builds the call from a report. `call` is often a snapshot from the call's creation
/// (docs/vapi-api.md#the-call-snapshot), so the message itself comes first.
fn project(message: &Payload<'_>, received_at: DateTime<Utc>) -> Result<Call, ReportError> {
    let snapshot = message.call.as_ref().and_then(|call| call.0.as_deref());
    let id = snapshot.and_then(|call| call.id).ok_or(ReportError::Missing { field: "message.call.id" })?;
    let id = CallId::of(Source::Vapi, &value::line(id, 200).unwrap_or_default())
        .map_err(|InvalidId { rule, .. }| ReportError::Invalid { field: "message.call.id", rule })?;

    let sent_at = message.timestamp.and_then(value::instant);
    let reported_at = sent_at.unwrap_or(received_at).timestamp_millis();
    let payloads: Vec<&Payload<'_>> = std::iter::once(message).chain(snapshot).collect();
    let kind = snapshot.and_then(|call| call.r#type).and_then(|kind| call_kind(&value::line(kind, 100)?));
    let data = StructuredData::of(&payloads);
    let number = first(&payloads, Payload::customer_number);
    // Only for calls without a phone: on others the caller's number is known, or withheld.
    let record_id = first(&payloads, Payload::record_id);
    let is_named = record_id.is_some();
    let number_variable =
        || first(&payloads, Payload::variable_number).filter(|_| kind == Some(CallKind::Web) && !is_named);
    Ok(Call {
        id,
        kind: fact(kind, reported_at),
        customer_number: fact(number.or_else(number_variable), reported_at),
        given_number: fact(caller_fields::number(&data), reported_at),
        record_id: fact(record_id, reported_at),
        customer_name: fact(
            first(&payloads, Payload::customer_name).or_else(|| caller_fields::name(&data)),
            reported_at,
        ),
        started_at: first_fact(&payloads, Payload::started_at, reported_at),
        ended_at: first_fact(&payloads, Payload::ended_at, reported_at),
        happened_at: fact(sent_at.or_else(|| snapshot.and_then(Payload::created_at)), reported_at),
        duration_seconds: first_fact(&payloads, Payload::duration_seconds, reported_at),
        ended_reason: first_fact(&payloads, Payload::ended_reason, reported_at),
        transferred_to: first_fact(&payloads, Payload::transferred_to, reported_at),
        summary: fact(first(&payloads, Payload::summary).or_else(|| data.summary()), reported_at),
        transcript: fact(
            first(&payloads, Payload::transcript)
                .or_else(|| first(&payloads, Payload::transcript_from_messages)),
            reported_at,
        ),
        recording_url: first_fact(&payloads, Payload::recording_url, reported_at),
        appointment: fact(appointment_fields::appointment(&data), reported_at),
    })
}

fn first_fact<'a, T>(
    payloads: &[&Payload<'a>],
    read: impl Fn(&Payload<'a>) -> Option<T>,
    reported_at: i64,
) -> Option<Fact<T>> {
    fact(first(payloads, read), reported_at)
}

fn first<'a, T>(payloads: &[&Payload<'a>], read: impl Fn(&Payload<'a>) -> Option<T>) -> Option<T> {
    payloads.iter().find_map(|payload| read(payload))
}

fn fact<T>(value: Option<T>, reported_at: i64) -> Option<Fact<T>> {
    value.map(|value| Fact { value, reported_at })
}

fn call_kind(name: &str) -> Option<CallKind> {
    match name {
        "inboundPhoneCall" => Some(CallKind::Inbound),
        "outboundPhoneCall" => Some(CallKind::Outbound),
        "webCall" | "vapi.websocketCall" => Some(CallKind::Web),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
