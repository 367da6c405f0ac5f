//! Salesforce's own error codes (docs/salesforce-api.md#errors): what each means for an attempt, who fixes it and what
//! they change. Codes that Ringlog explains in words of its own have their texts in [`faults`].

use super::{Acts, faults};
use Acts::{SalesforceAdmin, SalesforceUser};
use Blames::{Any, Field, Nothing};
use FaultClass::{
    ConcurrentLimit, DailyLimit, FieldRefused, GrantDoubtful, GrantEnded, OwnConfiguration, Passing,
    Permanent, RecordGone, Session,
};
use Meaning::{ByStatus, Is, Unclear};

/// What a Salesforce failure means for the current work (docs/salesforce-api.md#errors).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultClass {
    /// Temporary, and nothing was written: retrying is safe.
    Passing,
    /// A write may or may not have been committed: look before writing again.
    Ambiguous,
    /// Permanent until somebody changes something in Salesforce.
    Permanent,
    /// The access token is no longer valid; a refreshed one may be.
    Session,
    /// The refresh token is no longer valid: a user has to reconnect.
    GrantEnded,
    /// Salesforce rejects our client id or secret: the deployment is misconfigured, not the workspace.
    OwnConfiguration,
    /// Too many concurrent requests in this org: passes within minutes.
    ConcurrentLimit,
    /// The org's daily requests are used up: passes within hours.
    DailyLimit,
    /// The record is deleted, converted or not visible: search again.
    RecordGone,
    /// A field or its value is refused; `fields` names it.
    FieldRefused,
    /// Somebody changed the activity after it was read: read it again.
    Stale,
    /// The refresh token was rejected with an error that temporary problems cause too: ask again before ending the
    /// grant.
    GrantDoubtful,
    /// Nothing responds at the token endpoint's address any more: the org's My Domain may have been renamed.
    AddressGone,
}

impl FaultClass {
    /// Whether Salesforce refuses what was sent, so that sending it again is futile.
    pub fn refuses(self) -> bool {
        matches!(self, Self::Permanent | Self::FieldRefused)
    }

    /// Whether it may pass without anybody's action.
    pub fn passes(self) -> bool {
        !matches!(self, Self::Permanent | Self::FieldRefused | Self::RecordGone | Self::GrantEnded)
    }
}

/// What an error code means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meaning {
    /// The request had no effect, or was rolled back.
    Is(FaultClass),
    /// The request may have taken effect.
    Unclear,
    /// What the response's HTTP status means.
    ByStatus,
}

/// The field that Salesforce blames.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Blames {
    /// Whichever, or none.
    Any,
    /// None.
    Nothing,
    /// This one.
    Field(&'static str),
}

/// An error of Salesforce's whose meaning is known.
#[derive(Debug)]
pub struct KnownError {
    /// The beginning of its code, in either case; empty: any code.
    pub code: &'static str,
    /// A part of its message, in lower case; empty: any message.
    pub says: &'static str,
    /// The field that it blames.
    pub blames: Blames,
    /// What it means for an attempt.
    pub meaning: Meaning,
    /// Who fixes it.
    pub acts: Acts,
    /// What they change, with blanks for words about the refused object (`crm::outcome`). Empty if it passes, or if
    /// [`faults`] has the text.
    pub remedy: &'static str,
}

impl KnownError {
    /// The first row of a table that fits an error.
    pub fn find(
        table: &'static [Self],
        code: &str,
        message: &str,
        fields: &[String],
    ) -> Option<&'static Self> {
        let message = message.to_lowercase();
        table.iter().find(|known| {
            let blames = match known.blames {
                Any => true,
                Nothing => fields.is_empty(),
                Field(name) => fields.iter().any(|field| field == name),
            };
            let begins =
                code.get(..known.code.len()).is_some_and(|code| code.eq_ignore_ascii_case(known.code));
            blames && begins && message.contains(known.says)
        })
    }
}

/// An error that no admin has to act on, or that [`faults`] explains.
const fn fault(code: &'static str, says: &'static str, meaning: Meaning) -> KnownError {
    KnownError { code, says, blames: Any, meaning, acts: Acts::Nobody, remedy: "" }
}

/// What an org refuses until somebody changes something in it: the call is an `error`, or without its Event.
const fn refusal(
    code: &'static str,
    blames: Blames,
    meaning: Meaning,
    acts: Acts,
    remedy: &'static str,
) -> KnownError {
    KnownError { code, says: "", blames, meaning, acts, remedy }
}

/// A query takes Salesforce longer than it allows.
pub const QUERY_TIMEOUT: &str = "QUERY_TIMEOUT";

const GONE: &str = "{lost} is gone or hidden from the connected user: give it read access, then retry.";
const CONVERTED: &str = "The Lead is converted. Give its Contact the caller's number, then retry.";
const DELETED: &str = "The record was deleted. Restore it or create it again, then retry.";

