//! What Ringlog itself decides about a call: why it is not logged, why it waits, what is not as it should be.

use super::Code;

/// The phone fields that are compared, as people know them.
macro_rules! phone_fields {
    () => {
        "Phone and MobilePhone; of a Contact also HomePhone, OtherPhone and AssistantPhone"
    };
}

/// The same, for texts that are made elsewhere.
pub const PHONE_FIELDS: &str = phone_fields!();

codes! {
    NOT_FOUND = "not_found" {
        in: [NotFound],
        acts: SalesforceUser,
        means: "No Lead or Contact that the connected user can see has the caller's number.",
        remedy: "Ringlog looks for new records for a day. If the caller should be known, add the number to their record, then retry.",
    }
    TOO_MANY_CANDIDATES = "too_many_candidates" {
        in: [Error],
        acts: SalesforceUser,
        means: "At least 200 {records} have a number like the caller's, so the right one may be missing.",
        remedy: "Merge duplicates in Salesforce, then retry.",
    }
    POSSIBLE_MATCH = "possible_match" {
        in: [Skipped],
        acts: SalesforceUser,
        means: "Salesforce found {records} with the caller's number in a field that Ringlog does not read, or in a form that it cannot read, so no Lead was created.",
        remedy: concat!("Put the number into a field that Ringlog reads (", phone_fields!(), "), then retry."),
    }
    MULTIPLE_MATCHES = "multiple_matches" {
        in: [Skipped],
        acts: SalesforceUser,
        means: "Several records have the caller's number, and the workspace's settings skip such calls.",
        remedy: "Merge the records or change the settings, then retry.",
        runbook: "The setting is `multipleMatches`.",
    }
    NO_PHONE_NUMBER = "no_phone_number" {
        in: [Skipped],
        acts: Nobody,
        means: "The call has no phone number: it is a web call, or the report does not include one.",
        remedy: "",
        runbook: "If callers say their number, `useGivenNumber` and a retry find them by it.",
    }
    PHONE_NUMBER_WITHHELD = "phone_number_withheld" {
        in: [Skipped],
        acts: Nobody,
        means: "The caller withheld the phone number.",
        remedy: "",
        runbook: "If callers say their number, `useGivenNumber` and a retry find them by it.",
    }
    PHONE_NUMBER_UNREADABLE = "phone_number_unreadable" {
        in: [Skipped],
        acts: WorkspaceAdmin,
        means: "The caller's number, as reported, is not a phone number.",
        remedy: "If only its country code is missing, set the workspace's default country, then retry.",
    }
    RECORD_NOT_FOUND = "record_not_found" {
        in: [NotFound],
        acts: Developer,
        means: "The Lead or Contact named in the call's metadata (salesforceRecordId) is not in the connected org, or the connected user cannot see it.",
        remedy: "Ringlog looks for it again for a day. Correct whatever starts the calls, or let the user see the record, then retry.",
    }
    RECORD_ID_UNREADABLE = "record_id_unreadable" {
        in: [Skipped],
        acts: Developer,
        means: "The salesforceRecordId in the call's metadata is not the ID of a Lead or Contact.",
        remedy: "Correct whatever starts the calls, then send the report again.",
    }
    CALL_TYPE_NOT_LOGGED = "call_type_not_logged" {
        in: [Skipped],
        acts: WorkspaceAdmin,
        means: "The workspace's settings do not log {which} calls.",
        remedy: "To log them, change the settings, then retry.",
        runbook: "The setting is `callTypes`.",
    }
    WEBHOOK_SECRET_REVOKED = "webhook_secret_revoked" {
        in: [Skipped],
        acts: WorkspaceAdmin,
        means: "The report came with a revoked webhook secret.",
        remedy: "Paste the current secret into Vapi.",
        runbook: "If it was a real call, send its report again ([vapi-setup.md](vapi-setup.md#4-what-vapi-sends-and-when)).",
    }
    NOT_CONNECTED = "not_connected" {
        in: [WaitingForConnection],
        acts: WorkspaceAdmin,
        means: "Salesforce is not connected.",
        remedy: "The call is logged once an admin connects it.",
    }
    RECONNECT_REQUIRED = "reconnect_required" {
        in: [WaitingForConnection],
        acts: WorkspaceAdmin,
        means: "Salesforce ended the connection{why}.",
        remedy: "The call is logged once an admin connects Salesforce again.",
    }
    ORG_CHANGED = "org_changed" {
        in: [Error, Success],
        acts: WorkspaceAdmin,
        means: "The call belongs to the Salesforce org that was connected before; it is not written to another org.",
        remedy: "Connect that org again and retry, or leave the call.",
        runbook: "The status is `success` if the Task was written before.",
    }
    SETTLING = "settling" {
        in: [Retrying],
        acts: Nobody,
        means: "An earlier request to Salesforce got no response. Ringlog looks for what it wrote, and writes again only when that request can no longer take effect.",
        remedy: "",
    }
    OUT_OF_TIME = "out_of_time" {
        in: [Retrying],
        acts: Nobody,
        means: "Salesforce was slow, and the worker ran out of time.",
        remedy: "",
    }
    CROWDED = "crowded" {
        in: [Retrying],
        acts: Nobody,
        means: "Too many of this workspace's calls waited for Salesforce at once, so this one gave way to those of other workspaces.",
        remedy: "",
    }
    FIELDS_LEFT_OUT = "fields_left_out" {
        in: [Success],
        acts: SalesforceAdmin,
        means: "Logged without {fields}: the connected user may not edit them, or the picklist does not have the value.",
        remedy: "Give the user access or add the value, then retry.",
        runbook: "For a day, they are left out without asking.",
    }
    EVENT_REFUSED = "event_refused" {
        in: [Success],
        acts: SalesforceAdmin,
        means: "The appointment could not be written.",
        remedy: "",
        runbook: "Do what `error_message` says, then retry. The Task has what the agent noted, and the reason.",
    }
    KEPT_BY_PERSON = "kept_by_person" {
        in: [Success],
        acts: Nobody,
        means: "Kept the changes made in Salesforce: {fields}.",
        remedy: "",
        runbook: "`error_message` names the fields, even when the row has another code. New facts go below what somebody wrote into a Description.",
    }
    TASK_TAKEN_OFF = "task_taken_off" {
        in: [Success],
        acts: SalesforceUser,
        means: "Somebody removed the Task from its Lead or Contact in Salesforce, so the appointment that was noted later has no Event.",
        remedy: "Create the Event by hand.",
    }
    ACTIVITY_DELETED = "activity_deleted" {
        in: [Success],
        acts: Nobody,
        means: "The {object} was deleted in Salesforce, or the connected user can no longer see it. It is not created again.",
        remedy: "",
    }
    ACTIVITY_NOT_UPDATED = "activity_not_updated" {
        in: [Success],
        acts: SalesforceAdmin,
        means: "The {object} exists, but later facts could not be added.",
        remedy: "",
        runbook: "Do what `error_message` says, then retry.",
    }
    APPOINTMENT_WITHOUT_DATE = "appointment_without_date",
    APPOINTMENT_WITHOUT_TIME = "appointment_without_time",
    APPOINTMENT_DATE_INVALID = "appointment_date_invalid",
    APPOINTMENT_TIME_INVALID = "appointment_time_invalid",
    APPOINTMENT_TIME_ZONE_INVALID = "appointment_time_zone_invalid",
    APPOINTMENT_TIME_ZONE_AMBIGUOUS = "appointment_time_zone_ambiguous",
    APPOINTMENT_CONTRADICTORY = "appointment_contradictory",
    APPOINTMENT_IN_THE_PAST = "appointment_in_the_past" {
        in: [Success],
        acts: Developer,
        means: "The appointment could not be read as one time, so there is no Event. The Task has what the agent noted.",
        remedy: "Create this Event by hand.",
        runbook: "Tell the agent how to note appointments ([vapi-setup.md](vapi-setup.md#5-appointments)).",
    }
    APPOINTMENT_UNCLEAR = "appointment_unclear" {
        in: [Success],
        acts: Developer,
        means: "The report does not say clearly whether an appointment was made, so there is no Event.",
        remedy: "Find out, and create the Event by hand.",
        runbook: "Have the agent note `true` or `false`.",
    }
    APPOINTMENT_NOT_MADE = "appointment_not_made", APPOINTMENT_OTHER_INTENT = "appointment_other_intent" {
        in: [Success],
        acts: SalesforceUser,
        means: "An appointment was noted, but the report says that none was made (it is cancelled or pending, or the call was about something else), so there is no Event. The Task has what was noted.",
        remedy: "If an appointment was cancelled or moved, change its Event by hand.",
    }
    APPOINTMENT_IN_VOICEMAIL = "appointment_in_voicemail" {
        in: [Success],
        acts: SalesforceUser,
        means: "The call reached a voicemail, where nobody agreed to an appointment.",
        remedy: "Call again, or create the Event by hand.",
    }
    MORE_APPOINTMENTS = "more_appointments" {
        in: [Success],
        acts: SalesforceUser,
        means: "The report notes several appointments. The earliest has an Event; the Task lists the others.",
        remedy: "Create the others by hand.",
    }
    APPOINTMENT_DURATION_INVALID = "appointment_duration_invalid" {
        in: [Success],
        acts: Developer,
        means: "The appointment's length could not be read, so its Event has the default length.",
        remedy: "Correct this Event by hand.",
        runbook: "Tell the agent how to note the length ([vapi-setup.md](vapi-setup.md#5-appointments)).",
    }
    NUMBER_GIVEN_BY_CALLER = "number_given_by_caller" {
        in: [Success],
        acts: SalesforceUser,
        means: "The call had no number. The record was found by the number that the caller gave, which nobody has verified.",
        remedy: "If it is the wrong record, move the Task.",
        runbook: "The setting `useGivenNumber` allows this.",
    }
    APPOINTMENT_WITHDRAWN = "appointment_withdrawn" {
        in: [Success],
        acts: SalesforceUser,
        means: "A later report says that there is no appointment, but its Event is still in Salesforce.",
        remedy: "If the appointment is off, delete the Event.",
        runbook: "Ringlog does not delete it. The Task says so, too.",
    }
    => #[cfg(test)] ALL
}
