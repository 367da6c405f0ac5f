//! What fields mean together: date, time, both in one, zone, end and duration.

use super::*;

#[test]
fn midnight_in_a_date_time_is_not_a_time() {
    // How JavaScript serializes a day in New York.
    let day = request("2027-03-03T05:00:00.000Z", "");
    assert_eq!(refusal(&day).code, "appointment_without_time");
    for midnight in ["2027-03-03T00:00:00Z", "2027-03-03T00:00:00.000-05:00", "2027-03-03T00:00:00"] {
        assert_eq!(start(&request(midnight, "2:00 PM"), NEW_YORK), utc("2027-03-03T19:00:00Z"), "{midnight}");
        for alone in [request(midnight, ""), request("", midnight), request("2027-03-03", midnight)] {
            assert_eq!(refusal(&alone).code, "appointment_without_time", "{alone:?}");
        }
    }
    assert_eq!(refusal(&request("2027-03-03T00:00:00Z", "after lunch")).code, "appointment_time_invalid");
    // An explicit midnight is a time.
    assert_eq!(start(&request("2027-03-03T00:00:00Z", "midnight"), NEW_YORK), utc("2027-03-03T05:00:00Z"));
}

fn dated(date_time: &str) -> AppointmentRequest {
    AppointmentRequest { date_time: Some(date_time.to_owned()), ..AppointmentRequest::default() }
}

#[test]
fn a_date_time_without_an_offset_is_a_local_time() {
    for request in [
        request("2027-01-27T14:00:00", ""),
        request("", "2027-01-27T14:00:00"),
        request("2027-01-27", "2027-01-27T14:00"),
        request("2027-01-27T14:00", "2 PM"),
        dated("2027-01-27T14:00:00.000"),
        dated("2027-01-27 14:00"),
        dated("2027-01-27 2:00 PM"),
        dated("2027-01-27, 2 PM"),
        dated("2027-01-27 at 2pm"),
        AppointmentRequest { date: Some("2027-01-27".to_owned()), ..dated("2 PM") },
        AppointmentRequest { time: Some("14:00".to_owned()), ..dated("2027-01-27") },
    ] {
        assert_eq!(start(&request, NEW_YORK), utc("2027-01-27T19:00:00Z"), "{request:?}");
        let there = AppointmentRequest { time_zone: Some("Europe/London".to_owned()), ..request.clone() };
        assert_eq!(start(&there, NEW_YORK), utc("2027-01-27T14:00:00Z"), "{request:?}");
    }
    for text in ["2027-01-27 2:00", "2027-01-27 whenever", "soon", "27.01.2027 14:00"] {
        assert_eq!(refusal(&dated(text)).code, "appointment_date_invalid", "{text}");
    }
}

#[test]
fn a_time_with_a_zone_is_in_that_zone() {
    for (time, expected) in [
        ("14:00:00-05:00", "2027-01-27T19:00:00Z"),
        ("14:00:00-08:00", "2027-01-27T22:00:00Z"),
        ("14:00+01:00", "2027-01-27T13:00:00Z"),
        ("2:00 p.m. EST", "2027-01-27T19:00:00Z"),
        ("2 PM Eastern", "2027-01-27T19:00:00Z"),
        ("2:00 PM, E.S.T.", "2027-01-27T19:00:00Z"),
        ("2pm (PT)", "2027-01-27T22:00:00Z"),
        ("2 PM Pacific Time", "2027-01-27T22:00:00Z"),
        ("2:00 PM CST", "2027-01-27T20:00:00Z"),
        ("noon CET", "2027-01-27T11:00:00Z"),
        ("14:00 UTC", "2027-01-27T14:00:00Z"),
        ("2 PM GMT-5", "2027-01-27T19:00:00Z"),
        ("2 PM Europe/London", "2027-01-27T14:00:00Z"),
    ] {
        assert_eq!(start(&request("2027-01-27", time), NEW_YORK), utc(expected), "{time}");
        let in_one = dated(&format!("2027-01-27 {time}"));
        assert_eq!(start(&in_one, NEW_YORK), utc(expected), "{in_one:?}");
    }
    for (time, zone, code) in [
        ("2 PM IST", None, "appointment_time_zone_ambiguous"),
        ("2 PM", Some("IST"), "appointment_time_zone_ambiguous"),
        ("2 PM EST", Some("America/Los_Angeles"), "appointment_contradictory"),
        ("14:00:00-05:00", Some("Europe/London"), "appointment_contradictory"),
    ] {
        let request =
            AppointmentRequest { time_zone: zone.map(str::to_owned), ..request("2027-01-27", time) };
        assert_eq!(refusal(&request).code, code, "{time}");
    }
    let agreed =
        AppointmentRequest { time_zone: Some("EST".to_owned()), ..request("2027-01-27", "2 PM Eastern") };
    assert_eq!(start(&agreed, NEW_YORK), utc("2027-01-27T19:00:00Z"));
}

