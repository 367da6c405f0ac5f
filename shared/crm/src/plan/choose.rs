//! Which record the call belongs to.

use calls::{codes::faults::TOO_MANY_NEW_RECORDS, ids::SalesforceId, timings::RECENT};

use crate::{
    caller::Caller,
    draft::Draft as _,
    lead::{LeadDraft, NumberClaim},
    ledger::{Row, WriteId},
    matching::{self, Candidate, Decision, NUMBER_NOT_READ, OTHER_NUMBER, Rule, TurnedDown},
    outcome::{self, Ending},
    phone::{Exactness, PhoneNumber},
    records::{CrmError, Duplicates, FaultClass, Found, FoundRecord, Record, RecordType},
    workspace::{NoMatch, Settings},
};

use super::{
    choice::Choice,
    observed::{NamedDuplicates, Observed, ReadClaim, Search},
    step::{Known, NewLead, Next, Question},
};

/// Where a call names its record, for the row to show as the matching field.
const NAMED_BY: &str = "metadata.salesforceRecordId";

/// Keeps an earlier attempt's choice, or decides among the records that were found. `Err`: what comes next if
/// it cannot decide (yet).
pub(super) fn choose(known: Known<'_>, choice: &mut Choice) -> Result<(), Next> {
    let Known { row, seen, .. } = known;
    if let Some(gone) = seen.gone.last().filter(|gone| choice.is(&gone.record.id)) {
        let lead =
            Some(&gone.record).filter(|record| record.record_type == RecordType::Lead && !gone.give_up);
        let contact = lead.map(|lead| converted(seen, &lead.id)).transpose()?.flatten();
        if let Some(contact) = contact.filter(|contact| !seen.is_gone(&contact.id)) {
            choice.choose(Rule::Converted, Some(contact));
            return Ok(());
        }
        if row.task_id.is_none() {
            choice.decision.get_or_insert_default().turned_down.push(gone.record.clone());
            if gone.give_up {
                return Err(Next::End(Ending::Refused(gone.error.clone())));
            }
        }
    }
    if row.task_id.is_some() {
        // A logged call keeps its record.
        return Ok(());
    }
    match known.caller {
        Caller::Number(number) | Caller::Given(number) => *choice = by_number(known, number)?,
        Caller::Record(record) => by_id(known, record, choice)?,
    }
    Ok(())
}

/// The Contact that a Lead was converted to.
fn converted(seen: &Observed, lead_id: &SalesforceId) -> Result<Option<Record>, Next> {
    match seen.conversions.get(lead_id) {
        None => Err(Next::Observe(Question::Conversion(lead_id.clone()))),
        Some(contact) => Ok(contact.clone().map(|id| Record { record_type: RecordType::Contact, id })),
    }
}

/// Chooses the record that the call's metadata names, if the org has it. For a converted Lead, chooses its
/// Contact.
fn by_id(known: Known<'_>, named: &Record, choice: &mut Choice) -> Result<(), Next> {
    let seen = known.seen;
    let found = match &seen.search {
        _ if seen.is_gone(&named.id) => None,
        Some(Search::Named(found)) => found.as_ref(),
        _ => return Err(Next::Observe(Question::Named(named.id.clone()))),
    };
    if let Some(record) = found {
        let candidate = Candidate {
            id: record.id.clone(),
            record_type: named.record_type,
            name: record.name.clone(),
            field: NAMED_BY.to_owned(),
            exactness: Exactness::Exact,
        };
        *choice = Choice::decided(Decision {
            rule: Rule::OnlyCandidate,
            chosen: Some(named.clone()),
            candidates: vec![candidate],
            turned_down: Vec::new(),
        });
        return Ok(());
    }
    let contact = match named.record_type {
        RecordType::Lead => converted(seen, &named.id)?,
        RecordType::Contact => None,
    };
    let Some(contact) = contact else { return Err(Next::End(Ending::NotFound(outcome::record_not_found()))) };
    choice.choose(Rule::Converted, Some(contact));
    Ok(())
}

