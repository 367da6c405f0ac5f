//! Keys for tests.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use worker::ports::StoreError;

use crate::{keys::Keys, secrets::KeySource};

/// Keys with these ids in both rings, the current one first. The same id always gives the same key.
///
/// # Panics
///
/// If an id is invalid.
pub fn with_ids(ids: &[&str]) -> Keys {
    parse(ids, &"test".repeat(16))
}

#[expect(clippy::expect_used, reason = "a test that gives a wrong id should fail here")]
fn parse(ids: &[&str], initial: &str) -> Keys {
    let ring: Vec<_> = ids.iter().map(|id| serde_json::json!({ "id": id })).collect();
    let secret = serde_json::json!({ "sealing": ring, "webhook": ring, "initial": initial });
    Keys::parse(&secret.to_string().into()).expect("the test's keys are valid")
}

/// Keys that never change.
#[derive(Debug, Clone)]
pub struct Fixed(Arc<Keys>);

impl Fixed {
    /// The keys of [`with_ids`].
    pub fn with_ids(ids: &[&str]) -> Self {
        Self(Arc::new(with_ids(ids)))
    }

    /// A key of another deployment.
    pub fn from_initial(initial: &str) -> Self {
        Self(Arc::new(parse(&["1"], initial)))
    }
}

impl Default for Fixed {
    /// One key.
    fn default() -> Self {
        Self::with_ids(&["1"])
    }
}

impl KeySource for Fixed {
    async fn keys(&self) -> Result<Arc<Keys>, StoreError> {
        Ok(Arc::clone(&self.0))
    }

    async fn reread(&self) -> Result<Arc<Keys>, StoreError> {
        self.keys().await
    }
}

/// Keys that were rotated: a reread returns the new ones.
#[derive(Debug)]
pub struct Rotating {
    before: Arc<Keys>,
    after: Arc<Keys>,
    reread: AtomicBool,
}

impl Rotating {
    /// Returns `before` until a reread, and `after` from then on.
    pub fn new(before: Keys, after: Keys) -> Self {
        Self { before: Arc::new(before), after: Arc::new(after), reread: AtomicBool::new(false) }
    }
}

impl KeySource for Rotating {
    async fn keys(&self) -> Result<Arc<Keys>, StoreError> {
        let keys = if self.reread.load(Ordering::SeqCst) { &self.after } else { &self.before };
        Ok(Arc::clone(keys))
    }

    async fn reread(&self) -> Result<Arc<Keys>, StoreError> {
        self.reread.store(true, Ordering::SeqCst);
        self.keys().await
    }
}

/// A Secrets Manager that does not respond.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unavailable;

impl KeySource for Unavailable {
    async fn keys(&self) -> Result<Arc<Keys>, StoreError> {
        Err(StoreError { operation: "reading the keys", cause: "a fault that the test planned".to_owned() })
    }

    async fn reread(&self) -> Result<Arc<Keys>, StoreError> {
        self.keys().await
    }
}
