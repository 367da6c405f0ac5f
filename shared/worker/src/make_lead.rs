//! Creates a Lead for a caller without a record (docs/contract.md#new-leads): one per workspace and number, however
//! many calls arrive at once.
//!
//! A Lead has no unique field. So a worker claims the number before it creates one. If the response is lost, the Lead
//! is not created again until the first request can no longer commit. By then, the query for recent records finds the
//! Lead if it exists, because the query reaches back further.

use std::time::Duration;

use calls::timings::NUMBER_CLAIM_KEPT;
use crm::{
    CrmError, FaultClass,
    lead::NumberClaim,
    lease::Lease,
    ledger::{Row, WriteId},
    outcome::Ending,
    plan::{NewLead, ReadClaim},
};

use crate::{
    attempt::Attempt,
    claim::LEASE_SECONDS,
    ports::{NumberClaims, Random},
    session::Stop,
    worker::Ports,
};

/// How often a worker checks whether another one has created the Lead.
const POLL: Duration = Duration::from_millis(500);
/// Attempts at writing the end of a claim. If all fail, the claim expires.
const STORE_ATTEMPTS: u32 = 3;

impl<P: Ports> Attempt<'_, P> {
    /// Reads the claim on the caller's number.
    pub(super) async fn read_claim(&mut self, again: bool) -> Result<(), Stop> {
        if again {
            self.wait().await?;
        }
        let Some(number) = self.caller.number() else { return Ok(()) };
        let ledger = &self.session.worker.ledger;
        self.seen.claim = Some(ReadClaim(ledger.load_claim(&self.workspace.id, &number.e164()).await?));
        Ok(())
    }

    /// Waits for another worker, if time allows.
    async fn wait(&self) -> Result<(), Stop> {
        if self.session.wait_if_time(POLL).await { Ok(()) } else { Err(Ending::OutOfTime.into()) }
    }

    /// Creates the Lead, unless another worker claims the number first. Returns whether it was created. A refusal leads
    /// to a new plan; the claim is kept in the meantime.
    pub(super) async fn make_lead(&mut self, row: &Row, lead: &NewLead) -> Result<bool, Stop> {
        if self.claim.is_none() && !self.claim_number(row, lead.claim.as_ref()).await? {
            self.wait().await?;
            self.seen.claim = None;
            return Ok(false);
        }
        let error = match self.session.create_lead(&lead.draft, lead.duplicates).await {
            Ok(id) => {
                self.end_claim(|claim| claim.lead_id = Some(id.clone())).await;
                self.seen.made_lead = Some(id);
                return Ok(true);
            }
            Err(stop) => stop.refusal()?,
        };
        if error.class == FaultClass::Ambiguous {
            // Only the Lead is in doubt, and the claim says so. The Task was not sent: for the row, retrying is safe.
            let until = self.session.now() + self.session.worker.settle_seconds;
            self.end_claim(|claim| claim.unsettled_until = Some(until)).await;
            return Err(CrmError { class: FaultClass::Passing, ..error }.into());
        }
        self.seen.refused_lead(error, lead)?;
        Ok(false)
    }

    /// Claims the caller's number if its claim is still `before`; `false`: another worker was faster.
    async fn claim_number(&mut self, row: &Row, before: Option<&WriteId>) -> Result<bool, Stop> {
        let worker = self.session.worker;
        let Some(number) = self.caller.number() else { return Ok(false) };
        let until = self.session.now() + LEASE_SECONDS;
        // If this worker dies from here on, it may have created the Lead.
        let unsettled_until = until + worker.settle_seconds;
        let claim = NumberClaim {
            workspace_id: row.workspace_id.clone(),
            number: number.e164(),
            write_id: Some(WriteId(worker.random.id())),
            lease: Some(Lease { owner: worker.random.id(), until }),
            unsettled_until: Some(unsettled_until),
            lead_id: None,
            expires_at: unsettled_until + NUMBER_CLAIM_KEPT.num_seconds(),
        };
        let ours = worker.ledger.swap_claim(before, &claim).await?;
        self.claim = ours.then_some(claim);
        Ok(ours)
    }

    /// Releases the claim, if there is one, on a number that got no Lead.
    pub(super) async fn release_claim(&mut self) {
        self.end_claim(|_| ()).await;
    }

    /// Writes the end of the claim, if there is one. If that fails, the claim expires.
    async fn end_claim(&mut self, end: impl FnOnce(&mut NumberClaim)) {
        let Some(mut claim) = self.claim.take() else { return };
        (claim.lease, claim.unsettled_until) = (None, None);
        end(&mut claim);
        let worker = self.session.worker;
        let before = claim.write_id.replace(WriteId(worker.random.id()));
        for _ in 0..STORE_ATTEMPTS {
            match worker.ledger.swap_claim(before.as_ref(), &claim).await {
                Ok(_) => return,
                Err(error) => tracing::warn!(
                    workspace.id = %claim.workspace_id, error = %error, "the claim on a number could not be released"
                ),
            }
        }
    }
}
