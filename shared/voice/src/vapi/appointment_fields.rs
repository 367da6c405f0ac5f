//! The noted appointments, at any depth and under any of their names.

use std::cmp::Reverse;

use calls::{
    appointment::{
        AppointmentRequest, Verdict, key::Key, key::is_about_appointment, key::is_appointment, verdict,
        verdict::stated,
    },
    text::{clean, clean_line, plain_name},
};

use crate::vapi::tree::Node;

use super::structured_data::{Item, StructuredData, VALUE};

const NOTES: usize = 4_000;
/// The longest date, time or duration that is kept, characters.
const WHEN: usize = 100;
/// Limits for fields that are not read: characters of each, and how many.
const UNREAD: usize = 120;
const UNREAD_KEPT: usize = 8;
/// Limits for other appointments: characters of each field, and how many.
const OTHER: usize = 60;
const OTHERS_KEPT: usize = 3;
/// The longest name of a flag, characters.
const NAME: usize = 60;
/// How many mentions are read. No agent notes this many; it bounds the time a report takes.
const MAX_MENTIONS: usize = 64;

/// What one object says about an appointment, or an output that is a single value.
struct Mention {
    request: AppointmentRequest,
    is_object: bool,
    /// The mention that contains the object.
    parent: Option<usize>,
}

/// The context of an object.
#[derive(Clone, Copy)]
struct Context {
    /// At the top level of a source.
    is_top: bool,
    /// Inside an object that is an appointment.
    in_appointment: bool,
    parent: Option<usize>,
}

/// The noted appointment; `None` if nothing was noted. Date, time and details come from one object, so that the date
/// of one appointment is never mixed with the time of another. Enclosing objects and single-value outputs fill in
/// what is missing. Other appointments go to `others`.
pub(super) fn appointment(data: &StructuredData) -> Option<AppointmentRequest> {
    let mut mentions = Vec::new();
    for item in data.items() {
        let is_flag = Key::of(item.name).is_some_and(Key::is_verdict);
        let value = item.node.value().map(Node::Value).or_else(|| is_flag.then(|| item.node.clone()));
        if let Some(value) = value.filter(|_| !item.name.is_empty()) {
            let request = request(item.name, &[(item.name.to_owned(), value)], Kind::Output);
            mentions.push(Mention { request, is_object: false, parent: None });
        }
        visit(&mut mentions, item, Context { is_top: true, in_appointment: false, parent: None });
    }
    let objects = || mentions.iter().enumerate().filter(|(_, mention)| mention.is_object);
    // `max_by_key` returns the last of equal elements, but we want the first.
    let chosen = objects().rev().max_by_key(|(_, mention)| rank(&mention.request)).map(|(index, _)| index);
    let mut appointment = chosen.map(|index| mentions[index].request.clone()).unwrap_or_default();

    let enclosing = std::iter::successors(chosen.and_then(|index| mentions[index].parent), |index| {
        mentions[*index].parent
    });
    for mention in
        enclosing.map(|index| &mentions[index]).take_while(|mention| !mention.request.has_date_or_time())
    {
        fill_in(&mut appointment, &mention.request, &AppointmentRequest::default());
    }
    let mut known = AppointmentRequest::default();
    objects().for_each(|(_, mention)| fill_in(&mut known, &mention.request, &AppointmentRequest::default()));
    for mention in mentions.iter().filter(|mention| !mention.is_object) {
        fill_in(&mut appointment, &mention.request, &known);
    }

    // A denial also applies to this one, unless it is certainly about another.
    let about_it = |mention: &&Mention| {
        let request = &mention.request;
        let may_deny_it = || request.booked == Some(false) && !request.is_on_another_day(&appointment);
        !mention.is_object || !request.has_date_or_time() || request.is_same_as(&appointment) || may_deny_it()
    };
    let about: Vec<&AppointmentRequest> =
        mentions.iter().filter(about_it).map(|mention| &mention.request).collect();
    appointment.intent = about.iter().find_map(|request| request.intent.clone());
    (appointment.booked, appointment.stated, appointment.verdict) = verdict_of(&about);
    let mut unread: Vec<String> = Vec::new();
    for line in about.iter().flat_map(|request| request.unread.iter().flatten()) {
        if !unread.contains(line) && unread.len() < UNREAD_KEPT {
            unread.push(line.clone());
        }
    }
    appointment.unread = Some(unread).filter(|unread| !unread.is_empty());
    appointment.others = others(&appointment, objects().map(|(_, mention)| &mention.request));
    (appointment != AppointmentRequest::default()).then_some(appointment)
}

