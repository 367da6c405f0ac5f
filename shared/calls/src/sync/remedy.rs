//! What a person can do about a failure: Salesforce's words, and what to change in the org.

use crate::crm::CrmError;

/// Salesforce's code for both of its request limits.
pub(super) const REQUEST_LIMIT: &str = "REQUEST_LIMIT_EXCEEDED";

/// What a paused workspace's calls say.
pub(super) const PAUSED: &str = "Salesforce accepts no more requests of this org for now; its calls are logged when it does again. If it happens often, raise the org's API request limit.";

/// A row: the beginning of error codes, and what the admin of the org can do.
type Remedy = (&'static str, &'static str);

/// The codes of salesforce.md §6 that stay until somebody changes something. The first row that fits counts.
const REMEDIES: &[Remedy] = &[
    ("API_", "Enable the API for the connected user's profile (permission “API Enabled”), then retry."),
    (
        "INVALID_SESSION_ID",
        "The connected app may not use the REST API: check its OAuth policies and the user's, then connect again.",
    ),
    (
        "FIELD_CUSTOM_VALIDATION_EXCEPTION",
        "Change the validation rule, or exempt the connected user from it, then retry.",
    ),
    (
        "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY",
        "A trigger or flow refused the activity: change it, or exempt the connected user from it, then retry.",
    ),
    (
        "REQUIRED_FIELD_MISSING",
        "The org requires a field that Ringlog does not fill: make it optional for Tasks and Events, then retry.",
    ),
    (
        "FIELD_INTEGRITY_EXCEPTION",
        "A rule of the org does not allow these values together: change it for Tasks and Events, then retry.",
    ),
    (
        "INSUFFICIENT_ACCESS",
        "Give the connected user read access to the record, and the permission to create and edit Tasks and Events, then retry.",
    ),
    (
        "TXN_SECURITY_NO_ACCESS",
        "A transaction security policy blocks the connected user: exempt it, then retry.",
    ),
    ("ENTITY_IS_LOCKED", "The record is locked by an approval: unlock it, then retry."),
    ("ENTITY_IS_DELETED", "The record was deleted. Restore it or create it anew, then retry."),
    (
        "INVALID_CROSS_REFERENCE_KEY",
        "The record is gone or hidden from the connected user: give it read access, then retry.",
    ),
    (
        "CANNOT_UPDATE_CONVERTED_LEAD",
        "The Lead is converted. Give its Contact the caller's number, then retry.",
    ),
    ("STORAGE_LIMIT_EXCEEDED", "The org's data storage is full: free some, then retry."),
    (
        "INVALID_TYPE",
        "Give the connected user read access to Leads and Contacts, and access to Tasks and Events, then retry.",
    ),
    (
        "NOT_FOUND",
        "The connected user cannot reach the object: give it access to Leads, Contacts, Tasks and Events, then retry.",
    ),
    (
        "INVALID_FIELD",
        "Make the field visible to the connected user and editable by it (field-level security), then retry.",
    ),
    (
        "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
        "Add the value to the picklist of Tasks or Events, then retry.",
    ),
    (
        "DUPLICATES_DETECTED",
        "A duplicate rule blocks the record: let it allow records with an alert, then retry.",
    ),
    (
        "UNABLE_TO_LOCK_ROW",
        "Something keeps the record locked, a long import for one: retry when it has ended.",
    ),
    (REQUEST_LIMIT, PAUSED),
    (
        "invalid_client",
        "Salesforce refuses the deployment's client id or secret: the operator of Ringlog has to correct it.",
    ),
];

/// For codes that no org can do anything about.
const OTHERWISE: &str = "Retry; if it stays, tell the operator of Ringlog the error code.";

/// What a failure means for people.
pub(super) fn explain(error: &CrmError) -> String {
    if error.status.is_none() && ["timeout", "connection"].contains(&error.code.as_str()) {
        return "Salesforce could not be reached or did not answer in time.".to_owned();
    }
    let fits = |(code, _): &&Remedy| error.code.starts_with(code);
    let remedy = REMEDIES.iter().find(fits).map_or(OTHERWISE, |(_, remedy)| remedy);
    let message = error.message.trim_end();
    let stop = if message.ends_with(['.', '!', '?']) { "" } else { "." };
    format!("Salesforce: {message}{stop} {remedy}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crm::FaultClass;

    fn explained(code: &str, message: &str, status: Option<u16>) -> String {
        explain(&CrmError {
            class: FaultClass::Permanent,
            code: code.to_owned(),
            message: message.to_owned(),
            fields: Vec::new(),
            status,
            object: None,
            records: Vec::new(),
        })
    }

    #[test]
    fn every_remedy_is_reached() {
        for (code, remedy) in REMEDIES {
            assert!(explained(code, "No", Some(400)).ends_with(remedy), "{code}");
        }
    }

    #[test]
    fn salesforces_words_come_first_and_then_what_to_do() {
        assert_eq!(
            explained("FIELD_CUSTOM_VALIDATION_EXCEPTION", "Calls need a campaign", Some(400)),
            "Salesforce: Calls need a campaign. Change the validation rule, or exempt the connected user from it, then retry."
        );
        assert!(
            explained(
                "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY",
                "insufficient access rights.",
                Some(400)
            )
            .starts_with("Salesforce: insufficient access rights. Give the connected user")
        );
    }

    #[test]
    fn a_code_that_nobody_knows_says_whom_to_tell() {
        assert!(explained("SOMETHING_NEW", "Odd", Some(400)).ends_with(OTHERWISE));
        assert!(!explained("timeout", "no answer in time", None).contains("retry"));
    }
}
