//! The few forms that a value can have. A forgotten percent sign is answered with what was probably meant.

use std::time::Duration;

use super::plan::Late;
use super::rate::Rate;
use super::share::Share;

/// The forms as they are named in the table, and what they look like.
pub const CHAOS_VALUES: &[(&str, &str)] = &[
    ("SHARE", "of the things that could be struck: 10% or 0.5%"),
    ("TIME", "200ms, 7s, 2m or 1h; a number alone is seconds"),
    ("RATE", "100/s, 5/m or 10/h"),
    ("SIZE", "5000, 40KB or 1MB, with 1024 bytes for a KB"),
    ("CODE", "a reason code: 0x97, or 151"),
    ("N", "a whole number"),
];

/// Nothing is longer: a timer must be able to wait for it, and a day is longer than any test.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);
/// Answers are made in memory.
const LARGEST: usize = 16 * 1024 * 1024;

/// Above 0%, up to 100%.
pub(super) fn share(text: &str) -> Option<Share> {
    let millionths = decimal(text.strip_suffix('%')?, 4)?;
    (1..=1_000_000).contains(&millionths).then(|| Share::from_millionths(millionths))
}

/// The likely meaning of a value without its percent sign: 0.1 is a tenth, and 10 are ten of a hundred.
pub(super) fn meant_share(text: &str) -> Option<Share> {
    let text = text.trim_end_matches('%').trim();
    let as_percent = share(&format!("{text}%"))?;
    let is_fraction = text.starts_with("0.") || text == "1.0";
    if is_fraction { decimal(text, 6).map(Share::from_millionths) } else { Some(as_percent) }
}

/// `12.34` as a whole number of the last place.
fn decimal(text: &str, places: usize) -> Option<u32> {
    let (whole, rest) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(rest) || rest.len() > places {
        return None;
    }
    format!("{whole}{rest:0<places$}").parse().ok()
}

pub(super) fn time(text: &str) -> Option<Duration> {
    let digits = text.trim_end_matches(|character: char| character.is_ascii_alphabetic());
    let number: u32 = number(digits)?;
    let time = match &text[digits.len()..] {
        "ms" => Duration::from_millis(number.into()),
        "" | "s" => Duration::from_secs(number.into()),
        "m" | "min" => Duration::from_secs(60 * u64::from(number)),
        "h" => Duration::from_secs(60 * 60 * u64::from(number)),
        _ => return None,
    };
    (time > Duration::ZERO && time <= LONGEST).then_some(time)
}

/// `TIME` for all, or `TIME:SHARE`.
pub(super) fn late(text: &str) -> Option<Late> {
    match text.split_once(':') {
        None => Some(Late { by: time(text)?, share: Share::ALWAYS }),
        Some((by, of)) => Some(Late { by: time(by)?, share: share(of)? }),
    }
}

pub(super) fn rate(text: &str) -> Option<Rate> {
    let (count, per) = text.split_once('/')?;
    let count = number(count).filter(|&count| count > 0)?;
    match per {
        "s" => Some(Rate::per_second(count)),
        "m" | "min" => Some(Rate::per_minute(count)),
        "h" => Some(Rate::per_hour(count)),
        _ => None,
    }
}

pub(super) fn size(text: &str) -> Option<usize> {
    let digits = text.trim_end_matches(|character: char| character.is_ascii_alphabetic());
    let unit = match text[digits.len()..].to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "k" | "kb" | "kib" => 1024,
        "m" | "mb" | "mib" => 1024 * 1024,
        _ => return None,
    };
    let size = number::<usize>(digits)?.checked_mul(unit)?;
    (1..=LARGEST).contains(&size).then_some(size)
}

/// `CODE:SHARE`, with a code that is an error in both versions of MQTT.
pub(super) fn code_and_share(text: &str) -> Option<(u8, Share)> {
    let (code, of) = text.split_once(':')?;
    let code = match code.strip_prefix("0x").or_else(|| code.strip_prefix("0X")) {
        Some(hex) if !hex.starts_with('+') => u8::from_str_radix(hex, 16).ok()?,
        Some(_) => return None,
        None => number(code)?,
    };
    (code > 0).then_some((code, share(of)?))
}

/// Digits and nothing else: no sign.
pub(super) fn number<N: std::str::FromStr>(text: &str) -> Option<N> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_percentages() {
        for (text, millionths) in [("10%", 100_000), ("0.5%", 5_000), ("100%", 1_000_000), ("0.0001%", 1)] {
            assert_eq!(share(text), Some(Share::from_millionths(millionths)), "{text}");
        }
        for text in
            ["", "%", "0%", "101%", "10", ".5%", "5.%", "-1%", "+1%", "1e1%", "10 %", "0.00001%", "99999999999%"]
        {
            assert_eq!(share(text), None, "{text}");
        }
    }

    #[test]
    fn a_share_without_its_sign_is_guessed() {
        for (text, meant) in
            [("10", Some(10)), ("0.1", Some(10)), ("0.25", Some(25)), ("1", Some(1)), ("1.0", Some(100))]
        {
            assert_eq!(meant_share(text), meant.map(Share::percent), "{text}");
        }
        assert_eq!(meant_share("often"), None);
    }

    #[test]
    fn times_have_units() {
        for (text, ms) in
            [("200ms", 200), ("7s", 7_000), ("7", 7_000), ("2m", 120_000), ("2min", 120_000), ("1h", 3_600_000)]
        {
            assert_eq!(time(text), Some(Duration::from_millis(ms)), "{text}");
        }
        for text in ["", "s", "0s", "-1s", "1d", "1.5s", "7 s", "25h", "99999999999s", "ms7"] {
            assert_eq!(time(text), None, "{text}");
        }
        let late = late("7s:10%").unwrap();
        assert_eq!((late.by, late.share), (Duration::from_secs(7), Share::percent(10)));
    }

    #[test]
    fn rates_sizes_and_codes_are_read() {
        assert_eq!(rate("100/s"), Some(Rate::per_second(100)));
        assert_eq!(rate("5/m"), Some(Rate::per_minute(5)));
        assert_eq!(rate("10/h"), Some(Rate::per_hour(10)));
        for text in ["100", "0/s", "/s", "1/", "1/d", "-1/s"] {
            assert_eq!(rate(text), None, "{text}");
        }
        for (text, bytes) in [("5000", 5000), ("40KB", 40 * 1024), ("40k", 40 * 1024), ("1MB", 1024 * 1024)] {
            assert_eq!(size(text), Some(bytes), "{text}");
        }
        for text in ["", "KB", "0", "17MB", "1GB", "99999999999999999999"] {
            assert_eq!(size(text), None, "{text}");
        }
        assert_eq!(code_and_share("0x97:10%"), Some((0x97, Share::percent(10))));
        assert_eq!(code_and_share("3:1%"), Some((3, Share::percent(1))));
        for text in ["0x97", "0:1%", "256:1%", "0x1ff:1%", "0x+9:1%", ":1%", "0x:1%", "0x97:1"] {
            assert_eq!(code_and_share(text), None, "{text}");
        }
    }
}
