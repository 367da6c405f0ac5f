//! Observing: reads what a plan needs to know from Salesforce and from the claims on numbers.

use calls::{ids::SalesforceId, timings::RECENT};
use chrono::{DateTime, Utc};
use crm::{
    RecordType,
    ledger::Row,
    phone::PhoneNumber,
    plan::{Looked, NamedDuplicates, Question, Search},
};

use crate::{attempt::Attempt, ports::Clock, session::Stop, worker::Ports};

impl<P: Ports> Attempt<'_, P> {
    /// Answers a question.
    pub(super) async fn observe(&mut self, row: &Row, question: Question) -> Result<(), Stop> {
        match question {
            Question::Search { everything } => self.search(everything).await?,
            Question::Recent => self.recent().await?,
            Question::Named(id) => {
                let found = self.session.records(std::slice::from_ref(&id)).await?;
                let named = found.records.into_iter().find(|record| record.id == id);
                self.seen.search = Some(Search::Named(named));
            }
            Question::Conversion(lead_id) => {
                let contact_id = self.session.converted_to(&lead_id).await?;
                self.seen.conversions.insert(lead_id, contact_id);
            }
            Question::Look { places, since, may_be_older } => {
                self.look(row, places, since, may_be_older).await?;
            }
            Question::Claim { again } => self.read_claim(again).await?,
            Question::ClaimedLead(id) => {
                let found = self.session.records(std::slice::from_ref(&id)).await?.records;
                self.seen.claimed_lead = Some((id, found.into_iter().next()));
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

    /// The objects to search and the number; `None` if there is no number.
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
        let left_out = self.session.omits_from_memory();
        self.seen.search = Some(Search::ByNumber { found, left_out, asked_at, recent: None });
        Ok(())
    }

    /// Queries the records that search may not have indexed yet.
    async fn recent(&mut self) -> Result<(), Stop> {
        let Some((objects, number)) = self.searched() else { return Ok(()) };
        let query = number.query();
        let since = self.session.worker.clock.now() - RECENT;
        let answer = match self.session.recent(&objects, &query, since).await {
            Ok(found) => Ok(found),
            Err(stop) => {
                let error = stop.refusal()?;
                tracing::warn!(error.code = %error.code, "the org's new records could not be queried");
                if error.class.refuses() {
                    let objects = objects.iter().map(|object| format!("{object:?}"));
                    self.session.newly_omitted.unfilterable.extend(objects);
                }
                Err(error)
            }
        };
        if let Some(Search::ByNumber { recent, .. }) = &mut self.seen.search {
            *recent = Some(answer);
        }
        Ok(())
    }

    /// Looks for what earlier attempts wrote; a second time if the Task turns out to be on a record that the first
    /// look did not cover.
    async fn look(
        &mut self,
        row: &Row,
        places: Vec<SalesforceId>,
        since: DateTime<Utc>,
        may_be_older: bool,
    ) -> Result<(), Stop> {
        let asked_at = self.session.now();
        let found = self.session.look(&row.call_id, &places, since, may_be_older).await?;
        if let Some(look) = &mut self.seen.look {
            look.event_id = look.event_id.take().or(found.event_id);
            look.places.extend(places);
            return Ok(());
        }
        if let Some((task_id, _)) = &found.task {
            tracing::debug!(call.id = %row.call_id, task.id = %task_id, "an earlier attempt wrote the Task");
        }
        let (task, event_id) = (found.task, found.event_id);
        self.seen.look = Some(Looked { places, asked_at, task, event_id, adopted: false });
        Ok(())
    }
}
