//! The time of a signature. A calendar is small enough to be written down, and the crates that have one bring more.

use alloc::string::{String, ToString};

/// A second of the calendar.
#[derive(Clone, Copy, Debug)]
pub(super) struct DateTime {
    days: u64,
    second_of_day: u64,
}

impl DateTime {
    pub fn new(unix_seconds: u64) -> Self {
        Self { days: unix_seconds / 86_400, second_of_day: unix_seconds % 86_400 }
    }

    /// `20150830`.
    pub fn date(self) -> String {
        let (year, month, day) = civil(self.days);
        let mut text = String::new();
        push(&mut text, year, 4);
        push(&mut text, month, 2);
        push(&mut text, day, 2);
        text
    }

    /// `20150830T123600Z`.
    pub fn timestamp(self) -> String {
        let mut text = self.date();
        text.push('T');
        push(&mut text, self.second_of_day / 3600, 2);
        push(&mut text, self.second_of_day / 60 % 60, 2);
        push(&mut text, self.second_of_day % 60, 2);
        text.push('Z');
        text
    }
}

fn push(text: &mut String, number: u64, width: usize) {
    let digits = number.to_string();
    for _ in digits.len()..width {
        text.push('0');
    }
    text.push_str(&digits);
}

/// Year, month and day of a day since 1970. Years are counted from March here, so that the leap day is the last.
fn civil(days: u64) -> (u64, u64, u64) {
    const DAYS_IN_400_YEARS: u64 = 146_097;
    // From 0000-03-01.
    let days = days + 719_468;
    let (era, day_of_era) = (days / DAYS_IN_400_YEARS, days % DAYS_IN_400_YEARS);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (era * 400 + year_of_era + u64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_the_calendar() {
        for (unix_seconds, timestamp) in [
            (0, "19700101T000000Z"),
            (1_440_938_160, "20150830T123600Z"),
            (951_782_400, "20000229T000000Z"),
            (4_107_542_399, "21000228T235959Z"),
            (4_107_542_400, "21000301T000000Z"),
        ] {
            assert_eq!(DateTime::new(unix_seconds).timestamp(), timestamp);
        }
    }
}
