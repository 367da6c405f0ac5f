//! What a refused write means: what the next plan leaves out or does differently. An error that is returned ends the
//! attempt.

use calls::{
    ids::SalesforceId,
    limits::{MAX_OMITTED_FIELDS, RECORDS_GONE},
};

use crate::{
    activity::{EventDraft, TaskDraft},
    draft::Draft,
    matching::TurnedDown,
    outcome,
    records::{CrmError, Duplicates, FaultClass, Record, RecordType, WrittenObject},
};

use super::{
    observed::{Asked, Gone, NamedDuplicates, Observed},
    step::NewLead,
};

/// How often an activity is reread because a person changed it between the read and the update.
const MAX_REREADS: u32 = 3;
/// Salesforce's error code if a duplicate rule refuses a record.
const DUPLICATES_DETECTED: &str = "DUPLICATES_DETECTED";
/// How many of the records that a duplicate rule names are read, and how many the error message shows.
const NAMED: usize = 50;
const SHOWN: usize = 5;

impl Observed {
    /// Salesforce refused to create these activities. If it refuses an optional field or the Event, the next plan
    /// leaves that out; a refused Event never prevents the Task.
    pub fn refused_create(
        &mut self,
        error: CrmError,
        task: Option<&TaskDraft>,
        event: Option<&EventDraft>,
    ) -> Result<(), CrmError> {
        if error.class == FaultClass::RecordGone {
            let Some(record) = self.choice.record.clone() else { return Err(error) };
            self.record_gone(&record, error);
            return Ok(());
        }
        let of_task = task.map(|task| dispensable(&error, task)).unwrap_or_default();
        let of_event = event.map(|event| dispensable(&error, event)).unwrap_or_default();
        if self.leave_out([of_task, of_event].concat()) {
            return Ok(());
        }
        if let Some(task) = task.filter(|_| refuses_status(&error)) {
            self.refused_status = Some((task.status.clone(), error));
        } else if refuses_event(&error, event.is_some(), task.is_some()) {
            self.refused_event = Some(outcome::event_refused(&error));
        } else {
            return Err(error);
        }
        Ok(())
    }

    /// Salesforce refused to change an activity, which should say what is in `draft`. The next plan reads it again,
    /// leaves out a field, or leaves the activity as it is.
    pub fn refused_change<D: Draft + Clone>(&mut self, error: CrmError, draft: &D) -> Result<(), CrmError> {
        let activity = self.activity(D::OBJECT);
        if error.class == FaultClass::Stale && activity.stale < MAX_REREADS {
            activity.stale += 1;
            activity.read = Asked::NotYet;
        } else if !self.leave_out(dispensable(&error, draft)) {
            let reason = outcome::activity_not_updated(D::OBJECT, error)?;
            self.activity(D::OBJECT).unchangeable = Some(reason);
        }
        Ok(())
    }

    /// Salesforce refused to create this Lead. The next plan leaves out a field, or considers the records that a
    /// duplicate rule names.
    pub fn refused_lead(&mut self, error: CrmError, lead: &NewLead) -> Result<(), CrmError> {
        if error.code == DUPLICATES_DETECTED && lead.duplicates == Duplicates::Refuse {
            let named = error.records.into_iter().filter(|id| RecordType::of(id).is_some());
            self.duplicates = Some(NamedDuplicates::Named(named.take(NAMED).collect()));
            return Ok(());
        }
        let refused = dispensable(&error, &lead.draft);
        if refused.is_empty() {
            return Err(naming_records(error));
        }
        self.refused_fields.extend(refused);
        Ok(())
    }

    /// Notes that the chosen record is gone: the next plan chooses again.
    pub(super) fn record_gone(&mut self, record: &Record, error: CrmError) {
        let candidates = self.choice.decision.iter().flat_map(|decision| &decision.candidates);
        let name = candidates.filter(|candidate| candidate.id == record.id).find_map(|one| one.name.clone());
        // If a Lead that this attempt created is gone already, another one would not help.
        let give_up = self.made_lead.is_some() || self.is_gone(&record.id) || self.gone.len() == RECORDS_GONE;
        let (id, record_type) = (record.id.clone(), record.record_type);
        let record = TurnedDown { id, record_type, name, why: error.code.clone() };
        self.gone.push(Gone { record, error, give_up });
        (self.search, self.claim, self.duplicates) = (None, None, None);
    }

    /// Leaves out refused fields; `false`: there are none, or too many were left out already.
    fn leave_out(&mut self, refused: Vec<String>) -> bool {
        let leaves_out = !refused.is_empty() && self.refused_fields.len() < MAX_OMITTED_FIELDS;
        if leaves_out {
            self.refused_fields.extend(refused);
        }
        leaves_out
    }
}

/// The refused fields that a draft can do without: `Task.Type`.
pub(super) fn dispensable<D: Draft + Clone>(error: &CrmError, draft: &D) -> Vec<String> {
    let is_blamed = error.object.is_none_or(|blamed| blamed == D::OBJECT);
    if error.class != FaultClass::FieldRefused || !is_blamed {
        return Vec::new();
    }
    let mut draft = draft.clone();
    let fields = error.fields.iter().filter(|field| draft.without(field));
    fields.map(|field| format!("{:?}.{field}", D::OBJECT)).collect()
}

/// Whether the Task's status was refused: the org has no `Completed`.
fn refuses_status(error: &CrmError) -> bool {
    error.class == FaultClass::FieldRefused
        && error.object != Some(WrittenObject::Event)
        && error.fields.iter().any(|field| field == "Status")
}

/// Whether only the Event is refused, and permanently.
fn refuses_event(error: &CrmError, has_event: bool, has_task: bool) -> bool {
    let about_event = error.object == Some(WrittenObject::Event) || !has_task;
    has_event && about_event && error.class.refuses()
}

/// Adds the duplicates to the error's message, so that an admin can find them.
fn naming_records(mut error: CrmError) -> CrmError {
    if error.code == DUPLICATES_DETECTED && !error.records.is_empty() {
        let named: Vec<_> = error.records.iter().take(SHOWN).map(SalesforceId::as_str).collect();
        error.message = format!("{} (it names {})", error.message, named.join(", "));
    }
    error
}
