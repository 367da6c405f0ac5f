//! The virtual clock: the machine's time, and how far a test has moved it ahead.

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};

/// Everything that expires or waits in the simulator goes by this clock.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Clock {
    ahead: TimeDelta,
}

impl Clock {
    /// Now, in whole milliseconds: Salesforce stores no finer.
    pub(crate) fn now(self) -> DateTime<Utc> {
        (Utc::now() + self.ahead).trunc_subsecs(3)
    }

    /// Moves the clock ahead.
    pub(crate) fn advance(&mut self, by: TimeDelta) {
        self.ahead += by;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_moves_ahead_as_far_as_told() {
        let mut clock = Clock::default();
        let before = clock.now();
        clock.advance(TimeDelta::hours(2));
        assert!(clock.now() - before >= TimeDelta::hours(2));
    }
}
