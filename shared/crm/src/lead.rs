//! New Leads for callers without a record, if the workspace wants them (docs/contract.md#new-leads).

use calls::{
    call::Call,
    ids::{SalesforceId, WorkspaceId},
    text::{self, salesforce_unit},
};
use serde::{Deserialize, Serialize};

use crate::{draft::Draft, lease::Lease, ledger::WriteId, phone::PhoneNumber, records::WrittenObject};

/// The lengths of Salesforce's `LastName` and `FirstName`, characters.
const LAST_NAME: usize = 80;
const FIRST_NAME: usize = 40;

/// A Lead as it is sent, with Salesforce's field names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct LeadDraft {
    /// At most 80 characters.
    pub last_name: String,
    /// At most 40 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_name: Option<String>,
    /// `Unknown`: Salesforce requires a company.
    pub company: String,
    /// The caller's number, E.164.
    pub phone: String,
    /// `Voice AI`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lead_source: Option<String>,
}

impl LeadDraft {
    /// The Lead for a caller, with the name from the report, or else `Unknown caller` and the number.
    pub fn of(call: &Call, number: &PhoneNumber) -> Self {
        let said = call.customer_name.as_ref().and_then(|name| text::present(&name.value));
        let name = said.map(|name| name.split_whitespace().collect::<Vec<_>>().join(" "));
        let (first_name, last_name) = match &name {
            None => (None, format!("Unknown caller {}", number.e164())),
            Some(name) => match name.rsplit_once(' ') {
                Some((first, last)) => (Some(first.to_owned()), last.to_owned()),
                None => (None, name.clone()),
            },
        };
        Self {
            last_name: text::cut(&last_name, LAST_NAME, salesforce_unit).into_owned(),
            first_name: first_name.map(|name| text::cut(&name, FIRST_NAME, salesforce_unit).into_owned()),
            company: "Unknown".to_owned(),
            phone: number.e164(),
            lead_source: Some("Voice AI".to_owned()),
        }
    }
}

impl Draft for LeadDraft {
    const OBJECT: WrittenObject = WrittenObject::Lead;

    fn without(&mut self, field: &str) -> bool {
        match field {
            "FirstName" => self.first_name.take().is_some(),
            "LeadSource" => self.lead_source.take().is_some(),
            _ => false,
        }
    }
}

/// The right to create a Lead for a number, and the Lead that was created. There is one for each workspace and
/// number, so that two calls from one new caller create one Lead.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NumberClaim {
    /// The workspace.
    pub workspace_id: WorkspaceId,
    /// The number, E.164.
    pub number: String,
    /// The id of its last write.
    pub write_id: Option<WriteId>,
    /// The worker that is creating the Lead.
    pub lease: Option<Lease>,
    /// A create request without a response may still commit until then, Unix seconds; nobody creates another Lead
    /// before that.
    pub unsettled_until: Option<i64>,
    /// The Lead that was created.
    pub lead_id: Option<SalesforceId>,
    /// When the claim is deleted, Unix seconds. Search finds the Lead by then.
    pub expires_at: i64,
}

impl NumberClaim {
    /// The Lead that was created, if the claim has not expired at `now`, Unix seconds.
    pub fn lead_at(&self, now: i64) -> Option<SalesforceId> {
        self.lead_id.clone().filter(|_| self.expires_at > now)
    }
}
