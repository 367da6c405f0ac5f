//! What must hold in every world, after every step and at its end.

use std::collections::BTreeMap;

use calls::{
    call::Call,
    ids::{CallId, SalesforceId},
    status::SyncStatus,
};
use crm::{Fields, breaker::Breaker, ledger::Row};

use crate::{
    plan::DuplicateRule,
    run::TIMEOUT as PROCESS_TIMEOUT,
    salesforce::Activity,
    samples::{call_of, number, workspace_id, workspace_of},
    world::State,
};

/// The number of invariants, including the one that the token endpoint checks on each refresh.
pub const COUNT: usize = 19;

/// Checks what must hold after every step.
pub fn always(state: &mut State) {
    let broken: Vec<String> = [
        duplicates("Task", &state.salesforce.tasks),
        duplicates("Event", &state.salesforce.events),
        wrong_record(state),
        two_leads(state),
        rows_without_due_time(state),
        newer_row_was_changed(state),
    ]
    .into_iter()
    .flatten()
    .collect();
    for promise in broken {
        state.violate(promise);
    }
}

/// Checks what must hold at the end, when nothing happens any more and every workspace is connected.
pub fn at_rest(state: &mut State) {
    let mut broken = Vec::new();
    if let Some(dead) = state.dead_letters.first() {
        // Only a message that crashes its worker repeatedly gets here, and simulated workers do not crash that often.
        broken.push(format!("message {} is in the dead-letter queue", dead.id));
    }
    for (workspace_id, call) in &state.accepted {
        match state.rows.get(&(workspace_id.clone(), call.id.clone())) {
            None => broken.push(format!("the accepted call {} is lost", call.id)),
            Some(row) => {
                broken.extend(unfinished(state, row));
                broken.extend(lost_report(row, call));
                broken.extend(facts_are_missing(state, row));
            }
        }
    }
    broken.extend(state.salesforce.tasks.iter().filter_map(|task| in_another_org(state, task)));
    broken.extend(left_alive(state));
    for promise in broken {
        state.violate(promise);
    }
}

fn duplicates(what: &str, activities: &[Activity]) -> Option<String> {
    let mut counts: BTreeMap<&CallId, u32> = BTreeMap::new();
    for activity in activities {
        *counts.entry(&activity.call_id).or_default() += 1;
    }
    counts.into_iter().find(|(_, count)| *count > 1).map(|(id, n)| format!("{n} {what}s for {id}"))
}

/// No activity is on a record without the caller's number, unless a person moved it or its call's Task there.
fn wrong_record(state: &State) -> Option<String> {
    let org = &state.salesforce;
    let moved_to = |activity: &Activity| {
        let mut tasks = org.tasks.iter().filter(|task| task.call_id == activity.call_id && task.is_moved);
        tasks.any(|task| task.who_id == activity.who_id)
    };
    let has_number = |activity: &Activity| {
        let (workspace, call) = call_of(&activity.call_id);
        let call = if state.wants_leads.contains(&workspace) { 0 } else { call };
        let records = org.records.get(&activity.org_id).into_iter().flatten();
        let mut of_record = records.filter(|(record, _)| record.id == activity.who_id);
        of_record.any(|(record, _)| record.phones.iter().any(|(_, phone)| *phone == number(workspace, call)))
    };
    let mut activities = org.tasks.iter().chain(&org.events);
    let wrong =
        activities.find(|activity| !activity.is_moved && !moved_to(activity) && !has_number(activity))?;
    Some(format!("{} is on a record without the caller's number", wrong.id))
}

/// A field that a person changed is never overwritten, and what a person wrote into a Description stays in it. Called
/// whenever Ringlog changes fields.
pub fn kept_by_person(state: &mut State, activity: &Activity, changed: &Fields) {
    for (field, value) in changed {
        let Some(current) = activity.fields.get(field).filter(|_| activity.edited.contains_key(field)) else {
            continue;
        };
        let is_kept = match (field.as_str(), current.as_str(), value.as_str()) {
            ("Description", Some(current), Some(value)) => value.contains(current),
            _ => current == value,
        };
        if !is_kept {
            state.violate(format!("{field} of {} was changed by a person, and is overwritten", activity.id));
        }
    }
}

/// The Task contains what the last report said, unless a person edited it too.
fn facts_are_missing(state: &State, row: &Row) -> Option<String> {
    let mut tasks = state.salesforce.tasks.iter();
    let task = tasks.find(|task| task.call_id == row.call_id && !task.is_deleted)?;
    let summary = &row.call.summary.as_ref()?.value;
    let is_edited = task.edited.contains_key("Description");
    let is_missing =
        row.status == SyncStatus::Success && !is_edited && !task.text("Description").contains(summary);
    let other_org = row.reason.as_ref().is_some_and(|reason| reason.code == "org_changed");
    (is_missing && !other_org).then(|| format!("{} does not say {summary}", task.id))
}

