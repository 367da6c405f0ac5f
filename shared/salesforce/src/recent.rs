//! Reads records by query: recently created ones, which search may not know yet, because its index lags by minutes
//! (docs/salesforce-api.md#the-search-index); and records by id. One composite request with a query for each object.
//!
//! A query compares text, not numbers. So it matches a number's last digits in order with anything between them:
//! `%5%5%5%0%1%2%3%` matches `(234) 555-0123` and `234.555.01 23 ext. 4`. Which record is the caller's is decided in
//! code.

use calls::ids::SalesforceId;
use chrono::{DateTime, Utc};
use crm::{Answer, ApiUsage, CrmError, Found, Omitted, PhoneQuery, RecordType, workspace::Connection};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::{
    composite::{self, Subrequest},
    errors::{Effect, between},
    search::{PAGE_SIZE, Target, omit_unreadable, parse_records, targets},
    time,
    transport::Transport,
};

/// How many digits every way to write a number includes.
const LAST_DIGITS: usize = 7;

#[derive(Deserialize)]
struct Page {
    records: Vec<Map<String, Value>>,
}

/// Finds the records of these objects that have such a number and were created since then. Fields that cannot be filtered
/// by (encrypted ones) are left out of the condition, and an object without any other phone field is not queried.
pub(crate) async fn created_since(
    transport: &Transport,
    connection: &Connection,
    objects: &[RecordType],
    query: &PhoneQuery,
    since: DateTime<Utc>,
    omitted: &Omitted,
) -> Result<Answer<Found>, CrmError> {
    let pattern = last_digits(query);
    query_all(transport, connection, objects, omitted, |target, omitted| {
        soql(target, &pattern, since, omitted)
    })
    .await
}

/// Reads the records with these ids.
pub(crate) async fn by_ids(
    transport: &Transport,
    connection: &Connection,
    ids: &[SalesforceId],
    omitted: &Omitted,
) -> Result<Answer<Found>, CrmError> {
    let objects: Vec<_> = RecordType::ALL
        .into_iter()
        .filter(|object| ids.iter().any(|id| RecordType::of(id) == Some(*object)))
        .collect();
    query_all(transport, connection, &objects, omitted, |target, _| Some(soql_by_id(target, ids))).await
}

/// Runs one query for each object in one request. If Salesforce refuses a field or an object, tries again without it.
async fn query_all(
    transport: &Transport,
    connection: &Connection,
    objects: &[RecordType],
    omitted: &Omitted,
    soql: impl Fn(&Target, &Omitted) -> Option<String> + Send,
) -> Result<Answer<Found>, CrmError> {
    let mut omitted = omitted.clone();
    let mut targets = targets(objects, &omitted);
    loop {
        let queries: Vec<_> =
            targets.iter().filter_map(|target| Some((target.object, soql(target, &omitted)?))).collect();
        match query_once(transport, connection, &queries).await {
            Ok((records, api_usage)) => {
                return Ok(Answer { value: parse_records(&records, omitted)?, api_usage });
            }
            Err((object, error)) => match unfilterable(object, &error) {
                Some(field) => omitted.unfilterable.insert(field),
                None => omitted.unreadable.insert(omit_unreadable(&mut targets, error)?),
            },
        };
    }
}

