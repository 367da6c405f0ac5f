//! A Lead for a caller whom no record knows (docs/contract.md#new-leads): one for each workspace and number, however
//! many calls come at once.
//!
//! A Lead has no unique field either. So whoever makes one claims the number first, and a Lead without an answer is not
//! made again before it can no longer come to be; by then the look for recent records finds it, which reaches back
//! further than that.

use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::{
    activity,
    crm::{CrmError, Duplicates, FaultClass, RecordType, WrittenObject},
    ids::SalesforceId,
    lead::{LeadDraft, NumberClaim},
    lease::Lease,
    ledger::{Row, WriteId},
    matching::{self, OTHER_NUMBER, Rule, TurnedDown},
    phone::PhoneNumber,
    ports::{NumberClaims, Random, StoreError},
    workspace::{Settings, Workspace},
};

use super::{
    Ports,
    attempt::{RECENT, choose},
    claim::LEASE_SECONDS,
    session::{Session, Stop},
};

/// How long a claim is kept after the last moment at which its Lead may come to be. While it is, the Lead is the caller's
/// though no phone field says so; so not much longer than search needs to learn of it, which is minutes (up to ten are
/// reported, docs/salesforce-api.md#the-search-index). Then a Lead whose number a person has changed is not the
/// caller's.
const KEPT: i64 = 60 * 60;
/// How often a worker looks whether another one has made the Lead.
const POLL: Duration = Duration::from_millis(500);
/// What Salesforce says where a duplicate rule refuses a record.
const DUPLICATES_DETECTED: &str = "DUPLICATES_DETECTED";
/// How many of the records that a rule names are read, and how many a refusal shows.
const NAMED: usize = 50;
const SHOWN: usize = 5;
/// How often the end of a claim is written. If all fail, its time ends it.
const STORE_TRIES: u32 = 3;

