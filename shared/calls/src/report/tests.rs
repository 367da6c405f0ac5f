//! Reports as Vapi sends them, in their present and older shapes, and what is no report.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::{
    appointment::AppointmentRequest,
    phone::{NoPhoneNumber, PhoneNumber},
    text::CUT,
};

const CALL_ID: &str = "019a8a2b-0000-7000-8000-000000000004";

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn received_at() -> DateTime<Utc> {
    at("2027-01-20T15:00:01Z")
}

fn read(body: &Value) -> Result<ServerMessage, ReportError> {
    parse(body.to_string().as_bytes(), received_at())
}

/// The call of a report whose message has these members besides type and call.
fn call_of(mut message: Value) -> Call {
    message["type"] = json!("end-of-call-report");
    if message["call"]["id"].is_null() {
        message["call"]["id"] = json!(CALL_ID);
    }
    match read(&json!({ "message": message })) {
        Ok(ServerMessage::Report(call)) => *call,
        other => panic!("{other:?}"),
    }
}

fn value<T: Clone>(fact: Option<&Fact<T>>) -> Option<T> {
    fact.map(|fact| fact.value.clone())
}

/// A whole report, as of 2026: everything several times, and much that is not kept.
fn report() -> Value {
    json!({
        "timestamp": 1_800_457_180_909_i64,
        "startedAt": "2027-01-20T14:57:34.846Z",
        "endedAt": "2027-01-20T14:59:39.922Z",
        "endedReason": "customer-ended-call",
        "durationMs": 125_076, "durationSeconds": 125.076, "durationMinutes": 2.0846,
        "summary": "old place", "transcript": "old place", "recordingUrl": "https://storage.example.com/old.wav",
        "messages": [{"role": "system", "message": "You are a receptionist.", "time": 1.800_457_054_900_5e12}],
        "analysis": {"summary": "Wants an offer.", "successEvaluation": "true"},
        "artifact": {
            "transcript": "AI: Hello?\nUser: An offer, please.\n",
            "messages": [{"role": "bot", "message": "Hello?", "metadata": {"wordLevelConfidence": [{"word": "Hello"}]}}],
            "recording": {"stereoUrl": "https://storage.example.com/stereo.wav",
                          "mono": {"combinedUrl": "https://storage.example.com/mono.wav"}},
            "presignedMonoUrl": "https://storage.example.com/mono.wav?X-Amz-Signature=0123",
            "variableValues": {"phoneNumber.twilioAuthToken": "not kept"},
        },
        "call": {"id": CALL_ID, "type": "inboundPhoneCall", "status": "ringing", "startedAt": "2027-01-20T14:00:00Z",
                 "endedReason": "stale", "customer": {"number": "+12345550199", "name": "Stale"}},
        "customer": {"number": "+12345550123", "name": "Ada Sample"},
        "phoneNumber": {"number": "+12345550188", "twilioAuthToken": "not kept"},
    })
}

#[test]
fn a_report_becomes_a_call() {
    let call = call_of(report());
    assert_eq!(call.id.as_str(), CALL_ID);
    assert_eq!(value(call.kind.as_ref()), Some(CallKind::Inbound));
    assert_eq!(value(call.customer_number.as_ref()).as_deref(), Some("+12345550123"));
    assert_eq!(value(call.customer_name.as_ref()).as_deref(), Some("Ada Sample"));
    assert_eq!(value(call.started_at.as_ref()), Some(at("2027-01-20T14:57:34.846Z")));
    assert_eq!(value(call.ended_at.as_ref()), Some(at("2027-01-20T14:59:39.922Z")));
    assert_eq!(value(call.duration_seconds.as_ref()), Some(125));
    assert_eq!(value(call.ended_reason.as_ref()).as_deref(), Some("customer-ended-call"));
    assert_eq!(value(call.summary.as_ref()).as_deref(), Some("Wants an offer."));
    assert_eq!(value(call.transcript.as_ref()).as_deref(), Some("AI: Hello?\nUser: An offer, please."));
    assert_eq!(value(call.recording_url.as_ref()).as_deref(), Some("https://storage.example.com/mono.wav"));
    assert_eq!(call.appointment, None);
    assert_eq!(call.summary.as_ref().unwrap().reported_at, 1_800_457_180_909);
    let kept = serde_json::to_string(&call).unwrap();
    assert!(!kept.contains("not kept") && !kept.contains("X-Amz"));
}

#[test]
fn a_stub_report_is_a_call_without_facts() {
    let call = call_of(json!({"artifact": {}, "phoneNumber": null}));
    assert_eq!(call, Call::new(CallId::parse(CALL_ID).unwrap()));
    let odd = call_of(json!({
        "customer": "nobody", "analysis": [1], "artifact": 3, "summary": {"a": 1}, "transcript": null, "endedReason": 5,
        "startedAt": "yesterday", "durationSeconds": "long", "phoneNumber": "b882572f", "recordingUrl": false,
        "timestamp": {}, "structured_data": "none",
    }));
    assert_eq!(odd, call);
}

#[test]
fn a_reports_own_time_decides_or_its_arrival() {
    for (timestamp, expected) in [
        (json!(1_800_457_180_909_i64), 1_800_457_180_909),
        (json!(1.800_457_180_909e12), 1_800_457_180_909),
        (json!("1800457180909"), 1_800_457_180_909),
        (json!(1_800_457_180), 1_800_457_180_000),
        (json!(1_800_457_180.5), 1_800_457_180_500),
        (json!("2027-01-20T14:59:40.909Z"), 1_800_457_180_909),
        (json!("2027-01-20T15:59:40.909+01:00"), 1_800_457_180_909),
        (json!("2027-01-20 14:59:40"), 1_800_457_180_000),
        (json!(0), received_at().timestamp_millis()),
        (json!(-5), received_at().timestamp_millis()),
        (json!(1e300), received_at().timestamp_millis()),
        (json!(""), received_at().timestamp_millis()),
        (json!("+262142-12-31T23:59:59"), received_at().timestamp_millis()),
        (Value::Null, received_at().timestamp_millis()),
    ] {
        let call = call_of(json!({"timestamp": timestamp, "summary": "s"}));
        assert_eq!(call.summary.unwrap().reported_at, expected, "{timestamp}");
    }
}

