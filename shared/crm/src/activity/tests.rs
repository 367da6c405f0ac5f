//! What is written to Salesforce, field by field.

use calls::{
    appointment::{AppointmentRequest, Verdict},
    call::CallKind,
    ids::CallId,
    reason::Reason,
    text::{CUT, length},
    time_zone::TimeZone,
};
use proptest::prelude::*;
use serde_json::json;

use super::*;

const WHO: &str = "00Q000000000001EAA";
/// Days before the appointment, Unix seconds.
const NOW: i64 = 1_800_000_000;

#[expect(clippy::unnecessary_wraps, reason = "a call's fields are optional")]
fn fact<T>(value: T) -> Option<Fact<T>> {
    Some(Fact { value, reported_at: 0 })
}

fn utc(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn who() -> SalesforceId {
    SalesforceId::parse(WHO).unwrap()
}

fn call() -> Call {
    Call {
        kind: fact(CallKind::Inbound),
        // Eleven at night in New York is the next day in UTC.
        started_at: fact(utc("2027-01-21T04:00:00Z")),
        duration_seconds: fact(125),
        ended_reason: fact("customer-ended-call".to_owned()),
        summary: fact("Wants an offer.".to_owned()),
        transcript: fact("AI: Hello?\nUser: An offer, please.".to_owned()),
        recording_url: fact("https://storage.example.com/mono.wav".to_owned()),
        ..Call::new(CallId::parse("call-1").unwrap())
    }
}

fn settings() -> Settings {
    Settings { time_zone: "America/New_York".parse().unwrap(), ..Settings::default() }
}

fn appointment() -> Appointment {
    Appointment {
        start: utc("2027-01-27T19:00:00Z"),
        end: utc("2027-01-27T20:00:00Z"),
        kind: Some("Consultation".to_owned()),
        notes: Some("Bring the licence list.".to_owned()),
        location: None,
    }
}

fn booked() -> Resolution {
    Resolution::Booked { appointment: appointment(), warning: None, others: Vec::new() }
}

#[test]
fn a_call_is_a_completed_task() {
    let task = task(&call(), &who(), &settings(), 0, &Booking::None);
    assert_eq!(
        serde_json::to_value(&task).unwrap(),
        json!({
            "WhoId": WHO, "Subject": "Inbound Call", "Type": "Call", "TaskSubtype": "Call", "CallType": "Inbound",
            "Status": "Completed", "Priority": "Normal", "ActivityDate": "2027-01-20", "CallDurationInSeconds": 125,
            "CallDisposition": "customer-ended-call", "CallObject": "call-1",
            "Description": "Wants an offer.\n\nRecording: https://storage.example.com/mono.wav\n\nCall call-1",
        })
    );
}

#[test]
fn subject_and_call_type_follow_the_kind_and_the_appointment() {
    let reason = Reason { code: "c".to_owned(), message: "m".to_owned() };
    for (kind, resolution, subject, call_type) in [
        (Some(CallKind::Inbound), booked(), "Inbound Call - Scheduled Appointment", "Inbound"),
        (Some(CallKind::Outbound), Resolution::None, "Outbound Call", "Outbound"),
        (Some(CallKind::Outbound), booked(), "Outbound Call - Scheduled Appointment", "Outbound"),
        (Some(CallKind::Web), Resolution::NotMade(reason), "Inbound Call", "Inbound"),
        (None, Resolution::None, "Inbound Call", "Inbound"),
    ] {
        let call = Call { kind: kind.and_then(fact), ..call() };
        let task = task(&call, &who(), &settings(), 0, &Booking::of(&resolution));
        assert_eq!((task.subject.as_str(), task.call_type.as_deref()), (subject, Some(call_type)));
    }
}

#[test]
fn the_date_is_the_calls_or_when_it_was_received() {
    let received_at = utc("2027-02-01T03:00:00Z").timestamp();
    let past_midnight = Call { ended_at: fact(utc("2027-01-21T05:10:00Z")), ..call() };
    let ended = Call { started_at: None, ended_at: fact(utc("2027-01-25T12:00:00Z")), ..call() };
    let sent = Call { happened_at: fact(utc("2027-01-27T12:00:00Z")), ..ended.clone() };
    let unanswered = Call { ended_at: None, ..sent.clone() };
    let unknown = Call { started_at: None, ..call() };
    for (call, date) in [
        (call(), "2027-01-20"),
        (past_midnight, "2027-01-20"),
        (ended, "2027-01-25"),
        (sent, "2027-01-25"),
        (unanswered, "2027-01-27"),
        (unknown, "2027-01-31"),
    ] {
        let task = task(&call, &who(), &settings(), received_at, &Booking::None);
        assert_eq!(task.activity_date.as_deref(), Some(date));
    }
}

#[test]
fn a_call_without_facts_is_a_task_with_its_last_line() {
    let call = Call::new(CallId::parse("call-1").unwrap());
    let task = task(&call, &who(), &settings(), 0, &Booking::None);
    assert_eq!(task.description, "Call call-1");
    let json = serde_json::to_value(&task).unwrap();
    assert!(json.get("CallDurationInSeconds").is_none() && json.get("CallDisposition").is_none());
}

#[test]
fn the_transcript_is_written_if_enabled() {
    let settings = Settings { include_transcript: true, ..settings() };
    let task = task(&call(), &who(), &settings, 0, &Booking::None);
    assert!(
        task.description.ends_with("\n\nTranscript:\nAI: Hello?\nUser: An offer, please.\n\nCall call-1")
    );
}

#[test]
fn an_appointment_that_cannot_be_booked_is_in_the_task() {
    let request = AppointmentRequest {
        date: Some("next Tuesday".to_owned()),
        time: Some("2 PM".to_owned()),
        kind: Some("Consultation".to_owned()),
        ..AppointmentRequest::default()
    };
    let resolution = request.resolve(TimeZone::UTC, utc("2027-01-20T15:00:00Z"), 60);
    let call = Call { appointment: fact(request), ..call() };
    let task = task(&call, &who(), &settings(), 0, &Booking::of(&resolution));
    assert!(
        task.description.contains(
            "\n\nAppointment to book by hand. The appointment's date is not a day written as YYYY-MM-DD: “next Tuesday”.\n\
             Date: next Tuesday\nTime: 2 PM\nType: Consultation\n\nCall call-1"
        ),
        "{}",
        task.description
    );
}

#[test]
fn a_time_without_a_date_is_in_the_task() {
    for date in [None, Some(""), Some("N/A")] {
        let request = AppointmentRequest {
            date: date.map(str::to_owned),
            time: Some("next Monday at 2pm".to_owned()),
            notes: Some("Bring the licence list.".to_owned()),
            ..AppointmentRequest::default()
        };
        let resolution = request.resolve(TimeZone::UTC, utc("2027-01-20T15:00:00Z"), 60);
        let with = |request| {
            let call = Call { appointment: fact(request), ..call() };
            task(&call, &who(), &settings(), 0, &Booking::of(&resolution))
        };
        let task = with(request.clone());
        assert!(
            task.description.contains(
                "\n\nAppointment to book by hand. The report notes an appointment, but no day that Ringlog reads.\n\
                 Time: next Monday at 2pm\nNotes: Bring the licence list.\n\nCall call-1"
            ),
            "{}",
            task.description
        );
        assert_eq!(task.subject, "Inbound Call");
    }
}

#[test]
fn what_was_noted_about_an_appointment_that_was_not_made_is_in_the_task() {
    let request = AppointmentRequest {
        date: Some("2027-01-27".to_owned()),
        booked: Some(false),
        stated: Some("appointment_status: cancelled".to_owned()),
        verdict: Some(Verdict::CalledOff),
        unread: Some(vec!["appointment_reference: 17".to_owned()]),
        ..AppointmentRequest::default()
    };
    let resolution = request.resolve(TimeZone::UTC, utc("2027-01-20T15:00:00Z"), 60);
    let call = Call { appointment: fact(request), ..call() };
    let task = task(&call, &who(), &settings(), 0, &Booking::of(&resolution));
    assert_eq!(task.subject, "Inbound Call");
    assert!(
        task.description.contains(
            "\n\nNo appointment in the calendar. The report says that no appointment was made: “appointment_status: cancelled”.\n\
             Date: 2027-01-27\nNoted: appointment_reference: 17\n\nCall call-1"
        ),
        "{}",
        task.description
    );
}

#[test]
fn the_task_lists_the_appointments_without_an_event() {
    let others = vec!["Date: 2027-02-03, Time: 3 PM".to_owned(), "Date: 2027-02-10".to_owned()];
    let task = task(&call(), &who(), &settings(), 0, &Booking::Booked(others));
    assert_eq!(task.subject, "Inbound Call - Scheduled Appointment");
    let listed = "\n\nMore appointments to book by hand:\nDate: 2027-02-03, Time: 3 PM\nDate: 2027-02-10\n\nCall call-1";
    assert!(task.description.ends_with(listed), "{}", task.description);
}

#[test]
fn a_transfer_and_a_number_that_the_caller_gave_are_in_the_task() {
    let call = Call {
        transferred_to: fact("+12345550177".to_owned()),
        customer_number: fact("anonymous".to_owned()),
        given_number: fact("(234) 555-0123".to_owned()),
        ..call()
    };
    for use_given_number in [true, false] {
        let settings = Settings { use_given_number, ..settings() };
        let said = task(&call, &who(), &settings, 0, &Booking::None).description;
        assert!(said.contains("\n\nTransferred to +12345550177.\n\n"), "{said}");
        assert_eq!(said.contains("number given by the caller"), use_given_number, "{said}");
    }
}

#[test]
fn the_location_is_the_events_location() {
    let there = Appointment { location: Some("12 High Street\nBack door".to_owned()), ..appointment() };
    assert_eq!(event(&call(), &who(), &there, NOW).location.as_deref(), Some("12 High Street Back door"));
    let fields = event(&call(), &who(), &appointment(), NOW).fields();
    assert!(!fields.contains_key("Location"));
}

#[test]
fn past_appointments_have_no_reminder() {
    let start = appointment().start.timestamp();
    for (now, reminds) in
        [(start - 3601, true), (start - 3600, false), (start - 60, false), (start + 60, false)]
    {
        let event = event(&call(), &who(), &appointment(), now);
        let (is_set, at) = (event.is_reminder_set, event.reminder_date_time.is_some());
        assert_eq!((is_set, at), (Some(reminds), reminds), "{}", now - start);
    }
}

#[test]
fn an_appointment_is_an_event() {
    let event = event(&call(), &who(), &appointment(), NOW);
    assert_eq!(
        serde_json::to_value(&event).unwrap(),
        json!({
            "WhoId": WHO, "Subject": "Consultation - Scheduled via Voice AI", "StartDateTime": "2027-01-27T19:00:00Z",
            "EndDateTime": "2027-01-27T20:00:00Z", "IsAllDayEvent": false, "Type": "Meeting", "ShowAs": "Busy",
            "IsReminderSet": true, "ReminderDateTime": "2027-01-27T18:00:00Z",
            "Description": "Appointment scheduled during call.\n\nBring the licence list.\n\nWants an offer.\n\nCall call-1",
        })
    );
}

#[test]
fn an_events_subject_fits_and_has_a_default() {
    let with =
        |kind: Option<String>| event(&call(), &who(), &Appointment { kind, ..appointment() }, NOW).subject;
    assert_eq!(with(None), "Appointment - Scheduled via Voice AI");
    for kind in ["x", "𠮟", "a\nb ", "e\u{301}", "\u{1F468}\u{200D}\u{1F469}", "x\u{7}\u{9b}"] {
        let subject = with(Some(kind.repeat(300)));
        assert!(subject.encode_utf16().count() <= 255 && subject.encode_utf16().count() > 245, "{subject}");
        assert!(!subject.contains(char::is_control), "{subject:?}");
        assert!(subject.ends_with(&format!("{CUT} - Scheduled via Voice AI")), "{subject}");
    }
}

#[test]
fn the_transcript_is_cut_first_then_the_summary() {
    let settings = Settings { include_transcript: true, ..settings() };
    let long = Call { transcript: fact("well, ".repeat(6000)), ..call() };
    let description = task(&long, &who(), &settings, 0, &Booking::None).description;
    assert!(description.starts_with("Wants an offer.\n\nRecording: https://"));
    assert!(description.ends_with(&format!("{CUT}\n\nCall call-1")));
    assert!((31_900..=32_000).contains(&length(&description, salesforce_unit)));

    let longer = Call { summary: fact("𠮟".repeat(20_000)), ..long };
    let description = task(&longer, &who(), &settings, 0, &Booking::None).description;
    assert!(description.contains("Recording: https://") && !description.contains("Transcript"));
    assert!(description.ends_with("\n\nCall call-1"));
}

#[test]
fn control_characters_do_not_reach_salesforce() {
    let odd = Call {
        summary: fact("a\u{0}b\u{1b}".to_owned()),
        ended_reason: fact("x\u{7}\ny".to_owned()),
        ..call()
    };
    let drawn = task(&odd, &who(), &settings(), 0, &Booking::None);
    assert!(drawn.description.starts_with("ab\n\n"));
    assert_eq!(drawn.call_disposition.as_deref(), Some("x y"));

    let noted = AppointmentRequest {
        date: Some("next\u{0} Mon\u{202f}day\u{85}".to_owned()),
        notes: Some("line one\r\nline\u{b} two\u{1b}[0m".to_owned()),
        ..AppointmentRequest::default()
    };
    let resolution = noted.resolve(TimeZone::UTC, utc("2027-01-20T15:00:00Z"), 60);
    let odd = Call { appointment: fact(noted), ..call() };
    let drawn = task(&odd, &who(), &settings(), 0, &Booking::of(&resolution)).description;
    assert!(drawn.contains("Notes: line one\nline two[0m"), "{drawn}");
    assert!(!drawn.contains(|c: char| c.is_control() && c != '\n'), "{drawn:?}");
}

#[test]
fn a_line_is_cut_in_the_units_that_salesforce_counts() {
    for reason in ["x", "é", "𠮟", "\u{1F44B}\u{1F3FD}"] {
        let call = Call { ended_reason: fact(reason.repeat(300)), ..call() };
        let disposition = task(&call, &who(), &settings(), 0, &Booking::None).call_disposition.unwrap();
        let kept = disposition.strip_suffix(CUT).unwrap();
        assert_eq!(kept.replace(reason, ""), "", "{reason} is not split");
        // Whole characters fill the room that the mark leaves.
        let room = 255 - CUT.encode_utf16().count();
        let unit = reason.encode_utf16().count();
        assert_eq!(kept.encode_utf16().count(), room - room % unit, "{reason}");
    }
    // 255 of them fit, or 127 of those that count twice.
    for (reason, times) in [("é", 255), ("𠮟", 127)] {
        let call = Call { ended_reason: fact(reason.repeat(times)), ..call() };
        let disposition = task(&call, &who(), &settings(), 0, &Booking::None).call_disposition;
        assert_eq!(disposition, Some(reason.repeat(times)));
    }
}

#[test]
fn only_optional_fields_can_be_left_out() {
    let mut task = task(&call(), &who(), &settings(), 0, &Booking::Booked(Vec::new()));
    let fields = [
        "Type",
        "TaskSubtype",
        "CallType",
        "Priority",
        "ActivityDate",
        "CallDurationInSeconds",
        "CallDisposition",
        "CallObject",
    ];
    for field in fields {
        assert!(task.without(field), "{field}");
        assert!(!task.without(field), "{field} was removed already");
        assert!(serde_json::to_value(&task).unwrap().get(field).is_none(), "{field}");
    }
    for field in ["WhoId", "Status", "Subject", "Description", "Nonsense", "type"] {
        assert!(!task.without(field), "{field}");
    }

    let there = Appointment { location: Some("Here".to_owned()), ..appointment() };
    let mut event = event(&call(), &who(), &there, NOW);
    for field in ["Type", "ShowAs", "Location", "ReminderDateTime"] {
        assert!(event.without(field), "{field}");
    }
    for field in
        ["IsReminderSet", "WhoId", "Subject", "StartDateTime", "EndDateTime", "IsAllDayEvent", "Description"]
    {
        assert!(!event.without(field), "{field}");
    }
    assert_eq!((event.is_reminder_set, event.reminder_date_time), (None, None));
}

proptest! {
    // Long texts are slow.
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn any_description_fits_and_ends_with_the_calls_line(
        parts in proptest::collection::vec(("[a𠮟\n\u{7}]{0,4}", 0_usize..12_000), 3),
        include_transcript in any::<bool>(),
    ) {
        let mut texts = parts.iter().map(|(text, times)| text.repeat(*times));
        let mut text = || texts.next().unwrap_or_default();
        let call = Call { summary: fact(text()), transcript: fact(text()), ..call() };
        let settings = Settings { include_transcript, ..settings() };
        let notes = text::clean(&text(), 4_000);
        let drafts = [
            task(&call, &who(), &settings, 0, &Booking::None).description,
            event(&call, &who(), &Appointment { notes, ..appointment() }, NOW).description,
        ];
        for description in drafts {
            prop_assert!(length(&description, salesforce_unit) <= 32_000);
            prop_assert_eq!(description.lines().last(), Some("Call call-1"));
        }
    }
}
