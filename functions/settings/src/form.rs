//! Parses settings: each field by its rule (docs/contract.md#settings). All errors are returned at once.

use std::{fmt::Display, ops::RangeInclusive};

use calls::limits::{APPOINTMENT_MINUTES, RETENTION_DAYS};
use crm::{phone::country_code, workspace::Settings};
use platform::http::FieldError;
use salesforce::hosts::{Hosts, RefusedHost};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

/// Parses all settings; each is required, and nothing else is allowed. Only a setting that was added later may be
/// missing: it keeps its current value, for clients that do not know it yet.
pub fn parse(sent: Map<String, Value>, now: &Settings, hosts: &Hosts) -> Result<Settings, Vec<FieldError>> {
    let mut form = Form { sent, errors: Vec::new() };
    let mut new = now.clone();
    form.read("timeZone", "an IANA time zone, like America/New_York", &mut new.time_zone, json);
    form.read(
        "defaultCountry",
        "an ISO 3166 country code of two capital letters, like US",
        &mut new.default_country,
        |value| json(value).filter(|code: &String| country_code(code).as_ref() == Some(code)),
    );
    form.read(
        "loginUrl",
        format_args!("null, or a host where Salesforce's users log in ({})", RefusedHost::Login),
        &mut new.login_url,
        |value| match value {
            Value::Null => Some(None),
            Value::String(text) => hosts.login(&text).ok().map(|url| Some(url.as_str().to_owned())),
            _ => None,
        },
    );
    form.read("matchOrder", "a list of Lead, Contact or both, in order", &mut new.match_order, distinct);
    form.read("multipleMatches", "most_recent, first_created or skip", &mut new.multiple_matches, json);
    form.read("noMatch", "skip or create_lead", &mut new.no_match, json);
    if form.has("useGivenNumber") {
        form.read("useGivenNumber", "true or false", &mut new.use_given_number, json);
    }
    form.read(
        "appointmentDurationMinutes",
        Whole(APPOINTMENT_MINUTES),
        &mut new.appointment_duration_minutes,
        within(APPOINTMENT_MINUTES),
    );
    form.read("includeTranscript", "true or false", &mut new.include_transcript, json);
    form.read("callTypes", "a list of inbound, outbound or both", &mut new.call_types, distinct);
    form.read("retentionDays", Whole(RETENTION_DAYS), &mut new.retention_days, within(RETENTION_DAYS));
    form.finish(new)
}

/// The fields that have not been parsed yet, and the errors of those that have.
struct Form {
    sent: Map<String, Value>,
    errors: Vec<FieldError>,
}

impl Form {
    fn has(&self, field: &str) -> bool {
        self.sent.contains_key(field)
    }

    /// Parses a field into `target`; `rule` says what it must be.
    fn read<T>(
        &mut self,
        field: &str,
        rule: impl Display,
        target: &mut T,
        read: impl FnOnce(Value) -> Option<T>,
    ) {
        match self.sent.remove(field).map(read) {
            Some(Some(value)) => *target = value,
            Some(None) => self.refuse(field, format!("{field} must be {rule}.")),
            None => self.refuse(
                field,
                format!("{field} is missing: a PUT replaces all settings. It must be {rule}."),
            ),
        }
    }

    fn refuse(&mut self, field: &str, detail: String) {
        self.errors.push(FieldError { field: field.to_owned(), detail });
    }

    fn finish(mut self, settings: Settings) -> Result<Settings, Vec<FieldError>> {
        for (unknown, _) in std::mem::take(&mut self.sent) {
            self.refuse(&unknown, format!("{unknown} is not a setting."));
        }
        if self.errors.is_empty() { Ok(settings) } else { Err(self.errors) }
    }
}

/// The rule for a whole number within a range.
struct Whole(RangeInclusive<u32>);

impl Display for Whole {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "a whole number from {} to {}", self.0.start(), self.0.end())
    }
}

