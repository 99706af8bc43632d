//! A platform that counts per second and connection says so only by refusing, or not at all: AWS documents 100 publishes
//! per second for an MQTT connection, and nothing for HTTPS. So a route has no pace unless it is given one.

use std::num::NonZeroU32;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use crate::connect::ConnectDeadline;
use crate::error::ConnectError;

/// When the next request may go.
#[derive(Debug)]
pub(crate) struct RateLimiter {
    interval: Duration,
    next: Mutex<Option<Instant>>,
}

impl RateLimiter {
    pub(crate) fn new(per_second: NonZeroU32) -> Self {
        Self { interval: Duration::from_secs(1) / per_second.get(), next: Mutex::default() }
    }

    /// Waits for a turn. A request whose turn would come too late gets none, and leaves no gap.
    pub(crate) async fn turn(&self, deadline: ConnectDeadline) -> Result<(), ConnectError> {
        let turn = self.reserve(deadline.at).ok_or(ConnectError::RateLimited { after: deadline.after })?;
        sleep_until(turn).await;
        Ok(())
    }

    fn reserve(&self, latest: Instant) -> Option<Instant> {
        // Nothing under this lock panics halfway through a change.
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let turn = next.map_or(now, |next| next.max(now));
        if turn > latest {
            return None;
        }
        *next = Some(turn + self.interval);
        Some(turn)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rate_limiter(per_second: u32) -> RateLimiter {
        RateLimiter::new(NonZeroU32::new(per_second).unwrap())
    }

    fn in_an_hour() -> Instant {
        Instant::now() + Duration::from_secs(3600)
    }

    #[test]
    fn turns_are_at_least_an_interval_apart() {
        let rate_limiter = rate_limiter(10);
        let turns: Vec<_> = (0..100).map(|_| rate_limiter.reserve(in_an_hour()).unwrap()).collect();
        assert!(turns.windows(2).all(|pair| pair[1] - pair[0] >= Duration::from_millis(100)), "{turns:?}");
    }

    #[test]
    fn turns_that_nobody_took_are_not_saved_up() {
        let rate_limiter = rate_limiter(1000);
        rate_limiter.reserve(in_an_hour()).unwrap();
        std::thread::sleep(Duration::from_millis(20));
        let now = Instant::now();
        let (first, second) =
            (rate_limiter.reserve(in_an_hour()).unwrap(), rate_limiter.reserve(in_an_hour()).unwrap());
        assert!(first >= now && second - first >= Duration::from_millis(1));
    }

    #[tokio::test]
    async fn who_would_wait_too_long_gets_no_turn_and_takes_none_away() {
        let _clock = thingpost_patience::Clock::stop();
        let rate_limiter = rate_limiter(1);
        let first = rate_limiter.reserve(in_an_hour()).unwrap();
        for _ in 0..100 {
            let refused = rate_limiter.turn(ConnectDeadline::begin(Duration::ZERO)).await;
            assert!(matches!(refused, Err(ConnectError::RateLimited { .. })), "{refused:?}");
        }
        assert_eq!(rate_limiter.reserve(in_an_hour()).unwrap() - first, Duration::from_secs(1));
    }
}
