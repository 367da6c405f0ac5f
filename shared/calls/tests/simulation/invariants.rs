//! What must hold in every world, after every step and at its end.

use std::collections::BTreeMap;

use calls::{
    call::Call,
    ids::{CallId, SalesforceId},
    ledger::{Row, SyncStatus},
};

use crate::{
    run::TIMEOUT as PROCESS_LASTS,
    salesforce::Activity,
    samples::{call_of, number, twin_id, who_of, workspace_id, workspace_of},
    world::State,
};

/// How many there are (with that of the token endpoint, checked where tokens are refreshed).
pub const COUNT: usize = 13;

/// After every step.
pub fn always(state: &mut State) {
    let broken: Vec<String> = [
        duplicates("Task", &state.salesforce.tasks),
        duplicates("Event", &state.salesforce.events),
        wrong_record(state),
        two_leads(state),
        rows_without_due_time(state),
    ]
    .into_iter()
    .flatten()
    .collect();
    for promise in broken {
        state.violate(promise);
    }
}

/// When nothing happens any more and everybody is connected.
pub fn at_rest(state: &mut State) {
    let mut broken = Vec::new();
    if let Some(dead) = state.dead_letters.first() {
        // Only what crashed its worker again and again; a simulated worker does not have so many lives.
        broken.push(format!("message {} is in the dead-letter queue", dead.id));
    }
    for (workspace_id, call) in &state.accepted {
        match state.rows.get(&(workspace_id.clone(), call.id.clone())) {
            None => broken.push(format!("the accepted call {} is lost", call.id)),
            Some(row) => {
                broken.extend(unfinished(state, row));
                broken.extend(forgotten(row, call));
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

/// An activity is on the record that its call belongs to, or on a Lead that was made for the caller.
fn wrong_record(state: &State) -> Option<String> {
    let org = &state.salesforce;
    let is_new = |activity: &Activity| {
        let number = number(call_of(&activity.call_id).0, 0);
        org.leads.iter().any(|(id, _, phone)| *id == activity.who_id && *phone == number)
    };
    let mut activities = org.tasks.iter().chain(&org.events);
    let is_twin = |activity: &Activity| {
        let (workspace, call) = call_of(&activity.call_id);
        activity.who_id == twin_id(workspace, call)
    };
    let is_known = |activity: &Activity| activity.who_id == who_of(&activity.call_id) || is_twin(activity);
    let wrong = activities.find(|activity| !is_known(activity) && !is_new(activity))?;
    Some(format!("{} is on the wrong record", wrong.id))
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

/// Every call is logged in the end, but for those of another org.
fn unfinished(state: &State, row: &Row) -> Option<String> {
    let code = row.reason.as_ref().map_or("", |reason| reason.code.as_str());
    let call = &row.call_id;
    match row.status {
        SyncStatus::Success => {
            let tasks = state.salesforce.tasks.iter().filter(|task| task.call_id == *call).count();
            let events = state.salesforce.events.iter().filter(|event| event.call_id == *call).count();
            let booked = usize::from(row.call.appointment.is_some());
            let complete = tasks == 1 && (events == booked || code == "org_changed");
            (!complete)
                .then(|| format!("{call} is success with {tasks} Tasks and {events} Events of {booked}"))
        }
        SyncStatus::Error if code == "org_changed" => None,
        // Its record came later than the last late match; cannot happen with records that come within minutes.
        _ => Some(format!("{call} ends as {} ({code})", row.status.as_str())),
    }
}

/// What an accepted report said is in the row, or something newer; what a refused one said is not.
fn forgotten(row: &Row, report: &Call) -> Option<String> {
    let mut merged = row.call.clone();
    let news = merged.merge(report);
    let refused = row.call.summary.as_ref().is_some_and(|summary| summary.value == "Report 9.");
    (news || refused).then(|| format!("{} has forgotten a report, or believed a refused one", row.call_id))
}

/// A call is logged in the org that it was first tried with.
fn in_another_org(state: &State, task: &Activity) -> Option<String> {
    let row = state.rows.values().find(|row| row.call_id == task.call_id)?;
    let tried = row.tried_with.as_ref()?;
    (tried.org_id != task.org_id).then(|| format!("{} is in another org than its call", task.id))
}

/// A grant that nobody uses is ended by the process that learns it, unless that one dies.
fn left_alive(state: &State) -> Option<String> {
    let alive = |token: &&String| state.salesforce.grants.get(*token).is_some_and(|grant| grant.alive);
    let token = state.owed.keys().find(alive)?;
    Some(format!("{token} belongs to nobody, and is alive"))
}

/// While a workspace pauses, nobody asks its org, but for those that began before they could know.
pub fn not_paused(state: &mut State, org_id: &SalesforceId) {
    let workspace = workspace_id(workspace_of(org_id));
    let until = state.workspace(&workspace).paused_until.unwrap_or_default();
    let since = state.paused.get(&workspace).copied().unwrap_or(i64::MAX);
    if state.clock() < until * 1000 && state.now.saturating_sub(since) > PROCESS_LASTS {
        state.violate(format!("{workspace} pauses, and is worked on"));
    }
}
