//! New Leads: for callers whom no record knows, where the workspace wants that (docs/contract.md#new-leads).

use serde::{Deserialize, Serialize};

use crate::{
    call::Call,
    ids::{SalesforceId, WorkspaceId},
    lease::Lease,
    ledger::WriteId,
    phone::PhoneNumber,
    text::{self, salesforce_unit},
};

/// What Salesforce's `LastName` and `FirstName` hold.
const LAST_NAME: usize = 80;
const FIRST_NAME: usize = 40;

/// A Lead, with Salesforce's field names, ready to be sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct LeadDraft {
    /// At most 80 characters.
    pub last_name: String,
    /// At most 40 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_name: Option<String>,
    /// `Unknown`: Salesforce wants one.
    pub company: String,
    /// The caller's number, E.164.
    pub phone: String,
    /// `Voice AI`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lead_source: Option<String>,
}

impl LeadDraft {
    /// The Lead of a caller: by the name that the report says, else `Unknown caller` with the number.
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

    /// Leaves an optional field out; `false` if there is none of this name.
    pub fn without(&mut self, field: &str) -> bool {
        match field {
            "FirstName" => self.first_name.take().is_some(),
            "LeadSource" => self.lead_source.take().is_some(),
            _ => false,
        }
    }
}

/// Who makes a Lead for a number just now, and the one that was made: one for each workspace and number, so that two
/// calls of one new caller make one Lead.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NumberClaim {
    /// Whose callers.
    pub workspace_id: WorkspaceId,
    /// The number, E.164.
    pub number: String,
    /// The id of its last write.
    pub write_id: Option<WriteId>,
    /// The worker that makes the Lead.
    pub lease: Option<Lease>,
    /// A Lead without an answer may come to be until then, Unix seconds: nobody makes another before.
    pub unsettled_until: Option<i64>,
    /// The Lead that was made.
    pub lead_id: Option<SalesforceId>,
    /// Until when the claim is of use, Unix seconds: search knows the Lead by then. The claim is deleted after it.
    pub expires_at: i64,
}

impl NumberClaim {
    /// The Lead that was made, while the claim is of use: at `now`, Unix seconds.
    pub fn lead_at(&self, now: i64) -> Option<SalesforceId> {
        self.lead_id.clone().filter(|_| self.expires_at > now)
    }
}