#[test]
fn facts_are_found_in_their_older_places() {
    for (message, summary) in [
        (json!({"analysis": {"summary": "a"}, "summary": "b"}), "a"),
        (json!({"analysis": {"summary": " "}, "summary": "b"}), "b"),
        (json!({"analysis": {}, "call": {"analysis": {"summary": "c"}, "summary": "d"}}), "c"),
        (json!({"call": {"summary": "d"}}), "d"),
        (json!({"artifact": {"structuredOutputs": {"1": {"name": "Call Summary", "result": "e"}}}}), "e"),
    ] {
        assert_eq!(value(call_of(message).summary.as_ref()).as_deref(), Some(summary));
    }
    for (message, transcript) in [
        (json!({"artifact": {"transcript": "a"}, "transcript": "b"}), "a"),
        (json!({"artifact": {"transcript": ""}, "transcript": "b"}), "b"),
        (json!({"call": {"artifact": {"transcript": "c"}}}), "c"),
        (json!({"call": {"transcript": "d"}}), "d"),
    ] {
        assert_eq!(value(call_of(message).transcript.as_ref()).as_deref(), Some(transcript));
    }
    for (message, seconds) in [
        (json!({"durationSeconds": 25.6, "durationMs": 1}), Some(26)),
        (json!({"durationSeconds": "25.276"}), Some(25)),
        (json!({"durationMs": 25276}), Some(25)),
        (json!({"durationMinutes": 0.5}), Some(30)),
        (json!({"startedAt": "2027-01-20T14:00:00Z", "endedAt": 1_800_453_625_000_i64}), Some(25)),
        (json!({"durationSeconds": -1, "call": {"durationSeconds": 7}}), Some(7)),
        (
            json!({"call": {"startedAt": "2027-01-20T14:00:00Z", "endedAt": "2027-01-20T14:00:09.5Z"}}),
            Some(10),
        ),
        (json!({"startedAt": "2027-01-20T14:00:01Z", "endedAt": "2027-01-20T14:00:00Z"}), None),
        (json!({"durationSeconds": 1e12}), None),
    ] {
        assert_eq!(value(call_of(message.clone()).duration_seconds.as_ref()), seconds, "{message}");
    }
}

#[test]
fn the_remote_party_is_found_or_missing() {
    for (message, number) in [
        (
            json!({"customer": {"number": "+12345550123"}, "call": {"customer": {"number": "+1"}}}),
            Some("+12345550123"),
        ),
        (
            json!({"customer": {"number": ""}, "call": {"customer": {"number": "+12345550123"}}}),
            Some("+12345550123"),
        ),
        (json!({"customer": {"number": 12_345_550_123_i64}}), Some("12345550123")),
        (
            json!({"customer": {"sipUri": "sip:+12345550123@example.com"}}),
            Some("sip:+12345550123@example.com"),
        ),
        (json!({"customer": {"number": "+12345550123", "extension": "456"}}), Some("+12345550123;ext=456")),
        (json!({"customer": {"number": "+12345550123", "extension": 456}}), Some("+12345550123;ext=456")),
        (json!({"customer": {"number": "+12345550123 x9", "extension": "456"}}), Some("+12345550123 x9")),
        (json!({"customer": {"number": "+12345550123", "extension": "12345678901"}}), Some("+12345550123")),
        (json!({"customer": {"number": "+12345550123", "extension": "N/A"}}), Some("+12345550123")),
        (json!({"customer": {"number": "anonymous", "extension": "456"}}), Some("anonymous")),
        (
            json!({"customer": {"extension": "456", "sipUri": "sip:ada@example.com"}}),
            Some("sip:ada@example.com"),
        ),
        (json!({"customer": {"extension": "456"}}), None),
        (json!({"customer": null, "phoneNumber": {"number": "+12345550188"}}), None),
        (json!({}), None),
    ] {
        assert_eq!(value(call_of(message.clone()).customer_number.as_ref()).as_deref(), number, "{message}");
    }
    for (kind, expected) in [
        ("inboundPhoneCall", Some(CallKind::Inbound)),
        ("outboundPhoneCall", Some(CallKind::Outbound)),
        ("webCall", Some(CallKind::Web)),
        ("vapi.websocketCall", Some(CallKind::Web)),
        ("somethingNew", None),
    ] {
        assert_eq!(value(call_of(json!({"call": {"type": kind}})).kind.as_ref()), expected, "{kind}");
    }
}

/// From the report to the number that is looked for: of two records with one number, the desk decides.
#[test]
fn an_extension_of_its_own_field_is_compared() {
    let call = call_of(json!({"customer": {"number": "+12345550123", "extension": "456"}}));
    let caller = PhoneNumber::parse_caller(&call.customer_number.unwrap().value, "US").unwrap();
    assert_eq!(caller.with_extension(), "+12345550123;ext=456");
    assert!(caller.same_as("+1 234 555 0123 x456", None, "US").is_some());
    assert_eq!(caller.same_as("+1 234 555 0123 x457", None, "US"), None);
    let hidden = call_of(json!({"customer": {"number": "+266696687", "extension": "456"}}));
    let hidden = PhoneNumber::parse_caller(&hidden.customer_number.unwrap().value, "US");
    assert_eq!(hidden, Err(NoPhoneNumber::Withheld));
}

#[test]
fn a_recording_link_lasts_and_opens_nothing() {
    for (message, url) in [
        (
            json!({"artifact": {"recordingUrl": "https://s.example.com/a.wav"}, "recordingUrl": "https://s.example.com/b"}),
            Some("https://s.example.com/a.wav"),
        ),
        (json!({"recordingUrl": "https://s.example.com/b.wav"}), Some("https://s.example.com/b.wav")),
        (json!({"stereoRecordingUrl": "https://s.example.com/c.wav"}), Some("https://s.example.com/c.wav")),
        (
            json!({"call": {"recordingUrl": "https://s.example.com/d.wav"}}),
            Some("https://s.example.com/d.wav"),
        ),
        (
            json!({"recordingUrl": "https://b.s3.amazonaws.com/e.wav?X-Amz-Signature=0123&X-Amz-Credential=x#t=1"}),
            Some("https://b.s3.amazonaws.com/e.wav"),
        ),
        (json!({"artifact": {"presignedMonoUrl": "https://s.example.com/f.wav?sig=1"}}), None),
        (
            json!({"artifact": {
                "presignedStereoUrl": "https://s.example.com/1.wav?X-Amz-Expires=1800",
                "presignedVideoUrl": "https://s.example.com/2.mp4?X-Amz-Expires=1800",
                "presignedCustomerUrl": "https://s.example.com/3.wav?X-Amz-Expires=1800",
                "presignedUrlsExpiresAt": "2027-01-20T15:30:00Z",
                "recording": {"mono": {"combinedUrl": "https://s.example.com/mono.wav?X-Amz-Expires=1800"}},
            }}),
            Some("https://s.example.com/mono.wav"),
        ),
        (
            json!({"artifact": {"presignedMonoUrl": "https://s.example.com/f.wav", "logUrl": "https://s.example.com/log"}}),
            None,
        ),
        (json!({"recordingUrl": "https://user:pass@s.example.com/g.wav"}), None),
        (json!({"recordingUrl": "javascript:alert(1)"}), None),
        (json!({"recordingUrl": "https://"}), None),
        (json!({"recordingUrl": "https://s.example.com/a b"}), None),
        (json!({"recordingUrl": format!("https://s.example.com/{}", "h".repeat(3000))}), None),
    ] {
        assert_eq!(value(call_of(message.clone()).recording_url.as_ref()).as_deref(), url, "{message}");
    }
}

