//! Activity drafts: the Task and the Event as they are sent to Salesforce (docs/contract.md#what-is-written).

mod description;

use calls::{
    appointment::{Appointment, Resolution},
    call::{Call, Direction, Fact},
    ids::SalesforceId,
    text::{self, salesforce_unit},
};
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::{caller::Caller, draft::Draft, records::WrittenObject, workspace::Settings};
use description::{Cut, describe};

pub(crate) use description::{add, last_line};

/// The length of Salesforce's `Subject`, `CallDisposition` and `Location`, characters.
const LINE: usize = 255;
/// How long before an Event's start the reminder fires.
const REMINDER: TimeDelta = TimeDelta::hours(1);

/// A Task as it is sent, with Salesforce's field names. (In a preview it may be for a Lead that does not exist yet:
/// its `Who` is optional.)
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct TaskDraft<Who = SalesforceId> {
    /// The Lead or Contact.
    pub who_id: Who,
    /// At most 255 characters.
    pub subject: String,
    /// `Call`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub r#type: Option<String>,
    /// `Call`; can only be set at creation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub task_subtype: Option<String>,
    /// `Inbound` or `Outbound`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub call_type: Option<String>,
    /// `Completed`.
    pub status: String,
    /// `Normal`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub priority: Option<String>,
    /// The call's date in the workspace's zone, `YYYY-MM-DD`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub activity_date: Option<String>,
    /// Seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub call_duration_in_seconds: Option<u32>,
    /// Why the call ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub call_disposition: Option<String>,
    /// The call's id, by which a look finds the Task.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub call_object: Option<String>,
    /// At most 32,000 characters; the last line is `Call <call id>`.
    pub description: String,
}

/// An Event as it is sent, with Salesforce's field names; `Who` as for a Task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct EventDraft<Who = SalesforceId> {
    /// The Lead or Contact.
    pub who_id: Who,
    /// At most 255 characters.
    pub subject: String,
    /// UTC, `2026-01-15T19:00:00Z`.
    pub start_date_time: String,
    /// UTC.
    pub end_date_time: String,
    /// `false`.
    pub is_all_day_event: bool,
    /// `Meeting`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub r#type: Option<String>,
    /// `Busy`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub show_as: Option<String>,
    /// Where it is, if the agent said so; at most 255 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
    /// Whether there is a reminder; there is none in the past.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is_reminder_set: Option<bool>,
    /// One hour before the start, if there is a reminder.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reminder_date_time: Option<String>,
    /// Notes and summary; the last line is `Call <call id>`.
    pub description: String,
}

/// What a Task says about the call's appointment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Booking {
    /// Nothing: there was none.
    None,
    /// It is in the calendar. These others must be booked by hand.
    Booked(Vec<String>),
    /// It must be booked by hand, for this reason, and so must these others.
    ByHand(String, Vec<String>),
    /// There is none, for this reason, although something was noted.
    NotMade(String),
    /// It was withdrawn; this is left to do.
    Withdrawn(String),
}

impl Booking {
    /// What the resolved appointment alone says, before Salesforce has refused anything.
    pub fn of(resolution: &Resolution) -> Self {
        match resolution {
            Resolution::None => Self::None,
            Resolution::Booked { others, .. } => Self::Booked(others.clone()),
            Resolution::ByHand { reason, others } => Self::ByHand(reason.message.clone(), others.clone()),
            Resolution::NotMade(reason) => Self::NotMade(reason.message.clone()),
        }
    }
}

/// The Task for a call. A call without times gets the date of `received_at` (Unix seconds).
pub fn task<Who: Clone>(
    call: &Call,
    who_id: &Who,
    settings: &Settings,
    received_at: i64,
    booking: &Booking,
) -> TaskDraft<Who> {
    let direction = match call.direction() {
        Direction::Inbound => "Inbound",
        Direction::Outbound => "Outbound",
    };
    let scheduled = if matches!(booking, Booking::Booked(_)) { " - Scheduled Appointment" } else { "" };
    let times = [&call.started_at, &call.ended_at, &call.happened_at];
    let began = times.into_iter().find_map(|time| value(time.as_ref()).copied());
    let began = began.or_else(|| DateTime::from_timestamp(received_at, 0)).unwrap_or_default();
    let word = |text: &str| Some(text.to_owned());
    TaskDraft {
        who_id: who_id.clone(),
        subject: format!("{direction} Call{scheduled}"),
        r#type: word("Call"),
        task_subtype: word("Call"),
        call_type: word(direction),
        status: "Completed".to_owned(),
        priority: word("Normal"),
        activity_date: Some(settings.time_zone.local(began).format("%Y-%m-%d").to_string()),
        call_duration_in_seconds: value(call.duration_seconds.as_ref()).copied(),
        call_disposition: value(call.ended_reason.as_ref()).and_then(|reason| line(reason, LINE)),
        call_object: word(call.id.as_str()),
        description: task_description(call, settings, booking),
    }
}

