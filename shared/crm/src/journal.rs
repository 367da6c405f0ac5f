//! The journal: what Ringlog last sent for a call's Task, Event and Lead, field by field. It tells new values from
//! ones that Salesforce already has, and fields that a person changed from untouched ones.
//!
//! It is not a second copy of the content: long texts are kept as fingerprints, a Description as one fingerprint per
//! paragraph.

use std::{collections::BTreeMap, hash::Hasher as _};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use siphasher::sip::SipHasher13;

use crate::records::{Fields, WrittenObject};

/// The field that is journaled paragraph by paragraph.
pub(crate) const DESCRIPTION: &str = "Description";
/// The separator between paragraphs of a Description.
pub(crate) const BETWEEN_PARAGRAPHS: &str = "\n\n";
/// How many paragraphs are kept separately; a Description with more is kept as a single fingerprint. Bounds the
/// journal.
const PARAGRAPHS: usize = 64;
/// The longest text that is kept verbatim, bytes.
const LONGEST_VERBATIM: usize = 64;

/// What was last sent for a call's activities and Lead.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Journal {
    /// To the Task.
    #[serde(skip_serializing_if = "Option::is_none")]
    task: Option<Sent>,
    /// To the Event.
    #[serde(skip_serializing_if = "Option::is_none")]
    event: Option<Sent>,
    /// To the Lead, if one was created for the call.
    #[serde(skip_serializing_if = "Option::is_none")]
    lead: Option<Sent>,
}

/// What was last sent to one object.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Sent {
    /// What Salesforce has confirmed.
    fields: Traces,
    /// What was sent later and is unconfirmed, because there was no response.
    #[serde(skip_serializing_if = "Traces::is_empty")]
    unanswered: Traces,
}

/// Fields, with the trace that is kept of each value.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(transparent)]
struct Traces(BTreeMap<String, Value>);

impl Journal {
    /// Whether nothing is known to have been sent.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// What was sent to an object. `None`: unknown, because the row was written by a version without a journal, or by
    /// a worker that died.
    pub fn of(&self, object: WrittenObject) -> Option<&Sent> {
        match object {
            WrittenObject::Task => self.task.as_ref(),
            WrittenObject::Event => self.event.as_ref(),
            WrittenObject::Lead => self.lead.as_ref(),
        }
    }

    fn of_mut(&mut self, object: WrittenObject) -> &mut Sent {
        let sent = match object {
            WrittenObject::Task => &mut self.task,
            WrittenObject::Event => &mut self.event,
            WrittenObject::Lead => &mut self.lead,
        };
        sent.get_or_insert_default()
    }

    /// The object was created with these fields.
    pub fn created(&mut self, object: WrittenObject, fields: &Fields) {
        *self.of_mut(object) = Sent::confirmed(fields);
    }

    /// Salesforce has these values: it accepted them, or already had them.
    pub fn confirmed(&mut self, object: WrittenObject, fields: &Fields) {
        let sent = self.of_mut(object);
        sent.unanswered = Traces::default();
        sent.fields.extend(Traces::of(fields));
    }

    /// These paragraphs were added to a Description that somebody else edited, or were already in it.
    pub fn added(&mut self, object: WrittenObject, description: &str) {
        let sent = self.of_mut(object);
        sent.fields.add_paragraphs(description);
    }

    /// These fields were sent, and there was no response.
    pub fn unanswered(&mut self, object: WrittenObject, fields: &Fields) {
        self.of_mut(object).unanswered.extend(Traces::of(fields));
    }

    /// A look found an object that the row did not know: whatever was sent without a response created it.
    pub fn found(&mut self, object: WrittenObject) {
        if self.of(object).is_some() {
            let sent = self.of_mut(object);
            sent.fields = std::mem::take(&mut sent.unanswered);
        }
    }
}

impl Sent {
    /// These fields, all of them confirmed.
    pub fn confirmed(fields: &Fields) -> Self {
        Self { fields: Traces::of(fields), unanswered: Traces::default() }
    }

