//! One attempt to log a call: search, decide, look for what earlier attempts wrote, write (`super::write`).

use chrono::{DateTime, TimeDelta, Utc};

use crate::{
    appointment::Resolution,
    call::Call,
    caller::Caller,
    connection::{NoSession, connected},
    crm::{CrmError, FaultClass, Found, FoundRecord, Omitted, PhoneQuery, RecordType, WrittenObject},
    ids::SalesforceId,
    ledger::{Row, SyncStatus},
    matching::{self, Candidate, Chosen, Decision, NUMBER_NOT_READ, Rule, TurnedDown},
    phone::{Exactness, PhoneNumber},
    ports::{Clock, OrgMemory, Random, StoreError},
    workspace::{Connection, Lessons, NoMatch, Settings, Workspace},
};

use super::{
    Ports, Turn, Worker,
    claim::Claimed,
    new_lead::lead_for,
    outcome::{self, Ending},
    schedule,
    session::{Session, Stop},
    write::{Record, write, write_without_event},
};

/// How many records may turn out to be gone, one after another, before that is an error.
const RECORDS_GONE: usize = 3;
/// What Salesforce says of a query that takes it too long.
const QUERY_TIMEOUT: &str = "QUERY_TIMEOUT";
/// What Salesforce calls a record that is in the recycle bin or behind it, and neither hidden nor converted.
const DELETED: &str = "ENTITY_IS_DELETED";
/// How far back records are looked at that search may not know yet. Longer than a Lead of ours may take to come to be, and
/// than search needs to learn of it.
pub(super) const RECENT: TimeDelta = TimeDelta::minutes(15);
/// Where a call names its record, as the row shows it.
const NAMED_BY: &str = "metadata.salesforceRecordId";
/// How many records are looked at for what earlier attempts wrote.
const PLACES: usize = 50;
/// How much earlier than our clock Salesforce's may have stamped a record.
const CLOCK_SKEW: TimeDelta = TimeDelta::minutes(5);

/// Attempts to log the claimed call. The returned row carries the outcome; it is not yet recorded.
pub(super) async fn attempt<P: Ports>(
    worker: &Worker<P>,
    workspace: &Workspace,
    claimed: &Claimed,
    turn: Turn,
) -> Result<Row, StoreError> {
    let mut row = claimed.row.clone();
    row.unsettled_until = claimed.unsettled_until;
    let ended = log_call(worker, workspace, &mut row, turn).await;
    if let Err(Stop::NoSession(NoSession::Store(error))) = ended {
        return Err(error);
    }
    let chance = outcome::Chance { now: worker.clock.now().timestamp(), fraction: worker.random.fraction() };
    outcome::apply(&mut row, ended, workspace, worker.settle_seconds, chance);
    Ok(row)
}

async fn log_call<P: Ports>(
    worker: &Worker<P>,
    workspace: &Workspace,
    row: &mut Row,
    turn: Turn,
) -> Result<Ending, Stop> {
    let (caller, connection) = match ready(row, workspace, worker.now())? {
        Ok(ready) => ready,
        Err(ending) => return Ok(ending),
    };
    let org_id = connection.org_id.clone();
    let omitted = omitted(row, workspace, worker.now());
    let mut session = Session::new(worker, &workspace.id, connection, omitted, turn.deadline);
    session.is_another_try = row.failing.is_some();
    let ended = find_and_write(&mut session, workspace, row, &caller, turn.look_first).await;
    row.api_usage = session.api_usage.or(row.api_usage);
    let lessons = std::mem::take(&mut session.lessons);
    tell_the_others(worker, workspace, &org_id, &lessons, ended).await
}

/// What reads leave out unasked; nothing where a person asks for the call again, who may have mended it.
pub(super) fn omitted(row: &Row, workspace: &Workspace, now: i64) -> Omitted {
    let asked_again = row.status == SyncStatus::Queued && row.attempts > 1;
    if asked_again { Omitted::default() } else { workspace.learned.omitted(now) }
}