/// Chooses the record for a caller without one: the Lead that was made for an earlier call, a new one, or a record that a
/// duplicate rule names and that has the caller's number. `looked_at`: when Salesforce was asked for records; `gone`: a
/// record that is not to be used any more.
pub(super) async fn lead_for<P: Ports>(
    session: &mut Session<'_, P>,
    row: &mut Row,
    workspace: &Workspace,
    number: &PhoneNumber,
    looked_at: DateTime<Utc>,
    gone: Option<&SalesforceId>,
) -> Result<(), Stop> {
    let mut claim = loop {
        match standing(session, workspace, number, looked_at, gone).await? {
            Standing::Known(lead_id) => {
                choose(row, Rule::NewLead, (RecordType::Lead, lead_id));
                return Ok(());
            }
            Standing::Free(before) => match claim(session, row, number, before.as_ref()).await? {
                Some(claim) => break claim,
                None => wait(session).await?,
            },
        }
    };
    let made = create(session, row, workspace, number).await;
    claim.lease = None;
    claim.unsettled_until = match &made {
        Err(Stop::Salesforce(error)) if error.class == FaultClass::Ambiguous => {
            Some(session.now() + session.worker.settle_seconds)
        }
        _ => None,
    };
    claim.lead_id = made.as_ref().ok().cloned().flatten();
    finish(session, claim).await;
    match made {
        // The claim knows of the doubt; of the Task there is none.
        Err(Stop::Salesforce(error)) if error.class == FaultClass::Ambiguous => {
            Err(Stop::Salesforce(CrmError { class: FaultClass::Passing, ..error }))
        }
        made => made.map(drop),
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
    session: &mut Session<'_, P>,
    workspace: &Workspace,
    number: &PhoneNumber,
    looked_at: DateTime<Utc>,
    gone: Option<&SalesforceId>,
) -> Result<Standing, Stop> {
    let mut is_somebody_elses = false;
    loop {
        let now = session.now();
        let found = session.worker.ledger.load_claim(&workspace.id, &number.e164()).await.map_err(failed)?;
        let Some(claim) = found else { return Ok(Standing::Free(None)) };
        let made = claim.lead_at(now).filter(|id| gone != Some(id) && !is_somebody_elses);
        if let Some(lead_id) = made {
            if still_has(session, workspace, number, &lead_id).await? {
                return Ok(Standing::Known(lead_id));
            }
            is_somebody_elses = true;
        }
        if claim.lease.as_ref().is_some_and(|lease| lease.until > now) {
            wait(session).await?;
            continue;
        }
        let seen_after = claim.unsettled_until.map(|until| until + index_lag(session));
        if let Some(until) = seen_after.filter(|until| *until > looked_at.timestamp()) {
            return Err(Stop::Unsettled { until: until.max(now + 1) });
        }
        return Ok(Standing::Free(claim.write_id));
    }
}

/// Whether a Lead that was made for a number still has it: a person may have given it another. One without a number to
/// read is taken as it was made; one that is not there, or converted, is what the write says of it.
async fn still_has<P: Ports>(
    session: &mut Session<'_, P>,
    workspace: &Workspace,
    number: &PhoneNumber,
    lead_id: &SalesforceId,
) -> Result<bool, Stop> {
    let found = session.records(std::slice::from_ref(lead_id)).await?.records;
    let decision = matching::decide(number, &found, &workspace.settings);
    let has_others = found.iter().any(|record| !record.phones.is_empty());
    Ok(!has_others || decision.rule != Rule::NoCandidate)
}

/// How much later than it came to be a Lead is seen: where new records can be asked for, at once.
fn index_lag<P: Ports>(session: &Session<'_, P>) -> i64 {
    if session.finds_new_records_late { RECENT.num_seconds() } else { 0 }
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

/// Makes the Lead, without the optional fields that are refused. Where a duplicate rule names records instead, the caller's
/// is among them only if it has the caller's number: rules go by names and e-mail addresses too. Otherwise the Lead is made
/// all the same, unless the rule blocks it. Answers with the new Lead; the choice is in the row.
async fn create<P: Ports>(
    session: &mut Session<'_, P>,
    row: &mut Row,
    workspace: &Workspace,
    number: &PhoneNumber,
) -> Result<Option<SalesforceId>, Stop> {
    let mut lead = LeadDraft::of(&row.call, number);
    let known = workspace.learned.unwritable.at(session.now());
    for field in known.filter_map(|known| known.strip_prefix("Lead.")) {
        lead.without(field);
    }
    let mut duplicates = Duplicates::Refuse;
    loop {
        let error = match session.create_lead(&lead, duplicates).await {
            Ok(id) => {
                row.journal.created(WrittenObject::Lead, &activity::fields(&lead));
                choose(row, Rule::NewLead, (RecordType::Lead, id.clone()));
                return Ok(Some(id));
            }
            Err(Stop::Salesforce(error)) => error,
            Err(stop) => return Err(stop),
        };
        if error.code == DUPLICATES_DETECTED && duplicates == Duplicates::Refuse {
            if chooses_named(session, row, &workspace.settings, number, &error.records).await? {
                return Ok(None);
            }
            duplicates = Duplicates::Allow;
            continue;
        }
        let fields = error.fields.iter().filter(|field| lead.without(field));
        let refused: Vec<_> = fields.map(|field| format!("Lead.{field}")).collect();
        if error.class != FaultClass::FieldRefused || refused.is_empty() {
            return Err(Stop::Salesforce(naming_records(error)));
        }
        session.lessons.unwritable.extend(refused);
    }
}

/// Chooses among the records that a duplicate rule names, by the same comparison as among those that search finds; `false`:
/// none of them has the caller's number. Those stay in the row.
async fn chooses_named<P: Ports>(
    session: &mut Session<'_, P>,
    row: &mut Row,
    settings: &Settings,
    number: &PhoneNumber,
    named: &[SalesforceId],
) -> Result<bool, Stop> {
    let named: Vec<_> = named.iter().filter(|id| RecordType::of(id).is_some()).take(NAMED).cloned().collect();
    if named.is_empty() {
        return Ok(false);
    }
    let found = session.records(&named).await?.records;
    // Whom the rule finds is there already, whichever objects are searched otherwise.
    let mut everywhere = settings.clone();
    everywhere.match_order.extend(RecordType::ALL);
    let chosen = matching::decide(number, &found, &everywhere);
    let decision = row.decision.get_or_insert_default();
    if chosen.rule == Rule::NoCandidate {
        decision.turned_down.extend(found.iter().map(|record| TurnedDown::record(record, OTHER_NUMBER)));
        return Ok(false);
    }
    let rule = if chosen.rule == Rule::SkipMultiple { Rule::SkipMultiple } else { Rule::Duplicate };
    let record = chosen.record();
    decision.candidates = chosen.candidates;
    decision.choose(rule, record.clone());
    row.record = record;
    Ok(true)
}

/// A refusal with the records that it is about in its words, so that an admin finds them.
fn naming_records(mut error: CrmError) -> CrmError {
    if error.code == DUPLICATES_DETECTED && !error.records.is_empty() {
        let named: Vec<_> = error.records.iter().take(SHOWN).map(SalesforceId::as_str).collect();
        error.message = format!("{} (it names {})", error.message, named.join(", "));
    }
    error
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
