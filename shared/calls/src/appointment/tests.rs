//! The table of design.md §9, row by row.

use chrono_tz::{America::New_York, Australia::Lord_Howe, Europe::Berlin};
use proptest::prelude::*;

use super::*;

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

/// A Wednesday, 10 in the morning in New York.
fn now() -> DateTime<Utc> {
    utc("2027-01-20T15:00:00Z")
}

fn resolve(request: &AppointmentRequest) -> Resolution {
    request.resolve(New_York, now(), 60)
}

fn start(request: &AppointmentRequest, zone: Tz) -> DateTime<Utc> {
    match request.resolve(zone, now(), 60) {
        Resolution::Booked { appointment, .. } => appointment.start,
        other => panic!("{request:?} is {other:?}"),
    }
}

fn refusal(request: &AppointmentRequest) -> Reason {
    match resolve(request) {
        Resolution::Invalid(reason) => reason,
        other => panic!("{request:?} is {other:?}"),
    }
}

#[test]
fn without_a_date_there_is_no_appointment() {
    for date in ["", " ", "N/A", "null", "none"] {
        assert_eq!(resolve(&request(date, "2:00 PM")), Resolution::None, "{date:?}");
    }
    assert_eq!(resolve(&AppointmentRequest::default()), Resolution::None);
}

#[test]
fn another_intent_or_not_booked_means_no_appointment() {
    let with = |intent: Option<&str>, booked| AppointmentRequest {
        intent: intent.map(str::to_owned),
        booked,
        ..request("2027-01-27", "2 PM")
    };
    for (intent, booked, wanted) in [
        (None, None, true),
        (Some("Scheduling"), None, true),
        (Some(" scheduling "), Some(true), true),
        (Some("N/A"), None, true),
        (Some("Support"), None, false),
        (Some("Rescheduling"), Some(true), false),
        (Some("Scheduling"), Some(false), false),
        (None, Some(false), false),
    ] {
        assert_eq!(resolve(&with(intent, booked)) != Resolution::None, wanted, "{intent:?} {booked:?}");
    }
    let mut broken = with(Some("Support"), None);
    broken.date = Some("tomorrow".to_owned());
    assert_eq!(resolve(&broken), Resolution::None);
}

#[test]
fn a_time_of_day_is_read_by_the_table() {
    for (text, hour, minute) in [
        ("2:00 PM", 14, 0),
        ("2pm", 14, 0),
        ("2 p.m.", 14, 0),
        ("02:00 PM", 14, 0),
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
        ("Noon", 12, 0),
        ("midnight", 0, 0),
    ] {
        let expected = NaiveTime::from_hms_opt(hour, minute, 0);
        assert_eq!(clock::time_of_day(text), expected, "{text:?}");
        assert_eq!(start(&request("2027-01-27", text), Tz::UTC).time(), expected.unwrap(), "{text:?}");
    }
}

