//! Turns the end of an attempt into what the row says: the one place where a failure becomes a status, a
//! reason for people and a time for the next attempt.

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
    /// The Task is written. The reason says what is not, if anything.
    Logged(Option<Reason>),
    /// No record has the number. The reason says where Ringlog looked for it.
    NotFound(Reason),
    /// There is nothing to log.
    Skipped(Reason),
    /// There is no connection.
    Waiting(Reason),
    /// The row was tried with an org that is not the one connected now.
    OtherOrg,
    /// More records match the number than Salesforce returns.
    TooMany(RecordType),
    /// Salesforce refused.
    Refused(CrmError),
    /// Salesforce would not open a session.
    NoSession(CrmError),
    /// The workspace has no place left, and the calls of others wait.
    Crowded,
    /// Too little time is left to write and to store the outcome.
    OutOfTime,
    /// An earlier attempt's write may still commit.
    Unsettled {
        /// When it no longer can, Unix seconds.
        until: i64,
    },
    /// Salesforce did not answer in time.
    Unanswered {
        /// The failure.
        error: CrmError,
        /// Until when the org is left alone because of it, Unix seconds.
        left_alone: Option<i64>,
    },
    /// The org or its login host does not answer in time: it is left alone.
    LeftAlone {
        /// Until when, Unix seconds.
        until: i64,
    },
    /// The org's request limit is reached: the whole workspace pauses.
    Paused {
        /// When the pause ends, Unix seconds.
        until: i64,
    },
}

/// The time and a random number.
#[derive(Debug, Clone, Copy)]
pub struct Draw {
    /// Unix seconds.
    pub now: i64,
    /// Random, in `0.0..1.0`.
    pub fraction: f64,
}

/// Puts the end of an attempt into the row.
pub fn apply(row: &mut Row, ending: Ending, workspace: &Workspace, settle_seconds: i64, draw: Draw) {
    let Outcome { status, reason, due_at } = outcome(row, ending, settle_seconds, draw);
    row.finish(status, reason, due_at, workspace.settings.retention_days, draw.now);
}

/// What the row says about an attempt.
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
        Ending::TooMany(object) => Outcome::new(SyncStatus::Error, Some(too_many_candidates(object)), None),
        Ending::Refused(error) => {
            if error.class == FaultClass::Ambiguous {
                row.unsettled_until = Some(now + settle_seconds);
            }
            fault(row, &error, draw)
        }
        Ending::Unanswered { error, left_alone } => {
            if error.class == FaultClass::Ambiguous {
                row.unsettled_until = Some(now + settle_seconds);
            }
            passing(
                row,
                Reason { code: error.code.clone(), message: remedy::explain(&error) },
                draw,
                left_alone,
            )
        }
        Ending::NoSession(error) => fault(row, &error, draw),
        Ending::Crowded => {
            let due_at = schedule::crowded(now, draw.fraction);
            Outcome::new(SyncStatus::Retrying, Some(Reason::of(reasons::CROWDED)), Some(due_at))
        }
        Ending::OutOfTime => passing(row, Reason::of(reasons::OUT_OF_TIME), draw, None),
        Ending::Unsettled { until } => {
            Outcome::new(SyncStatus::Retrying, Some(Reason::of(reasons::SETTLING)), Some(until))
        }
        Ending::LeftAlone { until } => passing(row, Reason::of(faults::TIMEOUT), draw, Some(until)),
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
        // `attempt` has turned a limit into a pause already, unless a pause would not help.
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

/// A fault that is assumed to pass. After three days it becomes an error that needs a person. `pause`: when
/// the workspace's pause ends, Unix seconds. It decides when to try again, so it does not make the backoff longer.
fn passing(row: &mut Row, reason: Reason, draw: Draw, pause: Option<i64>) -> Outcome {
    let failing = match pause {
        Some(_) => row.failing.unwrap_or(Failing { since: draw.now, times: 0 }),
        None => Failing::again(row.failing, draw.now),
    };
    row.failing = Some(failing);
    let due_at = schedule::retry(failing, draw.now, draw.fraction);
    let (status, next) = match due_at {
        Some(_) => (SyncStatus::Retrying, codes::RETRIES),
        None => (SyncStatus::Error, codes::RETRIED),
    };
    let reason = Reason { message: format!("{} {next}", reason.message), ..reason };
    let pause = pause.map(|until| schedule::after_pause(until, draw.fraction));
    Outcome::new(status, Some(reason), due_at.and(pause).or(due_at))
}

