//! Duplicate rules: a new record is refused if similar ones exist, whose ids are returned (REST API Developer Guide,
//! "Duplicate Management"; docs/salesforce-api.md#duplicate-rules).

use serde_json::{Value, json};

use super::{
    schema::Object,
    store::{Fields, Org, Record},
    tables::{CONTACT, LEAD},
};
use crate::{
    error::ApiError,
    settings::{DuplicateAction, MatchBy, Settings},
};

/// Salesforce's match method `Phone` compares at least area code and number, without the country code.
const COMPARED_DIGITS: usize = 10;
const PHONES: &[&str] = &["Phone", "MobilePhone"];

/// Refuses a new record if a rule finds similar ones. Unlike search, a rule knows new records at once, and records that the
/// user cannot see. With `allow_alerts`, only a rule that blocks refuses.
pub(super) fn refuse(
    org: &Org,
    settings: &Settings,
    object: &Object,
    new: &Fields,
    allow_alerts: bool,
) -> Result<(), ApiError> {
    let found: Vec<_> = settings
        .duplicate_rules
        .iter()
        .filter(|rule| rule.object.eq_ignore_ascii_case(object.name))
        .map(|rule| {
            let results = match_results(org, rule.by, new);
            (rule, results)
        })
        .filter(|(_, results)| !results.is_empty())
        .collect();
    // A rule that blocks takes precedence over those that alert.
    let blocking = found.iter().find(|(rule, _)| rule.action == DuplicateAction::Block);
    let alerting = found.first().filter(|_| !allow_alerts);
    let Some((rule, results)) = blocking.or(alerting) else { return Ok(()) };
    let error = ApiError::new(400, "DUPLICATES_DETECTED", "Use one of these records?");
    let standard_name = || format!("Standard_{}_Duplicate_Rule", object.name);
    let details = json!({
        "allowSave": rule.action == DuplicateAction::Alert,
        "duplicateRule": rule.name.clone().unwrap_or_else(standard_name),
        "duplicateRuleEntityType": object.name,
        "errorMessage": error.message,
        "matchResults": results,
    });
    let key = settings.duplicate_result_spelling.key();
    Err(ApiError { duplicates: Some(Box::new((key, details))), ..error })
}

/// The existing Leads and Contacts that match the new record, by object.
fn match_results(org: &Org, by: MatchBy, new: &Fields) -> Vec<Value> {
    let wanted = keys(by, |field| new.get(field));
    let matches = |record: &&Record| {
        let exists = !record.is("IsDeleted") && !record.is("IsConverted");
        exists && keys(by, |field| record.fields.get(field)).iter().any(|key| wanted.contains(key))
    };
    let of = |object: &'static Object| {
        let found: Vec<Value> = org.of(object).filter(matches).map(match_record).collect();
        (!found.is_empty()).then(|| match_result(object, by, &found))
    };
    [&LEAD, &CONTACT].into_iter().filter_map(of).collect()
}

/// What a rule compares.
fn keys<'a>(by: MatchBy, get: impl Fn(&str) -> Option<&'a Value>) -> Vec<String> {
    let stored = |field: &&str| get(field)?.as_str();
    match by {
        MatchBy::Phone => PHONES.iter().filter_map(stored).filter_map(number).collect(),
        MatchBy::Name => ["Name"].iter().filter_map(stored).filter_map(text).collect(),
        MatchBy::Email => ["Email"].iter().filter_map(stored).filter_map(text).collect(),
    }
}

fn number(stored: &str) -> Option<String> {
    let digits: String = stored.chars().filter(char::is_ascii_digit).collect();
    Some(digits[digits.len().checked_sub(COMPARED_DIGITS)?..].to_owned())
}

fn text(stored: &str) -> Option<String> {
    Some(stored.to_lowercase()).filter(|text| !text.is_empty())
}

fn match_result(object: &Object, by: MatchBy, records: &[Value]) -> Value {
    json!({
        "entityType": object.name,
        "errors": [],
        "matchEngine": if by == MatchBy::Email { "ExactMatchEngine" } else { "FuzzyMatchEngine" },
        "rule": format!("Standard_{}_Match_Rule_v1_0", object.name),
        "size": records.len(),
        "success": true,
        "matchRecords": records,
    })
}

