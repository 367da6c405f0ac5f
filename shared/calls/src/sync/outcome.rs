//! From what happened in an attempt to what the row says of it: the one place where a failure becomes a status, a
//! reason for people and a time to try again.

use crate::{
    call::Call,
    caller::Caller,
    connection::NoSession,
    crm::{CrmError, FaultClass, RecordType, WrittenObject},
    ledger::{Failing, Row, SyncStatus},
    reason::Reason,
    workspace::{Settings, Workspace},
};

use super::{remedy, schedule, session::Stop};

/// How an attempt ended that Salesforce or our own rules did not stop.
#[derive(Debug)]
pub(super) enum Ending {
    /// The Task is there. The reason says what is not, if anything.
    Logged(Option<Reason>),
    /// No record has the number. The reason says where it was looked for.
    NotFound(Reason),
    /// There is nothing to log.
    Skipped(Reason),
    /// There is no connection.
    Waiting(Reason),
    /// The row was tried with another org than the one that is connected now.
    OtherOrg,
    /// More records have such a number than Salesforce shows.
    TooMany(RecordType),
}

/// The time, and one draw of chance.
#[derive(Debug, Clone, Copy)]
pub(super) struct Chance {
    /// Unix seconds.
    pub(super) now: i64,
    /// `0.0..1.0`.
    pub(super) fraction: f64,
}

/// Writes the end of an attempt into the row.
pub(super) fn apply(
    row: &mut Row,
    ended: Result<Ending, Stop>,
    workspace: &Workspace,
    settle_seconds: i64,
    chance: Chance,
) {
    let (status, reason, due_at) = match ended {
        Ok(ending) => ending_of(row, ending, chance.now),
        Err(stop) => stop_of(row, stop, settle_seconds, chance),
    };
    row.finish(status, reason, due_at, workspace.settings.retention_days, chance.now);
}

type Outcome = (SyncStatus, Option<Reason>, Option<i64>);

fn ending_of(row: &mut Row, ending: Ending, now: i64) -> Outcome {
    match ending {
        Ending::Logged(note) => {
            row.logged_revision = row.revision;
            row.unsettled_until = None;
            (SyncStatus::Success, note, None)
        }
        Ending::NotFound(reason) => {
            (SyncStatus::NotFound, Some(reason), schedule::late_match(row.created_at, now))
        }
        Ending::Skipped(reason) => (SyncStatus::Skipped, Some(reason), None),
        Ending::Waiting(reason) => {
            (SyncStatus::WaitingForConnection, Some(reason), Some(schedule::waiting(row.created_at, now)))
        }
        Ending::OtherOrg => {
            let reason = Reason::new(
                "org_changed",
                "The call was tried with the Salesforce org that was connected before; it is not written into another one.",
            );
            let status = if row.task_id.is_some() { SyncStatus::Success } else { SyncStatus::Error };
            (status, Some(reason), None)
        }
        Ending::TooMany(object) => (SyncStatus::Error, Some(too_many(object)), None),
    }
}

fn stop_of(row: &mut Row, stop: Stop, settle_seconds: i64, chance: Chance) -> Outcome {
    let now = chance.now;
    match stop {
        Stop::Salesforce(error) => {
            if error.class == FaultClass::Ambiguous {
                row.unsettled_until = Some(now + settle_seconds);
            }
            fault(row, &error, chance)
        }
        Stop::NoSession(NoSession::NotConnected(reason)) => ending_of(row, Ending::Waiting(reason), now),
        Stop::NoSession(NoSession::Salesforce(error)) => fault(row, &error, chance),
        Stop::NoSession(NoSession::OutOfTime | NoSession::Store(_)) | Stop::OutOfTime => {
            let reason = Reason::new("out_of_time", "The worker ran out of time; the call is tried again.");
            passing(row, reason, chance, None)
        }
        Stop::Unsettled { until } => {
            let reason = Reason::new(
                "settling",
                "Salesforce did not answer an earlier request; the call is written again when that one can no longer take effect.",
            );
            (SyncStatus::Retrying, Some(reason), Some(until))
        }
        Stop::Paused { until } => {
            passing(row, Reason::new(remedy::REQUEST_LIMIT, remedy::PAUSED), chance, Some(until))
        }
    }
}

fn fault(row: &mut Row, error: &CrmError, chance: Chance) -> Outcome {
    let reason = Reason::new(error.code.clone(), remedy::explain(error));
    match error.class {
        FaultClass::Permanent | FaultClass::FieldRefused | FaultClass::RecordGone => {
            (SyncStatus::Error, Some(reason), None)
        }
        FaultClass::GrantEnded => ending_of(row, Ending::Waiting(reason), chance.now),
        // A limit has become a pause before (`attempt`), unless it came from where pauses do not help.
        FaultClass::Passing
        | FaultClass::Ambiguous
        | FaultClass::Session
        | FaultClass::OwnConfiguration
        | FaultClass::ConcurrentLimit
        | FaultClass::DailyLimit
        | FaultClass::Stale
        | FaultClass::GrantDoubtful
        | FaultClass::AddressGone => passing(row, reason, chance, None),
    }
}

/// A fault that is taken to pass, for three days: then it is an error, and a person's. `pause`: until when the
/// workspace is not to be worked on.
fn passing(row: &mut Row, reason: Reason, chance: Chance, pause: Option<i64>) -> Outcome {
    let failing = Failing::again(row.failing, chance.now);
    row.failing = Some(failing);
    match (schedule::retry(failing, chance.now, chance.fraction), pause) {
        (None, _) => (SyncStatus::Error, Some(reason), None),
        (due_at, None) => (SyncStatus::Retrying, Some(reason), due_at),
        (Some(_), Some(until)) => {
            (SyncStatus::Retrying, Some(reason), Some(schedule::after_pause(until, chance.fraction)))
        }
    }
}

