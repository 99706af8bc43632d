//! A platform that is at its limit refuses whatever comes until it has recovered. Left to itself each message would learn
//! that separately, and thirty at a time would keep asking. But one that refuses a message here and there, a server that
//! restarts behind a balancer or a limit that is almost kept, takes all the others; a client that falls silent for a second
//! at each such refusal sends twelve messages in a second where hundreds would be taken.
//!
//! So a message that is refused rests by itself, and only refusals one after the other quiet the whole exchange and halve
//! what may be under way. Every round of accepted messages widens it by one again.
//!
//! Simulated at 50 ms for each request, 32 at a time (`tests/throttling.rs`): 2,000 messages of which one in ten is
//! answered 503 and one in ten 429 take 9 to 17 s, and 2,500 requests, which without any pause would take 4 s; in batches
//! of 256, each of which waits for its last, 46 s. 300 messages against a limit of 5 in a second take 64 s and 250 requests
//! in vain; against one of 50, 7 s and 60.

/// The fewest refusals one after the other that are more than chance: where one in five is refused, one of a hundred
/// and twenty is the first of three.
const FEWEST: u32 = 3;

/// How many requests may be under way, and from when on.
#[derive(Debug)]
pub(super) struct CongestionWindow {
    widest: usize,
    window: usize,
    accepted: usize,
    /// Refusals since something was accepted.
    refused: u32,
    /// How often that has quieted the exchange.
    quieted: u32,
    quiet_until_ms: u64,
}

impl CongestionWindow {
    pub fn new(max_in_flight: u32) -> Self {
        let widest = max_in_flight as usize;
        Self { widest, window: widest, accepted: 0, refused: 0, quieted: 0, quiet_until_ms: 0 }
    }

    /// Whether one more request may be sent.
    pub fn allows(&self, under_way: usize, now_ms: u64) -> bool {
        under_way < self.window && now_ms >= self.quiet_until_ms
    }

    /// When the quiet ends, if it has not.
    pub fn quiet_until_ms(&self, now_ms: u64) -> Option<u64> {
        (now_ms < self.quiet_until_ms).then_some(self.quiet_until_ms)
    }

    /// How often refusals have quieted the exchange since something was accepted.
    pub fn quieted(&self) -> u32 {
        self.quieted
    }

    pub fn accepted(&mut self) {
        (self.refused, self.quieted) = (0, 0);
        self.accepted += 1;
        if self.accepted >= self.window {
            self.accepted = 0;
            self.window = self.widest.min(self.window + 1);
        }
    }

    /// A message was refused for now: if too many were before it, it is quiet for so long. The answers to a burst come one by one, and count as one.
    pub fn refused(&mut self, now_ms: u64, quiet_ms: u64) {
        self.refused = self.refused.saturating_add(1);
        // A quarter of what may be under way: so many at a time may come back by chance.
        if self.refused < FEWEST.max(u32::try_from(self.window / 4).unwrap_or(u32::MAX)) {
            return;
        }
        if now_ms >= self.quiet_until_ms {
            self.quieted = self.quieted.saturating_add(1);
            self.accepted = 0;
            self.window = (self.window / 2).max(1);
        }
        self.quiet_until_ms = self.quiet_until_ms.max(now_ms.saturating_add(quiet_ms));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_of_refusals_halves_the_window_once_and_quiets_it() {
        let mut window = CongestionWindow::new(32);
        assert!(window.allows(31, 0) && !window.allows(32, 0));
        for at_ms in 10..30 {
            window.refused(at_ms, 1_000);
        }
        assert_eq!(window.quiet_until_ms(30), Some(1_029));
        assert!(!window.allows(0, 1_028));
        assert!(window.allows(15, 1_029) && !window.allows(16, 1_029));
    }

    #[test]
    fn refusals_here_and_there_quiet_nobody() {
        let mut window = CongestionWindow::new(8);
        for at_ms in 0..100 {
            window.refused(at_ms, 1_000);
            window.refused(at_ms, 1_000);
            window.accepted();
        }
        assert!(window.allows(7, 100));
    }

    #[test]
    fn the_window_never_closes_and_opens_again_slowly() {
        let mut window = CongestionWindow::new(4);
        for round in 0..10 {
            window.refused(round * 10_000, 1_000);
        }
        assert_eq!(window.quieted(), 8);
        assert!(window.allows(0, 100_000) && !window.allows(1, 100_000));
        window.accepted();
        assert_eq!(window.quieted(), 0);
        assert!(window.allows(1, 100_000) && !window.allows(2, 100_000));
        for _ in 0..100 {
            window.accepted();
        }
        assert!(window.allows(3, 100_000) && !window.allows(4, 100_000));
    }
}
