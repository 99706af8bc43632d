//! How busy this process was. Where a server is what everybody waits for, all clients take the same time, and differ in
//! how much of it they leave to others.

use std::time::Duration;

/// What this process has had of all processors so far, where the system says so.
#[cfg(unix)]
pub(crate) fn time() -> Option<Duration> {
    use rustix::time::{ClockId, clock_gettime};

    clock_gettime(ClockId::ProcessCPUTime).try_into().ok()
}

#[cfg(not(unix))]
pub(crate) fn time() -> Option<Duration> {
    None
}