fn json<T: DeserializeOwned>(value: Value) -> Option<T> {
    serde_json::from_value(value).ok()
}

fn within(range: RangeInclusive<u32>) -> impl Fn(Value) -> Option<u32> {
    move |value| whole(&value).filter(|number| range.contains(number))
}

/// JSON has one kind of number: `90.0` is the whole number 90 (JSON Schema, "integer").
fn whole(value: &Value) -> Option<u32> {
    value.as_f64()?.to_string().parse().ok()
}

/// A non-empty list without duplicates.
fn distinct<T: DeserializeOwned + PartialEq>(value: Value) -> Option<Vec<T>> {
    let list: Vec<T> = json(value)?;
    let repeats = |at: usize| list[..at].contains(&list[at]);
    (!list.is_empty() && !(0..list.len()).any(repeats)).then_some(list)
}

#[cfg(test)]
mod tests {
    use calls::call::Direction;
    use crm::{
        RecordType,
        workspace::{MultipleMatches, NoMatch},
    };
    use serde_json::json;

    use super::*;

    fn hosts() -> Hosts {
        Hosts::of_deployment("https://login.salesforce.com").unwrap()
    }

    /// The defaults as a GET returns them, with one field changed.
    fn with(field: &str, value: Value) -> Result<Settings, Vec<FieldError>> {
        let Value::Object(mut sent) = serde_json::to_value(Settings::default()).unwrap() else { panic!() };
        sent.insert(field.to_owned(), value);
        parse(sent, &Settings::default(), &hosts())
    }

    fn refusal(field: &str, value: &Value) -> String {
        let errors = with(field, value.clone()).expect_err(&format!("{field} {value}"));
        let [error] = errors.as_slice() else { panic!("{errors:?}") };
        assert_eq!(error.field, field, "{value}");
        error.detail.clone()
    }

    #[test]
    fn what_a_get_returns_can_be_sent_back() {
        assert_eq!(with("includeTranscript", json!(false)), Ok(Settings::default()));
    }

    #[test]
    fn every_field_is_read() {
        let sent = json!({
            "timeZone": "Australia/Lord_Howe",
            "defaultCountry": "AU",
            "loginUrl": "acme.my.salesforce.com",
            "matchOrder": ["Contact"],
            "multipleMatches": "skip",
            "noMatch": "create_lead",
            "useGivenNumber": true,
            "appointmentDurationMinutes": 1440,
            "includeTranscript": true,
            "callTypes": ["outbound", "inbound"],
            "retentionDays": 30,
        });
        let Value::Object(sent) = sent else { panic!() };
        let expected = Settings {
            time_zone: "Australia/Lord_Howe".parse().unwrap(),
            default_country: "AU".to_owned(),
            login_url: Some("https://acme.my.salesforce.com".to_owned()),
            match_order: vec![RecordType::Contact],
            multiple_matches: MultipleMatches::Skip,
            no_match: NoMatch::CreateLead,
            use_given_number: true,
            appointment_duration_minutes: 1440,
            include_transcript: true,
            call_types: vec![Direction::Outbound, Direction::Inbound],
            retention_days: 30,
        };
        assert_eq!(parse(sent, &Settings::default(), &hosts()), Ok(expected));
    }

    #[test]
    fn a_client_that_does_not_know_a_setting_leaves_it_unchanged() {
        let now = Settings { use_given_number: true, ..Settings::default() };
        for (said, expected) in [(None, true), (Some(true), true), (Some(false), false)] {
            let Value::Object(mut sent) = serde_json::to_value(Settings::default()).unwrap() else {
                panic!()
            };
            assert!(!sent.contains_key("useGivenNumber"));
            sent.extend(said.map(|said| ("useGivenNumber".to_owned(), json!(said))));
            assert_eq!(parse(sent, &now, &hosts()).unwrap().use_given_number, expected, "{said:?}");
        }
    }

