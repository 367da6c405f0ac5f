//! Leads: new ones, and what became of those that were converted.

use calls::{
    crm::{Answer, CrmError, Duplicates, FaultClass, WrittenObject},
    ids::SalesforceId,
    lead::LeadDraft,
    ports::ClientSecretSource,
    workspace::Connection,
};
use reqwest::Method;
use serde::Deserialize;

use crate::{
    client::Client,
    errors::{self, Effect},
    transport::{self, Rest},
};

/// Lets a record through that a duplicate rule only warns of (REST API Developer Guide, "Duplicate Rule Header").
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

impl<S: ClientSecretSource> Client<S> {
    pub(crate) async fn new_lead(
        &self,
        connection: &Connection,
        lead: &LeadDraft,
        duplicates: Duplicates,
    ) -> Result<Answer<SalesforceId>, CrmError> {
        let allow = [(DUPLICATE_RULES, "allowSave=true")];
        let body = serde_json::to_value(lead).map_err(|_| errors::unexpected(Effect::Nothing))?;
        let request = Rest {
            operation: "create_lead",
            effect: Effect::Creates,
            method: Method::POST,
            path: "/sobjects/Lead",
            query: &[],
            body: Some(body),
            headers: if duplicates == Duplicates::Allow { &allow } else { &[] },
        };
        let answer = self.rest(connection, request).await.map_err(of_lead)?;
        let created: Created = transport::parse(&answer.value, Effect::Creates).map_err(of_lead)?;
        Ok(Answer { value: created.id, api_usage: answer.api_usage })
    }

    pub(crate) async fn contact_of_lead(
        &self,
        connection: &Connection,
        lead_id: &SalesforceId,
    ) -> Result<Answer<Option<SalesforceId>>, CrmError> {
        let soql =
            format!("SELECT ConvertedContactId FROM Lead WHERE Id = '{lead_id}' AND IsConverted = true");
        let answer = self.rest(connection, Rest::get("query", "/query", &[("q", &soql)])).await?;
        let page: Page = transport::parse(&answer.value, Effect::Nothing)?;
        let contact_id = page.records.into_iter().find_map(|lead| lead.converted_contact_id);
        Ok(Answer { value: contact_id, api_usage: answer.api_usage })
    }
}

/// A new Lead is about no record that could be gone: what is, is something that the org gives it.
fn of_lead(error: CrmError) -> CrmError {
    let class = match error.class {
        FaultClass::RecordGone => FaultClass::Permanent,
        class => class,
    };
    CrmError { class, object: Some(WrittenObject::Lead), ..error }
}