#[test]
fn an_appointment_is_noted_in_any_of_four_places_and_spellings() {
    let fields = [
        json!({"appointment_date": "2027-01-27", "appointment_time": "2 PM"}),
        json!({"appointmentDate": "2027-01-27", "appointmentTime": "2 PM"}),
        json!({"Appointment Date": "2027-01-27", "appointment time": " 2 PM "}),
        json!({"other": [1, {"x": 2}], "appointment": {"appointment_date": "2027-01-27", "appointmentTime": "2 PM"}}),
        json!({"appointment": {"date": "2027-01-27", "time": "2 PM"}}),
        json!({"booking": [{"Date": ["2027-01-27"], "time": "2 PM"}]}),
        json!({"a": {"b": {"reservation": {"date": "2027-01-27", "time": "2 PM"}}}}),
        json!({"appointments": [{"appointment_date": "2027-01-27", "time": "2 PM"}]}),
        json!({"appointment_date": ["2027-01-27"], "appointment_time": ["2 PM"]}),
    ];
    let expected = Some(AppointmentRequest {
        date: Some("2027-01-27".to_owned()),
        time: Some("2 PM".to_owned()),
        ..AppointmentRequest::default()
    });
    for fields in fields {
        for message in [
            json!({"analysis": {"structuredData": fields}}),
            json!({"artifact": {"structuredOutputs": {"7898e478": {"name": "Booking", "result": fields}}}}),
            json!({"artifact": {"structuredOutputs": [{"name": "Booking", "result": fields}]}}),
            json!({"artifact": {"structuredOutputs": {"7898e478": {"name": "Bookings", "result": [fields]}}}}),
            json!({"analysis": {"structuredOutputs": {"7898e478": {"name": "Booking", "result": fields}}}}),
            json!({"analysis": {"structuredOutputs": fields}}),
            json!({"analysis": {"structured_data": fields}}),
            json!({"structured_data": fields}),
            json!({"call": {"analysis": {"structuredData": fields}}}),
        ] {
            assert_eq!(value(call_of(message.clone()).appointment.as_ref()), expected, "{message}");
        }
    }
    for outputs in [
        json!({"1": {"name": "Appointment Date", "result": "2027-01-27"}, "2": {"name": "appointment_time", "result": "2 PM"}}),
        json!([{"name": "Appointment Date", "result": "2027-01-27"}, {"name": "appointmentTime", "result": "2 PM"}]),
        json!({"appointment_date": {"result": "2027-01-27"}, "appointment_time": {"result": "2 PM"}, "3": {"name": "CSAT", "result": 8}}),
    ] {
        let call = call_of(json!({"artifact": {"structuredOutputs": outputs}}));
        assert_eq!(value(call.appointment.as_ref()), expected, "{outputs}");
    }
}

#[test]
fn all_fields_of_an_appointment_are_kept_as_text() {
    let call = call_of(json!({"analysis": {"structuredData": {
        "intent": "Scheduling", "appointment_booked": "true", "appointment_date": "2027-01-27", "appointment_time": "14:00",
        "appointment_type": "Consultation", "appointment_notes": "Bring\nthe list.", "appointment_duration": 45,
        "appointment_time_zone": "America/New_York",
    }}}));
    let text = |text: &str| Some(text.to_owned());
    assert_eq!(
        call.appointment.unwrap().value,
        AppointmentRequest {
            intent: text("Scheduling"),
            booked: Some(true),
            date: text("2027-01-27"),
            time: text("14:00"),
            kind: text("Consultation"),
            notes: text("Bring\nthe list."),
            duration: text("45"),
            time_zone: text("America/New_York"),
            ..AppointmentRequest::default()
        }
    );
}

#[test]
fn words_for_nothing_are_absent_and_the_next_source_is_asked() {
    let call = call_of(json!({
        "analysis": {"structuredData": {"appointment_date": "N/A", "appointment_time": "", "appointment_type": null,
                                        "appointment_notes": "None", "appointment_booked": "perhaps", "intent": "Scheduling"}},
        "artifact": {"structuredOutputs": {"1": {"name": "x", "result": {"appointment_date": "2027-01-27", "intent": "Other"}}}},
    }));
    let noted = call.appointment.unwrap().value;
    assert_eq!((noted.date.as_deref(), noted.intent.as_deref()), (Some("2027-01-27"), Some("Scheduling")));
    assert_eq!((noted.time, noted.kind, noted.notes), (None, None, None));
    assert_eq!((noted.booked, noted.stated.as_deref()), (Some(false), Some("appointment_booked: perhaps")));
    let nothing =
        call_of(json!({"analysis": {"structuredData": {"appointment_date": "null", "mood": "good"}}}));
    assert_eq!(nothing.appointment, None);
}

/// The appointment of structured outputs as day, time and type.
fn noted_in(outputs: &Value) -> [Option<String>; 3] {
    let call = call_of(json!({"artifact": {"structuredOutputs": outputs}}));
    let noted = value(call.appointment.as_ref()).unwrap_or_default();
    [noted.date, noted.time, noted.kind]
}

