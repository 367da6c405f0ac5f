//! Complete reports, as agents really note appointments: from the body that Vapi posts to what is written to
//! Salesforce.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod cases;
mod properties;

use calls::{appointment::Resolution, call::Call};
use chrono::{DateTime, Utc};
use crm::{
    activity::{self, Booking, EventDraft, TaskDraft},
    workspace::Settings,
};
use serde_json::Value;
use voice::vapi::{self, ServerMessage};

/// When the reports are received: a Saturday, 9 a.m. in New York.
fn received_at() -> DateTime<Utc> {
    "2026-11-28T14:00:00Z".parse().unwrap()
}

fn settings() -> Settings {
    Settings {
        time_zone: "America/New_York".parse().unwrap(),
        include_transcript: true,
        ..Settings::default()
    }
}

fn read(body: &Value) -> ServerMessage {
    vapi::parse(body.to_string().as_bytes(), received_at()).unwrap()
}

fn call_of(body: &Value) -> Call {
    match read(body) {
        ServerMessage::Report(call) => *call,
        other => panic!("{other:?}"),
    }
}

fn resolution(call: &Call) -> Resolution {
    let settings = settings();
    let minutes = settings.appointment_duration_minutes;
    call.resolve_appointment(settings.time_zone, minutes, received_at().timestamp())
}

/// What would be written for a call.
fn written(call: &Call) -> (TaskDraft<()>, Option<EventDraft<()>>) {
    let resolution = resolution(call);
    let now = received_at().timestamp();
    let task = activity::task(call, &(), &settings(), now, &Booking::of(&resolution));
    let event = match &resolution {
        Resolution::Booked { appointment, .. } => Some(activity::event(call, &(), appointment, now)),
        _ => None,
    };
    (task, event)
}

/// The error code if there is no Event.
fn refusal(resolution: &Resolution) -> Option<&str> {
    match resolution {
        Resolution::ByHand { reason, .. } | Resolution::NotMade(reason) => Some(&reason.code),
        Resolution::None | Resolution::Booked { .. } => None,
    }
}
