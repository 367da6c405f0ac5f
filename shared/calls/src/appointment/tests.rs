//! The contract's tables of dates and times, row by row (docs/contract.md#appointments).

mod together;

use chrono::NaiveTime;
use proptest::prelude::*;

use super::*;

const NEW_YORK: &str = "America/New_York";

const LONDON: &str = "Europe/London";

fn zone(name: &str) -> TimeZone {
    name.parse().unwrap()
}

fn utc(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn request(date: &str, time: &str) -> AppointmentRequest {
    AppointmentRequest {
        date: Some(date.to_owned()),
        time: Some(time.to_owned()),
        ..AppointmentRequest::default()
    }
}

/// A Wednesday, 10 a.m. in New York.
fn now() -> DateTime<Utc> {
    utc("2027-01-20T15:00:00Z")
}

fn resolve(request: &AppointmentRequest) -> Resolution {
    request.resolve(zone(NEW_YORK), now(), 60)
}

fn start(request: &AppointmentRequest, of: &str) -> DateTime<Utc> {
    match request.resolve(zone(of), now(), 60) {
        Resolution::Booked { appointment, .. } => appointment.start,
        other => panic!("{request:?} is {other:?}"),
    }
}

fn refusal(request: &AppointmentRequest) -> Reason {
    match resolve(request) {
        Resolution::ByHand { reason, .. } => reason,
        other => panic!("{request:?} is {other:?}"),
    }
}

#[test]
fn without_a_date_there_is_no_event() {
    for date in ["", " ", "N/A", "null", "none", "Not Provided"] {
        for time in ["2:00 PM", "whenever"] {
            assert_eq!(refusal(&request(date, time)).code, "appointment_without_date", "{date:?}");
        }
        assert_eq!(resolve(&request(date, "N/A")), Resolution::None, "{date:?}");
    }
    assert_eq!(resolve(&AppointmentRequest::default()), Resolution::None);
    let only_booked = AppointmentRequest { booked: Some(true), ..AppointmentRequest::default() };
    assert_eq!(refusal(&only_booked).code, "appointment_without_date");
    let only_type = AppointmentRequest { kind: Some("Visit".to_owned()), ..AppointmentRequest::default() };
    assert_eq!(refusal(&only_type).code, "appointment_without_date");
}

/// The verdict of a field like `appointment_status: cancelled`.
fn said(stated: &str) -> Option<Verdict> {
    let (name, value) = stated.split_once(": ")?;
    verdict::read(key::Key::of(name)?, value)
}

#[test]
fn another_intent_or_a_denial_means_no_event_and_says_why() {
    let with = |intent: Option<&str>, booked, stated: Option<&str>| AppointmentRequest {
        intent: intent.map(str::to_owned),
        booked,
        stated: stated.map(str::to_owned),
        verdict: stated.and_then(said),
        ..request("2027-01-27", "2 PM")
    };
    let no = |code: &str| Some((code.to_owned(), true));
    for (intent, booked, stated, expected) in [
        (None, None, None, None),
        (Some("Scheduling"), None, None, None),
        (Some(" scheduling "), Some(true), None, None),
        (Some("N/A"), None, None, None),
        (Some("Support"), None, None, no("appointment_other_intent")),
        (Some("Rescheduling"), Some(true), None, no("appointment_other_intent")),
        (Some("Scheduling"), Some(false), None, no("appointment_not_made")),
        (None, Some(false), None, no("appointment_not_made")),
        (None, Some(false), Some("appointment_status: cancelled"), no("appointment_not_made")),
        (
            None,
            Some(false),
            Some("appointment_booked: pending confirmation"),
            Some(("appointment_unclear".to_owned(), false)),
        ),
    ] {
        let said = match resolve(&with(intent, booked, stated)) {
            Resolution::Booked { .. } => None,
            Resolution::NotMade(reason) => Some((reason, true)),
            Resolution::ByHand { reason, .. } => Some((reason, false)),
            Resolution::None => panic!("nothing is reported: {intent:?} {booked:?}"),
        };
        if let (Some((reason, _)), Some(words)) = (&said, stated.or(intent.filter(|_| booked != Some(false))))
        {
            assert!(reason.message.contains(words), "{}", reason.message);
        }
        assert_eq!(said.map(|(reason, is_clear)| (reason.code, is_clear)), expected, "{intent:?} {stated:?}");
    }
}

#[test]
fn a_no_without_other_details_is_not_reported() {
    let only = |intent: Option<&str>, stated: Option<&str>| {
        resolve(&AppointmentRequest {
            intent: intent.map(str::to_owned),
            booked: stated.map(|_| false),
            stated: stated.map(str::to_owned),
            verdict: stated.and_then(said),
            ..AppointmentRequest::default()
        })
    };
    assert_eq!(only(Some("Support"), None), Resolution::None);
    assert_eq!(only(None, Some("appointment_booked: false")), Resolution::None);
    assert_eq!(only(None, Some("appointment_status: not booked")), Resolution::None);
    assert!(matches!(only(None, Some("appointment_status: cancelled")), Resolution::NotMade(_)));
    assert!(matches!(only(None, Some("appointment_booked: Nein")), Resolution::ByHand { .. }));
}

#[test]
fn times_of_day_are_parsed_like_the_table() {
    for (text, hour, minute) in [
        ("2:00 PM", 14, 0),
        ("2pm", 14, 0),
        ("2PM", 14, 0),
        ("2 PM", 14, 0),
        ("2 p.m.", 14, 0),
        ("2 p. m.", 14, 0),
        ("2:00pm", 14, 0),
        ("2:00 p.m.", 14, 0),
        ("2:00 P.M", 14, 0),
        ("02:00 PM", 14, 0),
        ("02 PM", 14, 0),
        ("02:00:00 PM", 14, 0),
        ("2:00\u{202f}PM", 14, 0),
        ("2:30 A.M.", 2, 30),
        ("12am", 0, 0),
        ("12:15 AM", 0, 15),
        ("12 pm", 12, 0),
        ("9:05:00 am", 9, 5),
        ("14:00 PM", 14, 0),
        ("14:00", 14, 0),
        ("14:00:00", 14, 0),
        ("02:00", 2, 0),
        ("00:30", 0, 30),
        ("0:30", 0, 30),
        ("23:59", 23, 59),
        ("13:05", 13, 5),
        ("2:00", 14, 0),
        ("1:15", 13, 15),
        ("7:59", 19, 59),
        ("8:00", 8, 0),
        ("10:00", 10, 0),
        ("11:45", 11, 45),
        ("12:00", 12, 0),
        ("12:30", 12, 30),
        ("09:00", 9, 0),
        ("00:00", 0, 0),
        ("noon", 12, 0),
        ("Noon", 12, 0),
        ("midnight", 0, 0),
        ("MIDNIGHT", 0, 0),
    ] {
        let expected = NaiveTime::from_hms_opt(hour, minute, 0);
        assert_eq!(clock::time_of_day(text), expected, "{text:?}");
        assert_eq!(start(&request("2027-01-27", text), "UTC").time(), expected.unwrap(), "{text:?}");
    }
}

#[test]
fn every_minute_of_the_day_is_parsed_in_every_form() {
    for (hour, minute) in (0..24).flat_map(|hour| (0..60).map(move |minute| (hour, minute))) {
        let on_twelve = (hour + 11) % 12 + 1;
        let (short, dotted) = if hour < 12 { ("AM", "a.m.") } else { ("pm", "p.m.") };
        let mut forms = vec![
            format!("{hour:02}:{minute:02}:00"),
            format!("{on_twelve}:{minute:02} {short}"),
            format!("{on_twelve:02}:{minute:02}{short}"),
            format!("{on_twelve}:{minute:02}:00 {dotted}"),
            format!(" {on_twelve}:{minute:02}\u{a0}{dotted} "),
        ];
        if minute == 0 {
            forms.extend([format!("{on_twelve}{short}"), format!("{on_twelve} {dotted}")]);
        }
        // With a leading zero, or from 10 on, two digits are the 24-hour clock: 10:00 is in the morning, 12:00 is
        // noon.
        forms.push(format!("{hour:02}:{minute:02}"));
        // Without one, 1:00 to 7:59 are in the afternoon, 8:00 to 9:59 in the morning; 0:30 is half past midnight.
        if matches!(hour, 0 | 8..=23) {
            let bare = if (13..=19).contains(&hour) { hour - 12 } else { hour };
            forms.push(format!("{bare}:{minute:02}"));
        }
        for form in forms {
            assert_eq!(clock::time_of_day(&form), NaiveTime::from_hms_opt(hour, minute, 0), "{form:?}");
        }
    }
    // An hour without a leading zero is never between 20:00 and 7:59.
    for hour in 1..=12 {
        let read = clock::time_of_day(&format!("{hour}:00")).unwrap();
        assert!(("08:00".parse().unwrap().."20:00".parse().unwrap()).contains(&read), "{hour}: {read}");
    }
}

#[test]
fn any_other_text_is_not_a_time_and_is_quoted() {
    for text in [
        "afternoon",
        "after lunch",
        "12 noon",
        "2-3 PM",
        "around 2 PM",
        "2 PM or 3 PM",
        "14.00",
        "14h00",
        "14:00Z",
        "14:00-05:00",
        "9:00-10:00",
        "09:00 - 10:00",
        "14:00-15:00 EST",
        "2 PM XYZ",
        "T14:00",
        "14:00:00.5",
        "2 am pm",
        "half past two",
        "2",
        "14",
        "1400",
        "2 o'clock",
        "24:00",
        "25:00",
        "14:60",
        "14:00:60",
        "13 am",
        "0 pm",
        "2:5",
        "2:",
        ":30",
        "002:00",
        "1 4:00",
        "1.2 pm",
        "-2:00",
        "+2:00",
        "2:00:00:00",
        "pm",
        "14:00 Uhr",
        "٢:٠٠",
    ] {
        let reason = refusal(&request("2027-01-27", text));
        assert_eq!(reason.code, "appointment_time_invalid", "{text:?}");
        assert!(reason.message.contains(text), "{}", reason.message);
    }
}

#[test]
fn a_date_is_a_day_that_exists() {
    for text in [
        "tomorrow",
        "today",
        "in two weeks",
        "next Monday",
        "next Tuesday",
        "Monday, the 24th",
        "28th",
        "January 27, 2027",
        "2027-W04-3",
        "01/27/2027",
        "2027-1-27",
        "2027-02-30",
        "2027-13-01",
        "2027-00-10",
        "27.01.2027",
        "+027-01-27",
        "20270127",
        "+262142-12-31T23:59:59Z",
        "2027-02-29",
        "2100-02-29",
        // After the end of Salesforce's calendar.
        "4001-01-01",
        "9999-12-31",
    ] {
        let reason = refusal(&request(text, "2 PM"));
        assert_eq!(reason.code, "appointment_date_invalid", "{text:?}");
        assert!(reason.message.contains(text), "{}", reason.message);
    }
}

#[test]
fn a_date_without_a_time_says_so() {
    for time in ["", "N/A"] {
        let reason = refusal(&request("2027-01-27", time));
        assert_eq!(reason.code, "appointment_without_time");
        assert!(reason.message.contains("2027-01-27"));
    }
    assert_eq!(refusal(&request("tomorrow", "")).code, "appointment_without_time");
}

#[test]
fn the_past_is_before_today_in_the_workspaces_zone() {
    assert_eq!(refusal(&request("2027-01-19", "2 PM")).code, "appointment_in_the_past");
    assert_eq!(refusal(&request("2027-01-19", "whenever")).code, "appointment_in_the_past");
    assert_eq!(refusal(&request("2027-01-19T23:59:00-05:00", "")).code, "appointment_in_the_past");
    // Today at 8 a.m., two hours ago.
    assert_eq!(start(&request("2027-01-20", "8 AM"), NEW_YORK), utc("2027-01-20T13:00:00Z"));
    assert_eq!(start(&request("2027-01-20", "midnight"), NEW_YORK), utc("2027-01-20T05:00:00Z"));
    let hours_ago = request("2027-01-20T00:30:00-05:00", "");
    assert_eq!(start(&hours_ago, NEW_YORK), utc("2027-01-20T05:30:00Z"));
    // At 2 a.m. in London it is still the day before in New York.
    let late = utc("2027-01-21T02:00:00Z");
    let yesterday = request("2027-01-20", "2 PM");
    assert!(matches!(yesterday.resolve(zone(NEW_YORK), late, 60), Resolution::Booked { .. }));
    assert!(matches!(yesterday.resolve(zone(LONDON), late, 60), Resolution::ByHand { .. }));
    // The appointment's own zone does not matter.
    let there = AppointmentRequest { time_zone: Some("Europe/London".to_owned()), ..yesterday.clone() };
    assert!(matches!(there.resolve(zone(NEW_YORK), late, 60), Resolution::Booked { .. }));
    let here = AppointmentRequest { time_zone: Some("America/New_York".to_owned()), ..yesterday };
    assert!(matches!(here.resolve(zone(LONDON), late, 60), Resolution::ByHand { .. }));
}

#[test]
fn today_differs_on_the_other_side_of_the_date_line() {
    // Three days at the same time, at 10:30 UTC: the 19th in Pago Pago, the 20th in London, the 21st on Kiritimati.
    let now = utc("2027-01-20T10:30:00Z");
    for (name, today) in [("Pacific/Pago_Pago", 19), (LONDON, 20), ("Pacific/Kiritimati", 21)] {
        for day in 18..=22 {
            let resolution = request(&format!("2027-01-{day}"), "00:15").resolve(zone(name), now, 60);
            assert_eq!(matches!(resolution, Resolution::Booked { .. }), day >= today, "{name} {day}");
        }
    }
    // The last evening of a year, and of February.
    for (now, yesterday, today) in [
        ("2028-01-01T04:59:00Z", "2027-12-30", "2027-12-31"),
        ("2028-01-01T05:00:00Z", "2027-12-31", "2028-01-01"),
        ("2028-03-01T04:59:00Z", "2028-02-28", "2028-02-29"),
        ("2028-03-01T05:00:00Z", "2028-02-29", "2028-03-01"),
    ] {
        let on = |day| request(day, "2 PM").resolve(zone(NEW_YORK), utc(now), 60);
        assert!(
            matches!(on(yesterday), Resolution::ByHand { reason, .. } if reason.code == "appointment_in_the_past")
        );
        assert!(matches!(on(today), Resolution::Booked { .. }), "{now} {today}");
    }
}

#[test]
fn an_instant_in_either_field_is_that_instant() {
    for (date, time, expected) in [
        ("2027-01-27T14:00:00-05:00", "", "2027-01-27T19:00:00Z"),
        ("2027-01-27T14:00:00-05:00", "2 PM", "2027-01-27T19:00:00Z"),
        ("2027-01-27", "2027-01-27T14:00:00.000Z", "2027-01-27T14:00:00Z"),
        ("", "2027-01-27 14:00:00 +0100", "2027-01-27T13:00:00Z"),
        ("2027-01-27T00:00:00Z", "2027-01-27T14:00:00+01", "2027-01-27T13:00:00Z"),
        ("2027-01-27t14:00:00z", "", "2027-01-27T14:00:00Z"),
    ] {
        let mut request = request(date, time);
        request.time_zone = Some("nonsense, but not needed".to_owned());
        assert_eq!(start(&request, NEW_YORK), utc(expected), "{date:?} {time:?}");
    }
}

#[test]
fn a_text_that_only_resembles_an_instant_is_not_one() {
    for text in [
        "2027-01-27 2:00 -05:00",
        "2027-1-27T14:00Z",
        "2027-01-27T4:05Z",
        "2 027-01-27 14:00 Z",
        "2027-01-27T14 :0 0:00 -05:00",
        "+2027-01-27T14:00Z",
        // Salesforce refuses leap seconds.
        "2027-01-27T14:00:60Z",
        "2027-01-27T23:59:60Z",
    ] {
        let refused = refusal(&request("2027-01-27", text));
        assert_eq!(refused.code, "appointment_time_invalid", "{text}");
        assert!(refused.message.contains(text), "{refused:?}");
        assert_eq!(refusal(&request(text, "2 PM")).code, "appointment_date_invalid", "{text}");
    }
    assert_eq!(start(&request("2027-01-27 14:00:59.9 -05:00", ""), NEW_YORK), utc("2027-01-27T19:00:59.9Z"));
}

#[test]
fn local_times_follow_the_zones_transitions() {
    for (name, date, time, expected) in [
        ("America/New_York", "2027-01-27", "2 PM", "2027-01-27T19:00:00Z"),
        ("America/New_York", "2027-07-27", "2 PM", "2027-07-27T18:00:00Z"),
        // New York's clocks go from 2:00 to 3:00 on 14 March, and from 2:00 back to 1:00 on 7 November 2027.
        ("America/New_York", "2027-03-14", "01:59", "2027-03-14T06:59:00Z"),
        ("America/New_York", "2027-03-14", "02:30", "2027-03-14T07:30:00Z"),
        ("America/New_York", "2027-03-14", "03:30", "2027-03-14T07:30:00Z"),
        ("America/New_York", "2027-11-07", "01:30", "2027-11-07T05:30:00Z"),
        ("America/New_York", "2027-11-07", "02:30", "2027-11-07T07:30:00Z"),
        ("Europe/Berlin", "2027-03-28", "02:30", "2027-03-28T01:30:00Z"),
        ("Europe/Berlin", "2027-10-31", "02:30", "2027-10-31T00:30:00Z"),
        ("Europe/London", "2027-03-28", "00:59", "2027-03-28T00:59:00Z"),
        ("Europe/London", "2027-03-28", "01:30", "2027-03-28T01:30:00Z"),
        ("Europe/London", "2027-03-28", "02:00", "2027-03-28T01:00:00Z"),
        ("Europe/London", "2027-10-31", "01:30", "2027-10-31T00:30:00Z"),
        ("Europe/London", "2027-10-31", "02:00", "2027-10-31T02:00:00Z"),
        // The southern hemisphere.
        ("Australia/Sydney", "2027-07-27", "2 PM", "2027-07-27T04:00:00Z"),
        ("Australia/Sydney", "2027-12-27", "2 PM", "2027-12-27T03:00:00Z"),
        ("Australia/Sydney", "2027-04-04", "02:30", "2027-04-03T15:30:00Z"),
        ("Australia/Sydney", "2027-04-04", "03:00", "2027-04-03T17:00:00Z"),
        ("Australia/Sydney", "2027-10-03", "02:30", "2027-10-02T16:30:00Z"),
        // A shift of half an hour: from 2:00 to 2:30, and from 2:00 back to 1:30.
        ("Australia/Lord_Howe", "2027-10-03", "01:59", "2027-10-02T15:29:00Z"),
        ("Australia/Lord_Howe", "2027-10-03", "02:15", "2027-10-02T15:45:00Z"),
        ("Australia/Lord_Howe", "2027-10-03", "02:30", "2027-10-02T15:30:00Z"),
        ("Australia/Lord_Howe", "2027-04-04", "01:29", "2027-04-03T14:29:00Z"),
        ("Australia/Lord_Howe", "2027-04-04", "01:45", "2027-04-03T14:45:00Z"),
        ("Australia/Lord_Howe", "2027-04-04", "02:00", "2027-04-03T15:30:00Z"),
        // No midnight: the clocks go from 0:00 to 1:00.
        ("America/Santiago", "2027-09-05", "midnight", "2027-09-05T04:00:00Z"),
        // No daylight saving time since 2019.
        ("America/Sao_Paulo", "2027-01-27", "2 PM", "2027-01-27T17:00:00Z"),
        ("America/Sao_Paulo", "2027-07-27", "2 PM", "2027-07-27T17:00:00Z"),
        ("America/Sao_Paulo", "2027-11-07", "00:30", "2027-11-07T03:30:00Z"),
        // Nor in these.
        ("America/Phoenix", "2027-03-14", "02:30", "2027-03-14T09:30:00Z"),
        ("Asia/Tokyo", "2027-07-27", "2 PM", "2027-07-27T05:00:00Z"),
        ("Asia/Kolkata", "2027-07-27", "2 PM", "2027-07-27T08:30:00Z"),
        ("Asia/Kathmandu", "2027-07-27", "2 PM", "2027-07-27T08:15:00Z"),
        ("UTC", "2027-03-28", "02:30", "2027-03-28T02:30:00Z"),
        // Across the end of the year and 29 February, in both directions.
        ("America/New_York", "2027-12-31", "11:30 PM", "2028-01-01T04:30:00Z"),
        ("Australia/Sydney", "2028-01-01", "9:00 AM", "2027-12-31T22:00:00Z"),
        ("America/New_York", "2028-02-29", "8 PM", "2028-03-01T01:00:00Z"),
        ("Asia/Tokyo", "2028-03-01", "8 AM", "2028-02-29T23:00:00Z"),
        ("America/New_York", "2027-02-28", "8 PM", "2027-03-01T01:00:00Z"),
    ] {
        assert_eq!(start(&request(date, time), name), utc(expected), "{name} {date} {time}");
    }
}

#[test]
fn the_appointments_own_zone_beats_the_workspaces() {
    let with_zone =
        |zone: &str| AppointmentRequest { time_zone: Some(zone.to_owned()), ..request("2027-01-27", "2 PM") };
    for (zone, expected) in [
        ("America/Los_Angeles", "2027-01-27T22:00:00Z"),
        ("America/Los Angeles", "2027-01-27T22:00:00Z"),
        ("UTC", "2027-01-27T14:00:00Z"),
        ("GMT+2", "2027-01-27T12:00:00Z"),
        ("+05:30", "2027-01-27T08:30:00Z"),
        ("-0800", "2027-01-27T22:00:00Z"),
        ("europe/london", "2027-01-27T14:00:00Z"),
        ("utc", "2027-01-27T14:00:00Z"),
        ("GMT", "2027-01-27T14:00:00Z"),
        ("UTC+05:45", "2027-01-27T08:15:00Z"),
        ("N/A", "2027-01-27T19:00:00Z"),
    ] {
        assert_eq!(start(&with_zone(zone), NEW_YORK), utc(expected), "{zone}");
    }
    // With its own transitions.
    let in_summer = AppointmentRequest { date: Some("2027-03-28".to_owned()), ..with_zone("Europe/London") };
    let skipped = AppointmentRequest { time: Some("01:30".to_owned()), ..in_summer };
    assert_eq!(start(&skipped, NEW_YORK), utc("2027-03-28T01:30:00Z"));
    for zone in ["Here", "Mars/Olympus", "+530", "+99:00", "-13:00"] {
        let reason = refusal(&with_zone(zone));
        assert_eq!(reason.code, "appointment_time_zone_invalid", "{zone}");
        assert!(reason.message.contains(zone));
    }
}

#[test]
fn quoted_text_is_bounded() {
    let reason = refusal(&request("2027-01-27", &"soon\n".repeat(1000)));
    assert!(reason.message.contains("soon soon") && reason.message.len() < 300, "{}", reason.message);
}

proptest! {
    #[test]
    fn any_text_is_parsed_without_a_panic(
        date in "[0-9T:+\\-. Za-z]{0,30}|2027-0[1-9]-1[0-9]",
        time in any::<String>(),
        date_time in "[0-9T:+\\-. Za-z]{0,30}|2027-0[1-9]-1[0-9]([T ][0-9:]{4,8}(Z|[+-]0[0-9]:00|EST)?)?",
        duration in any::<String>(),
        end in any::<String>(),
        time_zone in any::<String>(),
    ) {
        let request = AppointmentRequest {
            date_time: Some(date_time),
            duration: Some(duration),
            end: Some(end),
            time_zone: Some(time_zone),
            ..request(&date, &time)
        };
        if let Resolution::Booked { appointment, .. } = resolve(&request) {
            let length = (appointment.end - appointment.start).num_minutes();
            prop_assert!((1..=1440).contains(&length));
        }
    }
}
