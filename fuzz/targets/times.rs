//! The time parser. A line each: date, time, the appointment's zone, duration, the workspace's zone, intent, date and time
//! in one, end, what was stated, and date and time of another appointment. Whatever
//! they say, an appointment that comes out is not past, is as long as it may be, and begins when the clock there says so.

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
            // A bounded text on one line, whatever was noted.
            assert!(
                reason.message.chars().count() < 400 && !reason.message.contains('\n'),
                "{}",
                reason.message
            );
        }
        Resolution::Booked { appointment, warning, .. } => {
            assert_ne!(request.booked, Some(false), "what is denied is no Event");
            let length = appointment.end - appointment.start;
            assert!((1..=1440).contains(&length.num_minutes()));
            assert!(warning.is_none_or(|reason| reason.code == "appointment_duration_invalid"));
            let local = zone.local(appointment.start);
            // A day's slack for an appointment that is in another zone than the workspace.
            assert!(local.date() >= zone.local(now).date() - TimeDelta::days(1));
            assert!(local.year() <= 9999);
            clock_agrees(&request, zone, appointment.start);
        }
    }
});

/// A time as `HH:MM` on a plain day, in the workspace's zone, is what a clock there shows, unless the clocks change.
fn clock_agrees(request: &AppointmentRequest, zone: TimeZone, start: DateTime<chrono::Utc>) {
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
