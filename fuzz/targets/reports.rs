//! The report parser: any body is refused by a stable code, or is a call that fits into a queue message and whose Task and
//! Event fit into Salesforce's fields.

#![no_main]

use calls::{
    activity::{self, Booking},
    appointment::Resolution,
    call::Call,
    ids::SalesforceId,
    report::{self, ReportError, ServerMessage},
    workspace::Settings,
};
use chrono::DateTime;
use libfuzzer_sys::fuzz_target;

/// What SQS takes, less room for the message around the call.
const MESSAGE: usize = 240 * 1024;

fuzz_target!(|body: &[u8]| {
    let received_at = DateTime::from_timestamp(1_800_457_181, 0).unwrap();
    let call = match report::parse(body, received_at) {
        Ok(ServerMessage::Report(call)) => call,
        Ok(ServerMessage::Informs { kind } | ServerMessage::ExpectsAnswer { kind }) => {
            return assert!(!kind.is_empty() && kind.chars().count() <= 100);
        }
        Err(error @ ReportError::Malformed { .. }) => return assert_eq!(error.code(), "malformed_json"),
        Err(error) => return assert!(error.code().ends_with("_field")),
    };

    let kept = serde_json::to_string(&call).unwrap();
    assert!(kept.len() < MESSAGE, "{}", kept.len());
    assert_eq!(serde_json::from_str::<Call>(&kept).unwrap(), *call);

    let settings = Settings { include_transcript: true, ..Settings::default() };
    let resolution = call.resolve_appointment(&settings, received_at.timestamp());
    let who = SalesforceId::parse("00Q000000000001EAA").unwrap();
    let task = activity::task(&call, &who, &settings, received_at.timestamp(), &Booking::of(&resolution));
    fits(&task.subject, 255);
    fits(task.call_disposition.as_deref().unwrap_or_default(), 255);
    fits(&task.description, 32_000);
    if let Resolution::Booked { appointment, .. } = resolution {
        let event = activity::event(&call, &who, &appointment, received_at.timestamp());
        fits(&event.subject, 255);
        fits(event.location.as_deref().unwrap_or_default(), 255);
        fits(&event.description, 32_000);
    }
});

fn fits(text: &str, longest: usize) {
    assert!(text.encode_utf16().count() <= longest, "{text}");
    assert!(!text.contains(|c: char| c.is_control() && !matches!(c, '\n' | '\t')), "{text:?}");
}
