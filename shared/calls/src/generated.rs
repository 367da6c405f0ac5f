//! Generates what documents and other languages repeat from the code:
//! `UPDATE=1 cargo test -p calls --lib generated`. Without `UPDATE`, these tests fail if the committed files differ.

use std::{env, fmt::Display, fs, iter, ops::RangeInclusive, path::PathBuf};

use serde_yaml_ng::Value;

use crate::{
    codes::{
        self, Acts, Code, Entry, faults, reasons,
        salesforce::{self, Blames, FaultClass, KnownError, Meaning},
    },
    limits::{
        APPOINTMENT_MINUTES, FOUND_RECORDS, LISTED_CALLS, MAX_OMITTED_FIELDS, RECORDS_GONE, RETENTION_DAYS,
        SETTLE_SECONDS,
    },
    status::SyncStatus,
};

/// Fills the blanks of a text that is not about a particular call.
const BLANKS: [(&str, &str); 5] = [
    ("records", "records"),
    ("which", "such"),
    ("why", ""),
    ("fields", "some fields"),
    ("object", "Task or Event"),
];

/// The same for refusals, for all objects at once.
const REFUSED: [(&str, &str); 6] = [
    ("objects", "Tasks, Events or Leads"),
    ("object", "Task, Event or Lead"),
    (
        "access",
        "read access to the record, and the permissions “Edit Tasks” and “Edit Events”; for a Lead, “Create” on Leads",
    ),
    ("reached", "Leads, Contacts, Tasks and Events"),
    ("lost", "The record, or what a flow, trigger or default of the org gives it,"),
    ("fields", "a field"),
];

fn file(path: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "../..", path].iter().collect()
}

/// A file of the repository.
pub(crate) fn read(path: &str) -> String {
    fs::read_to_string(file(path)).unwrap()
}

/// Whether a file of the repository has this text, wherever its lines break.
pub(crate) fn states(path: &str, text: &str) -> bool {
    let in_one_line = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    in_one_line(&read(path)).contains(&in_one_line(text))
}

/// A small number in words.
pub(crate) fn words(number: usize) -> &'static str {
    ["no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"][number]
}

/// Compares a file with what it should be, or writes it.
fn check(path: &str, make: impl FnOnce(&str) -> String) {
    let found = read(path);
    let wanted = make(&found);
    if env::var_os("UPDATE").is_some() {
        fs::write(file(path), wanted).unwrap();
    } else {
        let differs = found.lines().zip(wanted.lines()).find(|(found, wanted)| found != wanted);
        assert!(
            found == wanted,
            "{path} differs from the code: run `UPDATE=1 cargo test -p calls --lib generated`. {differs:#?}"
        );
    }
}

/// A document with what is between `<!-- generated: name -->` and the next `<!-- end -->` replaced.
fn with_section(document: &str, name: &str, lines: impl IntoIterator<Item = String>) -> String {
    let begin = format!("<!-- generated: {name} -->\n");
    let (before, after) = document.split_once(&begin).unwrap();
    let (_, after) = after.split_once("<!-- end -->").unwrap();
    let lines: String = lines.into_iter().map(|line| line + "\n").collect();
    format!("{before}{begin}\n{lines}\n<!-- end -->{after}")
}

fn table<const N: usize>(header: [&str; N], rows: impl IntoIterator<Item = [String; N]>) -> Vec<String> {
    let line = |cells: [String; N]| format!("| {} |", cells.join(" | "));
    let rule = format!("|{}", "---|".repeat(N));
    iter::once(line(header.map(str::to_owned))).chain([rule]).chain(rows.into_iter().map(line)).collect()
}

fn entries() -> impl Iterator<Item = &'static Entry> {
    reasons::ENTRIES.iter().chain(faults::ENTRIES)
}

fn quoted<'a>(texts: impl IntoIterator<Item = &'a str>) -> String {
    texts.into_iter().map(|text| format!("`{text}`")).collect::<Vec<_>>().join(", ")
}

fn who(acts: Acts) -> &'static str {
    match acts {
        Acts::Nobody => "nobody",
        Acts::SalesforceUser => "a Salesforce user",
        Acts::SalesforceAdmin => "a Salesforce admin",
        Acts::WorkspaceAdmin => "a workspace admin",
        Acts::Developer => "the agent's developer",
        Acts::Operator => "the operator",
    }
}

