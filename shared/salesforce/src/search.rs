//! The phone search: one SOSL request over Leads, Contacts or both (SOQL and SOSL Reference, "SOSL Syntax").

use calls::ports::ClientSecretSource;
use calls::{
    crm::{Answer, CrmError, FaultClass, Found, FoundRecord, Omitted, PhoneQuery, RecordType},
    ids::SalesforceId,
    workspace::Connection,
};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::{
    client::Client,
    errors::{self, Effect, between},
    time,
    transport::{self, Rest},
};

/// How many records of each object are asked for.
pub(crate) const PAGE: usize = 200;

/// Says only why search found a record: a caller is nobody's fax machine (docs/contract.md#matching).
const FAX: &str = "Fax";

/// What is asked of one object. A field or an object that the user may not read makes Salesforce refuse the whole
/// search; then it is left out.
pub(crate) struct Target {
    pub(crate) object: &'static str,
    pub(crate) record_type: RecordType,
    phones: Vec<&'static str>,
    country: Option<&'static str>,
    /// What a record must be besides.
    pub(crate) condition: Option<&'static str>,
}

/// What is asked of these objects, without what is known to be `omitted`. Where nothing would be left of it, all of it:
/// Salesforce then says what is wrong.
pub(crate) fn targets(objects: &[RecordType], omitted: &Omitted) -> Vec<Target> {
    let all = || objects.iter().map(|object| target(*object));
    let mut targets: Vec<_> = all().filter(|target| !omitted.unreadable.contains(target.object)).collect();
    for target in &mut targets {
        let object = target.object;
        let is_read = |field: &&'static str| !omitted.unreadable.contains(&format!("{object}.{field}"));
        target.phones.retain(is_read);
        target.country = target.country.filter(|country| is_read(country));
    }
    targets.retain(Target::has_a_phone);
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
    /// The fields that are asked for.
    pub(crate) fn fields(&self) -> String {
        let mut fields = vec!["Id", "Name"];
        fields.extend(&self.phones);
        fields.extend(self.country);
        fields.extend(["CreatedDate", "LastModifiedDate"]);
        fields.join(", ")
    }

    /// The fields that may have the caller's number.
    pub(crate) fn callers(&self) -> impl Iterator<Item = &'static str> {
        self.phones.iter().copied().filter(|field| *field != FAX)
    }

    fn has_a_phone(&self) -> bool {
        self.callers().next().is_some()
    }

    fn returning(&self) -> String {
        let (object, fields) = (self.object, self.fields());
        let condition = self.condition.map(|condition| format!("WHERE {condition} ")).unwrap_or_default();
        format!("{object}({fields} {condition}ORDER BY LastModifiedDate DESC LIMIT {PAGE})")
    }

    /// Leaves a field out; `false` if it is not one that can be.
    fn leave_out(&mut self, field: &str) -> bool {
        let before = self.phones.len();
        self.phones.retain(|phone| *phone != field);
        let country = self.country.take_if(|country| *country == field);
        country.is_some() || self.phones.len() < before
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SearchAnswer {
    search_records: Vec<Map<String, Value>>,
}

impl<S: ClientSecretSource> Client<S> {
    pub(crate) async fn search_phone(
        &self,
        connection: &Connection,
        objects: &[RecordType],
        query: &PhoneQuery,
        omitted: &Omitted,
    ) -> Result<Answer<Found>, CrmError> {
        let term = term(query)?;
        let mut omitted = omitted.clone();
        let mut targets = targets(objects, &omitted);
        loop {
            match self.search_once(connection, &sosl(&term, &targets)).await {
                Ok(answer) => {
                    let found = found(&answer.value.search_records, omitted)?;
                    return Ok(Answer { value: found, api_usage: answer.api_usage });
                }
                Err(error) => omitted.unreadable.insert(narrow(&mut targets, error)?),
            };
        }
    }

    async fn search_once(
        &self,
        connection: &Connection,
        sosl: &str,
    ) -> Result<Answer<SearchAnswer>, CrmError> {
        let answer = self.rest(connection, Rest::get("search", "/search/", &[("q", sosl)])).await?;
        Ok(Answer { value: transport::parse(&answer.value, Effect::Nothing)?, api_usage: answer.api_usage })
    }
}

/// The national and the full number and what else stands for it, each also as the beginning of a longer one (a stored
/// extension). Digits only: every other character could be an operator. At most 500 characters or so; Salesforce leaves
/// the operators out from 4,000.
fn term(query: &PhoneQuery) -> Result<String, CrmError> {
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
            "no_search_term",
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

/// Leaves out what an error says may not be read, and names it: `Lead`, `Contact.HomePhone`. The error again, where it says
/// nothing of the kind, or nothing would be left.
pub(crate) fn narrow(targets: &mut Vec<Target>, error: CrmError) -> Result<String, CrmError> {
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
                let field = error.fields.iter().find(|field| target.leave_out(field))?;
                Some(format!("{object}.{field}"))
            })
        }
        _ => None,
    };
    targets.retain(Target::has_a_phone);
    refused.filter(|_| !targets.is_empty()).ok_or(error)
}

