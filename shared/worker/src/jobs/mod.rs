//! The jobs: one type and one file each. A [`Job`] arrives through the calls queue; the others are started by the sweep
//! or by a person's request.

mod keep_alive;
mod log_now;
mod report;
mod resume;
mod retry;
mod retry_call;
mod wake;
mod wake_due;

use calls::ids::{CallId, WorkspaceId};

use crate::message::{self, Queued, UnreadableMessage};

pub use keep_alive::{KeepAlive, KeptAlive};
pub use log_now::LogNow;
pub use report::Report;
pub use resume::Resume;
pub use retry::{Retried, Retry};
pub use retry_call::RetryCall;
pub use wake::Wake;
pub use wake_due::{WakeDue, Woken};

/// A job from the calls queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Job {
    /// A new report.
    Report(Report),
    /// Work on one row.
    Wake(Wake),
    /// Wake all rows that wait for the connection.
    Resume(Resume),
    /// Retry all rows with an error code.
    Retry(Retry),
}

impl Job {
    /// The workspace that the job is for.
    pub fn workspace_id(&self) -> &WorkspaceId {
        match self {
            Self::Report(job) => job.workspace_id(),
            Self::Wake(job) => job.workspace_id(),
            Self::Resume(job) => job.workspace_id(),
            Self::Retry(job) => job.workspace_id(),
        }
    }

    /// Whether it has requests to Salesforce.
    pub fn asks_salesforce(&self) -> bool {
        matches!(self, Self::Report(_) | Self::Wake(_))
    }

    /// The call that the job is about, if it is about only one.
    fn call_id(&self) -> Option<&CallId> {
        match self {
            Self::Report(job) => Some(&job.call.id),
            Self::Wake(job) => Some(&job.call_id),
            Self::Resume(_) | Self::Retry(_) => None,
        }
    }

    /// Reads a message's body.
    pub fn decode(body: &str) -> Result<Self, UnreadableMessage> {
        let job = match message::kind(body)?.as_str() {
            Report::KIND => message::job(body).map(Self::Report),
            Wake::KIND => message::job(body).map(Self::Wake),
            Resume::KIND if retry::is_retry(body) => message::job(body).map(Self::Retry),
            Resume::KIND => message::job(body).map(Self::Resume),
            retry::OWN_KIND => message::job(body).map(Self::Retry),
            unknown => Err(UnreadableMessage::Kind(message::Kind(unknown.to_owned()))),
        }?;
        let is_known = job.call_id().is_none_or(|call_id| call_id.source().is_some());
        if is_known { Ok(job) } else { Err(UnreadableMessage::Source) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use calls::{call::Call, ids::ErrorCode};

    fn workspace_id() -> WorkspaceId {
        WorkspaceId::parse("acme").unwrap()
    }

    fn wake() -> Wake {
        Wake { workspace_id: workspace_id(), call_id: CallId::parse("call-1").unwrap() }
    }

    fn error_code() -> ErrorCode {
        ErrorCode::parse("STORAGE_LIMIT_EXCEEDED").unwrap()
    }

    #[test]
    fn every_kind_round_trips() {
        let report = Report {
            workspace_id: workspace_id(),
            secret_version: 3,
            received_at: 1_700_000_000,
            call: Box::new(Call::new(CallId::parse("call-1").unwrap())),
        };
        assert_eq!(Job::decode(&report.message().body), Ok(Job::Report(report)));
        assert_eq!(Job::decode(&wake().message().body), Ok(Job::Wake(wake())));
        for after in [None, Some("a cursor".to_owned())] {
            let resume = Resume { workspace_id: workspace_id(), after: after.clone() };
            assert_eq!(Job::decode(&resume.message().body), Ok(Job::Resume(resume)));
            let retry = Retry { workspace_id: workspace_id(), after, error_code: error_code() };
            assert_eq!(Job::decode(&retry.message().body), Ok(Job::Retry(retry)));
        }
    }

    #[test]
    fn the_wire_format_is_the_contracts() {
        let body = r#"{"v":1,"kind":"wake","workspaceId":"acme","callId":"call-1"}"#;
        assert_eq!(
            wake().message(),
            crate::message::Message { workspace_id: workspace_id(), body: body.into() }
        );
    }

    #[test]
    fn a_resume_has_the_same_form_as_before_error_codes() {
        let resume = Resume { workspace_id: workspace_id(), after: Some("1/a".to_owned()) };
        let body = r#"{"v":1,"kind":"resume","workspaceId":"acme","after":"1/a"}"#;
        assert_eq!((resume.message().body.as_str(), Job::decode(body)), (body, Ok(Job::Resume(resume))));
    }

    /// The previous version knows it by no other kind.
    #[test]
    fn a_retry_is_written_in_the_form_that_the_previous_version_reads() {
        let retry = Retry::all(workspace_id(), error_code());
        let body = r#"{"v":1,"kind":"resume","workspaceId":"acme","errorCode":"STORAGE_LIMIT_EXCEEDED"}"#;
        assert_eq!((retry.message().body.as_str(), Job::decode(body)), (body, Ok(Job::Retry(retry))));
    }

    #[test]
    fn a_retry_is_also_read_by_its_own_kind() {
        let body = r#"{"v":1,"kind":"retry","workspaceId":"acme","errorCode":"STORAGE_LIMIT_EXCEEDED"}"#;
        assert_eq!(Job::decode(body), Ok(Job::Retry(Retry::all(workspace_id(), error_code()))));
    }

    #[test]
    fn a_message_about_a_call_on_an_unknown_platform_says_so() {
        let wake = Wake { call_id: CallId::parse("other~call-1").unwrap(), ..wake() };
        let report = Report {
            workspace_id: workspace_id(),
            secret_version: 1,
            received_at: 1,
            call: Box::new(Call::new(wake.call_id.clone())),
        };
        for message in [wake.message(), report.message()] {
            assert_eq!(Job::decode(&message.body), Err(UnreadableMessage::Source), "{}", message.body);
        }
    }

    #[test]
    fn an_unreadable_message_says_why() {
        assert_eq!(Job::decode("hello"), Err(UnreadableMessage::NotJson));
        assert_eq!(Job::decode(r#"{"v":2,"kind":"wake"}"#), Err(UnreadableMessage::Version(2)));
        assert_eq!(Job::decode(r#"{"v":300,"kind":"wake"}"#), Err(UnreadableMessage::Version(300)));
        assert_eq!(Job::decode(r#"{"v":1,"kind":"wake"}"#), Err(UnreadableMessage::Content));
        let unknown = Job::decode(r#"{"v":1,"kind":"later","workspaceId":"acme"}"#).unwrap_err().to_string();
        assert!(unknown.contains("`later`") && unknown.contains("newer"), "{unknown}");
    }
}