fn task_description(call: &Call, settings: &Settings, booking: &Booking) -> String {
    let recording = value(call.recording_url.as_ref()).map(|url| format!("Recording: {url}"));
    let transferred = value(call.transferred_to.as_ref()).map(|to| format!("Transferred to {to}."));
    let given = Caller::of(call, settings).is_ok_and(|caller| caller.is_given());
    let given =
        given.then(|| "Found by the number given by the caller; the call itself had none.".to_owned());
    let transcript = value(call.transcript.as_ref()).filter(|_| settings.include_transcript);
    let transcript = transcript.map(|transcript| format!("Transcript:\n{transcript}"));
    let paragraphs = [
        (Cut::Next, summary(call)),
        (Cut::Last, transferred.unwrap_or_default()),
        (Cut::Last, given.unwrap_or_default()),
        (Cut::Last, recording.unwrap_or_default()),
        (Cut::Last, to_do(call, booking)),
        (Cut::First, transcript.unwrap_or_default()),
    ];
    describe(&call.id, &paragraphs)
}

/// What people need to know or do about appointments without an Event.
fn to_do(call: &Call, booking: &Booking) -> String {
    let noted = || value(call.appointment.as_ref()).map(|request| request.to_text("\n")).unwrap_or_default();
    let others = |others: &[String]| match others {
        [] => String::new(),
        others => format!("More appointments to book by hand:\n{}", others.join("\n")),
    };
    let parts = match booking {
        Booking::None => Vec::new(),
        Booking::Booked(more) => vec![others(more)],
        Booking::ByHand(why, more) => {
            vec![format!("Appointment to book by hand. {why}"), noted(), others(more)]
        }
        Booking::NotMade(why) => vec![format!("No appointment in the calendar. {why}"), noted()],
        Booking::Withdrawn(what) => vec![what.clone()],
    };
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("\n")
}

/// The Event for an appointment that was booked in a call. It has a reminder, unless the reminder's time is
/// past at `now` (Unix seconds): Salesforce would show it at once.
pub fn event<Who: Clone>(call: &Call, who_id: &Who, appointment: &Appointment, now: i64) -> EventDraft<Who> {
    const SCHEDULED: &str = " - Scheduled via Voice AI";
    let kind = appointment.kind.as_deref().and_then(|kind| line(kind, LINE - SCHEDULED.len()));
    let paragraphs = [
        (Cut::Last, "Appointment scheduled during call.".to_owned()),
        (Cut::Last, appointment.notes.clone().unwrap_or_default()),
        (Cut::Next, summary(call)),
    ];
    let word = |text: &str| Some(text.to_owned());
    let remind_at = appointment.start - REMINDER;
    let has_reminder = remind_at.timestamp() > now;
    EventDraft {
        who_id: who_id.clone(),
        subject: format!("{}{SCHEDULED}", kind.as_deref().unwrap_or("Appointment")),
        start_date_time: utc(appointment.start),
        end_date_time: utc(appointment.end),
        is_all_day_event: false,
        r#type: word("Meeting"),
        show_as: word("Busy"),
        location: appointment.location.as_deref().and_then(|location| line(location, LINE)),
        is_reminder_set: Some(has_reminder),
        reminder_date_time: has_reminder.then(|| utc(remind_at)),
        description: describe(&call.id, &paragraphs),
    }
}

fn summary(call: &Call) -> String {
    value(call.summary.as_ref()).cloned().unwrap_or_default()
}

fn value<T>(fact: Option<&Fact<T>>) -> Option<&T> {
    fact.map(|fact| &fact.value)
}

/// A text for a single-line field.
fn line(text: &str, longest: usize) -> Option<String> {
    let text = text::clean_line(text, longest)?;
    Some(text::cut(&text, longest, salesforce_unit).into_owned())
}

fn utc(instant: DateTime<Utc>) -> String {
    instant.format("%Y-%m-%dT%H:%M:%SZ").to_string()
}

impl<Who: Serialize> Draft for TaskDraft<Who> {
    const OBJECT: WrittenObject = WrittenObject::Task;

    /// A Task is useless without its record, its status, its subject and the text that a look finds it by.
    fn without(&mut self, field: &str) -> bool {
        match field {
            "Type" => self.r#type.take().is_some(),
            "TaskSubtype" => self.task_subtype.take().is_some(),
            "CallType" => self.call_type.take().is_some(),
            "Priority" => self.priority.take().is_some(),
            "ActivityDate" => self.activity_date.take().is_some(),
            "CallDurationInSeconds" => self.call_duration_in_seconds.take().is_some(),
            "CallDisposition" => self.call_disposition.take().is_some(),
            // A look then finds it by the description's last line (docs/contract.md#the-look).
            "CallObject" => self.call_object.take().is_some(),
            _ => false,
        }
    }
}

impl<Who: Serialize> Draft for EventDraft<Who> {
    const OBJECT: WrittenObject = WrittenObject::Event;

    /// A reminder is removed as a whole.
    fn without(&mut self, field: &str) -> bool {
        match field {
            "Type" => self.r#type.take().is_some(),
            "ShowAs" => self.show_as.take().is_some(),
            "Location" => self.location.take().is_some(),
            "IsReminderSet" | "ReminderDateTime" => {
                let had = self.is_reminder_set.take().is_some();
                self.reminder_date_time.take().is_some() || had
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests;
