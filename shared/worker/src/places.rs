//! The places of one workspace (docs/contract.md#places). A place is one of the workers that run at the same time; all
//! workspaces share them. A call that takes only a moment needs no permission. One that waits longer for Salesforce
//! takes one of its workspace's places, or else gives way to the calls of other workspaces.

use std::collections::HashMap;

use calls::ids::WorkspaceId;
use futures_util::lock::Mutex;

use crate::ports::{Places, StoreError};

/// How often a worker tries to store a place. Each try lost is another worker of the same workspace.
const TRIES: u32 = 8;

/// The places that this process has taken: one per workspace, however many of its calls it works on.
#[derive(Debug)]
pub struct Taken {
    /// How many places one workspace may take.
    share: usize,
    held: Mutex<HashMap<WorkspaceId, Held>>,
}

#[derive(Debug)]
struct Held {
    owner: String,
    /// Until when it is held at most, Unix seconds.
    until: i64,
    /// How many of this process's calls need it.
    calls: usize,
}

impl Taken {
    /// None yet. `share`: how many places one workspace may take.
    pub fn none(share: usize) -> Self {
        Self { share, held: Mutex::default() }
    }

    /// How many places one workspace may take.
    pub fn share(&self) -> usize {
        self.share
    }

    /// Takes a place for a call from `now` until `until` at most, Unix seconds; `owner` is unique. `false`: the
    /// workspace has no place left.
    pub(crate) async fn take<S: Places>(
        &self,
        store: &S,
        id: &WorkspaceId,
        owner: String,
        until: i64,
        now: i64,
    ) -> Result<bool, StoreError> {
        let mut held = self.held.lock().await;
        if let Some(held) = held.get_mut(id).filter(|held| held.until > now) {
            held.calls += 1;
            return Ok(true);
        }
        for _ in 0..TRIES {
            let stored = store.load_places(id).await?;
            let Some(taken) = stored.take(&owner, until, self.share, now) else { return Ok(false) };
            if store.swap_places(id, &stored, &taken).await? {
                held.insert(id.clone(), Held { owner, until, calls: 1 });
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Leaves the place that a call has taken; the process leaves its place with the last of them. Best effort: the
    /// place is free again when its time is over.
    pub(crate) async fn leave<S: Places>(&self, store: &S, id: &WorkspaceId, now: i64) {
        let mut held = self.held.lock().await;
        let Some(place) = held.get_mut(id) else { return };
        place.calls -= 1;
        if place.calls > 0 && place.until > now {
            return;
        }
        let Some(Held { owner, .. }) = held.remove(id) else { return };
        for _ in 0..TRIES {
            let left = async {
                let stored = store.load_places(id).await?;
                store.swap_places(id, &stored, &stored.leave(&owner, now)).await
            };
            match left.await {
                Ok(true) => return,
                Ok(false) => {}
                Err(error) => {
                    tracing::warn!(workspace.id = %id, error = %error, "a place could not be left");
                    return;
                }
            }
        }
    }
}
