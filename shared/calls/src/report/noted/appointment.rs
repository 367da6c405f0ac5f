//! The appointments that were noted: in any nesting, under any of their names.

use std::cmp::Reverse;

use super::{Item, Noted, VALUE};
use crate::{
    appointment::{
        AppointmentRequest,
        key::{Key, is_about_appointment},
        verdict::{self, Verdict, stated},
    },
    report::tree::Node,
    text::{clean, clean_line, plain_name},
};

const NOTES: usize = 4_000;
/// What is kept of a day, a time, a duration.
const WHEN: usize = 100;
/// What is kept of names and values that are not read, and how many of them.
const UNREAD: usize = 120;
const UNREAD_KEPT: usize = 8;
/// What is kept of an appointment besides the first, and how many of them.
const OTHER: usize = 60;
const OTHERS_KEPT: usize = 3;
/// Characters of the name of a flag.
const NAME: usize = 60;

/// What is said in one place: by an object, or by an output that is a value.
struct Place {
    request: AppointmentRequest,
    is_object: bool,
    /// The place that the object lies in.
    parent: Option<usize>,
}

/// The appointment that was noted: day, time and what belongs to it as one object says them, never the day of one with the
/// time of another. What lies around it, and outputs that are single values, complete it. Others that were noted are beside
/// it. `None` if nothing is noted.
pub(in crate::report) fn appointment(noted: &Noted) -> Option<AppointmentRequest> {
    let mut places = Vec::new();
    for item in noted.items() {
        if let Some(value) = item.node.value() {
            let member = (item.name.to_owned(), Node::Value(value));
            let request = request("", &[member]);
            places.push(Place { request, is_object: false, parent: None });
        }
        visit(&mut places, item, true, None);
    }
    let objects = || places.iter().enumerate().filter(|(_, place)| place.is_object);
    // Of equals the last is the greatest; it is the first that is wanted.
    let chosen = objects().rev().max_by_key(|(_, place)| worth(&place.request)).map(|(index, _)| index);
    let mut taken = chosen.map(|index| places[index].request.clone()).unwrap_or_default();

    let around =
        std::iter::successors(chosen.and_then(|index| places[index].parent), |index| places[*index].parent);
    for place in around.map(|index| &places[index]).take_while(|place| !place.request.is_dated()) {
        complete(&mut taken, &place.request, &AppointmentRequest::default());
    }
    let mut said = AppointmentRequest::default();
    objects().for_each(|(_, place)| complete(&mut said, &place.request, &AppointmentRequest::default()));
    for place in places.iter().filter(|place| !place.is_object) {
        complete(&mut taken, &place.request, &said);
    }

    let of_taken =
        |place: &&Place| !place.is_object || !place.request.is_dated() || place.request.is_of(&taken);
    let about: Vec<&AppointmentRequest> =
        places.iter().filter(of_taken).map(|place| &place.request).collect();
    taken.intent = about.iter().find_map(|request| request.intent.clone());
    (taken.booked, taken.stated) = verdict_of(&about);
    let mut unread: Vec<String> = Vec::new();
    for line in about.iter().flat_map(|request| request.unread.iter().flatten()) {
        if !unread.contains(line) && unread.len() < UNREAD_KEPT {
            unread.push(line.clone());
        }
    }
    taken.unread = Some(unread).filter(|unread| !unread.is_empty());
    taken.others = others(&taken, objects().map(|(_, place)| &place.request));
    (taken != AppointmentRequest::default()).then_some(taken)
}

/// Which of several objects is the appointment: one that is wanted before one that was given up, and of those one that a
/// calendar can take, the first in time, before one that has only a day, and that before one that has only a time.
fn worth(request: &AppointmentRequest) -> impl Ord + use<> {
    let has_details = request.noted().next().is_some();
    let has_date = request.date.is_some() || request.date_time.is_some();
    let begins = request.says_when();
    (request.is_dated(), has_details, request.is_wanted(), begins.is_some(), Reverse(begins), has_date)
}

/// Whether one was made, by all that is said of it, and in which words. A denial counts more than a doubt, and a doubt more
/// than a yes.
fn verdict_of(about: &[&AppointmentRequest]) -> (Option<bool>, Option<String>) {
    let denied = || about.iter().filter(|request| request.booked == Some(false));
    let is_doubt = |request: &&&AppointmentRequest| {
        request.stated.as_deref().and_then(verdict::of_stated) == Some(Verdict::Unclear)
    };
    if let Some(request) = denied().find(|request| !is_doubt(request)).or_else(|| denied().next()) {
        return (Some(false), request.stated.clone());
    }
    (about.iter().find_map(|request| request.booked), None)
}

/// The other appointments that are wanted, each once, and no more of each than to book it by hand.
fn others<'a>(
    taken: &AppointmentRequest,
    all: impl Iterator<Item = &'a AppointmentRequest>,
) -> Option<Vec<AppointmentRequest>> {
    let mut others: Vec<AppointmentRequest> = Vec::new();
    for request in all.filter(|request| request.is_dated() && request.is_wanted()) {
        let is_known = request.is_of(taken) || others.iter().any(|other| request.is_of(other));
        if !is_known && others.len() < OTHERS_KEPT {
            let mut other = AppointmentRequest { booked: request.booked, ..AppointmentRequest::default() };
            for (own, field) in details(&mut other).into_iter().zip(details(&mut request.clone())) {
                *own = field.as_deref().and_then(|text| clean_line(text, OTHER));
            }
            others.push(other);
        }
    }
    Some(others).filter(|others| !others.is_empty())
}

