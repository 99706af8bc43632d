//! The pauses between attempts to connect grow to half a minute, as befits a device that goes on for years. But a run that waits for
//! a time of its own would sleep through the broker's return, and end while there was time: so a pause is no longer than half of
//! what is left.

use std::time::Duration;

use tokio::time::Instant;

/// Below this it is not worth another attempt.
const SHORTEST: Duration = Duration::from_millis(250);

/// The next attempt to connect, while there is no connection.
#[derive(Debug, Default)]
pub struct NextAttempt {
    /// When it begins, if it is known.
    at: Option<Instant>,
    /// Whether it has to be asked for, as the session would pause for longer.
    is_asked_for: bool,
}

impl NextAttempt {
    /// There is a connection, or an attempt is under way.
    pub fn begun(&mut self) {
        *self = Self::default();
    }

    /// There is no connection, and the session pauses for so many milliseconds. Returns how long it will be.
    pub fn pauses(&mut self, pause_ms: Option<u64>, deadline: Option<Instant>) -> Option<u64> {
        let now = Instant::now();
        let at = pause_ms.and_then(|ms| now.checked_add(Duration::from_millis(ms)));
        *self = Self { at, is_asked_for: false };
        self.ends_by(deadline);
        let cut_ms = self.at.map(|at| u64::try_from((at - now).as_millis()).unwrap_or(u64::MAX));
        cut_ms.or(pause_ms)
    }

    /// The run ends at that time from now on.
    pub fn ends_by(&mut self, deadline: Option<Instant>) {
        let (Some(at), Some(deadline)) = (self.at, deadline) else { return };
        let now = Instant::now();
        let half = deadline.saturating_duration_since(now) / 2;
        if half >= SHORTEST && now + half < at {
            *self = Self { at: Some(now + half), is_asked_for: true };
        }
    }

    /// When it is to be asked for.
    pub fn due(&self) -> Option<Instant> {
        self.at.filter(|_| self.is_asked_for)
    }

    /// Whether it is to be asked for now. Once.
    pub fn take_due(&mut self) -> bool {
        let is_due = self.due().is_some_and(|at| at <= Instant::now());
        if is_due {
            self.begun();
        }
        is_due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_pause_is_no_longer_than_half_of_what_is_left() {
        let deadline = Instant::now() + Duration::from_secs(30);
        let mut next = NextAttempt::default();
        let mut attempts = 0;
        // A session whose attempts fail at once, and that would pause for half a minute after each.
        while next.pauses(Some(32_000), Some(deadline)) != Some(32_000) {
            assert!(!next.take_due());
            tokio::time::advance(next.due().unwrap() - Instant::now()).await;
            assert!(next.take_due() && next.due().is_none());
            attempts += 1;
        }
        assert_eq!(attempts, 6);
        assert!(deadline - Instant::now() < 2 * SHORTEST);
    }

    #[tokio::test(start_paused = true)]
    async fn a_pause_that_is_short_or_has_no_end_to_fear_is_the_sessions() {
        let deadline = Instant::now() + Duration::from_secs(30);
        let mut next = NextAttempt::default();
        assert_eq!(next.pauses(Some(1_000), Some(deadline)), Some(1_000));
        assert_eq!(next.pauses(Some(32_000), None), Some(32_000));
        assert_eq!(next.pauses(None, Some(deadline)), None);
        assert_eq!(next.due(), None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_run_that_is_to_end_after_all_cuts_the_pause_that_has_begun() {
        let mut next = NextAttempt::default();
        assert_eq!(next.pauses(Some(32_000), None), Some(32_000));
        let begun = Instant::now();
        next.ends_by(Some(begun + Duration::from_secs(10)));
        assert_eq!(next.due(), Some(begun + Duration::from_secs(5)));
        next.begun();
        assert_eq!(next.due(), None);
    }
}
