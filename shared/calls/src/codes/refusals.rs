//! What an org refuses until its admin changes something: Salesforce says why, and this table what to change. Such a
//! call is an `error`, or without its Event.

use Blames::{Any, Field, Nothing};

/// A refusal (docs/salesforce-api.md#errors), and what the org's admin can do.
pub struct Refusal {
    /// The beginning of Salesforce's code.
    pub code: &'static str,
    /// The field that Salesforce blames.
    pub blames: Blames,
    /// Its blanks are filled with words for the refused object (`crm::outcome`).
    pub remedy: &'static str,
}

const fn refusal(code: &'static str, blames: Blames, remedy: &'static str) -> Refusal {
    Refusal { code, blames, remedy }
}

/// The field that Salesforce blames.
pub enum Blames {
    /// Whichever, or none.
    Any,
    /// None.
    Nothing,
    /// This one.
    Field(&'static str),
}

const GONE: &str = "{lost} is gone or hidden from the connected user: give it read access, then retry.";

/// All of them. The first that fits counts.
pub const ALL: &[Refusal] = &[
    refusal(
        "API_DISABLED_FOR_ORG",
        Any,
        "The org's Salesforce edition has no API, or the connected user lacks the permission “API Enabled”. Give the user the permission. If the user has it: Professional Edition gets the API as an add-on from Salesforce, Essentials and Group Edition by an upgrade. Then retry.",
    ),
    refusal(
        "API_CURRENTLY_DISABLED",
        Any,
        "Give the connected user the permission “API Enabled”, in its profile or a permission set, then retry.",
    ),
    refusal(
        "INVALID_OPERATION_WITH_EXPIRED_PASSWORD",
        Any,
        "The connected user's password has expired: reset it, and give the user the permission “Password Never Expires”, then retry.",
    ),
    refusal(
        "FIELD_CUSTOM_VALIDATION_EXCEPTION",
        Any,
        "Change the validation rule, or exempt the connected user from it, then retry.",
    ),
    refusal(
        "FIELD_FILTER_VALIDATION_EXCEPTION",
        Nothing,
        "A lookup filter does not allow a value of the {object}: change the filter or make it optional, then retry.",
    ),
    refusal(
        "FIELD_FILTER_VALIDATION_EXCEPTION",
        Any,
        "The lookup filter of {fields} does not allow its value: change the filter or make it optional, then retry.",
    ),
    refusal(
        "CANNOT_EXECUTE_FLOW_TRIGGER",
        Any,
        "A flow failed on the {object}. Salesforce mails the details to the admin who last changed the flow; the Error ID in Salesforce's words, if there is one, finds that mail. Correct the flow, or make it skip the connected user, then retry.",
    ),
    refusal(
        "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY",
        Any,
        "A trigger or flow refused the {object}: change it, or exempt the connected user from it, then retry.",
    ),
    refusal(
        "APEX_",
        Any,
        "Apex code of the org failed on the {object}: correct it, or exempt the connected user from it, then retry.",
    ),
    refusal(
        "REQUIRED_FIELD_MISSING",
        Any,
        "The org requires a field that Ringlog does not fill: make it optional for {objects}, then retry.",
    ),
    refusal(
        "FIELD_INTEGRITY_EXCEPTION",
        Any,
        "A rule of the org does not allow these values together: change it for {objects}, then retry.",
    ),
    refusal(
        "STRING_TOO_LONG",
        Any,
        "A value is longer than its field: make the field of {objects} longer, or correct the flow or trigger that fills it, then retry.",
    ),
    refusal(
        "INACTIVE_OWNER_OR_USER",
        Any,
        "The {object} would belong to an inactive user: choose an active owner wherever the org sets it (a flow, trigger or assignment rule), then retry.",
    ),
    refusal("INSUFFICIENT_ACCESS", Any, "Give the connected user {access}, then retry."),
    refusal(
        "TXN_SECURITY_",
        Any,
        "A transaction security policy blocks the connected user: exempt it, then retry.",
    ),
    refusal("ENTITY_IS_LOCKED", Any, "The record is locked by an approval: unlock it, then retry."),
    refusal("ENTITY_IS_DELETED", Any, "The record was deleted. Restore it or create it again, then retry."),
    refusal("INVALID_CROSS_REFERENCE_KEY", Nothing, GONE),
    refusal("INVALID_CROSS_REFERENCE_KEY", Field("WhoId"), GONE),
    refusal(
        "INVALID_CROSS_REFERENCE_KEY",
        Field("OwnerId"),
        "The {object} may not belong to the owner that it gets. The owner has to be an active user who may own {objects}, or a queue for {objects}. Correct whatever sets the owner (a flow, trigger or assignment rule), then retry.",
    ),
    refusal(
        "INVALID_CROSS_REFERENCE_KEY",
        Field("RecordTypeId"),
        "The connected user may not use the record type of the {object}: activate the record type, and assign it to the user's profile or a permission set. Or correct the flow or trigger that sets it. Then retry.",
    ),
    refusal(
        "INVALID_CROSS_REFERENCE_KEY",
        Any,
        "{fields} of the {object} leads to a record that is gone or hidden from the connected user: correct the flow, trigger or default that sets it, or give the user read access, then retry.",
    ),
    refusal(
        "CANNOT_UPDATE_CONVERTED_LEAD",
        Any,
        "The Lead is converted. Give its Contact the caller's number, then retry.",
    ),
    refusal(
        "STORAGE_LIMIT_EXCEEDED",
        Any,
        "The org's data storage is full: free some or buy more, then retry.",
    ),
    refusal("INVALID_TYPE", Any, "Give the connected user access to {reached}, then retry."),
    refusal("NOT_FOUND", Any, "Give the connected user access to {reached}, then retry."),
    refusal(
        "INVALID_FIELD",
        Any,
        "Make the field visible to the connected user and editable by it (field-level security), then retry.",
    ),
    refusal(
        "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
        Any,
        "Add the value to the picklist of {objects}, then retry.",
    ),
    refusal(
        "DUPLICATES_DETECTED",
        Any,
        "A duplicate rule blocks the {object}: set its action on create to Allow, with or without an alert, at least for the connected user. Or give the record that the rule found the caller's number. Then retry.",
    ),
];
