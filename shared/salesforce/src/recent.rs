//! Records that search may not know yet: its index learns of new ones after minutes, a query sees them at once
//! (salesforce.md §2.5). One composite request with a query for each object.

use calls::{
    crm::{Answer, ApiUsage, CrmError, Found},
    ports::ClientSecretSource,
    workspace::Connection,
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

#[derive(Deserialize)]
struct Page {
    records: Vec<Map<String, Value>>,
}

impl<S: ClientSecretSource> Client<S> {
    /// The Leads and Contacts with a phone number that were created since then.
    pub(crate) async fn created_since(
        &self,
        connection: &Connection,
        since: DateTime<Utc>,
    ) -> Result<Answer<Found>, CrmError> {
        let mut targets = targets();
        loop {
            match self.queried_since(connection, since, &targets).await {
                Ok((value, api_usage)) => return Ok(Answer { value, api_usage }),
                Err(error) if narrow(&mut targets, &error) => {}
                Err(error) => return Err(error),
            }
        }
    }

    async fn queried_since(
        &self,
        connection: &Connection,
        since: DateTime<Utc>,
        targets: &[Target],
    ) -> Result<(Found, Option<ApiUsage>), CrmError> {
        let requests: Vec<_> =
            targets.iter().map(|target| Subrequest::query(target.object, &soql(target, since))).collect();
        let answer = self.composite(connection, "recent", Effect::Nothing, false, &requests).await?;
        let mut records = Vec::new();
        for target in targets {
            records.extend(answer.value.part::<Page>(target.object)?.records);
        }
        Ok((found(&records)?, answer.api_usage))
    }
}

fn soql(target: &Target, since: DateTime<Utc>) -> String {
    let phones: Vec<_> = target.phones.iter().map(|field| format!("{field} != null")).collect();
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
        let queries: Vec<_> = targets().iter().map(|target| soql(target, since)).collect();
        assert_eq!(
            queries,
            [
                "SELECT Id, Name, Phone, MobilePhone, Country, CreatedDate, LastModifiedDate FROM Lead \
                 WHERE IsConverted = false AND CreatedDate >= 2027-01-15T08:00:00Z \
                 AND (Phone != null OR MobilePhone != null) ORDER BY CreatedDate DESC LIMIT 200",
                "SELECT Id, Name, Phone, MobilePhone, HomePhone, OtherPhone, AssistantPhone, MailingCountry, CreatedDate, \
                 LastModifiedDate FROM Contact WHERE CreatedDate >= 2027-01-15T08:00:00Z \
                 AND (Phone != null OR MobilePhone != null OR HomePhone != null OR OtherPhone != null OR \
                 AssistantPhone != null) ORDER BY CreatedDate DESC LIMIT 200",
            ]
        );
    }
}
