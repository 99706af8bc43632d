//! A guest that is given signatures as fast as it asks can lay in a stock of them, and keeps the host busy with hashing.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// What the rate is counted over.
const MINUTE: Duration = Duration::from_secs(60);

/// The signatures of the last minute.
#[derive(Debug, Default)]
pub(super) struct SignatureRate {
    /// When each was given, the oldest first.
    given: VecDeque<Instant>,
}

impl SignatureRate {
    /// Counts one more, or says how long none is given.
    pub fn take(&mut self, now: Instant, per_minute: usize) -> Result<(), Duration> {
        let age = |given: &Instant| now.saturating_duration_since(*given);
        while self.given.front().is_some_and(|given| age(given) >= MINUTE) {
            self.given.pop_front();
        }
        match self.given.front() {
            Some(oldest) if self.given.len() >= per_minute => Err(MINUTE.saturating_sub(age(oldest))),
            _ => {
                self.given.push_back(now);
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn in_no_minute_are_there_more_than_were_allowed() {
        let begin = Instant::now();
        let mut rate = SignatureRate::default();
        let mut given: Vec<u64> = Vec::new();
        for second in 0..300 {
            for _ in 0..2 {
                let taken = rate.take(begin + Duration::from_secs(second), 10);
                given.extend(taken.is_ok().then_some(second));
            }
        }
        assert_eq!(given.len(), 5 * 10);
        for window in given.windows(11) {
            assert!(window[10] - window[0] >= 60, "{window:?}");
        }
    }

    #[test]
    fn a_refusal_says_when_there_is_one_again() {
        let begin = Instant::now();
        let at = |seconds| begin + Duration::from_secs(seconds);
        let mut rate = SignatureRate::default();
        assert_eq!(rate.take(at(0), 1), Ok(()));
        assert_eq!(rate.take(at(20), 1), Err(Duration::from_secs(40)));
        assert_eq!(rate.take(at(60), 1), Ok(()));
    }
}
