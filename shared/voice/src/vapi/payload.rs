//! The payload of a report: the message and its `call`, which have the same members, and where each fact is found.
//! Documented places come before older ones (docs/vapi-api.md#the-report).

use calls::text::{clean_line, plain_name, present};
use chrono::{DateTime, Utc};
use serde::Deserialize;

use super::{
    transcript,
    tree::Node,
    value::{self, Object, Raw},
};

/// The longest texts that are kept, in characters. Even at four bytes a character, a call stays under 256 KiB. So it
/// fits a queue whose `MaximumMessageSize` is 256 KiB (SQS's maximum until August 2025; 1 MiB since then), and with
/// the rest of its row a DynamoDB item (400 KB).
const TRANSCRIPT: usize = 32_000;
pub(super) const SUMMARY: usize = 16_000;
const LINE: usize = 255;
const URL: usize = 2_000;
const RECORD_ID: usize = 40;
/// Vapi's longest call lasts 12 hours; more than a month is not a duration.
const LONGEST_SECONDS: f64 = 31.0 * 86_400.0;

/// The message, or its `call`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Payload<'a> {
    #[serde(borrow)]
    pub(super) r#type: Option<Raw<'a>>,
    #[serde(borrow)]
    pub(super) id: Option<Raw<'a>>,
    #[serde(borrow)]
    pub(super) timestamp: Option<Raw<'a>>,
    #[serde(borrow)]
    pub(super) call: Option<Object<Box<Payload<'a>>>>,
    /// Present instead of a call if the report is about a chat.
    #[serde(borrow)]
    pub(super) chat: Option<Raw<'a>>,
    #[serde(borrow)]
    pub(super) session: Option<Raw<'a>>,
    #[serde(borrow)]
    pub(super) chat_id: Option<Raw<'a>>,
    #[serde(borrow)]
    pub(super) session_id: Option<Raw<'a>>,
    #[serde(borrow)]
    customer: Option<Object<Customer<'a>>>,
    #[serde(borrow)]
    destination: Option<Object<Destination<'a>>>,
    #[serde(borrow)]
    assistant: Option<Object<Assistant<'a>>>,
    #[serde(borrow)]
    assistant_overrides: Option<Object<Assistant<'a>>>,
    #[serde(borrow)]
    metadata: Option<Raw<'a>>,
    #[serde(borrow)]
    created_at: Option<Raw<'a>>,
    #[serde(borrow)]
    started_at: Option<Raw<'a>>,
    #[serde(borrow)]
    ended_at: Option<Raw<'a>>,
    #[serde(borrow)]
    duration_seconds: Option<Raw<'a>>,
    #[serde(borrow)]
    duration_ms: Option<Raw<'a>>,
    #[serde(borrow)]
    duration_minutes: Option<Raw<'a>>,
    #[serde(borrow)]
    ended_reason: Option<Raw<'a>>,
    #[serde(borrow)]
    summary: Option<Raw<'a>>,
    #[serde(borrow)]
    transcript: Option<Raw<'a>>,
    #[serde(borrow)]
    messages: Option<Raw<'a>>,
    #[serde(borrow)]
    recording_url: Option<Raw<'a>>,
    #[serde(borrow)]
    stereo_recording_url: Option<Raw<'a>>,
    #[serde(borrow)]
    pub(super) analysis: Option<Object<Analysis<'a>>>,
    #[serde(borrow)]
    pub(super) artifact: Option<Object<Artifact<'a>>>,
    #[serde(borrow, rename = "structured_data")]
    pub(super) structured_data: Option<Raw<'a>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Customer<'a> {
    #[serde(borrow)]
    number: Option<Raw<'a>>,
    #[serde(borrow)]
    extension: Option<Raw<'a>>,
    #[serde(borrow)]
    sip_uri: Option<Raw<'a>>,
    #[serde(borrow)]
    name: Option<Raw<'a>>,
}

/// The target of a transfer: a number or a SIP address (docs/vapi-api.md#the-report).
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Destination<'a> {
    #[serde(borrow)]
    number: Option<Raw<'a>>,
    #[serde(borrow)]
    extension: Option<Raw<'a>>,
    #[serde(borrow)]
    sip_uri: Option<Raw<'a>>,
}

