//! The phone search: one SOSL request over Leads, Contacts or both (SOQL and SOSL Reference, "SOSL Syntax").

use calls::{codes::faults, ids::SalesforceId, limits::FOUND_RECORDS};
use crm::{
    Answer, CrmError, FaultClass, Found, FoundRecord, Omitted, PhoneQuery, RecordType, workspace::Connection,
};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::{
    errors::{self, Effect, between},
    time,
    transport::{self, RestRequest, Transport},
};

/// How many records to fetch of each object.
pub(crate) const PAGE_SIZE: usize = FOUND_RECORDS;

/// Fetched only to tell why search found a record: no caller is a fax machine (docs/contract.md#matching).
const FAX: &str = "Fax";

/// What to fetch of one object. Salesforce refuses the whole search if the user may not read a field or an object, which
/// is then left out.
pub(crate) struct Target {
    pub(crate) object: &'static str,
    pub(crate) record_type: RecordType,
    phones: Vec<&'static str>,
    country: Option<&'static str>,
    /// A further condition.
    pub(crate) condition: Option<&'static str>,
}

/// What to fetch of these objects, except what is `omitted`. If that leaves nothing, everything: Salesforce then says what
/// is wrong.
pub(crate) fn targets(objects: &[RecordType], omitted: &Omitted) -> Vec<Target> {
    let all = || objects.iter().map(|object| target(*object));
    let mut targets: Vec<_> = all().filter(|target| !omitted.unreadable.contains(target.object)).collect();
    for target in &mut targets {
        let object = target.object;
        let is_read = |field: &&'static str| !omitted.unreadable.contains(&format!("{object}.{field}"));
        target.phones.retain(is_read);
        target.country = target.country.filter(|country| is_read(country));
    }
    targets.retain(Target::has_phone_field);
    if targets.is_empty() { all().collect() } else { targets }
}

fn target(record_type: RecordType) -> Target {
    match record_type {
        RecordType::Lead => Target {
            record_type,
            object: "Lead",
            phones: vec!["Phone", "MobilePhone", FAX],
            country: Some("Country"),
            condition: Some("IsConverted = false"),
        },
        RecordType::Contact => Target {
            record_type,
            object: "Contact",
            phones: vec!["Phone", "MobilePhone", "HomePhone", "OtherPhone", "AssistantPhone", FAX],
            country: Some("MailingCountry"),
            condition: None,
        },
    }
}

impl Target {
    /// The fields to fetch.
    pub(crate) fn fields(&self) -> String {
        let mut fields = vec!["Id", "Name"];
        fields.extend(&self.phones);
        fields.extend(self.country);
        fields.extend(["CreatedDate", "LastModifiedDate"]);
        fields.join(", ")
    }

