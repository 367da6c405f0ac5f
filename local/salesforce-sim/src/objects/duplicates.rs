//! Duplicate rules: a new record is refused for others like it, with their ids (REST API Developer Guide, "Duplicate
//! Management"; docs/salesforce-api.md#duplicate-rules).

use std::borrow::Cow;

use serde_json::{Value, json};

use super::{
    schema::Object,
    store::{Fields, Org, Record},
    tables::{CONTACT, LEAD},
};
use crate::{
    error::ApiError,
    rest::record_path,
    settings::{DuplicateAction, DuplicateRule, MatchBy, Settings},
};

/// What Salesforce's method `Phone` compares at least: area code and number, without the country's code.
const COMPARED_DIGITS: usize = 10;
const PHONES: &[&str] = &["Phone", "MobilePhone"];

/// Refuses a record that is to be made, if a rule finds others like it. Unlike search it knows new records at once, and
/// records that the user cannot see. `allowed`: the request takes alerts for read.
pub(super) fn refuse(
    org: &Org,
    settings: &Settings,
    object: &Object,
    new: &Fields,
    allowed: bool,
) -> Result<(), ApiError> {
    let found: Vec<_> = rules(settings)
        .filter(|rule| rule.object.eq_ignore_ascii_case(object.name))
        .map(|rule| {
            let results = match_results(org, rule.by, new);
            (rule, results)
        })
        .filter(|(_, results)| !results.is_empty())
        .collect();
    // A rule that blocks goes before those that alert.
    let blocking = found.iter().find(|(rule, _)| rule.action == DuplicateAction::Block);
    let alerting = found.first().filter(|_| !allowed);
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

fn rules(settings: &Settings) -> impl Iterator<Item = Cow<'_, DuplicateRule>> {
    let short = settings.refuse_duplicate_leads.then(|| DuplicateRule {
        object: LEAD.name.to_owned(),
        by: MatchBy::Phone,
        action: DuplicateAction::Alert,
        name: None,
    });
    settings.duplicate_rules.iter().map(Cow::Borrowed).chain(short.map(Cow::Owned))
}

/// The standing Leads and Contacts that are like the new record, by object.
fn match_results(org: &Org, by: MatchBy, new: &Fields) -> Vec<Value> {
    let wanted = marks(by, |field| new.get(field));
    let is_alike = |record: &&Record| {
        let stands = !record.is("IsDeleted") && !record.is("IsConverted");
        stands && marks(by, |field| record.fields.get(field)).iter().any(|own| wanted.contains(own))
    };
    let of = |object: &'static Object| {
        let found: Vec<Value> = org.of(object).filter(is_alike).map(match_record).collect();
        (!found.is_empty()).then(|| match_result(object, by, &found))
    };
    [&LEAD, &CONTACT].into_iter().filter_map(of).collect()
}

/// What a rule knows a person by.
fn marks<'a>(by: MatchBy, get: impl Fn(&str) -> Option<&'a Value>) -> Vec<String> {
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
    let attributes = json!({"type": record.object.name, "url": record_path(record.object, &record.id)});
    json!({
        "additionalInformation": [],
        "fieldDiffs": [],
        "matchConfidence": 100.0,
        "record": {"attributes": attributes, "Id": record.id.as_str()},
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::{
        error::Reply,
        rest::Headers,
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

    /// Adds a Contact that the new Lead is like, and one that it is not.
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
    fn a_lead_with_a_known_number_is_refused_with_the_records_that_have_it() {
        let mut bench = Bench::new();
        bench.world.settings.refuse_duplicate_leads = true;
        let lead = json!({"LastName": "New", "Company": "Unknown", "Phone": "+12345550199"});
        let details =
            refused(&mut bench, json!({"LastName": "Known", "MobilePhone": "(234) 555-0199"}), &lead);
        assert_eq!(
            (&details["allowSave"], &details["duplicateRule"]),
            (&json!(true), &json!("Standard_Lead_Duplicate_Rule"))
        );
        let other = json!({"LastName": "New", "Company": "Unknown", "Phone": "+12345550198"});
        assert!(bench.create("Lead", other).is_ok());
        bench.world.settings.refuse_duplicate_leads = false;
        assert!(bench.create("Lead", lead).is_ok());
    }

    #[test]
    fn a_rule_may_go_by_name_or_by_email() {
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
    fn an_alert_can_be_overridden_and_a_block_cannot() {
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
    fn deleted_and_converted_people_are_no_duplicates() {
        let mut bench = with(vec![rule(MatchBy::Name, DuplicateAction::Block)]);
        let ada = bench.person("Ada Sample");
        let lead = json!({"FirstName": "Ada", "LastName": "Sample", "Company": "Unknown"});
        assert!(bench.create("Lead", lead.clone()).is_err());
        bench.request("DELETE", &format!("/sobjects/Lead/{ada}"), None);
        assert!(bench.create("Lead", lead).is_ok());
        let contact = json!({"FirstName": "Ada", "LastName": "Sample"});
        assert!(bench.create("Contact", contact).is_ok(), "the rule is of Leads");
    }

    #[test]
    fn subrequests_and_collections_meet_the_rules_too() {
        let mut bench = with(vec![rule(MatchBy::Name, DuplicateAction::Alert)]);
        let lead = json!({"FirstName": "Grace", "LastName": "Example", "Company": "Unknown"});
        let part = |headers: Value| {
            json!({"compositeRequest": [{"method": "POST", "referenceId": "lead", "body": lead,
            "url": "/services/data/v60.0/sobjects/Lead", "httpHeaders": headers}]})
        };
        let mut status = |headers| {
            let answer = bench.post("/composite", part(headers)).body.unwrap();
            answer["compositeResponse"][0]["httpStatusCode"].clone()
        };
        assert_eq!(status(json!({"Sforce-Auto-Assign": "FALSE"})), 400);
        assert_eq!(status(json!({"sforce-duplicate-rule-header": ALLOW})), 201);

        let mut record = lead.clone();
        record["attributes"] = json!({"type": "Lead"});
        let answer = bench.post("/composite/sobjects", json!({"records": [record]})).body.unwrap();
        assert_eq!(answer[0]["errors"][0]["statusCode"], "DUPLICATES_DETECTED");
        assert_eq!(answer[0]["errors"][0]["duplicateResut"]["allowSave"], true);
    }

    #[test]
    fn the_key_of_the_details_can_be_spelt_right() {
        let mut bench = with(vec![rule(MatchBy::Name, DuplicateAction::Alert)]);
        bench.world.settings.duplicate_result_spelling = DuplicateResultSpelling::Result;
        let lead = json!({"FirstName": "Grace", "LastName": "Example", "Company": "Unknown"});
        let body = bench.post("/sobjects/Lead", lead).body.unwrap();
        assert!(body[0].get("duplicateResult").is_some() && body[0].get("duplicateResut").is_none());
    }
}
