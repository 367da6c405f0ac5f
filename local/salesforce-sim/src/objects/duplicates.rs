//! A duplicate rule: a new Lead whose number a standing Lead or Contact has is refused, with the records (REST API
//! Developer Guide, "Duplicate Management").

use serde_json::{Value, json};

use super::{
    schema::Object,
    store::{Fields, Org, Record},
    tables::{CONTACT, LEAD},
};
use crate::{error::ApiError, rest::record_path};

/// What Salesforce's method `Phone` compares at least: area code and number, without the country's code.
const COMPARED_DIGITS: usize = 10;
const PHONES: [&str; 2] = ["Phone", "MobilePhone"];

/// Refuses a Lead that is to be made, if others have one of its numbers. Unlike search it knows new records at once.
pub(super) fn refuse(org: &Org, lead: &Fields) -> Result<(), ApiError> {
    let numbers: Vec<String> = PHONES.iter().filter_map(|field| number(lead.get(field)?)).collect();
    let matches = |record: &&Record| {
        let stands = !record.is("IsDeleted") && !record.is("IsConverted");
        stands
            && PHONES.iter().filter_map(|field| number(record.get(field))).any(|own| numbers.contains(&own))
    };
    let results: Vec<Value> = [&LEAD, &CONTACT]
        .into_iter()
        .filter_map(|object| {
            let found: Vec<Value> = org.of(object).filter(matches).map(match_record).collect();
            (!found.is_empty()).then(|| match_result(object, &found))
        })
        .collect();
    if results.is_empty() {
        return Ok(());
    }
    let error = ApiError::new(400, "DUPLICATES_DETECTED", "Use one of these records?");
    let duplicate_result = json!({
        "allowSave": true,
        "duplicateRule": "Standard_Lead_Duplicate_Rule",
        "duplicateRuleEntityType": "Lead",
        "errorMessage": error.message,
        "matchResults": results,
    });
    Err(ApiError { duplicate_result: Some(duplicate_result), ..error })
}

fn number(value: &Value) -> Option<String> {
    let digits: String = value.as_str()?.chars().filter(char::is_ascii_digit).collect();
    Some(digits[digits.len().checked_sub(COMPARED_DIGITS)?..].to_owned())
}

fn match_result(object: &Object, records: &[Value]) -> Value {
    json!({
        "entityType": object.name,
        "errors": [],
        "matchEngine": "FuzzyMatchEngine",
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
    use serde_json::json;

    use crate::testing::Bench;

    #[test]
    fn a_lead_with_a_known_number_is_refused_with_the_records_that_have_it() {
        let mut bench = Bench::new();
        bench.world.settings.refuse_duplicate_leads = true;
        let known = bench.add("Contact", json!({"LastName": "Known", "MobilePhone": "(234) 555-0199"}));
        let lead = json!({"LastName": "New", "Company": "Unknown", "Phone": "+12345550199"});
        let refused = bench.post("/sobjects/Lead", lead.clone());
        let body = refused.body.unwrap();
        assert_eq!((refused.status, &body[0]["errorCode"]), (400, &json!("DUPLICATES_DETECTED")));
        let result = &body[0]["duplicateResult"]["matchResults"][0];
        assert_eq!(result["entityType"], "Contact");
        assert_eq!(result["matchRecords"][0]["record"]["Id"], known);
        let other = json!({"LastName": "New", "Company": "Unknown", "Phone": "+12345550198"});
        assert!(bench.create("Lead", other).is_ok());
        bench.world.settings.refuse_duplicate_leads = false;
        assert!(bench.create("Lead", lead).is_ok());
    }
}
