//! The system's clock.

use std::time::Duration;

use chrono::{DateTime, Utc};
use worker::ports::Clock;

/// This machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> DateTime<Utc> {
        Utc::now()
    }

    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_sleep_lasts_as_long_as_requested() {
        let start = tokio::time::Instant::now();
        SystemClock.sleep(Duration::from_millis(200)).await;
        assert_eq!(start.elapsed(), Duration::from_millis(200));
    }
}