/// Who is to be looked for, and with which connection; or what comes of the call before Salesforce is asked.
pub(super) fn ready(
    row: &mut Row,
    workspace: &Workspace,
    now: i64,
) -> Result<Result<(Caller, Connection), Ending>, Stop> {
    let caller = match Caller::of(&row.call, &workspace.settings) {
        Ok(caller) => caller,
        Err(reason) => return Ok(Err(Ending::Skipped(reason))),
    };
    row.phone_number = caller.number().map(PhoneNumber::e164);
    let connection = match connected(workspace) {
        Ok(connection) => connection.clone(),
        Err(reason) => return Ok(Err(Ending::Waiting(reason))),
    };
    if row.tried_with.as_ref().is_some_and(|tried| tried.org_id != connection.org_id) {
        return Ok(Err(Ending::OtherOrg));
    }
    match workspace.paused_until.filter(|until| *until > now) {
        Some(until) => Err(Stop::Paused { until }),
        None => Ok(Ok((caller, connection))),
    }
}

/// Lets the other workers know what this attempt learned of the org: what it refuses, and a limit, which pauses the
/// workspace. Where the table fails they learn it by themselves.
async fn tell_the_others<P: Ports>(
    worker: &Worker<P>,
    workspace: &Workspace,
    org_id: &SalesforceId,
    lessons: &Lessons,
    ended: Result<Ending, Stop>,
) -> Result<Ending, Stop> {
    let now = worker.now();
    if !lessons.is_empty() {
        tracing::warn!(
            workspace.id = %workspace.id, lessons = ?lessons,
            "the org refuses fields or a status; it is remembered for a day"
        );
        let learned = workspace.learned.with(lessons, now);
        untold(workspace, worker.workspaces.remember(&workspace.id, org_id, &learned, lessons).await);
    }
    let until = match &ended {
        Err(Stop::Salesforce(error)) if error.class == FaultClass::ConcurrentLimit => {
            schedule::concurrent_limit(now, worker.random.fraction())
        }
        Err(Stop::Salesforce(error)) if error.class == FaultClass::DailyLimit => schedule::daily_limit(now),
        _ => return ended,
    };
    tracing::warn!(workspace.id = %workspace.id, until, "the org's request limit is reached; its calls pause");
    untold(workspace, worker.workspaces.pause(&workspace.id, org_id, until).await);
    Err(Stop::Paused { until })
}

fn untold(workspace: &Workspace, told: Result<(), StoreError>) {
    if let Err(error) = told {
        tracing::warn!(workspace.id = %workspace.id, error = %error, "the other workers do not know of a limit or a field");
    }
}

async fn find_and_write<P: Ports>(
    session: &mut Session<'_, P>,
    workspace: &Workspace,
    row: &mut Row,
    caller: &Caller,
    look_first: bool,
) -> Result<Ending, Stop> {
    let settings = &workspace.settings;
    let mut to_look = look_first || row.unsettled_until.is_some();
    let mut to_search = row.task_id.is_none();
    let earlier = row.record.clone();
    // Records that Salesforce refused because they are gone, each of them once.
    let mut gone: Vec<Gone> = Vec::new();
    loop {
        let looked_at = session.worker.clock.now();
        if std::mem::take(&mut to_search)
            && let Some(ending) = search(session, row, caller, settings, &gone).await?
        {
            return Ok(ending);
        }
        if std::mem::take(&mut to_look) {
            look(session, row, settings, earlier.as_ref(), look_first).await?;
        }
        if let Some(number) = caller.number().filter(|_| wants_lead(row, settings)) {
            let gone = gone.last().map(|gone| &gone.record.id);
            lead_for(session, row, workspace, number, looked_at, gone).await?;
        }
        if row.record.is_none() {
            return Ok(no_record(row, settings, session.finds_new_records_late));
        }
        let error = match write(session, row, workspace, &gone).await {
            Err(Stop::Salesforce(error)) if error.class == FaultClass::RecordGone => error,
            ended => return ended,
        };
        let Some(record) = row.record.clone() else { return Err(Stop::Salesforce(error)) };
        tracing::info!(error.code = %error.code, "the record is gone; looking for where the caller is now");
        // A Lead of this attempt that is gone at once is no reason to make another.
        let given_up =
            session.made_lead || gone.iter().any(|gone| gone.is(&record.1)) || gone.len() == RECORDS_GONE;
        let contact = if given_up { None } else { contact_of(session, &record).await? };
        gone.push(Gone::of(row.decision.as_ref(), &record, &error));
        match contact {
            Some(contact) => choose(row, Rule::Converted, contact),
            None if row.task_id.is_some() => {
                return write_without_event(session, row, workspace, &error).await;
            }
            None => {
                let decision = row.decision.get_or_insert_default();
                decision.turned_down.extend(gone.last().map(|gone| gone.record.clone()));
                if given_up {
                    return Err(Stop::Salesforce(error));
                }
                to_search = true;
            }
        }
    }
}

