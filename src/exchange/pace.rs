//! A platform that answers "too many requests" to one message means the next ones too. Left to itself each message
//! would learn that separately, and thirty at a time would keep asking; so a throttled answer quiets the whole
//! exchange for as long as the platform wants, and halves what may be under way. Every round of accepted messages
//! widens it by one again.

/// How many requests may be under way, and from when on.
#[derive(Debug)]
pub(super) struct Pace {
    widest: usize,
    window: usize,
    accepted: usize,
    quiet_until_ms: u64,
}

impl Pace {
    pub fn new(max_in_flight: u32) -> Self {
        let widest = max_in_flight as usize;
        Self { widest, window: widest, accepted: 0, quiet_until_ms: 0 }
    }

    /// Whether one more request may be sent.
    pub fn allows(&self, under_way: usize, now_ms: u64) -> bool {
        under_way < self.window && now_ms >= self.quiet_until_ms
    }

    /// When the quiet ends, if it has not.
    pub fn quiet_until_ms(&self, now_ms: u64) -> Option<u64> {
        (now_ms < self.quiet_until_ms).then_some(self.quiet_until_ms)
    }

    pub fn accepted(&mut self) {
        self.accepted += 1;
        if self.accepted >= self.window {
            self.accepted = 0;
            self.window = self.widest.min(self.window + 1);
        }
    }

    /// The answers to a burst come one by one, and count as one.
    pub fn throttled(&mut self, now_ms: u64, pause_ms: u64) {
        if now_ms >= self.quiet_until_ms {
            self.accepted = 0;
            self.window = (self.window / 2).max(1);
        }
        self.quiet_until_ms = self.quiet_until_ms.max(now_ms.saturating_add(pause_ms));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_of_throttled_answers_halves_the_window_once_and_quiets_it() {
        let mut pace = Pace::new(32);
        assert!(pace.allows(31, 0) && !pace.allows(32, 0));
        for at_ms in 10..20 {
            pace.throttled(at_ms, 1_000);
        }
        assert_eq!(pace.quiet_until_ms(20), Some(1_019));
        assert!(!pace.allows(0, 1_018));
        assert!(pace.allows(15, 1_019) && !pace.allows(16, 1_019));
    }

    #[test]
    fn the_window_never_closes_and_opens_again_slowly() {
        let mut pace = Pace::new(4);
        for round in 0..10 {
            pace.throttled(round * 10_000, 1_000);
        }
        assert!(pace.allows(0, 100_000) && !pace.allows(1, 100_000));
        pace.accepted();
        assert!(pace.allows(1, 100_000) && !pace.allows(2, 100_000));
        for _ in 0..100 {
            pace.accepted();
        }
        assert!(pace.allows(3, 100_000) && !pace.allows(4, 100_000));
    }
}
