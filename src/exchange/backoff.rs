//! A thousand devices that lost the same server must not come back in the same millisecond, so pauses are spread; and
//! a test must be able to foresee them, so what spreads them is a parameter.

use super::Options;
use crate::random::SplitMix64;

/// Exponential pauses, each somewhere in the upper half of its length.
#[derive(Clone, Debug)]
pub(super) struct Backoff {
    base_ms: u64,
    max_ms: u64,
    random: SplitMix64,
}

impl Backoff {
    pub fn new(options: &Options, seed: u64) -> Self {
        let (base_ms, max_ms) = (options.backoff_base_ms.into(), options.backoff_max_ms.into());
        Self { base_ms, max_ms, random: SplitMix64::new(seed) }
    }

    /// The pause after so many attempts, at least 1, and at least so many milliseconds.
    pub fn pause_ms(&mut self, attempts: u32, at_least_ms: u64) -> u64 {
        let doublings = attempts.saturating_sub(1).min(32);
        let full = self.base_ms.max(at_least_ms).saturating_mul(1 << doublings).min(self.max_ms);
        let half = full / 2;
        at_least_ms + half + self.random.next() % (full - half + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest_and_never_shrink_below_half() {
        let mut backoff = Backoff::new(&Options::default(), 7);
        for (attempts, full) in [(1, 200), (2, 400), (3, 800), (7, 10_000), (u32::MAX, 10_000)] {
            for _ in 0..100 {
                let pause = backoff.pause_ms(attempts, 0);
                assert!((full / 2..=full).contains(&pause), "{pause} after {attempts} attempts");
            }
        }
    }

    #[test]
    fn the_same_seed_gives_the_same_pauses_and_another_seed_others() {
        let pauses = |seed| {
            let mut backoff = Backoff::new(&Options::default(), seed);
            (1..9).map(|attempts| backoff.pause_ms(attempts, 0)).collect::<Vec<_>>()
        };
        assert_eq!(pauses(1), pauses(1));
        assert_ne!(pauses(1), pauses(2));
    }

    #[test]
    fn a_pause_that_the_platform_wants_is_kept_spread_and_grows() {
        let mut backoff = Backoff::new(&Options::default(), 7);
        for (attempts, longest) in [(1, 2_000), (2, 3_000), (3, 5_000)] {
            let pauses: Vec<u64> = (0..100).map(|_| backoff.pause_ms(attempts, 1_000)).collect();
            assert!(pauses.iter().all(|pause| (1_000 + (longest - 1_000) / 2..=longest).contains(pause)), "{pauses:?}");
            assert!(pauses.iter().any(|pause| *pause != pauses[0]));
        }
    }

    #[test]
    fn no_base_means_no_pause() {
        let options = Options { backoff_base_ms: 0, ..Options::default() };
        assert_eq!(Backoff::new(&options, 1).pause_ms(5, 0), 0);
    }
}
