//! A Lead for a caller whom no record knows (docs/contract.md#new-leads): one for each workspace and number, however
//! many calls come at once.
//!
//! A Lead has no unique field either. So whoever makes one claims the number first, and a Lead without an answer is not
//! made again before it can no longer come to be; by then the look for recent records finds it, which reaches back
//! further than that.

use std::time::Duration;

use calls::{
    ids::SalesforceId,
    timings::{NUMBER_CLAIM_KEPT, RECENT},
};
use crm::{
    CrmError, Draft, Duplicates, FaultClass, RecordType, WrittenObject, dispensable,
    lead::NumberClaim,
    lease::Lease,
    ledger::{Row, WriteId},
    matching::{self, Rule},
    outcome::Ending,
    phone::PhoneNumber,
    plan::{Lead, NamedDuplicates, NewLead, Search},
};

use crate::{
    attempt::Attempt,
    claim::LEASE_SECONDS,
    ports::{NumberClaims, Random},
    session::Stop,
    worker::Ports,
};

/// How often a worker looks whether another one has made the Lead.
const POLL: Duration = Duration::from_millis(500);
/// What Salesforce says where a duplicate rule refuses a record.
const DUPLICATES_DETECTED: &str = "DUPLICATES_DETECTED";
/// How many of the records that a rule names are read, and how many a refusal shows.
const NAMED: usize = 50;
const SHOWN: usize = 5;
/// How often the end of a claim is written. If all fail, its time ends it.
const STORE_TRIES: u32 = 3;

impl<P: Ports> Attempt<'_, P> {
    /// Reads how a number stands, and waits while another worker has it. Stops while a Lead without an answer may still come
    /// to be that the search could not see. `gone`: a Lead that is not to be used any more.
    pub(super) async fn number_stands(
        &mut self,
        number: &PhoneNumber,
        gone: Option<&SalesforceId>,
    ) -> Result<Lead, Stop> {
        let mut is_somebody_elses = false;
        loop {
            let now = self.session.now();
            let found = self.session.worker.ledger.load_claim(&self.workspace.id, &number.e164()).await?;
            let Some(claim) = found else { return Ok(Lead::Free(None)) };
            let made = claim.lead_at(now).filter(|id| gone != Some(id) && !is_somebody_elses);
            if let Some(lead_id) = made {
                if self.still_has(number, &lead_id).await? {
                    return Ok(Lead::Known(lead_id));
                }
                is_somebody_elses = true;
            }
            if claim.lease.as_ref().is_some_and(|lease| lease.until > now) {
                self.wait().await?;
                continue;
            }
            // Where new records cannot be asked for, a Lead is seen only once search knows it.
            let late = self.seen.finds_new_records_late();
            let index_lag = if late { RECENT.num_seconds() } else { 0 };
            let seen_after = claim.unsettled_until.map(|until| until + index_lag);
            if let Some(until) = seen_after.filter(|until| *until > self.searched_at()) {
                return Err(Ending::Unsettled { until: until.max(now + 1) }.into());
            }
            return Ok(Lead::Free(claim.write_id));
        }
    }

    /// When Salesforce was asked for the caller's records, Unix seconds.
    fn searched_at(&self) -> i64 {
        match &self.seen.search {
            Some(Search::ByNumber { asked_at, .. }) => *asked_at,
            _ => self.session.now(),
        }
    }

    /// Whether a Lead that was made for a number still has it: a person may have given it another. One without a number to
    /// read is taken as it was made; one that is not there, or converted, is what the write says of it.
    async fn still_has(&mut self, number: &PhoneNumber, lead_id: &SalesforceId) -> Result<bool, Stop> {
        let found = self.session.records(std::slice::from_ref(lead_id)).await?.records;
        let decision = matching::decide(number, &found, &self.workspace.settings);
        let has_others = found.iter().any(|record| !record.phones.is_empty());
        Ok(!has_others || decision.rule != Rule::NoCandidate)
    }

    /// Waits for another worker, if there is time.
    async fn wait(&self) -> Result<(), Stop> {
        if self.session.may_wait(POLL).await { Ok(()) } else { Err(Ending::OutOfTime.into()) }
    }

    /// Makes the Lead, if no other worker claims the number first. What is learned from a refusal is planned with: a field is
    /// left out, or a record that a duplicate rule names is taken; the claim is kept meanwhile.
    pub(super) async fn make_lead(&mut self, row: &mut Row, lead: &NewLead) -> Result<(), Stop> {
        if self.claim.is_none() && !self.claim_number(row, lead.claim.as_ref()).await? {
            self.wait().await?;
            self.seen.lead = None;
            return Ok(());
        }
        let error = match self.session.create_lead(&lead.draft, lead.duplicates).await {
            Ok(id) => {
                row.journal.created(WrittenObject::Lead, &lead.draft.fields());
                self.seen.made_lead = true;
                self.end_claim(|claim| claim.lead_id = Some(id.clone())).await;
                self.seen.lead = Some(Lead::Known(id));
                return Ok(());
            }
            Err(stop) => stop.refusal()?,
        };
        if error.class == FaultClass::Ambiguous {
            // The claim knows of the doubt; of the Task there is none.
            let until = self.session.now() + self.session.worker.settle_seconds;
            self.end_claim(|claim| claim.unsettled_until = Some(until)).await;
            return Err(CrmError { class: FaultClass::Passing, ..error }.into());
        }
        if error.code == DUPLICATES_DETECTED && lead.duplicates == Duplicates::Refuse {
            let named = error.records.iter().filter(|id| RecordType::of(id).is_some());
            self.seen.duplicates = Some(NamedDuplicates::Named(named.take(NAMED).cloned().collect()));
            return Ok(());
        }
        let refused = dispensable(&error, &lead.draft);
        if refused.is_empty() {
            return Err(naming_records(error).into());
        }
        self.seen.refused_fields.extend(refused);
        Ok(())
    }

    /// Claims the caller's number, whose claim is as it was `before`; `false`: another worker was faster.
    async fn claim_number(&mut self, row: &Row, before: Option<&WriteId>) -> Result<bool, Stop> {
        let worker = self.session.worker;
        let Some(number) = self.caller.number() else { return Ok(false) };
        let until = self.session.now() + LEASE_SECONDS;
        // A worker that dies from here on may have made the Lead.
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

    /// Gives the claim of a number back for which no Lead was made, if there is one.
    pub(super) async fn give_claim_back(&mut self) {
        self.end_claim(|_| ()).await;
    }

    /// Writes the end of the claim, if there is one. What cannot be written ends by its time.
    async fn end_claim(&mut self, end: impl FnOnce(&mut NumberClaim)) {
        let Some(mut claim) = self.claim.take() else { return };
        (claim.lease, claim.unsettled_until) = (None, None);
        end(&mut claim);
        let worker = self.session.worker;
        let before = claim.write_id.replace(WriteId(worker.random.id()));
        for _ in 0..STORE_TRIES {
            match worker.ledger.swap_claim(before.as_ref(), &claim).await {
                Ok(_) => return,
                Err(error) => tracing::warn!(
                    workspace.id = %claim.workspace_id, error = %error, "the claim of a number could not be ended"
                ),
            }
        }
    }
}

/// A refusal with the records that it is about in its words, so that an admin finds them.
fn naming_records(mut error: CrmError) -> CrmError {
    if error.code == DUPLICATES_DETECTED && !error.records.is_empty() {
        let named: Vec<_> = error.records.iter().take(SHOWN).map(SalesforceId::as_str).collect();
        error.message = format!("{} (it names {})", error.message, named.join(", "));
    }
    error
}