#[test]
fn the_day_of_one_appointment_is_not_mixed_with_the_time_of_another() {
    let visit =
        json!({"appointment_date": "2027-01-27", "appointment_time": "2 PM", "appointment_type": "Visit"});
    let day =
        json!({"appointment_date": "2027-01-20", "appointment_time": "N/A", "appointment_type": "Callback"});
    let time = json!({"appointment_time": "9 AM", "appointment_notes": "Ring twice."});
    let unreadable = json!({"appointment_date": "next Monday", "appointment_time": "9 AM"});
    let text = |text: &str| Some(text.to_owned());
    let is_visit = [text("2027-01-27"), text("2 PM"), text("Visit")];
    for outputs in [
        json!({"1": {"name": "Appointments", "result": [day, visit]}}),
        json!({"1": {"name": "Appointments", "result": [visit, day]}}),
        json!({"1": {"name": "Callback", "result": day}, "2": {"name": "Visit", "result": visit}}),
        json!({"1": {"name": "Callback", "result": time}, "2": {"name": "Visit", "result": visit}}),
        json!({"1": {"name": "Callback", "result": unreadable}, "2": {"name": "Visit", "result": visit}}),
        json!({"1": {"name": "Visit", "result": visit}, "2": {"name": "Appointment Type", "result": "Other"}}),
        json!({"1": {"name": "Appointment Time", "result": "9 AM"}, "2": {"name": "Visit", "result": visit}}),
    ] {
        assert_eq!(noted_in(&outputs), is_visit, "{outputs}");
    }
    for (outputs, expected) in [
        (json!([day, time]), [text("2027-01-20"), None, text("Callback")]),
        (json!([time, day]), [text("2027-01-20"), None, text("Callback")]),
        (json!([unreadable, day]), [text("next Monday"), text("9 AM"), None]),
        (json!([time]), [None, text("9 AM"), None]),
    ] {
        let outputs = json!({"1": {"name": "Appointments", "result": outputs}});
        assert_eq!(noted_in(&outputs), expected, "{outputs}");
    }
}

#[test]
fn a_single_output_completes_what_no_object_says() {
    let day = json!({"appointment_date": "2027-01-20"});
    let kind = json!({"appointment_type": "Visit"});
    let time = json!({"appointment_time": "9 AM"});
    let single = json!({"name": "Appointment Time", "result": "2 PM"});
    let text = |text: &str| Some(text.to_owned());
    for (outputs, expected) in [
        (json!([single, {"name": "x", "result": day}]), [text("2027-01-20"), text("2 PM"), None]),
        (json!([single, {"name": "x", "result": [day, kind]}]), [text("2027-01-20"), text("2 PM"), None]),
        (json!([single, {"name": "x", "result": [day, time]}]), [text("2027-01-20"), None, None]),
        (
            json!([single, {"name": "x", "result": kind}, {"name": "appointment_date", "result": "2027-01-20"}]),
            [text("2027-01-20"), text("2 PM"), text("Visit")],
        ),
    ] {
        assert_eq!(noted_in(&outputs), expected, "{outputs}");
    }
}

#[test]
fn an_appointment_may_be_an_object_inside_an_object() {
    let visit = json!({"appointment_date": "2027-01-27", "appointmentTime": "2 PM"});
    let day = json!({"appointment_date": "2027-01-20"});
    let noted = |data: Value| {
        let call = call_of(json!({"analysis": {"structuredData": data}}));
        value(call.appointment.as_ref()).map(|noted| (noted.date, noted.time, noted.intent))
    };
    let text = |text: &str| Some(text.to_owned());
    let is_visit = Some((text("2027-01-27"), text("2 PM"), None));
    assert_eq!(noted(json!({"booking": visit})), is_visit);
    assert_eq!(noted(json!({"a": day, "booking": visit})), is_visit);
    assert_eq!(noted(json!({"appointment_time": "9 AM", "booking": visit})), is_visit);
    assert_eq!(
        noted(
            json!({"a": {"appointment_date": "2027-01-27", "intent": "Scheduling"}, "lead": {"intent": "Buying"}})
        ),
        Some((text("2027-01-27"), None, text("Scheduling")))
    );
    let outputs = json!({"1": {"name": "Call", "result": {"booking": visit}}});
    let call = call_of(json!({"artifact": {"structuredOutputs": outputs}}));
    assert_eq!(call.appointment.unwrap().value.date, text("2027-01-27"));
    for deep in [json!({"a": {"b": visit}}), json!({"a": [visit]}), json!([{"a": [[visit]]}])] {
        assert_eq!(noted(deep.clone()), is_visit, "{deep}");
    }
    assert_eq!(
        noted(json!({"lead": {"intent": "Buying", "date": "2027-01-27", "status": "cancelled"}})),
        None
    );
}

#[test]
fn whether_there_is_an_appointment_is_said_anywhere_but_not_of_another() {
    let visit = json!({"appointment_date": "2027-01-27", "appointment_time": "2 PM"});
    let given_up =
        json!({"appointment_date": "2027-01-20", "appointment_time": "3 PM", "appointment_booked": false});
    let booked = |outputs: Value| {
        let call = call_of(json!({"artifact": {"structuredOutputs": outputs}}));
        let noted = call.appointment.unwrap().value;
        (noted.date.unwrap(), noted.booked)
    };
    let no = json!({"name": "Appointment Booked", "result": false});
    let unsaid = json!({"name": "x", "result": [given_up, visit]});
    assert_eq!(booked(json!([unsaid])), ("2027-01-27".to_owned(), None));
    assert_eq!(booked(json!([unsaid, no])), ("2027-01-27".to_owned(), Some(false)));
    let apart = json!({"name": "x", "result": [{"appointmentBooked": false}, visit]});
    assert_eq!(booked(json!([apart])), ("2027-01-27".to_owned(), Some(false)));
    let completed =
        json!({"name": "x", "result": {"appointment_date": "2027-01-27", "appointment_booked": false}});
    let time = json!({"name": "Appointment Time", "result": "2 PM"});
    assert_eq!(booked(json!([completed, time])), ("2027-01-27".to_owned(), Some(false)));
    let alone = json!({"name": "x", "result": given_up});
    assert_eq!(booked(json!([alone])), ("2027-01-20".to_owned(), Some(false)));
}

