//! A number claim as an item of the ledger's table.

use crm::{lead::NumberClaim, lease::Lease};

use super::item::{ColumnError, Item, ItemBuilder, optional, required};

pub(super) fn claim_to_item(claim: &NumberClaim) -> Item {
    ItemBuilder::default()
        .set("workspace_id", &claim.workspace_id)
        .set("call_id", &claim.number)
        .set_some("write_id", claim.write_id.as_ref())
        .set_some("lease_owner", claim.lease.as_ref().map(|lease| &lease.owner))
        .set_some("lease_until", claim.lease.as_ref().map(|lease| lease.until))
        .set_some("unsettled_until", claim.unsettled_until)
        .set_some("salesforce_record_id", claim.lead_id.as_ref())
        .set("expires_at", claim.expires_at)
        .build()
}

pub(super) fn claim_from_item(item: &Item) -> Result<NumberClaim, ColumnError> {
    let lease = match (optional(item, "lease_owner")?, optional(item, "lease_until")?) {
        (Some(owner), Some(until)) => Some(Lease { owner, until }),
        _ => None,
    };
    Ok(NumberClaim {
        workspace_id: required(item, "workspace_id")?,
        number: required(item, "call_id")?,
        write_id: optional(item, "write_id")?,
        lease,
        unsettled_until: optional(item, "unsettled_until")?,
        lead_id: optional(item, "salesforce_record_id")?,
        expires_at: required(item, "expires_at")?,
    })
}
