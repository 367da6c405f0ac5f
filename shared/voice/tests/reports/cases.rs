//! The sample events that are real reports, each with what its sender wants.

use calls::ids::SalesforceId;
use crm::{caller::Caller, lead::LeadDraft, phone::NoPhoneNumber, workspace::Settings};
use serde_json::Value;
use voice::vapi::ServerMessage;

use super::{call_of, read, refusal, resolution, settings, written};

/// The body of `events/webhook.<case>.json`.
fn sample(case: &str) -> Value {
    let path = format!("{}/../../events/webhook.{case}.json", env!("CARGO_MANIFEST_DIR"));
    let event: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    serde_json::from_str(event["body"].as_str().unwrap()).unwrap()
}

/// The Event's start and end, or the error code and words in the Task.
type Expected<'a> = Result<(&'a str, &'a str), (&'a str, &'a [&'a str])>;

#[test]
fn each_report_gives_the_intended_event_or_says_why_not() {
    let at_two = ("2027-01-15T19:00:00Z", "2027-01-15T20:00:00Z");
    let at_three = ("2027-01-15T20:00:00Z", "2027-01-15T21:00:00Z");
    let at_ten = ("2027-01-15T15:00:00Z", "2027-01-15T16:00:00Z");
    let cases: [(&str, Expected<'_>); 20] = [
        ("date-instant-and-time", Ok(at_two)),
        ("midnight-z-without-time", Err(("appointment_without_time", &["Date: 2027-01-15T00:00:00.000Z"]))),
        (
            "time-instant-of-another-day",
            Err(("appointment_contradictory", &["Date: 2027-01-15", "Time: 2026-11-28T14:00:00-05:00"])),
        ),
        (
            "cancelled-by-status",
            Err(("appointment_not_made", &["cancelled", "Date: 2027-01-15", "Time: 2:00 PM"])),
        ),
        (
            "scheduled-false",
            Err(("appointment_not_made", &["appointment_scheduled: false", "Date: 2027-01-15"])),
        ),
        (
            "booked-in-other-words",
            Err(("appointment_unclear", &["pending confirmation", "Date: 2027-01-15"])),
        ),
        ("duration-with-unit", Ok(("2027-01-15T19:00:00Z", "2027-01-15T19:45:00Z"))),
        ("type-not-provided", Ok(at_ten)),
        ("nested-appointment", Ok(at_three)),
        ("json-text", Ok(at_two)),
        ("appointment-datetime", Ok(at_two)),
        ("appointments-list", Ok(at_three)),
        ("values-in-lists", Ok(at_two)),
        ("local-datetime-as-time", Ok(at_ten)),
        ("local-datetime-as-date", Ok(at_two)),
        ("rfc3339-time", Ok(at_two)),
        ("time-with-zone-word", Ok(at_two)),
        (
            "rescheduled",
            Err(("appointment_other_intent", &["Rescheduling", "Date: 2027-01-15", "Time: 2:00 PM"])),
        ),
        ("withheld-but-told", Ok(at_ten)),
        ("voicemail-with-appointment", Err(("appointment_in_voicemail", &["voicemail", "Date: 2027-01-15"]))),
    ];
    for (case, expected) in cases {
        let call = call_of(&sample(case));
        let (task, event) = written(&call);
        match expected {
            Ok((start, end)) => {
                let event = event.unwrap_or_else(|| panic!("{case}: {:?}", resolution(&call)));
                assert_eq!(
                    (event.start_date_time.as_str(), event.end_date_time.as_str()),
                    (start, end),
                    "{case}"
                );
                assert_eq!(event.subject, "Appointment - Scheduled via Voice AI", "{case}");
                assert_eq!(task.subject, "Inbound Call - Scheduled Appointment", "{case}");
            }
            Err((code, words)) => {
                assert_eq!((event, refusal(&resolution(&call))), (None, Some(code)), "{case}");
                assert_eq!(task.subject, "Inbound Call", "{case}");
                for word in words {
                    assert!(task.description.contains(word), "{case}: {}", task.description);
                }
            }
        }
    }
}

#[test]
fn placeholders_leave_no_trace() {
    let call = call_of(&sample("not-provided"));
    assert_eq!(call.appointment, None);
    let (task, event) = written(&call);
    assert!(
        event.is_none() && !task.description.to_lowercase().contains("appointment"),
        "{}",
        task.description
    );
    let (_, event) = written(&call_of(&sample("type-not-provided")));
    assert!(!event.unwrap().description.contains("Not Provided"));
}

#[test]
fn the_second_of_two_appointments_is_in_the_task() {
    let (task, _) = written(&call_of(&sample("appointments-list")));
    let listed = "More appointments to book by hand:\nDate: 2027-01-22, Time: 15:00";
    assert!(task.description.contains(listed), "{}", task.description);
}

#[test]
fn a_transcript_in_a_list_is_in_the_task() {
    let (task, _) = written(&call_of(&sample("transcript-as-list")));
    assert!(task.description.contains("Transcript:\nAI: Hello.\nUser: Hi."), "{}", task.description);
}

#[test]
fn a_caller_who_withheld_but_gave_a_number_is_found_if_allowed() {
    let call = call_of(&sample("withheld-but-told"));
    assert_eq!(Caller::of(&call, &settings()).unwrap_err().code, NoPhoneNumber::Withheld.code().code);
    let allowed = Settings { use_given_number: true, ..settings() };
    let caller = Caller::of(&call, &allowed).unwrap();
    assert_eq!((caller.is_given(), caller.number().unwrap().e164()), (true, "+17375550101".to_owned()));
}

#[test]
fn a_new_lead_has_the_name_that_was_noted() {
    let call = call_of(&sample("lead-name-from-data"));
    let caller = Caller::of(&call, &settings()).unwrap();
    let lead = LeadDraft::of(&call, caller.number().unwrap());
    assert_eq!((lead.first_name.as_deref(), lead.last_name.as_str()), (Some("Ann"), "Invented"));
}

#[test]
fn a_doubled_prefix_is_parsed() {
    let caller = Caller::of(&call_of(&sample("doubled-prefix")), &settings()).unwrap();
    assert_eq!(caller.number().unwrap().e164(), "+17375550102");
}

#[test]
fn a_report_without_a_call_is_informational() {
    assert!(matches!(read(&sample("report-without-call")), ServerMessage::Informs { .. }));
}

#[test]
fn an_unanswered_call_that_is_sent_again_keeps_its_day() {
    let (task, _) = written(&call_of(&sample("unanswered-sent-again")));
    assert_eq!((task.activity_date.as_deref(), task.subject.as_str()), (Some("2026-11-20"), "Outbound Call"));
}

#[test]
fn a_web_call_names_its_record() {
    let mut body = sample("web-call");
    body["message"]["call"]["assistantOverrides"]["metadata"]["salesforceRecordId"] =
        "00QA0000006Vm9r".into();
    let lead = SalesforceId::parse("00QA0000006Vm9r").unwrap();
    assert!(
        matches!(Caller::of(&call_of(&body), &settings()), Ok(Caller::Record(record)) if record.id == lead)
    );
}