#[test]
fn a_denial_is_heard_in_any_spelling_and_place() {
    for (data, stated) in [
        (json!({"appointment_scheduled": false}), "appointment_scheduled: false"),
        (json!({"appointmentConfirmed": "No"}), "appointmentConfirmed: No"),
        (json!({"Appointment Set": 0}), "Appointment Set: 0"),
        (json!({"appointment_made": "false"}), "appointment_made: false"),
        (json!({"appointment_cancelled": true}), "appointment_cancelled: true"),
        (json!({"booking_confirmed": false}), "booking_confirmed: false"),
        (json!({"appointment_status": "cancelled"}), "appointment_status: cancelled"),
        (json!({"appointmentStatus": "No-Show"}), "appointmentStatus: No-Show"),
        (json!({"Appointment Status": ["declined"]}), "Appointment Status: declined"),
        (json!({"status": "pending"}), "status: pending"),
        (json!({"status": "not booked", "appointment_booked": true}), "status: not booked"),
        (json!({"appointment": {"booked": false}}), "appointment booked: false"),
        (json!({"appointment_is_cancelled": "true"}), "appointment_is_cancelled: true"),
        (json!({"appointment_no_show": true}), "appointment_no_show: true"),
        (json!({"appointment_pending": true}), "appointment_pending: true"),
        (json!({"is_appointment_booked": false}), "is_appointment_booked: false"),
        (json!({"has_appointment": "no"}), "has_appointment: no"),
        (json!({"appointment_booking_confirmed": false}), "appointment_booking_confirmed: false"),
        (json!({"appointment_state": "cancelled"}), "appointment_state: cancelled"),
        (json!({"booking_status": "to be confirmed"}), "booking_status: to be confirmed"),
        (json!({"appointment": false}), "appointment: false"),
        (json!({"appointment_booked": {"value": false}}), "appointment_booked: false"),
        (json!({"appointment_booked": {"by": "Ann"}}), "appointment_booked: …"),
        (json!({"appointment_type": "Cancellation"}), "appointment_type: Cancellation"),
        (json!({"call_intent": "Reschedule"}), "call_intent: Reschedule"),
        (json!({"booked": false}), "booked: false"),
        (json!({"appointment_booked": "Nein"}), "appointment_booked: Nein"),
        (
            json!({"appointment_booked": "maybe", "appointment_status": "cancelled"}),
            "appointment_status: cancelled",
        ),
    ] {
        let mut flat = json!({"appointment_date": "2027-01-27", "appointment_time": "2 PM"});
        flat.as_object_mut().unwrap().extend(data.as_object().unwrap().clone());
        let outputs: Vec<_> = flat
            .as_object()
            .unwrap()
            .iter()
            .map(|(name, result)| json!({"name": name, "result": result}))
            .collect();
        let mut shapes = vec![
            json!({"analysis": {"structuredData": flat}}),
            json!({"analysis": {"structuredData": flat.to_string()}}),
            json!({"artifact": {"structuredOutputs": {"appointment": flat}}}),
        ];
        // Alone, a bare name is not an appointment's.
        if data["status"].is_null() && data["booked"].is_null() && !data["appointment"].is_object() {
            shapes.push(json!({"artifact": {"structuredOutputs": outputs}}));
        }
        for message in shapes {
            let noted = call_of(message.clone()).appointment.unwrap().value;
            let said = noted.stated.unwrap_or_default();
            assert_eq!(
                (noted.booked, said.trim_start_matches("appointment ")),
                (Some(false), stated.trim_start_matches("appointment ")),
                "{message}"
            );
        }
    }
    for (said, booked) in [
        (json!({"appointment_status": "confirmed"}), Some(true)),
        (json!({"appointment_booked": "yes", "status": "ringing"}), Some(true)),
        (json!({"status": "new lead"}), None),
        (json!({"appointment_booked": "N/A"}), None),
        (json!({"appointment_cancelled": false}), None),
        (json!({"confirmed": "sms sent"}), None),
        (json!({"status": "No further action"}), None),
    ] {
        let mut data = json!({"appointment_date": "2027-01-27"});
        data.as_object_mut().unwrap().extend(said.as_object().unwrap().clone());
        let noted = call_of(json!({"analysis": {"structuredData": data}})).appointment.unwrap().value;
        assert_eq!((noted.booked, noted.stated), (booked, None), "{said}");
    }
}

#[test]
fn bare_names_beside_an_appointments_own_are_only_what_is_missing() {
    let appointment =
        |data: Value| call_of(json!({"analysis": {"structuredData": data}})).appointment.unwrap().value;
    let text = |text: &str| Some(text.to_owned());
    let beside = appointment(json!({
        "appointment_date": "2027-01-27", "time": "2 PM", "start": "2026-11-28T13:28:57Z", "end": "2026-11-28T13:31:02Z",
        "timezone": "America/New_York", "location": "12 High Street", "type": "Visit", "duration": 30,
    }));
    assert_eq!(
        (beside.date, beside.time, beside.date_time, beside.end),
        (text("2027-01-27"), text("2 PM"), None, None)
    );
    assert_eq!((beside.time_zone, beside.location), (text("America/New_York"), text("12 High Street")));
    assert_eq!((beside.kind, beside.duration), (text("Visit"), text("30")));
    let called = appointment(
        json!({"booking": {"start": "2027-01-27T14:00", "end": "2027-01-27T15:00", "preferred": "mornings"}}),
    );
    assert_eq!((called.date_time, called.end), (text("2027-01-27T14:00"), text("2027-01-27T15:00")));
    assert_eq!(called.unread, Some(vec!["preferred: mornings".to_owned()]));
    let apart = appointment(
        json!({"appointment_datetime": "2027-01-27T14:00", "appointment_start": "2027-01-27T15:00"}),
    );
    assert_eq!(apart.date_time, text("2027-01-27T14:00 / 2027-01-27T15:00"));
    let of_the_call = appointment(json!({"appointment_booked": true, "start": "2026-11-28T13:28:57Z"}));
    assert_eq!((of_the_call.booked, of_the_call.date_time), (Some(true), None));
    let only_booked = appointment(json!({"booked": true, "date": "2027-01-27", "time": "2 PM"}));
    assert_eq!((only_booked.booked, only_booked.date), (Some(true), text("2027-01-27")));
    let flag = appointment(json!({"appointment_booked": true, "datetime": "2027-01-27T14:00"}));
    assert_eq!((flag.booked, flag.date_time), (Some(true), text("2027-01-27T14:00")));
}

#[test]
fn a_verdict_beside_an_appointment_is_heard() {
    let visit = json!({"date": "2027-01-27", "time": "14:00"});
    for data in [
        json!({"appointment": visit, "booked": false}),
        json!({"appointment": visit, "status": "cancelled"}),
        json!({"appointment": visit, "confirmed": false}),
        json!({"appointments": [visit], "status": "no-show"}),
        json!({"appointment": visit, "appointment_status": "declined"}),
        json!([{"booked": false, "date": "January 27", "time": "2 PM"}, {"appointment": visit}]),
        json!({"appointment": {"date": "2027-01-27", "time": "14:00", "confirmation": {"status": "declined"}}}),
    ] {
        let message = json!({"analysis": {"structuredData": data}});
        assert_eq!(call_of(message.clone()).appointment.unwrap().value.booked, Some(false), "{message}");
    }
    let output = |name: &str, result: Value| json!({"name": name, "result": result});
    for outputs in [
        json!([output("Appointment", visit.clone()), output("Booked", json!(false))]),
        json!([output("appointment_date", json!("2027-01-27")), output("Status", json!("cancelled"))]),
    ] {
        let message = json!({"artifact": {"structuredOutputs": outputs}});
        assert_eq!(call_of(message.clone()).appointment.unwrap().value.booked, Some(false), "{message}");
    }
    // Of a call without an appointment such words say nothing.
    let call = call_of(json!({"analysis": {"structuredData": {"status": "cancelled", "topic": "invoice"}}}));
    assert_eq!(call.appointment, None);
}

