//! The appointment parser. The input's lines: date, time, the appointment's time zone, duration, the workspace's time
//! zone, intent, combined date and time, end, what was stated, and date and time of another appointment. Any resulting
//! appointment is in the future, has a valid length, and begins at the local time that was given.

#![no_main]

use calls::{
    appointment::{AppointmentRequest, Resolution},
    time_zone::TimeZone,
};
use chrono::{DateTime, Datelike, TimeDelta, Timelike};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let mut lines = text.split('\n').map(|line| Some(line.to_owned()));
    let mut next = || lines.next().flatten();
    let request = AppointmentRequest {
        date: next(),
        time: next(),
        time_zone: next(),
        duration: next(),
        ..AppointmentRequest::default()
    };
    let zone = next().and_then(|name| name.parse().ok());
    let zone = zone.unwrap_or_else(|| "America/New_York".parse().unwrap());
    let request = AppointmentRequest { intent: next(), date_time: next(), end: next(), ..request };
    let stated = next().filter(|stated| !stated.is_empty());
    let other = AppointmentRequest { date: next(), time: next(), ..AppointmentRequest::default() };
    let others = (other != AppointmentRequest::default()).then(|| vec![other]);
    let request = AppointmentRequest { booked: stated.as_ref().map(|_| false), stated, others, ..request };
    // A Wednesday in January 2027, ten in the morning in New York.
    let now = DateTime::from_timestamp(1_800_457_200, 0).unwrap();

    match request.resolve(zone, now, 60) {
        Resolution::None => {}
        Resolution::ByHand { reason, .. } | Resolution::NotMade(reason) => {
            assert!(reason.code.starts_with("appointment_"));
            // A bounded text on one line, whatever the input.
            assert!(
                reason.message.chars().count() < 400 && !reason.message.contains('\n'),
                "{}",
                reason.message
            );
        }
        Resolution::Booked { appointment, warning, .. } => {
            assert_ne!(request.booked, Some(false), "a denied appointment creates no Event");
            let length = appointment.end - appointment.start;
            assert!((1..=1440).contains(&length.num_minutes()));
            assert!(warning.is_none_or(|reason| reason.code == "appointment_duration_invalid"));
            let local = zone.local(appointment.start);
            // Allows a day because the appointment may be in another time zone than the workspace.
            assert!(local.date() >= zone.local(now).date() - TimeDelta::days(1));
            assert!(local.year() <= 9999);
            assert_local_time(&request, zone, appointment.start);
        }
    }
});

/// A time given as `HH:MM` is the local time in the workspace's time zone, unless the clocks change on that day.
fn assert_local_time(request: &AppointmentRequest, zone: TimeZone, start: DateTime<chrono::Utc>) {
    let (Some(date), Some(time), None | Some("")) =
        (request.date.as_deref(), request.time.as_deref(), request.time_zone.as_deref())
    else {
        return;
    };
    if request.others.is_some() || request.date_time.is_some() {
        return;
    }
    let hour = time.split(':').next().and_then(|hour| hour.parse::<u32>().ok());
    let (Some(hour @ 13..=23), true) = (hour, time.len() == 5) else { return };
    let local = zone.local(start);
    if local.date().to_string() == date.trim() && local.hour() != hour {
        let before = zone.local(start - TimeDelta::days(1)).hour();
        assert_ne!(before, local.hour(), "{request:?} {zone} {local}");
    }
}