    /// The fields that may hold the caller's number.
    pub(crate) fn caller_fields(&self) -> impl Iterator<Item = &'static str> {
        self.phones.iter().copied().filter(|field| *field != FAX)
    }

    fn has_phone_field(&self) -> bool {
        self.caller_fields().next().is_some()
    }

    fn returning(&self) -> String {
        let (object, fields) = (self.object, self.fields());
        let condition = self.condition.map(|condition| format!("WHERE {condition} ")).unwrap_or_default();
        format!("{object}({fields} {condition}ORDER BY LastModifiedDate DESC LIMIT {PAGE_SIZE})")
    }

    /// Leaves a field out. Returns `false` if it is required, or not among the fields.
    fn omit(&mut self, field: &str) -> bool {
        let before = self.phones.len();
        self.phones.retain(|phone| *phone != field);
        let country = self.country.take_if(|country| *country == field);
        country.is_some() || self.phones.len() < before
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SearchResponse {
    search_records: Vec<Map<String, Value>>,
}

/// Searches these objects for a number. If Salesforce refuses a field or an object, tries again without it.
pub(crate) async fn by_phone(
    transport: &Transport,
    connection: &Connection,
    objects: &[RecordType],
    query: &PhoneQuery,
    omitted: &Omitted,
) -> Result<Answer<Found>, CrmError> {
    let term = search_term(query)?;
    let mut omitted = omitted.clone();
    let mut targets = targets(objects, &omitted);
    loop {
        match search_once(transport, connection, &sosl(&term, &targets)).await {
            Ok(response) => {
                let found = parse_records(&response.value.search_records, omitted)?;
                return Ok(Answer { value: found, api_usage: response.api_usage });
            }
            Err(error) => omitted.unreadable.insert(omit_unreadable(&mut targets, error)?),
        };
    }
}

async fn search_once(
    transport: &Transport,
    connection: &Connection,
    sosl: &str,
) -> Result<Answer<SearchResponse>, CrmError> {
    let response = transport.rest(connection, RestRequest::get("search", "/search/", &[("q", sosl)])).await?;
    Ok(Answer { value: transport::parse(&response.value, Effect::Nothing)?, api_usage: response.api_usage })
}

/// The national and the international number and their other forms, each also as a prefix of a longer one (an extension).
/// Digits only: any other character could be an operator. Stays around 500 characters; from 4,000 on, Salesforce ignores
/// the operators.
fn search_term(query: &PhoneQuery) -> Result<String, CrmError> {
    let digits = |text: &String| text.chars().filter(char::is_ascii_digit).collect::<String>();
    let forms = [&query.national, &query.international].into_iter().chain(&query.others);
    let mut numbers: Vec<String> = Vec::new();
    for number in forms.map(digits).filter(|number| number.len() > 1) {
        if !numbers.contains(&number) {
            numbers.push(number);
        }
    }
    if numbers.is_empty() {
        return Err(errors::without_answer(
            FaultClass::Permanent,
            faults::NO_SEARCH_TERM.code,
            "there is no number to search for",
        ));
    }
    let prefixes: Vec<_> = numbers.iter().map(|number| format!("{number}*")).collect();
    Ok([numbers, prefixes].concat().join(" OR "))
}

fn sosl(term: &str, targets: &[Target]) -> String {
    let returning: Vec<_> = targets.iter().map(Target::returning).collect();
    format!("FIND {{{term}}} IN PHONE FIELDS RETURNING {}", returning.join(", "))
}

/// Leaves out the object or field that an error says may not be read; returns its name: `Lead`, `Contact.HomePhone`. Returns
/// the error if it says nothing of the kind, or if nothing would be left.
pub(crate) fn omit_unreadable(targets: &mut Vec<Target>, error: CrmError) -> Result<String, CrmError> {
    let refused = match error.code.as_str() {
        "INVALID_TYPE" => {
            let refused = between(&error.message, "sObject type '", "'").unwrap_or_default();
            let before = targets.len();
            targets.retain(|target| target.object != refused);
            (targets.len() < before).then(|| refused.to_owned())
        }
        "INVALID_FIELD" => {
            let object = between(&error.message, "entity '", "'").unwrap_or_default();
            let target = targets.iter_mut().find(|target| target.object == object);
            target.and_then(|target| {
                let field = error.fields.iter().find(|field| target.omit(field))?;
                Some(format!("{object}.{field}"))
            })
        }
        _ => None,
    };
    targets.retain(Target::has_phone_field);
    refused.filter(|_| !targets.is_empty()).ok_or(error)
}

/// Parses the records of a response.
pub(crate) fn parse_records(records: &[Map<String, Value>], omitted: Omitted) -> Result<Found, CrmError> {
    let known = RecordType::ALL.map(target);
    let mut found = Found { omitted, ..Found::default() };
    for record in records {
        let object = record.get("attributes").and_then(|attributes| attributes["type"].as_str());
        if let Some(target) = known.iter().find(|target| Some(target.object) == object) {
            let record = parse_record(record, target).ok_or_else(|| errors::unexpected(Effect::Nothing))?;
            found.records.push(record);
        }
    }
    let count = |record_type| found.records.iter().filter(|record| record.record_type == record_type).count();
    found.full =
        known.iter().map(|target| target.record_type).find(|record_type| count(*record_type) >= PAGE_SIZE);
    Ok(found)
}

fn parse_record(record: &Map<String, Value>, target: &Target) -> Option<FoundRecord> {
    let text = |field: &str| record.get(field).and_then(Value::as_str).filter(|text| !text.is_empty());
    let phones =
        target.phones.iter().filter_map(|field| Some(((*field).to_owned(), text(field)?.to_owned())));
    Some(FoundRecord {
        id: SalesforceId::parse(text("Id")?).ok()?,
        record_type: target.record_type,
        name: text("Name").map(str::to_owned),
        phones: phones.collect(),
        country: target.country.and_then(text).map(str::to_owned),
        created_at: time::parse(text("CreatedDate")?)?,
        modified_at: time::parse(text("LastModifiedDate")?)?,
    })
}

#[cfg(test)]
mod tests {
    use reqwest::StatusCode;
    use serde_json::json;

    use super::*;

    fn all_targets() -> Vec<Target> {
        targets(&RecordType::ALL, &Omitted::default())
    }

    fn query() -> PhoneQuery {
        PhoneQuery {
            national: "2345550123".to_owned(),
            international: "12345550123".to_owned(),
            others: vec!["0012345550123".to_owned()],
        }
    }

    fn refused(code: &str, message: &str) -> CrmError {
        let body = json!([{ "errorCode": code, "message": message }]).to_string();
        errors::rest(StatusCode::BAD_REQUEST, body.as_bytes(), Effect::Nothing)
    }

    #[test]
    fn one_search_covers_both_objects_and_all_forms_of_the_number() {
        assert_eq!(
            sosl(&search_term(&query()).unwrap(), &all_targets()),
            "FIND {2345550123 OR 12345550123 OR 0012345550123 OR 2345550123* OR 12345550123* OR 0012345550123*} \
             IN PHONE FIELDS RETURNING \
             Lead(Id, Name, Phone, MobilePhone, Fax, Country, CreatedDate, LastModifiedDate \
             WHERE IsConverted = false ORDER BY LastModifiedDate DESC LIMIT 200), \
             Contact(Id, Name, Phone, MobilePhone, HomePhone, OtherPhone, AssistantPhone, Fax, MailingCountry, \
             CreatedDate, LastModifiedDate ORDER BY LastModifiedDate DESC LIMIT 200)"
        );
    }

    #[test]
    fn only_digits_reach_the_query() {
        let query = |national: &str, international: &str, other: &str| PhoneQuery {
            national: national.to_owned(),
            international: international.to_owned(),
            others: vec![other.to_owned()],
        };
        let terms = "234 OR 1234 OR 01234 OR 234* OR 1234* OR 01234*";
        assert_eq!(search_term(&query("234} IN ALL", "+1 (234)", "0*1 OR 234")).unwrap(), terms);
        assert_eq!(search_term(&query("234", "234", "234")).unwrap(), "234 OR 234*");
        let query = query("anonymous", "", "*");
        assert_eq!(search_term(&query).unwrap_err().code, "no_search_term");
    }

    #[test]
    fn an_unreadable_object_is_left_out() {
        let mut targets = all_targets();
        let error = refused(
            "INVALID_TYPE",
            "\nLead(Id\n^\nERROR at Row:1:Column:70\nsObject type 'Lead' is not supported.",
        );
        assert!(omit_unreadable(&mut targets, error).is_ok());
        assert!(!sosl("1", &targets).contains("Lead("));
        let error = refused("INVALID_TYPE", "sObject type 'Contact' is not supported.");
        assert!(
            omit_unreadable(&mut targets, error).is_err(),
            "a search with nothing left to read is an error"
        );
    }

    #[test]
    fn an_unreadable_field_is_left_out_of_its_object() {
        let mut targets = all_targets();
        let error = refused(
            "INVALID_FIELD",
            "\nContact(Id\n^\nERROR at Row:1:Column:70\nNo such column 'MobilePhone' on entity 'Contact'.",
        );
        assert!(omit_unreadable(&mut targets, error).is_ok());
        let sosl = sosl("1", &targets);
        assert!(sosl.contains("Lead(Id, Name, Phone, MobilePhone, Fax, Country"), "{sosl}");
        assert!(sosl.contains("Contact(Id, Name, Phone, HomePhone"), "{sosl}");
        let mut refused =
            |code, message| omit_unreadable(&mut targets, super::tests::refused(code, message)).ok();
        assert_eq!(
            refused("INVALID_FIELD", "No such column 'Country' on entity 'Lead'.").as_deref(),
            Some("Lead.Country")
        );
        assert_eq!(refused("INVALID_FIELD", "No such column 'CreatedDate' on entity 'Lead'."), None);
        assert_eq!(refused("MALFORMED_SEARCH", "unexpected token"), None);
    }

    #[test]
    fn an_object_without_a_readable_phone_field_is_left_out() {
        let mut targets = all_targets();
        for field in ["Phone", "MobilePhone"] {
            let error = refused("INVALID_FIELD", &format!("No such column '{field}' on entity 'Lead'."));
            assert_eq!(omit_unreadable(&mut targets, error), Ok(format!("Lead.{field}")));
        }
        assert!(!sosl("1", &targets).contains("Lead("), "a fax machine does not call");
    }

    #[test]
    fn what_is_known_to_be_hidden_is_not_fetched() {
        let omitted = |names: &[&str]| Omitted {
            unreadable: names.iter().map(|name| (*name).to_owned()).collect(),
            ..Omitted::default()
        };
        let sosl_without = |names: &[&str]| sosl("1", &targets(&RecordType::ALL, &omitted(names)));
        assert!(
            sosl_without(&["Contact.HomePhone", "Lead.Country"])
                .contains("Lead(Id, Name, Phone, MobilePhone, Fax, Created")
        );
        assert!(!sosl_without(&["Contact.HomePhone"]).contains("HomePhone"));
        assert!(!sosl_without(&["Lead"]).contains("Lead("));
        assert!(!sosl_without(&["Lead.Phone", "Lead.MobilePhone"]).contains("Lead("));
        assert_eq!(sosl_without(&["Lead", "Contact"]), sosl_without(&[]), "Salesforce says what is wrong");
    }

    fn lead(n: usize) -> Value {
        json!({
            "attributes": { "type": "Lead", "url": "/services/data/v60.0/sobjects/Lead/x" },
            "Id": format!("00Q{n:012}"), "Name": "Ada Sample", "Phone": "(234) 555-0123", "MobilePhone": null,
            "Country": "US", "CreatedDate": "2026-01-02T03:04:05.000+0000",
            "LastModifiedDate": "2026-01-03T03:04:05.000+0000",
        })
    }

    fn found_in(records: &[Value]) -> Result<Found, CrmError> {
        let response: SearchResponse = serde_json::from_value(json!({ "searchRecords": records })).unwrap();
        parse_records(&response.search_records, Omitted::default())
    }

    #[test]
    fn records_have_their_nonempty_phone_fields() {
        let found = found_in(&[lead(1)]).unwrap();
        let record = &found.records[0];
        assert_eq!(record.phones, vec![("Phone".to_owned(), "(234) 555-0123".to_owned())]);
        assert_eq!((record.country.as_deref(), record.record_type), (Some("US"), RecordType::Lead));
        assert_eq!(time::literal(record.created_at), "2026-01-02T03:04:05Z");
        assert_eq!(found.full, None);
    }

    #[test]
    fn a_full_page_is_reported() {
        let found = found_in(&(0..PAGE_SIZE).map(lead).collect::<Vec<_>>()).unwrap();
        assert_eq!(found.full, Some(RecordType::Lead));
    }

    #[test]
    fn a_malformed_record_is_an_error_and_not_a_miss() {
        let mut broken = lead(1);
        broken["LastModifiedDate"] = Value::Null;
        assert_eq!(found_in(&[broken]).unwrap_err().code, "unreadable_answer");
    }
}