#[test]
fn an_appointment_may_lie_in_parts() {
    let when = |data: Value| {
        let noted = call_of(json!({"analysis": {"structuredData": data}})).appointment.unwrap().value;
        (noted.date, noted.time.or(noted.date_time), noted.end, noted.others)
    };
    let text = |text: &str| Some(text.to_owned());
    let at_two = (text("2027-01-27"), text("14:00"), None, None);
    for data in [
        json!({"appointment": {"details": {"date": "2027-01-27", "time": "14:00"}}}),
        json!({"appointments": {"items": [{"date": "2027-01-27", "time": "14:00"}]}}),
        json!({"appointment_date": "2027-01-27", "appointment_details": {"time": "14:00"}}),
        json!({"appointment_time": "14:00", "appointment": {"date": "2027-01-27"}}),
        json!("```json\n{\"appointment_date\": \"2027-01-27\", \"appointment_time\": \"14:00\"}\n```"),
    ] {
        assert_eq!(when(data.clone()), at_two, "{data}");
    }
    let (date, start, end, others) = when(
        json!({"appointment_date": "2027-01-27", "appointment_time": {"start": "14:00", "end": "15:00"}}),
    );
    assert_eq!((date, start, end, others), (text("2027-01-27"), text("14:00"), text("15:00"), None));
    let slot =
        when(json!({"appointment": {"slot": {"start": "2027-01-27T14:00", "end": "2027-01-27T15:00"}}}));
    assert_eq!((slot.1, slot.2), (text("2027-01-27T14:00"), text("2027-01-27T15:00")));
}

#[test]
fn what_is_noted_under_other_names_does_not_vanish() {
    let unread = |message: Value| {
        call_of(message).appointment.and_then(|noted| noted.value.unread).unwrap_or_default()
    };
    assert_eq!(
        unread(
            json!({"analysis": {"structuredData": {"booking_date": "2027-01-27", "appointment_day": "Friday",
            "appointment_needed": false, "bookingReference": "none", "mood": "good"}}})
        ),
        ["appointment_day: Friday", "booking_date: 2027-01-27"]
    );
    let output = json!({"1": {"name": "Appointment", "result": "Tuesday, 3 in the afternoon"}});
    assert_eq!(
        unread(json!({"artifact": {"structuredOutputs": output}})),
        ["Appointment: Tuesday, 3 in the afternoon"]
    );
    let request = json!({"1": {"name": "Appointment Request", "result": {"preferredDate": "2027-01-27"}}});
    assert_eq!(unread(json!({"artifact": {"structuredOutputs": request}})), ["preferredDate: 2027-01-27"]);
}

#[test]
fn several_appointments_are_all_kept_the_first_in_time_first() {
    let visit = |day: u32, time: &str| json!({"appointment_date": format!("2027-01-{day}"), "appointment_time": time});
    let noted = |list: &Value| {
        let noted = call_of(json!({"analysis": {"structuredData": {"appointments": list}}}))
            .appointment
            .unwrap()
            .value;
        let others = noted.others.unwrap_or_default().into_iter().map(|other| other.date.unwrap());
        (noted.date.unwrap(), others.collect::<Vec<_>>())
    };
    let dates = |days: &[u32]| days.iter().map(|day| format!("2027-01-{day}")).collect::<Vec<_>>();
    for (list, first, others) in [
        (json!([visit(27, "2 PM"), visit(22, "3 PM")]), 22, dates(&[27])),
        (json!([visit(27, "whenever"), visit(22, "3 PM")]), 22, dates(&[27])),
        (json!([visit(22, "3 PM"), visit(22, "15:00")]), 22, dates(&[])),
        (json!([visit(22, "3 PM"), {"appointment_date": "2027-01-22"}]), 22, dates(&[])),
        (
            json!([visit(22, "3 PM"), {"appointment_date": "2027-01-23", "appointment_time": "3 PM", "appointment_booked": false}]),
            22,
            dates(&[]),
        ),
        (
            json!([visit(22, "3 PM"), {"appointment_date": "2027-01-23", "appointment_booked": "maybe"}]),
            22,
            dates(&[23]),
        ),
    ] {
        assert_eq!(noted(&list), (format!("2027-01-{first}"), others), "{list}");
    }
    let many = json!((22..31).map(|day| visit(day, "3 PM")).collect::<Vec<_>>());
    let noted =
        call_of(json!({"analysis": {"structuredData": {"appointments": many}}})).appointment.unwrap().value;
    let others = noted.others.unwrap();
    assert_eq!((others.len(), others[3].unread.clone().unwrap()), (4, vec!["5 more".to_owned()]));
}

#[test]
fn the_caller_is_known_by_what_they_said() {
    let of = |data: Value| call_of(json!({"analysis": {"structuredData": data}}));
    for (data, name, number) in [
        (
            json!({"customerName": "Ann Invented", "customerEmail": "ann@example.com"}),
            Some("Ann Invented"),
            None,
        ),
        (json!({"caller_name": "Ann"}), Some("Ann"), None),
        (json!({"first_name": "Ann", "lastName": "Invented"}), Some("Ann Invented"), None),
        (json!({"Full Name": "Not provided", "first_name": "Ann"}), Some("Ann"), None),
        (json!({"caller": {"name": "Ann", "phone": "737-555-0101"}}), Some("Ann"), Some("737-555-0101")),
        (json!({"agent": {"name": "Bot", "phone": "737-555-0101"}, "name": "Survey"}), None, None),
        (json!({"full_name": "12345"}), None, None),
        (json!({"phone_number": "737-555-0101"}), None, Some("737-555-0101")),
        (json!({"callbackNumber": 7_375_550_101_i64}), None, Some("7375550101")),
        (
            json!({"phone_number": "same as caller", "callback_number": "737-555-0101"}),
            None,
            Some("737-555-0101"),
        ),
    ] {
        let call = of(data.clone());
        assert_eq!(value(call.customer_name.as_ref()).as_deref(), name, "{data}");
        assert_eq!(value(call.given_number.as_ref()).as_deref(), number, "{data}");
        assert_eq!(call.customer_number, None, "{data}");
    }
    let outputs = json!({"1": {"name": "Full Name", "result": "Ann"}, "2": {"name": "phone_number", "result": "737-555-0101"}});
    let call = call_of(json!({"artifact": {"structuredOutputs": outputs}, "customer": {"name": "Vapi's"}}));
    assert_eq!(value(call.customer_name.as_ref()).as_deref(), Some("Vapi's"));
    assert_eq!(value(call.given_number.as_ref()).as_deref(), Some("737-555-0101"));
}