/// Nobody is the caller. `elsewhere`: records that Salesforce found by the number all the same; `new_ones_late`: the org's
/// new records could not be asked for.
pub(super) fn not_found(elsewhere: usize, new_ones_late: bool) -> Reason {
    let which = match elsewhere {
        0 => "No Lead or Contact has the caller's number.".to_owned(),
        count => format!(
            "No Lead or Contact has the caller's number in a field that Ringlog reads ({FIELDS}). Salesforce found {count} by it in another field, or written in a way that Ringlog cannot read: put the number into one of these fields."
        ),
    };
    let late = if new_ones_late {
        " Salesforce does not let Ringlog ask for the newest records (it cannot filter by their phone fields), so they are found some minutes late."
    } else {
        ""
    };
    Reason::new("not_found", format!("{which}{late} New records are looked for again within a day."))
}

/// The phone fields that count, as people know them.
const FIELDS: &str = "Phone and MobilePhone; of a Contact also HomePhone, OtherPhone and AssistantPhone";

/// Somebody may be the caller, and is not known to be: a Lead would be a second one.
pub(super) fn possible_match(count: usize) -> Reason {
    Reason::new(
        "possible_match",
        format!(
            "Salesforce found {count} records by the caller's number in a field that Ringlog does not read, or written in a way that it cannot read, so no Lead was made. Put the number into a field that it reads ({FIELDS}), then retry."
        ),
    )
}

/// Several may be the caller, and the workspace wants none of them then.
pub(super) fn multiple_matches() -> Reason {
    Reason::new(
        "multiple_matches",
        "Several records have the caller's number, and the workspace's settings log such calls on none of them.",
    )
}

/// More records have such a number than Salesforce shows.
pub(super) fn too_many(object: RecordType) -> Reason {
    Reason::new(
        "too_many_candidates",
        format!(
            "200 or more {object:?}s have a number like the caller's; the right one cannot be told. Merge duplicates in Salesforce, then retry."
        ),
    )
}

/// The Event was refused; the Task is written without it.
pub(super) fn refused_event(error: &CrmError) -> Reason {
    Reason::new("event_refused", format!("The appointment could not be written. {}", remedy::explain(error)))
}

/// The appointment was taken back after its Event was written. A person may have moved that one, or agreed on it anew.
pub(super) fn withdrawn() -> Reason {
    Reason::new(
        "appointment_withdrawn",
        "A later report says that there is no appointment. Its Event is still in Salesforce: delete it there if it is off.",
    )
}

/// The first of several appointments is in the calendar; the Task lists the others.
pub(super) fn more_appointments(others: &[String]) -> Option<Reason> {
    (!others.is_empty()).then(|| {
        Reason::new(
            "more_appointments",
            "The report notes several appointments. The first in time is in the calendar; the Task lists the others, to book by hand.",
        )
    })
}

/// Only the caller's word stands for the number.
pub(super) fn found_by_given_number(call: &Call, settings: &Settings) -> Option<Reason> {
    let is_given = Caller::of(call, settings).is_ok_and(|caller| caller.is_given());
    is_given.then(|| {
        Reason::new(
            "number_given_by_caller",
            "Found by the number given by the caller; the call itself had none, and nobody proved that the number is theirs.",
        )
    })
}

/// The record that whoever started the call named is not there.
pub(super) fn record_not_found() -> Reason {
    Reason::new(
        "record_not_found",
        "The Lead or Contact that the call's metadata names (salesforceRecordId) is not in the connected org, or the connected user cannot see it. It is looked for again within a day.",
    )
}

/// Optional fields were refused; the rest is written.
pub(super) fn fields_left_out(fields: &[String]) -> Option<Reason> {
    if fields.is_empty() {
        return None;
    }
    Some(Reason::new(
        "fields_left_out",
        format!(
            "Written without {}: the connected user may not edit them, or the value is not in the picklist.",
            fields.join(", ")
        ),
    ))
}

/// What somebody changed in Salesforce stays, whatever is known later. `note`: what the row says besides.
pub(super) fn kept_by_person(fields: &[String], note: Option<Reason>) -> Option<Reason> {
    if fields.is_empty() {
        return note;
    }
    let kept = format!("Left as somebody changed it in Salesforce: {}.", fields.join(", "));
    Some(match note {
        Some(Reason { code, message }) => Reason { code, message: format!("{message} {kept}") },
        None => Reason::new("kept_by_person", kept),
    })
}

/// The Task was taken off its record, so nobody knows whose Event it would be.
pub(super) fn taken_off() -> Reason {
    Reason::new(
        "task_taken_off",
        "Somebody took the Task off its Lead or Contact in Salesforce, so the appointment was not written for anybody. Book it by hand.",
    )
}

/// The Task or Event is gone. It is not made again.
pub(super) fn deleted(object: WrittenObject) -> Reason {
    Reason::new(
        "activity_deleted",
        format!(
            "The {object:?} was deleted in Salesforce, or the connected user may no longer see it; it is not made again."
        ),
    )
}

/// An update that Salesforce refuses for good leaves the record as it is, with a note; other failures stop.
pub(super) fn unchanged(object: WrittenObject, error: CrmError) -> Result<Reason, CrmError> {
    match error.class {
        FaultClass::RecordGone => Ok(deleted(object)),
        FaultClass::Permanent | FaultClass::FieldRefused => Ok(Reason::new(
            "activity_not_updated",
            format!(
                "The {object:?} is there, but later facts could not be added. {}",
                remedy::explain(&error)
            ),
        )),
        _ => Err(error),
    }
}