/// What the call was started with (docs/vapi-api.md#the-call-snapshot).
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Assistant<'a> {
    #[serde(borrow)]
    metadata: Option<Raw<'a>>,
    #[serde(borrow)]
    variable_values: Option<Raw<'a>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Analysis<'a> {
    #[serde(borrow)]
    summary: Option<Raw<'a>>,
    #[serde(borrow)]
    pub(super) structured_data: Option<Raw<'a>>,
    #[serde(borrow)]
    pub(super) structured_data_multi: Option<Raw<'a>>,
    #[serde(borrow)]
    pub(super) structured_outputs: Option<Raw<'a>>,
    #[serde(borrow, rename = "structured_data")]
    pub(super) structured_data_snake: Option<Raw<'a>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Artifact<'a> {
    #[serde(borrow)]
    transcript: Option<Raw<'a>>,
    #[serde(borrow)]
    messages: Option<Raw<'a>>,
    #[serde(borrow, rename = "messagesOpenAIFormatted")]
    messages_open_ai: Option<Raw<'a>>,
    #[serde(borrow)]
    recording: Option<Object<Recording<'a>>>,
    #[serde(borrow)]
    recording_url: Option<Raw<'a>>,
    #[serde(borrow)]
    stereo_recording_url: Option<Raw<'a>>,
    #[serde(borrow)]
    pub(super) structured_outputs: Option<Raw<'a>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Recording<'a> {
    #[serde(borrow)]
    mono: Option<Object<Mono<'a>>>,
    #[serde(borrow)]
    stereo_url: Option<Raw<'a>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Mono<'a> {
    #[serde(borrow)]
    combined_url: Option<Raw<'a>>,
}

/// The object, if the value is one.
pub(super) fn object<T>(place: Option<&Object<T>>) -> Option<&T> {
    place.and_then(|object| object.0.as_ref())
}

impl<'a> Payload<'a> {
    pub(super) fn analysis(&self) -> Option<&Analysis<'a>> {
        object(self.analysis.as_ref())
    }

    pub(super) fn artifact(&self) -> Option<&Artifact<'a>> {
        object(self.artifact.as_ref())
    }

    /// The remote party's number with its extension (RFC 3966), or else its SIP address.
    pub(super) fn customer_number(&self) -> Option<String> {
        let customer = object(self.customer.as_ref())?;
        let line = |raw| clean_line(&value::string_or_number(raw)?, LINE);
        let Some(number) = customer.number.and_then(line) else { return customer.sip_uri.and_then(line) };
        let extension = customer.extension.and_then(line);
        let extension = extension.filter(|extension| is_extension(extension) && has_no_extension(&number));
        Some(extension.map_or_else(|| number.clone(), |extension| format!("{number};ext={extension}")))
    }

    pub(super) fn customer_name(&self) -> Option<String> {
        let name = object(self.customer.as_ref())?.name.and_then(|name| value::line(name, LINE))?;
        present(&name).map(str::to_owned)
    }

    /// The caller's number that a web call was started with: `variableValues.phone`, `phoneNumber`.
    pub(super) fn variable_number(&self) -> Option<String> {
        let values = Node::of(object(self.assistant_overrides.as_ref())?.variable_values?);
        let is_phone = |name: &str| {
            let name = plain_name(name);
            let whose = ["customer", "caller", "user", "contact"];
            let name = whose.iter().find_map(|who| name.strip_prefix(who)).unwrap_or(&name);
            matches!(name, "phone" | "phonenumber" | "phoneno" | "phonee164")
        };
        let mut phones = values.members().iter().filter(|(name, _)| is_phone(name));
        phones.find_map(|(_, node)| clean_line(&node.value()?, LINE).filter(|text| is_only_a_number(text)))
    }

    /// The record id in the metadata that the call was started with.
    pub(super) fn record_id(&self) -> Option<String> {
        let of = |assistant: Option<&Object<Assistant<'a>>>| object(assistant)?.metadata;
        let places = [of(self.assistant_overrides.as_ref()), self.metadata, of(self.assistant.as_ref())];
        places.into_iter().flatten().find_map(|metadata| {
            let metadata = Node::of(metadata);
            let mut members = metadata.members().iter();
            let (_, id) = members.find(|(name, _)| plain_name(name) == "salesforcerecordid")?;
            clean_line(&id.value()?, RECORD_ID)
        })
    }

    /// Where the call was transferred to.
    pub(super) fn transferred_to(&self) -> Option<String> {
        let destination = object(self.destination.as_ref())?;
        let line = |raw| clean_line(&value::string_or_number(raw)?, LINE);
        let Some(number) = destination.number.and_then(line) else {
            return destination.sip_uri.and_then(line);
        };
        let extension = destination.extension.and_then(line).map(|extension| format!(" ext. {extension}"));
        Some(number + &extension.unwrap_or_default())
    }

    pub(super) fn started_at(&self) -> Option<DateTime<Utc>> {
        self.started_at.and_then(value::instant)
    }

    pub(super) fn created_at(&self) -> Option<DateTime<Utc>> {
        self.created_at.and_then(value::instant)
    }

    pub(super) fn ended_at(&self) -> Option<DateTime<Utc>> {
        self.ended_at.and_then(value::instant)
    }

    /// In seconds, rounded.
    pub(super) fn duration_seconds(&self) -> Option<u32> {
        let measured =
            [(self.duration_seconds, 1.0), (self.duration_ms, 0.001), (self.duration_minutes, 60.0)];
        let stated = measured.into_iter().find_map(|(raw, unit)| whole_seconds(value::number(raw?)? * unit));
        stated.or_else(|| {
            let elapsed = self.ended_at()? - self.started_at()?;
            whole_seconds(elapsed.as_seconds_f64())
        })
    }

    pub(super) fn ended_reason(&self) -> Option<String> {
        value::line(self.ended_reason?, LINE)
    }

    pub(super) fn summary(&self) -> Option<String> {
        let places = [self.analysis().and_then(|analysis| analysis.summary), self.summary];
        places
            .into_iter()
            .flatten()
            .filter_map(|raw| value::text(raw, SUMMARY))
            .find(|text| present(text).is_some())
    }

    pub(super) fn transcript(&self) -> Option<String> {
        let places = [self.artifact().and_then(|artifact| artifact.transcript), self.transcript];
        places.into_iter().flatten().find_map(|raw| transcript::of_transcript(raw, TRANSCRIPT))
    }

    /// The transcript of a report that only has messages.
    pub(super) fn transcript_from_messages(&self) -> Option<String> {
        let artifact = self.artifact();
        let places = [
            artifact.and_then(|artifact| artifact.messages),
            self.messages,
            artifact.and_then(|artifact| artifact.messages_open_ai),
        ];
        places.into_iter().flatten().find_map(|raw| transcript::of_messages(raw, TRANSCRIPT))
    }

    pub(super) fn recording_url(&self) -> Option<String> {
        let artifact = self.artifact();
        let recording = artifact.and_then(|artifact| object(artifact.recording.as_ref()));
        [
            recording.and_then(|recording| object(recording.mono.as_ref())?.combined_url),
            artifact.and_then(|artifact| artifact.recording_url),
            self.recording_url,
            recording.and_then(|recording| recording.stereo_url),
            artifact.and_then(|artifact| artifact.stereo_recording_url),
            self.stereo_recording_url,
        ]
        .into_iter()
        .flatten()
        .find_map(|raw| permanent_url(&value::string(raw)?))
    }
}

/// Vapi accepts up to ten characters (docs/vapi-api.md#customer); only digits can be dialled.
fn is_extension(text: &str) -> bool {
    (1..=10).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit())
}