fn row(entry: &Entry) -> [String; 5] {
    let [first, ..] = entry.codes else { unreachable!("an entry has a code") };
    let codes = entry.codes.iter().map(|code| if code.code == "http_" { "http_<status>" } else { code.code });
    // If the operator acts, the remedy only tells others to contact them.
    let remedy = if entry.acts == Acts::Operator { "" } else { first.remedy };
    let to_do = [remedy, entry.runbook].join(" ").trim().to_owned();
    [
        quoted(codes),
        quoted(entry.statuses.iter().map(|status| status.as_str())),
        codes::fill(first.means, &BLANKS),
        who(entry.acts).to_owned(),
        if to_do.is_empty() { "Nothing.".to_owned() } else { to_do },
    ]
}

/// Salesforce's codes that no entry explains.
fn known_errors() -> impl Iterator<Item = &'static KnownError> {
    let is_explained = |error: &&KnownError| faults::ALL.iter().any(|fault| fault.code == error.code);
    salesforce::REST.iter().filter(move |error| !error.code.is_empty() && !is_explained(error))
}

/// One row for adjacent errors that mean the same and have the same remedy.
fn known_error_row(errors: &[&KnownError]) -> [String; 4] {
    let code = |error: &&KnownError| {
        let has_others = salesforce::REST.iter().filter(|other| other.code == error.code).count() > 1;
        let field = match error.blames {
            Blames::Nothing => " without a field".to_owned(),
            Blames::Field(name) => format!(" about {name}"),
            Blames::Any if has_others => " about another field".to_owned(),
            Blames::Any => String::new(),
        };
        format!("`{}`{field}", error.code)
    };
    let [first, ..] = errors else { unreachable!("a group has an error") };
    let does = match first.meaning {
        Meaning::Is(FaultClass::Passing) => "retries",
        Meaning::Unclear => "retries; after a write, looks for what it wrote first",
        Meaning::Is(FaultClass::Session) => "refreshes the session",
        Meaning::Is(FaultClass::RecordGone) => "looks for the caller again",
        Meaning::Is(FaultClass::FieldRefused) => "leaves the field out",
        Meaning::Is(_) | Meaning::ByStatus => "does not retry",
    };
    let to_do = if first.remedy.is_empty() { "Nothing.".to_owned() } else { known_error_remedy(first) };
    [
        errors.iter().map(code).collect::<Vec<_>>().join(", "),
        does.to_owned(),
        who(first.acts).to_owned(),
        to_do,
    ]
}

fn known_error_remedy(error: &KnownError) -> String {
    let text = codes::fill(error.remedy, &REFUSED);
    // The text may begin with a blank.
    let (first, rest) = text.split_at(1);
    first.to_uppercase() + rest
}

#[test]
fn the_runbook_has_every_error_code() {
    check("docs/operations.md", |document| {
        let codes = table(["code", "with status", "means", "who acts", "what to do"], entries().map(row));
        let document = with_section(document, "error codes", codes);
        let errors: Vec<&KnownError> = known_errors().collect();
        let alike = |one: &&KnownError, other: &&KnownError| {
            (one.meaning, one.remedy) == (other.meaning, other.remedy)
        };
        let rows = errors.chunk_by(alike).map(known_error_row);
        let header = ["code begins with", "Ringlog", "who acts", "what to do"];
        with_section(&document, "Salesforce's codes", table(header, rows))
    });
}

/// A TypeScript string literal.
fn string(text: &str) -> String {
    serde_json::to_string(text).unwrap()
}

fn strings<'a>(texts: impl IntoIterator<Item = &'a str>) -> String {
    format!("[{}]", texts.into_iter().map(string).collect::<Vec<_>>().join(", "))
}

fn bounds(limits: &RangeInclusive<u32>) -> String {
    format!("{{ min: {}, max: {} }}", limits.start(), limits.end())
}

/// What the card says about a code if the call has no message of its own.
fn remedy(entry: &Entry, code: &Code) -> String {
    let follows = if entry.statuses == [SyncStatus::Retrying] { codes::RETRIES } else { "" };
    [codes::fill(&code.text(), &BLANKS).as_str(), follows].join(" ").trim().to_owned()
}

