//! The connected org's country (object `Organization`).

use crm::CrmError;
use serde::Deserialize;

use crate::{
    errors::Effect,
    token_response::Grant,
    transport::{self, RestRequest, Transport},
};

/// Only orgs with picklists for countries have `CountryCode`; elsewhere a query that names it fails (`INVALID_FIELD`). So
/// the whole record is read.
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

/// Fetches the country in the org's address: its ISO code, or the name that the org's people entered.
pub(crate) async fn country(transport: &Transport, grant: &Grant) -> Result<Option<String>, CrmError> {
    let path = format!("/sobjects/Organization/{}", grant.identity.org_id);
    let request = RestRequest::get("organization", &path, &[]);
    let response = transport.rest_at(&grant.tokens.instance_url, &grant.tokens.access_token, request).await?;
    let organization: Organization = transport::parse(&response.value, Effect::Nothing)?;
    Ok(organization.country())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_code_is_preferred_to_the_name_and_either_may_be_missing() {
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
