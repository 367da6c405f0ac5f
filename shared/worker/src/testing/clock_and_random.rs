//! A clock that only moves when it is advanced, and randomness that is the same in every run.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
    time::Duration,
};

use crate::ports::{Clock, Random};
use chrono::{DateTime, Utc};

/// A clock that only moves when it is advanced. A sleep advances it and returns immediately. Clones share the time.
#[derive(Debug, Clone)]
pub struct FixedClock(Arc<AtomicI64>);

impl FixedClock {
    /// Starts at this time, Unix seconds.
    pub fn at(seconds: i64) -> Self {
        Self(Arc::new(AtomicI64::new(seconds * 1000)))
    }

    /// Advances the clock.
    pub fn advance(&self, by: Duration) {
        self.0.fetch_add(i64::try_from(by.as_millis()).unwrap_or(i64::MAX), Ordering::SeqCst);
    }
}

impl Clock for FixedClock {
    fn now(&self) -> DateTime<Utc> {
        DateTime::from_timestamp_millis(self.0.load(Ordering::SeqCst)).unwrap_or_default()
    }

    async fn sleep(&self, duration: Duration) {
        self.advance(duration);
        tokio::task::yield_now().await;
    }
}

/// Randomness from a seed. Clones share one sequence.
#[derive(Debug, Clone)]
pub struct SeededRandom {
    seed: u64,
    drawn: Arc<AtomicU64>,
}

impl SeededRandom {
    /// The same seed gives the same sequence.
    pub fn new(seed: u64) -> Self {
        Self { seed, drawn: Arc::default() }
    }

    fn draw(&self) -> u64 {
        self.drawn.fetch_add(1, Ordering::SeqCst)
    }
}

impl Random for SeededRandom {
    fn id(&self) -> String {
        format!("id-{}-{}", self.seed, self.draw())
    }

    /// Multiples of the golden ratio, which cover the interval evenly.
    fn fraction(&self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "small numbers")]
        let nth = (self.seed + self.draw()) as f64;
        (nth * 0.618_033_988_749_894_9).fract()
    }
}
