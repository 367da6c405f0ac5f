//! Records that search may not know yet: its index learns of new ones after minutes, a query sees them at once
//! (docs/salesforce-api.md#the-search-index). One composite request with a query for each object.
//!
//! A query compares text, not numbers, so it asks for the last digits in their order with anything between them:
//! `%5%5%5%0%1%2%3%` is `(234) 555-0123` and `234.555.01 23 ext. 4`. Which of them is the caller is decided in code.

use calls::{
    crm::{Answer, ApiUsage, CrmError, Found, Omitted, PhoneQuery, RecordType},
    ids::SalesforceId,
    ports::ClientSecretSource,
    workspace::Connection,
};
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::{
    client::Client,
    composite::Subrequest,
    errors::{Effect, between},
    search::{PAGE, Target, found, narrow, targets},
    time,
};

/// As many digits as every way to write a number has.
const LAST_DIGITS: usize = 7;

#[derive(Deserialize)]
struct Page {
    records: Vec<Map<String, Value>>,
}

impl<S: ClientSecretSource> Client<S> {
    /// The records of these objects with such a number that were created since then. Encrypted fields cannot be filtered
    /// by: they are left out of the condition, and an object without any other is not asked for.
    pub(crate) async fn created_since(
        &self,
        connection: &Connection,
        objects: &[RecordType],
        query: &PhoneQuery,
        since: DateTime<Utc>,
        omitted: &Omitted,
    ) -> Result<Answer<Found>, CrmError> {
        let digits = last_digits(query);
        self.queried(connection, objects, omitted, |target, omitted| soql(target, &digits, since, omitted))
            .await
    }

    /// The records with these ids.
    pub(crate) async fn records_of(
        &self,
        connection: &Connection,
        ids: &[SalesforceId],
        omitted: &Omitted,
    ) -> Result<Answer<Found>, CrmError> {
        let objects: Vec<_> = RecordType::ALL
            .into_iter()
            .filter(|object| ids.iter().any(|id| RecordType::of(id) == Some(*object)))
            .collect();
        self.queried(connection, &objects, omitted, |target, _| Some(by_id(target, ids))).await
    }

    /// Asks each object by its query, in one request; again without what may not be read or filtered by.
    async fn queried(
        &self,
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
            match self.query_each(connection, &queries).await {
                Ok((records, api_usage)) => {
                    return Ok(Answer { value: found(&records, omitted)?, api_usage });
                }
                Err((object, error)) => match unfilterable(object, &error) {
                    Some(field) => omitted.unfilterable.insert(field),
                    None => omitted.unreadable.insert(narrow(&mut targets, error)?),
                },
            };
        }
    }

    /// The records of all queries; or the object of one that failed, and why.
    async fn query_each(
        &self,
        connection: &Connection,
        queries: &[(&'static str, String)],
    ) -> Result<(Vec<Map<String, Value>>, Option<ApiUsage>), (&'static str, CrmError)> {
        if queries.is_empty() {
            return Ok((Vec::new(), None));
        }
        let requests: Vec<_> = queries.iter().map(|(object, soql)| Subrequest::query(object, soql)).collect();
        let answer = self.composite(connection, "recent", Effect::Nothing, false, &requests).await;
        let answer = answer.map_err(|error| ("", error))?;
        let mut records = Vec::new();
        for (object, _) in queries {
            let page = answer.value.part::<Page>(object).map_err(|error| (*object, error))?;
            records.extend(page.records);
        }
        Ok((records, answer.api_usage))
    }
}

/// The field that a query may not filter by: `Contact.Phone`, where it is encrypted.
fn unfilterable(object: &str, error: &CrmError) -> Option<String> {
    let field = between(&error.message, "field '", "' can not be filtered")?;
    (error.code == "INVALID_FIELD").then(|| format!("{object}.{field}"))
}

/// The last digits of a number, as a pattern.
fn last_digits(query: &PhoneQuery) -> String {
    let digits: Vec<_> = query.national.chars().filter(char::is_ascii_digit).collect();
    let last = &digits[digits.len().saturating_sub(LAST_DIGITS)..];
    last.iter().fold("%".to_owned(), |pattern, digit| format!("{pattern}{digit}%"))
}

/// `None`: nothing is left to filter by.
fn soql(target: &Target, digits: &str, since: DateTime<Utc>, omitted: &Omitted) -> Option<String> {
    let object = target.object;
    let is_filterable = |field: &str| !omitted.unfilterable.contains(&format!("{object}.{field}"));
    let phones: Vec<_> = target
        .callers()
        .filter(|field| is_filterable(field) && !omitted.unfilterable.contains(object))
        .map(|field| format!("{field} LIKE '{digits}'"))
        .collect();
    let condition = target.condition.map(|condition| format!("{condition} AND ")).unwrap_or_default();
    (!phones.is_empty()).then(|| {
        format!(
            "SELECT {} FROM {object} WHERE {condition}CreatedDate >= {} AND ({}) ORDER BY CreatedDate DESC LIMIT {PAGE}",
            target.fields(),
            time::literal(since),
            phones.join(" OR ")
        )
    })
}

/// The values are ids, whose type admits letters and digits only.
fn by_id(target: &Target, ids: &[SalesforceId]) -> String {
    let of_object = ids.iter().filter(|id| RecordType::of(id) == Some(target.record_type));
    let ids: Vec<_> = of_object.map(|id| format!("'{id}'")).collect();
    let condition = target.condition.map(|condition| format!("{condition} AND ")).unwrap_or_default();
    format!(
        "SELECT {} FROM {} WHERE {condition}Id IN ({}) LIMIT {PAGE}",
        target.fields(),
        target.object,
        ids.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn everything() -> Vec<Target> {
        targets(&RecordType::ALL, &Omitted::default())
    }

    #[test]
    fn an_encrypted_field_is_read_and_not_filtered_by() {
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
            everything().iter().filter_map(|target| soql(target, "%1%", since, omitted)).collect()
        };
        let lead = &queries(&omitted)[0];
        assert!(lead.contains("Name, Phone, MobilePhone") && lead.contains("(MobilePhone LIKE"), "{lead}");
        omitted.unfilterable.insert("Lead.MobilePhone".to_owned());
        assert_eq!(queries(&omitted).len(), 1, "nothing is left to ask Leads by");
        omitted.unfilterable.insert("Contact".to_owned());
        assert!(queries(&omitted).is_empty());
    }

    #[test]
    fn records_are_read_by_their_ids() {
        let ids: Vec<_> = ["00Q000000000001", "003000000000001", "00Q000000000002"]
            .map(|id| SalesforceId::parse(id).unwrap())
            .into();
        let lead = by_id(&everything()[0], &ids);
        assert!(lead.ends_with("FROM Lead WHERE IsConverted = false AND Id IN ('00Q000000000001EAA', '00Q000000000002EAA') LIMIT 200"), "{lead}");
    }

    #[test]
    fn each_object_is_asked_for_what_search_asks_it_for() {
        let since = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let query = PhoneQuery {
            national: "2345550123".to_owned(),
            international: "12345550123".to_owned(),
            others: Vec::new(),
        };
        assert_eq!(last_digits(&query), "%5%5%5%0%1%2%3%");
        let queries: Vec<_> = everything()
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
