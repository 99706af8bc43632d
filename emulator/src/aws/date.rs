//! A signature is good for five minutes around its time stamp, and the stamp has a form of its own: `20150830T123600Z`.
//! The refusal of a skewed clock repeats it three times, which is where devices with a wrong clock learn the right one.
//! What the credentials provider says about the end of a key has another form again: `2015-08-30T12:36:00Z`.

const DAY: u64 = 24 * 60 * 60;
/// From the first of March of the year 0, where the calendar below begins, to 1970.
const DAYS_TO_1970: u64 = 719_468;
const DAYS_OF_400_YEARS: u64 = 146_097;

/// Seconds since 1970. `None` for any other form, and for times that do not exist.
pub(super) fn parse(text: &str) -> Option<u64> {
    let (date, time) = text.strip_suffix('Z')?.split_once('T')?;
    let is_digits = |text: &str, length| text.len() == length && text.bytes().all(|byte| byte.is_ascii_digit());
    if !is_digits(date, 8) || !is_digits(time, 6) {
        return None;
    }
    let number = |digits: &str| digits.parse::<u64>().ok();
    let days = days_since_1970(number(&date[..4])?, number(&date[4..6])?, number(&date[6..])?)?;
    let seconds = days * DAY + number(&time[..2])? * 3600 + number(&time[2..4])? * 60 + number(&time[4..])?;
    // A 30th of February or a 25th hour would come out as another time.
    (format(seconds) == text).then_some(seconds)
}

pub(super) fn format(seconds: u64) -> String {
    let (year, month, day) = civil(seconds / DAY);
    let (hour, minute, second) = clock(seconds);
    format!("{year:04}{month:02}{day:02}T{hour:02}{minute:02}{second:02}Z")
}

/// A date with separators.
pub(super) fn format_extended(seconds: u64) -> String {
    let (year, month, day) = civil(seconds / DAY);
    let (hour, minute, second) = clock(seconds);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

fn clock(seconds: u64) -> (u64, u64, u64) {
    (seconds % DAY / 3600, seconds % 3600 / 60, seconds % 60)
}

/// The year is counted from March, so that the leap day is its last and the lengths of the months form a pattern.
fn days_since_1970(year: u64, month: u64, day: u64) -> Option<u64> {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year.checked_sub(1)?, month + 9) };
    let day_of_year = ((153 * month + 2) / 5 + day).checked_sub(1)?;
    let in_400_years = year % 400;
    let days = in_400_years * 365 + in_400_years / 4 - in_400_years / 100 + day_of_year;
    (year / 400 * DAYS_OF_400_YEARS + days).checked_sub(DAYS_TO_1970)
}

fn civil(days_since_1970: u64) -> (u64, u64, u64) {
    let days = days_since_1970 + DAYS_TO_1970;
    let (in_400_years, day) = (days / DAYS_OF_400_YEARS, days % DAYS_OF_400_YEARS);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day_of_year = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let year = in_400_years * 400 + year;
    if month < 10 { (year, month + 3, day) } else { (year + 1, month - 9, day) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_times_are_read_and_written() {
        for (text, seconds) in [
            ("19700101T000000Z", 0),
            ("20000229T235959Z", 951_868_799),
            ("20150830T123600Z", 1_440_938_160),
            ("20260301T000000Z", 1_772_323_200),
            ("21000301T000000Z", 4_107_542_400),
        ] {
            assert_eq!(parse(text), Some(seconds), "{text}");
            assert_eq!(format(seconds), text);
        }
    }

    #[test]
    fn the_end_of_a_key_is_written_with_separators() {
        assert_eq!(format_extended(1_516_267_086), "2018-01-18T09:18:06Z");
    }

    #[test]
    fn other_forms_and_times_that_do_not_exist_are_not_read() {
        for text in [
            "",
            "Z",
            "20150830T123600",
            "20150830123600Z",
            "2015-08-30T12:36:00Z",
            "20150830T12360Z",
            "20150230T123600Z",
            "20150800T123600Z",
            "20151301T123600Z",
            "20150000T123600Z",
            "20150830T243600Z",
            "20150830T126000Z",
            "19691231T235959Z",
            "00000101T000000Z",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
