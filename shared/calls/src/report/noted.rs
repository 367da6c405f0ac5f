//! What the agent noted in structured data and structured outputs (design.md §9, "Appointments"; vapi.md §3).

use serde_json::value::RawValue;

use super::{
    level::{self, Level},
    value::{self, Members, Raw},
};
use crate::{appointment::AppointmentRequest, text};

/// Characters kept of a value.
const VALUE: usize = 255;
const NOTES: usize = 4_000;

/// How deep a source is: structured data is an object of values, structured outputs are objects of those.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Depth {
    Values,
    Outputs,
}

/// What a source says in one place: an object's members, or an output that is a value under its name.
struct Place<'a> {
    members: Vec<(String, Raw<'a>)>,
    is_object: bool,
}

/// The appointment that was noted: day, time and what belongs to it as one object says them, never the day of one with
/// the time of another. Outputs that are single values complete what no object says. `None` if nothing is noted.
pub(super) fn appointment(levels: &[&Level<'_>]) -> Option<AppointmentRequest> {
    let places = sources(levels).flat_map(|(source, depth)| places(source, depth));
    let mut noted: Vec<(bool, AppointmentRequest)> =
        places.map(|place| (place.is_object, request(&place.members))).collect();
    let objects = noted.iter().filter(|(is_object, _)| *is_object).map(|(_, request)| request);
    // Of equals the last is the greatest; it is the first that is wanted.
    let mut taken = objects.rev().max_by_key(|request| worth(request)).cloned().unwrap_or_default();

    let mut said = first_of_each(noted.iter().filter(|(is_object, _)| *is_object));
    let mut values = first_of_each(noted.iter().filter(|(is_object, _)| !is_object));
    // Whether there is an appointment may be said anywhere, but of another one it says nothing of this.
    noted.retain(|(is_object, request)| {
        !is_object || !is_dated(request) || (&request.date, &request.time) == (&taken.date, &taken.time)
    });
    taken.intent = noted.iter().find_map(|(_, request)| request.intent.clone());
    taken.booked = noted.iter().find_map(|(_, request)| request.booked);

    let own = details(&mut taken).into_iter().zip(details(&mut said));
    for ((field, said), value) in own.zip(details(&mut values)) {
        if said.is_none() {
            *field = value.take();
        }
    }
    (taken != AppointmentRequest::default()).then_some(taken)
}

/// Which of several objects is the appointment: one that is wanted before one that was given up, and of those one that a
/// calendar can take before one that has only a day, and that before one that has only a time.
fn worth(request: &AppointmentRequest) -> impl Ord + use<> {
    let says_anything = *request != AppointmentRequest::default();
    let has_date = request.date.is_some();
    (is_dated(request), request.is_wanted(), request.says_when(), has_date, says_anything)
}

fn is_dated(request: &AppointmentRequest) -> bool {
    request.date.is_some() || request.time.is_some()
}

/// What belongs together: each is of the appointment that the others are of.
fn details(request: &mut AppointmentRequest) -> [&mut Option<String>; 6] {
    let AppointmentRequest { date, time, kind, notes, duration, time_zone, .. } = request;
    [date, time, kind, notes, duration, time_zone]
}

fn first_of_each<'a>(requests: impl Iterator<Item = &'a (bool, AppointmentRequest)>) -> AppointmentRequest {
    let mut first = AppointmentRequest::default();
    for (_, request) in requests {
        for (field, other) in details(&mut first).into_iter().zip(details(&mut request.clone())) {
            *field = field.take().or_else(|| other.take());
        }
    }
    first
}