#[test]
fn fields_that_contradict_each_other_are_booked_by_hand() {
    for (date, time) in [
        ("2027-01-27T14:00:00-05:00", "9 AM"),
        ("2027-01-27T14:00:00Z", "3 PM"),
        ("2027-01-27T15:30:00Z", "2:00 PM"),
        ("2027-01-27", "2027-01-20T14:00:00-05:00"),
        // The evening before in New York.
        ("2027-01-27", "2027-01-27T02:00:00Z"),
        ("2027-01-27T14:00:00", "3 PM"),
        ("2027-01-27", "2027-01-28T14:00:00"),
        ("2027-01-27T14:00:00-05:00", "2027-01-27T14:00:00-08:00"),
        ("2027-01-27T14:00:00-05:00", "2 PM PT"),
    ] {
        let reason = refusal(&request(date, time));
        assert_eq!(reason.code, "appointment_contradictory", "{date} {time}");
        assert!(reason.message.contains(date) && reason.message.contains(time), "{}", reason.message);
    }
    for unreadable in [request("next week", "2027-01-27T14:00Z"), request("2027-01-27T14:00Z", "after lunch")]
    {
        assert!(matches!(resolve(&unreadable), Resolution::ByHand { .. }), "{unreadable:?}");
    }
    let third = AppointmentRequest {
        date_time: Some("2027-01-27T15:00:00".to_owned()),
        ..request("2027-01-27", "2 PM")
    };
    assert_eq!(refusal(&third).code, "appointment_contradictory");
}

#[test]
fn fields_that_mean_the_same_agree() {
    for (date, time, expected) in [
        // A serializer's Z next to the same time, in different forms, and a real one.
        ("2027-01-27T14:00:00+00:00", "2:00 PM", "2027-01-27T19:00:00Z"),
        ("2027-01-27 14:00:00 UTC", "14:00", "2027-01-27T19:00:00Z"),
        ("2027-01-27 2 PM", "14:00", "2027-01-27T19:00:00Z"),
        ("2027-01-27T14:00:00Z", "2:00 PM", "2027-01-27T19:00:00Z"),
        ("2027-01-27T19:00:00Z", "2:00 PM", "2027-01-27T19:00:00Z"),
        ("2027-01-27T14:00:00-05:00", "2 PM", "2027-01-27T19:00:00Z"),
        ("2027-01-27T14:00:00-08:00", "2 PM", "2027-01-27T22:00:00Z"),
        ("2027-01-27T11:00:00-08:00", "2 PM", "2027-01-27T19:00:00Z"),
        ("2027-01-27T11:00:00-08:00", "2 PM EST", "2027-01-27T19:00:00Z"),
        ("2027-01-27", "2027-01-28T02:00:00Z", "2027-01-28T02:00:00Z"),
        ("2027-01-27", "2027-01-27T23:00:00-08:00", "2027-01-28T07:00:00Z"),
    ] {
        assert_eq!(start(&request(date, time), NEW_YORK), utc(expected), "{date} {time}");
    }
}

#[test]
fn the_first_of_several_is_booked_and_the_others_are_listed() {
    let noted = |days: &[(&str, &str)]| {
        let mut all = days.iter().map(|(date, time)| request(date, time));
        let first = all.next().unwrap();
        resolve(&AppointmentRequest { others: Some(all.collect()), ..first })
    };
    let (later, sooner, past) = (("2027-02-03", "3 PM"), ("2027-01-27", "2 PM"), ("2027-01-02", "9 AM"));
    for (days, expected) in [
        (&[later, sooner, past][..], &["Date: 2027-02-03, Time: 3 PM", "Date: 2027-01-02, Time: 9 AM"][..]),
        (&[past, sooner], &["Date: 2027-01-02, Time: 9 AM"]),
        (&[sooner, ("2027-01-27", "14:00")], &[]),
    ] {
        let Resolution::Booked { appointment, others, .. } = noted(days) else { panic!("{days:?}") };
        assert_eq!(appointment.start, utc("2027-01-27T19:00:00Z"), "{days:?}");
        assert_eq!(others, expected, "{days:?}");
    }
    let Resolution::ByHand { reason, others } = noted(&[("tomorrow", "2 PM"), past]) else { panic!() };
    assert_eq!((reason.code.as_str(), others.len()), ("appointment_date_invalid", 1));
}

