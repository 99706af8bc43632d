//! How often it is said that a certificate ends soon: not with each look at it, and not once for two weeks.

use std::time::Duration;

use crate::x509::validity::ExpiresSoon;

/// A day.
const PAUSE: Duration = Duration::from_secs(86_400);

/// Reminds of the end of a certificate once a day.
#[derive(Debug, Clone, Default)]
pub struct ExpiryReminder {
    reminded: Option<ExpiresSoon>,
}

impl ExpiryReminder {
    /// Whether it is time to be reminded of this: of another certificate than the last time, or a day later.
    pub fn is_due(&mut self, expiry: &ExpiresSoon) -> bool {
        let is_due = self.reminded.is_none_or(|reminded| {
            reminded.not_after() != expiry.not_after() || reminded.left().saturating_sub(expiry.left()) >= PAUSE
        });
        if is_due {
            self.reminded = Some(*expiry);
        }
        is_due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reminder_comes_once_a_day_and_at_once_for_another_certificate() {
        const HOUR: u64 = 3600;
        let at = |not_after: u64, now: u64| ExpiresSoon::new(Duration::from_secs(not_after), Duration::from_secs(now));
        let mut reminder = ExpiryReminder::default();
        assert!(reminder.is_due(&at(1000 * HOUR, 900 * HOUR)));
        assert!(!reminder.is_due(&at(1000 * HOUR, 923 * HOUR)));
        assert!(reminder.is_due(&at(1000 * HOUR, 924 * HOUR)));
        assert!(!reminder.is_due(&at(1000 * HOUR, 925 * HOUR)));
        assert!(reminder.is_due(&at(1010 * HOUR, 925 * HOUR)));
    }
}
