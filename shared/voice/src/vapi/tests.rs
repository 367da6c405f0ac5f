//! Reports as Vapi sends them, in their present and older shapes, and messages that are not reports.

mod appointments;

use calls::{appointment::AppointmentRequest, text::CUT};
use crm::phone::{NoPhoneNumber, PhoneNumber};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

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

/// The call from a report whose message has these members, in addition to type and call.
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

/// A full report as of 2026: many facts several times, and much that is not kept.
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
fn a_reports_time_is_its_own_or_when_it_was_received() {
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
fn facts_are_found_in_older_places() {
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

/// From the report to the number that is searched for: of two records with the same number, the extension decides.
#[test]
fn an_extension_in_its_own_field_is_compared() {
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
fn a_recording_link_is_permanent_and_grants_no_access() {
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
fn the_callers_name_and_number_are_read_from_structured_data() {
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
fn a_web_call_may_name_its_caller_when_it_is_started() {
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
    // On a phone call, the number comes from the network.
    let phone = call_of(json!({"call": {
        "type": "inboundPhoneCall", "assistantOverrides": {"variableValues": {"phone": "+17375550101"}},
    }}));
    assert_eq!(phone.customer_number, None);
}

#[test]
fn a_transcript_is_a_text_a_list_or_from_messages() {
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
fn a_transfer_names_its_target() {
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
fn a_call_without_times_has_those_of_its_report_or_creation() {
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
fn a_report_about_a_chat_or_session_is_informational() {
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
fn only_messages_that_expect_a_response_are_distinguished() {
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
fn a_body_that_is_not_a_message_is_refused_with_the_fields_name() {
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
            r#"{"message":{"type":"end-of-call-report","call":{"id":"other~call-1"}}}"#,
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
        let code_of = match error {
            ReportError::Malformed { .. } => "malformed_json",
            ReportError::Missing { .. } => "missing_field",
            ReportError::Invalid { .. } => "invalid_field",
        };
        assert_eq!((code_of, error.to_string().as_str()), (code, text), "{body}");
    }
}

#[test]
fn a_long_transcript_is_cut_and_marked() {
    let whole = "é".repeat(32_000);
    let call = call_of(json!({"artifact": {"transcript": whole}}));
    assert_eq!(value(call.transcript.as_ref()), Some(whole));
    let call = call_of(json!({"artifact": {"transcript": "𠮟".repeat(32_001)}}));
    let cut = call.transcript.unwrap().value;
    assert_eq!(cut.chars().count(), 32_000);
    assert!(cut.starts_with('𠮟') && cut.ends_with(CUT));
}

#[test]
fn control_characters_and_broken_surrogates_never_cost_a_call() {
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
fn the_largest_call_fits_a_queue_message() {
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

/// Lambda's limit is 6 MB. Time is not asserted, but a quadratic parser would be noticed.
#[test]
fn a_report_of_four_megabytes_becomes_small() {
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
    fn a_field_of_any_shape_never_costs_a_call(
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
    fn any_bytes_are_parsed_without_a_panic(body in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = parse(&body, received_at());
    }
}
