//! A Lead for a caller whom no record knows (design.md §7): one for each workspace and number, however many calls come at
//! once.
//!
//! A Lead has no unique field either. So whoever makes one claims the number first, and a Lead without an answer is not
//! made again before it can no longer come to be; by then the look for recent records finds it, which reaches back
//! further than that.

use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::{
    crm::{CrmError, FaultClass},
    ids::{SalesforceId, WorkspaceId},
    lead::{LeadDraft, NumberClaim},
    ledger::{Row, WriteId},
    matching::Rule,
    phone::PhoneNumber,
    ports::{NumberClaims, Random, StoreError},
    workspace::{Lease, RecordType},
};

use super::{
    Ports,
    claim::LEASE_SECONDS,
    session::{Session, Stop},
};

/// How long a claim is kept after the last moment at which its Lead may come to be. While it is, the Lead is the caller's
/// though no phone field says so; so not much longer than search needs to learn of it, which is minutes (up to ten are
/// reported, salesforce.md §2.5). Then a Lead whose number a person has changed is not the caller's.
const KEPT: i64 = 60 * 60;
/// How often a worker looks whether another one has made the Lead.
const POLL: Duration = Duration::from_millis(500);
/// How often the end of a claim is written. If all fail, its time ends it.
const STORE_TRIES: u32 = 3;

/// The record for a caller without one, and what decided for it. `looked_at`: when Salesforce was asked for records;
/// `gone`: a record that is not to be used any more.
pub(super) async fn lead_for<P: Ports>(
    session: &mut Session<'_, P>,
    row: &Row,
    number: &PhoneNumber,
    looked_at: DateTime<Utc>,
    gone: Option<&SalesforceId>,
) -> Result<(Rule, (RecordType, SalesforceId)), Stop> {
    let mut claim = loop {
        match standing(session, &row.workspace_id, number, looked_at, gone).await? {
            Standing::Known(lead_id) => return Ok((Rule::NewLead, (RecordType::Lead, lead_id))),
            Standing::Free(before) => match claim(session, row, number, before.as_ref()).await? {
                Some(claim) => break claim,
                None => wait(session).await?,
            },
        }
    };
    let made = create(session, LeadDraft::of(&row.call, number)).await;
    claim.lease = None;
    claim.unsettled_until = match &made {
        Err(Stop::Salesforce(error)) if error.class == FaultClass::Ambiguous => {
            Some(session.now() + session.worker.settle_seconds)
        }
        _ => None,
    };
    claim.lead_id =
        made.as_ref().ok().filter(|(rule, _)| *rule == Rule::NewLead).map(|(_, record)| record.1.clone());
    finish(session, claim).await;
    match made {
        // The claim knows of the doubt; of the Task there is none.
        Err(Stop::Salesforce(error)) if error.class == FaultClass::Ambiguous => {
            Err(Stop::Salesforce(CrmError { class: FaultClass::Passing, ..error }))
        }
        made => made,
    }
}

/// How a number stands that no other worker is making a Lead for.
pub(super) enum Standing {
    /// Its Lead has been made.
    Known(SalesforceId),
    /// It has none. With the last write of its claim, if there is one.
    Free(Option<WriteId>),
}

/// Reads how a number stands, and waits while another worker has it. Stops while a Lead without an answer may still come
/// to be that the look at `looked_at` could not see.
pub(super) async fn standing<P: Ports>(
    session: &Session<'_, P>,
    workspace_id: &WorkspaceId,
    number: &PhoneNumber,
    looked_at: DateTime<Utc>,
    gone: Option<&SalesforceId>,
) -> Result<Standing, Stop> {
    loop {
        let now = session.now();
        let found = session.worker.ledger.load_claim(workspace_id, &number.e164()).await.map_err(failed)?;
        let Some(claim) = found else { return Ok(Standing::Free(None)) };
        if let Some(lead_id) = claim.lead_at(now).filter(|id| gone != Some(id)) {
            return Ok(Standing::Known(lead_id));
        }
        if claim.lease.as_ref().is_some_and(|lease| lease.until > now) {
            wait(session).await?;
            continue;
        }
        if let Some(until) = claim.unsettled_until.filter(|until| *until > looked_at.timestamp()) {
            return Err(Stop::Unsettled { until: until.max(now + 1) });
        }
        return Ok(Standing::Free(claim.write_id));
    }
}

/// Waits for another worker, if there is time.
async fn wait<P: Ports>(session: &Session<'_, P>) -> Result<(), Stop> {
    if session.may_wait(POLL).await { Ok(()) } else { Err(Stop::OutOfTime) }
}

/// Claims a number whose claim is as it was `before`; `None`: another worker was faster.
async fn claim<P: Ports>(
    session: &Session<'_, P>,
    row: &Row,
    number: &PhoneNumber,
    before: Option<&WriteId>,
) -> Result<Option<NumberClaim>, Stop> {
    let worker = session.worker;
    let until = session.now() + LEASE_SECONDS;
    // A worker that dies from here on may have made the Lead.
    let unsettled_until = until + worker.settle_seconds;
    let claim = NumberClaim {
        workspace_id: row.workspace_id.clone(),
        number: number.e164(),
        write_id: Some(WriteId(worker.random.id())),
        lease: Some(Lease { owner: worker.random.id(), until }),
        unsettled_until: Some(unsettled_until),
        lead_id: None,
        expires_at: unsettled_until + KEPT,
    };
    let ours = worker.ledger.swap_claim(before, &claim).await.map_err(failed)?;
    Ok(ours.then_some(claim))
}

/// Makes the Lead, without the optional fields that are refused. Where Salesforce names the record that it would
/// duplicate, that one is it.
async fn create<P: Ports>(
    session: &mut Session<'_, P>,
    mut lead: LeadDraft,
) -> Result<(Rule, (RecordType, SalesforceId)), Stop> {
    loop {
        match session.create_lead(&lead).await {
            Ok(id) => return Ok((Rule::NewLead, (RecordType::Lead, id))),
            Err(Stop::Salesforce(error)) => {
                if let Some(record) = duplicate(&error) {
                    return Ok((Rule::Duplicate, record));
                }
                let refused = error.class == FaultClass::FieldRefused
                    && error.fields.iter().filter(|field| lead.without(field)).count() > 0;
                if !refused {
                    return Err(Stop::Salesforce(error));
                }
            }
            Err(stop) => return Err(stop),
        }
    }
}

/// The record that Salesforce names as the one that is there already; an Account cannot have a call.
fn duplicate(error: &CrmError) -> Option<(RecordType, SalesforceId)> {
    let known = |id: &SalesforceId| Some((RecordType::of(id)?, id.clone()));
    error.records.iter().find_map(known)
}

/// Writes the end of a claim. What cannot be written ends by its time.
async fn finish<P: Ports>(session: &Session<'_, P>, mut claim: NumberClaim) {
    let before = claim.write_id.replace(WriteId(session.worker.random.id()));
    for _ in 0..STORE_TRIES {
        match session.worker.ledger.swap_claim(before.as_ref(), &claim).await {
            Ok(_) => return,
            Err(error) => tracing::warn!(
                workspace.id = %claim.workspace_id, error = %error, "the claim of a number could not be ended"
            ),
        }
    }
}

fn failed(error: StoreError) -> Stop {
    Stop::NoSession(crate::connection::NoSession::Store(error))
}
