//! The wire format of the calls queue's messages (docs/contract.md#messages). It is versioned, because a deployment
//! receives messages from the previous one, and after a rollback from the newer one.

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
    /// The job's name on the wire.
    const KIND: &'static str;

    /// The workspace that the job is for.
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
        // Only strings, numbers and options: serializing them cannot fail.
        let body =
            serde_json::to_string(&Out { v: VERSION, kind: Self::KIND, job: self }).unwrap_or_default();
        Message { workspace_id: self.workspace_id().clone(), body }
    }
}

/// The kind of a message, if this worker reads its version.
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

/// Parses the job of a message that has this job's kind.
pub(crate) fn job<T: Queued>(body: &str) -> Result<T, UnreadableMessage> {
    serde_json::from_str(body).map_err(|_| UnreadableMessage::Content)
}

/// Whether nobody can have processed a message before: this is its first delivery (`receives` 1), and it is recent.
/// `made_at`: its earliest known time, Unix seconds.
pub fn is_fresh(made_at: i64, receives: u32, now: i64) -> bool {
    receives <= 1 && now - made_at < FRESH_FOR.num_seconds()
}

/// The name of a job that this version does not know. Displayed only if it looks like a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kind(pub(crate) String);

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_name = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
        let shown = self.0.len() <= 40 && self.0.bytes().all(is_name);
        f.write_str(if shown { &self.0 } else { "…" })
    }
}

/// A message that this version of the worker cannot read. It ends up in the dead-letter queue.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnreadableMessage {
    /// Not a JSON object with a version.
    #[error("the message is not a JSON object with a version `v`")]
    NotJson,
    /// Presumably from a newer deployment.
    #[error("the message has version {0}; this worker reads version 1")]
    Version(u64),
    /// A job that a newer version asked for, before it was rolled back.
    #[error("the message is of kind `{0}`, which this version does not know; a newer one wrote it")]
    Kind(Kind),
    /// About a call on a platform that only a newer version knows.
    #[error(
        "the message is about a call of a platform that this version does not know; a newer one wrote it"
    )]
    Source,
    /// The right version, but not the right fields.
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
        // Redriven after five receives, 360 s apart: SQS counts from one again, but the message is too old.
        assert!(!is_fresh(1000, 1, 1000 + 4 * 360));
        assert!(!is_fresh(1000, 1, 1000 + 86_400));
    }
}
