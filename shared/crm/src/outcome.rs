//! From what happened in an attempt to what the row says of it: the one place where a failure becomes a status, a
//! reason for people and a time to try again.

use calls::{
    call::Call,
    codes::{self, faults, reasons},
    reason::Reason,
    status::SyncStatus,
};

use crate::{
    caller::Caller,
    ledger::{Failing, Row},
    records::{CrmError, FaultClass, RecordType, WrittenObject},
    remedy, schedule,
    workspace::{Settings, Workspace},
};

/// How an attempt ended.
#[derive(Debug)]
pub enum Ending {
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
    /// Salesforce said no.
    Refused(CrmError),
    /// Salesforce gave no session just now.
    NoSession(CrmError),
    /// Too little time is left to write and to record the outcome.
    OutOfTime,
    /// An earlier attempt's write may still commit.
    Unsettled {
        /// Until then, Unix seconds.
        until: i64,
    },
    /// The org's request limit is reached: the whole workspace pauses.
    Paused {
        /// Until then, Unix seconds.
        until: i64,
    },
}

/// The time, and one draw of a random number.
#[derive(Debug, Clone, Copy)]
pub struct Draw {
    /// Unix seconds.
    pub now: i64,
    /// `0.0..1.0`.
    pub fraction: f64,
}

/// Writes the end of an attempt into the row.
pub fn apply(row: &mut Row, ending: Ending, workspace: &Workspace, settle_seconds: i64, draw: Draw) {
    let Outcome { status, reason, due_at } = outcome(row, ending, settle_seconds, draw);
    row.finish(status, reason, due_at, workspace.settings.retention_days, draw.now);
}

/// What the row says of an attempt.
struct Outcome {
    status: SyncStatus,
    reason: Option<Reason>,
    due_at: Option<i64>,
}

impl Outcome {
    fn new(status: SyncStatus, reason: Option<Reason>, due_at: Option<i64>) -> Self {
        Self { status, reason, due_at }
    }
}

fn outcome(row: &mut Row, ending: Ending, settle_seconds: i64, draw: Draw) -> Outcome {
    let now = draw.now;
    match ending {
        Ending::Logged(note) => {
            row.logged_revision = row.revision;
            row.unsettled_until = None;
            Outcome::new(SyncStatus::Success, note, None)
        }
        Ending::NotFound(reason) => {
            Outcome::new(SyncStatus::NotFound, Some(reason), schedule::late_match(row.created_at, now))
        }
        Ending::Skipped(reason) => Outcome::new(SyncStatus::Skipped, Some(reason), None),
        Ending::Waiting(reason) => waiting(row, reason, now),
        Ending::OtherOrg => {
            let reason = Reason::of(reasons::ORG_CHANGED);
            let status = if row.task_id.is_some() { SyncStatus::Success } else { SyncStatus::Error };
            Outcome::new(status, Some(reason), None)
        }
        Ending::TooMany(object) => Outcome::new(SyncStatus::Error, Some(too_many(object)), None),
        Ending::Refused(error) => {
            if error.class == FaultClass::Ambiguous {
                row.unsettled_until = Some(now + settle_seconds);
            }
            fault(row, &error, draw)
        }
        Ending::NoSession(error) => fault(row, &error, draw),
        Ending::OutOfTime => passing(row, Reason::of(reasons::OUT_OF_TIME), draw, None),
        Ending::Unsettled { until } => {
            Outcome::new(SyncStatus::Retrying, Some(Reason::of(reasons::SETTLING)), Some(until))
        }
        Ending::Paused { until } => {
            passing(row, Reason::of(faults::REQUEST_LIMIT_EXCEEDED), draw, Some(until))
        }
    }
}

fn waiting(row: &Row, reason: Reason, now: i64) -> Outcome {
    let due_at = Some(schedule::waiting(row.created_at, now));
    Outcome::new(SyncStatus::WaitingForConnection, Some(reason), due_at)
}

fn fault(row: &mut Row, error: &CrmError, draw: Draw) -> Outcome {
    let reason = Reason { code: error.code.clone(), message: remedy::explain(error) };
    match error.class {
        FaultClass::Permanent | FaultClass::FieldRefused | FaultClass::RecordGone => {
            Outcome::new(SyncStatus::Error, Some(reason), None)
        }
        FaultClass::GrantEnded => waiting(row, reason, draw.now),
        // A limit has become a pause before (`attempt`), unless it came from where pauses do not help.
        FaultClass::Passing
        | FaultClass::Ambiguous
        | FaultClass::Session
        | FaultClass::OwnConfiguration
        | FaultClass::ConcurrentLimit
        | FaultClass::DailyLimit
        | FaultClass::Stale
        | FaultClass::GrantDoubtful
        | FaultClass::AddressGone => passing(row, reason, draw, None),
    }
}

