//! What of the failures of a workload stands in the log.
//!
//! A guest that asks for a host that it may not reach is told so in microseconds, and can ask again: in an hour it would fill a disk
//! with one sentence, and what matters would stand between a million of those. So the log of a workload gets ten
//! lines in ten seconds, denials apart from the rest, and then how many were left out.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::error::TransportError;

const LINES: u32 = 10;
const PERIOD: Duration = Duration::from_secs(10);

/// The log of one workload.
pub(super) struct FailureLog {
    denials: LogLimiter,
    /// All else.
    failures: LogLimiter,
}

impl Default for FailureLog {
    fn default() -> Self {
        Self { denials: LogLimiter::new(LINES), failures: LogLimiter::new(LINES) }
    }
}

impl FailureLog {
    pub(super) fn write(&self, error: &TransportError) {
        let limiter = match error {
            TransportError::Denied(_) => &self.denials,
            _ => &self.failures,
        };
        if let Some(left_out) = limiter.admit(Instant::now()) {
            tell_left_out(left_out);
            tracing::warn!("{error}");
        }
    }
}

fn tell_left_out(count: u64) {
    if count > 0 {
        tracing::warn!("{count} failures before this were left out here, as there were so many");
    }
}

impl Drop for FailureLog {
    fn drop(&mut self) {
        for limiter in [&self.denials, &self.failures] {
            tell_left_out(limiter.left_out());
        }
    }
}

/// Lets some lines pass in each period of ten seconds, and counts the rest.
pub(crate) struct LogLimiter {
    lines: u32,
    period: Mutex<Period>,
}

#[derive(Default)]
struct Period {
    begin: Option<Instant>,
    lines: u32,
    left_out: u64,
}

impl LogLimiter {
    /// Lets so many lines pass in ten seconds.
    pub(crate) fn new(lines: u32) -> Self {
        Self { lines, period: Mutex::default() }
    }

    /// Whether there is room for a line, and then how many were left out since the last one.
    pub(crate) fn admit(&self, now: Instant) -> Option<u64> {
        let mut period = self.period.lock().unwrap_or_else(PoisonError::into_inner);
        if period.begin.is_none_or(|begin| now.saturating_duration_since(begin) >= PERIOD) {
            let left_out = period.left_out;
            *period = Period { begin: Some(now), lines: 1, left_out: 0 };
            return Some(left_out);
        }
        if period.lines < self.lines {
            period.lines += 1;
            return Some(0);
        }
        period.left_out += 1;
        None
    }

    fn left_out(&self) -> u64 {
        self.period.lock().unwrap_or_else(PoisonError::into_inner).left_out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_flood_ten_lines_pass_in_each_period_and_the_rest_is_counted() {
        let (limiter, start) = (LogLimiter::new(LINES), Instant::now());
        let lines = |from: Duration| {
            let admitted = (0..1_000).filter_map(|_| limiter.admit(start + from));
            admitted.collect::<Vec<_>>()
        };
        assert_eq!(lines(Duration::ZERO), [0; 10]);
        assert_eq!(lines(PERIOD / 2), []);
        assert_eq!(lines(PERIOD), [&[1_990][..], &[0; 9]].concat());
        assert_eq!(limiter.admit(start + 3 * PERIOD), Some(990));
        assert_eq!(limiter.admit(start + 3 * PERIOD), Some(0), "it is told once");
    }

    #[test]
    fn whoever_fails_now_and_then_is_never_left_out() {
        let (limiter, start) = (LogLimiter::new(LINES), Instant::now());
        assert!((0..1_000).all(|second| limiter.admit(start + Duration::from_secs(second)) == Some(0)));
    }
}