/// Ranks objects to find the appointment: first by whether it was given up; then one that can be written to the
/// calendar, the earliest first, before one with only a day, and that before one with only a time.
fn rank(request: &AppointmentRequest) -> impl Ord + use<> {
    let has_details = request.labelled().next().is_some();
    let has_date = request.date.is_some() || request.date_time.is_some();
    let start = request.approximate_start();
    (
        request.has_date_or_time(),
        has_details,
        request.is_not_denied(),
        start.is_some(),
        Reverse(start),
        has_date,
    )
}

/// Whether it was made, from everything about it, and the words that say so. A denial beats a doubt, and a doubt
/// beats a yes.
fn verdict_of(about: &[&AppointmentRequest]) -> (Option<bool>, Option<String>, Option<Verdict>) {
    let denied = || about.iter().filter(|request| request.booked == Some(false));
    let is_clear = |request: &&&AppointmentRequest| request.verdict != Some(Verdict::Unclear);
    if let Some(request) = denied().find(is_clear).or_else(|| denied().next()) {
        return (Some(false), request.stated.clone(), request.verdict);
    }
    (about.iter().find_map(|request| request.booked), None, None)
}

/// The other appointments that are not denied or in doubt, each once, with just enough to book it by hand.
fn others<'a>(
    appointment: &AppointmentRequest,
    all: impl Iterator<Item = &'a AppointmentRequest>,
) -> Option<Vec<AppointmentRequest>> {
    let mut others: Vec<AppointmentRequest> = Vec::new();
    let mut more = 0;
    let is_open = |request: &&AppointmentRequest| {
        request.has_date_or_time() && (request.is_not_denied() || request.verdict == Some(Verdict::Unclear))
    };
    for request in all.filter(is_open) {
        if request.is_same_as(appointment) || others.iter().any(|other| request.is_same_as(other)) {
            continue;
        }
        if others.len() == OTHERS_KEPT {
            more += 1;
            continue;
        }
        let mut other = AppointmentRequest {
            booked: request.booked,
            verdict: request.verdict,
            unread: request.stated.clone().map(|stated| vec![stated]),
            ..AppointmentRequest::default()
        };
        for (own, field) in details(&mut other).into_iter().zip(details(&mut request.clone())) {
            *own = field.as_deref().and_then(|text| clean_line(text, OTHER));
        }
        others.push(other);
    }
    if more > 0 {
        let unread = Some(vec![format!("{more} more")]);
        others.push(AppointmentRequest { unread, ..AppointmentRequest::default() });
    }
    Some(others).filter(|others| !others.is_empty())
}

/// The fields that must come from the same appointment.
fn details(request: &mut AppointmentRequest) -> [&mut Option<String>; 9] {
    let AppointmentRequest { date, time, date_time, end, kind, notes, duration, time_zone, location, .. } =
        request;
    [date, time, date_time, end, kind, notes, duration, time_zone, location]
}

/// Fills in missing fields, except those that are `known` from elsewhere.
fn fill_in(appointment: &mut AppointmentRequest, from: &AppointmentRequest, known: &AppointmentRequest) {
    let (mut from, mut known) = (from.clone(), known.clone());
    let fields = details(appointment).into_iter().zip(details(&mut from)).zip(details(&mut known));
    for ((own, other), known) in fields {
        if own.is_none() && known.is_none() {
            *own = other.take();
        }
    }
}

