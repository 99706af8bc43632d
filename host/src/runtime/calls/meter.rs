//! How long a call has had a thread.
//!
//! A tick of the epoch says that time has passed, and not whose: a guest that waits for its broker for a minute meets six
//! thousand of them when it comes back, and has computed for none. So the time counts from the moment when the executor
//! takes up a call to the moment when the call has to wait.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// Adds up the time that the call of one store has on a thread. The store looks at it from inside of the call, on that same
/// thread, so that no order of memory matters.
pub(super) struct Meter {
    origin: Instant,
    /// Both in nanoseconds; the second since the origin.
    spent: AtomicU64,
    started: AtomicU64,
}

impl Default for Meter {
    fn default() -> Self {
        Self { origin: Instant::now(), spent: AtomicU64::new(0), started: AtomicU64::new(0) }
    }
}

impl Meter {
    /// Another call begins.
    pub fn reset(&self) {
        self.spent.store(0, Relaxed);
    }

    /// The call is taken up.
    pub fn start(&self) {
        self.started.store(self.now(), Relaxed);
    }

    /// The call has to wait, or has ended.
    pub fn stop(&self) {
        self.spent.fetch_add(self.since_start(), Relaxed);
    }

    /// What the call has had, asked for while it has a thread.
    pub fn spent(&self) -> Duration {
        Duration::from_nanos(self.spent.load(Relaxed).saturating_add(self.since_start()))
    }

    fn since_start(&self) -> u64 {
        self.now().saturating_sub(self.started.load(Relaxed))
    }

    fn now(&self) -> u64 {
        u64::try_from(self.origin.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }
}
