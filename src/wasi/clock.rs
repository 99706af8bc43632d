//! The two clocks of the host, asked as seldom as will do.

use wasip2::clocks::{monotonic_clock, wall_clock};

use super::NS_PER_MS;
use crate::moment::Moment;

/// How long the distance between the two clocks is taken for constant. A user who sets the clock of the machine sees the
/// effect a second later, and a publish asks one clock instead of two.
const DISTANCE_HOLDS_MS: u64 = 1000;

/// The calendar's time, reckoned from the clock that never jumps.
pub(super) struct Clock {
    /// Both clocks at the same time.
    both: Moment,
}

impl Clock {
    /// Asks both.
    pub fn start() -> (Self, Moment) {
        let both = both(monotonic_clock::now() / NS_PER_MS);
        (Self { both }, both)
    }

    pub fn now(&mut self) -> Moment {
        let monotonic_ms = monotonic_clock::now() / NS_PER_MS;
        let since_ms = monotonic_ms.saturating_sub(self.both.monotonic_ms);
        if since_ms >= DISTANCE_HOLDS_MS {
            self.both = both(monotonic_ms);
            return self.both;
        }
        Moment { monotonic_ms, unix_ms: self.both.unix_ms.saturating_add(since_ms) }
    }
}

fn both(monotonic_ms: u64) -> Moment {
    let wall = wall_clock::now();
    let unix_ms = wall.seconds.saturating_mul(1000).saturating_add(u64::from(wall.nanoseconds) / NS_PER_MS);
    Moment { monotonic_ms, unix_ms }
}
