//! Reads failures: from a response, or from none, to a [`FaultClass`] by the table of Salesforce's codes
//! (`calls::codes::salesforce`) or by HTTP status (REST API Developer Guide, "Status Codes and Error Responses"; Help,
//! "OAuth 2.0 Error Codes").

use calls::{
    codes::{
        faults,
        salesforce::{
            FaultClass::{
                self, ConcurrentLimit, GrantEnded, OwnConfiguration, Passing, Permanent, RecordGone, Session,
                Stale,
            },
            KnownError,
            Meaning::{ByStatus, Is, Unclear},
            OAUTH, REST,
        },
    },
    ids::SalesforceId,
};
use crm::CrmError;
use reqwest::StatusCode;
use serde::Deserialize;
use url::form_urlencoded;

use crate::redact;

/// What a request may do in Salesforce. Decides what a lost response means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effect {
    /// Nothing, or nothing that a repetition would change.
    Nothing,
    /// Creates records, or uses up a token.
    Creates,
    /// Changes an existing record.
    Changes,
}

impl Effect {
    /// The class of a failure after which the request may or may not have taken effect.
    fn unclear(self) -> FaultClass {
        match self {
            Self::Nothing => FaultClass::Passing,
            Self::Creates | Self::Changes => FaultClass::Ambiguous,
        }
    }
}

/// What the table says; `None` if the status decides.
fn listed(known: Option<&KnownError>, effect: Effect) -> Option<FaultClass> {
    match known?.meaning {
        Is(class) => Some(class),
        Unclear => Some(effect.unclear()),
        ByStatus => None,
    }
}

fn by_status(status: StatusCode, effect: Effect) -> FaultClass {
    match status.as_u16() {
        // The org has moved: a refresh returns its new address.
        300..=399 | 401 => Session,
        404 if effect == Effect::Changes => RecordGone,
        412 => Stale,
        // Salesforce Edge has no route to the org: the request did not reach it.
        420 => Passing,
        429 => ConcurrentLimit,
        408 | 500.. => effect.unclear(),
        _ => Permanent,
    }
}

/// One entry of an error response. `composite/sobjects` says `statusCode` instead of `errorCode`.
#[derive(Deserialize)]
struct Entry {
    #[serde(alias = "statusCode")]
    #[serde(rename = "errorCode")]
    code: String,
    #[serde(default)]
    message: String,
    #[serde(default)]
    fields: Option<Vec<String>>,
    /// Misspelt in the REST API (Developer Guide, "Duplicate Management"); some orgs send it with its `l`.
    #[serde(default, rename = "duplicateResut", alias = "duplicateResult")]
    duplicate_result: Option<DuplicateResult>,
}

/// The details of `DUPLICATES_DETECTED` (REST API Developer Guide, "Duplicate Management").
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
    /// The existing records, in Salesforce's order.
    fn records(self) -> impl Iterator<Item = SalesforceId> {
        self.match_results
            .into_iter()
            .flat_map(|result| result.match_records)
            .map(|matched| matched.record.id)
    }
}

/// The error in a response of the REST API, or of one subrequest.
pub(crate) fn rest(status: StatusCode, body: &[u8], effect: Effect) -> CrmError {
    let mut entries = serde_json::from_slice::<Vec<Entry>>(body).unwrap_or_default();
    let duplicates = entries.first_mut().and_then(|entry| entry.duplicate_result.take());
    let Some(first) = entries.first() else { return without_entries(status, body, effect) };
    let class_of = |entry: &Entry| {
        let known = KnownError::find(REST, &entry.code, &entry.message, &named_fields(entry));
        listed(known, effect).unwrap_or_else(|| by_status(status, effect))
    };
    let class = class_of(first);
    let mut fields: Vec<String> =
        entries.iter().filter(|entry| class_of(entry) == class).flat_map(named_fields).collect();
    fields.dedup();
    let records = duplicates.into_iter().flat_map(DuplicateResult::records).collect();
    CrmError { fields, records, ..fault(class, status, &first.code, &first.message) }
}