fn request(members: &[(String, Raw<'_>)]) -> AppointmentRequest {
    let mut request = AppointmentRequest::default();
    for (name, value) in members {
        note(&mut request, name, value);
    }
    request
}

/// The summary of tenants that have a structured output of that name instead of Vapi's own.
pub(super) fn summary(levels: &[&Level<'_>]) -> Option<String> {
    sources(levels)
        .filter(|(_, depth)| *depth == Depth::Outputs)
        .flat_map(|(source, depth)| places(source, depth))
        .flat_map(|place| place.members)
        .filter(|(name, _)| matches!(plain(name).as_str(), "callsummary" | "summary"))
        .find_map(|(_, value)| level::summary(value))
}

fn sources<'a>(levels: &[&Level<'a>]) -> impl Iterator<Item = (Raw<'a>, Depth)> {
    levels.iter().flat_map(|level| {
        let analysis = level.analysis();
        [
            (analysis.and_then(|analysis| analysis.structured_data), Depth::Values),
            (level.artifact().and_then(|artifact| artifact.structured_outputs), Depth::Outputs),
            (analysis.and_then(|analysis| analysis.structured_outputs), Depth::Outputs),
            (analysis.and_then(|analysis| analysis.structured_data_snake), Depth::Values),
            (level.structured_data, Depth::Values),
        ]
        .into_iter()
        .filter_map(|(raw, depth)| Some((raw?, depth)))
    })
}

/// Everything that a source says, in its order: objects, outputs by their name, and outputs that are objects. An array
/// counts as its items.
fn places(source: Raw<'_>, depth: Depth) -> Vec<Place<'_>> {
    let places = match depth {
        Depth::Values => of_object,
        Depth::Outputs => of_outputs,
    };
    items(source).into_iter().flat_map(places).collect()
}

fn of_outputs(item: Raw<'_>) -> Vec<Place<'_>> {
    let named = members(item);
    let outputs = match output("", &named) {
        // One output of the array form.
        Some(one) => vec![one],
        None => named
            .into_iter()
            .map(|(key, value)| output(&key, &members(value)).unwrap_or((key, value)))
            .collect(),
    };
    let of_output = |(name, result)| {
        let value = Place { members: vec![(name, result)], is_object: false };
        std::iter::once(value).chain(items(result).into_iter().flat_map(of_object))
    };
    outputs.into_iter().flat_map(of_output).collect()
}

/// An object, and the objects in it that hold an appointment.
fn of_object(item: Raw<'_>) -> Vec<Place<'_>> {
    let own = members(item);
    let inner: Vec<_> = own.iter().filter_map(|(name, value)| appointment_in(name, value)).collect();
    let all = std::iter::once(own).chain(inner);
    all.map(|members| Place { members, is_object: true }).collect()
}

/// The members of an object that is called an appointment, or has a member that is one's.
fn appointment_in<'a>(name: &str, value: Raw<'a>) -> Option<Vec<(String, Raw<'a>)>> {
    let members = members(value);
    let is_one = |name: &str| plain(name).starts_with("appointment");
    let holds_one = plain(name) == "appointment" || members.iter().any(|(name, _)| is_one(name));
    holds_one.then_some(members)
}

/// `{"name": …, "result": …}`, or `{"result": …}` under a name.
fn output<'a>(key: &str, members: &[(String, Raw<'a>)]) -> Option<(String, Raw<'a>)> {
    let member = |name: &str| members.iter().find(|(key, _)| key == name).map(|(_, value)| *value);
    let result = member("result")?;
    let name = member("name").and_then(|name| value::line(name, VALUE));
    Some((name.unwrap_or_else(|| key.to_owned()), result))
}

fn items(raw: Raw<'_>) -> Vec<Raw<'_>> {
    let is_array = raw.get().starts_with('[');
    if is_array { serde_json::from_str::<Vec<&RawValue>>(raw.get()).unwrap_or_default() } else { vec![raw] }
}

/// The members of an object; of anything else, none.
fn members(raw: Raw<'_>) -> Vec<(String, Raw<'_>)> {
    let is_object = raw.get().starts_with('{');
    let members = is_object.then(|| serde_json::from_str::<Members<'_>>(raw.get()).ok()).flatten();
    members.map(|members| members.0).unwrap_or_default()
}

/// Takes over a value, if it is one of an appointment's, present, and the first of its name.
fn note(noted: &mut AppointmentRequest, name: &str, raw: Raw<'_>) {
    let (field, longest) = match plain(name).as_str() {
        "intent" => (&mut noted.intent, VALUE),
        "appointmentdate" => (&mut noted.date, VALUE),
        "appointmenttime" => (&mut noted.time, VALUE),
        "appointmenttype" => (&mut noted.kind, VALUE),
        "appointmentnotes" => (&mut noted.notes, NOTES),
        "appointmentduration" => (&mut noted.duration, VALUE),
        "appointmenttimezone" => (&mut noted.time_zone, VALUE),
        "appointmentbooked" => {
            noted.booked = noted.booked.or_else(|| value::flag(raw));
            return;
        }
        _ => return,
    };
    if field.is_none() {
        *field = value::string_or_number(raw).and_then(|value| text::clean(text::present(&value)?, longest));
    }
}

/// A name without what differs between `appointment_date`, `appointmentDate` and “Appointment Date”.
fn plain(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}