#[test]
fn anything_else_is_no_time_and_stays_readable() {
    for text in [
        "afternoon",
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
        "2:00 PM EST",
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
        "next Tuesday",
        "01/27/2027",
        "2027-1-27",
        "2027-02-30",
        "2027-13-01",
        "2027-00-10",
        "27.01.2027",
        "2027-01-27T14:00:00",
        "+027-01-27",
        "20270127",
        "+262142-12-31T23:59:59Z",
        "2027-02-29",
    ] {
        let reason = refusal(&request(text, "2 PM"));
        assert_eq!(reason.code, "appointment_date_invalid", "{text:?}");
        assert!(reason.message.contains(text), "{}", reason.message);
    }
    assert_eq!(start(&request("2028-02-29", "2 PM"), Tz::UTC), utc("2028-02-29T14:00:00Z"));
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
fn past_is_before_today_in_the_workspaces_zone() {
    assert_eq!(refusal(&request("2027-01-19", "2 PM")).code, "appointment_in_the_past");
    assert_eq!(refusal(&request("2027-01-19", "whenever")).code, "appointment_in_the_past");
    assert_eq!(refusal(&request("2027-01-19T23:59:00-05:00", "")).code, "appointment_in_the_past");
    // Today at eight, two hours ago.
    assert_eq!(start(&request("2027-01-20", "8 AM"), New_York), utc("2027-01-20T13:00:00Z"));
    // At two in the morning in London it is still yesterday in New York.
    let late = utc("2027-01-21T02:00:00Z");
    let yesterday = request("2027-01-20", "2 PM");
    assert!(matches!(yesterday.resolve(New_York, late, 60), Resolution::Booked { .. }));
    assert!(matches!(yesterday.resolve(Tz::Europe__London, late, 60), Resolution::Invalid(_)));
}

#[test]
fn an_instant_in_either_field_is_that_instant() {
    for (date, time, expected) in [
        ("2027-01-27T14:00:00-05:00", "", "2027-01-27T19:00:00Z"),
        ("2027-01-27T14:00:00-05:00", "9 AM", "2027-01-27T19:00:00Z"),
        ("2027-01-27", "2027-01-27T14:00:00.000Z", "2027-01-27T14:00:00Z"),
        ("next week", "2027-01-27T14:00Z", "2027-01-27T14:00:00Z"),
        ("", "2027-01-27 14:00:00 +0100", "2027-01-27T13:00:00Z"),
        ("2027-01-27T00:00:00Z", "2027-01-27T14:00:00+01", "2027-01-27T13:00:00Z"),
        ("2027-01-27t14:00:00z", "", "2027-01-27T14:00:00Z"),
    ] {
        let mut request = request(date, time);
        request.time_zone = Some("nonsense, but not needed".to_owned());
        assert_eq!(start(&request, New_York), utc(expected), "{date:?} {time:?}");
    }
}

#[test]
fn a_midnight_in_the_date_is_only_a_day_where_there_is_a_time() {
    for date in ["2027-03-03T00:00:00Z", "2027-03-03T00:00:00.000-05:00"] {
        assert_eq!(start(&request(date, "2:00 PM"), New_York), utc("2027-03-03T19:00:00Z"), "{date}");
    }
    assert_eq!(start(&request("2027-03-03T00:00:00Z", ""), New_York), utc("2027-03-03T00:00:00Z"));
    assert_eq!(start(&request("2027-03-03T15:30:00Z", "2:00 PM"), New_York), utc("2027-03-03T15:30:00Z"));
    assert_eq!(refusal(&request("2027-03-03T00:00:00Z", "after lunch")).code, "appointment_time_invalid");
}

#[test]
fn local_times_follow_the_zones_clock() {
    for (zone, date, time, expected) in [
        (New_York, "2027-01-27", "2 PM", "2027-01-27T19:00:00Z"),
        (New_York, "2027-07-27", "2 PM", "2027-07-27T18:00:00Z"),
        // New York: clocks go from 2:00 to 3:00 on 14 March, and from 2:00 back to 1:00 on 7 November 2027.
        (New_York, "2027-03-14", "01:59", "2027-03-14T06:59:00Z"),
        (New_York, "2027-03-14", "02:30", "2027-03-14T07:30:00Z"),
        (New_York, "2027-03-14", "03:30", "2027-03-14T07:30:00Z"),
        (New_York, "2027-11-07", "01:30", "2027-11-07T05:30:00Z"),
        (New_York, "2027-11-07", "02:30", "2027-11-07T07:30:00Z"),
        (Berlin, "2027-03-28", "02:30", "2027-03-28T01:30:00Z"),
        (Berlin, "2027-10-31", "02:30", "2027-10-31T00:30:00Z"),
        // Half an hour, on the other side of the year and of the date line.
        (Lord_Howe, "2027-10-03", "02:15", "2027-10-02T15:45:00Z"),
    ] {
        assert_eq!(start(&request(date, time), zone), utc(expected), "{zone} {date} {time}");
    }
}

#[test]
fn the_appointments_own_zone_goes_before_the_workspaces() {
    let with_zone =
        |zone: &str| AppointmentRequest { time_zone: Some(zone.to_owned()), ..request("2027-01-27", "2 PM") };
    for (zone, expected) in [
        ("America/Los_Angeles", "2027-01-27T22:00:00Z"),
        ("America/Los Angeles", "2027-01-27T22:00:00Z"),
        ("UTC", "2027-01-27T14:00:00Z"),
        ("GMT+2", "2027-01-27T12:00:00Z"),
        ("+05:30", "2027-01-27T08:30:00Z"),
        ("-0800", "2027-01-27T22:00:00Z"),
        ("N/A", "2027-01-27T19:00:00Z"),
    ] {
        assert_eq!(start(&with_zone(zone), New_York), utc(expected), "{zone}");
    }
    for zone in ["EST", "Eastern", "Mars/Olympus", "+530", "+99:00", "-"] {
        let reason = refusal(&with_zone(zone));
        assert_eq!(reason.code, "appointment_time_zone_invalid", "{zone}");
        assert!(reason.message.contains(zone));
    }
}

#[test]
fn a_duration_is_1_to_1440_minutes_or_the_default() {
    for (duration, minutes, warned) in [
        (None, 60, false),
        (Some("N/A"), 60, false),
        (Some("30"), 30, false),
        (Some(" 45.0 "), 45, false),
        (Some("1"), 1, false),
        (Some("1440"), 1440, false),
        (Some("0"), 60, true),
        (Some("1441"), 60, true),
        (Some("-30"), 60, true),
        (Some("half an hour"), 60, true),
        (Some("30 minutes"), 60, true),
        (Some("NaN"), 60, true),
        (Some("inf"), 60, true),
    ] {
        let request =
            AppointmentRequest { duration: duration.map(str::to_owned), ..request("2027-01-27", "2 PM") };
        let Resolution::Booked { appointment, warning } = resolve(&request) else { panic!("{duration:?}") };
        assert_eq!((appointment.end - appointment.start).num_minutes(), minutes, "{duration:?}");
        assert_eq!(
            warning.map(|reason| reason.code),
            warned.then(|| "appointment_duration_invalid".to_owned())
        );
    }
}

#[test]
fn offending_text_is_repeated_in_bounds() {
    let reason = refusal(&request("2027-01-27", &"soon\n".repeat(1000)));
    assert!(reason.message.contains("soon soon") && reason.message.len() < 300, "{}", reason.message);
}

proptest! {
    #[test]
    fn any_text_is_read_without_a_panic(
        date in "[0-9T:+\\-. Za-z]{0,30}|2027-0[1-9]-1[0-9]",
        time in any::<String>(),
        duration in any::<String>(),
        time_zone in any::<String>(),
    ) {
        let request = AppointmentRequest {
            duration: Some(duration),
            time_zone: Some(time_zone),
            ..request(&date, &time)
        };
        if let Resolution::Booked { appointment, .. } = resolve(&request) {
            let length = (appointment.end - appointment.start).num_minutes();
            prop_assert!((1..=1440).contains(&length));
        }
    }

    #[test]
    fn every_local_time_has_an_instant(minute in 0_i64..(366 * 24 * 60), zone in 0..chrono_tz::TZ_VARIANTS.len()) {
        let local = utc("2027-01-01T00:00:00Z").naive_utc() + TimeDelta::minutes(minute);
        let zone = chrono_tz::TZ_VARIANTS[zone];
        let shown = Zone::Named(zone).instant(local).with_timezone(&zone).naive_local();
        let moved = shown - local;
        prop_assert!(moved >= TimeDelta::zero() && moved <= TimeDelta::hours(3), "{zone} {local} {shown}");
    }
}
