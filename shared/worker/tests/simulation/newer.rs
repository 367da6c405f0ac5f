//! A newer version that is deployed briefly and rolled back: what it leaves behind, and what its next deployment does.

use calls::ids::CallId;
use crm::ledger::WriteId;

use crate::{samples::workspace_id, world::State};

/// A message of a kind that only the newer version knows.
const MESSAGE: &str = r#"{"v":1,"kind":"later","workspaceId":"workspace-0","callId":"call-0-0"}"#;

impl State {
    /// The newer version writes the call's row, if there is one, and sends a message.
    pub fn newer_version(&mut self, workspace: usize, call: usize) {
        let call_id = CallId::parse(format!("call-{workspace}-{call}")).unwrap();
        let key = (workspace_id(workspace), call_id);
        self.drawn += 1;
        let write_id = WriteId(format!("newer-{}", self.drawn));
        if let Some(row) = self.rows.get_mut(&key) {
            row.write_id = Some(write_id);
            self.newer.insert(key, row.clone());
        }
        self.newer_messages += self.enqueue(MESSAGE);
    }

    /// The newer version is deployed again: it understands its rows and processes its messages, none of which is lost.
    pub fn roll_forward(&mut self) {
        self.newer.clear();
        self.redrive();
        let before = self.queue.len();
        self.queue.retain(|message| message.body != MESSAGE);
        if before - self.queue.len() != self.newer_messages {
            self.violate("a message of a newer version is lost");
        }
    }

    /// Redrives the dead-letter queue. The messages' delivery counts start again at zero.
    pub fn redrive(&mut self) {
        for mut message in std::mem::take(&mut self.dead_letters) {
            (message.received, message.visible_at) = (0, self.now);
            self.queue.push(message);
        }
    }
}
