//! Leads: creating one, and finding the Contact that a converted one became.

use calls::ids::SalesforceId;
use crm::{Answer, CrmError, Duplicates, FaultClass, WrittenObject, lead::LeadDraft, workspace::Connection};
use reqwest::Method;
use serde::Deserialize;

use crate::{
    errors::{self, Effect},
    transport::{self, RestRequest, Transport},
};

/// Saves a record although a duplicate rule raises an alert (REST API Developer Guide, "Duplicate Rule Header").
const DUPLICATE_RULES: &str = "Sforce-Duplicate-Rule-Header";

#[derive(Deserialize)]
struct Created {
    id: SalesforceId,
}

#[derive(Deserialize)]
struct Page {
    records: Vec<Converted>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Converted {
    converted_contact_id: Option<SalesforceId>,
}

/// Creates a Lead; returns its id.
pub(crate) async fn create(
    transport: &Transport,
    connection: &Connection,
    lead: &LeadDraft,
    duplicates: Duplicates,
) -> Result<Answer<SalesforceId>, CrmError> {
    let allow = [(DUPLICATE_RULES, "allowSave=true")];
    let body = serde_json::to_value(lead).map_err(|_| errors::unexpected(Effect::Nothing))?;
    let request = RestRequest {
        operation: "create_lead",
        effect: Effect::Creates,
        method: Method::POST,
        path: "/sobjects/Lead",
        query: &[],
        body: Some(body),
        headers: if duplicates == Duplicates::Allow { &allow } else { &[] },
    };
    let response = transport.rest(connection, request).await.map_err(for_lead)?;
    let created: Created = transport::parse(&response.value, Effect::Creates).map_err(for_lead)?;
    Ok(Answer { value: created.id, api_usage: response.api_usage })
}

/// The Contact that a Lead became; `None` if the Lead is not converted.
pub(crate) async fn contact_of_converted(
    transport: &Transport,
    connection: &Connection,
    lead_id: &SalesforceId,
) -> Result<Answer<Option<SalesforceId>>, CrmError> {
    let soql = format!("SELECT ConvertedContactId FROM Lead WHERE Id = '{lead_id}' AND IsConverted = true");
    let response = transport.rest(connection, RestRequest::get("query", "/query", &[("q", &soql)])).await?;
    let page: Page = transport::parse(&response.value, Effect::Nothing)?;
    let contact_id = page.records.into_iter().find_map(|lead| lead.converted_contact_id);
    Ok(Answer { value: contact_id, api_usage: response.api_usage })
}

/// The error of a write of a Lead. A new Lead belongs to no record that could be gone, so whatever is gone is something
/// that the org's own rules set.
fn for_lead(error: CrmError) -> CrmError {
    let class = match error.class {
        FaultClass::RecordGone => FaultClass::Permanent,
        class => class,
    };
    CrmError { class, object: Some(WrittenObject::Lead), ..error }
}
