//! The same facts give the same Event or the same refusal, however they are noted; a denial never gives an Event; and
//! no Event is at a time that a field contradicts.

use calls::appointment::{Appointment, Resolution};
use chrono::{NaiveDate, NaiveDateTime, NaiveTime};
use proptest::{option, prelude::*, sample::select};
use serde_json::{Map, Value, json};

use super::{call_of, refusal, resolution, settings};

/// An appointment's facts: name without prefix, and value.
type Facts = Vec<(&'static str, Value)>;

fn any_facts() -> impl Strategy<Value = Facts> {
    let date =
        select(vec!["2027-02-10", "2027-07-01", "2020-01-01", "soon", "Not provided", "2027-02-10T14:00:00"]);
    let time =
        select(vec!["14:00", "2:00 PM", "2 PM", "whenever", "N/A", "14:00:00-05:00", "2 PM EST", "9:15"]);
    let duration = select(vec![json!(45), json!("45 min"), json!("1h30"), json!("1.5"), json!("unknown")]);
    let more = (
        option::of(duration),
        option::of(select(vec!["Visit", "None"])),
        option::of(select(vec!["America/Chicago", "IST", "Europe/London"])),
        option::of(select(vec!["12 High Street", "TBD"])),
        option::of(select(vec![json!(true), json!(false), json!("yes"), json!("Nein"), json!("n/a")])),
        option::of(select(vec!["confirmed", "cancelled", "no-show", "in limbo", "unknown"])),
    );
    (option::of(date), option::of(time), more).prop_map(
        |(date, time, (duration, kind, zone, location, booked, status))| {
            let text = |text: Option<&'static str>| text.map(Value::from);
            [
                ("date", text(date)),
                ("time", text(time)),
                ("duration", duration),
                ("type", text(kind)),
                ("time_zone", text(zone)),
                ("location", text(location)),
                ("booked", booked),
                ("status", text(status)),
            ]
            .into_iter()
            .filter_map(|(name, value)| Some((name, value?)))
            .collect()
        },
    )
}

/// A name in one of the spellings that agents use.
fn spelled(prefix: &str, name: &str, spelling: usize) -> String {
    let whole = if prefix.is_empty() { name.to_owned() } else { format!("{prefix}_{name}") };
    let title = |word: &str| word[..1].to_uppercase() + &word[1..];
    let words: Vec<&str> = whole.split('_').collect();
    match spelling {
        0 => whole,
        1 => words
            .iter()
            .enumerate()
            .map(|(n, word)| if n == 0 { (*word).to_owned() } else { title(word) })
            .collect(),
        2 => words.iter().map(|word| title(word)).collect::<Vec<_>>().join(" "),
        _ => words.join(" ").to_uppercase(),
    }
}

fn object(facts: &Facts, prefix: &str, spelling: usize, in_lists: bool) -> Value {
    let value = |value: &Value| if in_lists { json!([value]) } else { value.clone() };
    facts
        .iter()
        .map(|(name, fact)| (spelled(prefix, name, spelling), value(fact)))
        .collect::<Map<_, _>>()
        .into()
}

const SHAPES: usize = 11;

/// A report with these facts in one of the shapes.
fn report(facts: &Facts, shape: usize, spelling: usize, in_lists: bool) -> Value {
    let flat = object(facts, "appointment", spelling, in_lists);
    let bare = object(facts, "", spelling, in_lists);
    let outputs = |outputs: Value| json!({"artifact": {"structuredOutputs": outputs}});
    let data = |data: Value| json!({"analysis": {"structuredData": data}});
    let mut message = match shape {
        0 => data(flat),
        1 => data(flat.to_string().into()),
        2 => data(json!({"mood": "good", "appointment": bare})),
        3 => data(json!({"call": {"result": {"booking": bare}}})),
        4 => data(json!({"appointments": [bare]})),
        5 => data(json!([{"details": flat.to_string()}])),
        6 => outputs(json!({"7898e478": {"name": "Appointment", "result": bare}})),
        7 => outputs(json!({"7898e478": {"name": "Result", "result": [flat]}})),
        8 => outputs(json!({"reservation": bare})),
        9 => json!({"structured_data": flat}),
        _ => {
            let one = |(name, value): (&String, &Value)| json!({"name": name, "result": value});
            outputs(flat.as_object().unwrap().iter().map(one).collect())
        }
    };
    message["type"] = "end-of-call-report".into();
    message["call"] = json!({"id": "call-1"});
    json!({ "message": message })
}

/// The resulting Event, or the code if there is none.
fn outcome(body: &Value) -> Result<Appointment, Option<String>> {
    match resolution(&call_of(body)) {
        Resolution::Booked { appointment, others, .. } if others.is_empty() => Ok(appointment),
        Resolution::Booked { others, .. } => panic!("{others:?}"),
        other => Err(refusal(&other).map(str::to_owned)),
    }
}

/// A date and time in one of the forms that a field may have, with its local time and zone.
fn any_moment() -> impl Strategy<Value = (String, NaiveDateTime, Option<&'static str>)> {
    let local = (select(vec![10_u32, 11]), select(vec![0_u32, 9, 14, 15, 19, 20])).prop_map(|(day, hour)| {
        NaiveDate::from_ymd_opt(2027, 2, day).unwrap().and_hms_opt(hour, 0, 0).unwrap()
    });
    (local, select(vec!["", "Z", "-05:00", "+01:00", " EST"])).prop_map(|(local, at)| {
        let place = match at {
            "" => None,
            "Z" => Some("UTC"),
            "+01:00" => Some("Africa/Lagos"),
            _ => Some("America/New_York"),
        };
        (format!("{}{at}", local.format("%Y-%m-%dT%H:%M:%S")), local, place)
    })
}

proptest! {
    #[test]
    fn every_shape_spelling_and_nesting_gives_the_same_result(
        facts in any_facts(), spelling in 0..4_usize, in_lists in any::<bool>()
    ) {
        let plain = outcome(&report(&facts, 0, 0, false));
        for shape in 0..SHAPES {
            let body = report(&facts, shape, spelling, in_lists);
            prop_assert_eq!(&outcome(&body), &plain, "{}", body);
        }
    }

    #[test]
    fn a_denied_or_doubtful_appointment_never_gives_an_event(
        facts in any_facts(),
        denial in select(vec![
            ("booked", json!(false)), ("scheduled", json!("No")), ("confirmed", json!("0")), ("set", json!("maybe")),
            ("made", json!("Nein")), ("status", json!("cancelled")), ("status", json!("Declined by customer")),
            ("status", json!("noShow")), ("status", json!("pending")), ("status", json!("not yet booked")),
        ]),
        shape in 0..SHAPES, spelling in 0..4_usize, in_lists in any::<bool>(),
    ) {
        let mut facts = facts;
        facts.retain(|(name, _)| *name != denial.0);
        facts.push(denial);
        let body = report(&facts, shape, spelling, in_lists);
        prop_assert!(outcome(&body).is_err(), "{}", body);
    }

    /// For each field with a time, the Event is at that local time in the field's zone or the workspace's.
    #[test]
    fn no_event_is_at_another_time_than_a_field_says(
        date in option::of(any_moment()),
        date_time in option::of(any_moment()),
        time in option::of(select(vec![9_u32, 14, 15, 19, 20])),
        day in option::of(select(vec![10_u32, 11])),
    ) {
        let mut facts: Facts = Vec::new();
        let moments: Vec<_> = [("date", &date), ("datetime", &date_time)].into_iter()
            .filter_map(|(name, moment)| Some((name, moment.as_ref()?))).collect();
        facts.extend(moments.iter().map(|(name, (text, ..))| (*name, Value::from(text.clone()))));
        facts.extend(time.map(|hour| ("time", Value::from(format!("{hour:02}:00")))));
        if let Some(day) = day.filter(|_| date.is_none()) {
            facts.push(("date", format!("2027-02-{day}").into()));
        }
        let Ok(appointment) = outcome(&report(&facts, 0, 0, false)) else { return Ok(()) };
        let here = settings().time_zone.local(appointment.start);
        let shown: Vec<NaiveDateTime> = moments.iter().filter_map(|(_, (_, _, place))| *place)
            .map(|place| place.parse::<calls::time_zone::TimeZone>().unwrap().local(appointment.start))
            .chain([here]).collect();
        for (_, (text, local, place)) in &moments {
            let says_time = local.time() != NaiveTime::MIN;
            let agrees = shown.iter().any(|shown| if says_time { shown == local } else { shown.date() == local.date() });
            prop_assert!(agrees, "{text} {place:?} is {here}");
        }
        if let Some(hour) = time {
            let said = NaiveTime::from_hms_opt(hour, 0, 0).unwrap();
            prop_assert!(shown.iter().any(|shown| shown.time() == said), "{hour} is {here}");
        }
        if let Some(day) = day.filter(|_| date.is_none()) {
            let said = NaiveDate::from_ymd_opt(2027, 2, day).unwrap();
            prop_assert!(shown.iter().any(|shown| shown.date() == said), "{day} is {here}");
        }
    }
}
