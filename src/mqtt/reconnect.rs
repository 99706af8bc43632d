//! A thousand devices that lost the same broker must not come back in the same second, and two clients with the same id
//! throw each other out for as long as they live: so pauses grow, are spread, and begin anew only after a connection that
//! has lasted.

use super::options::Options;
use crate::random::SplitMix64;

/// The pauses between attempts to connect.
#[derive(Debug)]
pub(super) struct Reconnect {
    base_ms: u64,
    max_ms: u64,
    stable_ms: u64,
    attempts: u32,
    random: SplitMix64,
}

impl Reconnect {
    pub fn new(options: &Options, seed: u64) -> Self {
        Self {
            base_ms: options.reconnect_base_ms.into(),
            max_ms: options.reconnect_max_ms.into(),
            stable_ms: options.stable_ms.into(),
            attempts: 0,
            random: SplitMix64::new(seed),
        }
    }

    /// A connection was lost after so long.
    pub fn lost(&mut self, after_ms: u64) {
        if after_ms >= self.stable_ms {
            self.attempts = 0;
        }
    }

    /// The pause before the next attempt: somewhere in the upper half of its length.
    pub fn pause_ms(&mut self) -> u64 {
        let full = self.base_ms.saturating_mul(1 << self.attempts.min(32)).min(self.max_ms);
        self.attempts = self.attempts.saturating_add(1);
        let half = full / 2;
        half + self.random.next() % (full - half + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pauses(seed: u64) -> Vec<u64> {
        let mut reconnect = Reconnect::new(&Options::default(), seed);
        (0..8).map(|_| reconnect.pause_ms()).collect()
    }

    #[test]
    fn pauses_double_up_to_the_longest_and_are_spread_over_their_upper_half() {
        for seed in 0..50 {
            for (pause, full) in pauses(seed).into_iter().zip([1, 2, 4, 8, 16, 32, 32, 32]) {
                assert!((full * 500..=full * 1000).contains(&pause), "{pause} of {full} s");
            }
        }
        assert_eq!(pauses(1), pauses(1));
        assert_ne!(pauses(1), pauses(2));
    }

    #[test]
    fn only_a_connection_that_lasted_makes_the_pauses_begin_anew() {
        let mut reconnect = Reconnect::new(&Options::default(), 1);
        let _ = [(); 5].map(|()| reconnect.pause_ms());
        reconnect.lost(19_999);
        assert!(reconnect.pause_ms() > 1000);
        reconnect.lost(20_000);
        assert!(reconnect.pause_ms() <= 1000);
    }
}
