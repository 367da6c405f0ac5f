//! Activity drafts: the Task and the Event as they are sent to Salesforce (design.md §9).

use serde::Serialize;

use crate::ids::SalesforceId;

/// A Task, with Salesforce's field names, ready to be sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct TaskDraft {
    /// The Lead or Contact.
    pub who_id: SalesforceId,
    /// At most 255 characters.
    pub subject: String,
    /// `Call`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub r#type: Option<String>,
    /// `Call`; can be set at creation only.
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
    /// The call's id: what a look finds the Task by.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub call_object: Option<String>,
    /// At most 32,000 characters; the last line is `Call <call id>`.
    pub description: String,
}

/// An Event, with Salesforce's field names, ready to be sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct EventDraft {
    /// The Lead or Contact.
    pub who_id: SalesforceId,
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
    /// `true`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is_reminder_set: Option<bool>,
    /// One hour before the start.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reminder_date_time: Option<String>,
    /// Notes and summary; the last line is `Call <call id>`.
    pub description: String,
}