/// Decides among the records that search found or, if none is the caller's, among those it has not indexed yet.
fn by_number(known: Known<'_>, number: &PhoneNumber) -> Result<Choice, Next> {
    let (seen, settings) = (known.seen, known.settings());
    let Some(Search::ByNumber { found, left_out, recent, .. }) = &seen.search else {
        return Err(Next::Observe(Question::Search { everything: false }));
    };
    let decide = |records: &[FoundRecord]| {
        let there: Vec<_> = records.iter().filter(|record| !seen.is_gone(&record.id)).cloned().collect();
        let mut decision = matching::decide(number, &there, settings);
        decision.turned_down = seen.gone.iter().map(|gone| gone.record.clone()).collect();
        decision
    };
    let decision = decide(&found.records);
    let nobody = decision.rule == Rule::NoCandidate && found.full.is_none();
    // The match may be in a field that was left out because the org refused it before; it may be readable by now.
    if nobody && *left_out && matching::unread(number, &found.records, settings).next().is_some() {
        return Err(Next::Observe(Question::Search { everything: true }));
    }
    if let Some(object) = found.full {
        return Err(Next::End(Ending::TooMany(object)));
    }
    if decision.rule != Rule::NoCandidate {
        return Ok(Choice::decided(decision));
    }
    let recent = match recent {
        None => return Err(Next::Observe(Question::Recent)),
        Some(Ok(recent)) => recent,
        Some(Err(error)) if leaves_recent_out(error, known.row) => &Found::default(),
        Some(Err(error)) => return Err(Next::End(Ending::Refused(error.clone()))),
    };
    let decision = decide(&recent.records);
    if decision.rule != Rule::NoCandidate {
        return Ok(Choice::decided(decision));
    }
    if recent.full.is_some() {
        return Err(Next::End(Ending::Refused(too_many_recent())));
    }
    Ok(Choice::decided(decide_among_all(known, number, decision, found, recent)))
}

/// Whether the search alone decides, because the query for new records fails for good: Salesforce refuses it or cannot
/// finish it. A request that exceeds its timeout is repeated once, with the call's retry.
fn leaves_recent_out(error: &CrmError, row: &Row) -> bool {
    error.class.refuses() || error.query_timed_out() || (error.timed_out() && row.failing.is_some())
}

/// Decides among everything that Salesforce shows, if no other record has the number. A record that
/// Salesforce refused as gone but still shows is tried once more, and if it is refused again, that is the
/// outcome: it may only be hidden, and a new Lead would be a duplicate. A deleted record does not prevent a
/// new Lead.
fn decide_among_all(
    known: Known<'_>,
    number: &PhoneNumber,
    decision: Decision,
    found: &Found,
    recent: &Found,
) -> Decision {
    let (seen, settings) = (known.seen, known.settings());
    let allows_lead = |record: &&FoundRecord| {
        let deleted = seen.gone.iter().any(|gone| gone.is_deleted() && gone.record.id == record.id);
        deleted && settings.no_match == NoMatch::CreateLead
    };
    // The query for new records only compares digits in order: a record counts only if the number resembles it.
    let looks_alike =
        |record: &&FoundRecord| record.phones.iter().any(|(_, stored)| number.resembles(stored));
    let unread = matching::unread(number, &found.records, settings)
        .chain(matching::unread(number, &recent.records, settings).filter(looks_alike));
    let mut unread: Vec<_> = unread.map(|record| TurnedDown::record(record, NUMBER_NOT_READ)).collect();
    unread.dedup_by(|one, other| one.id == other.id);
    let shown = found.records.iter().chain(&recent.records).filter(|record| !allows_lead(record));
    let shown: Vec<_> = shown.cloned().collect();
    let turned_down = [decision.turned_down, unread].concat();
    Decision { turned_down, ..matching::decide(number, &shown, settings) }
}

/// Too many new records to look at all of them: a fault that passes once search has indexed them.
fn too_many_recent() -> CrmError {
    CrmError {
        class: FaultClass::Passing,
        code: TOO_MANY_NEW_RECORDS.code.to_owned(),
        message: "more records with such a number were created in the last minutes than can be looked at"
            .to_owned(),
        fields: Vec::new(),
        status: None,
        object: None,
        records: Vec::new(),
    }
}

/// How a call without a chosen record ends.
pub(super) fn no_record(known: Known<'_>, choice: &Choice) -> Ending {
    let possible = choice.possible_matches();
    match choice.decision.as_ref().map(|decision| decision.rule) {
        Some(Rule::SkipMultiple) => Ending::Skipped(outcome::multiple_matches()),
        _ if possible > 0 && known.settings().no_match == NoMatch::CreateLead => {
            Ending::Skipped(outcome::possible_match(possible))
        }
        _ => Ending::NotFound(outcome::not_found(possible, known.seen.finds_new_records_late())),
    }
}

/// Whether the workspace wants a new Lead, and no record is or may be the caller's.
fn wants_lead(choice: &Choice, settings: &Settings) -> bool {
    let no_candidate = choice.decision.as_ref().is_some_and(|decision| decision.rule == Rule::NoCandidate);
    let nobody = no_candidate && choice.record.is_none() && choice.possible_matches() == 0;
    nobody && settings.no_match == NoMatch::CreateLead
}

