//! What a failure of Salesforce means: the one table from HTTP status, error code and text to
//! [`FaultClass`] (REST API Developer Guide, "Status Codes and Error Responses"; Help, "OAuth 2.0 Error Codes").

use calls::{
    codes::faults,
    crm::{CrmError, FaultClass},
    ids::SalesforceId,
};
use reqwest::StatusCode;
use serde::Deserialize;
use url::form_urlencoded;

use crate::redact;

/// What a request may have done to Salesforce: decides what the loss of its answer means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effect {
    /// Nothing, or nothing that a second time would change.
    Nothing,
    /// It creates records, or uses up a token.
    Creates,
    /// It changes a record that exists.
    Changes,
}

impl Effect {
    /// The class of a failure that leaves open whether the request took effect.
    fn unclear(self) -> FaultClass {
        match self {
            Self::Nothing => FaultClass::Passing,
            Self::Creates | Self::Changes => FaultClass::Ambiguous,
        }
    }
}

/// What an error code says.
#[derive(Debug, Clone, Copy)]
enum Meaning {
    /// It was refused before anything was done, or done and rolled back.
    Is(FaultClass),
    /// It may have been done.
    Unclear,
}

use FaultClass::{
    ConcurrentLimit, DailyLimit, FieldRefused, GrantDoubtful, GrantEnded, OwnConfiguration, Passing,
    Permanent, RecordGone, Session, Stale,
};
use Meaning::{Is, Unclear};

/// A row: an error code (`""`: any), a part of the text in lower case (`""`: any), and what they mean.
type Rule = (&'static str, &'static str, Meaning);

/// The REST API. The first row that fits counts; without one, the status does ([`by_status`]).
const REST: &[Rule] = &[
    // A refresh cannot help these two, and would be tried for ever.
    ("INVALID_SESSION_ID", "not valid for use with the rest api", Is(Permanent)),
    ("INVALID_SESSION_ID", "not attached to agent", Is(Permanent)),
    ("INVALID_SESSION_ID", "", Is(Session)),
    ("INVALID_AUTH_HEADER", "", Is(Session)),
    ("Bad_OAuth_Token", "", Is(Session)),
    ("REQUEST_LIMIT_EXCEEDED", "concurrent", Is(ConcurrentLimit)),
    ("REQUEST_LIMIT_EXCEEDED", "", Is(DailyLimit)),
    ("UNABLE_TO_LOCK_ROW", "", Is(Passing)),
    ("", "unable_to_lock_row", Is(Passing)),
    // Another subrequest is to blame; seen alone only where Salesforce does not say which.
    ("PROCESSING_HALTED", "", Is(Passing)),
    ("INSERT_UPDATE_DELETE_NOT_ALLOWED_DURING_MAINTENANCE", "", Is(Passing)),
    ("ENTITY_IS_DELETED", "", Is(RecordGone)),
    ("INVALID_CROSS_REFERENCE_KEY", "", Is(RecordGone)),
    ("CANNOT_UPDATE_CONVERTED_LEAD", "", Is(RecordGone)),
    ("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", "", Is(FieldRefused)),
    ("INVALID_FIELD_FOR_INSERT_UPDATE", "", Is(FieldRefused)),
    ("INVALID_FIELD", "", Is(FieldRefused)),
    ("QUERY_TIMEOUT", "", Unclear),
    ("UNKNOWN_EXCEPTION", "", Unclear),
    ("SERVER_UNAVAILABLE", "", Unclear),
];

/// The token endpoint, for answers that are not 5xx: whatever those say, they pass.
const OAUTH: &[Rule] = &[
    ("", "already being processed", Is(Passing)),
    ("rate_limit_exceeded", "", Is(Passing)),
    ("", "rate exceeded", Is(Passing)),
    // An admin's restrictions come and go; the grant lives on.
    ("invalid_grant", "ip restricted", Is(Passing)),
    ("invalid_grant", "login hours", Is(Passing)),
    // What Salesforce says of a trouble of its own too.
    ("invalid_grant", "authentication failure", Is(GrantDoubtful)),
    ("invalid_grant", "", Is(GrantEnded)),
    ("inactive_user", "", Is(GrantEnded)),
    ("inactive_org", "", Is(GrantEnded)),
    // Also what a bug of ours would cause (`invalid_request`, `unsupported_grant_type`, …): no workspace can mend it.
    ("", "", Is(OwnConfiguration)),
];

