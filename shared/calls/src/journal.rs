//! The journal: what Ringlog last sent of a call's Task, Event and Lead, field by field. It tells what is new from what
//! Salesforce has already, and a field that a person changed from one that nobody touched.
//!
//! It keeps no second copy of what was said: a long text stands in it as a fingerprint, a Description as those of its
//! paragraphs.

use std::{collections::BTreeMap, hash::Hasher as _};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use siphasher::sip::SipHasher13;

use crate::crm::{Fields, WrittenObject};

/// The field that is journalled paragraph by paragraph.
pub(crate) const DESCRIPTION: &str = "Description";
/// What stands between two paragraphs of a Description.
pub(crate) const BETWEEN_PARAGRAPHS: &str = "\n\n";
/// How many paragraphs are known by themselves; a Description with more is known as a whole. It bounds the journal.
const PARAGRAPHS: usize = 64;
/// The longest text that is kept as it is, bytes.
const KEPT_AS_IT_IS: usize = 64;

/// What was last sent for a call.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Journal {
    /// To the Task.
    #[serde(skip_serializing_if = "Option::is_none")]
    task: Option<Sent>,
    /// To the Event.
    #[serde(skip_serializing_if = "Option::is_none")]
    event: Option<Sent>,
    /// To the Lead, where one was made for the call.
    #[serde(skip_serializing_if = "Option::is_none")]
    lead: Option<Sent>,
}

/// What was last sent to one record.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Sent {
    /// What Salesforce has confirmed.
    fields: Traces,
    /// What it has not: sent after that, without an answer.
    #[serde(skip_serializing_if = "Traces::is_empty")]
    unanswered: Traces,
}

/// Fields and what is kept of their values.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(transparent)]
struct Traces(BTreeMap<String, Value>);

impl Journal {
    /// Whether nothing was ever sent, as far as the row knows.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// What was sent to a record. `None`: nothing is known, since the row was written by a version without
    /// a journal, or by a worker that died.
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

    /// A record was made of these fields.
    pub fn created(&mut self, object: WrittenObject, fields: &Fields) {
        *self.of_mut(object) = Sent { fields: Traces::of(fields), unanswered: Traces::default() };
    }

    /// Salesforce has these fields as they are here: it took them, or they stood there.
    pub fn confirmed(&mut self, object: WrittenObject, fields: &Fields) {
        let sent = self.of_mut(object);
        sent.unanswered = Traces::default();
        sent.fields.extend(Traces::of(fields));
    }

    /// These paragraphs were added to a Description that somebody else has written too, or stood in it.
    pub fn added(&mut self, object: WrittenObject, description: &str) {
        let sent = self.of_mut(object);
        sent.fields.add_paragraphs(description);
    }

    /// These fields were sent, and no answer came.
    pub fn unanswered(&mut self, object: WrittenObject, fields: &Fields) {
        self.of_mut(object).unanswered.extend(Traces::of(fields));
    }

    /// A look found a record that was not known: what was sent without an answer is what made it.
    pub fn found(&mut self, object: WrittenObject) {
        if self.of(object).is_some() {
            let sent = self.of_mut(object);
            sent.fields = std::mem::take(&mut sent.unanswered);
        }
    }
}

impl Sent {
    /// Whether these fields say something that Salesforce has not confirmed.
    pub fn is_behind(&self, fields: &Fields) -> bool {
        !self.unanswered.is_empty()
            || fields.iter().any(|(field, value)| self.fields.0.get(field) != Some(&trace(field, value)))
    }

    /// Whether the field was ever sent.
    pub fn has(&self, field: &str) -> bool {
        self.fields.0.contains_key(field) || self.unanswered.0.contains_key(field)
    }

    /// Whether a value that stands in Salesforce is one that was sent.
    pub fn is_ours(&self, field: &str, standing: &Value) -> bool {
        let standing = trace(field, standing);
        [&self.fields, &self.unanswered].iter().any(|sent| sent.0.get(field) == Some(&standing))
    }

    /// Whether a paragraph of a Description was sent.
    pub fn has_paragraph(&self, paragraph: &str) -> bool {
        let paragraph = Value::from(fingerprint(paragraph));
        [&self.fields, &self.unanswered].iter().any(|sent| {
            sent.0.get(DESCRIPTION).and_then(Value::as_array).is_some_and(|sent| sent.contains(&paragraph))
        })
    }
}

impl Traces {
    /// Of what no update may change, nothing is kept: the record that an activity is on, and how it was made.
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
        // The oldest are forgotten first: a report says them again at most once more.
        known.drain(..known.len().saturating_sub(2 * PARAGRAPHS));
        self.0.insert(DESCRIPTION.to_owned(), Value::Array(known));
    }
}

/// Whether two values of a field are the same to a person.
pub(crate) fn same(field: &str, one: &Value, other: &Value) -> bool {
    trace(field, one) == trace(field, other)
}

/// The paragraphs of a Description.
pub(crate) fn paragraphs(description: &str) -> impl Iterator<Item = &str> {
    description.split(BETWEEN_PARAGRAPHS).map(str::trim).filter(|paragraph| !paragraph.is_empty())
}

/// What is kept of a value: the same for two that Salesforce stores alike. It trims texts, may store a line break as two
/// characters, and has no empty text.
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
        1..=KEPT_AS_IT_IS => text.into(),
        _ => fingerprint(text).into(),
    }
}

/// 64 bits as text: the same in every version, since rows outlive them.
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
    fn what_was_sent_is_not_behind_and_what_differs_is() {
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
    fn no_long_text_is_kept() {
        let secret = "The caller told us something that nobody else should read, at some length.";
        let journal = sent(json!({ "Description": secret, "CallDisposition": secret, "WhoId": "00Q" }));
        let kept = serde_json::to_string(&journal).unwrap();
        assert!(!kept.contains("caller") && !kept.contains("WhoId"), "{kept}");
        assert!(task(&journal).is_ours("CallDisposition", &json!(secret)));
    }

    #[test]
    fn what_was_sent_without_an_answer_is_ours_and_has_to_be_looked_at() {
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
    fn a_record_that_a_look_found_is_what_was_sent() {
        let mut journal = Journal::default();
        journal.found(WrittenObject::Task);
        assert!(journal.is_empty(), "nothing is known to have been sent");
        journal.unanswered(WrittenObject::Task, &fields(json!({ "Subject": "One" })));
        journal.found(WrittenObject::Task);
        assert!(!task(&journal).is_behind(&fields(json!({ "Subject": "One" }))));
    }

    #[test]
    fn a_journal_is_bounded_however_many_paragraphs_there_are() {
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
    fn a_journal_survives_the_table() {
        let mut journal = sent(json!({ "Subject": "One", "Description": "A\n\nB" }));
        journal.unanswered(WrittenObject::Event, &fields(json!({ "IsReminderSet": true })));
        let stored = serde_json::to_value(&journal).unwrap();
        assert_eq!(serde_json::from_value::<Journal>(stored).unwrap(), journal);
        assert_eq!(serde_json::from_value::<Journal>(json!({})).unwrap(), Journal::default());
    }
}