fn two_leads(state: &State) -> Option<String> {
    let leads = &state.salesforce.leads;
    let mut seen = std::collections::BTreeSet::new();
    let (_, _, phone) = leads.iter().find(|(_, org_id, phone)| !seen.insert((org_id, phone)))?;
    Some(format!("two Leads for {phone}"))
}

fn rows_without_due_time(state: &State) -> Option<String> {
    let stuck = state.rows.values().find(|row| {
        let open = matches!(
            row.status,
            SyncStatus::Queued | SyncStatus::Retrying | SyncStatus::WaitingForConnection
        );
        (open || row.lease.is_some()) && row.due_at.is_none()
    })?;
    Some(format!("{} is {} and never due", stuck.call_id, stuck.status.as_str()))
}

/// Rows that a newer version wrote stay unchanged.
fn newer_row_was_changed(state: &State) -> Option<String> {
    let (key, _) = state.newer.iter().find(|(key, row)| state.rows.get(*key) != Some(*row))?;
    Some(format!("the row of {} is a newer version's, and was changed", key.1))
}

/// Every call is logged in the end, except calls of another org and those that a duplicate rule blocks.
fn unfinished(state: &State, row: &Row) -> Option<String> {
    let code = row.reason.as_ref().map_or("", |reason| reason.code.as_str());
    let call = &row.call_id;
    let blocks = state.salesforce.duplicate_rule == Some(DuplicateRule::Blocks);
    match row.status {
        SyncStatus::Success => {
            let tasks = state.salesforce.tasks.iter().filter(|task| task.call_id == *call).count();
            let events = state.salesforce.events.iter().filter(|event| event.call_id == *call).count();
            let booked = usize::from(row.call.appointment.is_some());
            // If a person deleted the Task, or the record was refused, the Event cannot be found.
            let complete =
                tasks == 1 && (events == booked || ["org_changed", "event_refused"].contains(&code));
            (!complete)
                .then(|| format!("{call} is success with {tasks} Tasks and {events} Events of {booked}"))
        }
        SyncStatus::Error if code == "org_changed" => None,
        SyncStatus::Error if code == "DUPLICATES_DETECTED" && blocks => None,
        // Not even `not_found`: records appear within minutes, long before the last late match.
        _ => Some(format!("{call} ends as {} ({code})", row.status.as_str())),
    }
}

/// The row contains what an accepted report said, or something newer; what a refused one said is not in it.
fn lost_report(row: &Row, report: &Call) -> Option<String> {
    let mut merged = row.call.clone();
    let is_new = merged.merge(report);
    let refused = row.call.summary.as_ref().is_some_and(|summary| summary.value == "Report 9.");
    (is_new || refused).then(|| format!("{} lost a report, or accepted a refused one", row.call_id))
}

/// A call is logged in the org of its first attempt.
fn in_another_org(state: &State, task: &Activity) -> Option<String> {
    let row = state.rows.values().find(|row| row.call_id == task.call_id)?;
    let tried = row.tried_with.as_ref()?;
    (tried.org_id != task.org_id).then(|| format!("{} is in another org than its call", task.id))
}

/// An unused grant is revoked by the process that learns of it, unless it dies.
fn left_alive(state: &State) -> Option<String> {
    let alive = |token: &&String| state.salesforce.grants.get(*token).is_some_and(|grant| grant.alive);
    let token = state.owed.keys().find(alive)?;
    Some(format!("{token} is unused, but alive"))
}

/// While a workspace is paused, no requests go to its org, except from processes that started before they could know.
pub fn not_paused(state: &mut State, org_id: &SalesforceId) {
    let workspace = workspace_id(workspace_of(org_id));
    let until = state.workspace(&workspace).paused_until.unwrap_or_default();
    let since = state.paused.get(&workspace).copied().unwrap_or(i64::MAX);
    if state.clock() < until * 1000 && state.now.saturating_sub(since) > PROCESS_TIMEOUT {
        state.violate(format!("{workspace} is paused, but has requests"));
    }
}

/// While an org is left alone, no requests go to it, except from processes that started before they could know: one of
/// those may test it.
pub fn org_not_left_alone(state: &mut State, org_id: &SalesforceId) {
    let workspace = workspace_id(workspace_of(org_id));
    let connection = state.workspace(&workspace).connection.as_ref();
    if connection.is_some_and(|connection| connection.org_id == *org_id) {
        let breaker = state.workspace(&workspace).breaker;
        not_left_alone(state, workspace.as_str(), breaker);
    }
}

/// The same for a login host.
pub fn login_host_not_left_alone(state: &mut State, url: &str) {
    let breaker = state.login_hosts.get(url).copied().flatten();
    not_left_alone(state, url, breaker);
}

fn not_left_alone(state: &mut State, of: &str, breaker: Option<Breaker>) {
    let stored_at = state.breakers_at.get(of).copied().unwrap_or(i64::MAX);
    let started_at = state.started_at.get(&state.running).copied().unwrap_or_default();
    if breaker.is_some_and(|breaker| breaker.until.is_some()) && started_at > stored_at {
        state.violate(format!("{of} is left alone, but has requests"));
    }
}
