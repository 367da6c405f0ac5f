//! Connect flows in memory.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use worker::{
    ports::StoreError,
    testing::{Faults, lock},
};

use crate::{
    hashed::Hashed,
    stores::{NewState, OAuthFlow, OAuthStates, TakeError},
};

/// Connect flows in memory. Its operations are `put` and `take`. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct MemoryOAuthStates {
    states: Arc<Mutex<HashMap<Hashed, NewState>>>,
    /// What fails.
    pub faults: Faults,
}

impl MemoryOAuthStates {
    /// All flows that wait for their callback.
    pub fn states(&self) -> Vec<NewState> {
        lock(&self.states).values().cloned().collect()
    }
}

impl OAuthStates for MemoryOAuthStates {
    async fn put(&self, state: &NewState) -> Result<(), StoreError> {
        let insert = || lock(&self.states).insert(state.state_hash.clone(), state.clone());
        self.faults.run("put", insert).map(drop)
    }

    async fn take(
        &self,
        state_hash: &Hashed,
        cookie_hash: &Hashed,
        now: i64,
    ) -> Result<OAuthFlow, TakeError> {
        self.faults.run("take", || {
            let mut states = lock(&self.states);
            let found = states.get(state_hash).ok_or(TakeError::Unknown)?;
            if found.cookie_hash != *cookie_hash {
                return Err(TakeError::WrongBrowser);
            }
            if found.expires_at <= now {
                return Err(TakeError::Expired);
            }
            states.remove(state_hash).map(|state| state.flow).ok_or(TakeError::Unknown)
        })?
    }
}