    #[test]
    fn the_values_that_a_refusal_names_are_accepted() {
        for (field, words) in [
            ("multipleMatches", ["most_recent", "first_created", "skip"].as_slice()),
            ("noMatch", &["skip", "create_lead"]),
        ] {
            let named = refusal(field, &json!("other"));
            for word in words {
                assert!(named.contains(word) && with(field, json!(word)).is_ok(), "{word}: {named}");
            }
        }
        for (field, words) in [("matchOrder", ["Lead", "Contact"]), ("callTypes", ["inbound", "outbound"])] {
            let named = refusal(field, &json!([]));
            for word in words {
                assert!(named.contains(word) && with(field, json!([word])).is_ok(), "{word}: {named}");
            }
        }
    }

    #[test]
    fn an_invalid_value_is_refused_with_the_fields_name_and_rule() {
        let nothing = || Value::Null;
        for (field, bad, rule) in [
            (
                "timeZone",
                vec![json!("Mars/Olympus"), json!("+02:00"), json!(""), json!(2), nothing()],
                "IANA",
            ),
            (
                "defaultCountry",
                vec![
                    json!("ZZ"),
                    json!("us"),
                    json!("USA"),
                    json!("United States"),
                    json!("UK"),
                    json!("001"),
                    nothing(),
                ],
                "ISO 3166",
            ),
            (
                "loginUrl",
                vec![
                    json!("https://evil.example"),
                    json!("http://login.salesforce.com"),
                    json!(""),
                    json!(1),
                ],
                "https://login.salesforce.com",
            ),
            (
                "matchOrder",
                vec![json!([]), json!(["Lead", "Lead"]), json!(["Account"]), json!("Lead"), nothing()],
                "Lead, Contact",
            ),
            ("multipleMatches", vec![json!("newest"), json!(1), nothing()], "most_recent"),
            ("noMatch", vec![json!("create_contact"), json!(true), nothing()], "create_lead"),
            (
                "appointmentDurationMinutes",
                vec![json!(0), json!(1441), json!(-1), json!(30.5), json!("30"), nothing()],
                "from 1 to 1440",
            ),
            ("includeTranscript", vec![json!("true"), json!(1), nothing()], "true or false"),
            ("useGivenNumber", vec![json!("true"), json!(1), nothing()], "true or false"),
            (
                "callTypes",
                vec![json!([]), json!(["inbound", "inbound"]), json!(["web"]), json!("inbound"), nothing()],
                "inbound, outbound",
            ),
            (
                "retentionDays",
                vec![json!(29), json!(3651), json!(90.5), json!("90"), nothing()],
                "from 30 to 3650",
            ),
        ] {
            for value in bad {
                let detail = refusal(field, &value);
                assert!(detail.starts_with(&format!("{field} must be ")), "{value}: {detail}");
                assert!(detail.contains(rule), "{value}: {detail}");
            }
        }
    }

    #[test]
    fn a_whole_number_may_be_written_with_a_point() {
        let days = |value| with("retentionDays", value).map(|settings| settings.retention_days).ok();
        assert_eq!(days(json!(3650.0)), Some(3650));
        assert_eq!(
            [json!(90.5), json!(3650.1), json!(1e300), json!(-90.0), json!("90")].map(days),
            [None; 5]
        );
    }

    #[test]
    fn all_errors_are_returned_at_once() {
        let Value::Object(sent) = json!({ "retentionDays": 1, "retention_days": 90 }) else { panic!() };
        let errors = parse(sent, &Settings::default(), &hosts()).unwrap_err();
        let missing = errors.iter().filter(|error| error.detail.contains("is missing"));
        assert_eq!((errors.len(), missing.count()), (11, 9));
        let last = &errors[10];
        let unknown = ("retention_days", "retention_days is not a setting.");
        assert_eq!((last.field.as_str(), last.detail.as_str()), unknown);
    }
}