/// No record is the caller's. `elsewhere`: how many records Salesforce found by the number anyway.
/// `finds_new_late`: the org's new records cannot be asked for.
pub fn not_found(elsewhere: usize, finds_new_late: bool) -> Reason {
    let code = reasons::NOT_FOUND;
    let which = match elsewhere {
        0 => code.means.to_owned(),
        count => format!(
            "No Lead or Contact has the caller's number in a field that Ringlog reads ({}). Salesforce found {count} with it in another field, or in a form that Ringlog cannot read: put the number into one of these fields.",
            reasons::PHONE_FIELDS
        ),
    };
    let late = if finds_new_late {
        " Salesforce does not let Ringlog ask for the newest records (it cannot filter by their phone fields), so they are found some minutes late."
    } else {
        ""
    };
    Reason::new(code, format!("{which}{late} {}", code.remedy))
}

/// A record may be the caller's, but Ringlog cannot tell: a new Lead could be a duplicate.
pub fn possible_match(count: usize) -> Reason {
    Reason::filled(reasons::POSSIBLE_MATCH, &[("records", &format!("{count} records"))])
}

/// Several records may be the caller's, and the workspace then wants none of them.
pub fn multiple_matches() -> Reason {
    Reason::of(reasons::MULTIPLE_MATCHES)
}

/// More records match the number than Salesforce returns.
pub fn too_many_candidates(object: RecordType) -> Reason {
    Reason::filled(reasons::TOO_MANY_CANDIDATES, &[("records", &format!("{object:?}s"))])
}

/// The Event was refused; the Task is written without it.
pub fn event_refused(error: &CrmError) -> Reason {
    let code = reasons::EVENT_REFUSED;
    Reason::new(code, format!("{} {}", code.means, remedy::explain(error)))
}

/// The appointment was withdrawn after its Event was written. A person may have moved the Event, or agreed on
/// it again.
pub fn appointment_withdrawn() -> Reason {
    Reason::of(reasons::APPOINTMENT_WITHDRAWN)
}

/// The first of several appointments is in the calendar; the Task lists the others.
pub fn more_appointments(others: &[String]) -> Option<Reason> {
    (!others.is_empty()).then(|| Reason::of(reasons::MORE_APPOINTMENTS))
}

/// The record was found by a number that only the caller's word vouches for.
pub fn number_given_by_caller(call: &Call, settings: &Settings) -> Option<Reason> {
    let is_given = Caller::of(call, settings).is_ok_and(|caller| caller.is_given());
    is_given.then(|| Reason::of(reasons::NUMBER_GIVEN_BY_CALLER))
}

/// The record that the call's metadata names does not exist.
pub fn record_not_found() -> Reason {
    Reason::of(reasons::RECORD_NOT_FOUND)
}

/// Optional fields were refused; the rest is written.
pub fn fields_left_out(fields: &[String]) -> Option<Reason> {
    (!fields.is_empty()).then(|| Reason::filled(reasons::FIELDS_LEFT_OUT, &[("fields", &fields.join(", "))]))
}

/// What a person changed in Salesforce stays, whatever later reports say. `note`: what else the row says.
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

/// The Task was removed from its record, so it is unknown whose Event it would be.
pub fn task_taken_off() -> Reason {
    Reason::of(reasons::TASK_TAKEN_OFF)
}

/// The Task or Event is gone. It is not created again.
pub fn activity_deleted(object: WrittenObject) -> Reason {
    Reason::filled(reasons::ACTIVITY_DELETED, &[("object", &format!("{object:?}"))])
}

/// An update that Salesforce refuses for good leaves the activity as it is, and the row says so. `Err`: any
/// other failure, which ends the attempt.
pub fn activity_not_updated(object: WrittenObject, error: CrmError) -> Result<Reason, CrmError> {
    match error.class {
        FaultClass::RecordGone => Ok(activity_deleted(object)),
        FaultClass::Permanent | FaultClass::FieldRefused => {
            let code = reasons::ACTIVITY_NOT_UPDATED;
            let means = codes::fill(code.means, &[("object", &format!("{object:?}"))]);
            Ok(Reason::new(code, format!("{means} {}", remedy::explain(&error))))
        }
        _ => Err(error),
    }
}