fn look_up(table: &[Rule], code: &str, text: &str) -> Option<Meaning> {
    let text = text.to_lowercase();
    let fits = |(c, t, _): &&Rule| (c.is_empty() || c.eq_ignore_ascii_case(code)) && text.contains(t);
    table.iter().find(fits).map(|(_, _, meaning)| *meaning)
}

/// What a status means whose code is not in the table.
fn by_status(status: StatusCode, effect: Effect) -> Meaning {
    match status.as_u16() {
        // The org has moved: a refreshed session says where to.
        300..=399 | 401 => Is(Session),
        404 if effect == Effect::Changes => Is(RecordGone),
        412 => Is(Stale),
        // Salesforce Edge knows no route to the org: it got no further.
        420 => Is(Passing),
        429 => Is(ConcurrentLimit),
        408 | 500.. => Unclear,
        _ => Is(Permanent),
    }
}

fn class(meaning: Meaning, effect: Effect) -> FaultClass {
    match meaning {
        Is(class) => class,
        Unclear => effect.unclear(),
    }
}

/// One entry of an error answer. `composite/sobjects` says `statusCode` instead of `errorCode`.
#[derive(Deserialize)]
struct Entry {
    #[serde(alias = "statusCode")]
    #[serde(rename = "errorCode")]
    code: String,
    #[serde(default)]
    message: String,
    #[serde(default)]
    fields: Option<Vec<String>>,
    /// Spelt without its `l` (REST API Developer Guide, "Duplicate Management"); some orgs answer with it.
    #[serde(default, rename = "duplicateResut", alias = "duplicateResult")]
    duplicate_result: Option<DuplicateResult>,
}

