//! What a person can do about a failure: what happened, in Salesforce's words if there are any, and what to change.

use calls::codes::{self, faults, reasons, salesforce, salesforce::KnownError};

use crate::records::{CrmError, FaultClass, WrittenObject};

/// Explains a failure to people. The row says whether it is retried.
pub(super) fn explain(error: &CrmError) -> String {
    let fault = faults::ALL.iter().find(|fault| error.code.starts_with(fault.code));
    match (error.class, fault) {
        (FaultClass::AddressGone, _) => faults::ADDRESS_GONE.to_owned(),
        (FaultClass::GrantEnded, _) => in_salesforces_words(error, reasons::RECONNECT_REQUIRED.remedy),
        // There was no response, so there are no words of Salesforce's.
        (_, Some(fault)) if error.status.is_none() => fault.text(),
        (_, Some(fault)) => in_salesforces_words(error, &fault.text()),
        (_, None) => in_salesforces_words(error, &remedy(error)),
    }
}

fn in_salesforces_words(error: &CrmError, remedy: &str) -> String {
    let message = error.message.trim_end();
    let stop = if message.ends_with(['.', '!', '?']) { "" } else { "." };
    format!("Salesforce: {message}{stop} {remedy}").trim_end().to_owned()
}

/// What to change in the org. There is nothing to say about faults that pass and have no entry.
fn remedy(error: &CrmError) -> String {
    match KnownError::find(salesforce::REST, &error.code, &error.message, &error.fields) {
        Some(known) => Words::of(error.object).fill(known.remedy, &error.fields),
        None if error.class.passes() => String::new(),
        None => codes::OTHERWISE.to_owned(),
    }
}

/// A remedy's words for the refused object.
struct Words {
    /// The singular.
    object: &'static str,
    /// The plural.
    objects: &'static str,
    /// What the connected user needs to write one.
    access: &'static str,
    /// What the connected user must have access to.
    reached: &'static str,
    /// What is missing, when Salesforce does not name the field that refers to it.
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

    fn fill(&self, text: &str, fields: &[String]) -> String {
        codes::fill(
            text,
            &[
                ("object", self.object),
                ("objects", self.objects),
                ("access", self.access),
                ("reached", self.reached),
                ("lost", self.lost),
                ("fields", &fields.join(", ")),
            ],
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use calls::codes::{OTHERWISE, salesforce::Blames};

    const OBJECTS: [Option<WrittenObject>; 4] =
        [None, Some(WrittenObject::Task), Some(WrittenObject::Event), Some(WrittenObject::Lead)];

    fn refusals() -> impl Iterator<Item = &'static KnownError> {
        salesforce::REST.iter().filter(|known| !known.remedy.is_empty())
    }

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
    fn every_remedy_is_used() {
        for refusal in refusals() {
            let code = refusal.code;
            let fields: &[&str] = match refusal.blames {
                Blames::Nothing => &[],
                Blames::Any => &["Custom__c"],
                Blames::Field(field) => &[field],
            };
            let named: Vec<String> = fields.iter().map(|field| (*field).to_owned()).collect();
            for object in OBJECTS {
                let remedy = Words::of(object).fill(refusal.remedy, &named);
                assert!(refused(code, object, fields).ends_with(&remedy), "{code} {fields:?} {object:?}");
                assert!(!remedy.contains(['{', '}']), "{remedy}");
            }
        }
        for fault in faults::ALL {
            assert!(refused(fault.code, None, &[]).ends_with(&fault.text()), "{fault:?}");
        }
    }

    #[test]
    fn salesforces_words_come_before_the_remedy() {
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
    fn a_remedy_names_the_refused_object() {
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
        for code in refusals().map(|refusal| refusal.code) {
            let said = refused(code, Some(WrittenObject::Lead), &[]);
            assert!(!said.contains("Task") && !said.contains("Event"), "{code}: {said}");
        }
    }

    #[test]
    fn a_bad_references_remedy_depends_on_the_blamed_field() {
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
    fn an_edition_without_the_api_differs_from_a_user_without_it() {
        assert!(refused("API_DISABLED_FOR_ORG", None, &[]).contains("edition has no API, or"));
        let user = refused("API_CURRENTLY_DISABLED", None, &[]);
        assert!(user.contains("“API Enabled”") && !user.contains("edition"), "{user}");
    }

    #[test]
    fn a_duplicate_rule_should_allow_with_or_without_an_alert() {
        let said = refused("DUPLICATES_DETECTED", Some(WrittenObject::Lead), &[]);
        assert!(said.contains("blocks the Lead") && said.contains("with or without an alert"), "{said}");
    }

    #[test]
    fn an_unknown_code_says_to_contact_support() {
        assert!(explained("SOMETHING_NEW", "Odd", Some(400)).ends_with(OTHERWISE));
        assert!(!explained("timeout", "no answer in time", None).contains("retry"));
    }

    #[test]
    fn a_failure_without_a_response_is_told_in_ringlogs_words() {
        let said = explained("login_url_refused", "the login URL must be …", None);
        assert!(!said.contains("Salesforce:") && !said.contains("must be"), "{said}");
        let said = explained("http_502", "answered 502 without a reason", Some(502));
        assert!(
            said.starts_with("Salesforce: answered 502 without a reason. Salesforce responded"),
            "{said}"
        );
    }

    #[test]
    fn nobody_is_told_to_retry_a_passing_fault() {
        let passing = |code: &str| {
            explain(&CrmError {
                class: FaultClass::Passing,
                code: code.to_owned(),
                message: "Odd".to_owned(),
                fields: Vec::new(),
                status: Some(503),
                object: None,
                records: Vec::new(),
            })
        };
        assert_eq!(passing("SERVER_UNAVAILABLE"), "Salesforce: Odd.");
        for code in ["invalid_grant", "rate_limit_exceeded", "UNABLE_TO_LOCK_ROW", "too_many_new_records"] {
            assert!(!passing(code).to_lowercase().contains("retry"), "{}", passing(code));
        }
    }
}