/// A fault that is taken to pass, for three days: then it is an error, and a person's. `pause`: until when the
/// workspace is not to be worked on.
fn passing(row: &mut Row, reason: Reason, draw: Draw, pause: Option<i64>) -> Outcome {
    let failing = Failing::again(row.failing, draw.now);
    row.failing = Some(failing);
    let due_at = schedule::retry(failing, draw.now, draw.fraction);
    let (status, what_follows) = match due_at {
        Some(_) => (SyncStatus::Retrying, codes::RETRIES),
        None => (SyncStatus::Error, codes::RETRIED),
    };
    let reason = Reason { message: format!("{} {what_follows}", reason.message), ..reason };
    let pause = pause.map(|until| schedule::after_pause(until, draw.fraction));
    Outcome::new(status, Some(reason), due_at.and(pause).or(due_at))
}

/// Nobody is the caller. `elsewhere`: records that Salesforce found by the number all the same; `new_ones_late`: the org's
/// new records could not be asked for.
pub fn not_found(elsewhere: usize, new_ones_late: bool) -> Reason {
    let code = reasons::NOT_FOUND;
    let which = match elsewhere {
        0 => code.means.to_owned(),
        count => format!(
            "No Lead or Contact has the caller's number in a field that Ringlog reads ({}). Salesforce found {count} with it in another field, or in a form that Ringlog cannot read: put the number into one of these fields.",
            reasons::PHONE_FIELDS
        ),
    };
    let late = if new_ones_late {
        " Salesforce does not let Ringlog ask for the newest records (it cannot filter by their phone fields), so they are found some minutes late."
    } else {
        ""
    };
    Reason::new(code, format!("{which}{late} {}", code.remedy))
}

/// Somebody may be the caller, and is not known to be: a Lead would be a second one.
pub fn possible_match(count: usize) -> Reason {
    Reason::filled(reasons::POSSIBLE_MATCH, &[("records", &format!("{count} records"))])
}

/// Several may be the caller, and the workspace wants none of them then.
pub fn multiple_matches() -> Reason {
    Reason::of(reasons::MULTIPLE_MATCHES)
}

/// More records have such a number than Salesforce shows.
pub fn too_many(object: RecordType) -> Reason {
    Reason::filled(reasons::TOO_MANY_CANDIDATES, &[("records", &format!("{object:?}s"))])
}

/// The Event was refused; the Task is written without it.
pub fn refused_event(error: &CrmError) -> Reason {
    let code = reasons::EVENT_REFUSED;
    Reason::new(code, format!("{} {}", code.means, remedy::explain(error)))
}

/// The appointment was taken back after its Event was written. A person may have moved that one, or agreed on it anew.
pub fn withdrawn() -> Reason {
    Reason::of(reasons::APPOINTMENT_WITHDRAWN)
}

/// The first of several appointments is in the calendar; the Task lists the others.
pub fn more_appointments(others: &[String]) -> Option<Reason> {
    (!others.is_empty()).then(|| Reason::of(reasons::MORE_APPOINTMENTS))
}

/// Only the caller's word stands for the number.
pub fn found_by_given_number(call: &Call, settings: &Settings) -> Option<Reason> {
    let is_given = Caller::of(call, settings).is_ok_and(|caller| caller.is_given());
    is_given.then(|| Reason::of(reasons::NUMBER_GIVEN_BY_CALLER))
}

/// The record that whoever started the call named is not there.
pub fn record_not_found() -> Reason {
    Reason::of(reasons::RECORD_NOT_FOUND)
}

/// Optional fields were refused; the rest is written.
pub fn fields_left_out(fields: &[String]) -> Option<Reason> {
    (!fields.is_empty()).then(|| Reason::filled(reasons::FIELDS_LEFT_OUT, &[("fields", &fields.join(", "))]))
}

/// What somebody changed in Salesforce stays, whatever is known later. `note`: what the row says besides.
pub fn kept_by_person(fields: &[String], note: Option<Reason>) -> Option<Reason> {
    if fields.is_empty() {
        return note;
    }
    let kept = Reason::filled(reasons::KEPT_BY_PERSON, &[("fields", &fields.join(", "))]);
    Some(match note {
        Some(note) => Reason { message: format!("{} {}", note.message, kept.message), ..note },
        None => kept,
    })
}

/// The Task was taken off its record, so nobody knows whose Event it would be.
pub fn taken_off() -> Reason {
    Reason::of(reasons::TASK_TAKEN_OFF)
}

/// The Task or Event is gone. It is not made again.
pub fn deleted(object: WrittenObject) -> Reason {
    Reason::filled(reasons::ACTIVITY_DELETED, &[("object", &format!("{object:?}"))])
}

/// An update that Salesforce refuses for good leaves the record as it is, with a note; other failures stop.
pub fn unchanged(object: WrittenObject, error: CrmError) -> Result<Reason, CrmError> {
    match error.class {
        FaultClass::RecordGone => Ok(deleted(object)),
        FaultClass::Permanent | FaultClass::FieldRefused => {
            let code = reasons::ACTIVITY_NOT_UPDATED;
            let means = codes::fill(code.means, &[("object", &format!("{object:?}"))]);
            Ok(Reason::new(code, format!("{means} {}", remedy::explain(&error))))
        }
        _ => Err(error),
    }
}
