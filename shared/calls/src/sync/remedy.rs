//! What a person can do about a failure: Salesforce's words, and what to change in the org.

use crate::crm::{CrmError, FaultClass, WrittenObject};

/// Salesforce's code for both of its request limits.
pub(super) const REQUEST_LIMIT: &str = "REQUEST_LIMIT_EXCEEDED";

/// What a paused workspace's calls say.
pub(super) const PAUSED: &str = "Salesforce accepts no more requests of this org for now; its calls are logged when it does again. If it happens often, raise the org's API request limit.";

/// The beginning of an error code, the field that Salesforce blames, and what the admin of the org can do.
///
/// A field of `""` fits every failure with that code; [`NONE`] fits one that blames no field. [`Words`] take the place
/// of `{objects}` and the like in the text.
type Remedy = (&'static str, &'static str, &'static str);

/// Stands for a failure that blames no field.
const NONE: &str = "–";

const SESSION: &str = "The org refuses the app's sessions, new ones too. In Setup › Session Settings, turn off “Lock sessions to the IP address from which they originated”. Allow Ringlog's addresses in the user's Login IP Ranges and in the app's OAuth policies. If API Access Control is on, allow the app there. Then connect again and retry.";

const GONE: &str = "{lost} is gone or hidden from the connected user: give it read access, then retry.";

/// The codes (docs/salesforce-api.md#errors) that stay until somebody changes something. The first row that fits
/// counts.
const REMEDIES: &[Remedy] = &[
    (
        "API_DISABLED_FOR_ORG",
        "",
        "The org's Salesforce edition has no API, or the connected user lacks the permission “API Enabled”. Give the user the permission. If it has it: Professional Edition gets the API as an add-on from Salesforce, Essentials and Group Edition by an upgrade. Then retry.",
    ),
    (
        "API_CURRENTLY_DISABLED",
        "",
        "Give the connected user the permission “API Enabled”, in its profile or a permission set, then retry.",
    ),
    ("INVALID_SESSION_ID", "", SESSION),
    ("INVALID_AUTH_HEADER", "", SESSION),
    (
        "INVALID_OPERATION_WITH_EXPIRED_PASSWORD",
        "",
        "The connected user's password has expired: reset it, and give the user the permission “Password Never Expires”, then retry.",
    ),
    (
        "FIELD_CUSTOM_VALIDATION_EXCEPTION",
        "",
        "Change the validation rule, or exempt the connected user from it, then retry.",
    ),
    (
        "FIELD_FILTER_VALIDATION_EXCEPTION",
        NONE,
        "A lookup filter does not allow a value of the {object}: change the filter or make it optional, then retry.",
    ),
    (
        "FIELD_FILTER_VALIDATION_EXCEPTION",
        "",
        "The lookup filter of {fields} does not allow its value: change the filter or make it optional, then retry.",
    ),
    (
        "CANNOT_EXECUTE_FLOW_TRIGGER",
        "",
        "A flow failed on the {object}. Salesforce mails the details to the admin who last changed the flow; the Error ID in Salesforce's words, if there is one, finds that mail. Correct the flow, or make it skip the connected user, then retry.",
    ),
    (
        "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY",
        "",
        "A trigger or flow refused the {object}: change it, or exempt the connected user from it, then retry.",
    ),
    (
        "APEX_",
        "",
        "Apex code of the org failed on the {object}: correct it, or exempt the connected user from it, then retry.",
    ),
    (
        "REQUIRED_FIELD_MISSING",
        "",
        "The org requires a field that Ringlog does not fill: make it optional for {objects}, then retry.",
    ),
    (
        "FIELD_INTEGRITY_EXCEPTION",
        "",
        "A rule of the org does not allow these values together: change it for {objects}, then retry.",
    ),
    (
        "STRING_TOO_LONG",
        "",
        "A value is longer than its field: make the field of {objects} longer, or correct the flow or trigger that fills it, then retry.",
    ),
    (
        "INACTIVE_OWNER_OR_USER",
        "",
        "The {object} would belong to an inactive user: choose an active owner wherever the org sets it (a flow, trigger or assignment rule), then retry.",
    ),
    ("INSUFFICIENT_ACCESS", "", "Give the connected user {access}, then retry."),
    ("TXN_SECURITY_", "", "A transaction security policy blocks the connected user: exempt it, then retry."),
    ("ENTITY_IS_LOCKED", "", "The record is locked by an approval: unlock it, then retry."),
    ("ENTITY_IS_DELETED", "", "The record was deleted. Restore it or create it anew, then retry."),
    ("INVALID_CROSS_REFERENCE_KEY", NONE, GONE),
    ("INVALID_CROSS_REFERENCE_KEY", "WhoId", GONE),
    (
        "INVALID_CROSS_REFERENCE_KEY",
        "OwnerId",
        "The {object} may not belong to the owner that it gets. The owner has to be an active user who may own {objects}, or a queue for {objects}. Correct whatever sets the owner (a flow, trigger or assignment rule), then retry.",
    ),
    (
        "INVALID_CROSS_REFERENCE_KEY",
        "RecordTypeId",
        "The connected user may not use the record type of the {object}: activate the record type, and assign it to the user's profile or a permission set. Or correct the flow or trigger that sets it. Then retry.",
    ),
    (
        "INVALID_CROSS_REFERENCE_KEY",
        "",
        "{fields} of the {object} leads to a record that is gone or hidden from the connected user: correct the flow, trigger or default that sets it, or give the user read access, then retry.",
    ),
    (
        "CANNOT_UPDATE_CONVERTED_LEAD",
        "",
        "The Lead is converted. Give its Contact the caller's number, then retry.",
    ),
    ("STORAGE_LIMIT_EXCEEDED", "", "The org's data storage is full: free some or buy more, then retry."),
    ("INVALID_TYPE", "", "Give the connected user access to {reached}, then retry."),
    ("NOT_FOUND", "", "Give the connected user access to {reached}, then retry."),
    (
        "INVALID_FIELD",
        "",
        "Make the field visible to the connected user and editable by it (field-level security), then retry.",
    ),
    (
        "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
        "",
        "Add the value to the picklist of {objects}, then retry.",
    ),
    (
        "DUPLICATES_DETECTED",
        "",
        "A duplicate rule blocks the {object}: set its action on create to Allow, with or without an alert, at least for the connected user. Or give the record that the rule found the caller's number. Then retry.",
    ),
    (
        "UNABLE_TO_LOCK_ROW",
        "",
        "Something keeps the record locked, a long import for one: retry when it has ended.",
    ),
    (REQUEST_LIMIT, "", PAUSED),
    (
        "invalid_client",
        "",
        "Salesforce refuses the deployment's client id or secret: the operator of Ringlog has to correct it.",
    ),
];

/// For codes that no org can do anything about.
const OTHERWISE: &str = "Retry; if it stays, tell the operator of Ringlog the error code.";

/// How a remedy speaks of the object that was refused.
struct Words {
    /// One of them.
    object: &'static str,
    /// All of them.
    objects: &'static str,
    /// What the connected user needs to write one.
    access: &'static str,
    /// What the connected user must be able to reach.
    reached: &'static str,
    /// What is missing when Salesforce does not say which field leads there.
    lost: &'static str,
}

impl Words {
    fn of(object: Option<WrittenObject>) -> Self {
        match object {
            Some(WrittenObject::Task) => Self {
                object: "Task",
                objects: "Tasks",
                access: "read access to the record, and the permission “Edit Tasks”",
                reached: "Tasks",
                lost: "The record",
            },
            Some(WrittenObject::Event) => Self {
                object: "Event",
                objects: "Events",
                access: "read access to the record, and the permission “Edit Events”",
                reached: "Events",
                lost: "The record",
            },
            Some(WrittenObject::Lead) => Self {
                object: "Lead",
                objects: "Leads",
                access: "the permission “Create” on Leads",
                reached: "Leads",
                lost: "What a flow, trigger or default of the org gives the Lead",
            },
            None => Self {
                object: "activity",
                objects: "Tasks and Events",
                access: "read access to the record, and the permissions “Edit Tasks” and “Edit Events”",
                reached: "Leads, Contacts, Tasks and Events",
                lost: "The record",
            },
        }
    }

    fn put_into(&self, text: &str, fields: &[String]) -> String {
        text.replace("{object}", self.object)
            .replace("{objects}", self.objects)
            .replace("{access}", self.access)
            .replace("{reached}", self.reached)
            .replace("{lost}", self.lost)
            .replace("{fields}", &fields.join(", "))
    }
}

/// What a failure means for people.
pub(super) fn explain(error: &CrmError) -> String {
    if error.status.is_none() && ["timeout", "connection"].contains(&error.code.as_str()) {
        return "Salesforce could not be reached or did not answer in time.".to_owned();
    }
    if error.class == FaultClass::AddressGone {
        return "No Salesforce org answers at the login address of this connection. If the org's My Domain was renamed, connect again with the new one.".to_owned();
    }
    let remedy = REMEDIES.iter().find(|row| fits(row, error)).map_or(OTHERWISE, |(_, _, remedy)| remedy);
    let remedy = Words::of(error.object).put_into(remedy, &error.fields);
    let message = error.message.trim_end();
    let stop = if message.ends_with(['.', '!', '?']) { "" } else { "." };
    format!("Salesforce: {message}{stop} {remedy}")
}

fn fits((code, field, _): &Remedy, error: &CrmError) -> bool {
    let blames = match *field {
        "" => true,
        NONE => error.fields.is_empty(),
        field => error.fields.iter().any(|blamed| blamed == field),
    };
    error.code.starts_with(code) && blames
}

#[cfg(test)]
mod tests {
    use super::*;

    const OBJECTS: [Option<WrittenObject>; 4] =
        [None, Some(WrittenObject::Task), Some(WrittenObject::Event), Some(WrittenObject::Lead)];

    fn refused(code: &str, object: Option<WrittenObject>, fields: &[&str]) -> String {
        explain(&CrmError {
            class: FaultClass::Permanent,
            code: code.to_owned(),
            message: "No".to_owned(),
            fields: fields.iter().map(|field| (*field).to_owned()).collect(),
            status: Some(400),
            object,
            records: Vec::new(),
        })
    }

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
        for (code, field, remedy) in REMEDIES {
            let fields: &[&str] = match *field {
                NONE => &[],
                "" => &["Custom__c"],
                field => &[field],
            };
            let named: Vec<String> = fields.iter().map(|field| (*field).to_owned()).collect();
            for object in OBJECTS {
                let remedy = Words::of(object).put_into(remedy, &named);
                assert!(refused(code, object, fields).ends_with(&remedy), "{code} {fields:?} {object:?}");
                assert!(!remedy.contains(['{', '}']), "{remedy}");
            }
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
    fn a_remedy_speaks_of_the_object_that_was_refused() {
        for (object, required, access, trigger) in [
            (None, "for Tasks and Events", "“Edit Tasks” and “Edit Events”", "refused the activity"),
            (Some(WrittenObject::Task), "for Tasks,", "“Edit Tasks”,", "refused the Task"),
            (Some(WrittenObject::Event), "for Events,", "“Edit Events”,", "refused the Event"),
            (Some(WrittenObject::Lead), "for Leads,", "“Create” on Leads,", "refused the Lead"),
        ] {
            for (code, words) in [
                ("REQUIRED_FIELD_MISSING", required),
                ("INSUFFICIENT_ACCESS_OR_READONLY", access),
                ("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", trigger),
            ] {
                let said = refused(code, object, &[]);
                assert!(said.contains(words), "{object:?} {code}: {said}");
            }
        }
        for (code, _, _) in REMEDIES {
            let said = refused(code, Some(WrittenObject::Lead), &[]);
            assert!(!said.contains("Task") && !said.contains("Event"), "{code}: {said}");
        }
    }

    #[test]
    fn a_bad_reference_is_about_the_field_that_is_blamed() {
        let said =
            |fields: &[&str]| refused("INVALID_CROSS_REFERENCE_KEY", Some(WrittenObject::Task), fields);
        for fields in [&[][..], &["WhoId"]] {
            assert!(said(fields).contains("The record is gone or hidden"), "{fields:?}");
        }
        for (fields, words) in [
            (["OwnerId"], "an active user who may own Tasks"),
            (["RecordTypeId"], "activate the record type"),
            (["Campaign__c"], "Campaign__c of the Task leads to a record"),
        ] {
            let said = said(&fields);
            assert!(said.contains(words) && !said.contains("The record is gone"), "{fields:?}: {said}");
        }
    }

    #[test]
    fn an_edition_without_the_api_is_told_from_a_user_without_it() {
        assert!(refused("API_DISABLED_FOR_ORG", None, &[]).contains("edition has no API, or"));
        let user = refused("API_CURRENTLY_DISABLED", None, &[]);
        assert!(user.contains("“API Enabled”") && !user.contains("edition"), "{user}");
    }

    #[test]
    fn a_duplicate_rule_is_to_allow_and_an_alert_does_no_harm() {
        let said = refused("DUPLICATES_DETECTED", Some(WrittenObject::Lead), &[]);
        assert!(said.contains("blocks the Lead") && said.contains("with or without an alert"), "{said}");
    }

    #[test]
    fn a_code_that_nobody_knows_says_whom_to_tell() {
        assert!(explained("SOMETHING_NEW", "Odd", Some(400)).ends_with(OTHERWISE));
        assert!(!explained("timeout", "no answer in time", None).contains("retry"));
    }
}
