//! A device without a battery begins in 1970, and a platform that refuses a signature for its time says what time it is.
//! Forgotten with the exchange, that is learned anew by every batch, with as many refusals as may be under way.

use crate::moment::Moment;

/// How far our clock is ahead of the platform's, as far as is known.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Clock {
    /// As an earlier exchange has learned it. The clock may have been set since.
    known_ahead_ms: i64,
    learned_ahead_ms: Option<i64>,
}

impl Clock {
    pub fn known(ahead_ms: i64) -> Self {
        Self { known_ahead_ms: ahead_ms, learned_ahead_ms: None }
    }

    pub fn ahead_ms(self) -> i64 {
        self.learned_ahead_ms.unwrap_or(self.known_ahead_ms)
    }

    /// The time by the platform's clock.
    pub fn corrected(self, now: Moment) -> Moment {
        Moment { unix_ms: now.unix_ms.saturating_sub_signed(self.ahead_ms()), ..now }
    }

    /// Whether this exchange has learned it: what is refused all the same is not refused for its time.
    pub fn has_learned(self) -> bool {
        self.learned_ahead_ms.is_some()
    }

    /// How far this is from what was known.
    pub fn differs_ms(self, ahead_ms: i64) -> i64 {
        ahead_ms.saturating_sub(self.ahead_ms())
    }

    /// The platform has said so. Of several that were under way, the first has told.
    pub fn learn(&mut self, ahead_ms: i64) {
        self.learned_ahead_ms.get_or_insert(ahead_ms);
    }
}
