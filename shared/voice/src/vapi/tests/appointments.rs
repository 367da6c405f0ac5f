//! What agents note about appointments: places, spellings, nesting, denials.

use super::*;

#[test]
fn an_appointment_is_found_in_any_place_and_spelling() {
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
fn placeholders_are_absent_and_the_next_source_is_used() {
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

/// The appointment in structured outputs, as date, time and type.
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
fn a_single_output_fills_in_what_no_object_has() {
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
fn an_appointment_may_be_a_nested_object() {
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
fn a_flag_counts_anywhere_unless_it_is_about_another_appointment() {
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
fn a_denial_is_found_in_any_spelling_and_place() {
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
        // As a separate output, a bare name is not about an appointment.
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
fn bare_names_next_to_full_names_only_fill_in_what_is_missing() {
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
fn a_verdict_next_to_an_appointment_counts() {
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
    // In a call without an appointment, such words mean nothing.
    let call = call_of(json!({"analysis": {"structuredData": {"status": "cancelled", "topic": "invoice"}}}));
    assert_eq!(call.appointment, None);
}

#[test]
fn an_appointment_may_be_split_into_parts() {
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
fn details_under_other_names_are_kept() {
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
fn several_appointments_are_all_kept_earliest_first() {
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