/// Collects an object, and the objects inside it at any depth, that contain an appointment.
fn visit(mentions: &mut Vec<Mention>, Item { name, node }: Item<'_>, context: Context) {
    let in_appointment = context.in_appointment || is_about_appointment(name);
    for object in node.items() {
        if mentions.len() >= MAX_MENTIONS {
            return;
        }
        let members = object.members();
        match object {
            Node::List(_) => visit(mentions, Item { name, node: object }, context),
            // A text in a list with objects: “22 January at 3”.
            Node::Value(_) if is_about_appointment(name) && contains_objects(node) => {
                let date_time = object.value().and_then(|value| clean(&value, WHEN));
                let request = AppointmentRequest { date_time, ..AppointmentRequest::default() };
                mentions.push(Mention { request, is_object: true, parent: context.parent });
            }
            _ => {}
        }
        if members.is_empty() {
            continue;
        }
        let mut enclosing = context.parent;
        let holds_one = members.iter().any(|(name, _)| is_about_appointment(name) || is_booked(name));
        if context.is_top || in_appointment || holds_one {
            let kind = if in_appointment { Kind::Appointment } else { Kind::Flat };
            let request = request(name, members, kind);
            // It has the time for the enclosing object's day: one appointment in two objects.
            let halves = context.parent.filter(|parent| are_halves(&mentions[*parent].request, &request));
            if let Some(parent) = halves {
                fill_in(&mut mentions[parent].request, &request, &AppointmentRequest::default());
                let rest =
                    AppointmentRequest { date: None, time: None, date_time: None, end: None, ..request };
                mentions.push(Mention { request: rest, is_object: true, parent: Some(parent) });
            } else {
                mentions.push(Mention { request, is_object: true, parent: context.parent });
            }
            enclosing = Some(mentions.len() - 1);
        }
        // Objects that wrap a value have been read as that value.
        for (name, node) in members.iter().filter(|(_, node)| node.value().is_none()) {
            visit(
                mentions,
                Item { name, node },
                Context { is_top: false, in_appointment, parent: enclosing },
            );
        }
    }
}

/// Whether a list contains objects.
fn contains_objects(node: &Node) -> bool {
    matches!(node, Node::List(items) if items.iter().any(|item| !item.members().is_empty()))
}

/// Whether one has only a day and the other only a time.
fn are_halves(one: &AppointmentRequest, other: &AppointmentRequest) -> bool {
    let has = |request: &AppointmentRequest| {
        let (day, time) = request.day_and_time();
        (day.is_some(), time.is_some())
    };
    matches!((has(one), has(other)), ((true, false), (false, true)) | ((false, true), (true, false)))
}

/// How members are read.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
enum Kind {
    /// Members of an object that is an appointment: every name counts.
    Appointment,
    /// Members of an object that may be about the whole call.
    #[default]
    Flat,
    /// An output that is a single value.
    Output,
}

/// A flag that is about an appointment in any object.
fn is_booked(name: &str) -> bool {
    matches!(plain_name(name).as_str(), "booked" | "isbooked" | "wasbooked")
}

/// Reads the members of the object with the name `object`. In one that is an appointment, or has fields of one, a
/// bare `date` counts too; if both forms exist, the full name wins.
fn request(object: &str, members: &[(String, Node)], kind: Kind) -> AppointmentRequest {
    let mut reader = Reader { object, kind, ..Reader::default() };
    for (name, node) in members {
        reader.read_full_name(name, node);
    }
    let own = reader.request.clone();
    let beside_one = members.iter().any(|(name, node)| is_about_appointment(name) && node.value().is_none());
    let is_own = |name: &str| Key::of(name).is_some() || is_booked(name) || plain_name(name) == "intent";
    for (name, node) in members.iter().filter(|(name, _)| !is_own(name)) {
        reader.read_bare_name(name, node, &own, beside_one);
    }
    reader.finish()
}

