//! Signatures carry a time, keys end at one, and the `date` of an answer tells how wrong the local clock is: three ways to
//! write a second. A calendar is small enough to be written down, and the crates that have one bring more.

use alloc::string::{String, ToString};

/// A second of the calendar.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DateTime {
    days: u64,
    second_of_day: u64,
}

const MONTHS: [&[u8]; 12] =
    [b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec"];

/// The seconds since 1970 in `Sun, 06 Nov 1994 08:49:37 GMT`, as answers have it. The two older forms of HTTP dates
/// have not been seen in this century.
pub(crate) fn read_http_date(text: &str) -> Option<u64> {
    let mut parts = text.as_bytes().split(|byte| *byte == b' ').skip(1);
    let day = number(parts.next()?)?;
    let month = parts.next()?;
    let month = MONTHS.iter().position(|name| *name == month)? as u64 + 1;
    let year = number(parts.next()?)?;
    seconds(year, month, day, parts.next()?)
}

/// The seconds since 1970 in `2018-01-18T09:18:06Z`.
pub(crate) fn read_timestamp(text: &str) -> Option<u64> {
    let text = text.as_bytes();
    let mut date = text.get(..10)?.split(|byte| *byte == b'-').map(number);
    let (year, month, day) = (date.next()??, date.next()??, date.next()??);
    // Fractions of a second do not matter.
    let is_utc = text.get(10) == Some(&b'T') && text.ends_with(b"Z");
    is_utc.then(|| seconds(year, month, day, text.get(11..19)?)).flatten()
}

fn seconds(year: u64, month: u64, day: u64, time: &[u8]) -> Option<u64> {
    let mut time = time.split(|byte| *byte == b':').map(number);
    let (hour, minute, second) = (time.next()??, time.next()??, time.next()??);
    let is_one = (1970..10_000).contains(&year)
        && (1..=12).contains(&month)
        && (1..=31).contains(&day)
        && hour < 24
        && minute < 60
        && second <= 60;
    is_one.then(|| days_from_civil(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second)
}

/// Up to four digits.
fn number(digits: &[u8]) -> Option<u64> {
    let value = |value: u64, digit: &u8| digit.is_ascii_digit().then(|| value * 10 + u64::from(digit - b'0'));
    matches!(digits.len(), 1..=4).then(|| digits.iter().try_fold(0, value)).flatten()
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

/// The inverse of [`civil`].
fn days_from_civil(year: u64, month: u64, day: u64) -> u64 {
    let year = year - u64::from(month <= 2);
    let (era, year_of_era) = (year / 400, year % 400);
    let month_from_march = (month + 9) % 12;
    let day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn reads_the_dates_of_answers_and_keys() {
        assert_eq!(read_http_date("Sun, 06 Nov 1994 08:49:37 GMT"), Some(784_111_777));
        assert_eq!(read_http_date("Thu, 29 Feb 2024 23:59:59 GMT"), Some(1_709_251_199));
        assert_eq!(read_timestamp("2018-01-18T09:18:06Z"), Some(1_516_267_086));
        assert_eq!(read_timestamp("2018-01-18T09:18:06.123Z"), Some(1_516_267_086));
        for text in ["", "Sun", "Sun, 06 Nov 1994", "Sun, 06 Foo 1994 08:49:37 GMT", "Sun, 06 Nov 1994 24:49:37 GMT"] {
            assert_eq!(read_http_date(text), None, "{text}");
        }
        for text in ["", "2018-01-18", "2018-01-18T09:18:06+01:00", "2018-13-18T09:18:06Z", "1969-01-18T09:18:06Z"] {
            assert_eq!(read_timestamp(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_day_that_is_written_reads_back(days in 0u64..2_900_000) {
            let (year, month, day) = civil(days);
            prop_assert_eq!(days_from_civil(year, month, day), days);
        }

        #[test]
        fn any_text_is_read_without_a_panic(text in any::<String>(), digits in "[-0-9T:Z, ]{0,24}") {
            for text in [&text, &digits] {
                let _ = (read_http_date(text), read_timestamp(text));
            }
        }
    }

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
