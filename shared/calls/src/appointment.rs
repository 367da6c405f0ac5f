//! Appointments: from what the agent noted to two instants, by the table of design.md §9.

use serde::{Deserialize, Serialize};

/// What the agent noted, as text: nothing is parsed before the workspace's zone is known.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct AppointmentRequest {
    /// `intent`, where the agent classifies calls.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub intent: Option<String>,
    /// `appointment_booked`, where the agent says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub booked: Option<bool>,
    /// `appointment_date`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub date: Option<String>,
    /// `appointment_time`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time: Option<String>,
    /// `appointment_type`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// `appointment_notes`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notes: Option<String>,
    /// `appointment_duration`, as written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration: Option<String>,
    /// `appointment_time_zone`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
}
