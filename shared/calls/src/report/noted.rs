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

/// The appointment that was noted, field by field from the first source that has the field. `None` if none has any.
pub(super) fn appointment(levels: &[&Level<'_>]) -> Option<AppointmentRequest> {
    let mut noted = AppointmentRequest::default();
    for (source, depth) in sources(levels) {
        visit(source, depth, &mut |name, raw| note(&mut noted, name, raw));
    }
    (noted != AppointmentRequest::default()).then_some(noted)
}

/// The summary of tenants that have a structured output of that name instead of Vapi's own.
pub(super) fn summary(levels: &[&Level<'_>]) -> Option<String> {
    let mut found = None;
    for (source, depth) in sources(levels).filter(|(_, depth)| *depth == Depth::Outputs) {
        visit(source, depth, &mut |name, raw| {
            let is_summary = matches!(plain(name).as_str(), "callsummary" | "summary");
            if is_summary && found.is_none() {
                found = level::summary(raw);
            }
        });
    }
    found
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

/// Shows every named value of a source: members of the object, outputs by their name, and members of outputs that are
/// objects. An array counts as its items.
fn visit<'a>(raw: Raw<'a>, depth: Depth, show: &mut impl FnMut(&str, Raw<'a>)) {
    for item in items(raw) {
        let members = members(item);
        if depth == Depth::Outputs {
            // One output of the array form.
            if let Some((name, result)) = output("", &members) {
                show_output(&name, result, show);
                continue;
            }
        }
        for (name, value) in members {
            match depth {
                Depth::Values => {
                    show(&name, value);
                    if plain(&name) == "appointment" {
                        members_of(value, show);
                    }
                }
                Depth::Outputs => {
                    let (name, result) = output(&name, &self::members(value)).unwrap_or((name, value));
                    show_output(&name, result, show);
                }
            }
        }
    }
}

fn show_output<'a>(name: &str, result: Raw<'a>, show: &mut impl FnMut(&str, Raw<'a>)) {
    show(name, result);
    for item in items(result) {
        visit(item, Depth::Values, show);
    }
}

fn members_of<'a>(raw: Raw<'a>, show: &mut impl FnMut(&str, Raw<'a>)) {
    for (name, value) in members(raw) {
        show(&name, value);
    }
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