#[test]
fn the_card_has_the_same_texts() {
    let mut remedies: Vec<(&str, String)> = entries()
        .filter(|entry| !entry.is_note())
        .flat_map(|entry| entry.codes.iter().map(|code| (code.code, remedy(entry, code))))
        .collect();
    for error in known_errors().filter(|error| !error.remedy.is_empty()) {
        if !remedies.iter().any(|(code, _)| *code == error.code) {
            remedies.push((error.code, known_error_remedy(error)));
        }
    }
    let remedies = remedies.iter().map(|(code, text)| format!("  [{}, {}],\n", string(code), string(text)));
    let notes = entries().filter(|entry| entry.is_note()).flat_map(|entry| entry.codes);
    check("dashboard/src/generated.ts", |_| {
        format!(
            "// Generated from shared/calls/src by `UPDATE=1 cargo test -p calls --lib generated`.\n\n\
             /** What error codes mean and what to do, by prefix. The first match counts. */\n\
             export const remedies: readonly (readonly [prefix: string, text: string])[] = [\n{}];\n\n\
             /** What to do about any other code. */\n\
             export const otherRemedy = {};\n\n\
             /** Codes of calls that are logged, or that wait for a connection. */\n\
             export const noteCodes: readonly string[] = {};\n\n\
             /** The limits of settings. */\n\
             export const limits = {{\n  appointmentDurationMinutes: {},\n  retentionDays: {},\n}};\n",
            remedies.collect::<String>(),
            string(codes::OTHERWISE),
            strings(notes.map(|code| code.code)),
            bounds(&APPOINTMENT_MINUTES),
            bounds(&RETENTION_DAYS),
        )
    });
}

#[test]
fn codes_are_unique_and_all_blanks_are_filled() {
    let codes: Vec<&str> = reasons::ALL.iter().chain(faults::ALL).map(|code| code.code).collect();
    for (at, code) in codes.iter().enumerate() {
        assert!(!codes[..at].contains(code), "{code}");
    }
    let with_remedy = known_errors().filter(|error| !error.remedy.is_empty());
    for text in entries().flat_map(row).chain(with_remedy.map(known_error_remedy)) {
        assert!(!text.contains(['{', '}', '|']), "{text}");
    }
}

fn range<T: Display>(limits: &RangeInclusive<T>) -> String {
    format!("{} to {}", limits.start(), limits.end())
}

#[test]
fn the_documents_and_texts_state_the_limits() {
    let minutes = range(&APPOINTMENT_MINUTES);
    for (path, said) in [
        ("docs/settings.md", format!("| `appointmentDurationMinutes` | {minutes}, ")),
        ("docs/settings.md", format!("| `retentionDays` | {}: ", range(&RETENTION_DAYS))),
        ("docs/contract.md", format!("{minutes} minutes")),
        ("docs/vapi-setup.md", format!("| `appointment_duration` | minutes, {minutes}: ")),
        ("docs/contract.md", format!("At most {FOUND_RECORDS} records of each object")),
        ("docs/contract.md", format!("is left out, up to {} per attempt", words(MAX_OMITTED_FIELDS))),
        ("docs/contract.md", format!("the search is repeated, up to {} times", words(RECORDS_GONE))),
    ] {
        assert!(states(path, &said), "{path}: {said}");
    }
    assert!(reasons::TOO_MANY_CANDIDATES.means.contains(&format!("At least {FOUND_RECORDS} ")));
}

/// The schemas of all properties and parameters with this name.
fn schemas<'a>(of: &'a Value, name: &str) -> Vec<&'a Value> {
    let inside = |value: &'a Value| schemas(value, name);
    match of {
        Value::Mapping(fields) => {
            let parameter = of.get("schema").filter(|_| of["name"] == name);
            let property = of.get("properties").and_then(|properties| properties.get(name));
            parameter.into_iter().chain(property).chain(fields.values().flat_map(inside)).collect()
        }
        Value::Sequence(items) => items.iter().flat_map(inside).collect(),
        _ => Vec::new(),
    }
}

#[test]
fn the_api_and_the_template_have_the_same_limits() {
    let api: Value = serde_yaml_ng::from_str(&read("docs/openapi.yaml")).unwrap();
    for (name, limits) in [
        ("appointmentDurationMinutes", APPOINTMENT_MINUTES),
        ("retentionDays", RETENTION_DAYS),
        ("limit", LISTED_CALLS),
    ] {
        // `ApiUsage` also has a `limit`, which has no maximum.
        let described = schemas(&api, name).into_iter().filter(|schema| schema.get("maximum").is_some());
        let described: Vec<_> =
            described.map(|one| one["minimum"].as_u64().zip(one["maximum"].as_u64())).collect();
        let wanted = (u64::from(*limits.start()), u64::from(*limits.end()));
        assert_eq!(described, [Some(wanted)], "{name}");
    }
    let template: Value = serde_yaml_ng::from_str(&read("template.yaml")).unwrap();
    let settle = &template["Parameters"]["SalesforceSettleSeconds"];
    assert_eq!(settle["MinValue"], *SETTLE_SECONDS.start());
    assert_eq!(settle["MaxValue"], *SETTLE_SECONDS.end());
}
