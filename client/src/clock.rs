//! The two clocks of this machine as the core wants them.

use std::sync::LazyLock;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use thingpost::Moment;

/// Now, by both clocks.
pub(crate) fn now() -> Moment {
    let unix = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Moment { monotonic_ms: monotonic_ms(), unix_ms: milliseconds(unix) }
}

/// Now, by the clock that never jumps.
pub(crate) fn monotonic_ms() -> u64 {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    milliseconds(START.elapsed())
}

/// From now until the clock that never jumps shows this.
pub(crate) fn until(monotonic: u64) -> Duration {
    Duration::from_millis(monotonic.saturating_sub(monotonic_ms()))
}

/// A number that differs between processes and clients: it spreads pauses.
pub(crate) fn seed() -> u64 {
    use std::hash::{BuildHasher, RandomState};
    RandomState::new().hash_one(monotonic_ms())
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
