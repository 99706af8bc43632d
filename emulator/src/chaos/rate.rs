//! A cloud counts what comes in a time and takes no more. How it counts is not documented; here a time's worth may come
//! at once, and then one at a time, so that what is taken over a long time is the rate whenever it began.

use std::time::Duration;

use tokio::time::Instant;

/// How much of something may come in a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// So much. 0 is nothing.
    pub count: u32,
    /// In this time.
    pub per: Duration,
}

impl Rate {
    /// So much in a second.
    pub const fn per_second(count: u32) -> Self {
        Self { count, per: Duration::from_secs(1) }
    }

    /// So much in a minute.
    pub const fn per_minute(count: u32) -> Self {
        Self { count, per: Duration::from_secs(60) }
    }

    /// So much in an hour: for a test, in which no machine is slow enough for a second one to begin.
    pub const fn per_hour(count: u32) -> Self {
        Self { count, per: Duration::from_secs(60 * 60) }
    }
}

/// How much of a rate is used up.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Allowance {
    /// When what was taken so far would have come if it had come at the rate.
    used_up_to: Option<Instant>,
}

impl Allowance {
    /// Whether one more may come now. If so it is counted.
    pub(crate) fn takes(&mut self, rate: Rate, now: Instant) -> bool {
        if rate.count == 0 {
            return false;
        }
        let one = rate.per / rate.count;
        let used_up_to = self.used_up_to.map_or(now, |at| at.max(now));
        let takes = used_up_to + one <= now + rate.per;
        if takes {
            self.used_up_to = Some(used_up_to + one);
        }
        takes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seconds_worth_may_come_at_once_and_then_one_at_a_time() {
        let (mut allowance, rate, start) = (Allowance::default(), Rate::per_second(4), Instant::now());
        let taken = |allowance: &mut Allowance, ms| {
            let now = start + Duration::from_millis(ms);
            (0..100).filter(|_| allowance.takes(rate, now)).count()
        };
        let counts = [0, 100, 249, 250, 500, 1500, 60_000].map(|ms| taken(&mut allowance, ms));
        assert_eq!(counts, [4, 0, 0, 1, 1, 4, 4]);
    }

    #[test]
    fn over_a_long_time_the_rate_is_what_is_taken() {
        let (mut allowance, rate, start) = (Allowance::default(), Rate::per_minute(5), Instant::now());
        let taken = (0..600).filter(|&second| allowance.takes(rate, start + Duration::from_secs(second))).count();
        assert_eq!(taken, 5 + 49);
    }

    #[test]
    fn nothing_at_all_can_be_a_rate() {
        assert!(!Allowance::default().takes(Rate::per_second(0), Instant::now()));
    }
}