/// Whether a number has no extension: no mark for one, no word, no address.
fn has_no_extension(number: &str) -> bool {
    let marks = |c: char| c.is_alphabetic() || matches!(c, ';' | ',' | '#' | '~');
    number.contains(char::is_numeric) && !number.contains(marks)
}

/// Whether a text is a number and nothing else: the values next to numbers may be secrets.
fn is_only_a_number(text: &str) -> bool {
    const LONGEST: usize = 40;
    let digits = text.chars().filter(char::is_ascii_digit).count();
    (5..=20).contains(&digits)
        && text.len() <= LONGEST
        && text.chars().all(|c| c.is_ascii_digit() || "+-(). /".contains(c))
}

fn whole_seconds(seconds: f64) -> Option<u32> {
    let plausible = (0.0..=LONGEST_SECONDS).contains(&seconds);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to a month")]
    plausible.then(|| seconds.round() as u32)
}

/// A permanent link that grants no access by itself. Query and fragment are removed: a presigned link has its
/// signature there, and Vapi's permanent links have neither.
fn permanent_url(text: &str) -> Option<String> {
    let text = text.trim();
    let (url, _) = text.split_once(['?', '#']).unwrap_or((text, ""));
    let (scheme, rest) = url.split_once("://")?;
    let web = scheme.eq_ignore_ascii_case("https") || scheme.eq_ignore_ascii_case("http");
    let host = rest.split('/').next().unwrap_or_default();
    let plain = url.chars().all(|c| !c.is_whitespace() && !c.is_control());
    // User info before the host would be a credential.
    let clean = !host.is_empty() && !host.contains('@') && plain && url.chars().count() <= URL;
    (web && clean).then(|| url.to_owned())
}