#[test]
fn whoever_starts_a_web_call_may_say_whose_it_is() {
    let web = |more: Value| {
        let mut call = json!({"type": "webCall"});
        call.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        call_of(json!({"call": call}))
    };
    for (values, number) in [
        (json!({"phone": "+1 737-555-0101"}), Some("+1 737-555-0101")),
        (json!({"phoneNumber": "+17375550101"}), Some("+17375550101")),
        (json!({"customer_phone": "7375550101"}), Some("7375550101")),
        (json!({"phoneNumber.twilioAuthToken": "0123456789abcdef", "phone": "N/A"}), None),
        (json!({"telephone": "+17375550101", "phone_code": "123456"}), None),
        (json!({"phone": format!("12345{}6", " ".repeat(1_000_000))}), Some("12345")),
        (json!("+17375550101"), None),
    ] {
        let call = web(json!({"assistantOverrides": {"variableValues": values}}));
        assert_eq!(value(call.customer_number.as_ref()).as_deref(), number, "{values}");
    }
    let id = "00QA0000006Vm9rMAC";
    for more in [
        json!({"assistantOverrides": {"metadata": {"salesforceRecordId": id}}}),
        json!({"assistantOverrides": {"metadata": {"salesforce_record_id": id}}}),
        json!({"metadata": {"salesforceRecordId": id}}),
        json!({"assistant": {"metadata": {"salesforceRecordId": id}}}),
    ] {
        assert_eq!(value(web(more.clone()).record_id.as_ref()).as_deref(), Some(id), "{more}");
    }
    // A telephone's number is the network's to say.
    let phone = call_of(json!({"call": {
        "type": "inboundPhoneCall", "assistantOverrides": {"variableValues": {"phone": "+17375550101"}},
    }}));
    assert_eq!(phone.customer_number, None);
}

#[test]
fn a_transcript_is_a_text_a_list_or_in_the_messages() {
    let messages = json!([
        {"role": "system", "message": "You are a receptionist."},
        {"role": "bot", "message": "Hello."},
        {"role": "tool_calls", "message": null},
        {"role": "tool_call_result", "result": "{}", "message": "42"},
        {"role": "user", "message": "Hi."},
    ]);
    let open_ai = json!([
        {"role": "system", "content": "You are a receptionist."},
        {"role": "assistant", "content": null},
        {"role": "assistant", "content": "Hello."},
        {"role": "user", "content": [{"type": "text", "text": "Hi."}, {"type": "audio"}]},
    ]);
    let said = "AI: Hello.\nUser: Hi.";
    for (message, transcript) in [
        (json!({"artifact": {"transcript": ["AI: Hello.", "User: Hi."], "messages": messages}}), Some(said)),
        (
            json!({"transcript": [{"role": "agent", "content": "Hello."}, {"role": "user", "text": "Hi."}]}),
            Some(said),
        ),
        (json!({"artifact": {"transcript": "", "messages": messages}}), Some(said)),
        (json!({"messages": messages}), Some(said)),
        (json!({"artifact": {"messagesOpenAIFormatted": open_ai}}), Some(said)),
        (
            json!({"call": {"transcript": said}, "messages": [{"role": "user", "message": "Other"}]}),
            Some(said),
        ),
        (
            json!({"artifact": {"messages": [{"role": "system", "message": "You are a receptionist."}, 5, null]}}),
            None,
        ),
        (json!({"transcript": {"role": "user"}, "messages": "none"}), None),
    ] {
        assert_eq!(value(call_of(message.clone()).transcript.as_ref()).as_deref(), transcript, "{message}");
    }
    let many: Vec<_> =
        (0..100_000).map(|n| json!({"role": "user", "message": format!("word {n}")})).collect();
    let transcript = call_of(json!({"messages": many})).transcript.unwrap().value;
    assert!(transcript.chars().count() <= 32_000 && transcript.ends_with(CUT));
}

#[test]
fn a_transfer_says_to_whom() {
    for (destination, to) in [
        (json!({"type": "number", "number": "+12345550177", "extension": "5"}), Some("+12345550177 ext. 5")),
        (json!({"type": "number", "number": "+12345550177"}), Some("+12345550177")),
        (json!({"type": "sip", "sipUri": "sip:desk@example.com"}), Some("sip:desk@example.com")),
        (json!({"type": "assistant", "assistantName": "Second"}), None),
        (Value::Null, None),
    ] {
        let call = call_of(json!({"destination": destination}));
        assert_eq!(value(call.transferred_to.as_ref()).as_deref(), to, "{destination}");
    }
}

#[test]
fn a_call_that_nobody_answered_has_the_day_of_its_report_or_its_creation() {
    let created = json!({"createdAt": "2026-11-20T15:00:00.000Z"});
    for (message, expected) in [
        (json!({"timestamp": 1_800_457_180_909_i64, "call": created}), Some("2027-01-20T14:59:40.909Z")),
        (json!({"call": created}), Some("2026-11-20T15:00:00Z")),
        (json!({}), None),
    ] {
        assert_eq!(value(call_of(message.clone()).happened_at.as_ref()), expected.map(at), "{message}");
    }
}

#[test]
fn a_report_of_a_chat_or_a_session_only_informs() {
    for of in ["chat", "session"] {
        let mut message = json!({"type": "end-of-call-report", "analysis": {"summary": "s"}});
        message[of] = json!({"id": "chat-1"});
        let informs = ServerMessage::Informs { kind: "end-of-call-report".to_owned() };
        assert_eq!(read(&json!({ "message": message })), Ok(informs), "{of}");
        message["call"] = json!({"id": CALL_ID});
        assert!(matches!(read(&json!({ "message": message })), Ok(ServerMessage::Report(_))), "{of}");
    }
}

#[test]
fn only_messages_that_expect_an_answer_are_told_apart() {
    for kind in EXPECT_ANSWER {
        assert_eq!(
            read(&json!({"message": {"type": kind}})),
            Ok(ServerMessage::ExpectsAnswer { kind: kind.to_owned() })
        );
    }
    for kind in ["status-update", "transcript[transcriptType=\"final\"]", "hang", "something.new"] {
        assert_eq!(
            read(&json!({"message": {"type": kind, "call": {}}})),
            Ok(ServerMessage::Informs { kind: kind.to_owned() })
        );
    }
}

