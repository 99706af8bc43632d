//! A thousand devices that lost the same broker must not come back in the same second, and two clients with the same id
//! throw each other out for as long as they live: so pauses grow, are spread, and begin anew only after a connection that
//! has lasted.
//!
//! AWS closes the first connection of a device that it is to register just in time, and has done so after seconds, or after half a
//! minute. Who is not known yet comes back every few seconds until then.
//!
//! Whatever the pauses are, and however often a connection is asked for: while none comes there are never more than two
//! attempts in a second, and a broker that counts the connections of a device is not asked for one too many.

use alloc::collections::VecDeque;

use super::options::Options;
use crate::random::SplitMix64;

/// Between the begins of two attempts, while none has succeeded.
const GAP_MS: u64 = 500;

const MINUTE_MS: u64 = 60_000;

/// For so long a device that is not known yet may hope to be registered,
const REGISTRATION_MS: u64 = 45_000;

/// and for no longer than this it pauses meanwhile: half a minute has room for some attempts after it has happened.
const REGISTRATION_PAUSE_MS: u64 = 4000;

/// The pauses between attempts to connect.
#[derive(Debug)]
pub(super) struct Reconnect {
    base_ms: u64,
    max_ms: u64,
    stable_ms: u64,
    attempts: u32,
    random: SplitMix64,
    /// How many connections the broker takes in a minute, if it counts them.
    per_minute: Option<usize>,
    /// When the last of those began that it may have counted.
    counted_ms: VecDeque<u64>,
    /// When the last attempt began, and whether it has failed.
    last_ms: Option<u64>,
    has_failed: bool,
    /// When the first attempt of all began, and whether the last one ended as that of a device does that is not known yet.
    first_ms: Option<u64>,
    is_unknown: bool,
}

impl Reconnect {
    pub fn new(options: &Options, per_minute: Option<usize>, seed: u64) -> Self {
        Self {
            base_ms: options.reconnect_base_ms.into(),
            max_ms: options.reconnect_max_ms.into(),
            stable_ms: options.stable_ms.into(),
            attempts: 0,
            random: SplitMix64::new(seed),
            per_minute,
            counted_ms: VecDeque::new(),
            last_ms: None,
            has_failed: false,
            first_ms: None,
            is_unknown: false,
        }
    }

    /// Before then no attempt may begin.
    pub fn not_before_ms(&self) -> u64 {
        let gap_ms = match self.last_ms {
            Some(last_ms) if self.has_failed => last_ms.saturating_add(GAP_MS),
            _ => 0,
        };
        let minute_ms = match (self.per_minute, self.counted_ms.front()) {
            (Some(per_minute), Some(first_ms)) if self.counted_ms.len() >= per_minute => {
                first_ms.saturating_add(MINUTE_MS)
            }
            _ => 0,
        };
        gap_ms.max(minute_ms)
    }

    /// An attempt begins.
    pub fn begun(&mut self, now_ms: u64) {
        self.last_ms = Some(now_ms);
        self.first_ms.get_or_insert(now_ms);
        if let Some(per_minute) = self.per_minute {
            self.counted_ms.push_back(now_ms);
            if self.counted_ms.len() > per_minute {
                self.counted_ms.pop_front();
            }
        }
    }

    /// It has failed; `was_seen` says whether the broker can have counted it.
    pub fn failed(&mut self, was_seen: bool) {
        self.has_failed = true;
        self.is_unknown = false;
        if !was_seen {
            self.counted_ms.pop_back();
        }
    }

    /// It has failed as that of a device that the broker does not know yet: closed without a word, when none had ever come.
    pub fn was_unknown(&mut self) {
        self.is_unknown = true;
    }

    /// It has succeeded.
    pub fn succeeded(&mut self) {
        self.has_failed = false;
    }

    /// A connection was lost after so long.
    pub fn lost(&mut self, after_ms: u64) {
        if after_ms >= self.stable_ms {
            self.attempts = 0;
        }
    }

    fn longest_ms(&self, now_ms: u64) -> u64 {
        let may_be_registered = self.first_ms.is_some_and(|ms| now_ms.saturating_sub(ms) < REGISTRATION_MS);
        match self.is_unknown && may_be_registered {
            true => self.max_ms.min(REGISTRATION_PAUSE_MS.max(self.base_ms)),
            false => self.max_ms,
        }
    }

    /// The pause before the next attempt: somewhere in the upper half of its length, and as long as it must be.
    pub fn pause_ms(&mut self, now_ms: u64) -> u64 {
        let full = self.base_ms.saturating_mul(1 << self.attempts.min(32)).min(self.longest_ms(now_ms));
        self.attempts = self.attempts.saturating_add(1);
        let half = full / 2;
        let pause_ms = half + self.random.next() % (full - half + 1);
        pause_ms.max(self.not_before_ms().saturating_sub(now_ms))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pauses(seed: u64) -> Vec<u64> {
        let mut reconnect = Reconnect::new(&Options::default(), None, seed);
        (0..8).map(|_| reconnect.pause_ms(0)).collect()
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
        let mut reconnect = Reconnect::new(&Options::default(), None, 1);
        let _ = [(); 5].map(|()| reconnect.pause_ms(0));
        reconnect.lost(19_999);
        assert!(reconnect.pause_ms(0) > 1000);
        reconnect.lost(20_000);
        assert!(reconnect.pause_ms(0) <= 1000);
    }

    #[test]
    fn a_minute_counts_only_what_the_broker_may_have_seen() {
        let mut reconnect = Reconnect::new(&Options::default(), Some(2), 1);
        for (now_ms, was_seen) in [(0, true), (10_000, false), (20_000, false), (30_000, true)] {
            assert!(reconnect.not_before_ms() <= now_ms, "at {now_ms}");
            reconnect.begun(now_ms);
            reconnect.failed(was_seen);
        }
        assert_eq!(reconnect.not_before_ms(), 60_000);
        assert!(reconnect.pause_ms(30_500) >= 29_500);
    }
}
