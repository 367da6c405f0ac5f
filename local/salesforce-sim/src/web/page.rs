//! The pages: the orgs' Leads and Contacts, and the activity timeline of each.

use axum::{
    extract::{Path, State},
    http::StatusCode,
    response::{Html, IntoResponse, Response},
};
use chrono_tz::Tz;
use maud::{Markup, html};
use serde_json::Value;

use super::style::document;
use crate::{
    ids::Id,
    objects::{
        schema::{Kind, Object},
        store::{Org, Record},
        tables::{CONTACT, EVENT, LEAD, TASK},
        value::stored_instant,
    },
    settings::Settings,
    world::Shared,
};

/// `GET /`: all Leads and Contacts.
pub(crate) async fn people(State(shared): State<Shared>) -> Html<String> {
    let world = shared.lock();
    let body = html! {
        main {
            p class="kicker" { "Simulated Salesforce with invented people" }
            @for org in &world.orgs {
                h1 { (org.name) }
                p class="quiet" { "Org " code { (org.id) } }
                (table(org, &LEAD, &world.settings))
                (table(org, &CONTACT, &world.settings))
            }
        }
    };
    Html(document("Leads and Contacts", &body, true).into_string())
}

fn table(org: &Org, object: &'static Object, settings: &Settings) -> Markup {
    let records: Vec<&Record> = org.of(object).filter(|record| !record.is("IsDeleted")).collect();
    html! {
        h2 { (object.name) "s" }
        @if records.is_empty() {
            p class="quiet" { "None." }
        } @else {
            div class="wide" { table {
                thead { tr {
                    th scope="col" { "Name" }
                    th scope="col" { "Phone numbers, as stored" }
                    th scope="col" { @if object.name == LEAD.name { "Company" } @else { "Title" } }
                    th scope="col" class="number" { "Activities" }
                } }
                tbody { @for record in &records { (row(org, record, settings)) } }
            } }
        }
    }
}

fn row(org: &Org, record: &Record, settings: &Settings) -> Markup {
    html! {
        tr {
            td {
                a href={ "/" (record.id) } { (name(record)) }
                @if record.is("IsConverted") { " " span class="tag" { "converted" } }
            }
            td { (phones(record, settings)) }
            td { (record.text("Company").or(record.text("Title")).unwrap_or_default()) }
            td class="number" { (activities(org, &record.id).len()) }
        }
    }
}

fn name(record: &Record) -> &str {
    record.text("Name").filter(|name| !name.is_empty()).unwrap_or("(no name)")
}

fn phones(record: &Record, settings: &Settings) -> Markup {
    let fields = record.object.fields(settings).filter(|field| field.kind == Kind::Phone);
    let filled: Vec<_> = fields.filter_map(|field| Some((field.label, record.text(field.name)?))).collect();
    html! {
        @for (index, (label, number)) in filled.iter().enumerate() {
            @if index > 0 { br; }
            (number) " " small { (label) }
        }
    }
}

/// `GET /<id>`: a person and their timeline.
pub(crate) async fn record(State(shared): State<Shared>, Path(id): Path<String>) -> Response {
    let world = shared.lock();
    let found = Id::parse(&id).and_then(|id| Some((id.clone(), world.locate(&id)?)));
    let person = found.as_ref().and_then(|(id, (org, object))| {
        let is_person = object.name == LEAD.name || object.name == CONTACT.name;
        let record = org.records.get(id)?;
        // An activity is shown on its person's timeline.
        let person = if is_person { record } else { org.records.get(&Id::parse(record.text("WhoId")?)?)? };
        Some((*org, person))
    });
    let Some((org, person)) = person else {
        let body = html! { main { h1 { "Lead or Contact not found" } p { a href="/" { "All people" } } } };
        return (StatusCode::NOT_FOUND, Html(document("Not found", &body, false).into_string()))
            .into_response();
    };
    Html(document(name(person), &timeline(org, person, &world.settings), true).into_string()).into_response()
}

fn timeline(org: &Org, person: &Record, settings: &Settings) -> Markup {
    let zone = org.users.first().and_then(|user| user.timezone.parse().ok()).unwrap_or(Tz::UTC);
    let activities = activities(org, &person.id);
    html! {
        main {
            p class="kicker" { a href="/" { "All people" } " · " (org.name) }
            h1 {
                (name(person)) " " span class="tag" { (person.object.name) }
                @if person.is("IsConverted") { " " span class="tag" { "converted" } }
            }
            dl {
                dt { "Phone" } dd { (phones(person, settings)) }
                @for (label, field) in [("Company", "Company"), ("Title", "Title"), ("Status", "Status")] {
                    @if let Some(text) = person.text(field) { dt { (label) } dd { (text) } }
                }
                dt { "Id" } dd { code { (person.id) } }
            }
            h2 { "Activity timeline" }
            @if activities.is_empty() {
                p class="quiet" { "Nothing yet. This page refreshes itself." }
            } @else {
                p class="quiet" { "Newest first. Times in " (zone.name()) "." }
                ol class="timeline" { @for activity in &activities { (entry(activity, zone)) } }
            }
        }
    }
}

/// Tasks and Events of a record, newest first.
fn activities<'a>(org: &'a Org, who: &Id) -> Vec<&'a Record> {
    let all = org.of(&TASK).chain(org.of(&EVENT));
    let mut own: Vec<&Record> =
        all.filter(|record| record.text("WhoId") == Some(who.as_str()) && !record.is("IsDeleted")).collect();
    own.sort_by_key(|record| std::cmp::Reverse((record.text("CreatedDate"), &record.id)));
    own
}

fn entry(activity: &Record, zone: Tz) -> Markup {
    let is_event = activity.object.name == EVENT.name;
    let instant = |field| stored_instant(activity.get(field)).map(|at| at.with_timezone(&zone));
    let time = |field| instant(field).map(|at| at.format("%a %-d %b %Y, %-I:%M %p %Z").to_string());
    let text = |field| activity.text(field).map(ToOwned::to_owned);
    let facts: Vec<(&str, Option<String>)> = if is_event {
        vec![
            ("Starts", time("StartDateTime")),
            ("Ends", time("EndDateTime")),
            ("Duration", activity.get("DurationInMinutes").as_i64().map(|minutes| format!("{minutes} min"))),
            ("Type", text("Type")),
            ("Reminder", time("ReminderDateTime")),
        ]
    } else {
        vec![
            ("Date", text("ActivityDate")),
            ("Status", text("Status")),
            ("Call type", text("CallType")),
            ("Duration", activity.get("CallDurationInSeconds").as_i64().map(format_duration)),
            ("Result", text("CallDisposition")),
            ("Call id", text("CallObject")),
        ]
    };
    html! {
        li class=(if is_event { "event" } else { "task" }) {
            span class={ "tag " (if is_event { "event" } else { "task" }) } { (activity.object.name) }
            @if let Some(at) = time("CreatedDate") { " " small { "logged " (at) } }
            h3 { (activity.text("Subject").unwrap_or("(no subject)")) }
            dl {
                @for (label, value) in facts {
                    @if let Some(value) = value { dt { (label) } dd { (value) } }
                }
            }
            @if let Value::String(description) = activity.get("Description") {
                p class="description" { (description) }
            }
        }
    }
}

fn format_duration(seconds: i64) -> String {
    if seconds < 60 { format!("{seconds} s") } else { format!("{} min {} s", seconds / 60, seconds % 60) }
}