fn match_record(record: &Record) -> Value {
    json!({
        "additionalInformation": [],
        "fieldDiffs": [],
        "matchConfidence": 100.0,
        "record": {"attributes": record.attributes(), "Id": record.id.as_str()},
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::{
        error::Reply,
        rest::request::Headers,
        settings::{DuplicateAction, DuplicateResultSpelling, DuplicateRule, MatchBy},
        testing::Bench,
    };

    const ALLOW: &str = "includeRecordDetails=true; allowSave=true";

    fn rule(by: MatchBy, action: DuplicateAction) -> DuplicateRule {
        DuplicateRule { object: "Lead".into(), by, action, name: Some("House_Rule".into()) }
    }

    fn with(rules: Vec<DuplicateRule>) -> Bench {
        let mut bench = Bench::new();
        bench.world.settings.duplicate_rules = rules;
        bench
    }

    fn allowing(bench: &mut Bench, lead: &Value) -> Reply {
        let headers = json!({"Sforce-Duplicate-Rule-Header": ALLOW});
        let headers = Headers::of_subrequest(Some(&headers)).unwrap();
        bench.request_with("POST", "/sobjects/Lead", headers, Some(lead.clone()))
    }

    /// Adds a Contact that the new Lead matches; returns the details of the refusal.
    fn refused(bench: &mut Bench, known: Value, lead: &Value) -> Value {
        let id = bench.add("Contact", known);
        let refused = bench.post("/sobjects/Lead", lead.clone());
        let body = refused.body.unwrap();
        assert_eq!((refused.status, &body[0]["errorCode"]), (400, &json!("DUPLICATES_DETECTED")));
        let details = body[0]["duplicateResut"].clone();
        let results = details["matchResults"].as_array().unwrap();
        assert_eq!(
            (results.len(), &results[0]["entityType"], &results[0]["size"]),
            (1, &json!("Contact"), &json!(1))
        );
        assert_eq!(results[0]["matchRecords"][0]["record"]["Id"], id);
        details
    }

    #[test]
    fn a_lead_with_a_known_number_is_refused_and_the_records_that_have_it_are_named() {
        let mut bench = Bench::new();
        let rule = DuplicateRule { name: None, ..rule(MatchBy::Phone, DuplicateAction::Alert) };
        bench.world.settings.duplicate_rules = vec![rule];
        let lead = json!({"LastName": "New", "Company": "Unknown", "Phone": "+12345550199"});
        let details =
            refused(&mut bench, json!({"LastName": "Known", "MobilePhone": "(234) 555-0199"}), &lead);
        assert_eq!(
            (&details["allowSave"], &details["duplicateRule"]),
            (&json!(true), &json!("Standard_Lead_Duplicate_Rule"))
        );
        let other = json!({"LastName": "New", "Company": "Unknown", "Phone": "+12345550198"});
        assert!(bench.create("Lead", other).is_ok());
        bench.world.settings.duplicate_rules.clear();
        assert!(bench.create("Lead", lead).is_ok());
    }

    #[test]
    fn a_rule_may_compare_names_or_email_addresses() {
        let lead = json!({"FirstName": "kim", "LastName": "KNOWN", "Company": "Unknown", "Email": "Kim@Example.com"});
        let mut bench = with(vec![rule(MatchBy::Name, DuplicateAction::Alert)]);
        let details = refused(&mut bench, json!({"FirstName": "Kim", "LastName": "Known"}), &lead);
        assert_eq!(
            (&details["duplicateRule"], &details["duplicateRuleEntityType"]),
            (&json!("House_Rule"), &json!("Lead"))
        );
        let mut bench = with(vec![rule(MatchBy::Email, DuplicateAction::Alert)]);
        refused(&mut bench, json!({"LastName": "Other", "Email": "kim@example.com"}), &lead);
        assert!(bench.create("Lead", json!({"LastName": "No mail", "Company": "Unknown"})).is_ok());
    }

    #[test]
    fn an_alert_can_be_overridden_but_a_block_cannot() {
        let lead = json!({"FirstName": "Grace", "LastName": "Example", "Company": "Unknown"});
        let mut bench = with(vec![rule(MatchBy::Name, DuplicateAction::Alert)]);
        assert_eq!(bench.post("/sobjects/Lead", lead.clone()).status, 400);
        assert_eq!(allowing(&mut bench, &lead).status, 201);
        let mut bench = with(vec![
            rule(MatchBy::Name, DuplicateAction::Alert),
            DuplicateRule { name: None, ..rule(MatchBy::Name, DuplicateAction::Block) },
        ]);
        let body = allowing(&mut bench, &lead).body.unwrap();
        assert_eq!(body[0]["duplicateResut"]["allowSave"], false);
        assert_eq!(body[0]["duplicateResut"]["duplicateRule"], "Standard_Lead_Duplicate_Rule");
    }

    #[test]
    fn deleted_and_converted_people_are_not_duplicates() {
        let mut bench = with(vec![rule(MatchBy::Name, DuplicateAction::Block)]);
        let ada = bench.person("Ada Sample");
        let lead = json!({"FirstName": "Ada", "LastName": "Sample", "Company": "Unknown"});
        assert!(bench.create("Lead", lead.clone()).is_err());
        bench.request("DELETE", &format!("/sobjects/Lead/{ada}"), None);
        assert!(bench.create("Lead", lead).is_ok());
        let contact = json!({"FirstName": "Ada", "LastName": "Sample"});
        assert!(bench.create("Contact", contact).is_ok(), "the rule applies to Leads only");
    }

    #[test]
    fn the_rules_apply_to_subrequests() {
        let mut bench = with(vec![rule(MatchBy::Name, DuplicateAction::Alert)]);
        let lead = json!({"FirstName": "Grace", "LastName": "Example", "Company": "Unknown"});
        let subrequest = |headers: Value| {
            json!({"compositeRequest": [{"method": "POST", "referenceId": "lead", "body": lead,
            "url": "/services/data/v60.0/sobjects/Lead", "httpHeaders": headers}]})
        };
        let mut status = |headers| {
            let response = bench.post("/composite", subrequest(headers)).body.unwrap();
            response["compositeResponse"][0]["httpStatusCode"].clone()
        };
        assert_eq!(status(json!({"Sforce-Auto-Assign": "FALSE"})), 400);
        assert_eq!(status(json!({"sforce-duplicate-rule-header": ALLOW})), 201);
    }

    #[test]
    fn the_key_of_the_details_can_be_spelt_correctly() {
        let mut bench = with(vec![rule(MatchBy::Name, DuplicateAction::Alert)]);
        bench.world.settings.duplicate_result_spelling = DuplicateResultSpelling::Result;
        let lead = json!({"FirstName": "Grace", "LastName": "Example", "Company": "Unknown"});
        let body = bench.post("/sobjects/Lead", lead).body.unwrap();
        assert!(body[0].get("duplicateResult").is_some() && body[0].get("duplicateResut").is_none());
    }
}
