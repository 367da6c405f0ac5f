//! The appointments that were noted: in any nesting, under any of their names.

use std::cmp::Reverse;

use super::structured_data::{Item, StructuredData, VALUE};
use crate::{
    appointment::{
        AppointmentRequest, Verdict,
        key::{Key, is_about_appointment, is_appointment},
        verdict::{self, stated},
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
/// How many places are read. No agent notes as many; it bounds the time that a report takes.
const PLACES: usize = 64;

/// What is said in one place: by an object, or by an output that is a value.
struct Place {
    request: AppointmentRequest,
    is_object: bool,
    /// The place that the object lies in.
    parent: Option<usize>,
}

/// Where an object lies.
#[derive(Clone, Copy)]
struct Within {
    /// At the top of a source.
    is_top: bool,
    /// In an object that is an appointment.
    is_appointments: bool,
    parent: Option<usize>,
}

/// The appointment that was noted: day, time and what belongs to it as one object says them, never the day of one with the
/// time of another. What lies around it, and outputs that are single values, complete it. Others that were noted are beside
/// it. `None` if nothing is noted.
pub(super) fn appointment(data: &StructuredData) -> Option<AppointmentRequest> {
    let mut places = Vec::new();
    for item in data.items() {
        let is_flag = Key::of(item.name).is_some_and(Key::is_verdict);
        let value = item.node.value().map(Node::Value).or_else(|| is_flag.then(|| item.node.clone()));
        if let Some(value) = value.filter(|_| !item.name.is_empty()) {
            let request = request(item.name, &[(item.name.to_owned(), value)], Kind::Output);
            places.push(Place { request, is_object: false, parent: None });
        }
        visit(&mut places, item, Within { is_top: true, is_appointments: false, parent: None });
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

    // What is denied is denied of this one too, unless it is certainly another.
    let of_taken = |place: &&Place| {
        let request = &place.request;
        let may_be = || request.booked == Some(false) && !request.is_on_another_day(&taken);
        !place.is_object || !request.is_dated() || request.is_of(&taken) || may_be()
    };
    let about: Vec<&AppointmentRequest> =
        places.iter().filter(of_taken).map(|place| &place.request).collect();
    taken.intent = about.iter().find_map(|request| request.intent.clone());
    (taken.booked, taken.stated, taken.verdict) = verdict_of(&about);
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
fn verdict_of(about: &[&AppointmentRequest]) -> (Option<bool>, Option<String>, Option<Verdict>) {
    let denied = || about.iter().filter(|request| request.booked == Some(false));
    let is_clear = |request: &&&AppointmentRequest| request.verdict != Some(Verdict::Unclear);
    if let Some(request) = denied().find(is_clear).or_else(|| denied().next()) {
        return (Some(false), request.stated.clone(), request.verdict);
    }
    (about.iter().find_map(|request| request.booked), None, None)
}

/// The other appointments that are wanted or in doubt, each once, and no more of each than to book it by hand.
fn others<'a>(
    taken: &AppointmentRequest,
    all: impl Iterator<Item = &'a AppointmentRequest>,
) -> Option<Vec<AppointmentRequest>> {
    let mut others: Vec<AppointmentRequest> = Vec::new();
    let mut more = 0;
    let is_open = |request: &&AppointmentRequest| {
        request.is_dated() && (request.is_wanted() || request.verdict == Some(Verdict::Unclear))
    };
    for request in all.filter(is_open) {
        if request.is_of(taken) || others.iter().any(|other| request.is_of(other)) {
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
fn visit(places: &mut Vec<Place>, Item { name, node }: Item<'_>, within: Within) {
    let is_appointments = within.is_appointments || is_about_appointment(name);
    for object in node.items() {
        if places.len() >= PLACES {
            return;
        }
        let members = object.members();
        match object {
            Node::List(_) => visit(places, Item { name, node: object }, within),
            // In a list beside objects: “22 January at 3”.
            Node::Value(_) if is_about_appointment(name) && is_mixed(node) => {
                let date_time = object.value().and_then(|value| clean(&value, WHEN));
                let request = AppointmentRequest { date_time, ..AppointmentRequest::default() };
                places.push(Place { request, is_object: true, parent: within.parent });
            }
            _ => {}
        }
        if members.is_empty() {
            continue;
        }
        let mut around = within.parent;
        let holds_one = members.iter().any(|(name, _)| is_about_appointment(name) || is_booked(name));
        if within.is_top || is_appointments || holds_one {
            let kind = if is_appointments { Kind::Appointment } else { Kind::Flat };
            let request = request(name, members, kind);
            // A time of its own for the day around it: one appointment in two objects.
            let halves = within.parent.filter(|parent| are_halves(&places[*parent].request, &request));
            if let Some(parent) = halves {
                complete(&mut places[parent].request, &request, &AppointmentRequest::default());
                let rest =
                    AppointmentRequest { date: None, time: None, date_time: None, end: None, ..request };
                places.push(Place { request: rest, is_object: true, parent: Some(parent) });
            } else {
                places.push(Place { request, is_object: true, parent: within.parent });
            }
            around = Some(places.len() - 1);
        }
        // What an object stands for alone has been read as a value.
        for (name, node) in members.iter().filter(|(_, node)| node.value().is_none()) {
            visit(places, Item { name, node }, Within { is_top: false, is_appointments, parent: around });
        }
    }
}

/// Whether a list has objects among its items.
fn is_mixed(node: &Node) -> bool {
    matches!(node, Node::List(items) if items.iter().any(|item| !item.members().is_empty()))
}

/// Whether one says only a day and the other only a time.
fn are_halves(one: &AppointmentRequest, other: &AppointmentRequest) -> bool {
    let says = |request: &AppointmentRequest| {
        let (day, time) = request.parts();
        (day.is_some(), time.is_some())
    };
    matches!((says(one), says(other)), ((true, false), (false, true)) | ((false, true), (true, false)))
}

/// What members are read as.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
enum Kind {
    /// Of an object that is an appointment: every name counts.
    Appointment,
    /// Of an object that may be about the whole call.
    #[default]
    Flat,
    /// Of no object: an output that is one value.
    Output,
}

/// A flag that is an appointment's wherever it stands.
fn is_booked(name: &str) -> bool {
    matches!(plain_name(name).as_str(), "booked" | "isbooked" | "wasbooked")
}

/// What the members of an object say, which is called `object`. In one that is an appointment, or has members that are one's,
/// a bare `date` is an appointment's too; where both are there, the full name counts.
fn request(object: &str, members: &[(String, Node)], kind: Kind) -> AppointmentRequest {
    let mut reader = Reader { object, kind, ..Reader::default() };
    for (name, node) in members {
        reader.read_own(name, node);
    }
    let own = reader.request.clone();
    let beside_one = members.iter().any(|(name, node)| is_about_appointment(name) && node.value().is_none());
    let is_own = |name: &str| Key::of(name).is_some() || is_booked(name) || plain_name(name) == "intent";
    for (name, node) in members.iter().filter(|(name, _)| !is_own(name)) {
        reader.read_bare(name, node, &own, beside_one);
    }
    reader.finish()
}

/// Reads the members of one object.
#[derive(Default)]
struct Reader<'a> {
    object: &'a str,
    kind: Kind,
    request: AppointmentRequest,
    /// Whether a name says that the object has an appointment in it.
    has_own: bool,
    /// What flags and statuses say, and in which words.
    verdicts: Vec<(Verdict, String)>,
}

impl Reader<'_> {
    /// A member whose own name says that it is an appointment's.
    fn read_own(&mut self, name: &str, node: &Node) {
        let key = Key::of(name).or_else(|| Key::within(name).filter(|_| is_booked(name)));
        let Some(value) = node.value() else {
            // A flag that is an object, and no appointment, cannot be read.
            let holds_none = node.members().iter().all(|(name, _)| Key::within(name).is_none());
            if key.is_some_and(Key::is_verdict) && !node.members().is_empty() && holds_none {
                self.judge(Verdict::Unclear, name, "…");
            }
            return;
        };
        let plain = plain_name(name);
        if plain == "intent" {
            note(&mut self.request.intent, &value, WHEN);
        } else if let Some(key) = key {
            self.has_own = true;
            self.take(key, name, &value);
        } else if is_appointment(name) {
            // `"appointment": "none"`: what stands for the whole is a verdict, or words.
            match verdict::status(&value) {
                Verdict::Unclear => self.leave_unread(name, &value),
                Verdict::NotMade if !verdict::is_no(&value) => self.leave_unread(name, &value),
                verdict => self.judge(verdict, name, &value),
            }
        } else if is_about_appointment(name) {
            self.leave_unread(name, &value);
        } else if plain.ends_with("intent") {
            self.take(Key::Wish, name, &value);
        }
    }

    /// A member with a bare name. `own`: what names of their own have said; `beside_one`: an appointment lies beside it.
    fn read_bare(&mut self, name: &str, node: &Node, own: &AppointmentRequest, beside_one: bool) {
        let Some(value) = node.value() else { return };
        let key = Key::within(name).filter(|key| !says(own, *key));
        let reads = match (self.kind, key) {
            (_, None) => false,
            (Kind::Appointment, _) => true,
            // These may be of the call itself as well: only what is plain is heard.
            (_, Some(key)) if key.is_verdict() => match verdict::read(key, &value) {
                Some(Verdict::NotMade) if key == Key::Status && !verdict::speaks_of_one(&value) => false,
                Some(Verdict::NotMade | Verdict::CalledOff) => {
                    self.has_own || beside_one || self.kind == Kind::Output
                }
                Some(Verdict::Made) => self.has_own && key == Key::Made,
                Some(Verdict::Unclear) | None => false,
            },
            // So may a `start` and an `end`.
            (Kind::Flat, Some(Key::DateTime)) => {
                self.has_own && !own.is_dated() && plain_name(name) == "datetime"
            }
            (Kind::Flat, Some(Key::Date | Key::Time)) => self.has_own && own.date_time.is_none(),
            (Kind::Flat, Some(key)) => self.has_own && key != Key::End,
            (Kind::Output, _) => false,
        };
        match key.filter(|_| reads) {
            Some(key) => self.take(key, name, &value),
            None if is_about_appointment(self.object)
                && Key::within(name).is_none()
                && !is_about_appointment(name)
                && !is_of_caller(name) =>
            {
                self.leave_unread(name, &value);
            }
            None => {}
        }
    }

    /// Takes over a value. Of two names for one thing both are kept: where they differ, nobody can read it.
    fn take(&mut self, key: Key, name: &str, value: &str) {
        let is_flag = matches!(value, "true" | "false");
        let (field, longest) = match key {
            Key::Made | Key::CalledOff | Key::Status | Key::Wish => {
                if let Some(verdict) = verdict::read(key, value) {
                    self.judge(verdict, name, value);
                }
                return;
            }
            // Models write `false` for what there is none of.
            _ if is_flag => return,
            Key::Kind => return note(&mut self.request.kind, value, VALUE),
            Key::Notes => return note(&mut self.request.notes, value, NOTES),
            Key::Location => return note(&mut self.request.location, value, VALUE),
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

    /// Keeps what a flag or a status says, with its name: that of the object before a bare one.
    fn judge(&mut self, verdict: Verdict, name: &str, value: &str) {
        let is_bare = self.kind == Kind::Appointment && Key::of(name).is_none() && !is_appointment(name);
        let whose = if is_bare { format!("{} {name}", self.object) } else { name.to_owned() };
        let line = |text: &str, longest| clean_line(text, longest).unwrap_or_default();
        self.verdicts.push((verdict, stated(&line(&whose, NAME), &line(value, WHEN))));
    }

    fn leave_unread(&mut self, name: &str, value: &str) {
        leave_unread(&mut self.request, name, value);
    }

    fn finish(mut self) -> AppointmentRequest {
        if let Some(kind) = self.request.kind.clone().filter(|kind| verdict::read(Key::Wish, kind).is_some())
        {
            self.judge(Verdict::CalledOff, "appointment_type", &kind);
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

/// Whether something is said under a key.
fn says(request: &AppointmentRequest, key: Key) -> bool {
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

/// Whether a member of an appointment says who the caller is, and nothing of when.
fn is_of_caller(name: &str) -> bool {
    let name = plain_name(name);
    name == "id"
        || ["name", "email", "phone", "number", "customer", "caller"].iter().any(|part| name.contains(part))
}

fn note(field: &mut Option<String>, value: &str, longest: usize) {
    if field.is_none() {
        *field = clean(value, longest);
    }
}

fn leave_unread(request: &mut AppointmentRequest, name: &str, value: &str) {
    // “No appointment”, `false`: nobody has to act on that.
    if verdict::is_no(value) {
        return;
    }
    let unread = request.unread.get_or_insert_default();
    if unread.len() < UNREAD_KEPT {
        unread.extend(clean_line(&format!("{name}: {value}"), UNREAD));
    }
}