/// The Lead to create for a caller without a record, if the workspace wants one. If one was created for an
/// earlier call, or a duplicate rule names a record with the number, that record is chosen instead.
pub(super) fn new_lead(known: Known<'_>, choice: &mut Choice) -> Result<Option<NewLead>, Next> {
    let (seen, settings) = (known.seen, known.settings());
    let number = known.caller.number().filter(|_| wants_lead(choice, settings));
    let Some(number) = number else { return Ok(None) };
    let duplicates = match &seen.duplicates {
        None => Duplicates::Refuse,
        Some(NamedDuplicates::Named(ids)) => return Err(Next::Observe(Question::Duplicates(ids.clone()))),
        Some(NamedDuplicates::Read(named)) => {
            if choose_named(choice, number, named, settings) {
                return Ok(None);
            }
            Duplicates::Allow
        }
    };
    let claim = match number_claim(known, number)? {
        Lead::Known(id) => {
            choice.choose(Rule::NewLead, Some(Record { record_type: RecordType::Lead, id }));
            return Ok(None);
        }
        Lead::Free(claim) => claim,
    };
    let mut draft = LeadDraft::of(&known.row.call, number);
    let learned = known.workspace.learned.unwritable.at(known.now);
    for field in learned.chain(seen.refused_fields.iter().map(String::as_str)) {
        if let Some(field) = field.strip_prefix("Lead.") {
            draft.without(field);
        }
    }
    Ok(Some(NewLead { draft, duplicates, claim }))
}

/// Whether a number has a Lead.
enum Lead {
    /// It has this one.
    Known(SalesforceId),
    /// It has none; with the last write of its claim, if there is one.
    Free(Option<WriteId>),
}

/// The Lead that was created for the number, or the right to create one. `Err` while another worker is creating it, or
/// while an earlier request without a response may still commit a Lead that the search could not see.
fn number_claim(known: Known<'_>, number: &PhoneNumber) -> Result<Lead, Next> {
    let Known { seen, now, .. } = known;
    if let Some(id) = seen.made_lead.as_ref().filter(|id| !seen.is_gone(id)) {
        return Ok(Lead::Known(id.clone()));
    }
    let claim = match &seen.claim {
        None => return Err(Next::Observe(Question::Claim { again: false })),
        Some(ReadClaim(None)) => return Ok(Lead::Free(None)),
        Some(ReadClaim(Some(claim))) => claim,
    };
    let is_gone = |id: &SalesforceId| seen.gone.last().is_some_and(|gone| gone.record.id == *id);
    if let Some(id) = claim.lead_at(now).filter(|id| !is_gone(id)) {
        let Some((_, lead)) = seen.claimed_lead.as_ref().filter(|(read, _)| *read == id) else {
            return Err(Next::Observe(Question::ClaimedLead(id)));
        };
        if still_has_number(lead.as_ref(), number, known.settings()) {
            return Ok(Lead::Known(id));
        }
    }
    if claim.lease.as_ref().is_some_and(|lease| lease.until > now) {
        return Err(Next::Observe(Question::Claim { again: true }));
    }
    match unsettled_until(claim, seen).filter(|until| *until > searched_at(seen, now)) {
        Some(until) => Err(Next::End(Ending::Unsettled { until: until.max(now + 1) })),
        None => Ok(Lead::Free(claim.write_id.clone())),
    }
}

/// Whether a Lead that was created for a number still has it: a person may have changed it. A Lead without a readable
/// number counts as unchanged. So does one that is deleted or converted: the write will find that out.
fn still_has_number(lead: Option<&FoundRecord>, number: &PhoneNumber, settings: &Settings) -> bool {
    let Some(lead) = lead.filter(|lead| !lead.phones.is_empty()) else { return true };
    matching::decide(number, std::slice::from_ref(lead), settings).rule != Rule::NoCandidate
}

/// From when on a search sees the Lead of an earlier request without a response, if there was one, Unix seconds.
/// If new records cannot be queried, search has to index it first.
fn unsettled_until(claim: &NumberClaim, seen: &Observed) -> Option<i64> {
    let index_lag = if seen.finds_new_records_late() { RECENT.num_seconds() } else { 0 };
    claim.unsettled_until.map(|until| until + index_lag)
}

/// When Salesforce was searched for the caller's records, Unix seconds.
fn searched_at(seen: &Observed, now: i64) -> i64 {
    match &seen.search {
        Some(Search::ByNumber { asked_at, .. }) => *asked_at,
        _ => now,
    }
}

/// Chooses among the records that a duplicate rule names, by the same comparison as for search results,
/// because rules also match names and e-mail addresses. `false`: none of them has the caller's number.
fn choose_named(
    choice: &mut Choice,
    number: &PhoneNumber,
    named: &[FoundRecord],
    settings: &Settings,
) -> bool {
    // A record that the rule names exists, whichever objects the workspace searches.
    let mut everywhere = settings.clone();
    everywhere.match_order.extend(RecordType::ALL);
    let Decision { rule, chosen, candidates, .. } = matching::decide(number, named, &everywhere);
    let decision = choice.decision.get_or_insert_default();
    if rule == Rule::NoCandidate {
        decision.turned_down.extend(named.iter().map(|record| TurnedDown::record(record, OTHER_NUMBER)));
        return false;
    }
    decision.candidates = candidates;
    choice.choose(if rule == Rule::SkipMultiple { rule } else { Rule::Duplicate }, chosen);
    true
}
