//! The plan: what an attempt does next, as a pure function of the call, the settings and what was observed.
//! It uses no port.
//!
//! An incomplete plan says what to observe. A complete one is data, which a worker applies and a preview shows.

mod activities;
mod changes;
mod choice;
mod choose;
mod observed;
mod refused;
mod step;
#[cfg(test)]
mod tests;

use calls::appointment::Resolution;
use chrono::{DateTime, TimeDelta, Utc};

use crate::{ledger::Row, outcome::Ending};

pub use changes::Changes;
pub use choice::Choice;
pub use observed::{Asked, Looked, NamedDuplicates, Observed, ReadClaim, Recent, Search};
pub use step::{
    ActivityPlan, Adoption, Change, Known, NewLead, Next, Operation, Operations, Plan, Question, Step,
};

/// How far Salesforce's clock may be behind ours.
const CLOCK_SKEW: TimeDelta = TimeDelta::minutes(5);

/// Plans the attempt.
pub fn plan(known: Known<'_>) -> Step {
    let mut choice = known.seen.choice.clone();
    let next = match complete(known, &mut choice) {
        Ok(plan) => Next::Write(Box::new(plan)),
        Err(next) => next,
    };
    Step { choice, next }
}

/// The complete plan. `Err`: what comes instead.
fn complete(known: Known<'_>, choice: &mut Choice) -> Result<Plan, Next> {
    choose::choose(known, choice)?;
    if let Some(next) = earlier_attempts(known, choice) {
        return Err(next);
    }
    if let Some(lead) = choose::new_lead(known, choice)? {
        let (then, note) = activities::plan(known, choice, &None)?;
        return Ok(Plan { operations: Operations::CreateLead { lead, then }, note });
    }
    let Some(record) = choice.record.clone() else {
        return Err(Next::End(choose::no_record(known, choice)));
    };
    let (activities, note) = activities::plan(known, choice, &record.id)?;
    Ok(Plan { operations: Operations::Write(activities), note })
}

/// Looks for what earlier attempts may have written, before anything is written.
fn earlier_attempts(known: Known<'_>, choice: &mut Choice) -> Option<Next> {
    let Known { row, seen, .. } = known;
    let since = look_since(row);
    let Some(look) = &seen.look else {
        let needs_look = seen.look_first || row.unsettled_until.is_some();
        return needs_look.then(|| {
            let may_be_older = seen.look_first && row.call.called_at().is_none();
            let places = choice.places(seen.earlier.as_ref());
            Next::Observe(Question::Look { places, since, may_be_older })
        });
    };
    if look.adopted {
        return row.unsettled_until.map(|until| Next::End(Ending::Unsettled { until }));
    }
    if let Some((_, Some(who_id))) = &look.task {
        choice.stays_on(who_id);
        if !look.places.contains(who_id) {
            let places = vec![who_id.clone()];
            return Some(Next::Observe(Question::Look { places, since, may_be_older: false }));
        }
    }
    let task_id = look.task.as_ref().map(|(task_id, _)| task_id.clone());
    let event_id = look.event_id.clone();
    let booked = matches!(known.resolution(), Resolution::Booked { .. });
    let has_task = task_id.is_some() || row.task_id.is_some();
    let has_event = event_id.is_some() || row.event_id.is_some();
    let everything_is_there = has_task && (has_event || !booked);
    let settled = everything_is_there || row.unsettled_until.is_none_or(|until| look.asked_at >= until);
    Some(Next::Adopt(Adoption { task_id, event_id, settled }))
}

/// Since when an earlier attempt may have written a call's activities: the call or its first report, whichever was
/// earlier, by Salesforce's clock.
fn look_since(row: &Row) -> DateTime<Utc> {
    let received = DateTime::from_timestamp(row.created_at, 0).unwrap_or_default();
    row.call.called_at().map_or(received, |called| called.min(received)) - CLOCK_SKEW
}
