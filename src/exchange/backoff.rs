//! A thousand devices that lost the same server must not come back in the same millisecond, so pauses are spread; and
//! a test must be able to foresee them, so what spreads them is a parameter.

use super::Options;
use crate::random::SplitMix64;

/// No pause is shorter: attempts are bounded by time alone, and without any pause a server that refuses at once would be
/// asked as fast as the machine can.
const SHORTEST_MS: u64 = 10;

/// Exponential pauses, each somewhere in the upper half of its length.
#[derive(Clone, Debug)]
pub(super) struct Backoff {
    base_ms: u64,
    max_ms: u64,
    random: SplitMix64,
}

impl Backoff {
    pub fn new(options: &Options, seed: u64) -> Self {
        let base_ms = u64::from(options.backoff_base_ms).max(SHORTEST_MS);
        let max_ms = u64::from(options.backoff_max_ms).max(base_ms);
        Self { base_ms, max_ms, random: SplitMix64::new(seed) }
    }

    /// The pause after so many attempts, at least 1, and at least so many milliseconds: those and half as many again at
    /// first, so that a thousand devices that were told the same do not come back together.
    pub fn pause_ms(&mut self, attempts: u32, at_least_ms: u64) -> u64 {
        at_least_ms
            .saturating_add(self.spread_ms(doubled(self.base_ms.max(at_least_ms / 2), attempts).min(self.max_ms)))
    }

    /// A pause that has no longest: what is in vain is tried ever more seldom.
    pub fn endless_pause_ms(&mut self, attempts: u32) -> u64 {
        self.spread_ms(doubled(self.base_ms, attempts))
    }

    /// A pause of about this length, but none shorter than the first or longer than the longest.
    pub fn pause_about_ms(&mut self, full_ms: u64) -> u64 {
        self.spread_ms(full_ms.clamp(self.base_ms, self.max_ms))
    }

    /// The pause as far as there is time for it and one more attempt behind it, with so much time left. `None` where less is
    /// left than for the shortest pause, or than the platform asks for.
    pub fn within(&self, pause_ms: u64, at_least_ms: u64, left_ms: u64) -> Option<u64> {
        let fitting_ms = pause_ms.min(left_ms / 2).max(at_least_ms);
        (fitting_ms >= self.base_ms / 2 && fitting_ms < left_ms).then_some(fitting_ms)
    }

    fn spread_ms(&mut self, full_ms: u64) -> u64 {
        let half_ms = full_ms / 2;
        half_ms + self.random.next() % (full_ms - half_ms + 1)
    }
}

fn doubled(base_ms: u64, attempts: u32) -> u64 {
    base_ms.saturating_mul(1 << attempts.saturating_sub(1).min(32))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest_and_never_shrink_below_half() {
        let mut backoff = Backoff::new(&Options::default(), 7);
        for (attempts, full) in [(1, 200), (2, 400), (3, 800), (7, 2_000), (u32::MAX, 2_000)] {
            for _ in 0..100 {
                let pause = backoff.pause_ms(attempts, 0);
                assert!((full / 2..=full).contains(&pause), "{pause} after {attempts} attempts");
            }
        }
        assert!((3_200..=6_400).contains(&backoff.endless_pause_ms(6)));
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
        for (attempts, longest) in [(1, 1_500), (2, 2_000), (3, 3_000), (4, 3_000)] {
            let pauses: Vec<u64> = (0..100).map(|_| backoff.pause_ms(attempts, 1_000)).collect();
            assert!(pauses.iter().all(|pause| (1_000 + (longest - 1_000) / 2..=longest).contains(pause)), "{pauses:?}");
            assert!(pauses.iter().any(|pause| *pause != pauses[0]));
        }
    }

    #[test]
    fn without_a_base_there_is_a_pause_all_the_same() {
        let options = Options { backoff_base_ms: 0, backoff_max_ms: 0, ..Options::default() };
        assert!((5..=10).contains(&Backoff::new(&options, 1).pause_ms(5, 0)));
    }

    #[test]
    fn a_pause_leaves_time_for_one_more_attempt_while_there_is_any() {
        let backoff = Backoff::new(&Options::default(), 1);
        assert_eq!(backoff.within(2_000, 0, 30_000), Some(2_000));
        assert_eq!(backoff.within(2_000, 0, 3_000), Some(1_500));
        assert_eq!(backoff.within(2_000, 0, 200), Some(100));
        assert_eq!(backoff.within(2_000, 0, 199), None);
        assert_eq!(backoff.within(5_500, 5_000, 6_000), Some(5_000), "as the platform asks");
        assert_eq!(backoff.within(5_500, 5_000, 5_000), None);
    }
}