/// What comes with `DUPLICATES_DETECTED` (REST API Developer Guide, "Duplicate Management").
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct DuplicateResult {
    #[serde(default)]
    match_results: Vec<MatchResult>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct MatchResult {
    #[serde(default)]
    match_records: Vec<MatchRecord>,
}

#[derive(Deserialize)]
struct MatchRecord {
    record: DuplicateRecord,
}

#[derive(Deserialize)]
struct DuplicateRecord {
    #[serde(rename = "Id")]
    id: SalesforceId,
}

impl DuplicateResult {
    /// The records that are there already, as Salesforce orders them.
    fn records(self) -> impl Iterator<Item = SalesforceId> {
        self.match_results
            .into_iter()
            .flat_map(|result| result.match_records)
            .map(|matched| matched.record.id)
    }
}

/// An error answer of the REST API, or of one subrequest.
pub(crate) fn rest(status: StatusCode, body: &[u8], effect: Effect) -> CrmError {
    let mut entries = serde_json::from_slice::<Vec<Entry>>(body).unwrap_or_default();
    let duplicates = entries.first_mut().and_then(|entry| entry.duplicate_result.take());
    let Some(first) = entries.first() else { return unreadable(status, body, effect) };
    let class_of = |entry: &Entry| {
        let meaning = look_up(REST, &entry.code, &entry.message).unwrap_or_else(|| by_status(status, effect));
        match class(meaning, effect) {
            RecordGone if !is_about_the_record(entry) => Permanent,
            class => class,
        }
    };
    let class = class_of(first);
    let mut fields: Vec<String> =
        entries.iter().filter(|entry| class_of(entry) == class).flat_map(named_fields).collect();
    fields.dedup();
    let records = duplicates.into_iter().flat_map(DuplicateResult::records).collect();
    CrmError { fields, records, ..fault(class, status, &first.code, &first.message) }
}

/// Whether an error that some record is gone is about the one that an activity is written on. Another one may be missing,
/// hidden or inactive just as well: an owner, a record type.
fn is_about_the_record(entry: &Entry) -> bool {
    entry
        .fields
        .as_ref()
        .is_none_or(|fields| fields.is_empty() || fields.iter().any(|field| field == "WhoId"))
}

/// An answer that is no list of errors: HTML of Salesforce Edge (420, 502), plain text of the identity service. "URL No
/// Longer Exists" and its like are the host's words, not the API's: the org may have moved, and a refreshed session says
/// where to.
fn unreadable(status: StatusCode, body: &[u8], effect: Effect) -> CrmError {
    let word = std::str::from_utf8(body).map(str::trim).ok().filter(|text| is_name(text)).unwrap_or_default();
    let meaning = look_up(REST, word, "").unwrap_or_else(|| match by_status(status, effect) {
        Is(Permanent | RecordGone) => Is(Session),
        meaning => meaning,
    });
    fault(class(meaning, effect), status, word, word)
}

/// `error` and `error_description` of the token, revoke and authorize endpoints. The description may be missing.
#[derive(Deserialize)]
pub(crate) struct OAuthFault {
    pub(crate) error: String,
    #[serde(default)]
    error_description: Option<String>,
}

/// Reads an error of the token or revoke endpoint: JSON, or form-encoded as some of Salesforce's endpoints answer.
pub(crate) fn oauth_fault(body: &[u8]) -> Option<OAuthFault> {
    serde_json::from_slice(body).ok().or_else(|| {
        let value =
            |name| form_urlencoded::parse(body).find(|(key, _)| key == name).map(|(_, v)| v.into_owned());
        Some(OAuthFault { error: value("error")?, error_description: value("error_description") })
    })
}

/// An error answer of the token or revoke endpoint.
pub(crate) fn oauth(status: StatusCode, body: &[u8], effect: Effect) -> CrmError {
    let said = oauth_fault(body);
    let (code, text) = said.as_ref().map_or(("", ""), |fault| {
        (fault.error.as_str(), fault.error_description.as_deref().unwrap_or_default())
    });
    let meaning = match (status.as_u16(), look_up(OAUTH, code, text)) {
        (500.., _) => Unclear,
        // Not Salesforce's words: something in between. And a grant ends by a 400 only.
        _ if code.is_empty() => Is(Passing),
        (status, Some(Is(GrantEnded))) if status != 400 => Is(Passing),
        (_, meaning) => meaning.unwrap_or(Is(OwnConfiguration)),
    };
    fault(class(meaning, effect), status, code, if text.is_empty() { code } else { text })
}

/// Whether the token endpoint's address leads elsewhere, or to nothing: a My Domain that has another name now.
pub(crate) fn leads_nowhere(status: StatusCode, body: &[u8]) -> bool {
    (status.is_redirection() || status == StatusCode::NOT_FOUND) && oauth_fault(body).is_none()
}

/// A request that got no answer.
pub(crate) fn network(error: &reqwest::Error, effect: Effect) -> CrmError {
    let (class, code, message) = if error.is_connect() {
        (Passing, faults::CONNECTION, "no connection to Salesforce")
    } else if error.is_timeout() {
        (effect.unclear(), faults::TIMEOUT, "no answer in time")
    } else if error.is_builder() {
        (Permanent, faults::UNSENDABLE, "the request cannot be sent")
    } else {
        (effect.unclear(), faults::CONNECTION, "the connection was lost before the answer came")
    };
    without_answer(class, code.code, message)
}

/// A 2xx answer that is not what the API promises: the request may well have been done.
pub(crate) fn unexpected(effect: Effect) -> CrmError {
    without_answer(
        effect.unclear(),
        faults::UNREADABLE_ANSWER.code,
        "the answer is not what the API promises",
    )
}

/// A failure of our own rules, before or after the request.
pub(crate) fn without_answer(class: FaultClass, code: &str, message: &str) -> CrmError {
    CrmError {
        class,
        code: code.to_owned(),
        message: message.to_owned(),
        fields: Vec::new(),
        status: None,
        object: None,
        records: Vec::new(),
    }
}

fn fault(class: FaultClass, status: StatusCode, code: &str, message: &str) -> CrmError {
    let code =
        if is_name(code) { code.to_owned() } else { format!("{}{}", faults::HTTP.code, status.as_u16()) };
    let message = redact::message(message);
    let message =
        if message.is_empty() { format!("answered {} without a reason", status.as_u16()) } else { message };
    CrmError { status: Some(status.as_u16()), ..without_answer(class, &code, &message) }
}

/// The fields that an entry names, in its list or in its text.
fn named_fields(entry: &Entry) -> Vec<String> {
    let mut fields = entry.fields.clone().unwrap_or_default();
    if fields.is_empty() {
        fields.extend(between(&entry.message, "No such column '", "'").map(str::to_owned));
    }
    if fields.is_empty() {
        let list = between(&entry.message, "Unable to create/update fields: ", ".").unwrap_or_default();
        fields.extend(list.split(", ").map(str::to_owned));
    }
    fields.retain(|field| is_name(field));
    fields
}

/// The text after `before` and up to `after`.
pub(crate) fn between<'a>(text: &'a str, before: &str, after: &str) -> Option<&'a str> {
    text.split_once(before)?.1.split_once(after).map(|(inner, _)| inner)
}

/// Whether a text is the name of an error or a field, and so safe to keep.
fn is_name(text: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'-';
    (1..=80).contains(&text.len()) && text.bytes().all(plain)
}

#[cfg(test)]
mod tests;