/// Reads the records of an answer.
pub(crate) fn found(records: &[Map<String, Value>], omitted: Omitted) -> Result<Found, CrmError> {
    let known = RecordType::ALL.map(target);
    let mut found = Found { omitted, ..Found::default() };
    for record in records {
        let object = record.get("attributes").and_then(|attributes| attributes["type"].as_str());
        if let Some(target) = known.iter().find(|target| Some(target.object) == object) {
            let record = read(record, target).ok_or_else(|| errors::unexpected(Effect::Nothing))?;
            found.records.push(record);
        }
    }
    let count = |record_type| found.records.iter().filter(|record| record.record_type == record_type).count();
    found.full =
        known.iter().map(|target| target.record_type).find(|record_type| count(*record_type) >= PAGE);
    Ok(found)
}

fn read(record: &Map<String, Value>, target: &Target) -> Option<FoundRecord> {
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

    fn everything() -> Vec<Target> {
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
    fn one_request_asks_for_both_objects_and_all_forms_of_the_number() {
        assert_eq!(
            sosl(&term(&query()).unwrap(), &everything()),
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
        assert_eq!(term(&query("234} IN ALL", "+1 (234)", "0*1 OR 234")).unwrap(), terms);
        assert_eq!(term(&query("234", "234", "234")).unwrap(), "234 OR 234*");
        let query = query("anonymous", "", "*");
        assert_eq!(term(&query).unwrap_err().code, "no_search_term");
    }

    #[test]
    fn an_object_that_may_not_be_read_is_left_out() {
        let mut targets = everything();
        let error = refused(
            "INVALID_TYPE",
            "\nLead(Id\n^\nERROR at Row:1:Column:70\nsObject type 'Lead' is not supported.",
        );
        assert!(narrow(&mut targets, error).is_ok());
        assert!(!sosl("1", &targets).contains("Lead("));
        let error = refused("INVALID_TYPE", "sObject type 'Contact' is not supported.");
        assert!(narrow(&mut targets, error).is_err(), "a search that finds nothing to read is a fault");
    }

    #[test]
    fn a_field_that_may_not_be_read_is_left_out_of_its_object() {
        let mut targets = everything();
        let error = refused(
            "INVALID_FIELD",
            "\nContact(Id\n^\nERROR at Row:1:Column:70\nNo such column 'MobilePhone' on entity 'Contact'.",
        );
        assert!(narrow(&mut targets, error).is_ok());
        let sosl = sosl("1", &targets);
        assert!(sosl.contains("Lead(Id, Name, Phone, MobilePhone, Fax, Country"), "{sosl}");
        assert!(sosl.contains("Contact(Id, Name, Phone, HomePhone"), "{sosl}");
        let mut refused = |code, message| narrow(&mut targets, super::tests::refused(code, message)).ok();
        assert_eq!(
            refused("INVALID_FIELD", "No such column 'Country' on entity 'Lead'.").as_deref(),
            Some("Lead.Country")
        );
        assert_eq!(refused("INVALID_FIELD", "No such column 'CreatedDate' on entity 'Lead'."), None);
        assert_eq!(refused("MALFORMED_SEARCH", "unexpected token"), None);
    }

    #[test]
    fn an_object_without_a_readable_phone_field_is_left_out() {
        let mut targets = everything();
        for field in ["Phone", "MobilePhone"] {
            let error = refused("INVALID_FIELD", &format!("No such column '{field}' on entity 'Lead'."));
            assert_eq!(narrow(&mut targets, error), Ok(format!("Lead.{field}")));
        }
        assert!(!sosl("1", &targets).contains("Lead("), "a fax machine is no caller");
    }

    #[test]
    fn what_is_known_to_be_hidden_is_not_asked_for() {
        let omitted = |names: &[&str]| Omitted {
            unreadable: names.iter().map(|name| (*name).to_owned()).collect(),
            ..Omitted::default()
        };
        let asked = |names: &[&str]| sosl("1", &targets(&RecordType::ALL, &omitted(names)));
        assert!(
            asked(&["Contact.HomePhone", "Lead.Country"])
                .contains("Lead(Id, Name, Phone, MobilePhone, Fax, Created")
        );
        assert!(!asked(&["Contact.HomePhone"]).contains("HomePhone"));
        assert!(!asked(&["Lead"]).contains("Lead("));
        assert!(!asked(&["Lead.Phone", "Lead.MobilePhone"]).contains("Lead("));
        assert_eq!(asked(&["Lead", "Contact"]), asked(&[]), "Salesforce says what is wrong");
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
        let answer: SearchAnswer = serde_json::from_value(json!({ "searchRecords": records })).unwrap();
        found(&answer.search_records, Omitted::default())
    }

    #[test]
    fn records_carry_the_phone_fields_that_are_filled() {
        let found = found_in(&[lead(1)]).unwrap();
        let record = &found.records[0];
        assert_eq!(record.phones, vec![("Phone".to_owned(), "(234) 555-0123".to_owned())]);
        assert_eq!((record.country.as_deref(), record.record_type), (Some("US"), RecordType::Lead));
        assert_eq!(time::literal(record.created_at), "2026-01-02T03:04:05Z");
        assert_eq!(found.full, None);
    }

    #[test]
    fn a_full_page_is_told() {
        let found = found_in(&(0..PAGE).map(lead).collect::<Vec<_>>()).unwrap();
        assert_eq!(found.full, Some(RecordType::Lead));
    }

    #[test]
    fn an_unreadable_record_is_a_fault_and_not_a_miss() {
        let mut broken = lead(1);
        broken["LastModifiedDate"] = Value::Null;
        assert_eq!(found_in(&[broken]).unwrap_err().code, "unreadable_answer");
    }
}
