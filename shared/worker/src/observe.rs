//! Observing: what a plan has to know, read from Salesforce and from the claims of numbers.

use calls::{ids::SalesforceId, timings::RECENT};
use chrono::{DateTime, TimeDelta};
use crm::{
    CrmError, FaultClass, Found, RecordType,
    ledger::Row,
    phone::PhoneNumber,
    plan::{Looked, NamedDuplicates, Question, Recent, Search},
};

use crate::{attempt::Attempt, ports::Clock, session::Stop, worker::Ports};

/// What Salesforce says of a query that takes it too long.
const QUERY_TIMEOUT: &str = "QUERY_TIMEOUT";
/// How much earlier than our clock Salesforce's may have stamped a record.
const CLOCK_SKEW: TimeDelta = TimeDelta::minutes(5);

impl<P: Ports> Attempt<'_, P> {
    /// Answers a question.
    pub(super) async fn observe(&mut self, row: &Row, question: Question) -> Result<(), Stop> {
        match question {
            Question::Search { everything } => self.search(everything).await?,
            Question::Recent => self.recent(row).await?,
            Question::Named(id) => {
                let found = self.session.records(std::slice::from_ref(&id)).await?;
                let named = found.records.into_iter().find(|record| record.id == id);
                self.seen.search = Some(Search::Named(named));
            }
            Question::Conversion(lead_id) => {
                let contact_id = self.session.converted_to(&lead_id).await?;
                self.seen.conversions.insert(lead_id, contact_id);
            }
            Question::Look { places, may_be_older } => self.look(row, places, may_be_older).await?,
            Question::Lead { gone } => {
                if let Some(number) = self.caller.number().cloned() {
                    self.seen.lead = Some(self.number_stands(&number, gone.as_ref()).await?);
                }
            }
            Question::Duplicates(ids) => {
                let named =
                    if ids.is_empty() { Vec::new() } else { self.session.records(&ids).await?.records };
                self.seen.duplicates = Some(NamedDuplicates::Read(named));
            }
            Question::Activities { task_id, event_id } => {
                let read = self.session.read(task_id.as_ref(), event_id.as_ref()).await?;
                if task_id.is_some() {
                    self.seen.task.read = read.task.into();
                }
                if event_id.is_some() {
                    self.seen.event.read = read.event.into();
                }
            }
            Question::ClosedStatus => {
                self.seen.closed_status = self.session.closed_task_status().await?.into();
            }
        }
        Ok(())
    }

    /// The objects that are searched, and the number; nothing to ask where there is none.
    fn searched(&self) -> Option<(Vec<RecordType>, &PhoneNumber)> {
        Some((self.workspace.settings.searched(), self.caller.number()?))
    }

    async fn search(&mut self, everything: bool) -> Result<(), Stop> {
        let asked_at = self.session.now();
        if everything {
            self.session.forget_omitted();
        }
        let Some((objects, number)) = self.searched() else { return Ok(()) };
        let query = number.query();
        let found = self.session.search(&objects, &query).await?;
        let left_out = self.session.leaves_out_unasked();
        self.seen.search = Some(Search::ByNumber { found, left_out, asked_at, recent: None });
        Ok(())
    }

    /// Asks for the records that search may not know yet. They only complete what it says: where Salesforce cannot be
    /// asked for them, search alone decides.
    async fn recent(&mut self, row: &Row) -> Result<(), Stop> {
        let Some((objects, number)) = self.searched() else { return Ok(()) };
        let query = number.query();
        let since = self.session.worker.clock.now() - RECENT;
        let answer = match self.session.recent(&objects, &query, since).await {
            Ok(found) => Recent { late: !found.omitted.unfilterable.is_empty(), found },
            Err(stop) => {
                let error = stop.refusal()?;
                // A query that takes longer than a request may is tried again with the call, and then left out.
                let timed_out_again = row.failing.is_some() && error.timed_out();
                if !(cannot_be_asked(&error) || timed_out_again) {
                    return Err(error.into());
                }
                tracing::warn!(error.code = %error.code, "the org's new records could not be asked for");
                if error.code != QUERY_TIMEOUT && !error.timed_out() {
                    let objects = objects.iter().map(|object| format!("{object:?}"));
                    self.session.newly_omitted.unfilterable.extend(objects);
                }
                Recent { found: Found::default(), late: true }
            }
        };
        if let Some(Search::ByNumber { recent, .. }) = &mut self.seen.search {
            *recent = Some(answer);
        }
        Ok(())
    }

    /// Looks for what earlier attempts wrote: a second time where the Task is on a record that was not looked at.
    async fn look(&mut self, row: &Row, places: Vec<SalesforceId>, may_be_older: bool) -> Result<(), Stop> {
        let asked_at = self.session.now();
        let received = DateTime::from_timestamp(row.created_at, 0).unwrap_or_default();
        let since = row.call.called_at().map_or(received, |called| called.min(received)) - CLOCK_SKEW;
        let found = self.session.look(&row.call_id, &places, since, may_be_older).await?;
        if let Some(look) = &mut self.seen.look {
            look.event_id = look.event_id.take().or(found.event_id);
            look.places.extend(places);
            return Ok(());
        }
        if let Some((task_id, _)) = &found.task {
            tracing::debug!(call.id = %row.call_id, task.id = %task_id, "an earlier attempt has written the Task");
        }
        let (task, event_id) = (found.task, found.event_id);
        self.seen.look = Some(Looked { places, asked_at, task, event_id, adopted: false });
        Ok(())
    }
}

/// Whether a query will not be answered however often it is asked: it is refused, or more than Salesforce gets done.
fn cannot_be_asked(error: &CrmError) -> bool {
    matches!(error.class, FaultClass::Permanent | FaultClass::FieldRefused) || error.code == QUERY_TIMEOUT
}
