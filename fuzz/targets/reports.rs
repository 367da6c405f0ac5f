//! The report parser. Any body is either refused with a short reason, or is a call that fits into a queue message and
//! whose Task and Event fit into Salesforce's fields.

#![no_main]

use calls::{appointment::Resolution, call::Call, ids::SalesforceId};
use chrono::DateTime;
use crm::{
    activity::{self, Booking},
    workspace::Settings,
};
use libfuzzer_sys::fuzz_target;
use voice::vapi::{self, ServerMessage};

/// The maximum size of a call. It leaves room for the rest of a queue message, which Ringlog keeps under 256 KiB.
const MAX_CALL: usize = 240 * 1024;

fuzz_target!(|body: &[u8]| {
    let received_at = DateTime::from_timestamp(1_800_457_181, 0).unwrap();
    let call = match vapi::parse(body, received_at) {
        Ok(ServerMessage::Report(call)) => call,
        Ok(ServerMessage::Informs { kind } | ServerMessage::ExpectsAnswer { kind }) => {
            return assert!(!kind.is_empty() && kind.chars().count() <= 100);
        }
        // Names a place and a rule, never what was sent there.
        Err(error) => return assert!(error.to_string().len() < 200),
    };

    let serialized = serde_json::to_string(&call).unwrap();
    assert!(serialized.len() < MAX_CALL, "{}", serialized.len());
    assert_eq!(serde_json::from_str::<Call>(&serialized).unwrap(), *call);

    let settings = Settings { include_transcript: true, ..Settings::default() };
    let resolution = call.resolve_appointment(
        settings.time_zone,
        settings.appointment_duration_minutes,
        received_at.timestamp(),
    );
    let who = SalesforceId::parse("00Q000000000001EAA").unwrap();
    let task = activity::task(&call, &who, &settings, received_at.timestamp(), &Booking::of(&resolution));
    assert_fits(&task.subject, 255);
    assert_fits(task.call_disposition.as_deref().unwrap_or_default(), 255);
    assert_fits(&task.description, 32_000);
    if let Resolution::Booked { appointment, .. } = resolution {
        let event = activity::event(&call, &who, &appointment, received_at.timestamp());
        assert_fits(&event.subject, 255);
        assert_fits(event.location.as_deref().unwrap_or_default(), 255);
        assert_fits(&event.description, 32_000);
    }
});

fn assert_fits(text: &str, max_length: usize) {
    assert!(text.encode_utf16().count() <= max_length, "{text}");
    assert!(!text.contains(|c: char| c.is_control() && !matches!(c, '\n' | '\t')), "{text:?}");
}
