//! The places of one workspace (docs/contract.md#places). A place is one of the workers that run at the same time; all
//! workspaces share them. A call that takes only a moment needs no permission. One that waits longer for Salesforce
//! takes one of its workspace's places, or else gives way to the calls of other workspaces.

use std::collections::HashMap;

use calls::ids::WorkspaceId;
use futures_util::lock::Mutex;

use crate::{
    ports::{Places, Random, StoreError},
    worker::{Ports, Worker},
};

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
}

impl<P: Ports> Worker<P> {
    /// Takes a place for a call until `until` at most, Unix seconds. `false`: the workspace has no place left.
    pub(crate) async fn take_place(&self, id: &WorkspaceId, until: i64) -> Result<bool, StoreError> {
        let mut held = self.places.held.lock().await;
        let now = self.now();
        if let Some(held) = held.get_mut(id).filter(|held| held.until > now) {
            held.calls += 1;
            return Ok(true);
        }
        let owner = self.random.id();
        for _ in 0..TRIES {
            let stored = self.workspaces.load_places(id).await?;
            let Some(taken) = stored.take(&owner, until, self.places.share, now) else { return Ok(false) };
            if self.workspaces.swap_places(id, &stored, &taken).await? {
                held.insert(id.clone(), Held { owner, until, calls: 1 });
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Leaves the place that a call has taken; the process leaves its place with the last of them. Best effort: the
    /// place is free again when its time is over.
    pub(crate) async fn leave_place(&self, id: &WorkspaceId) {
        let mut held = self.places.held.lock().await;
        let Some(place) = held.get_mut(id) else { return };
        place.calls -= 1;
        if place.calls > 0 && place.until > self.now() {
            return;
        }
        let Some(Held { owner, .. }) = held.remove(id) else { return };
        for _ in 0..TRIES {
            let left = async {
                let stored = self.workspaces.load_places(id).await?;
                self.workspaces.swap_places(id, &stored, &stored.leave(&owner, self.now())).await
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