fn length(duration: Option<&str>, end: Option<&str>) -> (i64, Option<String>) {
    let own = |text: Option<&str>| text.map(str::to_owned);
    let request =
        AppointmentRequest { duration: own(duration), end: own(end), ..request("2027-01-27", "2 PM") };
    let Resolution::Booked { appointment, warning, .. } = resolve(&request) else { panic!("{request:?}") };
    ((appointment.end - appointment.start).num_minutes(), warning.map(|reason| reason.code))
}

#[test]
fn a_duration_is_1_to_1440_minutes_or_the_default() {
    for (duration, minutes, warned) in [
        (None, 60, false),
        (Some("N/A"), 60, false),
        (Some("30"), 30, false),
        (Some(" 45.0 "), 45, false),
        (Some("29.6"), 30, false),
        (Some("null"), 60, false),
        (Some("0.9"), 60, true),
        (Some("1.5"), 60, true),
        (Some("1440.5"), 60, true),
        (Some("1:30"), 60, true),
        (Some("1"), 1, false),
        (Some("1440"), 1440, false),
        (Some("0"), 60, true),
        (Some("1441"), 60, true),
        (Some("-30"), 60, true),
        (Some("half an hour"), 60, true),
        (Some("30-45 minutes"), 60, true),
        (Some("2 days"), 60, true),
        (Some("NaN"), 60, true),
        (Some("inf"), 60, true),
        (Some("25 hours"), 60, true),
        (Some("45 min"), 45, false),
        (Some("45min."), 45, false),
        (Some("30 minutes"), 30, false),
        (Some("90-minute"), 90, false),
        (Some("1 hour"), 60, false),
        (Some("2 hrs"), 120, false),
        (Some("1.5 hours"), 90, false),
        (Some("1,5 Stunden"), 90, false),
        (Some("45 Minuten"), 45, false),
        (Some("1h30"), 90, false),
        (Some("1h 30m"), 90, false),
        (Some("1 hour and 15 minutes"), 75, false),
        (Some("2 horas"), 120, false),
        (Some("PT45M"), 45, false),
        (Some("PT1H30M"), 90, false),
    ] {
        let (read, warning) = length(duration, None);
        assert_eq!(read, minutes, "{duration:?}");
        assert_eq!(warning, warned.then(|| "appointment_duration_invalid".to_owned()), "{duration:?}");
    }
}

#[test]
fn an_end_gives_the_duration() {
    for (duration, end, minutes, warned) in [
        (None, "2:45 PM", 45, false),
        (None, "2027-01-27T15:30:00", 90, false),
        (None, "2027-01-27T20:00:00Z", 60, false),
        (None, "2027-01-27T14:30:00-05:00", 30, false),
        (Some("30"), "2:30 PM", 30, false),
        (Some("1.5"), "3:30 PM", 90, false),
        (Some("45"), "later", 45, false),
        (Some("30"), "3 PM", 60, true),
        (None, "1 PM", 60, true),
        (None, "1:30 AM", 690, false),
        (None, "2 PM", 60, true),
        (None, "2027-01-29T14:00:00", 60, true),
        (None, "later", 60, true),
    ] {
        let (read, warning) = length(duration, Some(end));
        assert_eq!((read, warning.is_some()), (minutes, warned), "{duration:?} {end}");
    }
    // The end's Z is a serializer's if the start's is.
    let both = AppointmentRequest {
        date_time: Some("2027-01-27T14:00:00Z".to_owned()),
        end: Some("2027-01-27T14:30:00Z".to_owned()),
        ..request("", "2 PM")
    };
    let Resolution::Booked { appointment, .. } = resolve(&both) else { panic!() };
    assert_eq!((appointment.end - appointment.start).num_minutes(), 30);
}