/// What belongs together: each is of the appointment that the others are of.
fn details(request: &mut AppointmentRequest) -> [&mut Option<String>; 9] {
    let AppointmentRequest { date, time, date_time, end, kind, notes, duration, time_zone, location, .. } =
        request;
    [date, time, date_time, end, kind, notes, duration, time_zone, location]
}

/// Takes over what is missing, but not where something else is `said`.
fn complete(taken: &mut AppointmentRequest, from: &AppointmentRequest, said: &AppointmentRequest) {
    let (mut from, mut said) = (from.clone(), said.clone());
    let fields = details(taken).into_iter().zip(details(&mut from)).zip(details(&mut said));
    for ((own, other), said) in fields {
        if own.is_none() && said.is_none() {
            *own = other.take();
        }
    }
}

/// An object, and the objects in it, however deep, that hold an appointment.
fn visit(places: &mut Vec<Place>, Item { name, node }: Item<'_>, is_top: bool, parent: Option<usize>) {
    for object in node.items() {
        let members = object.members();
        if let Node::List(_) = object {
            visit(places, Item { name, node: object }, is_top, parent);
        }
        if members.is_empty() {
            continue;
        }
        let mut around = parent;
        if is_top || is_about_appointment(name) || members.iter().any(|(name, _)| is_about_appointment(name))
        {
            places.push(Place { request: request(name, members), is_object: true, parent });
            around = Some(places.len() - 1);
        }
        for (name, node) in members {
            visit(places, Item { name, node }, false, around);
        }
    }
}

/// What the members of an object say, which is called `name`. In one that is an appointment, or has members that are one's,
/// a bare `date` is an appointment's too.
fn request(name: &str, members: &[(String, Node)]) -> AppointmentRequest {
    let is_called_one = is_about_appointment(name);
    let mut request = AppointmentRequest::default();
    let mut verdicts = Vec::new();
    let values: Vec<(&str, String)> =
        members.iter().filter_map(|(name, node)| Some((name.as_str(), node.value()?))).collect();
    let mut has_own = false;
    for (name, value) in &values {
        if plain_name(name) == "intent" {
            note(&mut request.intent, value, WHEN);
        } else if let Some(key) = Key::of(name) {
            has_own = true;
            take(&mut request, &mut verdicts, key, (*name, value.as_str()));
        } else if is_about_appointment(name) {
            leave_unread(&mut request, name, value);
        }
    }
    let says_when = request.is_dated();
    let bare = values.iter().filter(|(name, _)| (is_called_one || has_own) && Key::of(name).is_none());
    for (name, value) in bare {
        match Key::within(name) {
            // A flat object may have a `start` of the call beside an `appointment_date`.
            Some(Key::DateTime | Key::End) if says_when && !is_called_one => {}
            Some(Key::Date | Key::Time) if request.date_time.is_some() && !is_called_one => {}
            Some(Key::Status)
                if !is_called_one && verdict::read(Key::Status, value) == Some(Verdict::Unclear) => {}
            Some(key) => take(&mut request, &mut verdicts, key, (*name, value.as_str())),
            None if is_called_one && plain_name(name) != "intent" && !is_about_appointment(name) => {
                leave_unread(&mut request, name, value);
            }
            None => {}
        }
    }
    let of = |wanted: &[Verdict]| verdicts.iter().find(|(verdict, _)| wanted.contains(verdict));
    if let Some((_, words)) = of(&[Verdict::NotMade, Verdict::CalledOff]).or_else(|| of(&[Verdict::Unclear]))
    {
        (request.booked, request.stated) = (Some(false), Some(words.clone()));
    } else if of(&[Verdict::Made]).is_some() {
        request.booked = Some(true);
    }
    request
}

/// Takes over a value, if it is the first of its name.
fn take(
    request: &mut AppointmentRequest,
    verdicts: &mut Vec<(Verdict, String)>,
    key: Key,
    (name, value): (&str, &str),
) {
    let is_flag = matches!(value, "true" | "false");
    let (field, longest) = match key {
        Key::Made | Key::CalledOff | Key::Status => {
            let name = clean_line(name, NAME).unwrap_or_default();
            let value = clean_line(value, WHEN).unwrap_or_default();
            verdicts.extend(verdict::read(key, &value).map(|verdict| (verdict, stated(&name, &value))));
            return;
        }
        // Models write `false` for what there is none of.
        _ if is_flag => return,
        Key::Date => (&mut request.date, WHEN),
        Key::Time => (&mut request.time, WHEN),
        Key::DateTime => (&mut request.date_time, WHEN),
        Key::End => (&mut request.end, WHEN),
        Key::Kind => (&mut request.kind, VALUE),
        Key::Notes => (&mut request.notes, NOTES),
        Key::Duration => (&mut request.duration, WHEN),
        Key::TimeZone => (&mut request.time_zone, WHEN),
        Key::Location => (&mut request.location, VALUE),
    };
    note(field, value, longest);
}

fn note(field: &mut Option<String>, value: &str, longest: usize) {
    if field.is_none() {
        *field = clean(value, longest);
    }
}

fn leave_unread(request: &mut AppointmentRequest, name: &str, value: &str) {
    if matches!(value, "false" | "0") {
        return;
    }
    let unread = request.unread.get_or_insert_default();
    if unread.len() < UNREAD_KEPT {
        unread.extend(clean_line(&format!("{name}: {value}"), UNREAD));
    }
}