    /// Whether these fields have a value that Salesforce has not confirmed.
    pub fn is_behind(&self, fields: &Fields) -> bool {
        !self.unanswered.is_empty()
            || fields.iter().any(|(field, value)| self.fields.0.get(field) != Some(&trace(field, value)))
    }

    /// Whether the field was ever sent.
    pub fn has(&self, field: &str) -> bool {
        self.fields.0.contains_key(field) || self.unanswered.0.contains_key(field)
    }

    /// Whether a value read from Salesforce is one that Ringlog sent.
    pub fn is_ours(&self, field: &str, stored: &Value) -> bool {
        let stored = trace(field, stored);
        [&self.fields, &self.unanswered].iter().any(|sent| sent.0.get(field) == Some(&stored))
    }

    /// Whether Ringlog sent this paragraph of a Description.
    pub fn has_paragraph(&self, paragraph: &str) -> bool {
        let paragraph = Value::from(fingerprint(paragraph));
        [&self.fields, &self.unanswered].iter().any(|sent| {
            sent.0.get(DESCRIPTION).and_then(Value::as_array).is_some_and(|sent| sent.contains(&paragraph))
        })
    }
}

impl Traces {
    /// Skips what updates never change: the record that an activity is on, and how it was created.
    fn of(fields: &Fields) -> Self {
        let kept = fields.iter().filter(|(field, _)| !["TaskSubtype", "WhoId"].contains(&field.as_str()));
        Self(kept.map(|(field, value)| (field.clone(), trace(field, value))).collect())
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn extend(&mut self, newer: Self) {
        self.0.extend(newer.0);
    }

    fn add_paragraphs(&mut self, description: &str) {
        let mut known = match self.0.remove(DESCRIPTION) {
            Some(Value::Array(known)) => known,
            _ => Vec::new(),
        };
        let new = paragraphs(description).map(|paragraph| Value::from(fingerprint(paragraph)));
        for paragraph in new {
            if !known.contains(&paragraph) {
                known.push(paragraph);
            }
        }
        // Drop the oldest; at worst, a report adds them once more.
        known.drain(..known.len().saturating_sub(2 * PARAGRAPHS));
        self.0.insert(DESCRIPTION.to_owned(), Value::Array(known));
    }
}

/// Whether a person would see two values of a field as the same.
pub(crate) fn same(field: &str, one: &Value, other: &Value) -> bool {
    trace(field, one) == trace(field, other)
}

/// The paragraphs of a Description.
pub(crate) fn paragraphs(description: &str) -> impl Iterator<Item = &str> {
    description.split(BETWEEN_PARAGRAPHS).map(str::trim).filter(|paragraph| !paragraph.is_empty())
}

/// The trace of a value. It is equal for values that Salesforce stores alike: Salesforce trims texts, may store a
/// line break as two characters, and has no empty text.
fn trace(field: &str, value: &Value) -> Value {
    let Some(text) = value.as_str() else { return value.clone() };
    let text = text.replace("\r\n", "\n");
    let text = text.trim();
    if field == DESCRIPTION {
        let known: Vec<_> = paragraphs(text).map(fingerprint).take(PARAGRAPHS + 1).collect();
        return if known.len() > PARAGRAPHS { vec![fingerprint(text)].into() } else { known.into() };
    }
    match text.len() {
        0 => Value::Null,
        1..=LONGEST_VERBATIM => text.into(),
        _ => fingerprint(text).into(),
    }
}

/// 64 bits as text. Must never change between versions, because rows outlive them.
fn fingerprint(text: &str) -> String {
    let mut hasher = SipHasher13::new();
    hasher.write(text.as_bytes());
    format!("{:016x}", hasher.finish())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn fields(value: Value) -> Fields {
        match value {
            Value::Object(fields) => fields,
            _ => Fields::new(),
        }
    }

    fn sent(value: Value) -> Journal {
        let mut journal = Journal::default();
        journal.created(WrittenObject::Task, &fields(value));
        journal
    }

    fn task(journal: &Journal) -> &Sent {
        journal.of(WrittenObject::Task).unwrap()
    }

    #[test]
    fn only_values_that_differ_from_what_was_sent_are_behind() {
        let journal = sent(json!({ "Subject": "Inbound Call", "CallDurationInSeconds": 61 }));
        let behind = |value| task(&journal).is_behind(&fields(value));
        assert!(!behind(json!({ "Subject": "Inbound Call" })));
        assert!(!behind(json!({ "Subject": " Inbound Call\r\n", "CallDurationInSeconds": 61 })));
        assert!(behind(json!({ "Subject": "Outbound Call" })));
        assert!(behind(json!({ "Type": "Call" })), "a field that was left out");
    }

    #[test]
    fn a_text_as_salesforce_stores_it_is_still_ours() {
        let description = "One.\n\nTwo\nlines.\n\nCall call-1";
        let journal = sent(json!({ "Description": description, "Subject": "Call" }));
        let ours = |field, text: &str| task(&journal).is_ours(field, &json!(text));
        assert!(ours("Description", &description.replace('\n', "\r\n")));
        assert!(!ours("Description", "One.\n\nTwo\nlines.\n\nmy note\n\nCall call-1"));
        assert!(ours("Subject", "Call ") && !ours("Subject", "call"));
    }

    #[test]
    fn long_texts_are_not_kept() {
        let secret = "The caller told us something that nobody else should read, at some length.";
        let journal = sent(json!({ "Description": secret, "CallDisposition": secret, "WhoId": "00Q" }));
        let kept = serde_json::to_string(&journal).unwrap();
        assert!(!kept.contains("caller") && !kept.contains("WhoId"), "{kept}");
        assert!(task(&journal).is_ours("CallDisposition", &json!(secret)));
    }

    #[test]
    fn what_was_sent_without_a_response_is_ours_and_unconfirmed() {
        let mut journal = sent(json!({ "Subject": "One" }));
        journal.unanswered(WrittenObject::Task, &fields(json!({ "Subject": "Two" })));
        for subject in ["One", "Two"] {
            assert!(task(&journal).is_ours("Subject", &json!(subject)), "{subject}");
        }
        assert!(task(&journal).is_behind(&fields(json!({ "Subject": "One" }))));
        journal.confirmed(WrittenObject::Task, &fields(json!({ "Subject": "Two" })));
        assert!(!task(&journal).is_ours("Subject", &json!("One")));
        assert!(!task(&journal).is_behind(&fields(json!({ "Subject": "Two" }))));
    }

    #[test]
    fn an_object_that_a_look_found_has_what_was_sent_without_a_response() {
        let mut journal = Journal::default();
        journal.found(WrittenObject::Task);
        assert!(journal.is_empty(), "nothing is known to have been sent");
        journal.unanswered(WrittenObject::Task, &fields(json!({ "Subject": "One" })));
        journal.found(WrittenObject::Task);
        assert!(!task(&journal).is_behind(&fields(json!({ "Subject": "One" }))));
    }

    #[test]
    fn the_journal_is_bounded_for_any_number_of_paragraphs() {
        let many = "a\n\nb\n\n".repeat(8_000);
        let mut journal = sent(json!({ "Description": many }));
        assert!(task(&journal).is_ours("Description", &json!(many)));
        for n in 0..20 {
            let some: Vec<_> = (0..50).map(|paragraph| format!("{n} {paragraph}")).collect();
            journal.added(WrittenObject::Task, &some.join("\n\n"));
        }
        assert!(serde_json::to_string(&journal).unwrap().len() < 4_000);
        assert!(task(&journal).has_paragraph("19 49") && !task(&journal).has_paragraph("0 0"));
    }

    #[test]
    fn a_fingerprint_is_the_same_in_every_version() {
        assert_eq!(fingerprint("Ringlog"), "ed02db0cc31a655e");
    }

    #[test]
    fn a_journal_round_trips_through_the_table() {
        let mut journal = sent(json!({ "Subject": "One", "Description": "A\n\nB" }));
        journal.unanswered(WrittenObject::Event, &fields(json!({ "IsReminderSet": true })));
        let stored = serde_json::to_value(&journal).unwrap();
        assert_eq!(serde_json::from_value::<Journal>(stored).unwrap(), journal);
        assert_eq!(serde_json::from_value::<Journal>(json!({})).unwrap(), Journal::default());
    }
}
