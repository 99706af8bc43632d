//! Deadlines that cannot overflow.
//!
//! A guest may ask for a timeout of five centuries, an embedder for `Duration::MAX`. `Instant + Duration` panics on
//! the second.

use std::time::Duration;

use tokio::time::Instant;

/// The moment `after` from now, or one too far off to be met.
pub(crate) fn later(after: Duration) -> Instant {
    const FAR: Duration = Duration::from_secs(86_400 * 365);
    let now = Instant::now();
    now.checked_add(after).unwrap_or(now + FAR)
}