/// Returns the records of all queries, or an error with the object whose query failed (`""`: the whole request did).
async fn query_once(
    transport: &Transport,
    connection: &Connection,
    queries: &[(&'static str, String)],
) -> Result<(Vec<Map<String, Value>>, Option<ApiUsage>), (&'static str, CrmError)> {
    if queries.is_empty() {
        return Ok((Vec::new(), None));
    }
    let requests: Vec<_> = queries.iter().map(|(object, soql)| Subrequest::query(object, soql)).collect();
    let response = composite::send(transport, connection, "recent", Effect::Nothing, false, &requests).await;
    let response = response.map_err(|error| ("", error))?;
    let mut records = Vec::new();
    for (object, _) in queries {
        let page = response.value.part::<Page>(object).map_err(|error| (*object, error))?;
        records.extend(page.records);
    }
    Ok((records, response.api_usage))
}

/// The field that a query may not filter by (`Contact.Phone`) because it is encrypted.
fn unfilterable(object: &str, error: &CrmError) -> Option<String> {
    let field = between(&error.message, "field '", "' can not be filtered")?;
    (error.code == "INVALID_FIELD").then(|| format!("{object}.{field}"))
}

/// A `LIKE` pattern for the last digits of a number.
fn last_digits(query: &PhoneQuery) -> String {
    let digits: Vec<_> = query.national.chars().filter(char::is_ascii_digit).collect();
    let last = &digits[digits.len().saturating_sub(LAST_DIGITS)..];
    last.iter().fold("%".to_owned(), |pattern, digit| format!("{pattern}{digit}%"))
}

/// `None` if there is no field left to filter by.
fn soql(target: &Target, pattern: &str, since: DateTime<Utc>, omitted: &Omitted) -> Option<String> {
    let object = target.object;
    let is_filterable = |field: &str| !omitted.unfilterable.contains(&format!("{object}.{field}"));
    let phones: Vec<_> = target
        .caller_fields()
        .filter(|field| is_filterable(field) && !omitted.unfilterable.contains(object))
        .map(|field| format!("{field} LIKE '{pattern}'"))
        .collect();
    let condition = target.condition.map(|condition| format!("{condition} AND ")).unwrap_or_default();
    (!phones.is_empty()).then(|| {
        format!(
            "SELECT {} FROM {object} WHERE {condition}CreatedDate >= {} AND ({}) ORDER BY CreatedDate DESC LIMIT {PAGE_SIZE}",
            target.fields(),
            time::literal(since),
            phones.join(" OR ")
        )
    })
}

/// Safe to interpolate: ids consist of letters and digits by their type.
fn soql_by_id(target: &Target, ids: &[SalesforceId]) -> String {
    let of_object = ids.iter().filter(|id| RecordType::of(id) == Some(target.record_type));
    let ids: Vec<_> = of_object.map(|id| format!("'{id}'")).collect();
    let condition = target.condition.map(|condition| format!("{condition} AND ")).unwrap_or_default();
    format!(
        "SELECT {} FROM {} WHERE {condition}Id IN ({}) LIMIT {PAGE_SIZE}",
        target.fields(),
        target.object,
        ids.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all_targets() -> Vec<Target> {
        targets(&RecordType::ALL, &Omitted::default())
    }

    #[test]
    fn an_encrypted_field_is_read_but_not_filtered_by() {
        let error = CrmError {
            code: "INVALID_FIELD".to_owned(),
            message: "ERROR at Row:1:Column:9 field 'Phone' can not be filtered in a query call".to_owned(),
            ..crate::errors::unexpected(Effect::Nothing)
        };
        assert_eq!(unfilterable("Lead", &error).as_deref(), Some("Lead.Phone"));
        let mut omitted = Omitted::default();
        omitted.unfilterable.insert("Lead.Phone".to_owned());
        let queries = |omitted: &Omitted| -> Vec<String> {
            let since = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
            all_targets().iter().filter_map(|target| soql(target, "%1%", since, omitted)).collect()
        };
        let lead = &queries(&omitted)[0];
        assert!(lead.contains("Name, Phone, MobilePhone") && lead.contains("(MobilePhone LIKE"), "{lead}");
        omitted.unfilterable.insert("Lead.MobilePhone".to_owned());
        assert_eq!(queries(&omitted).len(), 1, "Leads have no field left to filter by");
        omitted.unfilterable.insert("Contact".to_owned());
        assert!(queries(&omitted).is_empty());
    }

    #[test]
    fn records_are_queried_by_id() {
        let ids: Vec<_> = ["00Q000000000001", "003000000000001", "00Q000000000002"]
            .map(|id| SalesforceId::parse(id).unwrap())
            .into();
        let lead = soql_by_id(&all_targets()[0], &ids);
        assert!(lead.ends_with("FROM Lead WHERE IsConverted = false AND Id IN ('00Q000000000001EAA', '00Q000000000002EAA') LIMIT 200"), "{lead}");
    }

    #[test]
    fn each_query_selects_the_fields_that_search_does() {
        let since = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let query = PhoneQuery {
            national: "2345550123".to_owned(),
            international: "12345550123".to_owned(),
            others: Vec::new(),
        };
        assert_eq!(last_digits(&query), "%5%5%5%0%1%2%3%");
        let queries: Vec<_> = all_targets()
            .iter()
            .filter_map(|target| soql(target, "%1%2%", since, &Omitted::default()))
            .collect();
        assert_eq!(
            queries,
            [
                "SELECT Id, Name, Phone, MobilePhone, Fax, Country, CreatedDate, LastModifiedDate FROM Lead \
                 WHERE IsConverted = false AND CreatedDate >= 2027-01-15T08:00:00Z \
                 AND (Phone LIKE '%1%2%' OR MobilePhone LIKE '%1%2%') ORDER BY CreatedDate DESC LIMIT 200",
                "SELECT Id, Name, Phone, MobilePhone, HomePhone, OtherPhone, AssistantPhone, Fax, MailingCountry, CreatedDate, \
                 LastModifiedDate FROM Contact WHERE CreatedDate >= 2027-01-15T08:00:00Z \
                 AND (Phone LIKE '%1%2%' OR MobilePhone LIKE '%1%2%' OR HomePhone LIKE '%1%2%' OR OtherPhone LIKE '%1%2%' OR \
                 AssistantPhone LIKE '%1%2%') ORDER BY CreatedDate DESC LIMIT 200",
            ]
        );
    }
}
