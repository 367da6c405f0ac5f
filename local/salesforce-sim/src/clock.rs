//! The virtual clock: the machine's time plus what a test has advanced it by.

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};

/// The clock for whatever expires or waits in the simulator.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Clock {
    advanced_by: TimeDelta,
}

impl Clock {
    /// Now, in whole milliseconds, Salesforce's precision.
    pub(crate) fn now(self) -> DateTime<Utc> {
        (Utc::now() + self.advanced_by).trunc_subsecs(3)
    }

    /// Advances the clock.
    pub(crate) fn advance(&mut self, by: TimeDelta) {
        self.advanced_by += by;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_can_be_advanced() {
        let mut clock = Clock::default();
        let before = clock.now();
        clock.advance(TimeDelta::hours(2));
        assert!(clock.now() - before >= TimeDelta::hours(2));
    }
}