/// The errors of the REST API. The first that fits counts; an error that is not here means what its HTTP status does.
pub const REST: &[KnownError] = &[
    // A refresh does not help with these two, and would be repeated forever.
    fault(faults::INVALID_SESSION_ID.code, "not valid for use with the rest api", Is(Permanent)),
    fault(faults::INVALID_SESSION_ID.code, "not attached to agent", Is(Permanent)),
    fault(faults::INVALID_SESSION_ID.code, "", Is(Session)),
    fault(faults::INVALID_AUTH_HEADER.code, "", Is(Session)),
    fault("Bad_OAuth_Token", "", Is(Session)),
    fault(faults::REQUEST_LIMIT_EXCEEDED.code, "concurrent", Is(ConcurrentLimit)),
    fault(faults::REQUEST_LIMIT_EXCEEDED.code, "", Is(DailyLimit)),
    fault(faults::UNABLE_TO_LOCK_ROW.code, "", Is(Passing)),
    // A trigger that met the lock.
    fault("", "unable_to_lock_row", Is(Passing)),
    // Another subrequest is to blame. Seen on its own only if Salesforce does not say which.
    fault("PROCESSING_HALTED", "", Is(Passing)),
    fault("INSERT_UPDATE_DELETE_NOT_ALLOWED_DURING_MAINTENANCE", "", Is(Passing)),
    fault(QUERY_TIMEOUT, "", Unclear),
    fault("UNKNOWN_EXCEPTION", "", Unclear),
    fault("SERVER_UNAVAILABLE", "", Unclear),
    refusal(
        "API_DISABLED_FOR_ORG",
        Any,
        ByStatus,
        SalesforceAdmin,
        "The org's Salesforce edition has no API, or the connected user lacks the permission “API Enabled”. Give the user the permission. If the user has it: Professional Edition gets the API as an add-on from Salesforce, Essentials and Group Edition by an upgrade. Then retry.",
    ),
    refusal(
        "API_CURRENTLY_DISABLED",
        Any,
        ByStatus,
        SalesforceAdmin,
        "Give the connected user the permission “API Enabled”, in its profile or a permission set, then retry.",
    ),
    refusal(
        "INVALID_OPERATION_WITH_EXPIRED_PASSWORD",
        Any,
        ByStatus,
        SalesforceAdmin,
        "The connected user's password has expired: reset it, and give the user the permission “Password Never Expires”, then retry.",
    ),
    refusal(
        "FIELD_CUSTOM_VALIDATION_EXCEPTION",
        Any,
        ByStatus,
        SalesforceAdmin,
        "Change the validation rule, or exempt the connected user from it, then retry.",
    ),
    refusal(
        "FIELD_FILTER_VALIDATION_EXCEPTION",
        Nothing,
        ByStatus,
        SalesforceAdmin,
        "A lookup filter does not allow a value of the {object}: change the filter or make it optional, then retry.",
    ),
    refusal(
        "FIELD_FILTER_VALIDATION_EXCEPTION",
        Any,
        ByStatus,
        SalesforceAdmin,
        "The lookup filter of {fields} does not allow its value: change the filter or make it optional, then retry.",
    ),
    refusal(
        "CANNOT_EXECUTE_FLOW_TRIGGER",
        Any,
        ByStatus,
        SalesforceAdmin,
        "A flow failed on the {object}. Salesforce e-mails the details to the admin who last changed the flow; the Error ID in Salesforce's words, if there is one, identifies that e-mail. Correct the flow, or make it skip the connected user, then retry.",
    ),
    refusal(
        "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY",
        Any,
        ByStatus,
        SalesforceAdmin,
        "A trigger or flow refused the {object}: change it, or exempt the connected user from it, then retry.",
    ),
    refusal(
        "APEX_",
        Any,
        ByStatus,
        SalesforceAdmin,
        "Apex code of the org failed on the {object}: correct it, or exempt the connected user from it, then retry.",
    ),
    refusal(
        "REQUIRED_FIELD_MISSING",
        Any,
        ByStatus,
        SalesforceAdmin,
        "The org requires a field that Ringlog does not fill: make it optional for {objects}, then retry.",
    ),
    refusal(
        "FIELD_INTEGRITY_EXCEPTION",
        Any,
        ByStatus,
        SalesforceAdmin,
        "A rule of the org does not allow these values together: change it for {objects}, then retry.",
    ),
    refusal(
        "STRING_TOO_LONG",
        Any,
        ByStatus,
        SalesforceAdmin,
        "A value is longer than its field: make the field of {objects} longer, or correct the flow or trigger that fills it, then retry.",
    ),
    refusal(
        "INACTIVE_OWNER_OR_USER",
        Any,
        ByStatus,
        SalesforceAdmin,
        "The {object} would belong to an inactive user: choose an active owner wherever the org sets it (a flow, trigger or assignment rule), then retry.",
    ),
    refusal(
        "INSUFFICIENT_ACCESS",
        Any,
        ByStatus,
        SalesforceAdmin,
        "Give the connected user {access}, then retry.",
    ),
    refusal(
        "TXN_SECURITY_",
        Any,
        ByStatus,
        SalesforceAdmin,
        "A transaction security policy blocks the connected user: exempt it, then retry.",
    ),
    refusal(
        "ENTITY_IS_LOCKED",
        Any,
        ByStatus,
        SalesforceUser,
        "The record is locked by an approval: unlock it, then retry.",
    ),
    refusal("ENTITY_IS_DELETED", Nothing, Is(RecordGone), SalesforceUser, DELETED),
    refusal("ENTITY_IS_DELETED", Field("WhoId"), Is(RecordGone), SalesforceUser, DELETED),
    // An owner, for example.
    refusal("ENTITY_IS_DELETED", Any, Is(Permanent), SalesforceUser, DELETED),
    refusal("INVALID_CROSS_REFERENCE_KEY", Nothing, Is(RecordGone), SalesforceAdmin, GONE),
    refusal("INVALID_CROSS_REFERENCE_KEY", Field("WhoId"), Is(RecordGone), SalesforceAdmin, GONE),
    refusal(
        "INVALID_CROSS_REFERENCE_KEY",
        Field("OwnerId"),
        Is(Permanent),
        SalesforceAdmin,
        "The {object} may not belong to the owner that it gets. The owner has to be an active user who may own {objects}, or a queue for {objects}. Correct whatever sets the owner (a flow, trigger or assignment rule), then retry.",
    ),
    refusal(
        "INVALID_CROSS_REFERENCE_KEY",
        Field("RecordTypeId"),
        Is(Permanent),
        SalesforceAdmin,
        "The connected user may not use the record type of the {object}: activate the record type, and assign it to the user's profile or a permission set. Or correct the flow or trigger that sets it. Then retry.",
    ),
    refusal(
        "INVALID_CROSS_REFERENCE_KEY",
        Any,
        Is(Permanent),
        SalesforceAdmin,
        "{fields} of the {object} leads to a record that is gone or hidden from the connected user: correct the flow, trigger or default that sets it, or give the user read access, then retry.",
    ),
    refusal("CANNOT_UPDATE_CONVERTED_LEAD", Nothing, Is(RecordGone), SalesforceUser, CONVERTED),
    refusal("CANNOT_UPDATE_CONVERTED_LEAD", Field("WhoId"), Is(RecordGone), SalesforceUser, CONVERTED),
    refusal("CANNOT_UPDATE_CONVERTED_LEAD", Any, Is(Permanent), SalesforceUser, CONVERTED),
    refusal(
        "STORAGE_LIMIT_EXCEEDED",
        Any,
        ByStatus,
        SalesforceAdmin,
        "The org's data storage is full: free up space or buy more, then retry.",
    ),
    refusal(
        "INVALID_TYPE",
        Any,
        ByStatus,
        SalesforceAdmin,
        "Give the connected user access to {reached}, then retry.",
    ),
    refusal(
        "NOT_FOUND",
        Any,
        ByStatus,
        SalesforceAdmin,
        "Give the connected user access to {reached}, then retry.",
    ),
    refusal(
        "INVALID_FIELD",
        Any,
        Is(FieldRefused),
        SalesforceAdmin,
        "Make the field visible to the connected user and editable by it (field-level security), then retry.",
    ),
    refusal(
        "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
        Any,
        Is(FieldRefused),
        SalesforceAdmin,
        "Add the value to the picklist of {objects}, then retry.",
    ),
    refusal(
        "DUPLICATES_DETECTED",
        Any,
        ByStatus,
        SalesforceAdmin,
        "A duplicate rule blocks the {object}: set its action on create to Allow, with or without an alert, at least for the connected user. Or give the record that the rule found the caller's number. Then retry.",
    ),
];

/// The errors of the token endpoint, except 5xx, which never ends a grant.
pub const OAUTH: &[KnownError] = &[
    fault("", "already being processed", Is(Passing)),
    fault(faults::RATE_LIMIT_EXCEEDED.code, "", Is(Passing)),
    fault("", "rate exceeded", Is(Passing)),
    // An admin's restrictions come and go; the grant remains.
    fault(faults::INVALID_GRANT.code, "ip restricted", Is(Passing)),
    fault(faults::INVALID_GRANT.code, "login hours", Is(Passing)),
    // Salesforce says this about its own outages as well.
    fault(faults::INVALID_GRANT.code, "authentication failure", Is(GrantDoubtful)),
    fault(faults::INVALID_GRANT.code, "", Is(GrantEnded)),
    fault("inactive_user", "", Is(GrantEnded)),
    fault("inactive_org", "", Is(GrantEnded)),
    // Includes what a bug of ours would cause (`invalid_request`, `unsupported_grant_type`, …): no workspace can fix it.
    fault("", "", Is(OwnConfiguration)),
];