/// A record that Salesforce refused because it is gone.
pub(super) struct Gone {
    record: TurnedDown,
    /// Salesforce says that it was deleted; it is not only out of reach.
    deleted: bool,
}

impl Gone {
    /// Whether it is this one.
    pub(super) fn is(&self, id: &SalesforceId) -> bool {
        self.record.id == *id
    }

    fn of(decision: Option<&Decision>, (record_type, id): &Record, error: &CrmError) -> Self {
        let candidates = decision.map(|decision| &decision.candidates).into_iter().flatten();
        let name =
            candidates.filter(|candidate| candidate.id == *id).find_map(|candidate| candidate.name.clone());
        let record = TurnedDown { id: id.clone(), record_type: *record_type, name, why: error.code.clone() };
        Self { record, deleted: error.code == DELETED }
    }
}

/// Whether nobody is the caller, nor may be, and the workspace wants a Lead then.
pub(super) fn wants_lead(row: &Row, settings: &Settings) -> bool {
    let nobody = row
        .decision
        .as_ref()
        .is_some_and(|decision| decision.rule == Rule::NoCandidate && possible_matches(decision) == 0);
    row.record.is_none() && nobody && settings.no_match == NoMatch::CreateLead
}

/// How many records may be the caller's, as far as Ringlog can read them.
fn possible_matches(decision: &Decision) -> usize {
    decision.turned_down.iter().filter(|record| record.why == NUMBER_NOT_READ).count()
}

/// Takes another record than the search decided for, and says why.
pub(super) fn choose(row: &mut Row, rule: Rule, record: Record) {
    row.record = Some(record.clone());
    row.decision.get_or_insert_with(Decision::default).choose(rule, Some(record));
}

/// The Contact that a Lead has become, if it was converted.
async fn contact_of<P: Ports>(
    session: &mut Session<'_, P>,
    (record_type, id): &Record,
) -> Result<Option<Record>, Stop> {
    if *record_type != RecordType::Lead {
        return Ok(None);
    }
    Ok(session.converted_to(id).await?.map(|contact_id| (RecordType::Contact, contact_id)))
}

/// Searches, and tells the row whose call it is, of the records `gone` only where there is no other. An ending: that
/// cannot be told.
pub(super) async fn search<P: Ports>(
    session: &mut Session<'_, P>,
    row: &mut Row,
    caller: &Caller,
    settings: &Settings,
    gone: &[Gone],
) -> Result<Option<Ending>, Stop> {
    let number = match caller {
        Caller::Number(number) | Caller::Given(number) => number,
        Caller::Record(record_type, id) => return take_named(session, row, (*record_type, id), gone).await,
    };
    match find(session, number, settings, gone).await? {
        Search::Full(object) => Ok(Some(Ending::TooMany(object))),
        Search::Decided(decision) => {
            row.record = decision.record();
            row.decision = Some(decision);
            Ok(None)
        }
    }
}

/// Takes the record that whoever started the call named, if the org has exactly that one; a converted Lead's Contact for
/// the Lead. An ending: it is not there.
async fn take_named<P: Ports>(
    session: &mut Session<'_, P>,
    row: &mut Row,
    (record_type, id): (RecordType, &SalesforceId),
    gone: &[Gone],
) -> Result<Option<Ending>, Stop> {
    let is_gone = gone.iter().any(|gone| gone.is(id));
    let found = if is_gone { Found::default() } else { session.records(std::slice::from_ref(id)).await? };
    let Some(record) = found.records.into_iter().find(|record| record.id == *id) else {
        let Some(contact) = contact_of(session, &(record_type, id.clone())).await? else {
            return Ok(Some(Ending::NotFound(outcome::record_not_found())));
        };
        choose(row, Rule::Converted, contact);
        return Ok(None);
    };
    let candidate = Candidate {
        id: record.id.clone(),
        record_type,
        name: record.name,
        field: NAMED_BY.to_owned(),
        exactness: Exactness::Exact,
    };
    let decision = Decision {
        rule: Rule::OnlyCandidate,
        chosen: Some(Chosen { record_type, id: record.id }),
        candidates: vec![candidate],
        turned_down: Vec::new(),
    };
    row.record = decision.record();
    row.decision = Some(decision);
    Ok(None)
}