/// An error response without a list of errors: HTML from Salesforce Edge (420, 502), plain text from the identity service.
/// Pages such as "URL No Longer Exists" come from the host, not from the API: the org may have moved, and a refresh
/// returns its new address.
fn without_entries(status: StatusCode, body: &[u8], effect: Effect) -> CrmError {
    let word = std::str::from_utf8(body).map(str::trim).ok().filter(|text| is_name(text)).unwrap_or_default();
    let known = KnownError::find(REST, word, "", &[]);
    let class = listed(known, effect).unwrap_or_else(|| match by_status(status, effect) {
        Permanent | RecordGone => Session,
        class => class,
    });
    fault(class, status, word, word)
}

/// The `error` and `error_description` that the token and revoke endpoints send. The description may be missing.
#[derive(Deserialize)]
pub(crate) struct OAuthError {
    pub(crate) error: String,
    #[serde(default)]
    error_description: Option<String>,
}

/// Parses an error of the token or revoke endpoint: JSON, or form-encoded, which some of Salesforce's endpoints send.
pub(crate) fn parse_oauth(body: &[u8]) -> Option<OAuthError> {
    serde_json::from_slice(body).ok().or_else(|| {
        let value =
            |name| form_urlencoded::parse(body).find(|(key, _)| key == name).map(|(_, v)| v.into_owned());
        Some(OAuthError { error: value("error")?, error_description: value("error_description") })
    })
}

/// The error in a response of the token or revoke endpoint.
pub(crate) fn oauth(status: StatusCode, body: &[u8], effect: Effect) -> CrmError {
    let error = parse_oauth(body);
    let (code, text) = error.as_ref().map_or(("", ""), |error| {
        (error.error.as_str(), error.error_description.as_deref().unwrap_or_default())
    });
    let class = match (status.as_u16(), listed(KnownError::find(OAUTH, code, text, &[]), effect)) {
        (500.., _) => effect.unclear(),
        // Not from Salesforce but from something in between. And only a 400 ends a grant.
        _ if code.is_empty() => Passing,
        (status, Some(GrantEnded)) if status != 400 => Passing,
        (_, class) => class.unwrap_or(OwnConfiguration),
    };
    fault(class, status, code, if text.is_empty() { code } else { text })
}

/// Whether the token endpoint is no longer at its address, as when the org's My Domain was renamed.
pub(crate) fn is_address_gone(status: StatusCode, body: &[u8]) -> bool {
    (status.is_redirection() || status == StatusCode::NOT_FOUND) && parse_oauth(body).is_none()
}

/// The error of a request that got no response.
pub(crate) fn network(error: &reqwest::Error, effect: Effect) -> CrmError {
    let (class, code, message) = if error.is_connect() && error.is_timeout() {
        (Passing, faults::TIMEOUT, "no connection to Salesforce in time")
    } else if error.is_connect() {
        (Passing, faults::CONNECTION, "no connection to Salesforce")
    } else if error.is_timeout() {
        (effect.unclear(), faults::TIMEOUT, "no response in time")
    } else if error.is_builder() {
        (Permanent, faults::UNSENDABLE, "the request cannot be sent")
    } else {
        (effect.unclear(), faults::CONNECTION, "the connection was lost before the response arrived")
    };
    without_answer(class, code.code, message)
}

/// A 2xx response that is not what the API promises. The request may well have taken effect.
pub(crate) fn unexpected(effect: Effect) -> CrmError {
    let code = faults::UNREADABLE_ANSWER.code;
    without_answer(effect.unclear(), code, "the response is not what the API promises")
}

/// An error that no response carries: no connection, or a rule of ours that was broken before or after the request.
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
        if message.is_empty() { format!("status {} without a reason", status.as_u16()) } else { message };
    CrmError { status: Some(status.as_u16()), ..without_answer(class, &code, &message) }
}

/// The fields that an entry names, in its list or else in its text.
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

/// The text between `before` and `after`.
pub(crate) fn between<'a>(text: &'a str, before: &str, after: &str) -> Option<&'a str> {
    text.split_once(before)?.1.split_once(after).map(|(inner, _)| inner)
}

/// Whether a text looks like the name of an error or a field, and so is safe to keep.
fn is_name(text: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'-';
    (1..=80).contains(&text.len()) && text.bytes().all(plain)
}

#[cfg(test)]
mod tests;
