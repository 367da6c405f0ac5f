//! The wire form of what lies in the calls queue (docs/contract.md#messages). Versioned, because a deployment meets
//! messages of the one before, and after a rollback those of the one after.

use std::fmt;

use calls::{ids::WorkspaceId, timings::FRESH_FOR};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

const VERSION: u64 = 1;

/// A message for the calls queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The workspace, which is also the message group: SQS then serves quiet workspaces before a noisy one.
    pub workspace_id: WorkspaceId,
    /// `{"v":1,"kind":…}` and the job's fields.
    pub body: String,
}

/// A job that travels through the calls queue.
pub trait Queued: Serialize + DeserializeOwned {
    /// Its name on the wire.
    const KIND: &'static str;

    /// Whose job it is.
    fn workspace_id(&self) -> &WorkspaceId;

    /// The message that asks for it.
    fn message(&self) -> Message {
        #[derive(Serialize)]
        struct Out<'a, T> {
            v: u64,
            kind: &'static str,
            #[serde(flatten)]
            job: &'a T,
        }
        // Strings, numbers and options only: nothing in it can fail to serialize.
        let body =
            serde_json::to_string(&Out { v: VERSION, kind: Self::KIND, job: self }).unwrap_or_default();
        Message { workspace_id: self.workspace_id().clone(), body }
    }
}

/// The kind of a message of a version that this worker reads.
pub(crate) fn kind(body: &str) -> Result<String, UnreadableMessage> {
    #[derive(Deserialize)]
    struct Head {
        v: u64,
        kind: Option<String>,
    }
    let Head { v, kind } = serde_json::from_str(body).map_err(|_| UnreadableMessage::NotJson)?;
    match kind {
        _ if v != VERSION => Err(UnreadableMessage::Version(v)),
        Some(kind) => Ok(kind),
        None => Err(UnreadableMessage::Content),
    }
}

/// The job of a message whose kind it is.
pub(crate) fn job<T: Queued>(body: &str) -> Result<T, UnreadableMessage> {
    serde_json::from_str(body).map_err(|_| UnreadableMessage::Content)
}

/// Whether nobody can have worked on a message before: it is delivered for the first time (`receives` 1), and is young.
/// `made_at`: the oldest time that is known of it, Unix seconds.
pub fn is_fresh(made_at: i64, receives: u32, now: i64) -> bool {
    receives <= 1 && now - made_at < FRESH_FOR.num_seconds()
}

/// The name of a job that this version does not know. It is shown only if it looks like one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kind(pub(crate) String);

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_name = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
        let shown = self.0.len() <= 40 && self.0.bytes().all(is_name);
        f.write_str(if shown { &self.0 } else { "…" })
    }
}

/// A message that this version of the worker cannot read. It stays in the queue, and ends in the dead-letter queue.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnreadableMessage {
    /// No JSON object with a version.
    #[error("the message is not a JSON object with a version `v`")]
    NotJson,
    /// From a newer deployment, presumably.
    #[error("the message has version {0}; this worker reads version 1")]
    Version(u64),
    /// A job that a newer version asked for, before it was rolled back.
    #[error("the message is of kind `{0}`, which this version does not know; a newer one wrote it")]
    Kind(Kind),
    /// About a call of a platform that a newer version knew.
    #[error(
        "the message is about a call of a platform that this version does not know; a newer one wrote it"
    )]
    Source,
    /// The right version, but not its content.
    #[error("the message has version 1, but not the fields of one")]
    Content,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_fresh_once_and_for_a_while() {
        assert!(is_fresh(1000, 1, 1000 + FRESH_FOR.num_seconds() - 1));
        assert!(!is_fresh(1000, 2, 1001));
        // Redriven: five receives, 360 s apart, are more than this; SQS counts anew.
        assert!(!is_fresh(1000, 1, 1000 + 4 * 360));
        assert!(!is_fresh(1000, 1, 1000 + 86_400));
    }
}