/// What a search came to.
enum Search {
    /// All candidates are known, and this was decided.
    Decided(Decision),
    /// Salesforce has more records with such a number than it shows.
    Full(RecordType),
}

/// Searches and decides: one request, and one more where search knows nobody. It learns of new records late.
async fn find<P: Ports>(
    session: &mut Session<'_, P>,
    number: &PhoneNumber,
    settings: &Settings,
    gone: &[Gone],
) -> Result<Search, Stop> {
    let is_gone = |record: &FoundRecord| gone.iter().any(|gone| gone.is(&record.id));
    let decide = |records: &[FoundRecord]| {
        let there: Vec<_> = records.iter().filter(|record| !is_gone(record)).cloned().collect();
        let mut decision = matching::decide(number, &there, settings);
        decision.turned_down = gone.iter().map(|gone| gone.record.clone()).collect();
        decision
    };
    let (query, objects) = (number.query(), settings.searched());
    let mut found = session.search(&objects, &query).await?;
    let mut decision = decide(&found.records);
    let nobody = decision.rule == Rule::NoCandidate && found.full.is_none();
    // What search found them by may be a field that is left out unasked, and may be read by now.
    let is_unread = matching::unread(number, &found.records, settings).next().is_some();
    if nobody && is_unread && session.forget_omitted() {
        found = session.search(&objects, &query).await?;
        decision = decide(&found.records);
    }
    if let Some(object) = found.full {
        return Ok(Search::Full(object));
    }
    if decision.rule != Rule::NoCandidate {
        return Ok(Search::Decided(decision));
    }
    let recent = recent(session, &objects, &query).await?;
    let decision = decide(&recent.records);
    if decision.rule != Rule::NoCandidate {
        return Ok(Search::Decided(decision));
    }
    if recent.full.is_some() {
        return Err(Stop::Salesforce(too_many_recent()));
    }
    // What Salesforce refused and shows all the same is tried once more, and then its refusal is the outcome: a record
    // that is only hidden would get a second Lead. One that was deleted makes room for a Lead.
    let makes_room = |record: &FoundRecord| {
        let deleted = gone.iter().any(|gone| gone.deleted && gone.is(&record.id));
        deleted && settings.no_match == NoMatch::CreateLead
    };
    // The query for new records goes by digits in their order: only what looks like the number may be it.
    let looks_alike =
        |record: &&FoundRecord| record.phones.iter().any(|(_, stored)| number.resembles(stored));
    let unread = matching::unread(number, &found.records, settings)
        .chain(matching::unread(number, &recent.records, settings).filter(looks_alike));
    let mut unread: Vec<_> = unread.map(|record| TurnedDown::record(record, NUMBER_NOT_READ)).collect();
    unread.dedup_by(|one, other| one.id == other.id);
    let shown = [found.records, recent.records].concat();
    let shown: Vec<_> = shown.into_iter().filter(|record| !makes_room(record)).collect();
    let turned_down = [decision.turned_down, unread].concat();
    Ok(Search::Decided(Decision { turned_down, ..matching::decide(number, &shown, settings) }))
}

/// The records that search may not know yet. They only complete what it says: where Salesforce cannot be asked for them,
/// search alone decides.
async fn recent<P: Ports>(
    session: &mut Session<'_, P>,
    objects: &[RecordType],
    query: &PhoneQuery,
) -> Result<Found, Stop> {
    let found = match session.recent(objects, query, session.worker.clock.now() - RECENT).await {
        // A query that takes longer than a request may is tried again with the call, and then left out.
        Err(Stop::Salesforce(error))
            if cannot_be_asked(&error) || session.is_another_try && error.timed_out() =>
        {
            tracing::warn!(error.code = %error.code, "the org's new records could not be asked for");
            session.finds_new_records_late = true;
            if error.code != QUERY_TIMEOUT && !error.timed_out() {
                let objects = objects.iter().map(|object| format!("{object:?}"));
                session.lessons.omitted.unfilterable.extend(objects);
            }
            return Ok(Found::default());
        }
        found => found?,
    };
    session.finds_new_records_late = !found.omitted.unfilterable.is_empty();
    Ok(found)
}

/// Whether a query will not be answered however often it is asked: it is refused, or more than Salesforce gets done.
fn cannot_be_asked(error: &CrmError) -> bool {
    matches!(error.class, FaultClass::Permanent | FaultClass::FieldRefused) || error.code == QUERY_TIMEOUT
}

