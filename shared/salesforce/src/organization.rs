//! The connected org itself (object `Organization`): where it is.

use calls::{crm::CrmError, ports::ClientSecretSource};
use serde::Deserialize;

use crate::{
    client::Client,
    errors::Effect,
    token_answer::Grant,
    transport::{self, Rest},
};

/// Salesforce has `CountryCode` only where an org uses picklists for countries: a query that names it fails elsewhere
/// (`INVALID_FIELD`), so the whole record is read.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Organization {
    country: Option<String>,
    country_code: Option<String>,
}

impl Organization {
    fn country(self) -> Option<String> {
        self.country_code.or(self.country).filter(|country| !country.is_empty())
    }
}

impl<S: ClientSecretSource> Client<S> {
    /// The country in the org's address: its ISO code, or whatever the org's people call it.
    pub async fn country(&self, grant: &Grant) -> Result<Option<String>, CrmError> {
        let path = format!("/sobjects/Organization/{}", grant.identity.org_id);
        let request = Rest::get("organization", &path, &[]);
        let answer = self.rest_at(&grant.tokens.instance_url, &grant.tokens.access_token, request).await?;
        let organization: Organization = transport::parse(&answer.value, Effect::Nothing)?;
        Ok(organization.country())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_code_is_better_than_the_name_and_either_may_be_missing() {
        for (record, country) in [
            (json!({ "Country": "United Kingdom", "CountryCode": "GB" }), Some("GB")),
            (json!({ "Country": "United Kingdom" }), Some("United Kingdom")),
            (json!({ "Country": "Germany", "CountryCode": null }), Some("Germany")),
            (json!({ "Country": null }), None),
            (json!({ "Country": "" }), None),
            (json!({}), None),
        ] {
            let organization: Organization = serde_json::from_value(record.clone()).unwrap();
            assert_eq!(organization.country().as_deref(), country, "{record}");
        }
    }
}
