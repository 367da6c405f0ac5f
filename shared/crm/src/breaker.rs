//! The breaker: an org or a login host that does not answer in time is left alone for a growing time, by all workers at
//! once (docs/contract.md#the-breaker).

use calls::timings::{BREAKER_LONGEST, BREAKER_SHORTEST, BREAKER_TEST, UNANSWERED_WITHIN};
use serde::{Deserialize, Serialize};

/// What workers know about requests without an answer; stored where all of them see it, until an answer arrives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Breaker {
    /// When a request last got no answer, Unix seconds.
    pub unanswered_at: i64,
    /// Until when nobody asks again, Unix seconds; `None`: one request without an answer is not enough.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<i64>,
    /// How often it was left alone since its last answer. Decides how long the next time is.
    #[serde(default)]
    pub times: u32,
}

/// Whether a worker may send a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Yes.
    Free,
    /// No, not until then, Unix seconds.
    LeftAlone(i64),
    /// Only one worker at a time may, to find out whether there is an answer again.
    Test,
}

impl Breaker {
    /// Whether a worker may send a request at `now`.
    pub fn access(breaker: Option<Self>, now: i64) -> Access {
        match breaker.and_then(|breaker| breaker.until) {
            None => Access::Free,
            Some(until) if until > now => Access::LeftAlone(until),
            Some(_) => Access::Test,
        }
    }

    /// After a request that got no answer. `was_test`: it was the one request that may be sent meanwhile. The others
    /// were sent before anybody knew, and change nothing.
    #[must_use]
    pub fn unanswered(breaker: Option<Self>, was_test: bool, now: i64) -> Self {
        let Some(breaker) = breaker else { return Self { unanswered_at: now, until: None, times: 0 } };
        let is_second = now - breaker.unanswered_at < UNANSWERED_WITHIN.num_seconds();
        match breaker.until {
            Some(_) if was_test => breaker.left_alone(now),
            Some(_) => breaker,
            None if is_second => breaker.left_alone(now),
            None => Self { unanswered_at: now, ..breaker },
        }
    }

    fn left_alone(self, now: i64) -> Self {
        let longest = BREAKER_LONGEST.num_seconds();
        let time = (BREAKER_SHORTEST.num_seconds() << self.times.min(16)).min(longest);
        Self { unanswered_at: now, until: Some(now + time), times: self.times + 1 }
    }

    /// While a worker tests it. If that worker dies, another one may test it after this.
    #[must_use]
    pub fn testing(self, now: i64) -> Self {
        Self { until: Some(now + BREAKER_TEST.num_seconds()), ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_800_000_000;

    #[test]
    fn two_requests_without_an_answer_within_a_minute_leave_it_alone() {
        let first = Breaker::unanswered(None, false, NOW);
        assert_eq!(Breaker::access(None, NOW), Access::Free);
        assert_eq!(Breaker::access(Some(first), NOW), Access::Free);
        for (after, access) in
            [(0, Access::LeftAlone(NOW + 30)), (59, Access::LeftAlone(NOW + 89)), (60, Access::Free)]
        {
            let second = Breaker::unanswered(Some(first), false, NOW + after);
            assert_eq!(Breaker::access(Some(second), NOW + after), access, "{after}");
        }
    }

    #[test]
    fn each_test_without_an_answer_doubles_the_time_up_to_a_quarter_of_an_hour() {
        let mut now = NOW;
        let mut breaker = Breaker::unanswered(None, false, now);
        breaker = Breaker::unanswered(Some(breaker), false, now);
        let mut times = Vec::new();
        for _ in 0..7 {
            let until = breaker.until.unwrap();
            times.push(until - now);
            now = until;
            assert_eq!(Breaker::access(Some(breaker), now - 1), Access::LeftAlone(until));
            assert_eq!(Breaker::access(Some(breaker), now), Access::Test);
            breaker = Breaker::unanswered(Some(breaker.testing(now)), true, now);
        }
        assert_eq!(times, [30, 60, 120, 240, 480, 900, 900]);
    }

    #[test]
    fn while_one_worker_tests_it_the_others_wait() {
        let left_alone = Breaker { unanswered_at: NOW - 30, until: Some(NOW), times: 1 };
        let testing = left_alone.testing(NOW);
        let Access::LeftAlone(until) = Breaker::access(Some(testing), NOW) else { panic!("{testing:?}") };
        assert_eq!(Breaker::access(Some(testing), until), Access::Test);
    }

    #[test]
    fn requests_that_were_sent_before_change_nothing() {
        let left_alone = Breaker { unanswered_at: NOW, until: Some(NOW + 30), times: 1 };
        assert_eq!(Breaker::unanswered(Some(left_alone), false, NOW + 5), left_alone);
    }
}