/// So many records are new that not all of them were looked at: a fault that passes when search knows them.
fn too_many_recent() -> CrmError {
    CrmError {
        class: FaultClass::Passing,
        code: "too_many_new_records".to_owned(),
        message: "more records with such a number were created in the last minutes than can be looked at"
            .to_owned(),
        fields: Vec::new(),
        status: None,
        object: None,
        records: Vec::new(),
    }
}

/// What comes of a call for which no record was chosen.
pub(super) fn no_record(row: &Row, settings: &Settings, finds_new_records_late: bool) -> Ending {
    let decision = row.decision.as_ref();
    let possible = decision.map_or(0, possible_matches);
    match decision.map(|decision| decision.rule) {
        Some(Rule::SkipMultiple) => Ending::Skipped(outcome::multiple_matches()),
        _ if possible > 0 && settings.no_match == NoMatch::CreateLead => {
            Ending::Skipped(outcome::possible_match(possible))
        }
        _ => Ending::NotFound(outcome::not_found(possible, finds_new_records_late)),
    }
}

/// Looks for what earlier attempts wrote: on the record that they chose (`earlier`), and on every one that they may have
/// chosen. Stops while something of one without an answer may still commit.
pub(super) async fn look<P: Ports>(
    session: &mut Session<'_, P>,
    row: &mut Row,
    settings: &Settings,
    earlier: Option<&Record>,
    row_may_be_lost: bool,
) -> Result<(), Stop> {
    let asked_at = session.now();
    let called = called_at(&row.call);
    let received = DateTime::from_timestamp(row.created_at, 0).unwrap_or_default();
    let since = called.map_or(received, |called| called.min(received)) - CLOCK_SKEW;
    let call_id = row.call_id.clone();
    let places = places(row, earlier);
    let mut seen = session.look(&call_id, &places, since, row_may_be_lost && called.is_none()).await?;
    if let Some((task_id, Some(who_id))) = seen.task.as_ref().filter(|(_, who_id)| who_id.is_some()) {
        tracing::debug!(call.id = %call_id, task.id = %task_id, "an earlier attempt has written the Task");
        let chosen = RecordType::of(who_id).map(|record_type| (record_type, who_id.clone()));
        if chosen != row.record {
            // The earlier attempt chose another record, or a person moved the Task: that stands.
            row.record.clone_from(&chosen);
            row.decision.get_or_insert_with(Decision::default).choose(Rule::Earlier, chosen);
        }
        if !places.contains(who_id) {
            let there = session.look(&call_id, std::slice::from_ref(who_id), since, false).await?;
            seen.event_id = seen.event_id.or(there.event_id);
        }
    }
    if seen.task.is_some() && row.task_id.is_none() {
        row.journal.found(WrittenObject::Task);
    }
    if seen.event_id.is_some() && row.event_id.is_none() {
        row.journal.found(WrittenObject::Event);
    }
    row.task_id = seen.task.map(|(task_id, _)| task_id).or(row.task_id.take());
    row.event_id = seen.event_id.or(row.event_id.take());
    let unsettled = row.unsettled_until.filter(|until| asked_at < *until);
    if let Some(until) = unsettled.filter(|_| !everything_is_there(row, settings)) {
        return Err(Stop::Unsettled { until });
    }
    row.unsettled_until = None;
    Ok(())
}

/// When the call was, as far as its reports say. No attempt can have been before it.
fn called_at(call: &Call) -> Option<DateTime<Utc>> {
    [&call.started_at, &call.ended_at].into_iter().flatten().map(|fact| fact.value).min()
}

/// The records that a call may have been logged on, the likeliest first.
fn places(row: &Row, earlier: Option<&Record>) -> Vec<SalesforceId> {
    let chosen = earlier.into_iter().chain(&row.record).map(|(_, id)| id);
    let candidates =
        row.decision.iter().flat_map(|decision| &decision.candidates).map(|candidate| &candidate.id);
    let mut places: Vec<SalesforceId> = Vec::new();
    for id in chosen.chain(candidates) {
        if !places.contains(id) {
            places.push(id.clone());
        }
    }
    places.truncate(PLACES);
    places
}

/// Whether nothing that an earlier attempt may have sent is missing.
fn everything_is_there(row: &Row, settings: &Settings) -> bool {
    let booked = matches!(row.call.resolve_appointment(settings, row.created_at), Resolution::Booked { .. });
    row.task_id.is_some() && (row.event_id.is_some() || !booked)
}