#[test]
fn what_is_no_message_is_refused_by_the_fields_name() {
    let long = "x".repeat(129);
    for (body, code, text) in [
        ("", "malformed_json", "the body is not valid JSON: line 1, column 0"),
        ("hello", "malformed_json", "the body is not valid JSON: line 1, column 1"),
        ("{\n\"message\": {,}}", "malformed_json", "the body is not valid JSON: line 2, column 13"),
        ("{\"message\": {}} x", "malformed_json", "the body is not valid JSON: line 1, column 17"),
        ("[]", "invalid_field", "the body must be a JSON object"),
        ("null", "invalid_field", "the body must be a JSON object"),
        ("{}", "missing_field", "message is missing"),
        (r#"{"message":null}"#, "missing_field", "message is missing"),
        (r#"{"message":"secret"}"#, "invalid_field", "message must be a JSON object"),
        (r#"{"message":{}}"#, "missing_field", "message.type is missing"),
        (
            r#"{"message":{"type":5}}"#,
            "invalid_field",
            "message.type must be a text, such as end-of-call-report",
        ),
        (r#"{"message":{"type":"end-of-call-report"}}"#, "missing_field", "message.call.id is missing"),
        (
            r#"{"message":{"type":"end-of-call-report","chat":null}}"#,
            "missing_field",
            "message.call.id is missing",
        ),
        (
            r#"{"message":{"type":"end-of-call-report","call":{"id":null}}}"#,
            "missing_field",
            "message.call.id is missing",
        ),
        (
            r#"{"message":{"type":"end-of-call-report","call":{"id":"a b"}}}"#,
            "invalid_field",
            "message.call.id must be 1 to 128 of A-Z, a-z, 0-9, _ and -",
        ),
        (
            &format!(r#"{{"message":{{"type":"end-of-call-report","call":{{"id":"{long}"}}}}}}"#),
            "invalid_field",
            "message.call.id must be 1 to 128 of A-Z, a-z, 0-9, _ and -",
        ),
    ] {
        let error = parse(body.as_bytes(), received_at()).unwrap_err();
        assert_eq!((error.code(), error.to_string().as_str()), (code, text), "{body}");
    }
}

#[test]
fn a_long_transcript_is_cut_and_says_so() {
    let whole = "é".repeat(32_000);
    let call = call_of(json!({"artifact": {"transcript": whole}}));
    assert_eq!(value(call.transcript.as_ref()), Some(whole));
    let call = call_of(json!({"artifact": {"transcript": "𠮟".repeat(32_001)}}));
    let cut = call.transcript.unwrap().value;
    assert_eq!(cut.chars().count(), 32_000);
    assert!(cut.starts_with('𠮟') && cut.ends_with(CUT));
}

#[test]
fn control_characters_and_broken_surrogates_cost_no_call() {
    let body = format!(
        r#"{{"message":{{"type":"end-of-call-report","call":{{"id":"{CALL_ID}"}},"summary":"a\u0000b\u001b[31m\r\nc\ud83d!",
            "transcript":"\ude00 half","artifact":{{"messages":[{{"message":"\ud83d"}}]}}}}}}"#
    );
    let Ok(ServerMessage::Report(call)) = parse(body.as_bytes(), received_at()) else { panic!() };
    let summary = call.summary.unwrap().value;
    assert!(summary.starts_with("ab[31m\nc") && summary.ends_with('!'), "{summary:?}");
    assert!(call.transcript.unwrap().value.ends_with(" half"));
}

#[test]
fn the_largest_call_is_a_message_that_sqs_takes() {
    for filling in ["𠮟", "\"", "\\", "é"] {
        let text = filling.repeat(100_000);
        let mut message = report();
        message["analysis"]["summary"] = json!(text);
        message["artifact"]["transcript"] = json!(text);
        message["endedReason"] = json!(text);
        message["customer"] = json!({"number": text, "name": text});
        message["artifact"]["recording"] =
            json!({"mono": {"combinedUrl": format!("https://s.example.com/{text}")}});
        message["analysis"]["structuredData"] = json!({
            "intent": text, "appointmentDate": text, "appointmentTime": text, "appointmentType": text,
            "appointmentNotes": text, "appointmentDuration": text, "appointmentTimeZone": text,
            "appointmentDatetime": text, "appointmentEnd": text, "appointmentLocation": text, "appointmentStatus": text,
            "callbackNumber": format!("12345{text}"), "fullName": text,
            "others": (0..9).map(|n| json!({"appointment_date": format!("{n}{text}"), "appointment_time": text,
                "appointment_notes": text, "appointment_type": text, "appointment_end": text,
                format!("appointment_x{n}"): text})).collect::<Vec<_>>(),
        });
        message["destination"] = json!({"number": text, "extension": text});
        message["call"]["metadata"] = json!({"salesforceRecordId": text});
        let kept = serde_json::to_string(&call_of(message)).unwrap();
        assert!(kept.len() < 240 * 1024, "{filling}: {}", kept.len());
    }
}

/// Lambda's limit is 6 MB. The time is not asserted, but a quadratic parser would be noticed.
#[test]
fn a_report_of_four_megabytes_is_small_afterwards() {
    let mut message = report();
    let turn = json!({"role": "user", "message": "well ".repeat(160), "metadata": {"wordLevelConfidence": [0.5, 0.7]}});
    message["messages"] = json!(vec![turn.clone(); 2500]);
    message["artifact"]["messages"] = json!(vec![turn; 2500]);
    message["artifact"]["transcript"] = json!("User: well ".repeat(100_000));
    let body = json!({"message": message}).to_string();
    assert!(body.len() > 4_000_000);
    assert!(serde_json::to_string(&call_of(message)).unwrap().len() < 40_000);
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            proptest::collection::btree_map("name|result|number|summary|appointment_date|x", inner, 0..3)
                .prop_map(|members| members.into_iter().collect::<serde_json::Map<_, _>>().into()),
        ]
    })
}

proptest! {
    #[test]
    fn a_field_of_any_shape_costs_no_call(
        field in "timestamp|startedAt|durationMs|summary|transcript|recordingUrl|analysis|artifact|customer|structured_data",
        inner in "summary|structuredData|structuredOutputs|transcript|recording|number",
        value in any_json(),
        nested in any::<bool>(),
    ) {
        let mut message = report();
        message[&field] = if nested { json!({ inner: value }) } else { value };
        let call = call_of(message);
        prop_assert_eq!(call.id.as_str(), CALL_ID);
    }

    #[test]
    fn any_bytes_are_read_without_a_panic(body in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = parse(&body, received_at());
    }
}