/// Reads the members of one object.
#[derive(Default)]
struct Reader<'a> {
    object: &'a str,
    kind: Kind,
    request: AppointmentRequest,
    /// Whether a name shows that the object contains an appointment.
    has_full_name: bool,
    /// What flags and statuses say, with their words.
    verdicts: Vec<(Verdict, String)>,
}

impl Reader<'_> {
    /// Reads a member whose full name is about an appointment.
    fn read_full_name(&mut self, name: &str, node: &Node) {
        let key = Key::of(name).or_else(|| Key::within(name).filter(|_| is_booked(name)));
        let Some(value) = node.value() else {
            // A flag that is an object, but not an appointment, cannot be read.
            let holds_none = node.members().iter().all(|(name, _)| Key::within(name).is_none());
            if key.is_some_and(Key::is_verdict) && !node.members().is_empty() && holds_none {
                self.add_verdict(Verdict::Unclear, name, "…");
            }
            return;
        };
        let plain = plain_name(name);
        if plain == "intent" {
            set_if_missing(&mut self.request.intent, &value, WHEN);
        } else if let Some(key) = key {
            self.has_full_name = true;
            self.set(key, name, &value);
        } else if is_appointment(name) {
            // `"appointment": "none"`: the value is a verdict, or free text.
            match verdict::status(&value) {
                Verdict::Unclear => self.keep_unread(name, &value),
                Verdict::NotMade if !verdict::is_no(&value) => self.keep_unread(name, &value),
                verdict => self.add_verdict(verdict, name, &value),
            }
        } else if is_about_appointment(name) {
            self.keep_unread(name, &value);
        } else if plain.ends_with("intent") {
            self.set(Key::Intent, name, &value);
        }
    }

    /// Reads a member with a bare name. `own`: what full names said; `beside_one`: whether an appointment object is
    /// next to it.
    fn read_bare_name(&mut self, name: &str, node: &Node, own: &AppointmentRequest, beside_one: bool) {
        let Some(value) = node.value() else { return };
        let key = Key::within(name).filter(|key| !has(own, *key));
        let reads = match (self.kind, key) {
            (_, None) => false,
            (Kind::Appointment, _) => true,
            // These may also be about the call itself: only unambiguous values count.
            (_, Some(key)) if key.is_verdict() => match verdict::read(key, &value) {
                Some(Verdict::NotMade) if key == Key::Status && !verdict::mentions_booking(&value) => false,
                Some(Verdict::NotMade | Verdict::CalledOff) => {
                    self.has_full_name || beside_one || self.kind == Kind::Output
                }
                Some(Verdict::Made) => self.has_full_name && key == Key::Made,
                Some(Verdict::Unclear) | None => false,
            },
            // So may `start` and `end`.
            (Kind::Flat, Some(Key::DateTime)) => {
                self.has_full_name && !own.has_date_or_time() && plain_name(name) == "datetime"
            }
            (Kind::Flat, Some(Key::Date | Key::Time)) => self.has_full_name && own.date_time.is_none(),
            (Kind::Flat, Some(key)) => self.has_full_name && key != Key::End,
            (Kind::Output, _) => false,
        };
        match key.filter(|_| reads) {
            Some(key) => self.set(key, name, &value),
            None if is_about_appointment(self.object)
                && Key::within(name).is_none()
                && !is_about_appointment(name)
                && !is_about_caller(name) =>
            {
                self.keep_unread(name, &value);
            }
            None => {}
        }
    }

    /// Sets a field. If two names have different values for one field, both are kept, so that neither is used by
    /// mistake.
    fn set(&mut self, key: Key, name: &str, value: &str) {
        let is_flag = matches!(value, "true" | "false");
        let (field, longest) = match key {
            Key::Made | Key::CalledOff | Key::Status | Key::Intent => {
                if let Some(verdict) = verdict::read(key, value) {
                    self.add_verdict(verdict, name, value);
                }
                return;
            }
            // Models write `false` for missing values.
            _ if is_flag => return,
            Key::Kind => return set_if_missing(&mut self.request.kind, value, VALUE),
            Key::Notes => return set_if_missing(&mut self.request.notes, value, NOTES),
            Key::Location => return set_if_missing(&mut self.request.location, value, VALUE),
            Key::Date => (&mut self.request.date, WHEN),
            Key::Time => (&mut self.request.time, WHEN),
            Key::DateTime => (&mut self.request.date_time, WHEN),
            Key::End => (&mut self.request.end, WHEN),
            Key::Duration => (&mut self.request.duration, WHEN),
            Key::TimeZone => (&mut self.request.time_zone, WHEN),
        };
        let Some(value) = clean(value, longest) else { return };
        *field = match field.take() {
            Some(first) if first != value => clean(&format!("{first} / {value}"), longest),
            _ => Some(value),
        };
    }

    /// Records what a flag or status says, with its name; a bare name is prefixed with the object's.
    fn add_verdict(&mut self, verdict: Verdict, name: &str, value: &str) {
        let is_bare = self.kind == Kind::Appointment && Key::of(name).is_none() && !is_appointment(name);
        let whose = if is_bare { format!("{} {name}", self.object) } else { name.to_owned() };
        let line = |text: &str, longest| clean_line(text, longest).unwrap_or_default();
        self.verdicts.push((verdict, stated(&line(&whose, NAME), &line(value, WHEN))));
    }

    fn keep_unread(&mut self, name: &str, value: &str) {
        keep_unread(&mut self.request, name, value);
    }

    fn finish(mut self) -> AppointmentRequest {
        if let Some(kind) =
            self.request.kind.clone().filter(|kind| verdict::read(Key::Intent, kind).is_some())
        {
            self.add_verdict(Verdict::CalledOff, "appointment_type", &kind);
        }
        let of = |wanted: &[Verdict]| self.verdicts.iter().find(|(verdict, _)| wanted.contains(verdict));
        let denied = of(&[Verdict::NotMade, Verdict::CalledOff]).or_else(|| of(&[Verdict::Unclear]));
        if let Some((verdict, words)) = denied {
            self.request.booked = Some(false);
            self.request.stated = Some(words.clone());
            self.request.verdict = Some(*verdict);
        } else if of(&[Verdict::Made]).is_some() {
            self.request.booked = Some(true);
        }
        self.request
    }
}

/// Whether the request has a value for the key.
fn has(request: &AppointmentRequest, key: Key) -> bool {
    match key {
        Key::Date => request.date.is_some(),
        Key::Time => request.time.is_some(),
        Key::DateTime => request.date_time.is_some(),
        Key::End => request.end.is_some(),
        Key::Duration => request.duration.is_some(),
        Key::TimeZone => request.time_zone.is_some(),
        _ => false,
    }
}

/// Whether a member of an appointment is about the caller.
fn is_about_caller(name: &str) -> bool {
    let name = plain_name(name);
    name == "id"
        || ["name", "email", "phone", "number", "customer", "caller"].iter().any(|part| name.contains(part))
}

fn set_if_missing(field: &mut Option<String>, value: &str, longest: usize) {
    if field.is_none() {
        *field = clean(value, longest);
    }
}

fn keep_unread(request: &mut AppointmentRequest, name: &str, value: &str) {
    // “No appointment”, `false`: nobody has to act on that.
    if verdict::is_no(value) {
        return;
    }
    let unread = request.unread.get_or_insert_default();
    if unread.len() < UNREAD_KEPT {
        unread.extend(clean_line(&format!("{name}: {value}"), UNREAD));
    }
}
