//! Edge devices often have a wrong clock, and a client can only explain that by comparing its own time with the
//! server's. To test it the server's time must be movable without waiting.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// True time plus an offset.
#[derive(Debug, Default)]
pub(crate) struct Clock {
    offset_ms: AtomicI64,
}

impl Clock {
    /// Replaces the offset: shifts do not add up, so a test can always get back to true time with 0.
    pub(crate) fn set_offset_ms(&self, offset_ms: i64) {
        self.offset_ms.store(offset_ms, Ordering::SeqCst);
    }

    /// Milliseconds since 1970 by this clock, never negative.
    pub(crate) fn now_ms(&self) -> u64 {
        let true_ms = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |elapsed| elapsed.as_millis() as u64);
        true_ms.saturating_add_signed(self.offset_ms.load(Ordering::SeqCst))
    }

    /// The value of a `Date` header.
    pub(crate) fn http_date(&self) -> String {
        self.http_date_in(Duration::ZERO)
    }

    /// The value of a `Date` header by a clock that is so far ahead.
    pub(crate) fn http_date_in(&self, ahead: Duration) -> String {
        // httpdate panics from the year 10000 on.
        const YEAR_9999: Duration = Duration::from_millis(253_370_764_800_000);
        let then = Duration::from_millis(self.now_ms()).saturating_add(ahead);
        httpdate::fmt_http_date(UNIX_EPOCH + then.min(YEAR_9999))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shift_replaces_the_one_before() {
        let clock = Clock::default();
        clock.set_offset_ms(3_600_000);
        clock.set_offset_ms(-3_600_000);
        let behind = Clock::default().now_ms() - clock.now_ms();
        assert!((3_599_000..=3_601_000).contains(&behind), "{behind}");
    }

    #[test]
    fn an_absurd_shift_still_has_a_date() {
        let clock = Clock::default();
        clock.set_offset_ms(i64::MAX);
        assert!(clock.http_date().ends_with("9999 00:00:00 GMT"));
        clock.set_offset_ms(i64::MIN);
        assert_eq!(clock.http_date(), "Thu, 01 Jan 1970 00:00:00 GMT");
    }
}
