//! Records that search may not know yet: its index learns of new ones after minutes, a query sees them at once
//! (salesforce.md §2.5). One composite request with a query for each object.
//!
//! A query compares text, not numbers, so it asks for the last digits in their order with anything between them:
//! `%5%5%5%0%1%2%3%` is `(234) 555-0123` and `234.555.01 23 ext. 4`. Which of them is the caller is decided in code.

use calls::{
    crm::{Answer, ApiUsage, CrmError, Found, PhoneQuery},
    ports::ClientSecretSource,
    workspace::{Connection, RecordType},
};
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::{
    client::Client,
    composite::Subrequest,
    errors::Effect,
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
    /// The records of these objects with such a number that were created since then.
    pub(crate) async fn created_since(
        &self,
        connection: &Connection,
        objects: &[RecordType],
        query: &PhoneQuery,
        since: DateTime<Utc>,
    ) -> Result<Answer<Found>, CrmError> {
        let mut targets = targets(objects);
        let digits = last_digits(query);
        loop {
            match self.queried_since(connection, &digits, since, &targets).await {
                Ok((value, api_usage)) => return Ok(Answer { value, api_usage }),
                Err(error) if narrow(&mut targets, &error) => {}
                Err(error) => return Err(error),
            }
        }
    }

    async fn queried_since(
        &self,
        connection: &Connection,
        digits: &str,
        since: DateTime<Utc>,
        targets: &[Target],
    ) -> Result<(Found, Option<ApiUsage>), CrmError> {
        let requests: Vec<_> = targets
            .iter()
            .map(|target| Subrequest::query(target.object, &soql(target, digits, since)))
            .collect();
        let answer = self.composite(connection, "recent", Effect::Nothing, false, &requests).await?;
        let mut records = Vec::new();
        for target in targets {
            records.extend(answer.value.part::<Page>(target.object)?.records);
        }
        Ok((found(&records)?, answer.api_usage))
    }
}

/// The last digits of a number, as a pattern.
fn last_digits(query: &PhoneQuery) -> String {
    let digits: Vec<_> = query.national.chars().filter(char::is_ascii_digit).collect();
    let last = &digits[digits.len().saturating_sub(LAST_DIGITS)..];
    last.iter().fold("%".to_owned(), |pattern, digit| format!("{pattern}{digit}%"))
}

fn soql(target: &Target, digits: &str, since: DateTime<Utc>) -> String {
    let phones: Vec<_> = target.phones.iter().map(|field| format!("{field} LIKE '{digits}'")).collect();
    let condition = target.condition.map(|condition| format!("{condition} AND ")).unwrap_or_default();
    format!(
        "SELECT {} FROM {} WHERE {condition}CreatedDate >= {} AND ({}) ORDER BY CreatedDate DESC LIMIT {PAGE}",
        target.fields(),
        target.object,
        time::literal(since),
        phones.join(" OR ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_object_is_asked_for_what_search_asks_it_for() {
        let since = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let query = PhoneQuery {
            national: "2345550123".to_owned(),
            international: "12345550123".to_owned(),
            others: Vec::new(),
        };
        assert_eq!(last_digits(&query), "%5%5%5%0%1%2%3%");
        let queries: Vec<_> =
            targets(&RecordType::ALL).iter().map(|target| soql(target, "%1%2%", since)).collect();
        assert_eq!(
            queries,
            [
                "SELECT Id, Name, Phone, MobilePhone, Country, CreatedDate, LastModifiedDate FROM Lead \
                 WHERE IsConverted = false AND CreatedDate >= 2027-01-15T08:00:00Z \
                 AND (Phone LIKE '%1%2%' OR MobilePhone LIKE '%1%2%') ORDER BY CreatedDate DESC LIMIT 200",
                "SELECT Id, Name, Phone, MobilePhone, HomePhone, OtherPhone, AssistantPhone, MailingCountry, CreatedDate, \
                 LastModifiedDate FROM Contact WHERE CreatedDate >= 2027-01-15T08:00:00Z \
                 AND (Phone LIKE '%1%2%' OR MobilePhone LIKE '%1%2%' OR HomePhone LIKE '%1%2%' OR OtherPhone LIKE '%1%2%' OR \
                 AssistantPhone LIKE '%1%2%') ORDER BY CreatedDate DESC LIMIT 200",
            ]
        );
    }
}
