//! What lies in the calls queue. Versioned, because a deployment meets messages of the one before.

use serde::{Deserialize, Serialize};

use crate::{
    call::Call,
    ids::{CallId, ErrorCode, WorkspaceId},
    timings::FRESH_FOR,
};

/// A queue message (docs/contract.md#messages): `{"v":1,"kind":"report"|"wake"|"resume", …}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", rename_all_fields = "camelCase")]
pub enum Work {
    /// A new report.
    Report {
        /// Whose call.
        workspace_id: WorkspaceId,
        /// The version of the webhook secret that the report came with.
        secret_version: u64,
        /// When the webhook took the report, Unix seconds.
        received_at: i64,
        /// What the report said.
        call: Box<Call>,
    },
    /// Work on this row of the ledger.
    Wake {
        /// Whose call.
        workspace_id: WorkspaceId,
        /// Which call.
        call_id: CallId,
    },
    /// Work on all rows that wait for this workspace's connection, or on all with an error code, a part a message.
    Resume {
        /// Whose calls.
        workspace_id: WorkspaceId,
        /// Where the page before ended; absent: the first page.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        after: Option<String>,
        /// Which rows: those with this error code; absent: those that wait for the connection.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        error_code: Option<ErrorCode>,
    },
}

impl Work {
    /// The workspace, which is also the message group: SQS then serves quiet workspaces before a noisy one.
    pub fn workspace_id(&self) -> &WorkspaceId {
        match self {
            Self::Report { workspace_id, .. }
            | Self::Wake { workspace_id, .. }
            | Self::Resume { workspace_id, .. } => workspace_id,
        }
    }

    /// The message's body.
    pub fn encode(&self) -> String {
        #[derive(Serialize)]
        struct Out<'a> {
            v: u8,
            #[serde(flatten)]
            work: &'a Work,
        }
        // Strings, numbers and options only: nothing in it can fail to serialize.
        serde_json::to_string(&Out { v: 1, work: self }).unwrap_or_default()
    }

    /// Reads a message's body.
    pub fn decode(body: &str) -> Result<Self, UnreadableMessage> {
        #[derive(Deserialize)]
        struct Version {
            v: u8,
        }
        let Version { v } = serde_json::from_str(body).map_err(|_| UnreadableMessage::NotJson)?;
        if v != 1 {
            return Err(UnreadableMessage::Version(v));
        }
        serde_json::from_str(body).map_err(|_| UnreadableMessage::Content)
    }
}

/// Whether nobody can have worked on a message before: it is delivered for the first time (`receives` 1), and is young.
/// `made_at`: the oldest time that is known of it, Unix seconds.
pub fn is_fresh(made_at: i64, receives: u32, now: i64) -> bool {
    receives <= 1 && now - made_at < FRESH_FOR.num_seconds()
}

/// A message that this version of the worker cannot read. It stays in the queue, and ends in the dead-letter queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UnreadableMessage {
    /// No JSON object with a version.
    #[error("the message is not a JSON object with a version `v`")]
    NotJson,
    /// From a newer deployment, presumably.
    #[error("the message has version {0}; this worker reads version 1")]
    Version(u8),
    /// The right version, but not its content.
    #[error("the message has version 1, but not the fields of one")]
    Content,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_survives_the_queue() {
        let workspace_id = WorkspaceId::parse("acme").unwrap();
        let call_id = CallId::parse("call-1").unwrap();
        for work in [
            Work::Report {
                workspace_id: workspace_id.clone(),
                secret_version: 3,
                received_at: 1_700_000_000,
                call: Box::new(Call::new(call_id.clone())),
            },
            Work::Wake { workspace_id: workspace_id.clone(), call_id },
            Work::Resume { workspace_id: workspace_id.clone(), after: None, error_code: None },
            Work::Resume {
                workspace_id,
                after: Some("a cursor".to_owned()),
                error_code: Some(ErrorCode::parse("STORAGE_LIMIT_EXCEEDED").unwrap()),
            },
        ] {
            assert_eq!(Work::decode(&work.encode()), Ok(work));
        }
    }

    #[test]
    fn the_wire_form_is_the_contract() {
        let work = Work::Wake {
            workspace_id: WorkspaceId::parse("acme").unwrap(),
            call_id: CallId::parse("call-1").unwrap(),
        };
        assert_eq!(work.encode(), r#"{"v":1,"kind":"wake","workspaceId":"acme","callId":"call-1"}"#);
    }

    #[test]
    fn a_message_is_fresh_once_and_for_a_while() {
        assert!(is_fresh(1000, 1, 1000 + FRESH_FOR.num_seconds() - 1));
        assert!(!is_fresh(1000, 2, 1001));
        // Redriven: five receives, 360 s apart, are more than this; SQS counts anew.
        assert!(!is_fresh(1000, 1, 1000 + 4 * 360));
        assert!(!is_fresh(1000, 1, 1000 + 86_400));
    }

    #[test]
    fn a_resume_without_an_error_code_is_written_and_read_as_before_there_were_any() {
        let work = Work::Resume {
            workspace_id: WorkspaceId::parse("acme").unwrap(),
            after: Some("1/a".to_owned()),
            error_code: None,
        };
        let body = r#"{"v":1,"kind":"resume","workspaceId":"acme","after":"1/a"}"#;
        assert_eq!((work.encode().as_str(), Work::decode(body)), (body, Ok(work)));
    }

    #[test]
    fn what_cannot_be_read_says_why() {
        assert_eq!(Work::decode("hello"), Err(UnreadableMessage::NotJson));
        assert_eq!(Work::decode(r#"{"v":2,"kind":"wake"}"#), Err(UnreadableMessage::Version(2)));
        assert_eq!(Work::decode(r#"{"v":1,"kind":"dance"}"#), Err(UnreadableMessage::Content));
    }
}
